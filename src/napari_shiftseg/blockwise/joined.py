"""The labels of a finished run as an array that reads blocks when it is sliced."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_shiftseg.blockwise.job import Job
from napari_shiftseg.blockwise.join import Numbering
from napari_shiftseg.blockwise.label import LABELLED

_KEPT = 2
"""Blocks that stay in memory: a writer that goes by rows of chunks comes back to them."""


class JoinedLabels:
    """``(*loops, *spatial)`` labels, the smallest of uint16, uint32 and uint64 that holds them.

    Parameters
    ----------
    job
        A run of which every block is labelled.
    numberings
        Of each frame, in the order of the loop axes.
    """

    def __init__(self, job: Job, numberings: Sequence[Numbering]) -> None:
        self._job, self._numberings = job, numberings
        found = np.cumsum([0, *(numbering.objects for numbering in numberings)])
        self._before = found[:-1]
        self.objects = int(found[-1])
        self.shape = job.frames.loops + job.frames.spatial
        self.ndim = len(self.shape)
        self.dtype = np.promote_types(np.uint16, np.min_scalar_type(self.objects))
        self._block = lru_cache(_KEPT)(self._read)

    def __getitem__(self, part: tuple[slice, ...]) -> NDArray[Any]:
        """Read a part, one slice of step 1 per axis."""
        spans = [slice(*s.indices(n)[:2]) for s, n in zip(part, self.shape, strict=True)]
        loops = len(self._job.frames.loops)
        labels = np.zeros([max(0, s.stop - s.start) for s in spans], self.dtype)
        for place in np.ndindex(*labels.shape[:loops]):
            at = tuple(p + s.start for p, s in zip(place, spans, strict=False))
            frame = int(np.ravel_multi_index(at, self._job.frames.loops)) if loops else 0
            self._fill(labels[place], frame, spans[loops:])
        return labels

    def _fill(self, labels: NDArray[Any], frame: int, wanted: list[slice]) -> None:
        grid = self._job.grid
        for block in grid.touching(tuple(wanted)):
            region = grid.region(block)
            both = [
                slice(max(w.start, r.start), min(w.stop, r.stop))
                for w, r in zip(wanted, region, strict=True)
            ]
            there = tuple(
                slice(b.start - w.start, b.stop - w.start)
                for b, w in zip(both, wanted, strict=True)
            )
            here = tuple(
                slice(b.start - r.start, b.stop - r.start)
                for b, r in zip(both, region, strict=True)
            )
            labels[there] = self._block(frame, block)[here]

    def _read(self, frame: int, block: int) -> NDArray[Any]:
        number = self._numberings[frame].of_block[block].astype(self.dtype)
        number[1:][number[1:] > 0] += self.dtype.type(self._before[frame])
        with self._job.folder.load(LABELLED, self._job.numbers(frame)[block]) as kept:
            labels: NDArray[Any] = number[kept["pixels"]]
        return labels
