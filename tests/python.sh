#!/usr/bin/env bash
# Tests the Python binding as a user has it: builds the wheel, installs it into a fresh environment, and there runs its tests,
# mypy and the benchmark, from outside of the source tree. Not a part of CI, which has only Rust and C; it installs pinned
# packages of Python.
#
#   tests/python.sh [ARGUMENTS OF PYTEST]
#
# INLAY_LIBRARY names a shared library that is built already. INLAY_MOST_NS is what a typed call may take, 300 by default.
# Where `make -C examples-c real` has been, modules that others wrote are tested, too.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
mkdir -p "${CARGO_TARGET_DIR:-target}"
target=$(cd "${CARGO_TARGET_DIR:-target}" && pwd)
work=$target/python_binding
rm -rf "$work"
mkdir "$work"

"${PYTHON:-python3}" -m venv "$work/venv"
bin=$work/venv/bin
"$bin/pip" install -q cffi==2.1.1 pytest==9.2.0 mypy==2.4.1

echo "the wheel"
"$bin/pip" wheel -q --no-deps --wheel-dir "$work/wheel" ./bindings/python
ls "$work/wheel"
# As `pip install ./bindings/python` does it, but built once.
"$bin/pip" install -q "$work"/wheel/inlay-*.whl
# What is in it says nothing of where it was built.
"$bin/python" - "$work"/wheel/inlay-*.whl "$root" << 'PYTHON'
import sys, zipfile
with zipfile.ZipFile(sys.argv[1]) as wheel:
    names = wheel.namelist()
    assert {"inlay/libinlay.so", "inlay/_ffi.py", "inlay/py.typed", "inlay/_ffi.pyi"} <= set(names), names
    for name in names:
        assert sys.argv[2].encode() not in wheel.read(name), name
print(len(names), "files")
PYTHON

cd "$work"
if [ -z "${INLAY_REAL:-}" ] && [ -d "$target/examples-c/npm" ]; then export INLAY_REAL=$target/examples-c/npm; fi
echo "pytest"
"$bin/python" -X faulthandler -m pytest -q -p no:cacheprovider -c "$root/bindings/python/pyproject.toml" \
    "$root/bindings/python/tests" "$@"
echo "mypy"
"$bin/mypy" --strict --cache-dir "$work/mypy" -p inlay
"$bin/mypy" --strict --cache-dir "$work/mypy" "$root/bindings/python/tests/user_program.py" "$root/bindings/python/bench.py"
echo "bench"
"$bin/python" "$root/bindings/python/bench.py" "${INLAY_MOST_NS:-300}"
