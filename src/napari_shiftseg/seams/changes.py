"""Where along each axis labels begin, change or end at all."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


class Changes:
    """Gathered slab by slab.

    Parameters
    ----------
    shape
        Of the labels, in pixels.
    """

    def __init__(self, shape: tuple[int, ...]) -> None:
        # Beyond the image there is background.
        self._found = [np.zeros(size + 1, bool) for size in shape]

    def add(self, start: int, slab: NDArray[Any], before: NDArray[Any] | None) -> None:
        """Look at a slab whose first plane is ``start``, and at the plane before it."""
        if before is None:
            before = np.zeros_like(slab[0])
        self._found[0][start] |= bool((slab[0] != before).any())
        for axis, found in enumerate(self._found):
            pixels = np.moveaxis(slab, axis, 0)
            others = tuple(range(1, slab.ndim))
            first = start if axis == 0 else 0
            found[first + 1 : first + len(pixels)] |= (pixels[1:] != pixels[:-1]).any(others)
            if axis:
                found[0] |= bool(pixels[0].any())
            if first + len(pixels) == len(found) - 1:
                found[-1] |= bool(pixels[-1].any())

    def positions(self) -> tuple[NDArray[np.int64], ...]:
        """Return the pixels that differ somewhere from the one before, per axis."""
        return tuple(np.flatnonzero(found) for found in self._found)


def possible_lines(
    changes: NDArray[np.int64], size: int, margin: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return where a line can part two labels along an axis, and where it can end a single one.

    Labels that were enlarged change only at every so many pixels. Within ``margin`` of the image's
    border nothing counts. Near the first and the last labelled pixel a straight end of a single
    object is the doing of who wiped labels off there.
    """
    inner = changes[(changes > 0) & (changes < size)]
    step = max(1, int(np.gcd.reduce(np.diff(inner)))) if len(inner) > 1 else 1
    lines = np.arange(inner[0] % step if len(inner) else 1, size, step)
    parting = _between(lines, margin, size - margin)
    ends = (int(changes[0]), int(changes[-1])) if len(changes) else (0, 0)
    return parting, _between(parting, ends[0] + margin, ends[1] - margin)


def _between(lines: NDArray[np.int64], low: int, high: int) -> NDArray[np.int64]:
    return np.asarray(lines[(lines >= low) & (lines <= high)], np.int64)
