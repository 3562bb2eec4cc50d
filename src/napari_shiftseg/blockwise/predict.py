"""First pass: predict a block, and keep the embedding of its foreground."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_shiftseg.blockwise.job import Job
from napari_shiftseg.embeddings.device import choose_device
from napari_shiftseg.embeddings.predict import Prediction, Stitcher, predict_tiles
from napari_shiftseg.image.border import reflected_indices
from napari_shiftseg.labels.bins import BinSummary
from napari_shiftseg.labels.cluster import pixels_to_cluster
from napari_shiftseg.pipeline import plan_for
from napari_shiftseg.tiles.plan import TilePlan
from napari_shiftseg.tiles.tile import Region, size_of

PREDICTED, EMBEDDED = "predicted", "embedded"


def predict_block(job: Job, number: int) -> None:
    """Predict a block and keep which pixels are foreground, their embeddings, their summary."""
    frame, place = job.place(number)
    order = job.order
    plan = plan_for(job.model, job.frames.spatial, order.stitch, order.tile, job.in_frame(place))
    prediction = _predict(job, frame, plan)
    chosen = pixels_to_cluster(prediction.foreground, plan.result_size, order.clustering)
    if order.embeddings:
        channels = {str(channel): values for channel, values in enumerate(prediction.embedding)}
        job.folder.save(EMBEDDED, number, **channels)
    vectors = prediction.embedding[:, chosen].T
    summary = BinSummary.of(vectors, order.clustering.bandwidth)
    job.folder.save(
        PREDICTED,
        number,
        chosen=np.packbits(chosen),
        vectors=vectors,
        key=summary.key,
        count=summary.count,
        total=summary.total,
    )


def summary_of(job: Job, number: int) -> BinSummary:
    """Return the kept summary of a block."""
    with job.folder.load(PREDICTED, number) as kept:
        return BinSummary(kept["key"], kept["count"], kept["total"])


def bin_columns_of(job: Job, number: int) -> NDArray[np.int64]:
    """Return the first coordinate of each bin of a block's summary, in rising order."""
    with job.folder.load(PREDICTED, number) as kept:
        first: NDArray[np.int64] = kept["key"][:, 0]
    return first


def foreground_of(job: Job, number: int) -> tuple[NDArray[np.bool_], NDArray[np.float32]]:
    """Return which pixels of a block are foreground, and their ``(n, E)`` embeddings."""
    size = size_of(job.place(number)[1])
    with job.folder.load(PREDICTED, number) as kept:
        chosen = np.unpackbits(kept["chosen"], count=int(np.prod(size))).astype(bool)
        return chosen.reshape(size), kept["vectors"]


def _predict(job: Job, frame: int, plan: TilePlan) -> Prediction:
    architecture = job.model.description.architecture
    stitcher = Stitcher(plan, architecture.out_channels)
    index = tuple(int(at) for at in np.unravel_index(frame, job.frames.loops))
    pixels = _ReadOnce(job.frames.frame(index), plan)
    device = choose_device(job.order.device)
    for done in predict_tiles(job.model.network, pixels, job.order.scalings[frame], plan, device):
        stitcher.add(done)
    return stitcher.result(foreground=architecture.foreground)


class _ReadOnce:
    """The part of a frame that a plan reads, in memory; it slices like the whole frame.

    Tiles overlap in what they read, and are smaller than the chunks of most files, which
    would be decoded again for each of them.
    """

    def __init__(self, frame: Any, plan: TilePlan) -> None:
        self.shape, self.dtype = frame.shape, frame.dtype
        needed = [
            reflected_indices(strip.outer[0][0], strip.outer[-1][1], size)
            for strip, size in zip(plan.strips, frame.shape[1:], strict=True)
        ]
        part = tuple(slice(int(axis.min()), int(axis.max()) + 1) for axis in needed)
        self._start = [side.start for side in part]
        self._pixels = np.asarray(frame[(slice(None), *part)])

    def __getitem__(self, part: Region) -> NDArray[Any]:
        channels, *spatial = part
        moved = (
            slice(s.start - start, s.stop - start)
            for s, start in zip(spatial, self._start, strict=True)
        )
        return self._pixels[(channels, *moved)]
