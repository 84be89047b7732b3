"""What a wheel is built from: the C header, read without a C compiler. Only in a checkout."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from inlay import _native

HERE = Path(__file__).resolve().parent.parent
HEADER = HERE.parent.parent / "include" / "inlay.h"

pytestmark = pytest.mark.skipif(not HEADER.exists(), reason="there is no checkout around these tests")


@pytest.fixture
def declarations(monkeypatch):
    monkeypatch.syspath_prepend(str(HERE))
    import header

    return header.declarations


def words(code):
    return re.findall(r"\w+|[^\w\s]", code)


@pytest.mark.skipif(not shutil.which("cc"), reason="there is no C compiler to compare with")
def test_it_is_what_a_preprocessor_makes(declarations, tmp_path):
    text = HEADER.read_text()
    command = ["cc", "-E", "-P", "-DINLAY_MUST_USE=", "-DINLAY_API=", "-x", "c", f"-I{HEADER.parent}", "-"]
    whole = subprocess.run(command, input=text, capture_output=True, text=True, check=True).stdout
    ours = re.sub(r"^#.*$", "", declarations(text), flags=re.MULTILINE)
    # Before are the declarations of standard headers, behind those of the builtins.
    theirs = whole[whole.index("typedef struct inlay_error_t") : whole.index("typedef struct inlay_vmctx_t")]
    theirs = re.sub(r"static const \w+ INLAY_NO_\w+ = [^;]*;", "", theirs).replace("_Bool", "bool")
    assert words(ours) == words(theirs)


def test_integers_are_constants(declarations):
    made = declarations(HEADER.read_text())
    assert "#define INLAY_VERSION_MAJOR" in made and "INLAY_MUST_USE" not in made
    assert _native.lib.INLAY_NO_MAXIMUM == (1 << 64) - 1


@pytest.mark.parametrize(
    "header", ["#if X\n#endif", "#pragma once", "#define F(x) x", "#ifdef X\n", "static const int A = 1;"]
)
def test_what_it_does_not_know_it_refuses(declarations, header):
    with pytest.raises(ValueError):
        declarations(header)


def test_attributes_that_come_to_be(declarations):
    made = declarations("#ifndef INLAY_API\n#if X\n#define INLAY_API y\n#else\n#endif\n#endif\nINLAY_API int f(void);")
    assert words(made) == words("int f(void);")


def test_every_function_of_the_header_is_in_the_library(declarations):
    names = set(re.findall(r"\b(inlay_\w+)\s*\(", declarations(HEADER.read_text())))
    names = {name for name in names if not name.endswith("_t")}
    assert len(names) > 80
    for name in names:
        assert getattr(_native.lib, name) != _native.NULL
