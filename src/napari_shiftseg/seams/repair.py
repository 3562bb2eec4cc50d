"""Labels that a grid has cut, put together again, and cut again if that was wrong."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_shiftseg.errors import ShiftSegError
from napari_shiftseg.seams.mend import Groups, joined, mend
from napari_shiftseg.seams.straight import LabelCheck, StraightCut

CONFIDENT = 0.5
"""Confidence from which on a cut is mended unasked.

Of images whose tiles were segmented each on its own, more than nine of ten pairs that it mends are
right (DSB2018 and BBBC039, ``benchmarks/label_check.py``).
"""


@dataclass(frozen=True)
class Piece:
    """Where a piece was before it was merged.

    Parameters
    ----------
    label, merged_into
        Its own label, and the one it got.
    starts, lengths
        Runs of its pixels in the flattened image.
    """

    label: int
    merged_into: int
    starts: tuple[int, ...]
    lengths: tuple[int, ...]


@dataclass(frozen=True)
class Repair:
    """What was merged, enough to undo it.

    Parameters
    ----------
    shape
        Of the labels.
    pieces
        All pieces that got another label.
    groups
        Labels that became one, each group under its first label.
    cuts
        The straight cuts that led to it.
    """

    shape: tuple[int, ...]
    pieces: tuple[Piece, ...]
    groups: Groups
    cuts: tuple[StraightCut, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Repair:
        """Read what :meth:`to_dict` wrote.

        Raises
        ------
        ShiftSegError
            If it is no such report.
        """
        try:
            shape = tuple(_whole(n) for n in values["shape"])
            pieces = tuple(_piece(piece, prod(shape)) for piece in values["pieces"])
            groups = tuple(_group(group) for group in values["groups"])
        except (KeyError, TypeError, ValueError) as error:
            raise ShiftSegError(f"this is no report of a repair: {error}") from None
        return cls(shape, pieces, groups, ())


def _piece(values: dict[str, Any], pixels: int) -> Piece:
    """Read a piece of labels that have so many pixels."""
    starts = tuple(_whole(n) for n in values["starts"])
    lengths = tuple(_whole(n) for n in values["lengths"])
    for start, length in zip(starts, lengths, strict=True):
        if start + length > pixels:
            raise ValueError(f"pixels {start} to {start + length} of {pixels}")
    return Piece(_whole(values["label"]), _whole(values["merged_into"]), starts, lengths)


def _group(labels: Any) -> tuple[int, ...]:
    if len(labels) < 2:
        raise ValueError(f"{labels} is no group of labels that became one")
    return tuple(_whole(label) for label in labels)


def _whole(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**64:
        raise ValueError(f"{str(value)[:40]!r} is no whole number from 0 to 2^64 - 1")
    return value


def repair_labels(
    labels: NDArray[Any], check: LabelCheck, *, confidence: float = CONFIDENT
) -> tuple[NDArray[Any], Repair]:
    """Merge the pieces of objects that a grid has cut.

    Parameters
    ----------
    labels
        ``(*spatial)`` integers, as they were checked.
    check
        What :func:`~napari_shiftseg.seams.straight.check_labels` found.
    confidence
        Of a cut, from which on it is mended.

    Returns
    -------
    repaired : (*spatial), of the same type
        A copy; pieces have the smallest label among them.
    repair : Repair
        The report, with which :func:`undo_repair` undoes it.

    References
    ----------
    Beyond the paper: measured in ``benchmarks/label_check.py``.
    """
    cuts = tuple(cut for cut in check.splits if cut.confidence >= confidence)
    groups = joined(cut.labels for cut in cuts)
    return mend(labels, groups), Repair(labels.shape, tuple(_pieces(labels, groups)), groups, cuts)


def undo_repair(labels: NDArray[Any], repair: Repair) -> NDArray[Any]:
    """Give every piece the label back that it had; what was edited since stays as it is.

    Raises
    ------
    ShiftSegError
        If the labels have another shape than those that were repaired.
    """
    if labels.shape != repair.shape:
        raise ShiftSegError(
            f"the labels have the shape {labels.shape}, those repaired had {repair.shape}"
        )
    most = max((piece.label for piece in repair.pieces), default=0)
    holds = 1 if labels.dtype == bool else np.iinfo(labels.dtype).max
    fits = most <= holds  # the largest label may be gone, and its type with it
    before = labels.copy() if fits else labels.astype(np.min_scalar_type(most))
    flat = before.reshape(-1)
    for piece in repair.pieces:
        for start, length in zip(piece.starts, piece.lengths, strict=True):
            run = flat[start : start + length]
            run[run == piece.merged_into] = piece.label
    return before


def _pieces(labels: NDArray[Any], groups: Groups) -> Iterator[Piece]:
    """Describe every piece that gets another label, in one look at the labels."""
    into = {label: group[0] for group in groups for label in group[1:]}
    flat = labels.ravel()
    places = np.flatnonzero(np.isin(flat, np.array(list(into), labels.dtype)))
    names = flat[places]
    order = np.argsort(names, kind="stable")
    places, names = places[order], names[order]
    first = np.ones(len(places), bool)
    first[1:] = (np.diff(places) != 1) | (names[1:] != names[:-1])
    starts = np.flatnonzero(first)
    lengths = np.diff(starts, append=len(places))
    for label, group in into.items():
        low, high = np.searchsorted(names[starts], [label, label + 1])
        runs = places[starts[low:high]].tolist(), lengths[low:high].tolist()
        yield Piece(label, group, tuple(runs[0]), tuple(runs[1]))
