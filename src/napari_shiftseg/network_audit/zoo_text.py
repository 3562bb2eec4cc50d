"""The text that describes a package of the model zoo, looked at before it is understood."""

from __future__ import annotations

import math
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from napari_shiftseg.errors import ShiftSegError, first_line

DESCRIPTIONS = ("rdf.yaml", "bioimageio.yaml", "rdf.yml")
"""Names of the file that describes a package."""

_MOST_BYTES, _MOST_VALUES = 2**22, 10**6


def refuse_unfolding(source: Path | zipfile.ZipFile, name: str) -> None:
    """Refuse YAML whose aliases repeat each other into more values than memory holds.

    Raises
    ------
    ShiftSegError
        If it does, is too long, or is no YAML.
    """
    from ruyaml import YAML
    from ruyaml.error import YAMLError

    for text in _texts(source, name):
        try:
            values = _unfolded(YAML(typ="safe", pure=True).compose(text.decode()), {})
        except (YAMLError, UnicodeDecodeError, RecursionError) as error:
            raise ShiftSegError(
                f"{name} is no package of the BioImage Model Zoo: {first_line(error)}"
            ) from error
        if values > _MOST_VALUES:
            raise ShiftSegError(
                f"the description in {name} unfolds to {values:.2g} values; "
                f"legal: up to {_MOST_VALUES}"
            )


def _texts(source: Path | zipfile.ZipFile, name: str) -> Iterator[bytes]:
    if isinstance(source, Path):
        yield source.read_bytes() if _short(source.stat().st_size, name) else b""
        return
    for member in source.infolist():
        if member.filename.lower().endswith((".yaml", ".yml")) and _short(member.file_size, name):
            yield source.read(member)


def _short(size: int, name: str) -> bool:
    if size > _MOST_BYTES:
        raise ShiftSegError(
            f"a description in {name} has {size / 1e6:.0f} MB; legal: up to {_MOST_BYTES / 1e6:.0f}"
        )
    return True


def _unfolded(node: Any, known: dict[int, float]) -> float:
    """Count the values below a node, each alias written out; endless ones are infinite."""
    if node is None or isinstance(node.value, str):
        return 1
    if id(node) not in known:
        known[id(node)] = math.inf
        pairs = (part if isinstance(part, tuple) else (part,) for part in node.value)
        known[id(node)] = 1 + sum(_unfolded(inner, known) for pair in pairs for inner in pair)
    return known[id(node)]
