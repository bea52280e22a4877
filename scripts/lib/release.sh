# shellcheck shell=bash
# How the program of a release is built, for the Debian package and the image alike. Sourced after common.sh.

# shellcheck disable=SC2154 # common.sh sets `root`

# release_build FOLDER: sets `build`, the words of the command that builds the program; its products come into the folder.
release_build() {
    local products="$1" place=/usr/src/mqtt-quic-bridge
    # Debuggers find the debug information by an id, and nobody can write to the program's tables after the start. The name
    # of the folder is not in the program: where it was built makes no difference.
    #
    # What keeps it small, with the MB that each takes away: Swift would have a table of all symbols kept for code that is
    # loaded later, of which there is none (--no-export-dynamic: 4). Each function has a section of its own, so that lld can
    # leave it out if nothing uses it (2), and make one of those that are equal (--icf=all: 2.5). The places that have to be
    # relocated are a bit map (2), which glibc can read since 2.36, the one of Debian 12. release.ld leaves out tables that
    # only exceptions of C++ and debuggers need (3.9). The C is compiled for size (0.2), as are the modules that no message
    # passes through (0.3, Package.swift).
    # shellcheck disable=SC2034 # used by the scripts that source this file
    build=(
        swift build --scratch-path "$products" --configuration release --static-swift-stdlib --product mqtt-quic-bridge
        -Xlinker --build-id=sha1 -Xlinker -z -Xlinker relro -Xlinker -z -Xlinker now
        -Xswiftc -use-ld=lld -Xlinker --no-export-dynamic -Xlinker --icf=all -Xlinker -z -Xlinker pack-relative-relocs
        -Xlinker -T -Xlinker "$root/scripts/lib/release.ld" -Xcc -Os
        -Xswiftc -Xfrontend -Xswiftc -function-sections -Xcc -ffunction-sections -Xcc -fdata-sections
        -Xswiftc -file-prefix-map -Xswiftc "$products=$place" -Xswiftc -file-prefix-map -Xswiftc "$root=$place"
        -Xcc "-ffile-prefix-map=$root=$place" -Xcc "-ffile-prefix-map=$products=$place"
    )
}
