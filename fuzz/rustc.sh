#!/bin/sh
# Stands before rustc when the fuzz targets are built: only Inlay, and wasm-smith, which makes its inputs, are built for
# the fuzzer. Coverage of Cranelift and of the other engine would take longer to compile than everything else, slow
# both down, and draw the fuzzer to what is not ours.
rustc=$1
shift
name="" previous=""
for arg in "$@"; do
  [ "$previous" != --crate-name ] || name=$arg
  previous=$arg
done
case $name in
inlay | inlay_wasi | inlay_fuzz | differential | images | calls | wasi | wasm_smith) exec "$rustc" "$@" ;;
esac
for arg in "$@"; do
  shift
  case $arg in
  -Cpasses=sancov-module | -Cllvm-args=-sanitizer-* | -Cllvm-args=-simplifycfg* | -Zsanitizer=* | -Cdebug-assertions*) ;;
  *) set -- "$@" "$arg" ;;
  esac
done
exec "$rustc" "$@"
