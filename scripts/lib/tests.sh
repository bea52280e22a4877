# shellcheck shell=bash
# Runs the parts of a test run, and says at the end what failed. Sourced after common.sh.

# What stands before a command that runs tests, which is ended if it takes several times what a slow machine needs: a test
# that waits for something that never comes waits for ever. The exit code is 124 then, or 137 if it had to be killed. Each
# line of output is written at once, so that it is known which tests were under way.
in_time=(stdbuf --output=L timeout --foreground --signal=INT --kill-after=60)
# shellcheck disable=SC2034 # used by the scripts that source this file
unit_tests=("${in_time[@]}" 12m swift test --skip IntegrationTests)
# shellcheck disable=SC2034
integration_tests=("${in_time[@]}" 25m swift test --filter IntegrationTests)

output="$(mktemp)"
trap 'rm -f "$output"' EXIT
trap 'exit 130' INT
# The lines of the report: each part that failed, followed by what failed in it.
failures=()

# failing EXIT-CODE: prints what failed in a part, by its output: tests of `swift test` with their files, and errors. If
# the part was ended because it took too long, also the tests that were under way.
failing() {
    awk -v status="$1" '
        function report(name, file) {
            if (!(name in reported)) print "    " file name
            reported[name] = 1
        }
        { start = index($0, "Test ") + 5 }
        start > 5 && (end = index($0, " recorded an issue")) {
            file = match($0, /at [[:alnum:]_+]+\.swift:/) ? substr($0, RSTART + 3, RLENGTH - 3) " " : ""
            report(substr($0, start, end - start), file)
        }
        start > 5 && !/Test (run|case) / && match($0, /( with [0-9]+ test cases?)? (passed|failed) after /) {
            name = substr($0, start, RSTART - start)
            under_way[name]--
            if (/ failed after /) report(name, "")
        }
        start > 5 && !/Test (run|case) / && match($0, / started\.$/) {
            under_way[substr($0, start, RSTART - start)]++
        }
        /^error: / { report(substr($0, 8), "") }
        END {
            if (status != 124 && status != 137) exit
            print "    it was not over in time"
            for (name in under_way) if (under_way[name] > 0) report(name, "under way: ")
        }
    ' "$output"
}

# part NAME COMMAND...: runs the command, and remembers what failed. Returns the command's exit code.
part() {
    local name="$1" status=0
    shift
    say "$name"
    # At Ctrl-C, the command's last lines still have a reader.
    "$@" 2>&1 | tee -i "$output" || status=$?
    if [ "$status" -ne 0 ]; then
        failures+=("$name")
        mapfile -t -O "${#failures[@]}" failures < <(failing "$status")
    fi
    return "$status"
}

# finish: reports the failures, and ends with 1 if there are any.
finish() {
    [ "${#failures[@]}" -gt 0 ] || exit 0
    say "Failed:"
    printf '%s\n' "${failures[@]}"
    exit 1
}
