#!/usr/bin/env bash
# Installs Inlay into an empty prefix and uses it from there as programs do: through pkg-config, CMake and Meson, shared,
# static and without a compiler, opened and closed again, and beside another version. Everything but the installation
# happens in a root that has the system in /usr and the prefix, at another place than where it was installed, and nothing of
# these sources.
#
#   tests/install.sh [VARIABLE=VALUE...]    with variables for make, as for another platform
#
# Not a part of CI, which has no such tools; on Debian or Ubuntu it installs what is missing: cmake, meson, ninja,
# pkg-config and bubblewrap. INLAY_SHIP says where the Makefile builds, if not in target/ship. It takes a minute after `make`.
#
# tests/cross.sh runs it for other platforms, and says what compiles there (CC, CXX; no CXX if that is empty), what runs a program
# (INLAY_RUN), for Meson which CPU it is (INLAY_CPU), and a directory that is /opt/tools in the empty root (INLAY_TOOLS).
set -euo pipefail

CC=${CC-cc} CXX=${CXX-c++} INLAY_RUN=${INLAY_RUN-} INLAY_CPU=${INLAY_CPU-}
if [ "${1-}" != inside ]; then
    cd "$(dirname "$0")/.."
    . tests/need.sh
    need cmake meson ninja-build pkg-config bubblewrap

    ship=${INLAY_SHIP:-$PWD/target/ship}
    work=$ship/install-test
    rm -rf "$work"
    mkdir -p "$work/tree" "$work/next"
    make --silent install "$@" BUILD="$ship" PREFIX=/inlay-was-here DESTDIR="$work/tree"

    # Another version, with another number of the ABI, in the same prefix; of the smaller library, which is quickly built.
    git ls-files -z Cargo.toml Cargo.lock Makefile build.rs build src wasi wasm_h include packaging tools tests/header docs README.md \
        CHANGELOG.md SECURITY.md LICENSE THIRD-PARTY-LICENSES.txt | xargs -0 cp --parents -t "$work/next"
    version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
    sed -i "s/$version/1.3.0/; s/^abi = .*/abi = 1/" "$work/next/Cargo.toml" "$work/next/include/inlay.h"
    sed -i "/^name = \"inlay\"/{n;s/$version/1.3.0/}" "$work/next/Cargo.lock"
    make --silent -C "$work/next" install "$@" KINDS=inlay_runtime BUILD="$ship/install-next" PREFIX=/next DESTDIR="$work/tree"
    cp -P "$work"/tree/next/lib/*.so.1* "$work/tree/inlay-was-here/lib/"

    mkdir -p "$work/src"
    cp -r examples-c/consumer tests/install tests/install.sh "$work/src/"
    exec bwrap --unshare-all --die-with-parent --clearenv --setenv PATH /usr/bin:/bin --setenv LC_ALL C.UTF-8 --setenv HOME /build \
        --ro-bind /usr /usr --symlink usr/bin /bin --symlink usr/lib /lib --symlink usr/lib64 /lib64 \
        --ro-bind /etc/alternatives /etc/alternatives --ro-bind /etc/ld.so.cache /etc/ld.so.cache \
        --proc /proc --dev /dev --tmpfs /build --tmpfs /tmp \
        --ro-bind "$work/tree/inlay-was-here" /opt/inlay --ro-bind "$work/tree/next" /opt/next --ro-bind "$work/src" /src \
        ${INLAY_TOOLS:+--ro-bind "$INLAY_TOOLS" /opt/tools} --setenv CC "$CC" --setenv CXX "$CXX" \
        --setenv INLAY_RUN "$INLAY_RUN" --setenv INLAY_CPU "$INLAY_CPU" --setenv VERSION "$version" --chdir /build bash /src/install.sh inside
fi

# ---- in the empty root --------------------------------------------------------------------------------------------------

export PKG_CONFIG_PATH=/opt/inlay/lib/pkgconfig
expected="2 + 40 = 42"
passed=0

pass() {
    passed=$((passed + 1))
    echo "  passed  installed: $*"
}

fail() {
    echo "  FAILED  installed: $*" >&2
    exit 1
}

run() { $INLAY_RUN "$@"; }

# Whether musl is what programs are linked with. It takes no library out of a process again, and knows no versions of symbols.
is_musl() { case $(echo '#include <features.h>' | $CC -dM -E -) in *__GLIBC__*) false ;; *) true ;; esac; }

# Whether a program prints what it should.
prints() {
    what=$1 wanted=$2
    shift 2
    found=$(run "$@" 2>&1) || fail "$what: $found"
    [ "$found" = "$wanted" ] || fail "$what: '$found' instead of '$wanted'"
    pass "$what"
}

needs() { readelf -d "$1" | grep -q "NEEDED.*\[$2\]"; }

rpath=-Wl,-rpath,/opt/inlay/lib

[ "$(pkg-config --modversion inlay)" = "$VERSION" ] || fail "pkg-config has another version"
for module in inlay inlay_runtime inlay_cross inlay_wasi inlay_wasm; do
    pkg-config --validate $module || fail "$module.pc"
    case $(pkg-config --cflags --libs --static $module) in
    *inlay-was-here*) fail "$module.pc says where it was installed" ;;
    esac
done
! grep -rq inlay-was-here /opt/inlay || fail "something says where it was installed: $(grep -rl inlay-was-here /opt/inlay)"
pass "nothing says where it was installed"

# ---- pkg-config
$CC -o c /src/consumer/main.c $(pkg-config --cflags --libs inlay) $rpath
prints "C, pkg-config" "$expected" ./c
$CC -o as_needed /src/consumer/main.c -Wl,--as-needed $(pkg-config --cflags --libs inlay) $rpath
prints "C, pkg-config, --as-needed" "$expected" ./as_needed
needs as_needed libinlay.so.0 || fail "--as-needed left the library out"
echo 'int main(void) { return 0; }' >nothing.c
$CC -o nothing nothing.c -Wl,--as-needed $(pkg-config --libs inlay)
! needs nothing libinlay.so.0 || fail "--as-needed kept a library that nothing needs"
pass "--as-needed, where nothing is needed"
$CC -o static /src/consumer/main.c -static $(pkg-config --cflags --libs --static inlay)
prints "C, pkg-config, -static" "$expected" ./static
# The size of a static program, with the C library; glibc's is the larger one.
most() { if is_musl; then echo "$1"; else echo $(($1 + 1000000)); fi; }
is_small() { [ "$(stat -c %s "$1")" -lt "$(most "$2")" ] || fail "a static program has $(stat -c %s "$1") bytes"; }
for module in inlay inlay_runtime; do
    $CC -o gc-$module /src/consumer/main.c -static $(pkg-config --cflags --libs --static $module) -Wl,--gc-sections -s
done
prints "C, -static --gc-sections, $(stat -c %s gc-inlay) bytes" "$expected" ./gc-inlay
is_small gc-inlay 8000000
is_small gc-inlay_runtime 1000000
pass "the same without a compiler, $(stat -c %s gc-inlay_runtime) bytes"
$CC -o wasi /src/install/wasi.c $(pkg-config --cflags --libs inlay_wasi inlay) $rpath
prints "WASI, pkg-config" "it ends with 42" ./wasi
$CC -o wasi_static /src/install/wasi.c -static $(pkg-config --cflags --libs --static inlay_wasi inlay)
prints "WASI, pkg-config, -static" "it ends with 42" ./wasi_static
for also in "" -static; do
    $CC -o wasi_runtime /src/install/wasi.c $also $(pkg-config --cflags --libs ${also:+--static} inlay_wasi inlay_runtime) $rpath
    said=$(run ./wasi_runtime 2>&1) && fail "inlay_runtime compiles"
    case $said in *"default features"*) pass "WASI without a compiler $also" ;; *) fail "WASI without a compiler: $said" ;; esac
done
$CC -o wasm_h /src/install/wasm_h.c $(pkg-config --cflags --libs inlay_wasm inlay) $rpath
prints "wasm.h, pkg-config" "2 + 40 = 42" ./wasm_h
$CC -o wasm_h_static /src/install/wasm_h.c -static $(pkg-config --cflags --libs --static inlay_wasm inlay)
prints "wasm.h, pkg-config, -static" "2 + 40 = 42" ./wasm_h_static
if [ -n "$CXX" ]; then
    $CXX -std=c++17 -o cxx /src/install/cxx.cpp $(pkg-config --cflags --libs inlay) $rpath
    prints "C++, pkg-config" "$expected, and an exception" ./cxx
    $CXX -std=c++17 -o cxx_static /src/install/cxx.cpp -static $(pkg-config --cflags --libs --static inlay)
    prints "C++, pkg-config, -static" "$expected, and an exception" ./cxx_static
fi

# ---- CMake
set -- -DCMAKE_PREFIX_PATH=/opt/inlay "-DCMAKE_C_COMPILER=$CC"
[ -z "$INLAY_RUN" ] || set -- "$@" -DCMAKE_SYSTEM_NAME=Linux
for target in inlay static runtime runtime_static cross cross_static; do
    cmake -G Ninja -S /src/consumer -B cmake-$target "$@" -DCONSUMER_INLAY=inlay::$target >log 2>&1 || { cat log; fail "cmake $target"; }
    cmake --build cmake-$target >log 2>&1 || { cat log; fail "cmake $target"; }
    case $target in
    # It is the same program, but what it links has no compiler, and says so.
    runtime*)
        said=$(run cmake-$target/consumer 2>&1) && fail "inlay::$target compiles"
        case $said in *"default features"*) pass "C, CMake, inlay::$target" ;; *) fail "inlay::$target: $said" ;; esac
        ;;
    *) prints "C, CMake, inlay::$target" "$expected" cmake-$target/consumer ;;
    esac
done
for target in "inlay::wasi inlay::inlay" "inlay::wasi_static inlay::static" "inlay::wasi_static inlay::inlay"; do
    rm -rf wasi-cmake && mkdir wasi-cmake && cp /src/install/wasi.c wasi-cmake/main.c && cp /src/consumer/CMakeLists.txt wasi-cmake/
    cmake -G Ninja -S wasi-cmake -B wasi-cmake/build "$@" "-DCONSUMER_INLAY=$(echo "$target" | tr ' ' ';')" >log 2>&1 || { cat log; fail "cmake $target"; }
    cmake --build wasi-cmake/build >log 2>&1 || { cat log; fail "cmake $target"; }
    prints "WASI, CMake, $target" "it ends with 42" wasi-cmake/build/consumer
done
for target in "inlay::wasm inlay::inlay" "inlay::wasm_static inlay::static"; do
    rm -rf wasm-cmake && mkdir wasm-cmake && cp /src/install/wasm_h.c wasm-cmake/main.c && cp /src/consumer/CMakeLists.txt wasm-cmake/
    cmake -G Ninja -S wasm-cmake -B wasm-cmake/build "$@" "-DCONSUMER_INLAY=$(echo "$target" | tr ' ' ';')" >log 2>&1 || { cat log; fail "cmake $target"; }
    cmake --build wasm-cmake/build >log 2>&1 || { cat log; fail "cmake $target"; }
    prints "wasm.h, CMake, $target" "2 + 40 = 42" wasm-cmake/build/consumer
done
mkdir wrong && sed 's/inlay 0.2/inlay 0.3/' /src/consumer/CMakeLists.txt >wrong/CMakeLists.txt && cp /src/consumer/main.c wrong/
! cmake -S wrong -B wrong/build "$@" >log 2>&1 || fail "CMake takes another version"
grep -q "$VERSION" log || fail "CMake does not say which version there is"
pass "CMake refuses another version"
sed 's/inlay 0.2 REQUIRED/inlay 0.2 REQUIRED COMPONENTS static nonsense/' /src/consumer/CMakeLists.txt >wrong/CMakeLists.txt
! cmake -S wrong -B wrong/build "$@" >log 2>&1 || fail "CMake takes a component that there is not"
grep -q "no inlay::nonsense" log || { cat log; fail "CMake does not say which component is missing"; }
pass "CMake refuses a component that there is not"

# ---- Meson
set --
if [ -n "$INLAY_RUN" ]; then
    endian=little
    [ "$INLAY_CPU" != s390x ] || endian=big
    printf "[binaries]\nc = '%s'\npkgconfig = 'pkg-config'\n[host_machine]\nsystem = 'linux'\ncpu_family = '%s'\ncpu = '%s'\nendian = '%s'\n" \
        "$CC" "$INLAY_CPU" "$INLAY_CPU" $endian >cross.ini
    set -- --cross-file cross.ini
fi
export CC
meson setup "$@" meson /src/consumer >log 2>&1 && meson compile -C meson >>log 2>&1 || { cat log; fail "meson"; }
prints "C, Meson" "$expected" meson/consumer
meson setup "$@" meson-static /src/consumer -Dprefer_static=true >log 2>&1 && meson compile -C meson-static >>log 2>&1 || { cat log; fail "meson, static"; }
prints "C, Meson, static" "$expected" meson-static/consumer
! needs meson-static/consumer libinlay.so.0 || fail "Meson linked the shared library"

# ---- opened and closed
$CC -o open -I/opt/inlay/include /src/install/open.c -ldl
for library in libinlay libinlay_runtime; do
    prints "dlopen, RTLD_LOCAL, and unloading: $library" "opened and gone" ./open /opt/inlay/lib/$library.so.0
done

# ---- two versions
$CC -o old /src/install/version.c $(pkg-config --cflags --libs inlay_runtime) $rpath
$CC -o new /src/install/version.c -I/opt/next/include -L/opt/next/lib -linlay_runtime $rpath
prints "the older of two versions in one prefix" "$VERSION" ./old
prints "the newer of two versions in one prefix" "1.3.0" ./new
if ! is_musl; then
    $CC -shared -fPIC -o libplugin.so -DPLUGIN /src/install/version.c -I/opt/next/include -L/opt/next/lib -linlay_runtime $rpath
    $CC -o both -DHOST /src/install/version.c -L. -lplugin $(pkg-config --cflags --libs inlay_runtime) $rpath -Wl,-rpath,/build
    prints "two versions in one process" "$VERSION and 1.3.0" ./both
fi

echo "All $passed passed."
