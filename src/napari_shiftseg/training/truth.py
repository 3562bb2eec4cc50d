"""What images and masks must be before anybody trains on them."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from hashlib import sha256

import numpy as np
from numpy.typing import NDArray

from napari_shiftseg.errors import ShiftSegError, ShiftSegWarning
from napari_shiftseg.image.label_pixels import (
    looks_like_an_image,
    parts_of_the_only_label,
    seem_one_object,
)
from napari_shiftseg.image.packs import Pair
from napari_shiftseg.wording import counted


def refuse_no_truth(pairs: Sequence[Pair], background: int) -> None:
    """Find out that masks teach nothing, or most probably something wrong.

    Parameters
    ----------
    pairs
        Images with their masks.
    background
        The masks' label of the background.

    Raises
    ------
    ShiftSegError
        If there is no object in any of them, or a background other than 0 in none.

    Warns
    -----
    ShiftSegWarning
        If the masks look as if all objects had one label, one looks like an image, or an image is
        there twice.
    """
    masks = [pair.mask for pair in pairs]
    if background != 0 and not any((mask == background).any() for mask in masks):
        raise ShiftSegError(
            f"background_label is {background}, which no mask has; legal: a label of the masks, "
            "or 0"
        )
    with_objects = [mask for mask in masks if has_objects(mask, background)]
    if not with_objects:
        raise ShiftSegError(
            f"there is no object in {counted(len(masks), 'mask')}: objects have labels from 1 on, "
            "each one of its own"
        )
    for mistake in _mistakes(pairs, with_objects, background):
        warnings.warn(mistake, ShiftSegWarning, stacklevel=2)


def warn_of_seen(trained: Sequence[Pair], validated: Sequence[Pair]) -> None:
    """Warn of images that a network is trained on and validated with."""
    contents = {_content(pair) for pair in trained}
    seen = [pair.name for pair in validated if _content(pair) in contents]
    if seen:
        warnings.warn(
            f"{seen[0]} is validated on and trained on ({len(seen)} such images of "
            f"{len(validated)}): the scores of the validation will be too good",
            ShiftSegWarning,
            stacklevel=2,
        )


def _content(pair: Pair) -> bytes:
    return sha256(np.ascontiguousarray(pair.image).data).digest()


def has_objects(mask: NDArray[np.integer], background: int) -> bool:
    """Whether anything in a mask is neither background nor unknown."""
    return bool(((mask > 0) & (mask != background)).any())


def _mistakes(
    pairs: Sequence[Pair], with_objects: Sequence[NDArray[np.integer]], background: int
) -> Iterator[str]:
    """Say what most probably is not meant."""
    if seem_one_object([parts_of_the_only_label(mask, background) for mask in with_objects]):
        yield (
            f"every mask ({len(with_objects)}) has one label in several separate parts: a network "
            "learns to join what has one label; give each object one of its own, as "
            "skimage.measure.label does"
        )
    if twins := _same_image(pairs):
        yield (
            f"{twins[1]} is the same image as {twins[0]}: if one is held out, the validation has "
            "seen it"
        )
    alike = (p.name for p in pairs if p.mask.dtype.kind in "ui" and looks_like_an_image(p.mask))
    if name := next(alike, None):
        yield (
            f"the mask of {name} looks like an image: most neighbouring pixels differ; were images "
            "and masks exchanged?"
        )


def _same_image(pairs: Sequence[Pair]) -> tuple[str, str] | None:
    """Name the first two pairs with one image, None if there are none."""
    names: dict[bytes, str] = {}
    for pair in pairs:
        content = _content(pair)
        if names.setdefault(content, pair.name) != pair.name:
            return names[content], pair.name
    return None
