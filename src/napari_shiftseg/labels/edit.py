"""Corrections by hand, as edits: which pixels change, and to what.

Nothing is changed in place, so that the caller can keep an edit in its own undo history.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.ndimage import distance_transform_edt
from skimage.draw import line as line_pixels
from skimage.measure import label as connected_components

from napari_shiftseg.errors import ShiftSegError

Pixels = tuple[NDArray[np.intp], ...]
"""Places in an array: one ``(n,)`` array of coordinates per axis, as ``numpy.nonzero`` gives."""

_INT32 = np.iinfo(np.int32).max
_CRUMB = 4
"""Pieces with fewer pixels are left over by the raster of a line, not cut off by a person."""


@dataclass(frozen=True)
class Edit:
    """New values for some pixels of a label image.

    Parameters
    ----------
    indices
        Places of the pixels, ``(n,)`` per axis.
    values : (n,)
        Their new labels, in the type of the labels.
    """

    indices: Pixels
    values: NDArray[Any]

    @classmethod
    def between(cls, before: NDArray[Any], after: NDArray[Any]) -> Edit:
        """Find the edit that makes one label image from another of the same shape."""
        places = np.nonzero(before != after)
        return cls(places, after[places])

    def in_frame(self, frame: Sequence[int]) -> Edit:
        """Return the same edit for a stack that has the edited image at this index."""
        leading = (np.full(len(self.values), index, np.intp) for index in frame)
        return Edit((*leading, *self.indices), self.values)

    def applied(self, labels: NDArray[Any]) -> NDArray[Any]:
        """Return an edited copy."""
        edited = labels.copy()
        edited[self.indices] = self.values
        return edited


def next_label(labels: NDArray[Any], beyond: int = 0) -> int:
    """Return the first number above every label, and above ``beyond``.

    Raises
    ------
    ShiftSegError
        If the type of the labels holds no such number.
    """
    return _fitting(labels, 1 + max(int(labels.max(initial=0)), beyond))


def merge(labels: NDArray[Any], into: int, others: Sequence[int]) -> Edit:
    """Give the pixels of other objects to one object.

    Parameters
    ----------
    labels
        ``(*spatial)`` integers, 0 is background.
    into
        The object that stays.
    others
        The objects that become part of it.

    Raises
    ------
    ShiftSegError
        If background is to be merged, or there is nothing but one object.
    """
    if into == 0 or 0 in others:
        raise ShiftSegError("background cannot be merged with an object")
    if set(others) <= {into}:
        raise ShiftSegError(f"object {into} is one object already: choose another piece")
    places = _places(_is_any_of(labels, others))
    return Edit(places, np.full(len(places[0]), into, labels.dtype))


def put_object(labels: NDArray[Any], pixels: Pixels, seed: Sequence[int], new_label: int) -> Edit:
    """Write an object over the labels.

    Objects of which it takes more than half are replaced by it: what is left of them becomes
    background. Others lose only the pixels that they share with it.

    Parameters
    ----------
    labels
        ``(*spatial)`` integers, 0 is background.
    pixels
        The object.
    seed
        The pixel that was asked for: the object takes the number of what is replaced there.
    new_label
        Its number if nothing is.
    """
    covered, shared = np.unique(labels[pixels], return_counts=True)
    replaced = [
        label
        for label, count in zip(covered.tolist(), shared.tolist(), strict=True)
        if label and 2 * count > np.count_nonzero(labels == label)
    ]
    there = int(labels[tuple(seed)])
    rest = _is_any_of(labels, replaced)
    rest[pixels] = False
    cleared = _places(rest)
    values = np.zeros(len(pixels[0]) + len(cleared[0]), labels.dtype)
    values[: len(pixels[0])] = there if there in replaced else new_label
    joined = tuple(np.concatenate(pair) for pair in zip(pixels, cleared, strict=True))
    return Edit(joined, values)


def object_under(plane: NDArray[Any], line: ArrayLike) -> int:
    """Return the object of which a line crosses most pixels.

    Parameters
    ----------
    plane
        ``(rows, columns)`` labels.
    line
        ``(n, 2)`` corners in pixels.

    Raises
    ------
    ShiftSegError
        If the line crosses no object.
    """
    crossed = plane[_raster(line, plane.shape)]
    objects, counts = np.unique(crossed[crossed != 0], return_counts=True)
    if len(objects) == 0:
        raise ShiftSegError("the line crosses no object: draw it across the one to be cut")
    return int(objects[counts.argmax()])


def split_by_line(
    labels: NDArray[Any],
    label: int,
    line: ArrayLike,
    axes: tuple[int, int] = (-2, -1),
    *,
    new_label: int | None = None,
) -> Edit:
    """Cut an object along a line; the largest piece keeps its number.

    Pixels under the line go to the nearest piece. In more than two dimensions the line is a
    wall: it goes on along the axes that it does not name.

    Parameters
    ----------
    labels
        ``(*spatial)`` integers, 0 is background.
    label
        The object.
    line
        ``(n, 2)`` corners in pixels, on ``axes``.
    axes
        The two axes that the line is drawn on.
    new_label
        Number of the first new piece, the others follow; by default above every label.

    Raises
    ------
    ShiftSegError
        If there is no such object, or the line does not separate it into pieces.
    """
    box = _box(labels, label)
    corner = np.array([side.start for side in box])
    on = [axis % labels.ndim for axis in axes]
    mask = labels[box] == label
    wall = _wall(mask.shape, np.asarray(line) - corner[on], on)
    first_new = next_label(labels) if new_label is None else new_label
    cuts = _separated(mask, wall, label)
    _fitting(labels, first_new + sum(int(pieces.max()) - 1 for pieces in cuts) - 1)
    cut = _numbered(cuts, labels.dtype.type(label), first_new)
    changed = np.nonzero(mask & (cut != label))
    indices = tuple(place + low for place, low in zip(changed, corner, strict=True))
    return Edit(indices, cut[changed])


def _box(labels: NDArray[Any], label: int) -> tuple[slice, ...]:
    box = _extent(labels == label)
    if box is None:
        raise ShiftSegError(f"there is no object {label}")
    return box


def _is_any_of(labels: NDArray[Any], wanted: Sequence[int]) -> NDArray[np.bool_]:
    """Do as :func:`numpy.isin`, faster for the few objects that an edit is about."""
    found = np.zeros(labels.shape, bool)
    for label in wanted:
        found |= labels == label
    return found


def _places(mask: NDArray[np.bool_]) -> Pixels:
    """Do as :func:`numpy.nonzero`, faster where all places are near each other."""
    box = _extent(mask)
    if box is None:
        return tuple(np.zeros(0, np.intp) for _ in mask.shape)
    inside = np.nonzero(mask[box])
    return tuple(place + side.start for place, side in zip(inside, box, strict=True))


def _extent(mask: NDArray[np.bool_]) -> tuple[slice, ...] | None:
    """Return the smallest box around what is true, None if nothing is."""
    box: list[slice] = []
    for axis in range(mask.ndim):
        others = tuple(other for other in range(mask.ndim) if other != axis)
        (along,) = np.nonzero(mask[tuple(box)].any(axis=others))
        if len(along) == 0:
            return None
        box.append(slice(int(along[0]), int(along[-1]) + 1))
    return tuple(box)


def _separated(mask: NDArray[np.bool_], wall: NDArray[np.bool_], label: int) -> list[NDArray[Any]]:
    """Cut every connected part of the mask that the wall cuts; number its pieces from 1."""
    parts = connected_components(mask, connectivity=1)
    crossed = np.unique(parts[mask & wall])
    cuts = [_pieces(parts == part, wall) for part in crossed.tolist()]
    cuts = [pieces for pieces in cuts if pieces.max() > 1]
    if not cuts:
        raise ShiftSegError(
            f"the line does not cut object {label} in two: draw it from outside to outside"
        )
    return cuts


def _pieces(part: NDArray[np.bool_], wall: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Give numbers to what a wall leaves of a connected part, the largest piece first."""
    # Without diagonal neighbours even a line of pixels that touch at their corners is tight.
    apart = connected_components(part & ~wall, connectivity=1)
    sizes = np.bincount(apart.ravel())
    sizes[0] = 0
    largest_first = np.argsort(-sizes, kind="stable")[: int((sizes >= _CRUMB).sum())]
    if len(largest_first) == 0:
        return part.astype(np.int64)
    number = np.zeros(len(sizes), np.int64)
    number[largest_first] = np.arange(1, len(largest_first) + 1)
    pieces = number[apart]
    nearest = distance_transform_edt(pieces == 0, return_distances=False, return_indices=True)
    return np.where(part, pieces[tuple(nearest)], 0)


