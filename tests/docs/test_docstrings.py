"""``help(napari_shiftseg)`` is a table of contents, and each name in it is documented in full."""

from __future__ import annotations

import inspect
import pydoc

import pytest
from docstring_parser import parse

import napari_shiftseg

NAMES = [name for name in napari_shiftseg.__all__ if not name.startswith("_")]
FUNCTIONS = [n for n in NAMES if inspect.isfunction(getattr(napari_shiftseg, n))]
CLASSES = [n for n in NAMES if inspect.isclass(getattr(napari_shiftseg, n))]


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
