# shellcheck shell=bash
# Trees of a Debian that debootstrap makes, for scripts that build or test on another Debian than this machine's. Sourced
# after common.sh. All mounts are in a mount namespace that `enter_namespace` makes, so they end with the script, however it
# ends.

# shellcheck disable=SC2154 # common.sh sets `root`

# Where the trees are kept.
# shellcheck disable=SC2034 # used by the scripts that source this file
trees="${BRIDGE_TREES:-/var/cache/mqtt-quic-bridge}"

# this_debian: prints the number of this machine's Debian; nothing if it is no Debian.
this_debian() {
    # shellcheck source=/dev/null
    (. /etc/os-release && [ "${ID:-}" = debian ] && echo "${VERSION_ID:-}") || true
}

# codename RELEASE: prints the name of a Debian release.
codename() {
    case "$1" in
        12) echo bookworm ;;
        13) echo trixie ;;
        *) die "$1: the releases are 12 and 13" ;;
    esac
}

# tree_obstacle: prints why no tree can be used here; nothing if one can.
tree_obstacle() {
    if [ "$(id -u)" -ne 0 ]; then
        echo "it needs root"
    elif ! command -v debootstrap >/dev/null; then
        echo "there is no debootstrap (scripts/bootstrap --with-debootstrap installs it)"
    elif ! unshare --mount --propagation private true 2>/dev/null; then
        echo "nothing can be mounted here"
    fi
}

# enter_namespace SCRIPT ARGUMENT...: runs the script again, in a mount namespace of its own. Does nothing there.
enter_namespace() {
    [ -z "${BRIDGE_TREE_NAMESPACE:-}" ] || return 0
    BRIDGE_TREE_NAMESPACE=1 exec unshare --mount --propagation private "$@"
}

# Prints the mirror that apt uses for this Debian; prints nothing if it is not known, and debootstrap then uses its default.
mirror() {
    local codename
    # shellcheck source=/dev/null
    codename="$(. /etc/os-release && echo "${VERSION_CODENAME:-}")"
    # shellcheck disable=SC2016 # apt-get replaces these
    apt-get indextargets --format '$(RELEASE) $(REPO_URI)' 'Identifier: Packages' 'Component: main' 2>/dev/null \
        | awk -v codename="$codename" '$1 == codename { print $2; exit }'
}

# copy_configuration TREE: copies how apt, pip, git and Swift reach the network here: proxies, certificates and mirrors.
copy_configuration() {
    local tree="$1" file
    apt-config dump | grep -E '^Acquire::(http|https|Retries|Check-)' >"$tree/etc/apt/apt.conf.d/90host" || true
    for file in /etc/apt/auth.conf /etc/apt/auth.conf.d /etc/pip.conf /etc/gitconfig /etc/resolv.conf /etc/hosts \
        /usr/local/share/ca-certificates; do
        if [ -e "$file" ]; then
            mkdir -p "$tree$(dirname "$file")"
            rm -rf "${tree:?}$file"
            cp -rL "$file" "$tree$file"
        fi
    done
    mkdir -p "$tree/root/.config/pip" "$tree/root/.swiftpm"
    for file in .gitconfig .config/pip/pip.conf .swiftpm/configuration; do
        rm -rf "${tree:?}/root/$file"
        [ ! -e "$HOME/$file" ] || cp -rL "$HOME/$file" "$tree/root/$file"
    done
}

# make_tree RELEASE TREE PACKAGES: makes a tree with these packages, separated by commas, besides the essential ones.
make_tree() {
    local release="$1" tree="$2" from=() http_proxy="${http_proxy:-}"
    mapfile -t from < <(mirror)
    # debootstrap does not read apt's proxy setting.
    [ -n "$http_proxy" ] || eval "$(apt-config shell http_proxy Acquire::http::Proxy)"
    export http_proxy
    say "Making a tree of Debian $release in $tree"
    mkdir -p "$(dirname "$tree")"
    rm -rf --one-file-system "$tree" "$tree.new"
    debootstrap --variant=minbase --include="$3" "$(codename "$release")" "$tree.new" "${from[@]}" >"$tree.log" 2>&1 || {
        tail -n 20 "$tree.log" >&2
        die "debootstrap failed; all of it: $tree.log"
    }
    # Packages must not start their services, because the tree uses the host's network.
    printf '#!/bin/sh\nexit 101\n' >"$tree.new/usr/sbin/policy-rc.d"
    chmod 755 "$tree.new/usr/sbin/policy-rc.d"
    mv "$tree.new" "$tree"
}

# bind TREE SOURCE TARGET: makes a folder of this machine visible in the tree.
bind() {
    mkdir -p "$1$3"
    mount --bind "$2" "$1$3"
}

# mount_project RELEASE TREE: mounts everything of this machine that a build in the tree needs. Build products go to
# .build-debianRELEASE/.
mount_project() {
    local tree="$2" products="$root/.build-debian$1" toolchain folder
    # `ip netns exec` needs its root to be a mount point.
    mount --bind "$tree" "$tree"
    mount -t proc proc "$tree/proc"
    mount --rbind /sys "$tree/sys"
    mount --rbind /dev "$tree/dev"
    mount -t tmpfs tmpfs "$tree/run"
    mount -t tmpfs tmpfs "$tree/tmp"
    toolchain="$(swift -print-target-info | sed -n 's|.*"runtimeResourcePath": "\(.*\)/lib/swift".*|\1|p')"
    [ -n "$toolchain" ] || die "swift does not say where it is installed"
    bind "$tree" "$toolchain" /opt/swift/usr
    # Folders from which git takes packages instead of the network.
    while read -r folder; do
        bind "$tree" "$folder" "$folder"
    done < <(git config --get-regexp '^url\..*\.insteadof$' | sed -n 's/^url\.\(\/.*\)\.insteadof .*/\1/p' | sort -u)
    # Hides what was built for this machine.
    mkdir -p "$root/.build" "$root/.build-venv" "$products"/{build,venv}
    bind "$tree" "$root" "$root"
    bind "$tree" "$products/build" "$root/.build"
    bind "$tree" "$products/venv" "$root/.build-venv"
}

# inside TREE COMMAND...: runs the command in the tree, in the project's folder.
inside() {
    local tree="$1"
    shift
    # shellcheck disable=SC2016 # the shell inside the tree expands the variables
    env -u TMPDIR HOME=/root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/opt/swift/usr/bin \
        chroot "$tree" sh -c 'cd "$0" && exec "$@"' "$root" "$@"
}

# prepare_build_tree RELEASE TREE OPTION...: makes the tree if it is not there, and runs scripts/bootstrap in it with these
# options. The lock is needed because another checkout may use the same tree. A tree with half-installed packages is made
# again.
prepare_build_tree() {
    local release="$1" tree="$2" ready="$2/.ready"
    shift 2
    mkdir -p "$(dirname "$tree")"
    exec 9>"$tree.lock"
    flock 9
    [ -e "$ready" ] || make_tree "$release" "$tree" ca-certificates
    copy_configuration "$tree"
    mount_project "$release" "$tree"
    inside "$tree" update-ca-certificates >/dev/null 2>&1
    rm -f "$ready"
    inside "$tree" scripts/bootstrap --with-swift-packages "$@"
    touch "$ready"
    exec 9>&-
}
