"""``shiftseg segment``: an image to a label image."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from napari_shiftseg.blockwise.run import SegmentedFile, segment_file_events
from napari_shiftseg.blockwise.work_folder import WorkFolder
from napari_shiftseg.cli.app import app
from napari_shiftseg.cli.console import (
    TEXT_ONLY,
    Bandwidth,
    Device,
    Foreground,
    MinSize,
    ModelName,
    OutputFile,
    Reporting,
    memory_size,
    note,
)
from napari_shiftseg.cli.images import NamedImage
from napari_shiftseg.cli.run import follow
from napari_shiftseg.embeddings.budget import default_memory
from napari_shiftseg.embeddings.cost import cost_of
from napari_shiftseg.embeddings.model import Model, load_model
from napari_shiftseg.errors import ShiftSegError
from napari_shiftseg.image.files import write_embedding, write_labels
from napari_shiftseg.pipeline import Segmentation, frames_of, plan_for, segment_events
from napari_shiftseg.settings import Clustering, StitchMode
from napari_shiftseg.tiles.plan import TilePlan


@app.command
def segment(
    image: Path,
    *,
    output: OutputFile,
    model: ModelName = "nuclei-2d",
    stitch: StitchMode = "corrected",
    tile: int | None = None,
    bandwidth: Bandwidth = None,
    min_size: MinSize = None,
    foreground: Foreground = None,
    axes: str | None = None,
    embeddings: Path | None = None,
    device: Device = None,
    memory: str | None = None,
    workers: int | None = None,
    scheduler: str | None = None,
    ending: Reporting = TEXT_ONLY,
) -> None:
    """Segment an image, or each frame of a stack, and write the labels.

    An image that does not fit into memory is segmented block by block, with the same labels.
    Finished blocks are kept beside the output until it is whole, so that the same command
    goes on after an interruption.

    Parameters
    ----------
    image
        TIFF or OME-Zarr to segment.
    output
        Labels to write, .tif or .ome.zarr, with the image's voxel size; 0 is background.
    stitch
        How tiles are stitched; corrected equals whole-image inference.
    tile
        Output tile size in pixels; corrected needs a multiple of the model's period. By
        default corrected tiles are as large as is fastest within the memory.
    axes
        One letter per axis of the image, as tczyx, where its file names them wrong; an axis
        that the network does not see is looped over.
    embeddings
        Also write the embedding to this .tif or .ome.zarr, channels first.
    memory
        Memory that the run may take, as 2GB; by default half of what is free. An image that
        needs more is segmented block by block.
    workers
        Go block by block in so many processes.
    scheduler
        Go block by block on the workers of this dask scheduler, as tcp://host:8786.
    """
    ending.refuse_existing(output, embeddings)
    budget = default_memory() if memory is None else memory_size(memory)
    loaded = load_model(model)
    settings = {
        "stitch": stitch,
        "tile": tile,
        "clustering": clustering_for(loaded, bandwidth, min_size, foreground),
        "device": device,
        "memory": budget,
    }
    named = NamedImage.read(image, axes)
    unfinished = WorkFolder.beside(output).path.exists()
    if workers or scheduler or unfinished or _too_large(named, loaded, stitch, tile, budget):
        if embeddings is not None:
            raise ShiftSegError(
                "--embeddings needs an image that fits into memory; leave out --workers and "
                "--scheduler, or raise --memory"
            )
        settings |= {"axes": axes, "workers": workers, "scheduler": scheduler}
        _block_by_block(image, output, model, settings, ending)
        return
    events = segment_events(named.pixels, loaded, axes=named.axes, **settings)  # type: ignore[arg-type]
    result = follow(events, Segmentation)
    calibration = named.calibration_of_labels(loaded)
    if embeddings is not None:
        vectors, its_axes = result.prediction.embedding, calibration.with_channels()
        write_embedding(embeddings, vectors, axes=its_axes, provenance=result.provenance)
    write_labels(output, result.labels, axes=calibration, provenance=result.provenance)
    values = result.provenance | {"objects": result.objects, "labels": str(output)}
    ending.report(values, summary(result.objects, result.plan, output))


def clustering_for(
    model: Model,
    bandwidth: float | None = None,
    min_size: int | None = None,
    foreground: float | None = None,
) -> Clustering:
    """Return the model's own clustering settings with the user's changes."""
    changes = {
        "bandwidth": bandwidth,
        "min_size": min_size,
        "foreground_threshold": foreground,
    }
    return model.description.clustering.replaced(**changes)


def summary(objects: int, plan: TilePlan, output: Path) -> str:
    """Say what was found and how the image was cut."""
    found = f"{objects} objects" if objects else "no objects found"
    return f"{output}: {found}. {plan.sentence()}"


def _too_large(
    named: NamedImage, model: Model, stitch: StitchMode, tile: int | None, budget: int
) -> bool:
    """Tell whether the result, and a tile, take more than the budget."""
    frames = frames_of(named.pixels, model, named.axes)
    plan = plan_for(model, frames.spatial, stitch, tile)
    needed = cost_of(model.description.architecture, plan, len(frames)).total_bytes
    return stitch != "whole" and needed > budget


def _block_by_block(
    image: Path, output: Path, model: str, settings: dict[str, Any], ending: Reporting
) -> None:
    events = segment_file_events(image, output, model=model, overwrite=ending.overwrite, **settings)
    try:
        result = follow(events, SegmentedFile)
    except KeyboardInterrupt:
        note("the same command goes on with what is finished")
        raise
    values = result.provenance | {
        "objects": result.objects,
        "blocks": result.blocks,
        "labels": str(output),
    }
    text = f"{summary(result.objects, result.plan, output)} {result.blocks} blocks."
    ending.report(values, text)
