"""Objects that seams cut, put together again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_shiftseg.seams.report import SeamReport

Groups = tuple[tuple[int, ...], ...]
"""Labels that belong together, each group in ascending order."""


def propose_merges(report: SeamReport) -> Groups:
    """Group the pieces that a report found split by seams.

    Splits that share a piece are one group: merging them separately would leave the second
    without the piece.
    """
    return joined(split.pieces for split in report.splits)


def joined(connected: Iterable[Sequence[int]]) -> Groups:
    """Group labels that are connected, directly or through others."""
    group_of: dict[int, set[int]] = {}
    for labels in connected:
        group = set().union(*(group_of.get(label, {label}) for label in labels))
        group_of |= dict.fromkeys(group, group)
    return tuple(sorted({tuple(sorted(group)) for group in group_of.values()}))


def unmended(labels: NDArray[Any], groups: Groups) -> Groups:
    """Return the groups of which at least two pieces are there, and of those these pieces."""
    named = np.array([label for group in groups for label in group], np.int64)
    there = set(np.unique(labels[np.isin(labels, named)]).tolist())
    present = (tuple(label for label in group if label in there) for group in groups)
    return tuple(group for group in present if len(group) > 1)


def mend(labels: NDArray[Any], groups: Sequence[Sequence[int]]) -> NDArray[Any]:
    """Merge each group of labels into its first one.

    Parameters
    ----------
    labels
        ``(*spatial)`` integers.
    groups
        Of labels, as :func:`propose_merges` gives them; no label is in two groups.

    Returns
    -------
    (*spatial), of the same type
        A mended copy.
    """
    mended = labels.copy()
    mend_here(mended, groups)
    return mended


def mend_here(labels: NDArray[Any], groups: Sequence[Sequence[int]]) -> None:
    """Do as :func:`mend`, in place."""
    old = np.array([label for group in groups for label in group], labels.dtype)
    new = np.array([group[0] for group in groups for _ in group], labels.dtype)
    order = np.argsort(old)
    places = np.isin(labels, old)
    labels[places] = new[order][np.searchsorted(old[order], labels[places])]
