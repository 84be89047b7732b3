#!/bin/sh
# Builds Inlay for other platforms of Linux, installs it, and runs its tests there: aarch64, s390x, which is big-endian, and
# riscv64, all emulated by qemu-user; and musl, the C library of Alpine and of static programs, on this CPU.
#
#   tests/cross.sh                 all of them
#   tests/cross.sh aarch64         only this one
#   tests/cross.sh s390x spec c    only these parts; there are: spec, c, examples, install
#
# On Debian or Ubuntu, as root or with sudo, it installs what it needs: qemu-user, the cross compilers of gcc or musl-gcc, and
# Debian's rustc, cargo and standard library, which are there for arm64 too. (In Debian 12 their packages are rustc-web,
# cargo-web and rust-web-src.) For the others the standard library is built from its source. Everything that is built goes
# to target/cross, or where INLAY_CROSS_DIR says; it takes about 6 GB, and for all of them about two hours of one core,
# tests included.
#
# The parts:
#   spec      tests/spec, all of its configurations that are for any CPU, each in a process of its own; the debug profile
#   c         the programs in tests/c, against what `make install` has put into an empty prefix
#   examples  the programs in examples-c, likewise
#   install   tests/install.sh, with programs for the platform
# Each prints what passes and what does not, and the script fails if anything does not.
#
# Nothing is left out on any CPU: Cranelift has all that WebAssembly 3.0 without garbage collection needs there; on riscv64
# vectors are the V extension's, which the emulated CPU has. Only the programs in tests/c ask for fewer rounds, as under
# valgrind. The qemu of Debian 12 takes the first operand of
# s390x's MDEBR (floats multiplied to a double) for a double, so gcc's code for such a product is wrong in it; nothing
# that runs here has one. With musl, what is C++ is left out, because Debian has no C++ library for it, and
# tests/c/stacks and the coroutines of tests/c/fault_handlers, because musl has none; its dlclose unloads nothing. The
# unwinder is LLVM's there, as in Rust's own builds for musl, because gcc's in Debian wants a new glibc.
set -eu
cd "$(dirname "$0")/.."
root=$(pwd)
dir=${INLAY_CROSS_DIR:-$root/target/cross}
case $dir in /*) ;; *) dir=$root/$dir ;; esac
mkdir -p "$dir"
wat2wasm=$dir/debug/wat2wasm

arches="" parts=""
for word in "$@"; do
  case $word in
  aarch64 | s390x | riscv64 | musl) arches="$arches $word" ;;
  spec | c | examples | install) parts="$parts $word" ;;
  *) echo "no platform and no part has the name '$word'" >&2; exit 2 ;;
  esac
done
arches=${arches:-aarch64 s390x riscv64 musl} parts=${parts:-spec c examples install}

# ---- what is needed --------------------------------------------------------------------------------

. tests/need.sh
need qemu-user pkg-config "rustc$web" "cargo$web" "rust$web-src"
for arch in $arches; do
  case $arch in
  aarch64) need gcc-aarch64-linux-gnu g++-aarch64-linux-gnu libc6-dev-arm64-cross ;;
  s390x) need gcc-s390x-linux-gnu g++-s390x-linux-gnu libc6-dev-s390x-cross ;;
  riscv64) need gcc-riscv64-linux-gnu g++-riscv64-linux-gnu libc6-dev-riscv64-cross ;;
  musl) need musl-tools musl-dev libunwind-14-dev ;;
  esac
done

# The standard library must be of the compiler that uses it, so rustup's are not asked.
RUSTC=/usr/bin/rustc
export RUSTC
cargo=/usr/bin/cargo

# The package for arm64 is only unpacked: to install it would want arm64's libraries, too.
arm64_std() {
  package=libstd-rust$web-dev
  version=$(dpkg-query -W -f '${Version}' "$package")
  [ "$(cat "$dir/std-arm64/version" 2>/dev/null)" != "$version" ] || return 0
  dpkg --print-foreign-architectures | grep -qx arm64 || { as_root dpkg --add-architecture arm64; as_root apt-get update -qq; }
  rm -rf "$dir/std-arm64"
  mkdir -p "$dir/std-arm64"
  (cd "$dir/std-arm64" && apt-get download -qq -o APT::Sandbox::User=root "$package:arm64=$version" && dpkg -x ./*.deb . && rm ./*.deb)
  # Macros of the build run here.
  host=$($RUSTC --version --verbose | sed -n 's/^host: //p')
  ln -s "/usr/lib/rustlib/$host" "$dir/std-arm64/usr/lib/rustlib/"
  echo "$version" >"$dir/std-arm64/version"
}

# A compiler for musl whose programs and libraries have an unwinder: LLVM's, with the one function of glibc's that it was
# compiled to call.
musl_tools() {
  mkdir -p "$tools"
  cp "$(dpkg -L libunwind-14-dev | grep '/llvm-14/lib/libunwind.a$')" "$tools/libunwind.a"
  cat >"$tools/fortify.c" <<'C'
#include <stdarg.h>
#include <stdio.h>
int __fprintf_chk(FILE *file, int flag, const char *format, ...);
int __fprintf_chk(FILE *file, int flag, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  int written = vfprintf(file, format, arguments);
  va_end(arguments);
  return (void)flag, written;
}
C
  musl-gcc -O1 -fPIC -c "$tools/fortify.c" -o "$tools/fortify.o"
  ar r "$tools/libunwind.a" "$tools/fortify.o" 2>/dev/null
  cat >"$tools/musl-cc" <<'SH'
#!/bin/sh
case " $* " in
*" -c "* | *" -E "* | *" -r "* | *" --version "* | *" -v "*) exec musl-gcc "$@" ;;
*) exec musl-gcc "$@" "$(dirname "$0")/libunwind.a" ;;
esac
SH
  chmod +x "$tools/musl-cc"
}

. tests/parts.sh

# ---- one platform ------------------------------------------------------------------------------------

# cargo's own flags for the platform, which cargo and the Makefile are both given.
build() {
  export CARGO_TARGET_DIR="$dir" RUSTFLAGS="$rustflags"
  mkdir -p "$out/c" "$out/wasm"
  # Its programs are needed here.
  RUSTFLAGS="" "$cargo" build --quiet --locked --package wat2wasm
  case " $parts " in
  *" spec "*)
    # shellcheck disable=SC2086 # lists of options
    "$cargo" test --no-run --test spec --quiet --locked $std --target "$triple" --message-format=json-render-diagnostics \
      >"$out/messages"
    ;;
  esac
  case " $parts " in
  *" c "* | *" examples "*)
    rm -rf "$out/prefix"
    # The third library is the first one, with more targets.
    make --silent install KINDS="inlay inlay_runtime inlay_wasi" BUILD="$out/ship" PREFIX="$out/prefix" TRIPLE="$triple" CC="$cc" CROSS="$cross" CARGO="$cargo" \
      RUSTC="$RUSTC" CARGOFLAGS="--quiet $std"
    ;;
  esac
}

spec() {
  suite "$(sed -n 's/.*"executable":"\([^"]*\)".*/\1/p' "$out/messages" | tail -n 1)"
}

