"""Labels that a grid has cut, put together again, and cut again if that was wrong."""

from __future__ import annotations

import json
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from math import prod
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_shiftseg.errors import ShiftSegError
from napari_shiftseg.image.array import as_array
from napari_shiftseg.image.lazy import transposable
from napari_shiftseg.image.slabs import Slabs
from napari_shiftseg.seams.mend import Groups, joined, mend_here
from napari_shiftseg.seams.parts import separate_parts
from napari_shiftseg.seams.straight import LabelCheck
from napari_shiftseg.seams.straight_cuts import StraightCut

_LOOKED_AT = 64
"""Cuts that are looked for in labels before they are mended, to see that they are the same."""

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
        Labels that became one, each group under its first label; of every frame its own.
    cuts
        The straight cuts that led to it.

    References
    ----------
    Beyond the paper: measured in ``benchmarks/label_check.py``.
    """

    shape: tuple[int, ...]
    pieces: tuple[Piece, ...]
    groups: Groups
    cuts: tuple[StraightCut, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return asdict(self)

    @property
    def sha256(self) -> str:
        """Hash of what was merged, by which the labels know their report again."""
        groups = [[int(label) for label in group] for group in self.groups]
        return sha256(json.dumps([list(self.shape), groups]).encode()).hexdigest()

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
    labels: Any, check: LabelCheck, *, confidence: float = CONFIDENT
) -> tuple[Any, Repair]:
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
        A copy; pieces have the smallest label among them. Of labels that are no numpy array
        it is a dask array, which mends what is read. Labels that were
        :attr:`~napari_shiftseg.seams.straight.LabelCheck.renumbered` stay so, and in a type that
        holds them.
    repair : Repair
        The report, with which :func:`undo_repair` undoes it.

    Raises
    ------
    ShiftSegError
        If the confidence is not from 0 to 1, or these are not the labels that were checked.

    References
    ----------
    Beyond the paper: measured in ``benchmarks/label_check.py``.
    """
    refuse_confidence(confidence)
    if not isinstance(check, LabelCheck):
        raise ShiftSegError(f"check is a {type(check).__name__}; legal: what check_labels returns")
    labels = transposable(as_array(labels))
    if labels.dtype.kind not in "bui":
        raise ShiftSegError(f"labels are integers, these are {labels.dtype}")
    if len(check.tile) != labels.ndim:
        raise ShiftSegError(
            f"the labels have {labels.ndim} axes, those that were checked had {len(check.tile)}"
        )
    given = labels
    if check.renumbered:
        labels = separate_parts(labels, check.frames)
    cuts = tuple(cut for cut in check.splits if cut.confidence >= confidence)
    _refuse_unchecked(labels, cuts, check.frames)
    merges = merges_of(check, confidence)
    groups = tuple(group for groups in merges.values() for group in groups)
    if check.renumbered:
        mended = _mended(labels, merges)
        return mended, Repair(
            labels.shape, tuple(_changed(np.asarray(given), mended)), groups, cuts
        )
    repair = Repair(labels.shape, tuple(_pieces_of_frames(labels, merges)), groups, cuts)
    if isinstance(labels, np.ndarray):
        return _mended(labels, merges), repair
    return labels.map_blocks(_mended, merges=merges, dtype=labels.dtype), repair


Merges = dict[tuple[int, ...], Groups]
"""Labels that become one, by the frame that they are in; of labels without frames it is ()."""


def refuse_confidence(confidence: float) -> None:
    """Refuse what is no confidence, before a check that takes long.

    Raises
    ------
    ShiftSegError
        If it is not from 0 to 1.
    """
    if not isinstance(confidence, Real) or not 0 <= confidence <= 1:
        raise ShiftSegError(f"the confidence is {confidence}; legal: 0 to 1")


def merges_of(check: LabelCheck, confidence: float) -> Merges:
    """Return what a repair merges of what a check found.

    Parameters
    ----------
    check
        Of the labels.
    confidence
        Of a cut, from which on it is mended.
    """
    cuts: dict[tuple[int, ...], list[tuple[int, int]]] = {}
    for cut in check.splits:
        if cut.confidence >= confidence:
            frame = tuple(int(i) for i in cut.position[: check.frames])
            cuts.setdefault(frame, []).append(cut.labels)
    return {frame: joined(cuts[frame]) for frame in sorted(cuts)}


