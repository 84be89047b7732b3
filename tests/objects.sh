#!/bin/sh
# Compiles every module of WebAssembly's test suite to an object file, links all of them into one program, with the library that has
# no compiler, and runs all assertions there, but for those which say that a module is wrong: no code is placed while it runs.
#
#   tests/objects.sh
#
# It takes some ten minutes, and is no part of CI for that. What it makes is in `objects` of cargo's target directory.
set -eu
cd "$(dirname "$0")/.."
target=${CARGO_TARGET_DIR:-target}
mkdir -p "$target"
target=$(cd "$target" && pwd)
dir=$target/objects
rm -rf "$dir"
mkdir -p "$dir/files"

program() { sed -n 's/.*"executable":"\([^"]*spec-[^"]*\)".*/\1/p' "$1" | tail -n 1; }
# What has one engine that compiles and runs: not what loads, or what compares settings.
tests="host_auto host_builtin as_if_large interruptible fuelled wasm3"

cargo test --no-run --quiet --locked --test spec --message-format=json-render-diagnostics >"$dir/messages"
# shellcheck disable=SC2086 # a list of tests
INLAY_SPEC_OBJECTS=$dir/files "$(program "$dir/messages")" $tests >"$dir/written" 2>&1 || { cat "$dir/written"; exit 1; }
count=$(find "$dir/files" -name '*.o' | wc -l)
# They are too many for a command line.
find "$dir/files" -name '*.o' | sort >"$dir/list"

# The same program again, with these in it and without a compiler. They are exported, so that it finds them by their names.
RUSTFLAGS="" cargo rustc --quiet --locked --no-default-features --test spec --message-format=json-render-diagnostics -- \
  -C link-arg="@$dir/list" -C link-arg=-rdynamic >"$dir/messages"
linked=$(program "$dir/messages")
# shellcheck disable=SC2086 # a list of tests
INLAY_SPEC_OBJECTS=linked "$linked" --nocapture $tests >"$dir/run" 2>&1 || { tail -n 50 "$dir/run"; exit 1; }
passed=$(sed -n 's/^spec .* files, \([0-9,]*\) assertions passed, 0 failed.*/\1/p' "$dir/run" | tr -d , | awk '{ sum += $1 } END { print sum }')
echo "$count modules are linked into one program of $(stat -c %s "$linked") bytes; all of $passed assertions pass in it."
