"""Whether two pieces that a line parts are one object: by their shapes, and by the image."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from math import gamma, inf, isfinite, pi, sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv

from napari_shiftseg.errors import ShiftSegError
from napari_shiftseg.image.lazy import transposable
from napari_shiftseg.image.slabs import Boxes, Slabs
from napari_shiftseg.seams.contacts import Contacts

_SLACK = 1
"""Pixels by which the ends of two pieces' sides may differ for a border that runs askew."""

_REACH = 2
"""Widths of a contact around it in which the pieces are looked at: what is farther away, as the
rest of a neurite, says nothing of the cut."""

_LOOKED_AT = 2**24
"""Pixels of a channel that are enough to know its background."""

_ALIKE = 0.75
"""Halves of one nucleus agree in brightness at least so well: three quarters of those of
DSB2018 do."""


def channels_of(image: Any, labels: Any) -> list[Slabs]:
    """Return the channels of what labels are labels of.

    Parameters
    ----------
    image
        ``(*spatial)`` or ``(channels, *spatial)``; None has none.
    labels
        ``(*spatial)``.

    Raises
    ------
    ShiftSegError
        If the image is of another shape, or no numbers.
    """
    if image is None:
        return []
    image = transposable(image if hasattr(image, "dtype") else np.asarray(image))
    if image.dtype.kind not in "buif":
        raise ShiftSegError(f"the image holds {image.dtype} pixels; legal: integers and floats")
    if labels.shape not in (image.shape, image.shape[1:]):
        raise ShiftSegError(
            f"the image has the shape {image.shape}, its labels have {labels.shape}; legal: the "
            "same, or channels before it"
        )
    if image.dtype == bool:  # which has no quartiles
        image = image.astype(np.uint8)
    return [Slabs.of(channel) for channel in (image if image.ndim > labels.ndim else image[None])]


@dataclass(frozen=True)
class Suspect:
    """Two pieces that may be one object.

    Parameters
    ----------
    labels
        Of the pieces.
    contact
        Where they touch on the grid.
    fraction
        That, over all their contact.
    """

    labels: tuple[int, int]
    contact: Contacts
    fraction: float


def confidences(
    labels: Slabs, suspects: Sequence[Suspect], channels: Sequence[Slabs] = ()
) -> list[float]:
    """Grade pairs of pieces that a grid parts.

    Parameters
    ----------
    labels
        ``(*spatial)`` integers.
    suspects
        The pairs.
    channels
        Of the image, as :func:`channels_of` returns them. How bright one is outside all
        objects is taken from every plane, or in large images from some.

    Returns
    -------
    list of float
        0 to 1, one for each pair.

    Notes
    -----
    Four things speak for one object, each from 0 to 1: the share of the contact that lies on
    the grid; how well both pieces' sides along the line match, as the pieces of one object
    begin and end together; whether the contact is as large as the cut through a ball of their
    size, as that of two objects that only touch is not; and, with an image, whether both are
    equally bright. Their product's square root is the confidence.
    """
    if not suspects:
        return []
    counts, levels = _pixels_on(_planes(suspects), labels, channels)
    rows, pictures = Boxes(labels), [Boxes(channel) for channel in channels]
    graded = [0.0] * len(suspects)
    boxes = [_around(suspect.contact) for suspect in suspects]
    for index in sorted(range(len(suspects)), key=lambda k: boxes[k][0].start):
        suspect, box = suspects[index], boxes[index]
        around = rows[box]
        pieces = [around == label for label in suspect.labels]
        bright = [_alike(p[box], at, pieces) for p, at in zip(pictures, levels, strict=True)]
        shape = _sides_match(suspect, counts) * _like_a_ball(len(suspect.contact), pieces)
        graded[index] = sqrt(suspect.fraction * shape * min(1.0, min(bright, default=1.0) / _ALIKE))
    return graded


_Plane = tuple[int, int]
"""An axis, and a place along it."""


def _lines(contact: Contacts) -> set[_Plane]:
    return set(zip(contact.axis.tolist(), contact.position.tolist(), strict=True))


def _planes(suspects: Sequence[Suspect]) -> set[_Plane]:
    """Return the planes of pixels on both sides of the lines that part them."""
    lines = set().union(*(_lines(suspect.contact) for suspect in suspects))
    return {(axis, line - before) for axis, line in lines for before in (0, 1)}


