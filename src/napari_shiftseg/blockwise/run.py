"""A run over blocks, from the first pixel read to the file of labels."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from napari_shiftseg.blockwise.blocks import BLOCK_PIXELS
from napari_shiftseg.blockwise.job import Job
from napari_shiftseg.blockwise.join import Numbering, join
from napari_shiftseg.blockwise.joined import JoinedLabels
from napari_shiftseg.blockwise.label import LABELLED, MODES, label_block, parts_of
from napari_shiftseg.blockwise.predict import PREDICTED, predict_block, summary_of
from napari_shiftseg.blockwise.prepare import prepare
from napari_shiftseg.blockwise.work_folder import WorkFolder
from napari_shiftseg.blockwise.workers import Task, Workers, workers_of
from napari_shiftseg.embeddings.budget import default_memory
from napari_shiftseg.embeddings.model import load_model
from napari_shiftseg.errors import ShiftSegError
from napari_shiftseg.image.files import is_zarr_name, write_labels
from napari_shiftseg.image.ome_zarr import require_zarr
from napari_shiftseg.labels.meanshift import BinSummary, mean_shift_modes
from napari_shiftseg.pipeline import plan_for, provenance_of
from napari_shiftseg.settings import Clustering, StitchMode
from napari_shiftseg.tiles.geometry import Size
from napari_shiftseg.tiles.plan import TilePlan

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
    """What a run over blocks has written.

    Parameters
    ----------
    output
        The file of labels.
    objects
        How many objects it holds.
    plan
        How a whole frame is tiled, but for the borders of blocks.
    blocks
        Number of blocks.
    provenance
        All that is needed to make the labels again.
    """

    output: Path
    objects: int
    plan: TilePlan
    blocks: int
    provenance: dict[str, Any]


def segment_file(image: str | Path | Any, output: str | Path, **settings: Any) -> SegmentedFile:
    """Segment an image of any size into a file of labels, within a bounded memory.

    The labels are those of :func:`segment`. What is finished is kept beside the output, in
    ``<output>.unfinished``, until the output is whole: a run that was stopped, by whatever,
    goes on from there when it is called again.

    Parameters
    ----------
    image
        Path of a TIFF or OME-Zarr, or an array; lazy ones (dask, zarr) are read block by
        block.
    output
        Labels to write, ``.tif`` or ``.ome.zarr``.
    **settings
        As of :func:`segment_file_events`.

    Returns
    -------
    SegmentedFile
        Where the labels are, and how they were made.

    Raises
    ------
    ShiftSegError
        If image, model or settings do not fit each other, the output exists, an unfinished
        run with other settings lies there, or a file cannot be written.
    """
    *_, result = segment_file_events(image, output, **settings)
    assert isinstance(result, SegmentedFile)
    return result


def segment_file_events(
    image: str | Path | Any,
    output: str | Path,
    *,
    model: str = "nuclei-2d",
    stitch: StitchMode = "corrected",
    tile: int | Size | None = None,
    clustering: Clustering | None = None,
    device: str | None = None,
    axes: str | None = None,
    workers: int | None = None,
    scheduler: str | None = None,
    overwrite: bool = False,
    memory: int | None = None,
    block_pixels: int = BLOCK_PIXELS,
) -> Iterator[BlocksDone | SegmentedFile]:
    """Run :func:`segment_file` step by step; closing the generator stops it, resumably.

    Parameters
    ----------
    image, output
        As of :func:`segment_file`.
    model
        Name of a bundled model, or path of a model file.
    stitch, tile, clustering, device, axes
        As of :func:`segment`; ``stitch="whole"`` is not possible block by block.
    workers
        Processes on this machine; by default this one.
    scheduler
        Address of a dask scheduler whose workers see the same files.
    overwrite
        Replace the output, and an unfinished run with other settings.
    memory
        Bytes that each process may take; tiles of no given size are as large as is fastest
        within them, and blocks smaller if they must.
    block_pixels
        Pixels of a block, at most about.
    """
    output = Path(output).absolute()
    if is_zarr_name(output):
        require_zarr()
    if output.exists() and not overwrite:
        raise ShiftSegError(f"{output} exists; overwrite=True replaces it")
    job, calibration = prepare(
        image,
        WorkFolder.beside(output),
        load_model(model),
        name=str(model),
        stitch=stitch,
        tile=tile,
        clustering=clustering,
        device=device,
        axes=axes,
        memory=default_memory() // (workers or 1) if memory is None else memory,
        block_pixels=block_pixels,
    )
    if not job.order.image and (scheduler or (workers or 1) > 1):
        raise ShiftSegError("an array is segmented by this process alone; workers need a file")
    with workers_of(workers, scheduler) as staff:
        job.folder.begin(job.identity, afresh=overwrite)
        yield from _over_blocks(staff, "predicting", PREDICTED, predict_block, job)
        yield from _find_modes(job)
        yield from _over_blocks(staff, "labelling", LABELLED, label_block, job)
    labels = JoinedLabels(job, [_numbering(job, frame) for frame in range(len(job.frames))])
    result = _result(job, output, labels.objects)
    yield BlocksDone("writing", 0, len(job))
    write_labels(output, labels, axes=calibration, provenance=result.provenance)
    job.folder.remove()
    yield result


def _over_blocks(
    staff: Workers, stage: Stage, name: str, task: Task, job: Job
) -> Iterator[BlocksDone]:
    """Do what is not done yet; say so for every block."""
    missing = [number for number in range(len(job)) if not job.folder.has(name, number)]
    done = len(job) - len(missing)
    yield BlocksDone(stage, done, len(job))
    for count, _ in enumerate(staff.run(task, job, missing), start=done + 1):
        yield BlocksDone(stage, count, len(job))


def _find_modes(job: Job) -> Iterator[BlocksDone]:
    """Find the modes of each frame from the summaries of all its blocks."""
    settings = job.order.clustering
    dims = job.model.description.architecture.embedding_dims
    for frame in range(len(job.frames)):
        yield BlocksDone("clustering", frame, len(job.frames))
        if not job.folder.has(MODES, frame):
            parts = (summary_of(job, number) for number in job.numbers(frame))
            summary = BinSummary.merged(parts, dims)
            modes = mean_shift_modes(summary, settings.bandwidth, min_count=settings.min_size)
            job.folder.save(MODES, frame, modes=modes)


def _numbering(job: Job, frame: int) -> Numbering:
    parts = [parts_of(job, number) for number in job.numbers(frame)]
    foreground = job.model.description.architecture.foreground
    return join(parts, job.grid, job.order.clustering, foreground=foreground)


def _result(job: Job, output: Path, objects: int) -> SegmentedFile:
    order = job.order
    plan = plan_for(job.model, job.frames.spatial, order.stitch, order.tile)
    provenance = provenance_of(job.model, plan, order.clustering) | {"block": list(order.block)}
    return SegmentedFile(output, objects, plan, len(job), provenance)
