"""``shiftseg segment``: an image to a label image."""

from __future__ import annotations

from pathlib import Path

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
)
from napari_shiftseg.cli.images import NamedImage
from napari_shiftseg.cli.run import follow
from napari_shiftseg.embeddings.model import Model, load_model
from napari_shiftseg.image.files import write_embedding, write_labels
from napari_shiftseg.pipeline import Segmentation, segment_events
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
    ending: Reporting = TEXT_ONLY,
) -> None:
    """Segment an image, or each frame of a stack, and write the labels.

    Parameters
    ----------
    image
        TIFF or OME-Zarr to segment.
    output
        Labels to write, .tif or .ome.zarr, with the image's voxel size; 0 is background.
    stitch
        How tiles are stitched; corrected equals whole-image inference.
    tile
        Output tile size in pixels; corrected needs a multiple of the model's period.
    axes
        One letter per axis of the image, as tczyx, where its file names them wrong; an axis
        that the network does not see is looped over.
    embeddings
        Also write the embedding to this .tif or .ome.zarr, channels first.
    """
    ending.refuse_existing(output, embeddings)
    named = NamedImage.read(image, axes)
    loaded = load_model(model)
    events = segment_events(
        named.pixels,
        loaded,
        stitch=stitch,
        tile=tile,
        clustering=clustering_for(loaded, bandwidth, min_size, foreground),
        device=device,
        axes=named.axes,
    )
    result = follow(events, Segmentation)
    calibration = named.calibration_of_labels(loaded)
    if embeddings is not None:
        vectors, its_axes = result.prediction.embedding, calibration.with_channels()
        write_embedding(embeddings, vectors, axes=its_axes, provenance=result.provenance)
    write_labels(output, result.labels, axes=calibration, provenance=result.provenance)
    values = result.provenance | {"objects": result.objects, "labels": str(output)}
    ending.report(values, summary(result, output))


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


def summary(result: Segmentation, output: Path) -> str:
    """Say what was found and how the image was cut."""
    found = f"{result.objects} objects" if result.objects else "no objects found"
    return f"{output}: {found}. {result.plan.sentence()}"
