"""Intensity normalisation: computed once for the whole image, never per tile.

A per-tile normalisation makes each tile's output depend on the tile's own pixels: one of
the three causes of seams.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from napari_shiftseg.errors import ShiftSegError


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
        return ((channels_first.astype(np.float64) - offset) / span).astype(np.float32)


@dataclass(frozen=True)
class Intensity:
    """How a network wants its input's intensities.

    Parameters
    ----------
    kind
        ``"percentile"``: the two percentiles of each channel over the whole image become
        0 and 1. ``"none"``: pixels are used as they are.
    low, high
        Percentiles in percent, ``0 <= low < high <= 100``.
    """

    kind: Literal["percentile", "none"] = "percentile"
    low: float = 1.0
    high: float = 99.8

    def __post_init__(self) -> None:
        if self.kind not in ("percentile", "none"):
            raise ShiftSegError(f"intensity is {self.kind!r}; legal: 'percentile' or 'none'")
        if not 0 <= self.low < self.high <= 100:
            raise ShiftSegError(
                f"percentiles are {self.low} and {self.high}; legal: 0 <= low < high <= 100"
            )

    def measure(self, channels_first: NDArray[Any]) -> Scaling:
        """Measure the scaling of a whole image of shape ``(C, *spatial)``.

        A constant channel gets the span 1, so that it becomes constantly 0.
        """
        if self.kind == "none":
            return Scaling((0.0,) * len(channels_first), (1.0,) * len(channels_first))
        limits = [np.percentile(channel, (self.low, self.high)) for channel in channels_first]
        return Scaling(
            tuple(float(low) for low, _ in limits),
            tuple(float(high - low) if high > low else 1.0 for low, high in limits),
        )
