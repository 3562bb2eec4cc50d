"""What is made anew from a cached embedding: labels, colours, jumps. No network runs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from napari_shiftseg._napari.job import Result
from napari_shiftseg._napari.rings import Rings
from napari_shiftseg.embeddings.colours import Colouring, ColourKind
from napari_shiftseg.pipeline import Segmentation, cluster_frames
from napari_shiftseg.seams.jumps import jump_map
from napari_shiftseg.seams.report import SeamReport
from napari_shiftseg.settings import Clustering


@dataclass(frozen=True)
class Relabelled:
    """Other labels of a result, what is known of them, and the settings that made them."""

    result: Result
    segmentation: Segmentation
    report: SeamReport
    rings: Rings


@dataclass(frozen=True)
class Recoloured:
    """Other colours of a result."""

    result: Result
    colouring: Colouring
    picture: NDArray[np.uint8]


@dataclass(frozen=True)
class Jumps:
    """The jump map of a result, and what of it is shown brightest."""

    result: Result
    jumps: NDArray[np.float32]
    high: float


def relabelled(result: Result, settings: Clustering) -> Iterator[Relabelled]:
    """Cluster the embedding again; what was compared with other labels is no longer known."""
    segmentation = result.segmentation
    loops = segmentation.labels.shape[: segmentation.labels.ndim - segmentation.plan.geometry.ndim]
    labels = cluster_frames(segmentation.prediction, loops, settings)
    report = replace(
        result.report,
        objects=int(labels.max(initial=0)),
        false_splits=None,
        false_merges=None,
        ap50=None,
        splits=(),
    )
    segmentation = replace(segmentation, labels=labels, clustering=settings)
    yield Relabelled(
        result, segmentation, report, Rings.around((), labels, result.subject.space.scale)
    )


def recoloured(result: Result, kind: ColourKind) -> Iterator[Recoloured]:
    """Colour the embedding in another way."""
    prediction = result.segmentation.prediction
    colouring = Colouring.fit(prediction, result.subject.model, kind)
    yield Recoloured(result, colouring, colouring(prediction))


def jumps_of(result: Result) -> Iterator[Jumps]:
    """Measure the jump across every pixel border."""
    ndim = result.segmentation.plan.geometry.ndim
    jumps = jump_map(result.segmentation.prediction.embedding, ndim)
    yield Jumps(result, jumps, float(np.percentile(jumps[::4], 99.9)) or 1.0)
