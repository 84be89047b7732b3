#!/bin/sh
# Builds Inlay for other CPUs and runs its tests there, emulated by qemu-user: aarch64, and s390x, which is big-endian.
#
#   tests/cross.sh                 both
#   tests/cross.sh aarch64         only this one
#   tests/cross.sh s390x spec c    only these parts; there are: spec, c, examples
#
# On Debian or Ubuntu, as root or with sudo, it installs what it needs: qemu-user, the cross compilers of gcc, and
# Debian's rustc, cargo and standard library, which are there for arm64 too. (In Debian 12 their packages are rustc-web,
# cargo-web and rust-web-src.) For s390x the standard library is built from its source. Everything that is built goes to
# target/cross, or where INLAY_CROSS_DIR says; it takes about 3 GB, and for both CPUs about an hour of one core, tests
# included.
#
# What is built is the debug profile. The parts:
#   spec      tests/spec, all of its configurations that are for any CPU, each in a process of its own
#   c         the programs in tests/c, against the shared library
#   examples  the programs in examples-c, likewise
# Each prints what passes and what does not, and the script fails if anything does not.
#
# Nothing is left out on either CPU: Cranelift has all that WebAssembly 3.0 without garbage collection needs there. Only
# the programs in tests/c ask for fewer rounds, as under valgrind. The qemu of Debian 12 takes the first operand of
# s390x's MDEBR (floats multiplied to a double) for a double, so gcc's code for such a product is wrong in it; nothing
# that runs here has one.
set -eu
cd "$(dirname "$0")/.."
root=$(pwd)
dir=${INLAY_CROSS_DIR:-$root/target/cross}
case $dir in /*) ;; *) dir=$root/$dir ;; esac
mkdir -p "$dir"

arches="" parts=""
for word in "$@"; do
  case $word in
  aarch64 | s390x) arches="$arches $word" ;;
  spec | c | examples) parts="$parts $word" ;;
  *) echo "no CPU and no part has the name '$word'" >&2; exit 2 ;;
  esac
done
arches=${arches:-aarch64 s390x} parts=${parts:-spec c examples}

# ---- what is needed --------------------------------------------------------------------------------

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

install() {
  missing=""
  for package in "$@"; do
    dpkg -s "$package" >/dev/null 2>&1 || missing="$missing $package"
  done
  [ -n "$missing" ] || return 0
  as_root apt-get update -qq
  # shellcheck disable=SC2086 # a list of names
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends $missing >/dev/null
}

command -v apt-get >/dev/null || { echo "there is no apt-get here; the script's first lines say what it needs" >&2; exit 1; }
# Debian 12 has a new Rust under names of its own, beside the old one that it was released with.
if apt-cache show rustc-web >/dev/null 2>&1; then web=-web; else web=""; fi
install qemu-user "rustc$web" "cargo$web" "rust$web-src"
for arch in $arches; do
  case $arch in
  aarch64) install gcc-aarch64-linux-gnu g++-aarch64-linux-gnu libc6-dev-arm64-cross ;;
  s390x) install gcc-s390x-linux-gnu g++-s390x-linux-gnu libc6-dev-s390x-cross ;;
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

# ---- one CPU ---------------------------------------------------------------------------------------

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
    tail -n "${INLAY_CROSS_LINES:-40}" "$out/log" | sed 's/^/    /'
    echo "  FAILED  $what (status $status)"
    failed="$failed$arch: $what
"
  fi
}

build() {
  export CARGO_TARGET_DIR="$dir"
  # One command for the library and its tests: by itself the library has dependencies with other features, which would
  # all be built once more.
  case $parts in
  *spec*) what="test --no-run --test spec" ;;
  *) what="build --lib" ;;
  esac
  # shellcheck disable=SC2086 # lists of options
  "$cargo" $what --quiet --locked $std --target "$triple" --message-format=json-render-diagnostics >"$out/messages"
  library=$(sed -n 's|.*"\([^"]*/libinlay\.so\)".*|\1|p' "$out/messages" | tail -n 1)
  # Its programs are needed here.
  "$cargo" build --quiet --locked --package wat2wasm
  mkdir -p "$out/lib" "$out/c" "$out/wasm"
  ln -sf "$library" "$out/lib/libinlay.so"
  ln -sf libinlay.so "$out/lib/libinlay.so.0"
}

