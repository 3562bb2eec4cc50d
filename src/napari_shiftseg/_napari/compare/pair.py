"""Two results of one image, and every object that the seams of either cut."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from napari_shiftseg._napari.job import Result
from napari_shiftseg.seams.splits import SeamSplit

NAMES = ("A", "B")
"""What the two results are called."""


@dataclass(frozen=True)
class Cut:
    """A split of one of two results.

    Parameters
    ----------
    side
        0 for A, 1 for B.
    split
        What was cut, where and why.
    """

    side: int
    split: SeamSplit


@dataclass(frozen=True)
class Pair:
    """What is compared.

    Parameters
    ----------
    results
        A and B.
    """

    results: tuple[Result, Result]

    @cached_property
    def cuts(self) -> tuple[Cut, ...]:
        """All splits, the severest first."""
        cuts = [Cut(i, split) for i, r in enumerate(self.results) for split in r.report.splits]
        return tuple(sorted(cuts, key=lambda cut: -cut.split.severity))

    def cut_at(self, pixel: tuple[int, ...]) -> int | None:
        """Find the object at a pixel in the list of cuts.

        Parameters
        ----------
        pixel
            One index per axis of the labels; it may lie outside of the image.
        """
        shape = self.results[0].segmentation.labels.shape
        if not all(0 <= p < n for p, n in zip(pixel, shape, strict=True)):
            return None
        here = [int(result.segmentation.labels[pixel]) for result in self.results]
        found = (i for i, cut in enumerate(self.cuts) if here[cut.side] in cut.split.pieces)
        return next(found, None)
