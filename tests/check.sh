#!/bin/sh
# Checks that Inlay is right in its types for platforms that cannot be run here: macOS, iOS (where there is no place for a
# compiler), Android and FreeBSD. No machine code is made, nothing is linked and nothing is run.
#
#   tests/check.sh               all of them
#   tests/check.sh TRIPLE...     only these
#
# On Debian or Ubuntu, as root or with sudo, it installs Debian's rustc, cargo and the source of the standard library.
set -eu
cd "$(dirname "$0")/.."
. tests/need.sh
need "rustc$web" "cargo$web" "rust$web-src"
# cargo builds a standard library for nightly compilers only, or for one that is told to be one.
export RUSTC=/usr/bin/rustc RUSTC_BOOTSTRAP=1 CARGO_TARGET_DIR="${INLAY_CHECK_DIR:-$PWD/target/check}"

failed=0
check() {
  triple=$1
  shift
  if /usr/bin/cargo check --quiet --locked --lib -Zbuild-std=std,panic_unwind --target "$triple" "$@" 2>"$CARGO_TARGET_DIR/log"; then
    echo "  passed  $triple $*"
  else
    cat "$CARGO_TARGET_DIR/log"
    echo "  FAILED  $triple $*"
    failed=1
  fi
}
mkdir -p "$CARGO_TARGET_DIR"
for triple in ${*:-aarch64-apple-darwin aarch64-apple-ios aarch64-linux-android x86_64-unknown-freebsd}; do
  case $triple in
  *-ios) ;;
  *) check "$triple" ;;
  esac
  check "$triple" --no-default-features
done
exit $failed