c_program() {
  case $1 in
  *.cpp) compile="$cxx -std=c++17" ;;
  *) compile="$cc -std=c11" ;;
  esac
  # As needed: the program that opens the library by itself must not be linked with it.
  $compile -Wall -Wextra -Wpedantic -Werror -O1 -g -I"$out/prefix/include" -I"$out/wasm" -Itests/c "-DBASELINE=\"$triple\"" "$1" -o "$2" -Wl,--as-needed \
    "$out/prefix/lib/libinlay_wasi.so" "$out/prefix/lib/libinlay.so" -Wl,-rpath,"$out/prefix/lib" -Wl,--disable-new-dtags -pthread -ldl -lm &&
    INLAY_TEST_QUICK=1 "$2.sh"
}

c() {
  wasm_headers tests/c/wat "$out/wasm"
  for file in tests/c/*.c tests/c/*.cpp; do
    case $arch:$file in
    musl:*.cpp) continue ;;      # no C++ library
    musl:*/stacks.c) continue ;; # no coroutines: musl has no makecontext
    esac
    name=$(basename "$file")
    name=${name%.*}
    # What the program is called as is what it runs again, if it does: then, too, through qemu.
    printf '#!/bin/sh\nexec %s %s "$@"\n' "${run:+$run -0 $out/c/$name.sh}" "$out/c/$name" >"$out/c/$name.sh"
    chmod +x "$out/c/$name.sh"
    check "tests/c/$name" c_program "$file" "$out/c/$name"
  done
}

