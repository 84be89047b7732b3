#!/bin/bash
# Compiles the kernels of this directory to WebAssembly, each with the flags that the table below says.
#
#   bench/kernels/build.sh [DIRECTORY]
#
# The modules go to DIRECTORY, or to target/bench/kernels below the root of the repository. Each exports its memory and one
# function, `run`, which kernel.h describes, and imports nothing. turns.txt says with how many turns each takes about as long as
# the others.
#
# It takes clang 14 and lld 14, and no others, so that the modules are the same everywhere; on Debian or Ubuntu, as root or with
# sudo, it installs them. Without -msimd128 clang 14 uses nothing but the first version of WebAssembly.
set -euo pipefail
out=${1:-}
case $out in
'' | /*) ;;
*) out=$PWD/$out ;;
esac
cd "$(dirname "$0")/../.."
out=${out:-$PWD/target/bench/kernels}

if ! command -v clang-14 >/dev/null || ! command -v wasm-ld-14 >/dev/null; then
  . tests/need.sh
  need clang-14 lld-14
fi

# The name of the module, the source, and the flags.
table='
coremark-O2       coremark    -O2
coremark-O3       coremark    -O3
interp-O2         interp      -O2
matrix16-O2       matrix16    -O2
matrix16-O3-simd  matrix16    -O3 -msimd128
list-O2           list        -O2
quicksort-O2      quicksort   -O2
search-O2         search      -O2
search-O3-simd    search      -O3 -msimd128
sha256-O2         sha256      -O2
crc32-O2          crc32       -O2
recursion-O2      recursion   -O2
indirect-O2       indirect    -O2
nbody-O2          nbody       -O2
floats-O3-simd    floats      -O3 -msimd128 -ffast-math
hash-O2           hash        -O2
lexer-O2          lexer       -O2
lz-O2             lz          -O2
blur-O3           blur        -O3
sieve-O2          sieve       -O2
strings-O2        strings     -O2
virtual-O2        virtual     -O2
'

# A square root that never sets errno is one instruction. With the stack first, one that overflows traps instead of writing
# over data.
flags="--target=wasm32 -std=c99 -nostdlib -ffreestanding -fno-math-errno -Wall -Wextra -Werror
  -fuse-ld=$(command -v wasm-ld-14) -Wl,--no-entry -Wl,--export=run -Wl,--stack-first"

mkdir -p "$out"
while read -r name source options; do
  [ -n "$name" ] || continue
  # shellcheck disable=SC2086 # lists of flags
  clang-14 $flags $options "bench/kernels/$source.c" -o "$out/$name.wasm"
done <<<"$table"