def _numbered(cuts: list[NDArray[Any]], label: np.integer[Any], first_new: int) -> NDArray[Any]:
    """Draw all cuts on one canvas of ``label``; pieces from the second on get new numbers."""
    drawn = np.full(cuts[0].shape, label, label.dtype)
    for pieces in cuts:
        for piece in range(2, int(pieces.max()) + 1):
            drawn[pieces == piece] = first_new
            first_new += 1
    return drawn


def _wall(shape: tuple[int, ...], line: NDArray[Any], axes: Sequence[int]) -> NDArray[np.bool_]:
    """Draw a line on two axes; it is of length 1, to be broadcast, on the others."""
    order = np.argsort(axes)
    first, second = (axes[k] for k in order)
    flat = np.zeros((shape[first], shape[second]), bool)
    flat[_raster(line[:, order], flat.shape)] = True
    hidden = tuple(axis for axis in range(len(shape)) if axis not in axes)
    return np.expand_dims(flat, hidden)


def _raster(line: ArrayLike, shape: tuple[int, ...]) -> Pixels:
    """Return the pixels under a line, those inside of the shape."""
    corners = np.rint(np.asarray(line)).astype(int).tolist()
    pixels = np.hstack([line_pixels(*a, *b) for a, b in pairwise(corners)])
    inside = ((pixels >= 0) & (pixels < np.array(shape)[:, None])).all(axis=0)
    rows, columns = pixels[:, inside]
    return rows, columns


def _fitting(labels: NDArray[Any], number: int) -> int:
    largest = int(np.iinfo(labels.dtype).max)
    if number > largest:
        advice = "convert them to int32" if largest < _INT32 else "renumber them from 1"
        raise ShiftSegError(
            f"a new object would get the number {number}; labels of type {labels.dtype} "
            f"end at {largest}; {advice}"
        )
    return number
