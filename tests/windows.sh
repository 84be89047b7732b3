#!/bin/sh
# Builds Inlay for Windows (x86_64-pc-windows-gnu) and runs its tests there, under Wine.
#
#   tests/windows.sh            all of it
#   tests/windows.sh spec c     only these parts; there are: dist, spec, c, cpp, examples
#
# On Debian or Ubuntu, as root or with sudo, it installs what it needs: Wine, mingw-w64 with POSIX threads (which the C++
# tests use; Inlay itself does not), clang, lld and llvm, and Debian's rustc, cargo and source of the standard library,
# which is built for Windows, since nobody packages it. (In Debian 12 these are rustc-web, cargo-web and rust-web-src.)
# Everything that is built goes to target/windows, or where INLAY_WINDOWS_DIR says; it takes about 2 GB, and a quarter
# of an hour of two cores.
#
# The parts:
#   dist      what `make install` puts into dist: inlay.dll as released, libinlay.dll.a to link it with mingw-w64, inlay.def
#             with its names, inlay.lib made of that for Microsoft's linker, libinlay.a; and inlay_runtime likewise. Checks what
#             the DLL exports and needs, compiles the C header in Microsoft's dialect, and runs a program linked with each.
#   spec      the unit tests, tests/entries, exhausted and mutations, and tests/spec, each of its configurations in a process
#             of its own
#   c         the programs in tests/c and tests/windows, against the shared library
#   cpp       the programs in tests/cpp, in each of their styles
#   examples  the programs in examples-c
# Each prints what passes and what does not, and the script fails if anything does not. But for dist it is the debug profile.
#
# What is left out:
#   tests/c/fault_handlers               looks at signals; tests/c/faults runs with the handler that Inlay installs
#   tests/c/fork_dlclose                there is no fork; tests/windows/unloaded loads and frees the library
#   tests/c/wasi_*                      are full of files and pipes of POSIX's; tests/windows/wasi does what is different
#   registers_survive of tests/c/stacks  another convention's registers; tests/windows/convention looks at Windows' own
#   signals of tests/c/traps             looks at the filter of unhandled exceptions in their place
#
# What Wine cannot show, and Windows must:
#   - Pages of a stack that come one after the other. Wine gives a stack all of them at once, so code that skipped the guard
#     page would run: tests/probes.rs looks at the code instead. That the stack's lowest pages are those which
#     src/os/windows.rs says is taken from Microsoft's documentation and from what Wine does.
#   - Shadow stacks (CET) and control flow guard, which Wine does not have.
#   - The instruction cache of another CPU; and whether memory that is reserved is counted as such.
#   - Microsoft's compiler, its C library and its debugger: there is none here. clang and lld-link speak their dialects.
#   - How many handles a process has, which the Wine of Debian 12 does not count.
#   - What Windows says when it refuses something: Wine has sentences of its own.
set -eu
cd "$(dirname "$0")/.."
root=$(pwd)
dir=${INLAY_WINDOWS_DIR:-$root/target/windows}
case $dir in /*) ;; *) dir=$root/$dir ;; esac
mkdir -p "$dir"
wat2wasm=$dir/debug/wat2wasm

parts=""
for word in "$@"; do
  case $word in
  dist | spec | c | cpp | examples) parts="$parts $word" ;;
  *) echo "no part has the name '$word'" >&2; exit 2 ;;
  esac
done
parts=${parts:-dist spec c cpp examples}

# ---- what is needed --------------------------------------------------------------------------------

. tests/need.sh
need wine64 pkg-config gcc-mingw-w64-x86-64-posix g++-mingw-w64-x86-64-posix clang lld llvm make "rustc$web" "cargo$web" "rust$web-src"

# The standard library is built for nightly only, and must be of the compiler that uses it, so rustup's are not asked.
export RUSTC=/usr/bin/rustc RUSTC_BOOTSTRAP=1
cargo=/usr/bin/cargo
triple=x86_64-pc-windows-gnu
std="-Zbuild-std=std,panic_unwind,test,proc_macro --target $triple"
export CARGO_TARGET_X86_64_PC_WINDOWS_GNU_LINKER=x86_64-w64-mingw32-gcc-posix
export CARGO_TARGET_DIR="$dir"
gcc="x86_64-w64-mingw32-gcc-posix -D__USE_MINGW_ANSI_STDIO=1"
gxx="x86_64-w64-mingw32-g++-posix -D__USE_MINGW_ANSI_STDIO=1"
out=$dir/tests
mkdir -p "$out/lib" "$out/c" "$out/cpp" "$out/wasm" "$out/examples"

# A Windows of its own, which nothing outside $dir is written to by. Debian keeps Wine where no shell looks.
wine=$(command -v wine64 || echo /usr/lib/wine/wine64)
wineserver=$(command -v wineserver64 || echo /usr/lib/wine/wineserver64)
export WINEPREFIX="$dir/wine" WINEDEBUG=-all DISPLAY=""
# Where mingw-w64's own libraries are, for programs in C++ and with threads.
libraries() {
  for name in libstdc++-6.dll libgcc_s_seh-1.dll libwinpthread-1.dll; do
    path=$(x86_64-w64-mingw32-gcc-posix -print-file-name=$name)
    printf ';Z:%s' "$(dirname "$(readlink -f "$path")")"
  done
}
WINEPATH="Z:$out/lib$(libraries)"
export WINEPATH
# One server for all programs, until the script ends.
"$wineserver" -p >/dev/null 2>&1 || true
trap '"$wineserver" -k >/dev/null 2>&1 || true' EXIT
timeout 300 "$wine" wineboot --init >/dev/null 2>&1
system=$WINEPREFIX/drive_c/windows/system32
[ -e "$system/bcryptprimitives.dll" ] ||
  $gcc -O1 -shared -o "$system/bcryptprimitives.dll" tests/windows/bcryptprimitives.c -ladvapi32

run="timeout 900 $wine"
. tests/parts.sh

# ---- building --------------------------------------------------------------------------------------

build() {
  # One command for the library and its tests: by itself the library has dependencies with other features, which would
  # all be built once more.
  case $parts in
  *spec*) what="test --no-run --lib --test spec --test entries --test exhausted --test mutations" ;;
  *) what="build --lib" ;;
  esac
  # shellcheck disable=SC2086 # lists of options
  "$cargo" $what --quiet --locked $std --message-format=json-render-diagnostics >"$out/messages"
  # shellcheck disable=SC2086 # a list of options
  "$cargo" build --lib --quiet --locked $std
  # shellcheck disable=SC2086 # a list of options
  "$cargo" build --package inlay-wasi --quiet --locked $std
  cp "$dir/$triple/debug/inlay.dll" "$dir/$triple/debug/libinlay.dll.a" "$dir/$triple/debug/libinlay_wasi.a" "$out/lib/"
  # Its programs are needed here.
  "$cargo" build --quiet --locked --package wat2wasm
}

# ---- the parts -------------------------------------------------------------------------------------

# The names that a file declares, exports or lists, one a line.
exported() {
  x86_64-w64-mingw32-objdump -p "$1" | sed -n '/^\[Ordinal\/Name Pointer/,/^$/s/^[[:space:]]*\[ *[0-9]*\] //p' | sort
}
declared() {
  # A function's name is what stands before its parenthesis, in a declaration that begins after INLAY_API.
  cat include/inlay.h include/inlay_builtins.h | sed -n '/INLAY_API$/{n;s/.*[ *]\(inlay_[a-z0-9_]*\)(.*/\1/p;}' | sort
}
the_same_names() {
  declared >"$out/declared"
  exported "$dir/dist/bin/$1.dll" >"$out/exported"
  sed -n 's/^    //p' "$dir/dist/lib/$1.def" | sort >"$out/listed"
  test -s "$out/declared" && cmp "$out/declared" "$out/exported" && cmp "$out/declared" "$out/listed"
}
only_the_system() {
  x86_64-w64-mingw32-objdump -p "$dir/dist/bin/$1.dll" | sed -n 's/.*DLL Name: //p' | tr '[:upper:]' '[:lower:]' | sort -u >"$out/needed"
  cat "$out/needed"
  test -s "$out/needed" && ! grep -vxE 'kernel32.dll|ntdll.dll|msvcrt.dll|userenv.dll|ws2_32.dll|bcryptprimitives.dll|api-ms-win-core-synch-.*' "$out/needed"
}
# clang as cl.exe, without headers of Microsoft's: its own are enough for inlay.h.
cl="clang --driver-mode=cl --target=x86_64-pc-windows-msvc /clang:-ffreestanding /W4 /WX /GS- /O2 /Iinclude"
microsoft_compiles() { $cl "/std:$1" -fsyntax-only "$2" -- "$out/alone.c"; }
# To ignore an error must be an error, with /WX.
microsoft_warns() {
  ! $cl "/std:$1" -fsyntax-only "$2" -- "$out/ignored.c" 2>"$out/warned" && grep -E "unused-result|nodiscard" "$out/warned"
}
microsoft_links() {
  printf 'LIBRARY kernel32.dll\nEXPORTS\n    ExitProcess\n' >"$out/kernel32.def" &&
    llvm-dlltool -m i386:x86-64 -d "$out/kernel32.def" -l "$out/kernel32.lib" &&
    $cl /std:c11 /c "/Fo$out/msvc.obj" -- tests/windows/msvc.c &&
    lld-link /nologo /nodefaultlib /entry:start /subsystem:console "/out:$out/msvc.exe" "$out/msvc.obj" "$dir/dist/lib/inlay.lib" \
      "$out/kernel32.lib" && $run "$out/msvc.exe"
}
mingw_links() {
  # shellcheck disable=SC2086 # options
  $gcc -std=c11 -Wall -Wextra -Wpedantic -Werror -O1 $1 -Iinclude -I"$out/wasm" -isystem tests/windows -include posix.h \
    -Itests/c tests/c/calls.c -o "$out/$2.exe" $3 && $run "$out/$2.exe"
}
# It has no compiler, and says so.
mingw_loads() {
  # shellcheck disable=SC2086 # options
  $gcc -std=c11 -O1 $1 -Iinclude examples-c/consumer/main.c -o "$out/$2.exe" $3 &&
    $run "$out/$2.exe" 2>&1 | grep "default features"
}
dist() {
  rm -rf "$dir/dist"
  make --silent install BUILD="$dir/ship" PREFIX="$dir/dist" TRIPLE=$triple CROSS=x86_64-w64-mingw32- CC=x86_64-w64-mingw32-gcc-posix \
    CARGO="$cargo" RUSTC="$RUSTC" CARGOFLAGS="--quiet -Zbuild-std=std,panic_unwind"
  (cd "$dir/dist" && wc -c bin/*.dll lib/*.* | sed '$d; s/^/  /')

  printf '#include "inlay.h"\n#include "inlay_builtins.h"\n' >"$out/alone.c"
  printf '#include "inlay.h"\nvoid f(void);\nvoid f(void) { inlay_error_new("lost"); }\n' >"$out/ignored.c"
  for style in "c11 /TC" "c17 /TC" "c++17 /TP" "c++20 /TP"; do
    check "Microsoft's dialect, $style" microsoft_compiles ${style% *} ${style#* }
    check "Microsoft's dialect, $style: a warning" microsoft_warns ${style% *} ${style#* }
  done
  for library in inlay inlay_runtime; do
    check "the names of the header, $library.dll and $library.def" the_same_names $library
    check "libraries that $library.dll needs" only_the_system $library
  done
  cp "$dir/dist/bin/"*.dll "$out/"
  wasm_headers tests/c/wat "$out/wasm"
  check "installed: inlay.lib, lld-link" microsoft_links
  export PKG_CONFIG_PATH="$dir/dist/lib/pkgconfig"
  check "installed: inlay.dll" mingw_links "" shared "$(pkg-config --libs inlay)"
  check "installed: libinlay.a" mingw_links "$(pkg-config --static --cflags inlay)" static \
    "-static $(pkg-config --static --libs inlay)"
  check "installed: inlay_runtime.dll" mingw_loads "" runtime "$(pkg-config --libs inlay_runtime)"
  check "installed: libinlay_runtime.a" mingw_loads "$(pkg-config --static --cflags inlay_runtime)" static_runtime "-static $(pkg-config --static --libs inlay_runtime)"
}

spec() {
  for program in $(sed -n 's/.*"executable":"\([^"]*\)".*/\1/p' "$out/messages"); do
    case $program in
    */spec-*)
      suite "$program"
      ;;
    */inlay-*) check "unit tests" $run "$program" ;;
    *) check "$(basename "$program" | sed 's/-[0-9a-f]*\.exe$//')" $run "$program" ;;
    esac
  done
}

