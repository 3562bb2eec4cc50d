"""``shiftseg segment``: an image to a label image."""

from __future__ import annotations

from pathlib import Path

from napari_shiftseg.blockwise.run import SegmentedFile
from napari_shiftseg.blockwise.segment_file import segment_file_events
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
from napari_shiftseg.cli.run import follow
from napari_shiftseg.embeddings.model import Model, load_model
from napari_shiftseg.settings import Clustering, StitchMode


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
    events = segment_file_events(
        image,
        output,
        model=model,
        stitch=stitch,
        tile=tile,
        clustering=clustering_for(load_model(model), bandwidth, min_size, foreground),
        device=device,
        axes=axes,
        memory=None if memory is None else memory_size(memory),
        workers=workers,
        scheduler=scheduler,
        embeddings=embeddings,
        overwrite=ending.overwrite,
    )
    try:
        result = follow(events, SegmentedFile)
    except KeyboardInterrupt:
        if WorkFolder.beside(output).path.exists():
            note("the same command goes on with what is finished")
        raise
    values = {"objects": result.objects, "blocks": result.blocks, "labels": str(output)}
    ending.report(result.provenance | values, summary(result))


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


def summary(result: SegmentedFile) -> str:
    """Say what was found and how the image was cut."""
    found = f"{result.objects} objects" if result.objects else "no objects found"
    blocks = f" In {result.blocks} blocks." if result.blocks > 1 else ""
    return f"{result.output}: {found}. {result.plan.sentence()}{blocks}"
