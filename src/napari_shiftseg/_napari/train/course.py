"""The course of a training as curves of a few hundred points, however many steps it has."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import accumulate

from napari_shiftseg.training.fit import StepDone
from napari_shiftseg.training.run import Losses, Validated, ends_report, mean_terms

_WINDOWS = 40
"""How many times the width over which a curve is smoothed goes into it."""


class Course:
    """Loss terms and validations by step.

    Parameters
    ----------
    total
        Steps of the whole training.
    losses, recent, validations
        What earlier sittings have done: points of the curves, the loss terms of each step
        after the last one, and validations.
    """

    def __init__(
        self,
        total: int = 1,
        losses: Iterable[Losses] = (),
        recent: Iterable[dict[str, float]] = (),
        validations: Iterable[Validated] = (),
    ) -> None:
        self.total, self.last = total, 0
        self.steps: list[int] = []
        self.terms: dict[str, list[float]] = {}
        self.validations = list(validations)
        self._waiting = list(recent)
        for entry in losses:
            self._append(entry.step, entry.terms)

    def add(self, done: Iterable[StepDone]) -> None:
        """Take steps."""
        for step in done:
            self.last = step.step
            self._waiting.append(step.losses)
            if ends_report(step.step, self.total):
                self._append(step.step, mean_terms(self._waiting))
                self._waiting.clear()

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
