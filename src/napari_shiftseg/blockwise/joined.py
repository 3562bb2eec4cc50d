"""Labels and embedding of a finished run as arrays that read blocks when they are sliced."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_shiftseg.blockwise.job import Job
from napari_shiftseg.blockwise.join import Numbering
from napari_shiftseg.blockwise.label import LABELLED
from napari_shiftseg.blockwise.predict import EMBEDDED

_KEPT = 2
"""Blocks that stay in memory: a writer that goes by rows of chunks comes back to them."""


class _Joined(ABC):
    """``(*loops, *spatial)`` values, of which a writer asks for any part.

    Parameters
    ----------
    job
        A run of which every block is done.
    dtype
        Of the values.
    """

    def __init__(self, job: Job, dtype: Any) -> None:
        self._job, self.dtype = job, np.dtype(dtype)
        self.shape = job.frames.loops + job.size
        self._block = lru_cache(_KEPT)(self._read)

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.shape)

    def __getitem__(self, part: tuple[slice, ...]) -> NDArray[Any]:
        """Read a part, one slice of step 1 per axis."""
        spans = [slice(*s.indices(n)[:2]) for s, n in zip(part, self.shape, strict=True)]
        loops = len(self._job.frames.loops)
        values = np.zeros([max(0, s.stop - s.start) for s in spans], self.dtype)
        for place in np.ndindex(*values.shape[:loops]):
            at = tuple(p + s.start for p, s in zip(place, spans, strict=False))
            frame = int(np.ravel_multi_index(at, self._job.frames.loops)) if loops else 0
            self._fill(values[place], frame, spans[loops:])
        return values

    def _fill(self, values: NDArray[Any], frame: int, wanted: list[slice]) -> None:
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
            values[there] = self._block(frame, block)[here]

    @abstractmethod
    def _read(self, frame: int, block: int) -> NDArray[Any]:
        """Read a block."""


class JoinedLabels(_Joined):
    """``(*loops, *spatial)`` labels, the smallest of uint16, uint32 and uint64 that holds them.

    Parameters
    ----------
    job
        A run of which every block is labelled.
    numberings
        Of each frame, in the order of the loop axes.
    """

    def __init__(self, job: Job, numberings: Sequence[Numbering]) -> None:
        found = np.cumsum([0, *(numbering.objects for numbering in numberings)])
        self._numberings, self._before = numberings, found[:-1]
        self.objects = int(found[-1])
        super().__init__(job, np.promote_types(np.uint16, np.min_scalar_type(self.objects)))

    def _read(self, frame: int, block: int) -> NDArray[Any]:
        number = self._numberings[frame].of_block[block].astype(self.dtype)
        number[1:][number[1:] > 0] += self.dtype.type(self._before[frame])
        with self._job.folder.load(LABELLED, self._job.numbers(frame)[block]) as kept:
            labels: NDArray[Any] = number[kept["pixels"]]
        return labels


class JoinedEmbedding:
    """``(E, *loops, *spatial)`` float32 embedding.

    Parameters
    ----------
    job
        A run that keeps the embedding of each block, and of which every one is predicted.
    """

    def __init__(self, job: Job) -> None:
        dims = job.model.description.architecture.embedding_dims
        self._channels = [_Channel(job, channel) for channel in range(dims)]
        self.dtype = np.dtype(np.float32)
        self.shape = (dims, *self._channels[0].shape)
        self.ndim = len(self.shape)

    def __getitem__(self, part: tuple[slice, ...]) -> NDArray[Any]:
        """Read a part, one slice of step 1 per axis."""
        channels, *rest = part
        return np.stack([channel[tuple(rest)] for channel in self._channels[channels]])


class _Channel(_Joined):
    """One number of the embedding: blocks keep each for itself."""

    def __init__(self, job: Job, channel: int) -> None:
        self._channel = str(channel)
        super().__init__(job, np.float32)

    def _read(self, frame: int, block: int) -> NDArray[Any]:
        with self._job.folder.load(EMBEDDED, self._job.numbers(frame)[block]) as kept:
            values: NDArray[Any] = kept[self._channel]
        return values