def _pixels_on(
    planes: set[_Plane], labels: Slabs, channels: Sequence[Slabs]
) -> tuple[dict[_Plane, Counter[int]], list[float]]:
    """Count the pixels of each object in some planes, and find the level of each channel."""
    counts: dict[_Plane, Counter[int]] = {plane: Counter() for plane in planes}
    grounds = [_Ground(channel) for channel in channels]
    for start, slab in labels:
        for axis, place in planes:
            here = place - start if axis == 0 else place
            if axis or 0 <= here < len(slab):
                names, pixels = np.unique(slab.take(here, axis), return_counts=True)
                counts[axis, place].update(dict(zip(names.tolist(), pixels.tolist(), strict=True)))
        for ground in grounds:
            ground.add(start, slab)
    return counts, [ground.level for ground in grounds]


def _sides_match(suspect: Suspect, counts: dict[_Plane, Counter[int]]) -> float:
    """Contact over the longer one of both pieces' sides, along the lines that part them."""
    longest = 0
    for axis, line in _lines(suspect.contact):
        sides = (counts[axis, line - before] for before in (0, 1))
        longest += max(sum(side[label] for label in suspect.labels) for side in sides)
    return min(1.0, (len(suspect.contact) + _SLACK) / longest)


def _around(contact: Contacts) -> tuple[slice, ...]:
    """Return a box that reaches a few widths of a contact beyond it."""
    along, ndim = int(np.bincount(contact.axis).argmax()), contact.places.shape[1]
    places = contact.places[contact.axis == along]
    width = len(contact) ** (1 / max(1, ndim - 1))
    reach = max(2, round(_REACH * width))
    low, high = places.min(0) - reach, places.max(0) + reach + 1
    high[along] -= 1  # a line lies before its pixel
    return tuple(slice(max(0, a), b) for a, b in zip(low.tolist(), high.tolist(), strict=True))


def _like_a_ball(contact: int, pieces: list[NDArray[np.bool_]]) -> float:
    """Contact over that of a disc or ball of the same size, cut in the same ratio."""
    ndim = pieces[0].ndim
    first, second = (max(1, int(piece.sum())) for piece in pieces)
    radius = ((first + second) / _unit_ball(ndim)) ** (1 / ndim)
    smaller = min(first, second) / (first + second)
    # The share of a cap in a ball is half the regularised incomplete beta function of what
    # the square of its base's radius is in that of the ball.
    base = radius * sqrt(float(betaincinv((ndim + 1) / 2, 0.5, 2 * smaller)))
    return float(min(1.0, contact / (_unit_ball(ndim - 1) * base ** (ndim - 1))))


def _unit_ball(ndim: int) -> float:
    """Volume of the ball of radius 1."""
    return float(pi ** (ndim / 2) / gamma(ndim / 2 + 1))


class _Ground:
    """How bright a channel is where no object is, from planes that are spread evenly."""

    def __init__(self, channel: Slabs) -> None:
        self._channel = channel
        self._step = -(-channel.array.size // _LOOKED_AT)
        self._outside: list[NDArray[Any]] = []
        self._darkest = inf

    def add(self, start: int, labels: NDArray[Any]) -> None:
        """Look at a slab."""
        part = slice(-start % self._step, None, self._step)
        pixels = self._channel.read(start, start + len(labels))[part]
        known = np.isfinite(pixels)
        if known.any():
            self._darkest = min(self._darkest, float(pixels[known].min()))
        self._outside.append(pixels[known & (labels[part] == 0)])

    @property
    def level(self) -> float:
        """The median of the background, or the darkest pixel where there is none."""
        ground = np.concatenate(self._outside)
        if ground.size:
            return float(np.median(ground))
        return self._darkest if isfinite(self._darkest) else 0.0


def _alike(pixels: NDArray[Any], level: float, pieces: list[NDArray[np.bool_]]) -> float:
    """One minus the difference of two pieces in brightness, as a share of what they have.

    What they have is their height above the level of the background, or the spread of their
    pixels if that is larger: pieces of noise do not differ.
    """
    quartiles = [np.percentile(pixels[piece], (25, 50, 75)) for piece in pieces if piece.any()]
    if len(quartiles) < 2 or not np.isfinite(quartiles).all():
        return 1.0
    low, middle, high = np.transpose(quartiles)
    scale = float(max(np.abs(middle - level).max(), (high - low).max()))
    difference = float(abs(middle[0] - middle[1]))
    return 1.0 if scale == 0 else max(0.0, 1 - difference / scale)
