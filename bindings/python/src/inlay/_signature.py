"""Signatures: the types of functions, as "ii:i"."""

from functools import lru_cache

#: What each letter stands for, as the name of the member of `inlay_value_of_t`.
MEMBERS = {
    "i": "i32",
    "I": "i64",
    "f": "f32",
    "F": "f64",
    "V": "v128",
    "r": "funcref",
    "e": "externref",
    "x": "exnref",
}
NUMBERS = frozenset("iIfF")


@lru_cache(maxsize=None)
def kinds(signature: str) -> tuple[str, str]:
    """The kinds of the parameters and of the results, a letter each: what references refer to is left out."""
    sides = [""]
    depth = 0
    for letter in signature:
        if letter in "(<":
            depth += 1
        elif letter in ")>":
            depth -= 1
        elif depth == 0 and letter == ":":
            sides.append("")
        elif depth == 0 and letter != "-":
            sides[-1] += letter.lower() if letter in "REX" else letter
    if len(sides) != 2 or any(letter not in MEMBERS for side in sides for letter in side):
        raise ValueError(f"{signature!r} is no signature, such as 'iI:f'")
    return sides[0], sides[1]


def letter(type: str) -> str:
    """The kind of one value's type, as a signature writes it."""
    params, results = kinds(type + ":")
    if len(params) != 1 or results:
        raise ValueError(f"{type!r} is no type of a value, such as 'i'")
    return params


def is_plain(letters: str) -> bool:
    """Whether these are all numbers and vectors, which C functions take as they are."""
    return all(letter in NUMBERS or letter == "V" for letter in letters)
