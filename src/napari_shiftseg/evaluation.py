"""Evaluate a model on a data pack, pooled over its images."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_shiftseg.embeddings.model import Model, load_model
from napari_shiftseg.embeddings.unet import Architecture
from napari_shiftseg.errors import ShiftSegError, ShiftSegWarning
from napari_shiftseg.image.intensity import Scaling
from napari_shiftseg.image.label_pixels import parts_of_the_only_label, seem_one_object
from napari_shiftseg.image.packs import read_pack
from napari_shiftseg.labels.classical import otsu_watershed
from napari_shiftseg.pipeline import Segmentation, plan_for, scalings_of, segment
from napari_shiftseg.seams.jumps import JumpSums, measure_jumps
from napari_shiftseg.seams.matching import MatchCounts
from napari_shiftseg.seams.report import finite, number
from napari_shiftseg.seams.scores import LabelScores
from napari_shiftseg.seams.splits import find_seam_splits
from napari_shiftseg.settings import Clustering, StitchMode
from napari_shiftseg.tiles.geometry import Size
from napari_shiftseg.tiles.plan import TilePlan

Data = str | Path | Iterable[tuple[NDArray[Any], NDArray[Any]]]
"""A data pack, or pairs of image and ground truth."""

_MERE_MASKS = (
    "the ground truth of every image has one label in several separate parts: all objects count as "
    "one; give each a label of its own, as skimage.measure.label does"
)


@dataclass
class Evaluation:
    """Scores pooled over all images of a pack.

    Parameters
    ----------
    scores
        Of the labels.
    jumps
        Embedding jumps across and beside seams, within true objects.
    seam_splits
        True objects cut by a seam.
    baseline
        Scores of the classical way on the same images; None without it.

    References
    ----------
    Caicedo et al., Cytometry A, 2019; Rumberger et al., ICCV 2021, Sec. 4.2.
    """

    scores: LabelScores = field(default_factory=LabelScores)
    jumps: JumpSums = field(default_factory=JumpSums)
    seam_splits: int = 0
    baseline: LabelScores | None = None

    def add(
        self,
        result: Segmentation,
        truth: NDArray[Any],
        grid: TilePlan,
        *,
        stack: int | None = None,
    ) -> None:
        """Add one image, maybe of a stack; seams are counted on ``grid``."""
        self.scores.add(truth, result.labels, stack=stack)
        self.jumps += measure_jumps(result.prediction.embedding, truth, grid.seams)
        self.seam_splits += len(find_seam_splits(result.labels, truth, grid))

    @property
    def images(self) -> int:
        """Number of images so far."""
        return len(self.scores.by_image)

    @property
    def counts(self) -> MatchCounts:
        """Matches, false splits and merges over all images."""
        return self.scores.pooled

    @property
    def average_precision(self) -> dict[str, float]:
        """AP by IoU threshold."""
        return self.scores.average_precision

    def to_dict(self) -> dict[str, Any]:
        """Return the scores as plain JSON values."""
        values = self.scores.to_dict() | {
            "seam_splits": self.seam_splits,
            "seam_jump": finite(self.jumps.at_seams),
            "beside_jump": finite(self.jumps.beside_seams),
            "seam_jump_ratio": finite(self.jumps.ratio),
        }
        return values if self.baseline is None else values | {"baseline": self.baseline.to_dict()}

    def rows(self) -> dict[str, str]:
        """Return the scores for a table, by title."""
        return self.scores.rows() | {
            "caused by seams": str(self.seam_splits),
            "seam jump ratio": number(self.jumps.ratio),
        }

    def __str__(self) -> str:
        columns = [self.rows()]
        if self.baseline is not None:
            columns = [{"": "model"} | self.rows(), {"": "baseline"} | self.baseline.rows()]
        lines = []
        for title in columns[0]:
            cells = [f"{column.get(title, '–'):<26}" for column in columns]
            lines.append(f"{title:<18}{''.join(cells)}".rstrip())
        return "\n".join(lines)


def evaluate_events(
    model: str | Model,
    data: Data,
    *,
    stitch: StitchMode = "corrected",
    tile: int | Size | None = None,
    grid: int | None = None,
    clustering: Clustering | None = None,
    device: str | None = None,
    baseline: bool = False,
) -> Iterator[Evaluation]:
    """Evaluate; yield the scores so far after each image.

    Takes what :func:`evaluate` takes.
    """
    model = load_model(model)
    scores = Evaluation(baseline=LabelScores() if baseline else None)
    parts: list[int] = []
    for stack, name, image, truth, scaling in _images(model, data):
        seen, used = (image, model) if scaling is None else (scaling(image), model.of_scaled)
        with _said_of(name):
            result = segment(
                seen, used, stitch=stitch, tile=tile, clustering=clustering, device=device
            )
            lines = result.plan
            if grid is not None:
                lines = plan_for(model, result.plan.image_size, "naive", grid)
            scores.add(result, truth, lines, stack=stack)
        if scores.baseline is not None:
            grey = model.frames(image).frame().read().mean(axis=0)
            scores.baseline.add(truth, otsu_watershed(grey), stack=stack)
        if (truth > 0).any():
            parts.append(parts_of_the_only_label(truth))
        yield scores
    if seem_one_object(parts):
        warnings.warn(_MERE_MASKS, ShiftSegWarning, stacklevel=2)
    if not scores.images:
        raise ShiftSegError("there are no images to score; legal: at least one, with its truth")


def evaluate(
    model: str | Model,
    data: Data,
    *,
    stitch: StitchMode = "corrected",
    tile: int | Size | None = None,
    grid: int | None = None,
    clustering: Clustering | None = None,
    device: str | None = None,
    baseline: bool = False,
) -> Evaluation:
    """Score a model on a data pack.

    Parameters
    ----------
    model
        Name, path or loaded model.
    data
        A ZIP or folder with ``images/`` and ``masks/`` of equal names, or pairs of arrays
        ``(image, truth)``; where the truth is negative nobody knows it, and nothing counts.
        Of a stack each frame is an image; intervals are over whole stacks.
    stitch, tile, clustering, device
        As for :func:`napari_shiftseg.segment`.
    grid
        Count seam-caused splits and jumps on the lines of this tile size instead of on
        the plan's own seams; so that modes can be compared on the same lines.
    baseline
        Also score :func:`napari_shiftseg.labels.classical.otsu_watershed`.

    Returns
    -------
    Evaluation
        Pooled over all images, after Caicedo et al. 2019; prints as a table.

    Raises
    ------
    ShiftSegError
        If the pack, the model and the settings do not fit each other.

    References
    ----------
    Caicedo et al., Cytometry A, 2019; Rumberger et al., ICCV 2021, Sec. 4.2.
    """
    *_, scores = evaluate_events(
        model,
        data,
        stitch=stitch,
        tile=tile,
        grid=grid,
        clustering=clustering,
        device=device,
        baseline=baseline,
    )
    return scores


def _images(
    model: Model, data: Data
) -> Iterator[tuple[int, str, NDArray[Any], NDArray[Any], Scaling | None]]:
    """Yield images and their truth, with number and name in the pack.

    Of a stack each frame, and how its intensities are scaled: slices along z together, as they
    are when they are segmented.
    """
    pairs = _pairs(data, model.description.architecture)
    for number_in_pack, (name, image, truth, axes) in enumerate(pairs):
        with _said_of(name):
            frames = replace(model.frames(image), axes=axes)
            if frames.loops and truth.shape != frames.loops + frames.spatial:
                raise ShiftSegError(
                    f"ground truth has the shape {truth.shape}, the stack that it is of "
                    f"{frames.loops + frames.spatial}"
                )
        if not frames.loops:
            yield number_in_pack, name, image, truth, None
            continue
        indices = list(np.ndindex(*frames.loops))
        for index, scaling in zip(indices, scalings_of(frames, model, indices), strict=True):
            yield number_in_pack, name, frames.frame(index).read(), truth[index], scaling


@contextmanager
def _said_of(name: str) -> Iterator[None]:
    """Say of which image of a pack an error speaks."""
    try:
        yield
    except ShiftSegError as error:
        raise ShiftSegError(f"{name}: {error}" if name else str(error)) from error


def _pairs(
    data: Data, architecture: Architecture
) -> Iterator[tuple[str, NDArray[Any], NDArray[Any], str | None]]:
    if isinstance(data, str | Path):
        for found in read_pack(data):
            seen = found.seen_by(architecture.in_channels, architecture.geometry.ndim)
            yield f"{data}: images/{seen.name}", seen.image, seen.mask, seen.axes
        return
    if not isinstance(data, Iterable):
        raise ShiftSegError(
            f"data is a {type(data).__name__}; legal: a pack, or pairs (image, truth)"
        )
    for pair in data:
        if not isinstance(pair, tuple | list) or len(pair) != 2:
            raise ShiftSegError(
                f"data holds a {type(pair).__name__}; legal: a pack, or pairs (image, truth)"
            )
        yield "", pair[0], np.asarray(pair[1]), None
