#!/usr/bin/env bash
# Runs what is known of each platform, and prints it as one table in Markdown, which the README carries. It takes some two
# hours of one core; the scripts that it runs install what they need.
#
#   tests/platforms.sh                  all of it
#   tests/platforms.sh musl windows     only these; there are: gnu, musl, aarch64, s390x, riscv64, windows, check
#
# What each script printed is in target/platforms, or where INLAY_PLATFORMS_DIR says. A number is how many of the things
# passed that docs/platforms.md says, and of how many, if not all did.
set -uo pipefail
cd "$(dirname "$0")/.."
logs=${INLAY_PLATFORMS_DIR:-$PWD/target/platforms}
mkdir -p "$logs"
failed=0

# Runs a script; its log is $logs/NAME.
run() {
    log=$logs/$1
    shift
    printf -- '-- %s\n' "$*" >&2
    "$@" >"$log" 2>&1 </dev/null || { failed=1; tail -n 20 "$log" >&2; }
}

# How many things passed whose names begin so, in the last log; cargo has other words for it than these scripts.
count() {
    passed=$(grep -cE "^  passed  ($1)|^test ($1).* \.\.\. ok$" "$log")
    wrong=$(grep -cE "^  FAILED  ($1)|^test ($1).* \.\.\. FAILED$" "$log")
    case $passed/$wrong in 0/0) printf -- '—' ;; */0) printf '%s' "$passed" ;; *) printf '%s of %s' "$passed" $((passed + wrong)) ;; esac
}

table="| Platform | How | Suite | C and C++ tests | Examples | Installed |
| --- | --- | --- | --- | --- | --- |"
row() { table="$table
| $1 | $2 | $3 | $4 | $5 | $6 |"; }

# The scripts for other platforms print all of their parts into one log.
row_of_script() { row "$1" "$2" "$(count 'spec ')" "$(count 'tests/')" "$(count 'examples-c/')" "$(count 'installed')"; }

# shellcheck disable=SC2086 # a list of names
for platform in ${*:-gnu musl aarch64 s390x riscv64 windows check}; do
    case $platform in
    gnu)
        run gnu-suite cargo test --test spec
        suite=$(count '')
        run gnu-c cargo test --test c_programs --test cpp
        c=$(count '')
        run gnu-examples sh -c 'make -C examples-c run && sed -n "s/^C_EXAMPLES\|^CXX_EXAMPLES/  /; s/^    *:= //p" examples-c/Makefile |
            tr " " "\n" | sed "s/^/  passed  /"'
        examples=$(count '')
        run gnu-install tests/install.sh
        row "Linux, glibc, x86-64" natively "$suite" "$c" "$examples" "$(count installed)"
        ;;
    musl) run musl tests/cross.sh musl && row_of_script "Linux, musl, x86-64" natively ;;
    aarch64 | s390x | riscv64) run "$platform" tests/cross.sh "$platform" && row_of_script "Linux, glibc, $platform" "emulated by qemu" ;;
    windows) run windows tests/windows.sh && row_of_script "Windows, mingw, x86-64" "under Wine" ;;
    check)
        run check tests/check.sh
        for triple in $(sed -n 's/^  \(passed\|FAILED\)  \([^ ]*\).*/\2/p' "$log" | sort -u); do
            how="its types checked, not run"
            grep -q "^  passed  $triple $" "$log" || how="$how; without the compiler"
            ! grep -q "^  FAILED  $triple" "$log" || how="does not compile"
            row "$triple" "$how" — — — —
        done
        ;;
    *) echo "no platform has the name '$platform'" >&2; exit 2 ;;
    esac
done
echo "$table"
exit $failed