examples() {
  # Their own Makefile builds them; it is told where the library is, and that there is nothing to do for it.
  names="hello own_memory host_functions traps builtins wasi"
  [ -z "$cxx" ] || names="$names typed exceptions results"
  programs=""
  for name in $names image run cache linked plugin_so xip filters.so math.xip math.wasm; do programs="$programs $out/examples/$name"; done
  build_inlay
  # shellcheck disable=SC2086 # a list of programs
  make --quiet -C examples-c $programs LIB="$out/prefix/lib" OUT="$out/examples" WAT2WASM="$wat2wasm" -o library CC="$cc" CXX="$cxx" \
    INLAY="$inlay" INLAY_FLAGS="--target $triple" >/dev/null
  run_examples "$names" "" .so
  check "examples-c/linked, static" linked_static
  [ -z "$cxx" ] || check "tests/linked/unwinds" unwinds_linked "$cxx" "$out/prefix/lib/libinlay_runtime.so -Wl,-rpath,$out/prefix/lib" ""
}

# Runtime, object and host in one static program. Most of one with glibc is glibc.
linked_static() {
  $cc -std=c11 -Os -static -I"$out/prefix/include" -I"$out/examples" -Iexamples-c examples-c/linked.c "$out/examples/greeting.o" \
    "$out/prefix/lib/libinlay_runtime.a" -lpthread -Wl,--gc-sections -s -o "$out/examples/linked_static" && $run "$out/examples/linked_static" &&
    size=$(stat -c %s "$out/examples/linked_static") && echo "spec $size bytes" && { [ "$arch" != musl ] || [ "$size" -lt 1000000 ]; }
}

install() {
  CC="${tools:+/opt/tools/}${cc##*/}" CXX="$cxx" INLAY_RUN="$run" INLAY_CPU="$arch" INLAY_TOOLS="$tools" INLAY_SHIP="$out/ship" \
    tests/install.sh TRIPLE="$triple" CC="$cc" CROSS="$cross" CARGO="$cargo" RUSTC="$RUSTC" CARGOFLAGS="--quiet $std" ||
    failed="$failed$triple: install
"
}

for arch in $arches; do
  triple=$arch-unknown-linux-gnu
  cross=$arch-linux-gnu- cc=$arch-linux-gnu-gcc cxx=$arch-linux-gnu-g++
  run="qemu-$arch -L /usr/$arch-linux-gnu"
  out=$dir/$arch
  rustflags="" std="" tools=""
  mkdir -p "$out"
  case $arch in
  aarch64)
    arm64_std
    export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=$cc
    rustflags="--sysroot $dir/std-arm64/usr"
    ;;
  s390x | riscv64)
    # Nobody packages a standard library for them that fits, so cargo builds one, which it does for nightly only.
    export RUSTC_BOOTSTRAP=1
    std=-Zbuild-std=std,panic_unwind,test,proc_macro
    # Rust's name for the CPU says its extensions.
    [ "$arch" = s390x ] || { triple=riscv64gc-unknown-linux-gnu run="qemu-riscv64 -cpu rv64,v=true,vext_spec=v1.0 -L /usr/riscv64-linux-gnu"; }
    export CARGO_TARGET_S390X_UNKNOWN_LINUX_GNU_LINKER=s390x-linux-gnu-gcc CARGO_TARGET_RISCV64GC_UNKNOWN_LINUX_GNU_LINKER=riscv64-linux-gnu-gcc
    ;;
  musl)
    export RUSTC_BOOTSTRAP=1
    triple=$(uname -m)-unknown-linux-musl cross="" cxx="" run=""
    std=-Zbuild-std=std,panic_unwind,test,proc_macro
    tools=$out/tools cc=$out/tools/musl-cc
    musl_tools
    rustflags="-L native=$tools -C linker=musl-gcc -C target-feature=+crt-static -C link-self-contained=no"
    ;;
  esac
  echo "==== $triple"
  build
  for part in $parts; do $part; done
  unset RUSTC_BOOTSTRAP
done

finish
