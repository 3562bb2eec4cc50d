"""One training in a thread: what it was told, what may still be asked of it, what it says."""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_shiftseg._napari.events import Partial, Progress
from napari_shiftseg._napari.segment.estimate import in_words
from napari_shiftseg._napari.train.course import Course
from napari_shiftseg._napari.train.draft import without_weights
from napari_shiftseg._napari.train.sources import Source, pairs_of
from napari_shiftseg._napari.train.subject import PreviewSubject
from napari_shiftseg.embeddings.model_file import save_model
from napari_shiftseg.pipeline import Segmentation, segment_events
from napari_shiftseg.training.fit import StepDone
from napari_shiftseg.training.kept import KeptTraining
from napari_shiftseg.training.recipe import TrainingRecipe
from napari_shiftseg.training.run import Event, TrainingRun, Validated, Validating

_PAUSE = 0.1
"""Seconds between two messages to the window; steps may be much shorter."""


@dataclass(frozen=True)
class Order:
    """What to train, as it was when it was asked for.

    Parameters
    ----------
    recipe
        The recipe.
    sources
        Layers to train on; empty where the recipe names its data.
    checkpoint
        File to resume from and to write to.
    allow_small_window
        Train although the output window does not exceed the period.
    """

    recipe: TrainingRecipe
    sources: tuple[Source, ...]
    checkpoint: Path
    allow_small_window: bool


class Requests:
    """What the window asks of a training that runs; read between two steps or images."""

    def __init__(self) -> None:
        self._stop = threading.Event()
        self._leave = threading.Event()
        self._lock = threading.Lock()
        self._subject: PreviewSubject | None = None

    @property
    def stopped(self) -> bool:
        """Whether the training is to end."""
        return self._stop.is_set()

    def stop(self) -> None:
        """End the training after the step, or the validation's image, that is being done."""
        self._stop.set()

    @property
    def left(self) -> bool:
        """Whether nobody listens any more."""
        return self._leave.is_set()

    def leave(self) -> None:
        """End the training as :meth:`stop` does, but have it say nothing more."""
        self._leave.set()
        self._stop.set()

    def preview(self, subject: PreviewSubject) -> None:
        """Ask for a preview; it takes the place of one that waits."""
        with self._lock:
            self._subject = subject

    def take(self) -> PreviewSubject | None:
        """Return the preview that is wanted, once."""
        with self._lock:
            subject, self._subject = self._subject, None
        return subject


@dataclass(frozen=True)
class Started:
    """A training that is set up.

    Parameters
    ----------
    run
        The training; it goes on while this is read.
    course
        What earlier sittings have done.
    """

    run: TrainingRun
    course: Course


@dataclass(frozen=True)
class Steps:
    """Steps that were done since the last message."""

    done: tuple[StepDone, ...]


@dataclass(frozen=True)
class Preview:
    """Labels of a part of an image, by the network as it was.

    Parameters
    ----------
    subject
        What was looked at.
    labels
        ``(*frame, *region)``.
    objects
        How many there are.
    step
        Steps that the network was trained for.
    """

    subject: PreviewSubject
    labels: NDArray[np.int32]
    objects: int
    step: int


@dataclass(frozen=True)
class Ended:
    """A training that has come to its end, or was stopped.

    Parameters
    ----------
    run
        The training.
    stopped
        Whether there is something left to train.
    """

    run: TrainingRun
    stopped: bool


@dataclass(frozen=True)
class Exported:
    """A model file that was written."""

    path: Path
    name: str


def train(order: Order, requests: Requests) -> Generator[Progress | Partial | Ended]:
    """Train; a training that is stopped has saved its checkpoint when this ends."""
    yield Progress(0, "Reading the images")
    model = without_weights(order.recipe)
    run = TrainingRun(
        order.recipe,
        pairs_of(order.sources, model) if order.sources else None,
        checkpoint=order.checkpoint,
        allow_small_window=order.allow_small_window,
    )
    course = Course(order.recipe.steps, run.losses, run.recent, run.validations)
    yield Partial(Started(run, course))
    with closing(run.events()) as events:
        yield from _course(run, events, requests)
    if not requests.left:
        yield Ended(run, not run.finished)


def preview(run: TrainingRun, subject: PreviewSubject) -> Iterator[Preview]:
    """Segment a part of an image with the network of a training that does not run."""
    yield from _preview(run, subject, Requests())


def export(run: TrainingRun | Path, path: Path, description: dict[str, Any]) -> Iterator[Exported]:
    """Write the best weights of a training, or of the checkpoint of one, as a model file."""
    description = {"command": "napari: Train (ShiftSeg)", **description}
    if isinstance(run, Path):
        model = KeptTraining.read(run).best_model(**description)
        save_model(path, model.network, model.description)
    else:
        model = run.export(path, **description)
    yield Exported(path, model.description.name)


def _course(
    run: TrainingRun, events: Iterator[Event], requests: Requests
) -> Iterator[Progress | Partial]:
    began, first, said = monotonic(), run.trainer.step, 0.0
    steps: list[StepDone] = []
    for event in events:
        if isinstance(event, StepDone):
            steps.append(event)
        if requests.left:
            return
        # What validates is slower than the pause, so each of its images is said.
        if monotonic() - said > _PAUSE or not isinstance(event, StepDone) or requests.stopped:
            pace = (monotonic() - began) / max(1, run.trainer.step - first)
            yield Partial(Steps(tuple(steps)))
            yield _progress(run, pace)
            steps.clear()
            said = monotonic()
        if isinstance(event, Validated):
            yield Partial(event)
        elif isinstance(event, Validating):
            yield _validating(event, run.recipe.steps)
        if requests.stopped:
            return
        subject = requests.take()
        if subject is not None:
            yield from map(Partial, _preview(run, subject, requests))
    yield Partial(Steps(tuple(steps)))


def _progress(run: TrainingRun, pace: float) -> Progress:
    done, total = run.trainer.step, run.recipe.steps
    return Progress(done / total, f"Step {done} of {total}, {in_words((total - done) * pace)} left")


def _validating(event: Validating, steps: int) -> Progress:
    where = f"image {event.images + 1} of {event.total}"
    return Progress(event.step / steps, f"Step {event.step} of {steps}, validating on {where}")


def _preview(run: TrainingRun, subject: PreviewSubject, requests: Requests) -> Iterator[Preview]:
    part: dict[str, Any] = {"region": subject.region, "frame": subject.frame, "axes": subject.axes}
    for event in segment_events(subject.image, run.model(), device=run.device, **part):
        if requests.stopped:
            return
        if isinstance(event, Segmentation):
            yield Preview(subject, event.labels, event.objects, run.trainer.step)
