"""What images and masks must be before anybody trains on them."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from hashlib import sha256

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_shiftseg.errors import ShiftSegError, ShiftSegWarning
from napari_shiftseg.image.label_pixels import looks_like_an_image
from napari_shiftseg.image.packs import Pair
from napari_shiftseg.wording import counted

_PARTS = 3
"""Separate parts of a mask's only label from which on it looks as if all objects had one."""


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
    with_objects = [m for m in masks if ((m > 0) & (m != background)).any()]
    if not with_objects:
        raise ShiftSegError(
            f"there is no object in {counted(len(masks), 'mask')}: objects have labels from 1 on, "
            "each one of its own"
        )
    if all(_is_one_label_in_parts(mask, background) for mask in with_objects):
        _warn(
            f"every mask ({len(with_objects)}) has one label in several separate parts: a network "
            "learns to join what has one label; give each object one of its own, as "
            "skimage.measure.label does"
        )
    names: dict[bytes, str] = {}
    for pair in pairs:
        content = sha256(np.ascontiguousarray(pair.image).data).digest()
        if names.setdefault(content, pair.name) != pair.name:
            _warn(
                f"{pair.name} is the same image as {names[content]}: if one is held out, the "
                "validation has seen it"
            )
            break
    alike = [p.name for p in pairs if p.mask.dtype.kind in "ui" and looks_like_an_image(p.mask)]
    if alike:
        _warn(
            f"the mask of {alike[0]} looks like an image: most neighbouring pixels differ; were "
            "images and masks exchanged?"
        )


def _is_one_label_in_parts(mask: NDArray[np.integer], background: int) -> bool:
    labels = np.unique(mask)
    labels = labels[(labels > 0) & (labels != background)]
    return len(labels) == 1 and ndimage.label(mask == labels[0])[1] >= _PARTS


def _warn(text: str) -> None:
    warnings.warn(text, ShiftSegWarning, stacklevel=3)
