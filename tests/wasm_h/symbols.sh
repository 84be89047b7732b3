#!/bin/sh
# What is visible outside begins with wasm_ or inlay_wasm_; everything that the headers declare is there; nothing of the library
# can be written by two threads; and every function is called by a test.
#
#   ROOT=... tests/wasm_h/symbols.sh libinlay_wasm.a libinlay_wasm.so
set -eu
static=$1 shared=$2
list() { nm "$@" | awk 'NF >= 3 { print $3 } NF == 2 && $1 != "U" { print $2 }' | sed 's/@.*//' | sort -u; }
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT

list -g --defined-only "$static" | grep -v ':$' >"$here/static"
list -D --defined-only "$shared" | grep -v '^INLAY_[0-9]' >"$here/shared"
if grep -Ev '^(wasm|inlay_wasm)_' "$here/static" "$here/shared"; then echo "these symbols are not the library's to define" >&2; exit 1; fi
cmp "$here/static" "$here/shared"

# What is declared, without what is defined in the header.
printf '#include "wasm.h"\n#include "inlay_wasm.h"\n' | ${CC:-cc} -std=c11 -E -P -I"$ROOT/include" - | tr '\n' ' ' |
  sed 's/static inline[^{]*{[^}]*}//g; s/;/;\n/g' | grep -oE '(inlay_)?wasm_[a-z0-9_]+\(' | tr -d '(' | sort -u >"$here/declared"
cmp "$here/declared" "$here/shared" || { comm -3 "$here/declared" "$here/shared" >&2; exit 1; }

# What only needs relocation is not written either. Sanitizers have data of their own.
if [ -z "${SANITIZED:-}" ] && nm -f sysv "$static" | grep -E '\| *[bBdDC] *\|' | grep -v 'data\.rel\.ro'; then
  echo "the library has state of its own" >&2; exit 1
fi

# A test calls it by its name, or the macros of the tests, which paste names together, do.
for file in "$ROOT"/tests/wasm_h/*.c "$ROOT"/examples-c/wasm_h/*.c; do
  ${CC:-cc} -std=c11 -E -P -I"$ROOT/include" -I"$(dirname "$shared")/wasm_h-tests" "$file" | tr '\n' ' ' | sed 's/;/;\n/g' |
    grep -oE '(inlay_)?wasm_[a-z0-9_]+ ?\([^;]*;' | grep -oE '(inlay_)?wasm_[a-z0-9_]+ ?\('
done | tr -d ' (' | sort | uniq -c | awk -v files="$(ls "$ROOT"/tests/wasm_h/*.c "$ROOT"/examples-c/wasm_h/*.c | wc -l)" '
  { if ($1 > files) print $2 }' | sort -u >"$here/called"
if comm -23 "$here/declared" "$here/called" | grep .; then echo "no test calls these" >&2; exit 1; fi
echo "$(wc -l <"$here/shared") functions, all declared, defined and called"
