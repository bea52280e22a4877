# shellcheck shell=bash
# What all scripts share: where the project, Swift and the Python environment are, and how messages are printed.
# Other scripts source this file; it is never run by itself.

set -euo pipefail

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)"
# shellcheck disable=SC2034 # used by the scripts that source this file
venv="$root/.build-venv"
# The oldest Swift that can build the package; see swift-tools-version in Package.swift.
swift_minimum="6.2"

say() { printf '\033[1m==>\033[0m %s\n' "$*"; }

die() {
    printf 'error: %s\n' "$*" >&2
    exit 1
}

# version_at_least HAVE WANT: succeeds if the dotted version HAVE is WANT or newer.
version_at_least() {
    [ "$(printf '%s\n%s\n' "$2" "$1" | sort -V | head -n 1)" = "$2" ]
}

# swift_is_usable SWIFT: succeeds if this swift is new enough.
swift_is_usable() {
    local version
    version="$("$1" --version 2>/dev/null | sed -n 's/.*Swift version \([0-9][0-9.]*\).*/\1/p' | head -n 1)" || return 1
    [ -n "$version" ] && version_at_least "$version" "$swift_minimum"
}

# find_swift: puts a usable swift first in PATH; fails if there is none.
find_swift() {
    local folder found
    found="$(command -v swift || true)"
    if [ -n "$found" ] && swift_is_usable "$found"; then
        # A proxy in front of the toolchain, as swiftly has it, passes no signal on.
        folder="$(swift -print-target-info | sed -n 's|.*"runtimeResourcePath": "\(.*\)/lib/swift".*|\1/bin|p')"
        [ ! -x "$folder/swift" ] || export PATH="$folder:$PATH"
        return 0
    fi
    for folder in "${SWIFTLY_BIN_DIR:-$HOME/.local/share/swiftly/bin}" /opt/swift/usr/bin; do
        if [ -x "$folder/swift" ] && swift_is_usable "$folder/swift"; then
            export PATH="$folder:$PATH"
            find_swift
            return 0
        fi
    done
    return 1
}
