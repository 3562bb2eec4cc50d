"""Labels that are no names of objects, because each tile counted its objects from 1."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import find_objects
from skimage.measure import label

from napari_shiftseg.image.slabs import Slabs
from napari_shiftseg.seams.numbered import numbered

_FILLED = 0.25
"""Share of its bounding box below which a label may be several objects."""

_PARTS = 3
"""Parts of most labels, from which on labels are no names."""


@dataclass(frozen=True)
class Parts:
    """How often labels are used.

    Parameters
    ----------
    labels
        How many there are.
    parts
        How many connected parts they name.
    are_no_names
        Whether most labels name objects all over the image.
    """

    labels: int
    parts: int
    are_no_names: bool

    def __str__(self) -> str:
        return f"{self.labels} labels name {self.parts} separate parts"


def reused(slabs: Slabs) -> Parts | None:
    """Look at the first slab with labels whether they are names of objects; None without any."""
    slab = next((pixels for _, pixels in slabs if pixels.any()), None)
    if slab is None:
        return None
    names, numbers = numbered(slab)
    count = len(names)
    if count < 2 or not _are_scattered(numbers):
        return Parts(count, count, False)
    parts = label(numbers, background=0, connectivity=numbers.ndim)
    of = numbers.reshape(-1)[np.unique(parts, return_index=True)[1]]
    counts = np.bincount(of[of > 0], minlength=count + 1)[1:]
    return Parts(count, int(counts.sum()), bool(np.median(counts) >= _PARTS))


def _are_scattered(numbers: NDArray[np.int32]) -> bool:
    """Whether most objects, if each were one, would span the image and fill little of it."""
    pixels = np.bincount(numbers.reshape(-1))[1:]
    scattered = 0
    for count, box in zip(pixels, find_objects(numbers), strict=True):
        edges = [part.stop - part.start for part in box]
        spans = any(2 * edge > size for edge, size in zip(edges, numbers.shape, strict=True))
        scattered += spans and count < _FILLED * np.prod(edges)
    return 2 * scattered > len(pixels)


def separate_parts(labels: Any, frames: int = 0) -> NDArray[Any]:
    """Give each connected part of a label a label of its own, in the order of their pixels.

    Parameters
    ----------
    labels
        ``([*frames], *spatial)`` integers, 0 is background.
    frames
        How many of the first axes are no space: in each frame labels begin at 1.

    Returns
    -------
    ndarray
        Of the same type, or of a larger one that holds them.
    """
    labels = np.asarray(labels)
    found = np.zeros(labels.shape, np.int64)
    for index in np.ndindex(labels.shape[:frames]):
        frame = labels[index]
        found[index] = label(frame, background=0, connectivity=frame.ndim)
    needed = np.min_scalar_type(int(found.max(initial=0)))
    return found.astype(np.promote_types(labels.dtype, needed))
