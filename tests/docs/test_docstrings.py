"""``help(napari_shiftseg)`` is a table of contents, and each name in it is documented in full."""

from __future__ import annotations

import inspect
import pydoc
import re

import pytest
from docstring_parser import parse

import napari_shiftseg

NAMES = [name for name in napari_shiftseg.__all__ if not name.startswith("_")]
FUNCTIONS = [n for n in NAMES if inspect.isfunction(getattr(napari_shiftseg, n))]
CLASSES = [n for n in NAMES if inspect.isclass(getattr(napari_shiftseg, n))]


OF_FILES = {"Model", "bundled_models", "load_model", "SegmentedFile"}
"""Of nobody's method: they read and name what there is."""

ARRAY = re.compile(r"NDArray|ndarray|Tensor|np\.array")
SHAPE = re.compile(r"\([^)]*(?:spatial|[YXCKB], )[^)]*\)")
SAME = re.compile(r"As for|shape of|'s shape")
"""How a description says that another one has it."""


def documented(thing: object) -> set[str]:
    """Return the parameters of which a docstring says something."""
    found = parse(inspect.getdoc(thing) or "")
    return {
        name.strip().lstrip("*")
        for parameter in found.params
        if (parameter.description or "").strip()
        for name in parameter.arg_name.split(",")
    }


def parameters(thing: object) -> set[str]:
    return {n for n in inspect.signature(thing).parameters if n != "self" and n[0] != "_"}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_says_what_it_takes_returns_and_raises(name):
    function = getattr(napari_shiftseg, name)
    found = parse(inspect.getdoc(function))
    assert parameters(function) <= documented(function)
    assert found.many_returns and all(r.description for r in found.many_returns)
    assert all(r.description for r in found.raises)


@pytest.mark.parametrize("name", CLASSES)
def test_a_class_says_what_it_holds_and_does(name):
    kind = getattr(napari_shiftseg, name)
    assert inspect.getdoc(kind)
    if not issubclass(kind, Exception | Warning):
        assert parameters(kind) <= documented(kind)
    for member, value in vars(kind).items():
        if not member.startswith("_") and (callable(value) or isinstance(value, property)):
            assert inspect.getdoc(getattr(kind, member)), member


def test_the_package_lists_every_public_name():
    contents = pydoc.plain(pydoc.render_doc(napari_shiftseg)).split("PACKAGE CONTENTS")[0]
    assert [n for n in NAMES if n not in contents] == []


@pytest.mark.parametrize("name", [n for n in (*FUNCTIONS, *CLASSES) if n not in OF_FILES])
def test_a_method_names_its_source(name):
    thing = getattr(napari_shiftseg, name)
    if inspect.isclass(thing) and issubclass(thing, Exception | Warning):
        return
    text = inspect.getdoc(thing)
    assert "References\n----------\n" in text
    assert re.search(r"[12][09]\d\d|Beyond the paper: measured in", text.split("References")[1])


@pytest.mark.parametrize("name", [*FUNCTIONS, *CLASSES])
def test_an_array_has_a_shape(name):
    thing = getattr(napari_shiftseg, name)
    if inspect.isclass(thing) and issubclass(thing, Exception | Warning):
        return
    arrays = {
        n for n, p in inspect.signature(thing).parameters.items() if ARRAY.search(str(p.annotation))
    }
    for parameter in parse(inspect.getdoc(thing)).params:
        for one in parameter.arg_name.split(","):
            if one.strip() in arrays:
                assert SHAPE.search(parameter.description) or SAME.search(parameter.description), (
                    one
                )
