"""How long a run will take and how much memory it needs, in words."""

from __future__ import annotations

from collections.abc import Sequence
from time import monotonic

from napari_shiftseg.embeddings.cost import Cost, convolution_rate, cost_of
from napari_shiftseg.embeddings.device import choose_device
from napari_shiftseg.embeddings.model import Model
from napari_shiftseg.memory import default_memory, in_bytes, lacking
from napari_shiftseg.settings import Precision
from napari_shiftseg.tiles.plan import TilePlan
from napari_shiftseg.wording import counted

_BUSY = 0.3
"""Shortest run in seconds whose speed is trusted."""


class Estimate:
    """Knows this machine's speed: measured by a convolution first, by runs later."""

    def __init__(self) -> None:
        self._rates: dict[Precision, float] = {}
        self._started: tuple[float, Cost, Precision] | None = None

    def sentence(self, model: Model, plan: TilePlan, frames: int) -> str:
        """Say what a plan costs."""
        cost = cost_of(model.description.architecture, plan, frames)
        tiles = len(plan) * frames
        seconds = cost.flops / self._speed(model)
        memory = "of memory" if cost.total_bytes <= default_memory() else "are not free"
        price = f"about {in_words(seconds)}, {in_bytes(cost.total_bytes)} {memory}"
        return f"{counted(tiles, 'tile')}, {price}"

    def lacking(self, model: Model, plans: Sequence[TilePlan], frames: int) -> str:
        """Say what memory a run lacks, which would take the whole session with it; "" if none.

        The results of several plans are kept beside each other.
        """
        architecture = model.description.architecture
        needed = sum(cost_of(architecture, plan, frames).total_bytes for plan in plans)
        lack = lacking(needed)
        return lack and f"this run needs about {lack}"

    def seconds(self, model: Model, plan: TilePlan) -> float:
        """Return how long one frame of a plan will take."""
        return cost_of(model.description.architecture, plan).flops / self._speed(model)

    def begin(self, model: Model, plan: TilePlan, frames: int) -> None:
        """Note that a run starts."""
        cost = cost_of(model.description.architecture, plan, frames)
        self._started = monotonic(), cost, model.precision

    def end(self) -> None:
        """Learn from a run that has ended well."""
        if self._started is None:
            return
        began, cost, precision = self._started
        self._started = None
        seconds = monotonic() - began
        if seconds >= _BUSY:
            self._rates[precision] = cost.flops / seconds

    def _speed(self, model: Model) -> float:
        precision = model.precision
        if precision not in self._rates:
            self._rates[precision] = convolution_rate(choose_device().type, precision)
        return self._rates[precision]


def in_words(seconds: float) -> str:
    """Write a duration as a person would."""
    if seconds < 1:
        return "1 s"
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
