#!/bin/sh
# Runs C test programs in which several threads meet, under ThreadSanitizer: in the programs, in Inlay, and in Rust's standard library,
# which is built anew for that.
#
#   tests/tsan.sh              threads, interrupts, limiter, shared, linear_memory, contents, compile, adopt
#   tests/tsan.sh interrupts   only these
#
# Code that Inlay compiles is not instrumented: what wasm's own threads do to a shared memory is not seen. INLAY_TEST_WITHOUT_SIGNALS=1 leaves out
# a signal that comes while wasm loops, which ThreadSanitizer does not let through.
#
# It takes Debian's Rust of rustc-web and rust-web-src, which it installs, and some fifteen minutes. Everything is in the directory
# `tsan` of cargo's target directory, or in INLAY_TSAN_DIR.
set -eu
cd "$(dirname "$0")/.."
. tests/need.sh
need "rustc$web" "cargo$web" "rust$web-src" gcc g++

dir=${INLAY_TSAN_DIR:-${CARGO_TARGET_DIR:-target}/tsan}
mkdir -p "$dir"
dir=$(cd "$dir" && pwd)
triple=x86_64-unknown-linux-gnu
RUSTC_BOOTSTRAP=1 RUSTC=/usr/bin/rustc CARGO_TARGET_DIR="$dir" RUSTFLAGS="-Zsanitizer=thread -Cunsafe-allow-abi-mismatch=sanitizer" \
  /usr/bin/cargo rustc --quiet --lib --crate-type cdylib --locked -Zbuild-std=std,panic_unwind --target $triple
RUSTC=/usr/bin/rustc CARGO_TARGET_DIR="$dir" /usr/bin/cargo build --quiet --locked --package wat2wasm
mkdir -p "$dir/c"
wat2wasm=$dir/debug/wat2wasm
. tests/parts.sh
wasm_headers tests/c/wat "$dir/c"

# The library has the name that it is asked for, and gcc's runtime lacks three names of LLVM's.
ln -sf libinlay.so "$dir/$triple/debug/libinlay.so.0"
cat >"$dir/c/names.c" <<'C'
#include <string.h>
void *__tsan_memcpy(void *to, const void *from, size_t len);
void *__tsan_memcpy(void *to, const void *from, size_t len) { return memcpy(to, from, len); }
void *__tsan_memmove(void *to, const void *from, size_t len);
void *__tsan_memmove(void *to, const void *from, size_t len) { return memmove(to, from, len); }
void *__tsan_memset(void *to, int byte, size_t len);
void *__tsan_memset(void *to, int byte, size_t len) { return memset(to, byte, len); }
C

status=0
for name in ${*:-threads interrupts limiter shared linear_memory contents compile adopt}; do
  gcc -std=c11 -O1 -g -fsanitize=thread -Iinclude -I"$dir/c" -Itests/c "tests/c/$name.c" "$dir/c/names.c" -o "$dir/c/$name" \
    -L"$dir/$triple/debug" -linlay -Wl,-rpath,"$dir/$triple/debug" -rdynamic -pthread -ldl -lm
  if INLAY_TEST_QUICK=1 INLAY_TEST_WITHOUT_FAULTS=1 INLAY_TEST_WITHOUT_SIGNALS=1 "$dir/c/$name" >"$dir/c/$name.log" 2>&1; then
    echo "  passed  tests/c/$name"
  else
    sed 's/^/    /' "$dir/c/$name.log"
    echo "  FAILED  tests/c/$name"
    status=1
  fi
done
exit $status
