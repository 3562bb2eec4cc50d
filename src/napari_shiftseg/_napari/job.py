"""One run, resolved from the form before it starts: the worker reads no widgets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from napari_shiftseg._napari.axis_names import loops_of
from napari_shiftseg._napari.events import Partial, Progress
from napari_shiftseg._napari.placement import Placement
from napari_shiftseg._napari.rings import Rings
from napari_shiftseg.comparison import Comparison, compare_events, comparison_of
from napari_shiftseg.embeddings.colours import Colouring, ColourKind
from napari_shiftseg.embeddings.model import Model
from napari_shiftseg.embeddings.predict import Prediction, TileDone
from napari_shiftseg.image.calibration import Calibration
from napari_shiftseg.pipeline import Segmentation, segment_events
from napari_shiftseg.seams.report import SeamReport
from napari_shiftseg.settings import Clustering, Stitching, StitchMode
from napari_shiftseg.tiles.geometry import Size
from napari_shiftseg.tiles.plan import TilePlan, by
from napari_shiftseg.tiles.tile import Region

Key = tuple[Any, ...]

_COARSE = 1024
"""Edge in pixels from which on a partial result is shown coarser than it is."""


@dataclass(frozen=True)
class Subject:
    """What is looked at: image, model and settings as they were when the run was asked for.

    Parameters
    ----------
    image
        The layer's array.
    image_key, image_name
        The layer's identity and name.
    model
        The model.
    axes
        One letter per axis of the array, if they are known.
    loops
        Frames along each loop axis.
    space
        Placement of the image's spatial axes, whole.
    stack
        Placement of its loop and spatial axes: where results of the whole image lie.
    clustering
        Settings of mean shift.
    region
        The part that is wanted, None for all.
    frame
        The only frame that is wanted, None for all.
    preview
        Whether this is only a look.
    colouring
        Colours of an earlier run on the same image, or None.
    colours
        What colours mean that are chosen anew.
    """

    image: Any
    image_key: str
    image_name: str
    model: Model
    axes: str | None
    loops: Size
    space: Placement
    stack: Placement
    clustering: Clustering
    region: Region | None = None
    frame: tuple[int, ...] | None = None
    preview: bool = False
    colouring: Colouring | None = None
    colours: ColourKind = "first"

    @property
    def frames(self) -> int:
        """How many frames are wanted."""
        return 1 if self.frame is not None else prod(self.loops)

    @property
    def identity(self) -> tuple[str, str]:
        """Image and model: results of the same identity can be compared."""
        return self.image_key, self.model.sha256 or self.model.description.name

    @property
    def placement(self) -> Placement:
        """Where results lie."""
        part = self.region or tuple(slice(0, n) for n in self.space.size)
        frames = () if self.frame is None else tuple(slice(i, i + 1) for i in self.frame)
        return self.stack.cut(frames + part)

    @property
    def calibration(self) -> Calibration:
        """Axes and voxel size of results: space as the model names it, loops as the image does."""
        spatial = self.model.description.axes
        loops = loops_of(self.axes or "", self.model.reads, len(self.loops))
        placement = self.placement
        units = [str(unit) for unit in placement.units] or None
        scale = [abs(step) for step in placement.scale]  # a mirrored layer is no mirrored array
        return Calibration.of(loops + spatial, scale, units, placement.translate)


@dataclass(frozen=True)
class TilePicture:
    """A finished tile as a person may see it before the others are there.

    Parameters
    ----------
    subject
        Whose.
    frame
        Index on the loop axes.
    place
        Where it lies in the coarse picture of the region.
    colours
        ``(*size, 3)`` uint8.
    step
        Every how-many-th pixel the picture has.
    """

    subject: Subject
    frame: tuple[int, ...]
    place: tuple[slice, ...]
    colours: NDArray[np.uint8]
    step: int


@dataclass(frozen=True)
class Result:
    """All that is shown of one stitching.

    Parameters
    ----------
    subject
        What was looked at.
    segmentation
        Labels, embedding and plan.
    report
        What the seams did.
    picture
        ``(*loops, *spatial, 3)`` colours of the embedding.
    rings
        Around the objects that were cut.
    colouring
        What the colours mean.
    """

    subject: Subject
    segmentation: Segmentation
    report: SeamReport
    picture: NDArray[np.uint8]
    rings: Rings
    colouring: Colouring

    @property
    def mode(self) -> StitchMode:
        """The stitch mode."""
        return self.segmentation.plan.mode

    @property
    def title(self) -> str:
        """Stitch mode, tile size and region in words."""
        return title_of(self.subject, self.segmentation.plan)

    def title_among(self, others: Iterable[Result]) -> str:
        """Name the model too where others of the same title and image have another one."""
        alike = (o for o in others if o.subject.image_key == self.subject.image_key)
        models = {other.model_name for other in alike if other.title == self.title}
        return f"{self.title}, {self.model_name}" if models - {self.model_name} else self.title

    @property
    def model_name(self) -> str:
        """The model's name."""
        return self.segmentation.model.description.name

    @property
    def key(self) -> Key:
        """What tells this result from others."""
        return key_of(self.subject, self.segmentation.plan)


