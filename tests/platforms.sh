#!/usr/bin/env bash
# Runs everything that is known of other platforms, and of what is installed, and prints one table of it in Markdown, which
# the README carries. It takes some two hours of one core; the scripts that it runs install what they need.
#
#   tests/platforms.sh                  all of it
#   tests/platforms.sh musl windows     only these; there are: gnu, musl, aarch64, s390x, windows, check
#
# What each script printed is in target/platforms, or where INLAY_PLATFORMS_DIR says.
set -uo pipefail
cd "$(dirname "$0")/.."
logs=${INLAY_PLATFORMS_DIR:-$PWD/target/platforms}
mkdir -p "$logs"
failed=0

run() {
    log=$logs/$1.log
    shift
    printf '%s\n' "-- $*" >&2
    "$@" >"$log" 2>&1 || { failed=1; tail -n 20 "$log" >&2; }
}

# How many things of a kind passed, and of how many.
of() {
    pattern=$1
    passed=$(grep -c "^  passed  $pattern" "$log")
    wrong=$(grep -c "^  FAILED  $pattern" "$log")
    if [ $((passed + wrong)) = 0 ]; then printf -- '—'; else printf '%s of %s' "$passed" $((passed + wrong)); fi
}

row() { printf '| %s | %s | %s | %s | %s | %s |\n' "$1" "$2" "$(of 'spec ')" "$(of 'tests/c')" "$(of 'examples-c/')" "$(of "$3")" >>"$logs/table"; }

check_row() { printf '| %s | compiled, not run | — | — | — | — |\n' "$1" >>"$logs/table"; }

{
    echo "| Platform | How | Suite | C and C++ tests | Examples | Installed |"
    echo "| --- | --- | --- | --- | --- | --- |"
} >"$logs/table"

for platform in ${*:-gnu musl aarch64 s390x windows check}; do
    case $platform in
    gnu)
        run gnu sh -c 'tests/install.sh && cargo test --test spec -- --test-threads 1 && cargo test --test c_programs --test cpp &&
            make -C examples-c run'
        # These say in other words what passed.
        sed -i -e '/^test wasm3\|^test .*::/s/^test \(.*\) \.\.\. ok$/  passed  spec \1/' -e 's/^test \(.*\) \.\.\. ok$/  passed  tests\/c \1/' \
            -e 's/^==== \([a-z_]*\.[cp]*\):.*/  passed  examples-c\/\1/' -e 's/^  passed  \([A-Z]\|dlopen\|two\|the \|nothing\|--\)/  passed  installed \1/' "$log"
        row x86_64-unknown-linux-gnu "natively" 'installed'
        ;;
    musl) run musl tests/cross.sh musl && row x86_64-unknown-linux-musl natively '\(shared\|static\) inlay' ;;
    aarch64 | s390x)
        run "$platform" tests/cross.sh "$platform"
        row "$platform-unknown-linux-gnu" "emulated by qemu" '\(shared\|static\) inlay'
        ;;
    windows) run windows tests/windows.sh && row x86_64-pc-windows-gnu "under Wine" 'install' ;;
    check)
        run check tests/check.sh
        sed -n 's/^  passed  \([^ ]*\).*/\1/p' "$log" | sort -u | while read -r triple; do check_row "$triple"; done
        ;;
    *) echo "no platform has the name '$platform'" >&2; exit 2 ;;
    esac
done
cat "$logs/table"
exit $failed
