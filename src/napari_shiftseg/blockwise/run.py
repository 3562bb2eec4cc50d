"""A run over blocks, from the first pixel read to the file of labels."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from napari_shiftseg.blockwise.file_settings import FileSettings
from napari_shiftseg.blockwise.job import Job
from napari_shiftseg.blockwise.join import Numbering, join
from napari_shiftseg.blockwise.joined import JoinedEmbedding, JoinedLabels
from napari_shiftseg.blockwise.label import LABELLED, MODES, label_block, parts_of
from napari_shiftseg.blockwise.predict import PREDICTED, predict_block
from napari_shiftseg.blockwise.summaries import slabs_of
from napari_shiftseg.blockwise.work_folder import WorkFolder
from napari_shiftseg.blockwise.workers import Task, Workers, workers_of
from napari_shiftseg.image.calibration import Calibration
from napari_shiftseg.image.files import write_embedding, write_labels
from napari_shiftseg.labels.meanshift import mean_shift_modes_by_slabs
from napari_shiftseg.pipeline import plan_for, provenance_of
from napari_shiftseg.tiles.plan import TilePlan

WRITTEN = "written"
"""Kept when the embedding is written: the labels are written after it."""

Stage = Literal["predicting", "clustering", "labelling", "writing"]


@dataclass(frozen=True)
class BlocksDone:
    """How far a run is.

    Parameters
    ----------
    stage
        What is being done.
    done, total
        Blocks; frames where the stage is clustering.
    """

    stage: Stage
    done: int
    total: int


@dataclass(frozen=True)
class SegmentedFile:
    """The labels that were written.

    Parameters
    ----------
    output
        The file of labels.
    objects
        How many objects it holds.
    plan
        How a frame is tiled, but for the borders of blocks.
    blocks
        Number of blocks; 1 if the image fitted into memory.
    provenance
        All that is needed to make the labels again.
    """

    output: Path
    objects: int
    plan: TilePlan = field(repr=False)
    blocks: int
    provenance: dict[str, Any] = field(repr=False)


def over_blocks(
    job: Job, settings: FileSettings, output: Path, axes: Calibration
) -> Iterator[BlocksDone | SegmentedFile]:
    """Segment block by block; closing the generator stops it, and the next call goes on.

    Parameters
    ----------
    job
        What is to be done.
    settings
        By whom, and whether an unfinished run with other settings is thrown away.
    output
        Labels to write.
    axes
        Axes and voxel size of the labels.
    """
    with workers_of(settings.workers, settings.scheduler) as staff:
        job.folder.begin(job.identity, afresh=settings.overwrite)
        yield from _each_block(staff, "predicting", PREDICTED, predict_block, job)
        yield from _find_modes(job)
        yield from _each_block(staff, "labelling", LABELLED, label_block, job)
    labels = JoinedLabels(job, [_numbering(job, frame) for frame in range(len(job.frames))])
    result = _result(job, output, labels.objects)
    yield BlocksDone("writing", 0, len(job))
    _write_embedding(job, axes, result.provenance)
    write_labels(output, labels, axes=axes, provenance=result.provenance)
    job.folder.remove()
    yield result


def _write_embedding(job: Job, axes: Calibration, provenance: dict[str, Any]) -> None:
    """Write the embedding if it is wanted, once unless it is taken away meanwhile."""
    wanted = job.order.embeddings
    if wanted and not (job.folder.has(WRITTEN, 0) and Path(wanted).exists()):
        embedding = JoinedEmbedding(job)
        write_embedding(wanted, embedding, axes=axes.with_channels(), provenance=provenance)
        job.folder.save(WRITTEN, 0)


def embedding_is_written(output: Path, embeddings: Path) -> bool:
    """Tell whether an unfinished run has written its embedding, and only labels are missing."""
    folder = WorkFolder.beside(output)
    mine = folder.begun_with("embeddings") == str(Path(embeddings).absolute())
    return mine and folder.has(WRITTEN, 0)


def _each_block(
    staff: Workers, stage: Stage, name: str, task: Task, job: Job
) -> Iterator[BlocksDone]:
    """Do what is not done yet; say so for every block."""
    missing = [number for number in range(len(job)) if not job.folder.has(name, number)]
    done = len(job) - len(missing)
    yield BlocksDone(stage, done, len(job))
    for count, _ in enumerate(staff.on_blocks(task, job, missing), start=done + 1):
        yield BlocksDone(stage, count, len(job))


def _find_modes(job: Job) -> Iterator[BlocksDone]:
    """Find the modes of each frame from the summaries of all its blocks."""
    settings = job.order.clustering
    for frame in range(len(job.frames)):
        yield BlocksDone("clustering", frame, len(job.frames))
        if not job.folder.has(MODES, frame):
            modes = mean_shift_modes_by_slabs(
                slabs_of(job, frame), settings.bandwidth, min_count=settings.min_size
            )
            job.folder.save(MODES, frame, modes=modes)


def _numbering(job: Job, frame: int) -> Numbering:
    parts = [parts_of(job, number) for number in job.numbers(frame)]
    foreground = job.model.description.architecture.foreground
    return join(parts, job.grid, job.order.clustering, foreground=foreground)


def _result(job: Job, output: Path, objects: int) -> SegmentedFile:
    order = job.order
    plan = plan_for(job.model, job.frames.spatial, order.stitch, order.tile, job.region)
    provenance = provenance_of(job.model, plan, order.clustering)
    provenance |= {"axes": job.frames.axes, "channel": order.channel, "block": list(order.block)}
    provenance["image_sha256"] = order.fingerprint
    return SegmentedFile(output, objects, plan, len(job), provenance)