def key_of(subject: Subject, plan: TilePlan) -> Key:
    """Return what will tell a result from others: image, model, stitching and part."""
    part = tuple((r.start, r.stop) for r in plan.region) if subject.region else ()
    return (*subject.identity, title_of(subject, plan), part, subject.frame)


def title_of(subject: Subject, plan: TilePlan) -> str:
    """Name a result for people."""
    whole = plan.mode == "whole"
    title = "whole image" if whole else f"{plan.mode}, {by(plan.tile_size)} px"
    if subject.preview:
        return f"preview, {title}"
    return f"{title}, region" if subject.region else title


def run(
    subject: Subject, stitchings: Sequence[Stitching], truth: Any = None
) -> Iterator[Progress | Partial | tuple[Result, ...]]:
    """Run one stitching, or compare several; yield progress, tiles, and last the results.

    Parameters
    ----------
    subject
        What to look at.
    stitchings
        How to cut it into tiles.
    truth
        Array of ground-truth labels, or None.
    """
    yield Progress(0, "Reading the image")
    done = 0
    for event in _events(subject, stitchings, truth):
        if isinstance(event, TileDone):
            if subject.colouring is not None or _colours_need_no_measure(subject):
                yield Partial(_picture(subject, event))
            yield _progress(subject, stitchings, done, event)
        elif isinstance(event, Comparison):
            yield results_of(subject, event)
        else:
            done += 1


def results_of(subject: Subject, comparison: Comparison) -> tuple[Result, ...]:
    """Make of a comparison all that is shown, in the same colours."""
    last = list(comparison.results.values())[-1]
    colouring = _colouring(subject, last.prediction)
    return tuple(
        Result(
            subject,
            segmentation,
            comparison.reports[name],
            colouring(segmentation.prediction),
            Rings.around(comparison.reports[name].splits, segmentation.labels, subject.space.scale),
            colouring,
        )
        for name, segmentation in comparison.results.items()
    )


def _events(
    subject: Subject, stitchings: Sequence[Stitching], truth: Any
) -> Iterator[TileDone | Segmentation | Comparison]:
    common: dict[str, Any] = {
        "clustering": subject.clustering,
        "region": subject.region,
        "axes": subject.axes,
    }
    if len(stitchings) > 1 or truth is not None:
        yield from compare_events(
            subject.image, subject.model, truth=truth, stitchings=stitchings, **common
        )
        return
    (stitching,) = stitchings
    for event in segment_events(
        subject.image,
        subject.model,
        stitch=stitching.mode,
        tile=stitching.tile,
        frame=subject.frame,
        **common,
    ):
        yield event
        if isinstance(event, Segmentation):
            yield comparison_of([event])


def _progress(
    subject: Subject, stitchings: Sequence[Stitching], done: int, event: TileDone
) -> Progress:
    loops = subject.loops if subject.frame is None else ()
    frames = int(np.prod(loops))
    frame = int(np.ravel_multi_index(event.frame, loops)) if loops else 0
    mode = stitchings[done].mode.capitalize()
    where = f", frame {frame + 1} of {frames}" if frames > 1 else ""
    text = f"{mode}: tile {event.done} of {event.total}{where}"
    if event.done == event.total:
        text = f"{mode}: clustering{where}"
    within = (frame + event.done / (event.total + 1)) / frames
    return Progress((done + within) / len(stitchings), text)


def _colouring(subject: Subject, prediction: Prediction) -> Colouring:
    return subject.colouring or Colouring.fit(prediction, subject.model, subject.colours)


def _colours_need_no_measure(subject: Subject) -> bool:
    coordinates = subject.model.description.architecture.coordinate_dims
    return subject.colours == "first" and coordinates > 0


def _picture(subject: Subject, event: TileDone) -> TilePicture:
    """Colour a tile, coarse where the image is large."""
    size = subject.placement.size[len(subject.loops) :]
    step = max(1, -(-max(size) // _COARSE))
    start = [0] * len(size) if subject.region is None else [r.start for r in subject.region]
    inner = [slice(i.start - s, i.stop - s) for i, s in zip(event.tile.inner, start, strict=True)]
    # The coarse picture has the pixels whose number is a multiple of the step.
    first = [-i.start % step for i in inner]
    thinned = tuple(slice(f, None, step) for f in first)
    output = event.output[(slice(None), *thinned)]
    place = tuple(
        slice((i.start + f) // step, (i.start + f) // step + n)
        for i, f, n in zip(inner, first, output.shape[1:], strict=True)
    )
    prediction = _prediction(subject, output)
    colours = _colouring(subject, prediction)(prediction)
    return TilePicture(subject, event.frame, place, colours, step)


def _prediction(subject: Subject, output: NDArray[np.float32]) -> Prediction:
    if not subject.model.description.architecture.foreground:
        return Prediction(output, None)
    return Prediction(output[:-1], expit(output[-1]))
