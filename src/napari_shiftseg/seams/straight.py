"""Seams in finished labels, without model, image or truth: cuts along a grid."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from numbers import Integral
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from napari_shiftseg.errors import ShiftSegError
from napari_shiftseg.image import opened
from napari_shiftseg.image.array import as_array
from napari_shiftseg.image.label_pixels import refuse_no_labels
from napari_shiftseg.seams.confidence import channels_of
from napari_shiftseg.seams.contacts import Contacts
from napari_shiftseg.seams.grid_search import Grid, find_grids
from napari_shiftseg.seams.outlines import FlatSide, Outlines
from napari_shiftseg.seams.parts import count_from_1, may_be_reused, separate_parts
from napari_shiftseg.seams.straight_cuts import Frame, Lines, StraightCut, frames_of
from napari_shiftseg.tiles.plan import by
from napari_shiftseg.tiles.tile import whole_numbers

_LARGEST_TILE = 2**20
"""Pixels; each offset of a tile is compared with the others."""


_PerAxis = tuple[int, ...]

_FRAMES = 8
"""Of a series, in which labels are looked at whether they are names of objects."""


@dataclass(frozen=True)
class CheckProgress:
    """How far a check is.

    Parameters
    ----------
    fraction
        0 to 1.
    text
        What is being done.
    """

    fraction: float
    text: str


@dataclass(frozen=True)
class LabelCheck:
    """What a grid did to labels.

    Parameters
    ----------
    tile, offset
        The grid: lines at ``offset + k * tile``, in pixels per axis; a tile of 0 is an axis
        without lines, as those of frames are.
    p_value
        Of the grid found by itself: as :class:`~napari_shiftseg.seams.grid_search.Grid` has
        it. Of a given grid: the share of all offsets with at least as many label changes per
        line.
    splits
        Straight cuts, the longest first.
    objects
        Number of labels, of all frames together.
    one_sided
        Objects that end straight on the grid, with no other piece beyond.
    frames
        How many of the first axes count frames: each has objects of its own.
    renumbered
        Whether labels named objects all over the image, as those of tiles that each count from 1
        do. Each connected part was taken for an object; their labels are those of
        :func:`~napari_shiftseg.seams.parts.separate_parts`.

    References
    ----------
    Beyond the paper: measured in ``benchmarks/label_check.py``.
    """

    tile: tuple[int, ...]
    offset: tuple[int, ...]
    p_value: float
    splits: tuple[StraightCut, ...]
    objects: int
    one_sided: tuple[FlatSide, ...] = field(default=())
    frames: int = 0
    renumbered: bool = False

    @property
    def found(self) -> bool:
        """Whether there is a grid on any axis."""
        return any(self.tile)

    @property
    def grid(self) -> str:
        """The grid in words."""
        if not self.found:
            return "no tile grid"
        tiles, offsets = self.tile[self.frames :], self.offset[self.frames :]
        if all(tiles):
            start = f" from {by(offsets)}" if any(offsets) else ""
            return f"tiles of {by(tiles)} px{start}"
        names = "zyx"[-len(tiles) :] if len(tiles) <= 3 else range(len(tiles))
        along: dict[str, list[str]] = {}
        for name, tile, offset in zip(names, tiles, offsets, strict=True):
            if tile:
                lines = f"{tile} px{f' from {offset}' if offset else ''}"
                along.setdefault(lines, []).append(str(name))
        parts = [f"{lines} along {' and '.join(axes)}" for lines, axes in along.items()]
        return f"tiles of {', '.join(parts)}"


Tile = int | tuple[int, ...] | Literal["auto"]


def check_labels(
    labels: Any,
    tile: Tile = "auto",
    offset: int | tuple[int, ...] = 0,
    *,
    image: Any = None,
    frames: int = 0,
) -> LabelCheck:
    """Look for objects cut along a grid.

    Parameters
    ----------
    labels
        ``([*frames], *spatial)`` integers, 0 is background. A dask array, or what else slices
        like an array, is read slab by slab, up to five times, and need not fit into memory.
    tile
        Edge length of the grid in pixels, at least 2, of all spatial axes or of each; 0 for an
        axis without lines. ``"auto"`` finds tile size and offset of each axis, or none.
    offset
        Position of its first line in pixels, of all spatial axes or of each, where the tile
        size is given.
    image
        What the labels are labels of, if it is at hand: of their shape, or with channels before
        it. It takes confidence from pairs of pieces that are not equally bright.
    frames
        How many of the first axes are no space, as time, or the slices of a stack that was
        segmented slice by slice. Each frame has labels of its own; one grid has cut them all,
        and what few cuts in one frame cannot tell, those of all may. An object that stays
        where it is counts once.

    Returns
    -------
    LabelCheck
        The grid, and every pair of labels that it parted.

    Raises
    ------
    ShiftSegError
        If these are no integers, there are none, the tile size or the offset is not legal, no
        spatial axis is left, the image is not of their shape, or each tile counts its objects
        from 1 in a lazy array of more than 256 MB.

    References
    ----------
    Beyond the paper: measured in ``benchmarks/label_check.py``.
    """
    *_, check = check_events(labels, tile, offset, image=image, frames=frames)
    assert isinstance(check, LabelCheck)
    return check


def check_events(
    labels: Any,
    tile: Tile = "auto",
    offset: int | tuple[int, ...] = 0,
    *,
    image: Any = None,
    frames: int = 0,
) -> Iterator[CheckProgress | LabelCheck]:
    """Check as :func:`check_labels` does; yield what is being done, and last what was found."""
    labels = as_array(labels)
    if labels.size == 0 or not labels.ndim:
        raise ShiftSegError(f"labels of shape {labels.shape} have no pixels")
    refuse_no_labels(labels, "the array")
    if not isinstance(frames, Integral) or not 0 <= frames < labels.ndim:
        raise ShiftSegError(
            f"frames is {frames}, of {labels.ndim} axes; legal: 0 to {labels.ndim - 1}"
        )
    ndim = labels.ndim - frames
    given = None if isinstance(tile, str) and tile == "auto" else _given(tile, offset, ndim)
    if given is None and np.any(offset):
        raise ShiftSegError(f"the offset {offset} is that of a grid: give its tile size, too")
    channels = channels_of(image, labels)
    series = list(frames_of(labels, channels, frames))
    reused = _may_be_reused(series)
    outlines = yield from _outlines(series, 0.05, 0.5)
    yield CheckProgress(0.5, "Comparing with other offsets" if given else "Trying every tile size")
    tiles, offsets, p_value = _grid_of(outlines, labels.shape[frames:], given)
    renumbered = False
    if reused and labels.nbytes > opened.LAZY_BYTES and not isinstance(labels, np.ndarray):
        _refuse_reused(series[0], tiles, offsets)
    elif reused:
        parts = separate_parts(labels, frames)
        apart = list(frames_of(parts, channels, frames))
        theirs = yield from _outlines(apart, 0.5, 0.7)
        grid = _grid_of(theirs, labels.shape[frames:], given)
        renumbered = any(grid[0]) and _count_from_1(series, apart, *grid[:2])
        if renumbered:
            series, outlines, (tiles, offsets, p_value) = apart, theirs, grid
    lines = Lines(np.array(tiles), np.array(offsets))
    splits: list[StraightCut] = []
    single: list[FlatSide] = []
    for number, (frame, outline) in enumerate(zip(series, outlines, strict=True)):
        yield CheckProgress(0.7 + 0.3 * number / len(series), "Collecting the pairs of pieces")
        splits += frame.straight_cuts(outline.contacts, lines)
        single += frame.one_sided(outline, lines) if any(tiles) else ()
    yield LabelCheck(
        tile=(0,) * frames + tiles,
        offset=(0,) * frames + offsets,
        p_value=p_value,
        splits=tuple(sorted(splits, key=lambda cut: -cut.length)),
        objects=sum(outline.objects for outline in outlines),
        one_sided=tuple(single),
        frames=frames,
        renumbered=renumbered,
    )


def _outlines(
    series: list[Frame], begin: float, end: float
) -> Generator[CheckProgress, None, list[Outlines]]:
    """Look at the outlines of each frame, from one fraction of the check to another."""
    outlines: list[Outlines] = []
    for number, frame in enumerate(series):
        for found in Outlines.events(frame.labels):
            if isinstance(found, Outlines):
                outlines.append(found)
            else:
                done = (number + found) / len(series)
                yield CheckProgress(begin + (end - begin) * done, "Looking where labels touch")
    return outlines


def _may_be_reused(series: list[Frame]) -> bool:
    """Whether labels may be no names of objects."""
    some = map(_pixels_of, series[:: max(1, len(series) // _FRAMES)])
    labelled = [may_be_reused(labels) for labels in some if labels.any()]
    return 2 * sum(labelled) > len(labelled)


def _pixels_of(frame: Frame) -> NDArray[Any]:
    """Return the labels of a frame; of those that stay in a file the first slab."""
    array = frame.labels.array
    return array if isinstance(array, np.ndarray) else frame.labels.read(0, frame.labels.thick)


def _refuse_reused(frame: Frame, tiles: _PerAxis, offsets: _PerAxis) -> None:
    """Raise ShiftSegError if each tile counts from 1 in labels that need not fit into memory."""
    labels = _pixels_of(frame)
    if any(tiles) and count_from_1(labels, separate_parts(labels), tiles, offsets):
        raise ShiftSegError(
            "each tile counts its objects from 1, so that labels are no names of objects, and "
            "there are too many pixels to tell them apart here; give each object a label of its own"
        )


def _count_from_1(
    series: list[Frame], apart: list[Frame], tiles: _PerAxis, offsets: _PerAxis
) -> bool:
    """Whether in most frames each tile counts its objects from 1."""
    step = max(1, len(series) // _FRAMES)
    some = [
        (np.asarray(frame.labels.array), parts.labels.array)
        for frame, parts in zip(series[::step], apart[::step], strict=True)
    ]
    labelled = [pair for pair in some if pair[0].any()]
    return 2 * sum(count_from_1(*pair, tiles, offsets) for pair in labelled) > len(labelled)


def _given(
    tile: int | tuple[int, ...], offset: int | tuple[int, ...], ndim: int
) -> tuple[_PerAxis, _PerAxis]:
    """Return tile size and offset of each axis."""
    tiles = whole_numbers(tile, ndim, "the tile size")
    offsets = whole_numbers(offset, ndim, "the offset")
    if not any(tiles):
        raise ShiftSegError("the tile size is 0 px on every axis; legal: at least 2 on one of them")
    for one, start in zip(tiles, offsets, strict=True):
        if one:
            _refuse(one, start)
    return tiles, tuple(o if t else 0 for t, o in zip(tiles, offsets, strict=True))


def _refuse(tile: int, offset: int) -> None:
    if tile < 2:
        raise ShiftSegError(f"the tile size is {tile} px; legal: at least 2; nearest: 2")
    if tile > _LARGEST_TILE:
        raise ShiftSegError(
            f"the tile size is {tile} px; legal: up to {_LARGEST_TILE}; nearest: {_LARGEST_TILE}"
        )
    if not 0 <= offset < tile:
        raise ShiftSegError(f"the offset is {offset} px; legal: 0 to {tile - 1}")


def _grid_of(
    outlines: list[Outlines], shape: tuple[int, ...], given: tuple[_PerAxis, _PerAxis] | None
) -> tuple[_PerAxis, _PerAxis, float]:
    """Return tile, offset and p-value of the grid that is given or found."""
    if given is None:
        return _per_axis(find_grids(outlines), len(shape))
    return *given, _p_value(shape, [o.contacts for o in outlines], *given)


def _per_axis(grids: list[Grid], ndim: int) -> tuple[tuple[int, ...], tuple[int, ...], float]:
    of = {axis: grid for grid in grids for axis in grid.axes}
    tiles = tuple(of[axis].tile if axis in of else 0 for axis in range(ndim))
    offsets = tuple(of[axis].offset if axis in of else 0 for axis in range(ndim))
    return tiles, offsets, min((grid.p_value for grid in grids), default=1.0)


def _p_value(
    shape: tuple[int, ...], contacts: list[Contacts], tiles: _PerAxis, offsets: _PerAxis
) -> float:
    """Rank this grid's label changes per line among those of the grid moved along."""
    longest = max(tiles)
    changes, lines = np.zeros(longest), np.zeros(longest)
    for axis, (size, tile, offset) in enumerate(zip(shape, tiles, offsets, strict=True)):
        if tile:
            moved = (offset + np.arange(longest)) % tile
            along = np.concatenate([c.position[c.axis == axis] for c in contacts])
            changes += np.bincount(along % tile, minlength=tile)[moved]
            lines += np.bincount(np.arange(1, size) % tile, minlength=tile)[moved]
    rate = changes / np.maximum(lines, 1)
    return float((rate >= rate[0]).mean()) if changes.sum() else 1.0
