"""By what an image is known again: when a run goes on, or labels are kept."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from hashlib import sha256
from itertools import product
from math import prod
from pathlib import Path

import numpy as np

from napari_shiftseg.blockwise.source import Source
from napari_shiftseg.errors import ShiftSegError

_ALL = 2**26
"""Pixels up to which all of an image is read."""

_PROBES, _PROBE = 4, 16
"""Of larger ones, spans per axis and pixels of each in every frame."""


def fingerprint_of(source: Source) -> str:
    """Hash the pixels of an image, of a large one some of them."""
    found = sha256(f"{source.frames.source.shape} {source.frames.source.dtype}".encode())
    small = _is_small(source)
    for _, frame in source.frames:
        spans = [[slice(None)] if small else _probes(size) for size in frame.shape[1:]]
        for part in product(*spans):
            found.update(np.ascontiguousarray(frame[(slice(None), *part)]).tobytes())
    return found.hexdigest()


def date_of(source: Source) -> str:
    """Return when a large image was written, whose fingerprint is not of all its pixels."""
    if _is_small(source) or not source.path:
        return ""
    return datetime.fromtimestamp(written_at(Path(source.path)), UTC).isoformat(" ")


def written_at(path: Path) -> float:
    """Return when a file, or the last one in a folder, was written, in seconds."""
    inside = [Path(folder, name) for folder, _, names in os.walk(path) for name in names]
    return max(file.stat().st_mtime for file in [path, *inside])


def refuse_another(name: str, own: str, known: str) -> None:
    """Check that a name leads a process to the file that the run began with.

    Parameters
    ----------
    name
        Of the file.
    own, known
        By what it is known, here and where the run began.

    Raises
    ------
    ShiftSegError
        If it leads to another.
    """
    if own != known:
        raise ShiftSegError(
            f"{name} has changed since the run began, or a worker sees another file there"
        )


def _is_small(source: Source) -> bool:
    return prod(map(int, source.frames.source.shape)) <= _ALL


def _probes(size: int) -> list[slice]:
    """Spread a few short spans over an axis."""
    starts = np.linspace(0, max(0, size - _PROBE), _PROBES).astype(int)
    return [slice(start, start + _PROBE) for start in np.unique(starts).tolist()]
