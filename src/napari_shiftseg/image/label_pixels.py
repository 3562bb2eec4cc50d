"""What labels are: integers of at least 0, whatever file or array they come from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_shiftseg.errors import ShiftSegError
from napari_shiftseg.image.slabs import Slabs

_LARGEST = 2**63 - 1

LARGEST_EXACT = 2**53
"""Up to which float64 holds all whole numbers."""

_ALIKE = 0.5
"""Share of neighbours within objects that differ in no labels."""

_PARTS = 3
"""Separate parts of an only label from which on all objects seem to have one."""


def refuse_no_labels(pixels: Any, name: object, *, unknown: bool = False) -> None:
    """Find out that pixels are no labels, slab by slab.

    Parameters
    ----------
    pixels
        An array of any size.
    name
        Of its file, for people.
    unknown
        Take negative labels, for pixels of which nobody knows what they are.

    Raises
    ------
    ShiftSegError
        If they are no integers, some are negative, or too large for int64.
    """
    dtype = np.dtype(pixels.dtype)
    if dtype.kind not in "bui":
        raise ShiftSegError(f"{name} holds {dtype} pixels; labels are integers")
    if pixels.size == 0 or np.can_cast(dtype, np.uint32):
        return
    refuse_too_large(pixels, name)
    for _, slab in Slabs.of(pixels) if dtype.kind == "i" and not unknown else ():
        if slab.min() < 0:
            raise ShiftSegError(
                f"{name} holds negative labels; 0 is background, objects are from 1 on"
            )


def whole_labels(pixels: NDArray[Any], name: object) -> NDArray[Any]:
    """Return labels that some programs write as floats as the integers that they are.

    Parameters
    ----------
    pixels
        An array of any type.
    name
        Of its file, for people.

    Raises
    ------
    ShiftSegError
        If they are no numbers, some are no whole numbers, or too large for int64.
    """
    if pixels.dtype.kind in "bui":
        return pixels
    whole = pixels.dtype.kind == "f" and bool((np.trunc(pixels) == pixels).all())
    if not whole or not (np.abs(pixels) <= LARGEST_EXACT).all():
        raise ShiftSegError(
            f"{name} holds {pixels.dtype} pixels that are no whole numbers; labels are: "
            "0 is background, each object has a number of its own"
        )
    return pixels.astype(np.int64)


def refuse_too_large(pixels: Any, name: object) -> None:
    """Find out, slab by slab, that labels are too large for int64; raises ShiftSegError."""
    if np.can_cast(np.dtype(pixels.dtype), np.int64):
        return
    largest = max((int(slab.max()) for _, slab in Slabs.of(pixels) if slab.size), default=0)
    if largest > _LARGEST:
        raise ShiftSegError(f"{name} holds labels up to {largest}; legal: up to {_LARGEST}")


def parts_of_the_only_label(pixels: Any, background: int = 0) -> int:
    """Count the separate parts of the only label; 0 if there are several labels, or none.

    Parameters
    ----------
    pixels
        Integers of any size; parts are counted in the first slab that has some.
    background
        A label that is none, besides 0 and negative ones.
    """
    only, parts = None, 0
    for _, slab in Slabs.of(pixels) if pixels.size else ():
        found = slab[(slab > 0) & (slab != background)]
        if found.size == 0:
            continue
        only = found[0] if only is None else only
        if (found != only).any():
            return 0
        parts = parts or int(ndimage.label(slab == only)[1])
    return parts


def seem_one_object(parts: Sequence[int]) -> bool:
    """Tell from :func:`parts_of_the_only_label` of images whether they are mere masks."""
    return bool(parts) and all(parts) and bool(np.median(parts) >= _PARTS)


def looks_like_an_image(pixels: Any) -> bool:
    """Tell whether most neighbours differ, as intensities do and labels of objects do not.

    Parameters
    ----------
    pixels
        Integers of any size; the first slab is looked at.
    """
    for _, slab in Slabs.of(pixels):
        left, right = slab[..., :-1], slab[..., 1:]
        inside = (left != 0) & (right != 0)
        differ = np.count_nonzero(inside & (left != right))
        return bool(differ > _ALIKE * np.count_nonzero(inside))
    return False
