"""The fields of the training recipe as a form shows them: kind, default, range and help of each.

All of it is read from the dataclass and its docstring, which the command line reads too.
"""

from __future__ import annotations

import dataclasses
import inspect
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from types import NoneType
from typing import Any, Literal, get_args, get_origin, get_type_hints

from napari_shiftseg.errors import ShiftSegError
from napari_shiftseg.training.legal import legal_range
from napari_shiftseg.training.recipe import TrainingRecipe

_NOUNS = {
    int: "a whole number",
    float: "a number",
    tuple: "whole numbers with commas between them",
}

_NAMES = {"ndim": "Spatial axes", "batch": "Crops per step", "start": "Start from"}
"""Titles that say more than the field's own name."""


@dataclass(frozen=True)
class Field:
    """One field of the recipe.

    Parameters
    ----------
    name
        In the dataclass.
    kind
        ``bool``, ``int``, ``float``, ``str`` or ``tuple``.
    choices
        All legal values, if they are few.
    optional
        Whether it may be left open.
    default
        Its default.
    help
        What it means, and which numbers are legal.
    """

    name: str
    kind: type
    choices: tuple[Any, ...]
    optional: bool
    default: Any
    help: str

    @property
    def title(self) -> str:
        """What the form calls it."""
        words = self.name.replace("_", " ")
        return _NAMES.get(self.name, words[:1].upper() + words[1:])

    def read(self, text: str) -> Any:
        """Return the value that a person typed; nothing means the default.

        Raises
        ------
        ShiftSegError
            If it is none.
        """
        text = text.strip()
        if not text:
            return self.default
        try:
            return _READERS[self.kind](text)
        except ValueError:
            nearest = "" if self.default is None else f", as {self.write(self.default)}"
            raise ShiftSegError(
                f"{self.title} is {text!r}; legal: {_NOUNS[self.kind]}{nearest}"
            ) from None

    def write(self, value: Any) -> str:
        """Return a value as a person would type it."""
        if value is None:
            return ""
        if self.kind is tuple:
            return ", ".join(str(part) for part in value)
        text = f"{value:g}" if self.kind is float else str(value)
        return text if self.kind is not float or float(text) == value else repr(value)


def recipe_fields() -> dict[str, Field]:
    """Return the recipe's fields by name, in the order of the recipe."""
    helps, types = _helps(TrainingRecipe), get_type_hints(TrainingRecipe)
    return {
        field.name: _field(field, types[field.name], helps.get(field.name, ""))
        for field in dataclasses.fields(TrainingRecipe)
    }


def _field(field: dataclasses.Field[Any], declared: Any, text: str) -> Field:
    parts = [part for part in _parts(declared) if part is not NoneType]
    choices = get_args(parts[0]) if get_origin(parts[0]) is Literal else ()
    kind = type(choices[0]) if choices else get_origin(parts[0]) or parts[0]
    default = None if field.default is dataclasses.MISSING else field.default
    legal = legal_range(field)
    text = text if legal is None else f"{text} Legal: {legal}."
    return Field(field.name, kind, choices, NoneType in _parts(declared), default, text)


def _parts(declared: Any) -> tuple[Any, ...]:
    """Members of a union; a literal and a tuple are one."""
    is_one = get_origin(declared) in (Literal, tuple) or not get_args(declared)
    return (declared,) if is_one else get_args(declared)


def _helps(documented: type) -> dict[str, str]:
    """Read the section Parameters of a class's docstring: sentence by name."""
    _, _, section = (inspect.getdoc(documented) or "").partition("Parameters\n----------\n")
    helps: dict[str, list[str]] = {}
    name = ""
    for line in section.splitlines():
        if line and not line[0].isspace():
            name = line.strip()
        elif line.strip():
            helps.setdefault(name, []).append(line.strip())
    return {name: " ".join(lines) for name, lines in helps.items()}


def _number(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(text)
    return value


def _sizes(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.split(r"[\s,x×]+", text.strip("()[], ")))


_READERS: dict[type, Callable[[str], Any]] = {
    int: int,
    float: _number,
    str: str,
    tuple: _sizes,
}
