"""Exported programs (``torch.export``, .pt2): loaded if they are plain, since torch would run more.

A .pt2 is a ZIP of weights and of a graph as JSON. Loading one, torch unpickles what its
configuration calls a pickle, evaluates its formulas of sizes and its guards as Python, looks
up functions by any name below ``torch``, and loads native libraries. A plain program has
operations of ATen, formulas of sums and products of sizes, and bare numbers; nothing else is
let through to torch.
"""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import nn

from napari_shiftseg.errors import ShiftSegError, UntrustedCode, first_line
from napari_shiftseg.network_audit.archives import refuse_bomb
from napari_shiftseg.network_audit.subject import quiet

OLDEST_TORCH = (2, 11)
"""Whose files are known well enough to tell what torch would run."""

_MEMBERS = re.compile(
    r"[^/]+/(models/\w+\.json|data/(weights|constants)/\w+(\.json)?|data/sample_inputs/\w+\.pt"
    r"|archive_format|archive_version|byteorder|\.data/\w+|\.format/\w+)"
)
_TARGET = re.compile(
    r"torch\.ops\.aten\.(?!from_file\b|save\b)\w+\.\w+"
    r"|_operator\.(getitem|add|sub|mul|floordiv|truediv|mod|neg|pow|eq|ne|lt|le|gt|ge|and_|or_)"
    r"|torch\.sym_(int|float|max|min|not|ite)|math\.(ceil|floor|trunc)"
)
_FORMULA_WORDS = set(
    "Symbol Integer Rational Float Add Mul Pow Max Min Mod PythonMod FloorDiv CleanDiv CeilDiv "
    "IntTrueDiv ModularIndexing Eq Ne Equality Unequality Ge Gt Le Lt And Or Not "
    "GreaterThan LessThan StrictGreaterThan StrictLessThan TruncToInt "
    "positive integer nonnegative nonzero real True False and or not L size".split()
)
_FORMULA_SIGNS = re.compile(r"[\w\s()\[\]+*/%<>=!,.&|~\'-]*")
_CONTAINERS = {None, "builtins.tuple", "builtins.list", "builtins.dict"}


def load_exported(path: Path, *, trust_code: bool = False) -> nn.Module:
    """Load an exported program.

    Parameters
    ----------
    path
        The file.
    trust_code
        That it may hold more than operations and numbers.

    Raises
    ------
    UntrustedCode
        If it is not trusted and holds what could run code, or torch is too old to tell.
    ShiftSegError
        If it is no exported program.
    """
    if not (trust_code or known_here()):
        raise UntrustedCode(
            f"{path} could run code: what torch {torch.__version__} runs of a .pt2 is not known, "
            f"only of torch {'.'.join(map(str, OLDEST_TORCH))} or newer"
        )
    content = io.BytesIO(path.read_bytes())
    try:
        if not trust_code and (found := _more_than_numbers(content)):
            raise UntrustedCode(
                f"{path} holds more than operations and numbers ({found}), which could run code"
            )
        content.seek(0)
        with quiet():
            graph: nn.Module = torch.export.load(content).module()
    except ShiftSegError:
        raise
    except Exception as error:  # a damaged file raises whatever torch stumbles over
        raise ShiftSegError(f"{path} is not a recorded network ({first_line(error)})") from error
    return graph


def known_here() -> bool:
    """Tell whether this torch is one whose exported programs can be checked."""
    return tuple(map(int, torch.__version__.split(".")[:2])) >= OLDEST_TORCH


def _more_than_numbers(content: io.BytesIO) -> str:
    """Return the first thing in an archive that torch might run; empty if there is none."""
    with zipfile.ZipFile(content) as archive:
        names = archive.namelist()
        if len({name.lower() for name in names}) < len(names):
            return "a file that is there twice"
        for member in archive.infolist():
            refuse_bomb(member, "the recorded network")
        for name in names:
            if not _MEMBERS.fullmatch(name):
                return name
            if name.endswith(".json"):
                found = next(_suspects(json.loads(archive.read(name))), "")
                if found:
                    return found
            if name.endswith(".pt") and not _is_plain(archive.read(name)):
                return f"{name}, a pickle"
    return ""


def _is_plain(pickled: bytes) -> bool:
    """Tell whether torch's own reader of bare tensors takes a file; if not, torch unpickles it."""
    if not pickled:
        return True
    try:
        torch.load(io.BytesIO(pickled), map_location="cpu", weights_only=True)
    except Exception:  # whatever it does not take
        return False
    return True


def _suspects(value: Any, key: str = "") -> Iterator[str]:
    """Walk through JSON and yield what is not known to be harmless."""
    if isinstance(value, dict):
        for inner_key, inner in value.items():
            yield from _suspects(inner, inner_key)
    elif isinstance(value, list):
        for inner in value:
            yield from _suspects(inner, key)
    elif key == "use_pickle" and value:
        yield "a pickle"
    elif isinstance(value, str):
        yield from _suspect_word(value, key)


def _suspect_word(word: str, key: str) -> Iterator[str]:
    plain = True
    if key == "target":
        plain = _TARGET.fullmatch(word) is not None
    elif key in ("expr_str", "guards_code"):
        plain = _is_formula(word)
    elif key in ("in_spec", "out_spec", "treespec"):
        plain = _is_container(word)
    elif key == "as_operator":
        plain = False
    if not plain:
        yield f"{key} {word[:60]!r}"


def _is_formula(text: str) -> bool:
    """Tell whether a text only computes with sizes: known words, names in quotes, numbers."""
    unquoted = re.sub(r"\'\w+\'", "", text)
    words = set(re.findall(r"[^\W\d]\w*", unquoted))
    return bool(_FORMULA_SIGNS.fullmatch(text)) and "'" not in unquoted and words <= _FORMULA_WORDS


def _is_container(text: str) -> bool:
    """Tell whether a program takes and returns tensors in tuples, lists and dictionaries."""
    return text == "" or all(kind in _CONTAINERS for kind in _types(json.loads(text)))


def _types(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        yield value.get("type")
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for child in inner:
        yield from _types(child)
