"""``shiftseg segment``: an image to a label image."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import cast

from napari_shiftseg.cli.app import app
from napari_shiftseg.cli.console import (
    JsonFile,
    ModelName,
    OutputFile,
    refuse_existing,
    refuse_json,
    report,
)
from napari_shiftseg.cli.run import follow
from napari_shiftseg.embeddings.model import Model, load_model
from napari_shiftseg.image.files import open_image, write_embedding, write_labels
from napari_shiftseg.pipeline import Segmentation, frames_of, segment_events
from napari_shiftseg.settings import Clustering, StitchMode


@app.command
def segment(
    image: Path,
    *,
    output: OutputFile,
    model: ModelName = "nuclei-2d",
    stitch: StitchMode = "corrected",
    tile: int | None = None,
    bandwidth: float | None = None,
    min_size: int | None = None,
    foreground: float | None = None,
    axes: str | None = None,
    embeddings: Path | None = None,
    device: str | None = None,
    json: JsonFile = None,
    overwrite: bool = False,
) -> None:
    """Segment an image, or each frame of a stack, and write the labels.

    Parameters
    ----------
    image
        TIFF or OME-Zarr to segment.
    output
        Labels to write, .tif or .ome.zarr, with the image's voxel size; 0 is background.
    model
        Name of a bundled model (see shiftseg models) or a model file.
    stitch
        How tiles are stitched; corrected equals whole-image inference.
    tile
        Output tile size in pixels; corrected needs a multiple of the model's period.
    bandwidth
        Mean-shift bandwidth; by default the model's own.
    min_size
        Objects with fewer pixels are dropped; by default the model's own.
    foreground
        Foreground probability from which on a pixel belongs to an object.
    axes
        One letter per axis of the image, as tczyx, where its file names them wrong; an axis
        that the network does not see is looped over.
    embeddings
        Also write the embedding to this .tif or .ome.zarr, channels first.
    device
        cpu, cuda or mps; by default the fastest one here.
    json
        Write how the labels were made to this file, or to stdout with -.
    overwrite
        Replace existing files.
    """
    refuse_existing(output, embeddings, overwrite=overwrite)
    refuse_json(json, overwrite=overwrite)
    opened = open_image(image)
    named = axes or opened.calibration.known_axes
    loaded = load_model(model)
    settings = clustering_for(loaded, bandwidth, min_size, foreground)
    events = segment_events(
        opened.pixels,
        loaded,
        stitch=stitch,
        tile=tile,
        clustering=settings,
        device=device,
        axes=named,
    )
    result = cast("Segmentation", follow(events))
    kept = frames_of(opened.pixels, loaded, named).layout.kept
    calibration = replace(opened.calibration.picked(kept), axes=_letters(named, kept, loaded))
    if embeddings is not None:
        vectors, its_axes = result.prediction.embedding, calibration.with_channels()
        write_embedding(embeddings, vectors, axes=its_axes, provenance=result.provenance)
    write_labels(output, result.labels, axes=calibration, provenance=result.provenance)
    values = result.provenance | {"objects": result.objects, "labels": str(output)}
    report(values, summary(result, output), json)


def _letters(named: str | None, kept: tuple[int, ...], model: Model) -> str:
    """Name the axes of the labels; loops of an unnamed stack are frames in time."""
    if named is not None:
        return "".join(named[axis] for axis in kept)
    spatial = model.description.axes
    return "tpq"[: len(kept) - len(spatial)] + spatial


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
