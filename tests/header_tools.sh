#!/usr/bin/env bash
# Reads the C header with the tools that other languages are bound with: bindgen (Rust), cffi and pycparser (Python), and
# clang with all warnings. Not a part of CI, which has none of them; it installs what is missing, from crates.io and PyPI,
# and clang from Debian.
#
#   tests/header_tools.sh
set -euo pipefail
cd "$(dirname "$0")/.."
work=target/header_tools
mkdir -p "$work"

if ! command -v clang > /dev/null && ! command -v clang-14 > /dev/null; then
    if [ "$(id -u)" = 0 ]; then apt-get install -y clang libclang-dev; else sudo apt-get install -y clang libclang-dev; fi
fi
CLANG=$(command -v clang || command -v clang-14)
if [ ! -x "$work/bin/bindgen" ]; then
    if command -v bindgen > /dev/null; then
        mkdir -p "$work/bin" && ln -sf "$(command -v bindgen)" "$work/bin/bindgen"
    else
        cargo install bindgen-cli --locked --root "$work"
    fi
fi
[ -d "$work/python" ] || { python3 -m venv "$work/python" && "$work/python/bin/pip" install -q cffi pycparser setuptools; }

echo "clang"
for language in c-std=c11 c-std=c17 c-std=c2x c++-std=c++17 c++-std=c++20; do
    printf '#include "inlay.h"\n#include "inlay_builtins.h"\n' |
        "$CLANG" -x "${language%-std*}" "-${language#*-}" -Weverything -Wno-unknown-warning-option -Wno-unsafe-buffer-usage -Wno-c++98-compat-pedantic \
            -Wno-reserved-macro-identifier -Wno-declaration-after-statement -Wno-padded -Wno-c++20-compat -Werror -fsyntax-only \
            -Iinclude -
done

echo "bindgen"
"$work/bin/bindgen" include/inlay.h -- -Iinclude > "$work/inlay.rs"
for name in INLAY_ERROR_TRAP INLAY_EXTERN_TAG INLAY_NO_MAXIMUM INLAY_VERSION_MAJOR inlay_func_call inlay_frame_t \
    inlay_builtin_f64_floor inlay_v128_t; do
    grep -q "\b$name\b" "$work/inlay.rs" || { echo "bindgen does not see $name" >&2; exit 1; }
done
rustc --edition 2024 --crate-type lib --emit metadata -A warnings -o "$work/inlay.rmeta" "$work/inlay.rs"

echo "pycparser and cffi"
# Both read preprocessed C without attributes; the standard headers are theirs to know.
cc -E -P -D'INLAY_MUST_USE=' -D'INLAY_API=' -Iinclude include/inlay.h > "$work/whole.i"
sed -n '/typedef struct inlay_error_t/,$p' "$work/whole.i" > "$work/inlay.i"
"$work/python/bin/python" - "$work/inlay.i" << 'PYTHON'
import re, sys
from cffi import FFI
from pycparser import c_parser

text = open(sys.argv[1]).read()
types = "typedef unsigned char uint8_t; typedef unsigned uint32_t; typedef unsigned long uint64_t;" \
    "typedef int int32_t; typedef long int64_t; typedef unsigned long size_t; typedef _Bool bool;"
tree = c_parser.CParser().parse(types + text.replace("_Bool", "bool"))
assert len(tree.ext) > 150, len(tree.ext)
ffi = FFI()
# cffi takes constants with a value from enumerators; a typed constant it declares without one.
ffi.cdef(re.sub(r"(static const uint64_t \w+) = [^;]*;", r"\1;", text))
lib_constants = [name for name in ("INLAY_ERROR_TRAP", "INLAY_I32", "INLAY_TRAP_NOT_SHARED", "INLAY_EXTERN_TAG")
                 if name in ffi._parser._int_constants]
assert len(lib_constants) == 4, lib_constants
assert ffi.sizeof("inlay_value_t") == 24 and ffi.sizeof("inlay_frame_t") == 32
print(len(tree.ext), "declarations;", len(ffi._parser._int_constants), "constants")
PYTHON
echo "All of them read the header."
