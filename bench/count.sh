#!/usr/bin/env bash
# Counts the instructions that members of the suite execute for one work, which repeats exactly for the same binary: how an
# optimization changes a loop shows here when the times of a busy machine do not. Each member runs once and twice under
# valgrind; the difference is one work without what comes before it.
#
#   bench/count.sh ENGINE NAME...     as `inlay-bench list` names them; run bench/suite.sh before
#
# It installs valgrind on Debian or Ubuntu.
set -euo pipefail
cd "$(dirname "$0")/.."
. tests/need.sh
command -v valgrind >/dev/null || need valgrind
export INLAY_SUITE=${INLAY_SUITE:-$PWD/target/suite}
cargo build --quiet --release --manifest-path bench/Cargo.toml --target-dir target/bench
engine=$1
shift

# The instructions of so many works.
count() {
    valgrind --tool=callgrind --callgrind-out-file=/dev/null target/bench/release/inlay-bench run "$engine" "$1" "$2" 2>&1 |
        sed -n 's/.*Collected : \([0-9]*\).*/\1/p'
}

for name in "$@"; do
    once=$(count "$name" 1)
    twice=$(count "$name" 2)
    printf '%-20s %-20s %s\n' "$engine" "$name" $((twice - once))
done
