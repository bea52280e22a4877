# shellcheck shell=bash
# How the program of a release is built, for the Debian package and the image alike. Sourced after common.sh.

# shellcheck disable=SC2154 # common.sh sets `root`

# release_build FOLDER: sets `build`, the words of the command that builds the program; its products come into the folder.
release_build() {
    local products="$1" place=/usr/src/mqtt-quic-bridge
    # The linker adds an id by which debuggers find the debug information, and nobody can write to its tables after the
    # start. Swift would have it keep a table of all symbols, 4 MB, for code that is loaded later; there is none. The name of
    # the folder is not in the program: where it was built makes no difference.
    # shellcheck disable=SC2034 # used by the scripts that source this file
    build=(
        swift build --scratch-path "$products" --configuration release --static-swift-stdlib --product mqtt-quic-bridge
        -Xlinker --build-id=sha1 -Xlinker -z -Xlinker relro -Xlinker -z -Xlinker now -Xlinker --no-export-dynamic
        -Xswiftc -file-prefix-map -Xswiftc "$products=$place" -Xswiftc -file-prefix-map -Xswiftc "$root=$place"
        -Xcc "-ffile-prefix-map=$root=$place" -Xcc "-ffile-prefix-map=$products=$place"
    )
}
