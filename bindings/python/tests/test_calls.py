"""Typed calls."""

import math

import inlay
import pytest


@pytest.fixture
def numbers(instantiate):
    return instantiate("numbers")


def test_numbers_of_each_type(numbers):
    assert numbers["add"](2, 40) == 42
    assert numbers["add64"](1 << 40, 2) == (1 << 40) + 2
    assert numbers["half"](3) == 1.5
    assert numbers["sqrt"](2.0) == math.sqrt(2)
    assert numbers["nothing"]() is None
    assert numbers["swap"](1, 2, 3.5) == (3.5, 2, 1)
    assert numbers["bytes"](bytes(range(16)), bytearray(b"\x01" * 16)) == bytes(range(1, 17))
    assert numbers["fib"](20) == 6765


def test_integers_are_signed_and_taken_either_way(numbers):
    add, add64 = numbers["add"], numbers["add64"]
    assert add(0x7FFFFFFF, 1) == -0x80000000
    assert add(0xFFFFFFFF, 0) == -1
    assert add(-0x80000000, 0) == -0x80000000
    assert add64((1 << 64) - 1, 0) == -1
    assert add64(-(1 << 63), 0) == -(1 << 63)
    assert add(True, 1) == 2
    for value in (1 << 32, -(1 << 31) - 1, 1 << 80):
        with pytest.raises(OverflowError, match="i32"):
            add(value, 0)
    for value in (1 << 64, -(1 << 63) - 1):
        with pytest.raises(OverflowError, match="i64"):
            add64(value, 0)
    assert add(1, 2) == 3


@pytest.mark.parametrize("value", [1.5, "1", None, b"1", object()])
def test_what_is_no_integer(numbers, value):
    with pytest.raises(TypeError):
        numbers["add"](value, 0)
    assert numbers["add"](1, 2) == 3


def test_what_is_no_float(numbers):
    for value in ("1", None, b"1"):
        with pytest.raises(TypeError):
            numbers["sqrt"](value)
    with pytest.raises(OverflowError):
        numbers["sqrt"](10**400)
    assert math.isnan(numbers["sqrt"](math.nan))
    assert numbers["half"](math.inf) == math.inf


@pytest.mark.parametrize("value", [b"", b"x" * 15, b"x" * 17])
def test_a_vector_of_another_size(numbers, value):
    with pytest.raises(ValueError, match="16 bytes"):
        numbers["bytes"](value, b"x" * 16)


def test_what_is_no_vector(numbers):
    for value in (16, "x" * 16, None):
        with pytest.raises(TypeError):
            numbers["bytes"](value, b"x" * 16)


def test_counts_of_arguments(numbers):
    for arguments in ((), (1,), (1, 2, 3)):
        with pytest.raises(TypeError, match="add"):
            numbers["add"](*arguments)
    with pytest.raises(TypeError):
        numbers["add"](p0=1, p1=2)


def test_a_function_is_one_object(numbers):
    add = numbers["add"]
    assert add is numbers["add"] is numbers.func("add")
    assert inlay.is_func(add) and not inlay.is_func(len)
    assert (add.__name__, add.signature) == ("add", "ii:i")


def test_instances_are_mappings(numbers):
    assert list(numbers)[:2] == ["add", "add64"] and len(numbers) == len(list(numbers))
    assert "add" in numbers and "none" not in numbers
    assert numbers.exports["add"] is numbers["add"]
    with pytest.raises(KeyError):
        numbers["none"]
    with pytest.raises(TypeError, match="no Memory"):
        numbers.memory("add")
