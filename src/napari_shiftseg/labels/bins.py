"""Embeddings summed up in bins: what mean shift needs of them, however they came in parts.

Embeddings are rounded to a fine integer lattice and counted in bins. Sums of integers do
not depend on their order, so neither does a summary: not on tiles, not on workers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree

LATTICE = 4096
"""Lattice steps per bandwidth: far below anything that matters, far above rounding."""

BINS = 8
"""Bins per bandwidth: pixels within an eighth of the bandwidth move together."""

_SHIFT = (LATTICE // BINS).bit_length() - 1
"""Bits of the lattice below a bin: both numbers are powers of two."""

_TABLE = 4
"""Possible bins per pixel up to which a table of them beats sorting."""

_PART = 2**19
"""Embeddings that are binned at a time: binning takes many times their memory."""


@dataclass(frozen=True)
class BinSummary:
    """Occupied bins of the embedding space; summaries of parts can be added up.

    Parameters
    ----------
    key : (B, E) int64
        Bin coordinates, sorted lexicographically.
    count : (B,) int64
        Pixels in the bin.
    total : (B, E) int64
        Sum of their embeddings in lattice steps.
    """

    key: NDArray[np.int64]
    count: NDArray[np.int64]
    total: NDArray[np.int64]

    @classmethod
    def of(cls, embeddings: NDArray[Any], bandwidth: float) -> BinSummary:
        """Summarise ``(N, E)`` embeddings."""
        starts = range(0, len(embeddings), _PART)
        parts = (Binned.of(embeddings[at : at + _PART], bandwidth).summary for at in starts)
        return cls.merged(parts, embeddings.shape[1])

    @classmethod
    def empty(cls, dims: int) -> BinSummary:
        """Summarise no embeddings of this length."""
        nothing = np.zeros((0, dims), np.int64)
        return cls(nothing, np.zeros(0, np.int64), nothing)

    def __add__(self, other: BinSummary) -> BinSummary:
        return _grouped(
            np.concatenate([self.key, other.key]),
            np.concatenate([self.count, other.count]),
            np.concatenate([self.total, other.total]),
        )[0]

    @classmethod
    def merged(cls, parts: Iterable[BinSummary], dims: int) -> BinSummary:
        """Add up any number of summaries; each is sorted into others of its own size."""
        stack = [cls.empty(dims)]
        for part in parts:
            stack.append(part)
            while len(stack) > 1 and len(stack[-1].count) * 2 > len(stack[-2].count):
                stack[-2:] = [stack[-2] + stack[-1]]
        while len(stack) > 1:
            stack[-2:] = [stack[-2] + stack[-1]]
        return stack[0]

    def between(self, low: int, high: int) -> BinSummary:
        """Return the bins with a first coordinate from ``low`` on and below ``high``."""
        start, stop = np.searchsorted(self.key[:, 0], (low, high))
        return BinSummary(self.key[start:stop], self.count[start:stop], self.total[start:stop])

    def coarse(self) -> BinSummary:
        """Merge bins to cells of one bandwidth; the key is the cell's centre in bandwidths."""
        return _grouped(cell_of(self.key), self.count, self.total)[0]


@dataclass(frozen=True)
class Binned:
    """The bins of embeddings, and which one each lies in.

    Parameters
    ----------
    summary
        The bins.
    bin_of : (N,) int32
        Which bin each embedding lies in.
    bandwidth
        Of mean shift.
    """

    summary: BinSummary
    bin_of: NDArray[np.int32]
    bandwidth: float

    @classmethod
    def of(cls, embeddings: NDArray[Any], bandwidth: float) -> Binned:
        """Sort ``(N, E)`` embeddings into bins."""
        lattice = _on_lattice(embeddings, bandwidth)
        summary, bin_of = _grouped(lattice >> _SHIFT, None, lattice)
        return cls(summary, bin_of, bandwidth)

    def assign(self, embeddings: NDArray[Any], modes: NDArray[np.float64]) -> NDArray[np.int64]:
        """Give each of the same embeddings the index of its nearest mode; -1 if there is none.

        All of a bin have the same one if the second nearest is farther by more than the bin
        is wide. Only in the others each is asked for itself.
        """
        if len(modes) < 2:
            return np.full(len(self.bin_of), len(modes) - 1, np.int64)
        step = self.bandwidth / LATTICE
        middle = (self.summary.key + 0.5) * (2**_SHIFT * step)
        tree = KDTree(modes)
        distance, nearest = tree.query(middle, k=2, workers=-1)
        wide = 2**_SHIFT * step * np.sqrt(modes.shape[1])
        unclear = distance[:, 1] - distance[:, 0] <= 1.001 * wide
        found: NDArray[np.int64] = nearest[self.bin_of, 0].astype(np.int64)
        asked = np.flatnonzero(unclear[self.bin_of])
        lattice = _on_lattice(embeddings[asked], self.bandwidth)
        found[asked] = tree.query(lattice * step, workers=-1)[1]
        return found


