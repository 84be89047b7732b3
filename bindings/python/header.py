"""Makes of Inlay's C header what cffi reads: declarations, with no directives and no comments.

It knows as much of the C preprocessor as this header uses, so that building a wheel takes no C compiler, and fails on what
it does not know rather than guess.
"""

import re

# Attributes of functions: nothing that a caller through cffi can use.
ATTRIBUTES = ("INLAY_MUST_USE", "INLAY_API")

# Values of macros that are not written as a number.
NUMBERS = {"UINT64_MAX": "0xFFFFFFFFFFFFFFFF"}


def declarations(header: str) -> str:
    """The declarations of a header, and those of its macros that are integers."""
    text = re.sub(r"/\*.*?\*/", " ", header, flags=re.DOTALL)
    text = re.sub(r"//[^\n]*", " ", text).replace("\\\n", " ")
    macros = dict.fromkeys(ATTRIBUTES, "")
    lines = [line for line in text.split("\n") if line.strip()]
    code = "\n".join(_preprocessed(lines, macros))
    for name in ATTRIBUTES:
        code = re.sub(rf"\b{name}\b", "", code)
    # A typed constant has a macro of its name and value beside it, and is no symbol of the library.
    code = re.sub(r"static const \w+ (\w+) = (\w+);", lambda match: _constant(match, macros), code)
    numbers = [f"#define {name} {number}" for name, value in macros.items() if (number := _number(value))]
    return "\n".join(numbers) + "\n" + code + "\n"


def _preprocessed(lines: list[str], macros: dict[str, str]) -> "list[str]":
    """The lines that are left when the directives have been followed; macros are added to those that are given."""
    code = []
    # Whether each condition that a line is in holds.
    conditions: list[bool] = []
    for line in lines:
        directive = re.match(r"\s*#\s*(\w+)\s*(.*)", line)
        if directive is None:
            if all(conditions):
                code.append(line)
            continue
        word, rest = directive[1], directive[2].strip()
        if word in ("ifdef", "ifndef"):
            conditions.append((rest in macros) == (word == "ifdef"))
        elif word == "if" and not all(conditions):
            conditions.append(False)
        elif word == "else":
            conditions[-1] = not conditions[-1]
        elif word == "endif":
            conditions.pop()
        elif not all(conditions) or word == "include":
            pass
        elif word == "define" and (macro := re.fullmatch(r"(\w+)(?:\s+(.*))?", rest)):
            macros[macro[1]] = macro[2] or ""
        else:
            raise ValueError(f"the header has a directive that this does not know: {line.strip()}")
    if conditions:
        raise ValueError("the header has a condition without an end")
    return code


def _number(value: str) -> str:
    """A macro's value as cffi takes it, or nothing if it is no integer."""
    value = NUMBERS.get(value, value)
    return value if re.fullmatch(r"\d+|0x[0-9A-Fa-f]+", value) else ""


def _constant(match: "re.Match[str]", macros: dict[str, str]) -> str:
    if macros.get(match[1]) != match[2]:
        raise ValueError(f"the constant {match[1]} has no macro of its value beside it")
    return ""
