"""Whether two pieces that a line parts are one object: by their shapes, and by the image."""

from __future__ import annotations

from math import gamma, pi, sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv

from napari_shiftseg.errors import ShiftSegError
from napari_shiftseg.seams.contacts import Contacts

_SLACK = 1
"""Pixels by which the ends of two pieces' sides may differ for a border that runs askew."""

_REACH = 2
"""Widths of a contact around it in which the pieces are looked at: what is farther away, as the
rest of a neurite, says nothing of the cut."""

_ALIKE = 0.75
"""Halves of one nucleus agree in brightness at least so well: three quarters of those of
DSB2018 do."""


class Confidence:
    """Grades pairs of pieces that a grid parts.

    Parameters
    ----------
    labels
        ``(*spatial)`` integers.
    image
        What they are labels of: ``(*spatial)`` or ``(channels, *spatial)``.

    Raises
    ------
    ShiftSegError
        If the image is of another shape, or no numbers.

    Notes
    -----
    Four things speak for one object, each from 0 to 1: the share of the contact that lies on
    the grid; how well both pieces' sides along the line match, as the pieces of one object
    begin and end together; whether the contact is as large as the cut through a ball of their
    size, as that of two objects that only touch is not; and, with an image, whether both are
    equally bright. Their product's square root is the confidence.
    """

    def __init__(self, labels: NDArray[Any], image: Any = None) -> None:
        self._labels = labels
        self._counts: dict[tuple[int, int], dict[int, int]] = {}
        self._channels = () if image is None else _channels(np.asarray(image), labels)

    def of(self, contact: Contacts, pair: tuple[int, int], fraction: float) -> float:
        """Grade one pair.

        Parameters
        ----------
        contact
            Where they touch on the grid.
        pair
            The two labels.
        fraction
            Share of all their contact that is on the grid.
        """
        box = self._around(contact)
        pieces = [self._labels[box] == label for label in pair]
        shape = self._sides_match(contact, pair) * _like_a_ball(len(contact), pieces)
        return sqrt(fraction * shape * self._agreement(box, pieces))

    def _sides_match(self, contact: Contacts, pair: tuple[int, int]) -> float:
        """Contact over the longer one of both pieces' sides, along the lines that part them."""
        longest = 0
        for axis, line in set(zip(contact.axis.tolist(), contact.position.tolist(), strict=True)):
            longest += max(self._pixels(axis, line - before, pair) for before in (0, 1))
        return min(1.0, (len(contact) + _SLACK) / longest)

    def _pixels(self, axis: int, place: int, pair: tuple[int, int]) -> int:
        """Count a pair's pixels in a plane; each plane is looked at once."""
        key = axis, place
        if key not in self._counts:
            names, counts = np.unique(self._labels.take(place, axis), return_counts=True)
            self._counts[key] = dict(zip(names.tolist(), counts.tolist(), strict=True))
        return sum(self._counts[key].get(label, 0) for label in pair)

    def _around(self, contact: Contacts) -> tuple[slice, ...]:
        """Return a box that reaches a few widths of a contact beyond it."""
        along = int(np.bincount(contact.axis).argmax())
        places = contact.places[contact.axis == along]
        width = len(contact) ** (1 / max(1, self._labels.ndim - 1))
        reach = max(2, round(_REACH * width))
        low, high = places.min(0) - reach, places.max(0) + reach + 1
        high[along] -= 1  # a line lies before its pixel
        return tuple(slice(max(0, a), b) for a, b in zip(low.tolist(), high.tolist(), strict=True))

    def _agreement(self, box: tuple[slice, ...], pieces: list[NDArray[np.bool_]]) -> float:
        """How alike the pieces are, in the channel in which they differ most."""
        alike = [_alike(pixels[box], level, pieces) for pixels, level in self._channels]
        return min(1.0, min(alike, default=1.0) / _ALIKE)


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


def _channels(image: NDArray[Any], labels: NDArray[Any]) -> tuple[tuple[NDArray[Any], float], ...]:
    """Return each channel, and how bright it is where no object is."""
    if image.dtype.kind not in "buif":
        raise ShiftSegError(f"the image holds {image.dtype} pixels; legal: integers and floats")
    if labels.shape not in (image.shape, image.shape[1:]):
        raise ShiftSegError(
            f"the image has the shape {image.shape}, its labels have {labels.shape}; legal: the "
            "same, or channels before it"
        )
    if image.dtype == bool:  # which has no quartiles
        image = image.astype(np.uint8)
    channels = image if image.ndim > labels.ndim else image[None]
    outside = labels == 0
    return tuple((pixels, _level(pixels, outside)) for pixels in channels)


def _level(pixels: NDArray[Any], outside: NDArray[np.bool_]) -> float:
    """Return the median of the background, or the darkest pixel where there is none."""
    known = np.isfinite(pixels)
    if not known.any():
        return 0.0
    ground = pixels[known & outside]
    return float(np.median(ground) if ground.size else pixels[known].min())


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
