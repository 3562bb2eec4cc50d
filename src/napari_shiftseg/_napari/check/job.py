"""A check and a repair as runs in a thread: they read no widgets."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from napari_shiftseg._napari.check.part import Beside, Part
from napari_shiftseg._napari.events import Progress
from napari_shiftseg.errors import ShiftSegError
from napari_shiftseg.image.label_pixels import (
    parts_of_the_only_label,
    refuse_no_labels,
    seem_one_object,
)
from napari_shiftseg.memory import lacking
from napari_shiftseg.seams.parts import separate_parts
from napari_shiftseg.seams.repair import Repair, repair_labels
from napari_shiftseg.seams.straight import CheckProgress, LabelCheck, check_events

_COPIES = 3
"""How often labels are in memory while they are checked and repaired."""


@dataclass(frozen=True)
class GivenGrid:
    """What a person says about the grid.

    Parameters
    ----------
    tile, offset
        Per axis, or ``"auto"``.
    """

    tile: tuple[int, ...] | Literal["auto"] = "auto"
    offset: tuple[int, ...] = ()


@dataclass(frozen=True)
class CutRow:
    """A pair of pieces, or one piece whose other one is gone.

    Parameters
    ----------
    labels
        One or two.
    position
        In pixels of the image.
    length
        Pixels on the line.
    confidence
        That it is one object; None for a single piece.
    """

    labels: tuple[int, ...]
    position: tuple[float, ...]
    length: int
    confidence: float | None

    @property
    def one_sided(self) -> bool:
        """Whether the other piece is gone."""
        return self.confidence is None


@dataclass(frozen=True)
class Found:
    """A finished check.

    Parameters
    ----------
    part
        What was checked.
    labels
        Its pixels as they were then.
    objects
        The labels by which the check knows objects.
    check
        What was found.
    asked
        What was asked for.
    rows
        Pairs by confidence, then single pieces.
    image
        Name of the image that was looked at.
    parts
        Separate parts of the only label, of what seems to be a mask; else 0.
    """

    part: Part
    labels: NDArray[Any]
    objects: NDArray[Any]
    check: LabelCheck
    asked: GivenGrid
    rows: tuple[CutRow, ...]
    image: str | None = None
    parts: int = 0

    def row_at(self, pixel: tuple[float, ...]) -> int | None:
        """Find the row of the object at a pixel: of several, the one whose cut is nearest."""
        index, frames = tuple(round(v) for v in pixel), self.check.frames
        if not all(0 <= i < n for i, n in zip(index, self.labels.shape, strict=True)):
            return None
        label = int(self.objects[index])
        near = {
            number: sum((a - b) ** 2 for a, b in zip(row.position, pixel, strict=True))
            for number, row in enumerate(self.rows)
            if label in row.labels and row.position[:frames] == index[:frames]
        }
        return min(near, key=lambda number: near[number], default=None)


@dataclass(frozen=True)
class Repaired:
    """A finished repair.

    Parameters
    ----------
    found
        The check that it repairs.
    labels
        Mended pixels.
    repair
        What was merged.
    """

    found: Found
    labels: NDArray[Any]
    repair: Repair


def check_run(
    part: Part, asked: GivenGrid, image: Beside | None = None
) -> Iterator[Progress | Found]:
    """Check; yield what is being done, and last what was found."""
    yield Progress(0, "Reading the labels")
    if lack := lacking(_COPIES * part.pixels.size * part.pixels.dtype.itemsize):
        raise ShiftSegError(f"to check {part.title} takes {lack}; check a part of it")
    labels = np.array(part.pixels)
    refuse_no_labels(labels, part.title)
    pixels = None if image is None else image.pixels
    parts = parts_of_the_only_label(labels)
    parts = parts if seem_one_object([parts]) else 0
    grid = asked.tile, asked.offset or 0
    for event in check_events(labels, *grid, image=pixels, frames=part.frames):
        if isinstance(event, CheckProgress):
            yield Progress(event.fraction, event.text)
        else:
            objects = separate_parts(labels, event.frames) if event.renumbered else labels
            name = image.name if image else None
            yield Found(part, labels, objects, event, asked, rows_of(event), name, parts)


def rows_of(check: LabelCheck) -> tuple[CutRow, ...]:
    """List pairs by confidence, and pieces whose other one is gone after them."""
    pairs = [CutRow(c.labels, c.position, c.length, c.confidence) for c in check.splits]
    single = [CutRow((c.label,), c.position, c.length, None) for c in check.one_sided]
    pairs.sort(key=lambda row: (-(row.confidence or 0), -row.length))
    return (*pairs, *sorted(single, key=lambda row: -row.length))


def repair_run(found: Found, now: Any, confidence: float) -> Iterator[Progress | Repaired]:
    """Repair labels that are still what was checked.

    Parameters
    ----------
    found
        The check.
    now
        The layer's pixels as they are now.
    confidence
        Of a pair, from which on it is merged.
    """
    yield Progress(0.1, "Merging")
    if not np.array_equal(np.asarray(now), found.labels):
        raise ShiftSegError(f"{found.part.title} was changed since the check; check it again")
    labels, repair = repair_labels(found.labels, found.check, confidence=confidence)
    yield Repaired(found, labels, repair)
