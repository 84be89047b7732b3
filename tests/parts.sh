# shellcheck shell=sh disable=SC2086,SC2154 # $run is a list of words, and is set by who reads this
# For the scripts that run the tests of another platform, which read it. $run is what runs a program of that platform, $out
# where things are built, and $wat2wasm makes headers of modules that are written as text.

failed=""

# Runs one thing with its name: if it fails, the end of what it printed is shown, and the numbers of the suite always.
check() {
  what=$1
  shift
  if "$@" >"$out/log" 2>&1 </dev/null; then
    sed -n 's/^spec \(.*\)/    \1/p' "$out/log"
    echo "  passed  $what"
  else
    status=$?
    tail -n "${INLAY_LINES:-40}" "$out/log" | sed 's/^/    /'
    echo "  FAILED  $what (status $status)"
    failed="$failed$triple: $what
"
  fi
}

# Runs each test of tests/spec in a process of its own.
suite() {
  $run "$1" --list --format terse 2>/dev/null | tr -d '\r' | sed -n 's/: test$//p' >"$out/tests"
  [ -s "$out/tests" ] || check "spec: its list of tests" false
  while read -r test; do
    check "spec $test" $run "$1" --exact "$test" --nocapture
  done <"$out/tests"
}

# The header of each module that is written as text in a directory.
wasm_headers() {
  for wat in "$1"/*.wat; do
    name=$(basename "$wat" .wat)
    header=$2/$name.wasm.h
    "$wat2wasm" "$wat" "$header"
    printf '#include <stddef.h>\nstatic const size_t %s_wasm_len = sizeof %s_wasm;\n' "$name" "$name" >>"$header"
  done
}

# The program `inlay` of this machine, which compiles for all targets: its path is in $inlay. INLAY_PROGRAM says where there is one
# of these sources already.
build_inlay() {
  inlay=${INLAY_PROGRAM:-$dir/tool/inlay}
  [ -z "${INLAY_PROGRAM:-}" ] || return 0
  (unset RUSTFLAGS CARGOFLAGS && CARGO_TARGET_DIR="$dir" make --silent tool BUILD="$dir/tool" CARGO="$cargo" RUSTC="$RUSTC" CARGOFLAGS=--quiet)
}

# A C++ exception through code that is linked with its unwind information. $1 compiles, $2 is what is linked with, $3 what programs
# end with.
unwinds_linked() {
  "$wat2wasm" tests/linked/unwinds.wat "$out/unwinds.wasm" &&
    "$inlay" compile "$out/unwinds.wasm" -o "$out/unwinds.o" --header "$out/unwinds.h" --unwind-info --target "$triple" &&
    $1 -std=c++17 -O1 -Iinclude -I"$out" tests/linked/unwinds.cpp "$out/unwinds.o" -o "$out/unwinds$3" $2 && $run "$out/unwinds$3"
}

# Runs the examples with these names, whose programs end as $2 says, and libraries as $3; those with arguments are run always.
run_examples() {
  for name in $1; do
    check "examples-c/$name" $run "$out/examples/$name$2"
  done
  check "examples-c/image save" $run "$out/examples/image$2" save "$out/examples/math.image"
  check "examples-c/image load" $run "$out/examples/image$2" load "$out/examples/math.image"
  rm -rf "$out/examples/cache.d"
  mkdir "$out/examples/cache.d"
  check "examples-c/cache, empty" $run "$out/examples/cache$2" "$out/examples/cache.d"
  check "examples-c/cache, filled" $run "$out/examples/cache$2" "$out/examples/cache.d"
  check "examples-c/linked" $run "$out/examples/linked$2"
  check "examples-c/plugin_so" $run "$out/examples/plugin_so$2" "$out/examples/filters$3" "Some text." shout mirror
  check "examples-c/xip" $run "$out/examples/xip$2" "$out/examples/math.xip"
  check "examples-c/run gcd" $run "$out/examples/run$2" "$out/examples/math.wasm" gcd 1071 462
}

# Says what failed, if anything did.
finish() {
  if [ -n "$failed" ]; then
    printf 'Failed:\n%s' "$failed"
    exit 1
  fi
  echo "Everything passed."
}
