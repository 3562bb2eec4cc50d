"""One run, resolved from the form before it starts: the worker reads no widgets."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_shiftseg._napari.colours import Colouring
from napari_shiftseg._napari.placement import Placement
from napari_shiftseg._napari.rings import Rings
from napari_shiftseg.comparison import Comparison, compare_events
from napari_shiftseg.embeddings.model import Model
from napari_shiftseg.embeddings.predict import TileDone
from napari_shiftseg.errors import ShiftSegError
from napari_shiftseg.pipeline import Segmentation, segment_events
from napari_shiftseg.seams.report import SeamReport
from napari_shiftseg.settings import StitchMode
from napari_shiftseg.tiles.geometry import Size


@dataclass(frozen=True)
class Job:
    """What to run.

    Parameters
    ----------
    image
        The layer's array.
    image_key, image_name
        The layer's identity and name.
    placement
        Where the image lies.
    model
        The model.
    modes
        One stitch mode, or several to compare.
    tile
        Tile size, None for the model's own.
    truth
        Array of ground-truth labels, or None.
    colouring
        Colours of an earlier run on the same image, or None.
    """

    image: Any
    image_key: str
    image_name: str
    placement: Placement
    model: Model
    modes: tuple[StitchMode, ...]
    tile: int | Size | None = None
    truth: Any = None
    colouring: Colouring | None = None

    @property
    def subject(self) -> tuple[str, str]:
        """Image and model: results of the same subject can be compared."""
        return self.image_key, self.model.sha256 or self.model.description.name


@dataclass(frozen=True)
class Progress:
    """How far a run is.

    Parameters
    ----------
    fraction
        0 to 1.
    text
        What is being done.
    """

    fraction: float
    text: str


@dataclass(frozen=True)
class Failure:
    """A run that ended with an error that a person can read."""

    message: str


@dataclass(frozen=True)
class ModeResult:
    """All that is shown of one stitch mode.

    Parameters
    ----------
    segmentation
        Labels, embedding and plan.
    report
        What the seams did.
    picture
        ``(*spatial, 3)`` colours of the embedding.
    rings
        Around the objects that were cut.
    """

    segmentation: Segmentation
    report: SeamReport
    picture: NDArray[np.float32]
    rings: Rings


@dataclass(frozen=True)
class Outcome:
    """A complete run.

    Parameters
    ----------
    job
        What was run.
    results
        By stitch mode.
    colouring
        The colours of all pictures.
    """

    job: Job
    results: dict[StitchMode, ModeResult]
    colouring: Colouring


def run(job: Job) -> Iterator[Progress | Outcome | Failure]:
    """Run a job; the last event is an :class:`Outcome` or a :class:`Failure`.

    Errors are values here: a RuntimeError that leaves a generator worker is reported by
    none of its signals, and the form would wait for ever.
    """
    try:
        yield from _run(job)
    except ShiftSegError as error:
        yield Failure(str(error))
    except Exception as error:
        logging.getLogger(__name__).exception("a run failed")
        yield Failure(f"The run failed ({type(error).__name__}): {error}")


def _run(job: Job) -> Iterator[Progress | Outcome]:
    yield Progress(0, "Reading the image")
    job = replace(job, image=np.asarray(job.image), truth=_truth(job))
    done = 0
    for event in _events(job):
        if isinstance(event, TileDone):
            yield _progress(job, done, event)
        elif isinstance(event, Comparison):
            yield _outcome(job, event)
        else:
            done += 1


def _truth(job: Job) -> NDArray[Any] | None:
    if job.truth is None:
        return None
    if tuple(job.truth.shape) != job.placement.size:
        raise ShiftSegError(
            f"the ground truth has the shape {tuple(job.truth.shape)}, "
            f"the image {job.placement.size}"
        )
    return np.asarray(job.truth)


def _events(job: Job) -> Iterator[TileDone | Segmentation | Comparison]:
    if len(job.modes) > 1:
        yield from compare_events(
            job.image, job.model, truth=job.truth, tile=job.tile, modes=job.modes
        )
        return
    mode = job.modes[0]
    for event in segment_events(job.image, job.model, stitch=mode, tile=job.tile):
        yield event
        if isinstance(event, Segmentation):
            yield Comparison(job.model, {mode: event}, {mode: _report(event, job.truth)})


def _report(result: Segmentation, truth: NDArray[Any] | None) -> SeamReport:
    return SeamReport.of(result.labels, result.prediction.embedding, result.plan, truth=truth)


def _progress(job: Job, done: int, event: TileDone) -> Progress:
    count = event.tile.index + 1
    mode = job.modes[done].capitalize()
    text = f"{mode}: tile {count} of {event.total}"
    if count == event.total:
        text = f"{mode}: clustering"
    return Progress((done + count / (event.total + 1)) / len(job.modes), text)


def _outcome(job: Job, comparison: Comparison) -> Outcome:
    last = comparison.results[job.modes[-1]]
    colouring = job.colouring or Colouring.fit(last.prediction, job.model)
    results = {
        mode: ModeResult(
            result := comparison.results[mode],
            report := comparison.reports[mode],
            colouring(result.prediction),
            Rings.around(report.splits, result.labels),
        )
        for mode in job.modes
    }
    return Outcome(job, results, colouring)
