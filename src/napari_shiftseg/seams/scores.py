"""Scores of labels, pooled over images, and how far they depend on which images these were."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_shiftseg.seams.matching import THRESHOLDS, MatchCounts, Overlap
from napari_shiftseg.seams.report import number

Interval = tuple[float, float]

_RESAMPLES = 2000
_PERCENTILES = (2.5, 97.5)


@dataclass
class LabelScores:
    """Labels against ground truth.

    Parameters
    ----------
    by_image
        Counts of each image.
    stacks
        Number of the stack that each image is a frame of; frames of one are much alike. By
        default each image is one of its own.
    """

    by_image: list[MatchCounts] = field(default_factory=list)
    stacks: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.stacks = self.stacks or list(range(len(self.by_image)))

    def add(self, truth: NDArray[Any], labels: NDArray[Any], *, stack: int | None = None) -> None:
        """Add one image; raises ShiftSegError if the shapes differ.

        Parameters
        ----------
        truth, labels
            ``(*spatial)`` integers.
        stack
            Number of the stack that the image is a frame of, None for one of its own.
        """
        counts = MatchCounts()
        counts.add(Overlap.of(truth, labels))
        self.by_image.append(counts)
        self.stacks.append(len(self.stacks) if stack is None else stack)

    @property
    def pooled(self) -> MatchCounts:
        """Counts over all images."""
        images = self.by_image
        return MatchCounts(
            true_positives={t: sum(c.true_positives[t] for c in images) for t in THRESHOLDS},
            truth_objects=sum(counts.truth_objects for counts in images),
            predicted_objects=sum(counts.predicted_objects for counts in images),
            false_splits=sum(counts.false_splits for counts in images),
            false_merges=sum(counts.false_merges for counts in images),
        )

    @property
    def average_precision(self) -> dict[str, float]:
        """Pooled AP by IoU threshold."""
        pooled = self.pooled
        return {str(t): pooled.average_precision(t) for t in THRESHOLDS}

    @property
    def mean_average_precision(self) -> float:
        """Mean over the thresholds."""
        return float(np.mean(list(self.average_precision.values())))

    def intervals(self) -> tuple[dict[str, Interval | None], Interval | None]:
        """Return 95 % bootstrap intervals of the AP by threshold, and of their mean.

        Images are drawn with replacement, always the same ones; stacks as a whole, whose frames
        are no new images. One image, or stack, says nothing of others: None.
        """
        if len(set(self.stacks)) < 2:
            return dict.fromkeys(map(str, THRESHOLDS)), None
        aps = self._resampled()
        each = [_interval(column) for column in aps.T]
        return dict(zip(map(str, THRESHOLDS), each, strict=True)), _interval(aps.mean(axis=1))

    def to_dict(self) -> dict[str, Any]:
        """Return the scores as plain JSON values."""
        pooled = self.pooled
        intervals, mean_interval = self.intervals()
        return {
            "ap": self.average_precision,
            "ap_interval": {t: _plain(interval) for t, interval in intervals.items()},
            "mean_ap": self.mean_average_precision,
            "mean_ap_interval": _plain(mean_interval),
            "false_splits": pooled.false_splits,
            "false_merges": pooled.false_merges,
            "objects": pooled.predicted_objects,
            "true_objects": pooled.truth_objects,
            "images": len(self.by_image),
        }

    def rows(self) -> dict[str, str]:
        """Return the scores for a table, by title."""
        pooled = self.pooled
        intervals, mean_interval = self.intervals()
        precision = {f"AP {t}": (ap, intervals[t]) for t, ap in self.average_precision.items()}
        precision["mean AP"] = (self.mean_average_precision, mean_interval)
        return {title: _with_interval(*values) for title, values in precision.items()} | {
            "false splits": str(pooled.false_splits),
            "false merges": str(pooled.false_merges),
            "objects / true": f"{pooled.predicted_objects} / {pooled.truth_objects}",
            "images": str(len(self.by_image)),
        }

    def _resampled(self) -> NDArray[np.float64]:
        """Pooled AP of each draw of as many images or stacks: ``(draws, thresholds)``."""
        images = self.by_image
        matched = np.array([[c.true_positives[t] for t in THRESHOLDS] for c in images])
        objects = np.array([c.truth_objects + c.predicted_objects for c in images])
        place, stacks = np.unique(self.stacks, return_inverse=True)[1], len(set(self.stacks))
        rng = np.random.default_rng(0)
        drawn = rng.multinomial(stacks, np.full(stacks, 1 / stacks), _RESAMPLES)[:, place]
        every = (drawn @ objects)[:, None] - drawn @ matched
        return np.where(every > 0, (drawn @ matched) / np.maximum(every, 1), 1.0)


def _interval(values: NDArray[np.float64]) -> Interval:
    low, high = np.percentile(values, _PERCENTILES).tolist()
    return low, high


def _plain(interval: Interval | None) -> list[float] | None:
    return None if interval is None else list(interval)


def _with_interval(value: float, interval: Interval | None) -> str:
    if interval is None:
        return number(value)
    return f"{number(value)} ({number(interval[0])} to {number(interval[1])})"
