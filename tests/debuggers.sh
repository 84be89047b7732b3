#!/bin/sh
# Whether gdb and perf see WebAssembly as examples-c/debuggers.c has them see it, and gdb that which is linked into a program, with
# no help. They are installed if they are not there.
#
#   tests/debuggers.sh
#
# perf needs a kernel that lets it sample; where it does not, the script says so and that part is not run.
set -eu
cd "$(dirname "$0")/.."
. tests/need.sh
command -v gdb >/dev/null || need gdb
command -v perf >/dev/null || need linux-perf

make --quiet -C examples-c all
program=${CARGO_TARGET_DIR:-target}/examples-c/debuggers
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT

# The stack from a host function that wasm called, down to main.
gdb -q -batch -ex 'set debuginfod enabled off' -ex 'break at_rest' -ex run -ex backtrace "$program" >"$directory/gdb" 2>&1
for frame in 'at_rest ()' 'rest (' 'in typed host function of type' 'in primes ()' 'in entry of type' 'in inlay_func_call' 'main ('; do
  if ! grep -F -q "$frame" "$directory/gdb"; then
    cat "$directory/gdb"
    echo "gdb shows no frame of: $frame" >&2
    exit 1
  fi
done
echo "gdb shows the stack from a host function through wasm to main"

# The same of examples-c/linked.c, whose module was compiled before: no host tells gdb anything there.
linked=${CARGO_TARGET_DIR:-target}/examples-c/linked
gdb -q -batch -ex 'set debuginfod enabled off' -ex 'break greeting_import_host_print' -ex run -ex backtrace "$linked" >"$directory/gdb" 2>&1
for frame in 'greeting_import_host_print (' 'in greeting.typed host function of type' "in greeting.wasm[1] ()" 'in greeting.typed entry of type' 'main ('; do
  if ! grep -F -q "$frame" "$directory/gdb"; then
    cat "$directory/gdb"
    echo "gdb shows no frame of: $frame" >&2
    exit 1
  fi
done
echo "gdb shows the stack through a module that is linked into a program"

if ! perf record -q -k mono -e cpu-clock -o "$directory/plain" "$program" "$directory" 2000000 >"$directory/out" 2>&1; then
  cat "$directory/out"
  echo "perf cannot sample here: NOT run"
  exit 0
fi
perf inject --jit -i "$directory/plain" -o "$directory/jit" >/dev/null 2>&1
perf report -i "$directory/jit" --stdio --sort sym >"$directory/report" 2>/dev/null
grep -E -q '^ +[0-9]+\.[0-9]+% +\[\.\] primes' "$directory/report" || {
  cat "$directory/report"
  echo "perf does not name the function" >&2
  exit 1
}
grep -E -m 1 '\[\.\] primes' "$directory/report" | sed 's/^ */perf finds /'
