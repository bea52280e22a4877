# shellcheck shell=bash disable=SC2034,SC2154
# A clean tree of Debian that is booted with its own systemd (boot-tree), and commands in it. Sourced after tree.sh by a
# script that has a folder `temporary`, and that ends the processes in `children` when it ends.

namespaces=(unshare --mount --propagation private --pid --fork --net --ipc --uts --cgroup --kill-child)

# prepare_clean_tree RELEASE TREE PACKAGE: a tree with systemd and nothing else, and in apt's cache what the package needs.
prepare_clean_tree() {
    local tree="$2"
    mkdir -p "$(dirname "$tree")"
    exec 9>"$tree.lock"
    flock 9
    if [ ! -e "$tree/.ready" ]; then
        make_tree "$1" "$tree" ca-certificates,systemd,systemd-sysv
        # Here services are to be started.
        rm "$tree/usr/sbin/policy-rc.d"
    fi
    copy_configuration "$tree"
    rm -f "$tree/.ready"
    cp "$3" "$tree/root/package.deb"
    env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root DEBIAN_FRONTEND=noninteractive chroot "$tree" sh -ec '
        update-ca-certificates >/dev/null 2>&1
        apt-get -qq update
        apt-get -qq install --download-only --yes --no-install-recommends /root/package.deb >/dev/null
        rm /root/package.deb'
    touch "$tree/.ready"
    exec 9>&-
}

# boot TREE KEEP: boots the tree, and leaves the number of its first process in `system` and the number of the process that
# ends all of it in `children`. KEEP is a folder of this machine that is /mnt there. Fails if the system does not start.
boot() {
    local output="$temporary/boot"
    "${namespaces[@]}" "$root/scripts/lib/boot-tree" "$1" "$2" >"$output" 2>&1 &
    children+=("$!")
    local deadline=$((SECONDS + 120))
    while [ "$SECONDS" -lt "$deadline" ]; do
        system="$(cat "/proc/$!/task/$!/children" 2>/dev/null || true)"
        system="${system%% *}"
        if [ -n "$system" ] && [ "$(cat "/proc/$system/comm" 2>/dev/null)" = systemd ] \
            && in_tree systemctl is-system-running --wait >"$output.state" 2>&1; then
            return
        fi
        # A system in which something else has failed is good enough.
        ! grep -q degraded "$output.state" 2>/dev/null || return 0
        sleep 0.2
    done
    cat "$output" "$output.state" >&2
    system=""
    return 1
}

# in_tree COMMAND...: runs the command in the booted tree. beside COMMAND...: runs one of this machine in its network.
in_tree() {
    nsenter --target "$system" --all --root --wd -- \
        env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive "$@" </dev/null
}
beside() { nsenter --target "$system" --net -- "$@"; }

# put FILE MODE: writes standard input to a file of the services' user in the tree.
put() {
    # shellcheck disable=SC2016 # the shell in the tree expands the variables
    nsenter --target "$system" --all --root -- sh -c 'umask 077; cat >"$0"; chown mqtt-quic-bridge "$0"; chmod "$1" "$0"' "$@"
}
