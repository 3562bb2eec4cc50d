"""Objects that a seam cut in two: which, where, how long, and why."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_shiftseg.seams.contacts import Contacts
from napari_shiftseg.seams.matching import Overlap
from napari_shiftseg.tiles.plan import TilePlan

Seams = tuple[tuple[int, ...], ...]

ALONG_SEAM = 0.5
"""Fraction of two pieces' common border that must lie on seams. A wrong split that merely
crosses a seam has a pixel or two there; one that the seam caused has nearly all of it."""


@dataclass(frozen=True)
class SeamSplit:
    """One object whose pieces touch each other along a seam.

    Parameters
    ----------
    object_id
        Its label in the reference (ground truth, or the corrected labels).
    pieces
        Labels of the pieces that meet at the seam.
    axis, seam
        The seam with the longest contact: pixels ``seam - 1`` and ``seam`` on this axis of
        the labels.
    position
        Centre of that contact, in pixels per axis.
    length
        Pixels of contact along all seams.
    jump
        Mean embedding jump across the contact; NaN if no embedding was given.
    cause
        ``"phase"``, ``"context"``, or ``"unknown"``.
    """

    object_id: int
    pieces: tuple[int, ...]
    axis: int
    seam: int
    position: tuple[float, ...]
    length: int
    jump: float
    cause: str

    @property
    def severity(self) -> float:
        """Length of the contact times the jump across it; the length where none is known."""
        return self.length if math.isnan(self.jump) else self.length * self.jump


def find_seam_splits(
    labels: NDArray[Any],
    reference: NDArray[Any],
    plan: TilePlan,
    embedding: NDArray[Any] | None = None,
) -> list[SeamSplit]:
    """Find the reference's objects that the plan's seams cut in the labels.

    An object is split if more than one label reaches IoU > 0.1 with it. The split is
    seam-caused if two of these pieces touch each other along seams: at least half of
    their common border lies there.

    Parameters
    ----------
    labels, reference
        ``(*spatial)`` integers, 0 is background.
    plan
        Names the seams and their causes.
    embedding
        ``(E, *spatial)``, for the jump.

    Returns
    -------
    list of SeamSplit
        The severest first.
    """
    contacts = _between_pieces(labels, reference, Overlap.of(reference, labels).false_splits)
    objects = reference[tuple(contacts.places.T)]
    on_seam = np.zeros(len(contacts), bool)
    for axis, seams in enumerate(plan.seams):
        on_seam |= (contacts.axis == axis) & np.isin(contacts.position, seams)
    cut = on_seam & _mostly(on_seam, np.column_stack([objects, contacts.pairs]))
    found = [
        _summary(object_id, contacts[cut & (objects == object_id)], plan, embedding)
        for object_id in np.unique(objects[cut]).tolist()
    ]
    return sorted(found, key=lambda split: (-split.severity, split.object_id))


def _between_pieces(
    labels: NDArray[Any], reference: NDArray[Any], splits: dict[int, tuple[int, ...]]
) -> Contacts:
    """Contacts inside of split objects, between their pieces."""
    contacts = Contacts.of(labels)
    objects = reference[tuple(contacts.places.T)]
    inside = (objects != 0) & (objects == reference[tuple(contacts.places_before.T)])
    inside &= np.isin(objects, list(splits))
    of_pieces = [
        here and set(pair) <= set(splits[object_id])
        for here, pair, object_id in zip(
            inside.tolist(), contacts.pairs.tolist(), objects.tolist(), strict=True
        )
    ]
    return contacts[np.array(of_pieces, bool)]


def _mostly(chosen: NDArray[np.bool_], groups: NDArray[Any]) -> NDArray[np.bool_]:
    """For each row, whether at least half of the rows of its group are chosen."""
    if len(chosen) == 0:
        return chosen
    _, index = np.unique(groups, axis=0, return_inverse=True)
    index = index.ravel()
    share = np.bincount(index, weights=chosen) / np.bincount(index)
    mostly: NDArray[np.bool_] = share[index] >= ALONG_SEAM
    return mostly


def _summary(
    object_id: int, contacts: Contacts, plan: TilePlan, embedding: NDArray[Any] | None
) -> SeamSplit:
    lines = np.column_stack([contacts.axis, contacts.position])
    each, index, counts = np.unique(lines, axis=0, return_inverse=True, return_counts=True)
    longest = int(counts.argmax())
    here = contacts[index.ravel() == longest]
    causes = [plan.cause(axis, seam) for axis, seam in each.tolist()]
    return SeamSplit(
        object_id=object_id,
        pieces=tuple(np.unique(contacts.pairs).tolist()),
        axis=int(each[longest][0]),
        seam=int(each[longest][1]),
        position=tuple(float(v) for v in here.places.mean(0)),
        length=len(contacts),
        jump=_jump(here, embedding),
        cause=next((cause for cause in causes if cause), "unknown"),
    )


def _jump(contacts: Contacts, embedding: NDArray[Any] | None) -> float:
    if embedding is None:
        return float("nan")
    after = embedding[(slice(None), *contacts.places.T)]
    before = embedding[(slice(None), *contacts.places_before.T)]
    return float(np.linalg.norm(after - before, axis=0).mean())
