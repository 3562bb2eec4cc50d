"""Plans of the tilers that the field uses, by strategy: where their windows start."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil

import numpy as np

from napari_shiftseg.network_audit.windows import Windows
from napari_shiftseg.tiles.geometry import Size, read_for
from napari_shiftseg.tiles.plan import Strip


@dataclass(frozen=True)
class Tiler:
    """A way to lay windows over an axis.

    Parameters
    ----------
    name
        The strategy.
    typical_of
        A program that is known for it.
    starts
        From axis length and window size to the windows' first pixels.
    weight
        From window size to the weight of each of its pixels; None to average evenly.
    rim
        From window size to pixels that are thrown away at each inner side.
    least
        What weights, the product over axes, are raised to at least.
    """

    name: str
    typical_of: str
    starts: Callable[[int, int], list[int]]
    weight: Callable[[int], np.ndarray] | None = None
    rim: Callable[[int], int] = lambda window: 0
    least: float = 0.0

    def windows(self, image: Size, window: Size, context: Size) -> Windows:
        """Lay windows over an image; none is larger than the image.

        Parameters
        ----------
        image
            Size of the image in pixels.
        window
            What the network puts out at a time, in pixels per axis.
        context
            What it reads more than that on both sides together.
        """
        sizes = tuple(min(n, w) for n, w in zip(image, window, strict=True))
        strips = tuple(map(self._strip, image, sizes, context))
        if self.weight is None:
            return Windows(tuple(image), strips)
        shares = tuple((self.weight(w),) * len(s.inner) for w, s in zip(sizes, strips, strict=True))
        return Windows(tuple(image), strips, shares, self.least)

    def _strip(self, size: int, window: int, context: int) -> Strip:
        spans = tuple((start, start + window) for start in self.starts(size, window))
        rim = self.rim(window)
        kept = tuple(
            (start + rim * (start > 0), stop - rim * (stop < size)) for start, stop in spans
        )
        return Strip(tuple(read_for(*span, context) for span in spans), spans, kept)


def gaussian(window: int) -> np.ndarray:
    """Return weights with a sigma of an eighth of the window."""
    position = np.arange(window) - (window - 1) / 2
    return np.asarray(np.exp(-0.5 * (position / (window / 8)) ** 2))


def taper(window: int) -> np.ndarray:
    """Return weights that fall off like a sigmoid towards both ends."""
    inwards = np.minimum(np.arange(window), np.arange(window)[::-1])
    return np.asarray(1 / (1 + np.exp((20 - inwards) / 7.5)))


def overlapping(overlap: float) -> Callable[[int, int], list[int]]:
    """Let windows overlap by a fraction and move the last one back into the image."""

    def starts(size: int, window: int) -> list[int]:
        stride = max(1, int(window * (1 - overlap)))
        return [*range(0, size - window, stride), size - window]

    return starts


def even_steps(size: int, window: int) -> list[int]:
    """Lay windows in steps of at most half a window, all the same before rounding."""
    count = ceil((size - window) / (window / 2)) + 1
    return [round(at) for at in np.linspace(0, size - window, count)]


def linspaced(size: int, window: int) -> list[int]:
    """Let windows overlap by about a tenth, positions cut to whole pixels."""
    count = 1 if size <= window else ceil(1.2 * size / window)
    return [int(at) for at in np.linspace(0, size - window, count)]


def declared_halo(window: int) -> int:
    """Return a halo as authors declare it unmeasured: an eighth of the window."""
    return window // 8


def blocks(size: int, window: int) -> list[int]:
    """Let the inner parts of windows meet and move the last one back into the image."""
    stride = max(1, window - 2 * declared_halo(window))
    return [*range(0, size - window, stride), size - window]


TILERS = (
    Tiler("overlap 25 %, snapped", "MONAI", overlapping(0.25)),
    Tiler("overlap 50 %, Gaussian", "MONAI", overlapping(0.5), gaussian, least=1e-3),
    Tiler("even steps, Gaussian", "nnU-Net", even_steps, gaussian),
    Tiler("linspace, tapered", "Cellpose", linspaced, taper),
    Tiler("declared halo", "bioimage.io", blocks, None, declared_halo),
)
"""The strategies, each named with a program that is typical of it."""
