#!/bin/sh
# Runs every C test program under valgrind: an error or a leak in any of them fails.
#
#   tests/valgrind.sh            all programs
#   tests/valgrind.sh traps      only these
#
# Valgrind translates machine code once and keeps the translation. Code that Inlay publishes can come to lie where other
# code was before, so valgrind must notice that the bytes changed:
#   - anonymous memory (the default provider, mprotect arenas): --smc-check=all-non-file compares the bytes each time;
#   - mapped files (the memfd views): not compared, but what is unmapped is forgotten, and the tests here never write
#     over code in a view that stays mapped.
# A host that reuses places in a memfd arena needs --smc-check=all, which is slower.
#
# Left out: faults and fault_handlers. To valgrind each access beyond a memory is an error, though the program's handler makes a
# trap of it; and what it tells a handler of the instruction is exact for accesses only, not for divisions.
#
# Programs that run themselves again (images) are followed into the second process: there too valgrind's CPU, which has
# fewer features than this one may have, is what code is compiled for.
#
# One thread runs at a time here, and by default one that loops may keep the others waiting for ever, also the one that would
# interrupt it: --fair-sched=yes lets each have its turn.
#
# INLAY_TEST_WITHOUT_FAULTS=1 leaves out what faults in other programs, too.
#
# INLAY_TEST_QUICK=1 makes the programs do fewer rounds of the same: here each instruction costs about fifty.
set -eu
cd "$(dirname "$0")/.."

if ! command -v valgrind >/dev/null 2>&1; then
  echo "valgrind is not here; trying to install it"
  if command -v apt-get >/dev/null 2>&1; then
    if [ "$(id -u)" = 0 ]; then as_root=""; else as_root="sudo"; fi
    $as_root apt-get install -y valgrind || { $as_root apt-get update && $as_root apt-get install -y valgrind; }
  else
    echo "there is no apt-get here: install valgrind and run this again" >&2
    exit 1
  fi
fi

# The Rust test builds the programs (and runs them once, without valgrind).
cargo test --quiet --test c_programs

bin="${CARGO_TARGET_DIR:-target}/tmp/c_programs/bin"
if [ $# -eq 0 ]; then
  for file in tests/c/*.c tests/c/*.cpp; do
    name=$(basename "$file")
    case $name in faults.c | fault_handlers.c) continue ;; esac
    set -- "$@" "${name%.*}"
  done
fi

failed=""
for name in "$@"; do
  echo "== $name"
  INLAY_TEST_QUICK=1 INLAY_TEST_WITHOUT_FAULTS=1 valgrind --quiet --error-exitcode=9 --leak-check=full --errors-for-leak-kinds=definite,indirect,possible \
    --suppressions=tests/valgrind.supp --show-leak-kinds=definite,indirect,possible --smc-check=all-non-file --fair-sched=yes --trace-children=yes --trace-children-skip='*/sh,*/dash,*/bash,*objdump' --num-callers=20 \
    "$bin/$name" || failed="$failed $name"
done
if [ -n "$failed" ]; then
  echo "failed under valgrind:$failed"
  exit 1
fi
echo "all clean under valgrind"
