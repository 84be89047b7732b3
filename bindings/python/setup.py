"""Builds a wheel that has the shared library inside, from a checkout of Inlay.

The library is built by the checkout's Makefile, or taken from where the environment variable INLAY_LIBRARY says.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from setuptools import Distribution, setup
from setuptools.command.bdist_wheel import bdist_wheel
from setuptools.command.build_py import build_py

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent

# The build backend runs this file with another directory first in the path.
sys.path.insert(0, str(HERE))
import header  # noqa: E402


def version() -> str:
    """The crate's version, which is the wheel's."""
    if not (ROOT / "Cargo.toml").exists():
        raise SystemExit("a wheel of inlay is built in a checkout of Inlay, which has the header and the library's sources")
    manifest = (ROOT / "Cargo.toml").read_text(encoding="utf-8")
    found = re.search(r'^version = "(.*)"', manifest, flags=re.MULTILINE)
    if found is None:
        raise SystemExit("Cargo.toml has no version")
    return found[1]


def library() -> Path:
    """The shared library, built now if nobody says where it is."""
    given = os.environ.get("INLAY_LIBRARY")
    if given:
        return Path(given).resolve(strict=True)
    target = Path(ROOT, os.environ.get("CARGO_TARGET_DIR", "target"))
    subprocess.run(["make", "-C", str(ROOT), "full"], check=True)
    return (target / "ship" / "libinlay.so").resolve(strict=True)


class Build(build_py):
    """Adds to the package what is made here: the library, and the C declarations as cffi loads them fastest."""

    def run(self) -> None:
        super().run()
        from cffi import FFI

        package = Path(self.build_lib, "inlay")
        package.mkdir(parents=True, exist_ok=True)
        text = (ROOT / "include" / "inlay.h").read_text(encoding="utf-8")
        builder = FFI()
        builder.cdef(header.declarations(text))
        builder.set_source("inlay._ffi", None)
        builder.emit_python_code(str(package / "_ffi.py"))
        shutil.copy(library(), package / "libinlay.so")
        for licence in ("LICENSE", "THIRD-PARTY-LICENSES.txt"):
            shutil.copy(ROOT / licence, package / licence)


class Wheel(bdist_wheel):
    """A wheel for this platform, and for any Python: there is a machine's code in it, but no extension module."""

    def get_tag(self) -> "tuple[str, str, str]":
        return "py3", "none", super().get_tag()[2]


class WithLibrary(Distribution):
    """Makes the wheel one of this platform."""

    def has_ext_modules(self) -> bool:
        return True


setup(version=version(), cmdclass={"build_py": Build, "bdist_wheel": Wheel}, distclass=WithLibrary)
