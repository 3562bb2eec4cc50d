"""The course of a training as curves of a few hundred points, however many steps it has."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import accumulate

from napari_shiftseg.training.fit import StepDone
from napari_shiftseg.training.run import Losses, Validated

_POINTS = 400
"""Points of a curve; each is a mean of the steps up to it."""


_WINDOWS = 40
"""How many times the width over which a curve is smoothed goes into it."""


class Course:
    """Loss terms and validations by step.

    Parameters
    ----------
    total
        Steps of the whole training.
    losses, validations
        What earlier sittings have done.
    """

    def __init__(
        self,
        total: int = 1,
        losses: Iterable[Losses] = (),
        validations: Iterable[Validated] = (),
    ) -> None:
        self.total, self.last = total, 0
        self.steps: list[int] = []
        self.terms: dict[str, list[float]] = {}
        self.validations = list(validations)
        self._bucket = _bucket(total)
        self._waiting: list[dict[str, float]] = []
        for entry in losses:
            self._append(entry.step, entry.terms)

    def add(self, done: Iterable[StepDone]) -> None:
        """Take steps."""
        for step in done:
            self.last = step.step
            self._waiting.append(step.losses)
            if len(self._waiting) >= self._bucket or step.step == self.total:
                count = len(self._waiting)
                terms = self._waiting[0].keys()
                means = {t: sum(losses[t] for losses in self._waiting) / count for t in terms}
                self._append(step.step, means)
                self._waiting.clear()

    def go_on(self, total: int) -> None:
        """Take up a training that was stopped, maybe for more steps."""
        self.total, self._bucket = total, _bucket(total)

    def smooth(self, name: str) -> list[float]:
        """Return a term's curve without most of the noise: the mean of a fortieth of it."""
        values = self.terms.get(name, [])
        sums = [0.0, *accumulate(values)]
        width = max(1, len(values) // _WINDOWS)
        return [(sums[i] - sums[max(0, i - width)]) / min(i, width) for i in range(1, len(sums))]

    @property
    def best(self) -> Validated | None:
        """The validation whose weights are exported."""
        return next((done for done in reversed(self.validations) if done.best), None)

    def _append(self, step: int, terms: dict[str, float]) -> None:
        self.last = step
        self.steps.append(step)
        for name, value in terms.items():
            self.terms.setdefault(name, []).append(value)


def _bucket(total: int) -> int:
    """Return how many steps make a point."""
    return max(1, total // _POINTS)
