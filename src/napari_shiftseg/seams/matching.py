"""Labels against ground truth: IoU, average precision, false splits and merges."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from scipy.sparse import coo_array

from napari_shiftseg.errors import ShiftSegError
from napari_shiftseg.seams.numbered import numbered

THRESHOLDS = (0.5, 0.6, 0.7, 0.8, 0.9)
PIECE_IOU = 0.1
"""IoU above which two objects are taken for parts of one (Caicedo et al. 2019)."""


@dataclass(frozen=True)
class Overlap:
    """The overlapping pairs of two label images, sparse.

    Parameters
    ----------
    truth, predicted : (K,) int64
        Labels of the pairs that share at least one pixel.
    iou : (K,) float64
        Their intersection over union.
    truth_objects, predicted_objects
        Numbers of objects.
    """

    truth: NDArray[np.int64]
    predicted: NDArray[np.int64]
    iou: NDArray[np.float64]
    truth_objects: int
    predicted_objects: int

    @classmethod
    def of(cls, truth: NDArray[Any], predicted: NDArray[Any]) -> Overlap:
        """Measure every overlapping pair; label 0 is background.

        Where the truth is negative nobody knows it: these pixels are left out, and with them
        the predicted objects that lie there for the most part and meet no true one.

        Raises
        ------
        ShiftSegError
            If the shapes differ, or the truth has no whole numbers.
        """
        if truth.shape != predicted.shape:
            raise ShiftSegError(
                f"the labels have the shape {predicted.shape}, the ground truth {truth.shape}"
            )
        if truth.dtype.kind not in "iub":
            raise ShiftSegError(f"ground truth has whole numbers, this has {truth.dtype}")
        if truth.min(initial=0) < 0:
            truth, predicted = _known(truth, predicted)
        truth_names, truth_numbers = numbered(truth)
        names, numbers = numbered(predicted)
        both = (truth_numbers > 0) & (numbers > 0)
        places = truth_numbers[both] - 1, numbers[both] - 1
        shape = len(truth_names), len(names)
        table = coo_array((np.ones(len(places[0]), np.int64), places), shape=shape).tocsr()
        table.sort_indices()
        shared = table.tocoo()
        row, column = shared.coords
        truth_area = np.bincount(truth_numbers.ravel(), minlength=shape[0] + 1)[1:]
        area = np.bincount(numbers.ravel(), minlength=shape[1] + 1)[1:]
        return cls(
            truth_names[row].astype(np.int64),
            names[column].astype(np.int64),
            shared.data / (truth_area[row] + area[column] - shared.data),
            *shape,
        )

    @property
    def false_splits(self) -> dict[int, tuple[int, ...]]:
        """True objects with more than one prediction at IoU > 0.1, and these predictions."""
        return self._shared(self.truth, self.predicted)

    @property
    def false_merges(self) -> dict[int, tuple[int, ...]]:
        """Predictions with more than one true object at IoU > 0.1, and these objects."""
        return self._shared(self.predicted, self.truth)

    def true_positives(self, threshold: float) -> int:
        """Count the pairs of the best one-to-one matching that reach the IoU threshold."""
        good = self.iou >= threshold
        if not good.any():
            return 0
        rows, row = np.unique(self.truth[good], return_inverse=True)
        columns, column = np.unique(self.predicted[good], return_inverse=True)
        if len(rows) == len(row) and len(columns) == len(column):
            return len(row)
        # At IoU 0.5 exactly, and below, one object may reach the threshold twice. Counting
        # pairs comes first, their IoU second.
        gain = np.zeros((len(rows), len(columns)))
        gain[row, column] = 1 + self.iou[good] / (2 * min(gain.shape))
        pairs = linear_sum_assignment(gain, maximize=True)
        return int((gain[pairs] > 0).sum())

    @staticmethod
    def _pieces(key: NDArray[np.int64], value: NDArray[np.int64]) -> dict[int, tuple[int, ...]]:
        groups: dict[int, list[int]] = {}
        for k, v in zip(key.tolist(), value.tolist(), strict=True):
            groups.setdefault(k, []).append(v)
        return {k: tuple(sorted(v)) for k, v in groups.items() if len(v) > 1}

    def _shared(
        self, key: NDArray[np.int64], value: NDArray[np.int64]
    ) -> dict[int, tuple[int, ...]]:
        parts = self.iou > PIECE_IOU
        return self._pieces(key[parts], value[parts])


def _known(truth: NDArray[Any], predicted: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Leave out what is not known."""
    unknown = truth < 0
    names, numbers = numbered(predicted)
    area, hidden, met = (
        np.bincount(numbers[part], minlength=len(names) + 1)
        for part in (numbers > 0, unknown, truth > 0)
    )
    seen = ~(unknown | ((2 * hidden > area) & (met == 0))[numbers])
    return np.where(unknown, 0, truth), np.where(seen, predicted, 0)


@dataclass
class MatchCounts:
    """Counts pooled over images, as StarDist's ``matching_dataset`` does by default.

    Parameters
    ----------
    thresholds
        IoU thresholds.
    """

    thresholds: Sequence[float] = THRESHOLDS
    true_positives: dict[float, int] = field(default_factory=dict)
    truth_objects: int = 0
    predicted_objects: int = 0
    false_splits: int = 0
    false_merges: int = 0

    def add(self, overlap: Overlap) -> None:
        """Add one image."""
        for threshold in self.thresholds:
            found = overlap.true_positives(threshold)
            self.true_positives[threshold] = self.true_positives.get(threshold, 0) + found
        self.truth_objects += overlap.truth_objects
        self.predicted_objects += overlap.predicted_objects
        self.false_splits += len(overlap.false_splits)
        self.false_merges += len(overlap.false_merges)

    def average_precision(self, threshold: float) -> float:
        """AP = TP / (TP + FP + FN); 1 if there is nothing to find and nothing was found."""
        matched = self.true_positives.get(threshold, 0)
        every = self.truth_objects + self.predicted_objects - matched
        return matched / every if every else 1.0


def average_precision(
    truth: NDArray[Any], predicted: NDArray[Any], threshold: float = 0.5
) -> float:
    """Return AP = TP / (TP + FP + FN) of one label image at an IoU threshold."""
    counts = MatchCounts((threshold,))
    counts.add(Overlap.of(truth, predicted))
    return counts.average_precision(threshold)
