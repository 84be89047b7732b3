"""Tables, globals, and references to functions and objects."""

import inlay
import pytest


@pytest.fixture
def instance(instantiate):
    return instantiate("references", swap=("er:re", lambda object, func: (func, object)))


def test_objects_and_functions_pass_through(instance):
    thing, one = object(), instance["one"]
    assert instance["swap"](thing, one) == (one, thing)
    assert instance["swap"](None, None) == (None, None)
    for value in (0, "", [], one, instance):
        assert instance["same"](value) is value


def test_what_is_no_function(instance, engine):
    for value in (len, 5, "one"):
        with pytest.raises(TypeError):
            instance["swap"](None, value)
    with pytest.raises(TypeError, match="swap"):
        instance["swap"](None)
    with pytest.raises(ValueError, match="another store"):
        instance["swap"](None, inlay.host_func(inlay.Store(engine), ":", lambda: None))


def test_tables(instance, store):
    funcs, objects = instance.table("funcs"), instance.table("objects")
    assert funcs.type == inlay.TableType(2, 10, "r")
    assert list(funcs) == [instance["one"], None]
    funcs[1] = inlay.host_func(store, ":i", lambda: 5)
    assert instance["call"](0) == 1 and instance["call"](1) == 5
    assert funcs.grow(2, funcs[0]) == 2 and len(funcs) == 4 and instance["call"](3) == 1
    with pytest.raises(inlay.LimitError):
        funcs.grow(100)
    thing = object()
    objects[1] = thing
    assert objects[0] is None and objects[1] is thing
    for index in (2, -1):
        with pytest.raises(IndexError):
            objects[index]
        with pytest.raises(IndexError):
            objects[index] = None
    made = inlay.Table(store, inlay.TableType(2, 3, "e"), thing)
    assert list(made) == [thing, thing]


def test_globals(instance, store):
    assert instance.global_("count").value == 7
    instance.global_("count").value = (1 << 64) - 1
    assert instance.global_("count").value == -1
    assert instance.global_("constant").type == inlay.GlobalType("i", False)
    with pytest.raises(inlay.ArgumentError):
        instance.global_("constant").value = 1
    thing = object()
    instance.global_("object").value = thing
    assert instance.global_("object").value is thing
    assert instance.global_("object") is instance["object"]
    for content, value in (("i", -1), ("I", 1 << 40), ("f", 0.5), ("F", 0.1), ("V", b"x" * 16), ("e", thing), ("r", None)):
        made = inlay.Global(store, inlay.GlobalType(content, True), value)
        assert made.value == value
        made.value = value
        assert made.value == value


@pytest.mark.parametrize("type", ["", "ii", "i:", "q", "i\0"])
def test_what_is_no_type(store, type):
    with pytest.raises(ValueError):
        inlay.Global(store, inlay.GlobalType(type), 0)
    with pytest.raises(ValueError):
        inlay.Table(store, inlay.TableType(1, element=type))


def test_linking(engine, store, instance, instantiate):
    linker = inlay.Linker(engine)
    linker.define_instance("env", instantiate("numbers"))
    from conftest import wasm

    linker.define("env", "call", inlay.host_func(store, "i:i", lambda value: value + 1))
    made = linker.instantiate(store, inlay.Module(engine, wasm("host")))
    assert made["run"](1) == 3
    for item in (instance.memory, instance["funcs"], instance["count"]):
        if not callable(item):
            linker.define("env", "item", item)
    with pytest.raises(TypeError):
        linker.define("env", "item", 5)
    with pytest.raises(inlay.LinkError, match="store"):
        linker.instantiate(inlay.Store(engine), inlay.Module(engine, wasm("host")))