class Slabs:
    """Summaries that are kept elsewhere, asked for by a range of their first bin coordinate.

    Parameters
    ----------
    between
        Returns the bins with a first coordinate from ``low`` on and below ``high``.
    coordinates, counts : (n,) int64
        First coordinates, in rising order, and how many bins there are at each.
    dims
        Length of the embeddings.
    most
        Bins of a slab, at most about.
    """

    def __init__(
        self,
        between: Callable[[int, int], BinSummary],
        coordinates: NDArray[np.int64],
        counts: NDArray[np.int64],
        dims: int,
        most: int = 2**18,
    ) -> None:
        self.between, self.dims = between, dims
        self.edges: list[int] = []
        if len(coordinates) == 0:
            return
        # Seeds are cells of one bandwidth, which no edge may cut.
        cells, first = np.unique(cell_of(coordinates), return_index=True)
        sizes = np.add.reduceat(counts, first)
        filled = np.cumsum(sizes) - sizes
        start = np.unique(filled // most, return_index=True)[1]
        begins = np.append(cells[start], cells[-1] + 1)
        self.edges = (begins * BINS - BINS // 2).tolist()


def cell_of(key: NDArray[np.int64]) -> NDArray[np.int64]:
    """Round bin coordinates to whole bandwidths, as scikit-learn does to find its seeds."""
    return (key + BINS // 2) // BINS


def assign(
    embeddings: NDArray[Any], modes: NDArray[np.float64], bandwidth: float
) -> NDArray[np.int64]:
    """Give each of ``(N, E)`` embeddings the index of its nearest mode; -1 if there is none."""
    found = np.empty(len(embeddings), np.int64)
    for start in range(0, len(embeddings), _PART):
        part = embeddings[start : start + _PART]
        found[start : start + _PART] = Binned.of(part, bandwidth).assign(part, modes)
    return found


def _on_lattice(embeddings: NDArray[Any], bandwidth: float) -> NDArray[np.int64]:
    # Column by column, as all that follows goes through them.
    steps = embeddings.astype(np.float64, order="F")
    steps *= LATTICE / bandwidth
    return np.rint(steps, out=steps).astype(np.int64)


def _grouped(
    key: NDArray[np.int64], count: NDArray[np.int64] | None, total: NDArray[np.int64]
) -> tuple[BinSummary, NDArray[np.int32]]:
    """Add up the rows that share a key, in the order of keys; and say where each row went.

    Without ``count`` each row is one pixel.
    """
    group = _groups_of(key)
    groups = int(group.max(initial=-1)) + 1
    member = np.empty(groups, np.int64)
    member[group] = np.arange(len(key))

    def added(values: NDArray[np.int64] | None) -> NDArray[np.int64]:
        # In doubles, which hold sums of integers below 2^53 exactly.
        return np.bincount(group, values, minlength=groups).astype(np.int64)

    totals = [added(column) for column in total.T]
    return BinSummary(key[member], added(count), np.stack(totals, axis=1)), group


def _groups_of(key: NDArray[np.int64]) -> NDArray[np.int32]:
    """Give each of ``(n, E)`` keys the place of its value in their lexicographic order."""
    group = np.zeros(len(key), np.int32)
    if len(key) == 0:
        return group
    code = _code(key)
    if code is not None and (largest := int(code.max())) < _TABLE * len(key):
        present = np.zeros(largest + 1, bool)
        present[code] = True
        return np.cumsum(present, dtype=np.int32)[code] - np.int32(1)
    order = np.argsort(code) if code is not None else np.lexsort(key.T[::-1])
    # Of numbers one comparison tells neighbours apart, of rows as many as there are columns.
    ordered = key[order] if code is None else code[order][:, None]
    group[order[1:]] = np.cumsum((ordered[1:] != ordered[:-1]).any(1), dtype=np.int32)
    return group


def _code(key: NDArray[np.int64]) -> NDArray[np.int64] | None:
    """Give ``(n, E)`` keys numbers in their lexicographic order; None if 63 bits are too few."""
    low = key.min(axis=0)
    spans = [int(span) for span in key.max(axis=0) - low + 1]
    if prod(spans) >= 2**63:
        return None
    code = np.zeros(len(key), np.int64)
    for column, span in enumerate(spans):
        code *= span
        code += key[:, column] - low[column]
    return code
