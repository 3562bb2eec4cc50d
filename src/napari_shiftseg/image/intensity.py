"""Intensity normalisation: computed once for the whole image, never per tile.

A per-tile normalisation makes each tile's output depend on the tile's own pixels: one of
the three causes of seams.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from math import prod
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from napari_shiftseg.errors import ShiftSegError

EXACT = 2**24
"""Pixels per channel up to which percentiles are exact; of larger images a sample is read."""

_LARGEST = 1e18
"""Scaled pixels up to which the sums of a network stay numbers in float32."""

_WIDE = 1e37
"""Pixels from which on differences of float32 may not be float32."""

_BLOCKS = 64
"""Blocks of a sample, spread evenly; each holds as many pixels as the rest allows."""


@dataclass(frozen=True)
class Scaling:
    """The affine map ``(pixel - offset) / span`` of one image; fixed before tiling.

    Parameters
    ----------
    offset
        Pixel value per channel that becomes 0.
    span
        Difference of pixel values per channel that becomes 1.
    """

    offset: tuple[float, ...]
    span: tuple[float, ...]

    def __call__(self, channels_first: NDArray[Any]) -> NDArray[np.float32]:
        """Scale ``(C, *spatial)`` pixels to float32."""
        shape = (-1,) + (1,) * (channels_first.ndim - 1)
        offset = np.asarray(self.offset, np.float64).reshape(shape)
        span = np.asarray(self.span, np.float64).reshape(shape)
        scaled = (channels_first.astype(np.float64) - offset) / span
        largest = np.abs(scaled).max(initial=0)
        if not largest <= _LARGEST:
            raise ShiftSegError(
                f"pixels reach {largest:.1e} once scaled by {self.span}, which float32 does not "
                "hold; clip what is far beyond all other pixels"
            )
        return scaled.astype(np.float32)


Kind = Literal["percentile", "standard", "none"]


@dataclass(frozen=True)
class Fixed:
    """The same map for every image: ``(pixel - offset) / span``.

    Parameters
    ----------
    offset, span
        Of every channel.
    """

    offset: float
    span: float

    def measure(self, channels_first: Any) -> Scaling:
        """Return the scaling of ``(C, *spatial)``, whatever is in it."""
        channels = channels_first.shape[0]
        return Scaling((self.offset,) * channels, (self.span,) * channels)


@dataclass(frozen=True)
class Intensity:
    """How a network wants its input's intensities.

    Parameters
    ----------
    kind
        ``"percentile"``: the two percentiles of each channel over the whole image become
        0 and 1. ``"standard"``: the mean of each channel becomes 0, its standard deviation 1.
        ``"none"``: pixels are used as they are.
    low, high
        Percentiles in percent, ``0 <= low < high <= 100``.
    """

    kind: Kind = "percentile"
    low: float = 1.0
    high: float = 99.8

    def __post_init__(self) -> None:
        if self.kind not in get_args(Kind):
            raise ShiftSegError(
                f"intensity is {self.kind!r}; legal: 'percentile', 'standard' or 'none'"
            )
        if not 0 <= self.low < self.high <= 100:
            raise ShiftSegError(
                f"percentiles are {self.low} and {self.high}; legal: 0 <= low < high <= 100"
            )

    def measure(self, channels_first: Any) -> Scaling:
        """Measure the scaling of a whole image.

        Parameters
        ----------
        channels_first
            ``(C, *spatial)``, an array or something that slices like one. Up to 2^24
            pixels per channel every pixel counts; of a larger image 64 blocks do, spread
            evenly, which are the same however the image is tiled.

        Returns
        -------
        Scaling
            Where both percentiles are one value, as on a black image of few cells, the range
            of the whole channel becomes 1; a constant channel becomes constantly 0.
        """
        channels = channels_first.shape[0]
        if self.kind == "none":
            return Scaling((0.0,) * channels, (1.0,) * channels)
        sample = _sample(channels_first)
        if self.kind == "standard":
            wide = [channel.astype(np.float64) for channel in sample]
            return Scaling(
                tuple(float(channel.mean()) for channel in wide),
                tuple(float(channel.std()) or 1.0 for channel in wide),
            )
        limits = [_percentiles(channel, self.low, self.high) for channel in sample]
        return Scaling(
            tuple(low for low, _ in limits),
            tuple(
                high - low if high > low else _range(sample[channel], channels_first, channel)
                for channel, (low, high) in enumerate(limits)
            ),
        )


def _range(sample: NDArray[Any], channels_first: Any, channel: int) -> float:
    """Return the range of a sample, and only if that is constant of all; 1 if it is, too."""
    found = _difference(float(sample.min()), float(sample.max()))
    if found or prod(channels_first.shape[1:]) <= EXACT:
        return found or 1.0
    one = slice(channel, channel + 1)
    blocks = product(*(_every(n, len(channels_first.shape) - 1) for n in channels_first.shape[1:]))
    extremes = [
        (float(part.min()), float(part.max()))
        for part in (np.asarray(channels_first[(one, *block)]) for block in blocks)
    ]
    return _difference(min(low for low, _ in extremes), max(high for _, high in extremes)) or 1.0


def _every(size: int, ndim: int) -> list[slice]:
    """Cut an axis as chunks of powers of two are cut, so that each is decoded once."""
    edge = 1 << (EXACT.bit_length() - 1) // ndim
    return [slice(start, min(start + edge, size)) for start in range(0, size, edge)]


def _percentiles(channel: NDArray[Any], low: float, high: float) -> tuple[float, float]:
    """Measure in doubles, which the difference of two pixels of any type fits into."""
    floats = channel.dtype.kind == "f" and channel.dtype.itemsize >= 4
    small = not floats or float(np.abs(channel).max()) > _WIDE
    wide = channel.astype(np.float64) if small else channel
    with np.errstate(over="ignore", invalid="ignore"):
        first, last = (float(limit) for limit in np.percentile(wide, (low, high)))
    _difference(first, last)
    return first, last


def _difference(low: float, high: float) -> float:
    """Subtract doubles, of which only the halves are sure to differ by one."""
    if not np.isfinite(high - low):
        raise ShiftSegError(
            f"pixels reach from {low:.1e} to {high:.1e}, whose difference no number holds; divide "
            "them by 10 first"
        )
    return high - low


def _sample(channels_first: Any) -> NDArray[Any]:
    """Read ``(C, ...)`` pixels that stand for the whole image."""
    size = channels_first.shape[1:]
    if prod(size) <= EXACT:
        return np.asarray(channels_first[(slice(None),) * (len(size) + 1)])
    spans = _spread(size)
    blocks = [
        np.asarray(channels_first[(slice(None), *block)]).reshape(channels_first.shape[0], -1)
        for block in product(*spans)
    ]
    return np.concatenate(blocks, axis=1)


def _spread(size: tuple[int, ...]) -> list[list[slice]]:
    """Spread the blocks of a sample over an image; short axes are taken whole."""
    whole: set[int] = set()
    while True:
        rest = max(1, len(size) - len(whole))
        count = round(_BLOCKS ** (1 / rest))
        share = EXACT / 4 / _BLOCKS / prod(size[axis] for axis in whole)
        edge = max(1, round(share ** (1 / rest)))
        short = {axis for axis, n in enumerate(size) if n <= count * edge}
        if short <= whole:
            break
        whole |= short
    return [
        [slice(0, n)] if axis in whole else _along(n, count, edge) for axis, n in enumerate(size)
    ]


def _along(size: int, count: int, edge: int) -> list[slice]:
    starts = np.linspace(0, size - edge, count).astype(int)
    return [slice(int(start), int(start) + edge) for start in starts]