c_program() {
  options="-Wall -Wextra -O1 -g -DINLAY_WASI_STATIC -Iinclude -I$out/wasm -isystem tests/windows -include posix.h -Itests/c"
  # shellcheck disable=SC2086 # a list of options
  case $1 in
  *.cpp) $gxx -std=c++17 -Wpedantic -Werror $options "$1" -c -o "$2.o" ;;
  */structured.c) clang --target=x86_64-w64-windows-gnu -D__USE_MINGW_ANSI_STDIO=1 -std=c11 -fms-extensions $options "$1" -c -o "$2.o" ;;
  *) $gcc -std=c11 -Wpedantic -Werror $options "$1" -c -o "$2.o" ;;
  esac
  library="$out/lib/libinlay.dll.a"
  case $1 in
  */unloaded.c) library="" ;;
  */wasi*) library="$out/lib/libinlay_wasi.a $library -lntdll -luserenv -lws2_32" ;;
  esac
  # shellcheck disable=SC2086 # a list
  $gxx "$2.o" -o "$2.exe" $library -pthread && $run "$2.exe"
}

c() {
  wasm_headers tests/c/wat "$out/wasm"
  wasm_headers tests/windows "$out/wasm"
  for file in tests/c/*.c tests/c/*.cpp tests/windows/*.c tests/windows/*.cpp; do
    name=$(basename "$file")
    name=${name%.*}
    case $name in
    fault_handlers | fork_dlclose | wasi_*) continue ;; # see above
    bcryptprimitives | msvc) continue ;; # no tests of their own
    esac
    check "${file%.*}" c_program "$file" "$out/c/$name"
  done
}

cpp_program() {
  name=$1
  shift
  $gxx "$@" -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Werror -O1 -g -Iinclude -isystem tests/windows \
    -I"$out/cpp" "tests/cpp/$name.cpp" -o "$out/cpp/$name.exe" "$out/lib/libinlay.dll.a" -pthread && $run "$out/cpp/$name.exe"
}
cpp() {
  wasm_headers tests/cpp "$out/cpp"
  for file in tests/cpp/*.cpp; do
    name=$(basename "$file" .cpp)
    check "tests/cpp/$name" cpp_program "$name" -std=c++17
    check "tests/cpp/$name without exceptions" cpp_program "$name" -std=c++17 -fno-exceptions -fno-rtti
    check "tests/cpp/$name as C++20" cpp_program "$name" -std=c++20
    check "tests/cpp/$name as C++20 without exceptions" cpp_program "$name" -std=c++20 -fno-exceptions
  done
}

examples() {
  # Their own Makefile builds them; it is told where the library is, and that it is no business of its.
  : >"$out/lib/libinlay.so"
  # Windows has no coroutines of POSIX's, which scheduler.c is about.
  named="hello own_memory host_functions traps builtins row_filter debuggers wasi"
  build_inlay
  make --quiet -C examples-c all -o library LIB="$out/lib" OUT="$out/examples" WAT2WASM="$wat2wasm" CARGO=true \
    CC="$gcc" CXX="$gxx" WASI_LIBS="-lntdll -luserenv -lws2_32" CPPFLAGS=-DINLAY_WASI_STATIC C_EXAMPLES="$named image cache run" SO=dll RUNTIME="-L$out/lib -linlay" INLAY="$inlay" \
    INLAY_FLAGS="--target $triple" >/dev/null
  run_examples "$named typed exceptions results" .exe .dll
  check "tests/linked/unwinds" unwinds_linked "$gxx" "$out/lib/libinlay.dll.a" .exe
}

echo "==== $triple"
build
for part in $parts; do $part; done

finish
