#!/usr/bin/env bash
# Makes the modules of these tests from their text. Both are kept, so that to run the tests needs no Rust.
#
#   bindings/python/tests/modules/make.sh
set -euo pipefail
cd "$(dirname "$0")/../../../.."
cargo build -q -p wat2wasm
for text in bindings/python/tests/modules/*.wat; do
    "${CARGO_TARGET_DIR:-target}/debug/wat2wasm" "$text" "${text%.wat}.wasm"
done