def _mended(labels: NDArray[Any], merges: Merges, block_info: Any = None) -> NDArray[Any]:
    """Mend a block; dask says where it lies."""
    mended = labels.copy()
    for frame, groups in merges.items():
        starts = block_info[0]["array-location"] if block_info else [(0, 0)] * labels.ndim
        here = tuple(i - start for i, (start, _) in zip(frame, starts, strict=False))
        if all(0 <= i < n for i, n in zip(here, labels.shape, strict=False)):
            mend_here(mended[here], groups)
    return mended


def _refuse_unchecked(labels: Any, cuts: Sequence[StraightCut], frames: int) -> None:
    """Raise ShiftSegError if most of some cuts' labels are not where they were found."""
    some = cuts[:: max(1, len(cuts) // _LOOKED_AT)]
    there = sum(_lies_there(labels, cut, frames) for cut in some)
    if 2 * there < len(some):
        raise ShiftSegError(
            f"these are not the labels that were checked: of {len(some)} pairs of pieces {there} "
            "are where the check found them; check these labels"
        )


def _lies_there(labels: Any, cut: StraightCut, frames: int) -> bool:
    index, place = (
        tuple(map(int, part)) for part in (cut.position[:frames], cut.position[frames:])
    )
    reach = cut.length + 1
    around = tuple(slice(max(0, at - reach), at + reach + 1) for at in place)
    return bool(np.isin(cut.labels, np.asarray(labels[(*index, *around)])).all())


def undo_repair(labels: Any, repair: Repair) -> Any:
    """Give every piece the label back that it had; what was edited since stays as it is.

    Parameters
    ----------
    labels
        ``(*spatial)`` integers. Of what is no numpy array, a dask array comes back.
    repair
        What :func:`repair_labels` reported.

    Returns
    -------
    ndarray or dask array
        ``(*spatial)``; of the type of the labels, or of the smallest that holds those of before.

    Raises
    ------
    ShiftSegError
        If the labels are not those that were repaired: of another shape, or most pixels of
        the pieces have other labels than the repair gave them.

    References
    ----------
    Beyond the paper: measured in ``benchmarks/label_size.py``.
    """
    if not isinstance(repair, Repair):
        raise ShiftSegError(
            f"repair is a {type(repair).__name__}; legal: what repair_labels returns last"
        )
    labels = as_array(labels)
    if labels.dtype.kind not in "bui":
        raise ShiftSegError(f"labels are integers, these are {labels.dtype}")
    if labels.shape != repair.shape:
        raise ShiftSegError(
            f"the labels have the shape {labels.shape}, those repaired had {repair.shape}"
        )
    most = max((piece.label for piece in repair.pieces), default=0)
    holds = 1 if labels.dtype == bool else np.iinfo(labels.dtype).max
    fits = most <= holds  # the largest label may be gone, and its type with it
    dtype = labels.dtype if fits else np.min_scalar_type(most)
    runs = [
        (start, start + length, piece.merged_into, piece.label)
        for piece in repair.pieces
        for start, length in zip(piece.starts, piece.lengths, strict=True)
    ]
    runs.sort(key=lambda run: run[0])
    slabs = Slabs.of(labels)
    _refuse_others(slabs, runs)
    if isinstance(slabs.array, np.ndarray):
        return _undone(labels, runs, dtype)
    whole_planes = slabs.array.rechunk((slabs.thick, *slabs.array.shape[1:]))
    return whole_planes.map_blocks(_undone, runs, dtype, dtype=dtype)


_Run = tuple[int, int, int, int]
"""First pixel of the flattened image, the one behind the last, their label now and before."""


def _refuse_others(labels: Slabs, runs: list[_Run]) -> None:
    """Raise ShiftSegError if most of what a repair has merged is not there."""
    if not runs:
        return
    plane, found = prod(labels.array.shape[1:]), 0
    for first, slab in labels:
        for run, now, _ in _runs_in(slab.reshape(-1), first * plane, runs):
            found += int(np.count_nonzero(run == now))
    merged = sum(stop - start for start, stop, _, _ in runs)
    if 2 * found < merged:
        raise ShiftSegError(
            f"these are not the labels of this report: {found} of the {merged} pixels that it "
            "merged have the label that they were given; name the report of their own repair"
        )


def _runs_in(
    flat: NDArray[Any], before: int, runs: list[_Run]
) -> Iterator[tuple[NDArray[Any], int, int]]:
    """Yield the runs within a slab, behind so many pixels: its part, label now and before."""
    here = bisect_left(runs, before, key=lambda run: run[1])
    for start, stop, now, label in runs[here:]:
        if start >= before + flat.size:
            return
        yield flat[max(0, start - before) : stop - before], now, label


def _undone(
    labels: NDArray[Any], runs: list[_Run], dtype: Any, block_info: Any = None
) -> NDArray[Any]:
    """Undo a slab; dask says where it lies."""
    first = block_info[0]["array-location"][0][0] if block_info else 0
    before = first * prod(labels.shape[1:])
    undone = labels.astype(dtype, order="C")
    for run, now, label in _runs_in(undone.reshape(-1), before, runs):
        run[run == now] = label
    return undone


def _changed(before: NDArray[Any], after: NDArray[Any]) -> Iterator[Piece]:
    """Describe all that has another label: every pair of a label and what it became."""
    old, new = before.reshape(-1), after.reshape(-1)
    places = np.flatnonzero(old != new)
    old, new = old[places], new[places]
    first = np.ones(len(places), bool)
    first[1:] = (np.diff(places) != 1) | (old[1:] != old[:-1]) | (new[1:] != new[:-1])
    runs = np.flatnonzero(first)
    lengths = np.diff(runs, append=len(places))
    pairs, of = np.unique(np.stack([old[runs], new[runs]]), axis=1, return_inverse=True)
    order = np.argsort(of.ravel(), kind="stable")
    ends = np.cumsum(np.bincount(of.ravel(), minlength=pairs.shape[1]))[:-1]
    for (label, into), which in zip(pairs.T.tolist(), np.split(order, ends), strict=True):
        starts = places[runs[which]]
        yield Piece(label, into, tuple(starts.tolist()), tuple(lengths[which].tolist()))


def _pieces_of_frames(labels: Any, merges: Merges) -> Iterator[Piece]:
    """Describe every piece that gets another label, frame by frame."""
    for frame, groups in merges.items():
        shape = labels.shape[: len(frame)]
        number = int(np.ravel_multi_index(frame, shape)) if frame else 0
        yield from _pieces(
            Slabs.of(labels[frame]), groups, number * prod(labels.shape[len(frame) :])
        )


def _pieces(labels: Slabs, groups: Groups, before: int) -> Iterator[Piece]:
    """Describe those of one frame, behind so many pixels, in one look at it."""
    into = {label: group[0] for group in groups for label in group[1:]}
    moved = np.array(list(into), labels.array.dtype)
    plane = prod(labels.array.shape[1:])
    slabs = [_runs(slab.reshape(-1), moved, before + start * plane) for start, slab in labels]
    names, starts, lengths = (np.concatenate(parts) for parts in zip(*slabs, strict=True))
    order = np.argsort(names, kind="stable")
    names, starts, lengths = names[order], starts[order], lengths[order]
    first = np.ones(len(names), bool)  # a run that reaches from slab to slab is one
    first[1:] = (names[1:] != names[:-1]) | (starts[1:] != starts[:-1] + lengths[:-1])
    if len(names):
        lengths = np.add.reduceat(lengths, np.flatnonzero(first))
    names, starts = names[first], starts[first]
    for label, group in zip(moved, into.values(), strict=True):
        low, high = (np.searchsorted(names, label, side) for side in ("left", "right"))
        yield Piece(int(label), group, *(tuple(v[low:high].tolist()) for v in (starts, lengths)))


def _runs(
    flat: NDArray[Any], wanted: NDArray[Any], before: int
) -> tuple[NDArray[Any], NDArray[np.int64], NDArray[np.int64]]:
    """Return label, start and length of every run of some labels, behind so many pixels."""
    places = np.flatnonzero(np.isin(flat, wanted))
    names = flat[places]
    first = np.ones(len(places), bool)
    first[1:] = (np.diff(places) != 1) | (names[1:] != names[:-1])
    starts = np.flatnonzero(first)
    return names[starts], places[starts] + before, np.diff(starts, append=len(places))