spec() {
  program=$(sed -n 's/.*"executable":"\([^"]*\)".*/\1/p' "$out/messages" | tail -n 1)
  $qemu "$program" --list --format terse | sed -n 's/: test$//p' >"$out/tests"
  while read -r test; do
    check "spec $test" $qemu "$program" --exact "$test" --nocapture
  done <"$out/tests"
}

c_program() {
  case $1 in
  *.cpp) compile="$gcc-g++ -std=c++17" ;;
  *) compile="$gcc-gcc -std=c11" ;;
  esac
  # As needed: the program that opens the library by itself must not be linked with it.
  $compile -Wall -Wextra -Wpedantic -Werror -O1 -g -Iinclude -I"$out/wasm" -Itests/c "$1" -o "$2" -Wl,--as-needed \
    "$out/lib/libinlay.so.0" -Wl,-rpath,"$out/lib" -Wl,--disable-new-dtags -pthread -ldl -lm &&
    INLAY_TEST_QUICK=1 "$2.sh"
}

c() {
  for wat in tests/c/wat/*.wat; do
    name=$(basename "$wat" .wat)
    header=$out/wasm/$name.wasm.h
    "$dir/debug/wat2wasm" "$wat" "$header"
    printf '#include <stddef.h>\nstatic const size_t %s_wasm_len = sizeof %s_wasm;\n' "$name" "$name" >>"$header"
  done
  for file in tests/c/*.c tests/c/*.cpp; do
    name=$(basename "$file")
    name=${name%.*}
    # What the program is called as is what it runs again, if it does: then, too, through qemu.
    printf '#!/bin/sh\nexec %s %s "$@"\n' "$qemu -0 $out/c/$name.sh" "$out/c/$name" >"$out/c/$name.sh"
    chmod +x "$out/c/$name.sh"
    check "tests/c/$name" c_program "$file" "$out/c/$name"
  done
}

examples() {
  # Their own Makefile builds them; it is told where the library is, and that there is nothing to do for it.
  make --quiet -C examples-c all LIB="$out/lib" OUT="$out/examples" WAT2WASM="$dir/debug/wat2wasm" -o library \
    CC="$gcc-gcc" CXX="$gcc-g++" >/dev/null
  for name in hello own_memory host_functions traps builtins typed exceptions results; do
    check "examples-c/$name" $qemu "$out/examples/$name"
  done
  check "examples-c/image save" $qemu "$out/examples/image" save "$out/examples/math.image"
  check "examples-c/image load" $qemu "$out/examples/image" load "$out/examples/math.image"
  check "examples-c/run gcd" $qemu "$out/examples/run" "$out/examples/math.wasm" gcd 1071 462
}

for arch in $arches; do
  triple=$arch-unknown-linux-gnu
  gcc=$arch-linux-gnu
  out=$dir/$arch
  qemu="qemu-$arch -L /usr/$gcc"
  std=""
  mkdir -p "$out"
  case $arch in
  aarch64)
    arm64_std
    export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=$gcc-gcc
    export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUSTFLAGS="--sysroot $dir/std-arm64/usr"
    ;;
  s390x)
    # Nobody packages a standard library for it that fits, so cargo builds one, which it does for nightly only.
    export RUSTC_BOOTSTRAP=1
    std=-Zbuild-std=std,panic_unwind,test,proc_macro
    export CARGO_TARGET_S390X_UNKNOWN_LINUX_GNU_LINKER=$gcc-gcc
    ;;
  esac
  echo "==== $triple"
  build
  for part in $parts; do $part; done
  unset RUSTC_BOOTSTRAP
done

if [ -n "$failed" ]; then
  printf 'Failed:\n%s' "$failed"
  exit 1
fi
echo "Everything passed."
