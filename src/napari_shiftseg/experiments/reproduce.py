"""Every figure of the paper by name: what it needs, and how it is made."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from napari_shiftseg.embeddings.model import Model, load_model
from napari_shiftseg.errors import ShiftSegError, ShiftSegWarning
from napari_shiftseg.experiments import s3
from napari_shiftseg.experiments.fig2 import fig2a, fig2b, fig2c
from napari_shiftseg.experiments.fig3 import fig3
from napari_shiftseg.experiments.fig4 import fig4a, fig4b, fig4c
from napari_shiftseg.experiments.fig5 import fig5, s2
from napari_shiftseg.experiments.fig6 import fig6
from napari_shiftseg.experiments.fig7 import fig7
from napari_shiftseg.experiments.outcome import Outcome
from napari_shiftseg.experiments.padding import padding
from napari_shiftseg.experiments.real_data import DATA_SETS
from napari_shiftseg.experiments.synthetic import SYNTHETIC, Preset

SHIPPED = {"window-20": "discs-l4"}
"""Bundled models that stand for trainings."""


@dataclass(frozen=True)
class Progress:
    """How far a figure is.

    Parameters
    ----------
    text
        What is being done.
    done, total
        Steps of it; ``total`` is 0 where it is not known.
    """

    text: str
    done: int = 0
    total: int = 0


@dataclass(frozen=True)
class _Figure:
    trainings: tuple[str, ...]
    make: Callable[..., Outcome]


_SYNTHETIC_FIGURES: dict[str, _Figure] = {
    "fig2a": _Figure(("spacing-16-l3",), fig2a),
    "fig2b": _Figure(("spacing-15-l3",), fig2b),
    "fig2c": _Figure(("spacing-15-l3-nearest",), fig2c),
    "fig3": _Figure((), fig3),
    "fig4a": _Figure(("window-16",), fig4a),
    "fig4b": _Figure(("window-20",), fig4b),
    "fig4c": _Figure(("window-20",), fig4c),
    "fig5": _Figure(("constant", "constant-nearest"), fig5),
    "s2": _Figure(("constant-same",), s2),
    "padding": _Figure(("padding-alone", "padding-neighbours"), padding),
    "s3a": _Figure(("spacing-16-noise", "spacing-16"), partial(s3.apart, s3.NOISE)),
    "s3b": _Figure(("spacing-16-elastic", "spacing-16"), partial(s3.apart, s3.ELASTIC)),
    "s3c": _Figure(("spacing-16-noise",), partial(s3.stitched, s3.NOISE)),
    "s3d": _Figure(("spacing-16-elastic",), partial(s3.stitched, s3.ELASTIC)),
}
_REAL_FIGURES = ("fig6", "fig7")
FIGURES = (*_SYNTHETIC_FIGURES, *_REAL_FIGURES)
"""Names of all figures, in the order of the paper."""


def reproduce_events(
    names: Sequence[str], folder: Path, *, preset: Preset = "quick", pretrained: bool = False
) -> Generator[Progress | Outcome]:
    """Re-run figures; yield the progress, and each outcome when its files are written.

    Trained networks are kept in ``folder / "models"`` and scores in ``folder / "scores"``,
    and used again: an interrupted run goes on where it stopped.

    Parameters
    ----------
    names
        Of :data:`FIGURES`.
    folder
        Existing folder for NAME.json, NAME.png and NAME.svg.
    preset
        ``"quick"``: all synthetic figures within two hours on two processor cores;
        ``"paper"``: the paper's numbers of steps.
    pretrained
        Use bundled models instead of training, where there are any.

    Raises
    ------
    ShiftSegError
        If there is no such figure, or data or models are missing.
    """
    refuse_unknown(names)
    if set(names) & set(_REAL_FIGURES):  # not after hours of training
        for data in DATA_SETS:
            next(data.pairs())
    for name in names:
        settings: dict[str, Any] = {}
        if name in _REAL_FIGURES:
            outcome = yield from _real(name, folder)
        else:
            trainings = set(_SYNTHETIC_FIGURES[name].trainings)
            shipped = pretrained and trainings and trainings <= SHIPPED.keys()
            settings = {"pretrained": True} if shipped else {"preset": preset}
            outcome = yield from _synthetic(name, folder, preset, pretrained)
        outcome.write(folder, **settings)
        yield outcome


def refuse_unknown(names: Sequence[str]) -> None:
    """Raise ShiftSegError if there is no figure of some name."""
    for name in names:
        if name not in FIGURES:
            raise ShiftSegError(f"there is no figure {name!r}; legal: all, {', '.join(FIGURES)}")


def _synthetic(
    name: str, folder: Path, preset: Preset, pretrained: bool
) -> Generator[Progress, None, Outcome]:
    models = []
    for training in _SYNTHETIC_FIGURES[name].trainings:
        if pretrained and training in SHIPPED:
            models.append(load_model(SHIPPED[training]))
            continue
        models.append((yield from _trained(training, folder / "models", preset)))
    yield Progress(f"{name}: measuring")
    return _SYNTHETIC_FIGURES[name].make(*models)


def _trained(training: str, folder: Path, preset: Preset) -> Generator[Progress, None, Model]:
    folder.mkdir(exist_ok=True)
    setting = SYNTHETIC[training]
    total = setting.course(preset).steps
    # That a window is too small is what some figures are about.
    with warnings.catch_warnings(action="ignore", category=ShiftSegWarning):
        steps = setting.train(preset, folder)
        while True:
            try:
                done = next(steps)
            except StopIteration as end:
                model: Model = end.value
                return model
            yield Progress(f"training {training}", done.step, total)


def _real(name: str, folder: Path) -> Generator[Progress, None, Outcome]:
    models = {data.model: load_model(data.model) for data in DATA_SETS}
    making = fig6(models, folder / "scores") if name == "fig6" else fig7(models)
    while True:
        try:
            text = next(making)
        except StopIteration as end:
            outcome: Outcome = end.value
            return outcome
        yield Progress(f"{name}: {text}")
