"""``shiftseg segment``: an image to a label image."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import numpy as np

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
from napari_shiftseg.image.tiff import read_tiff, smallest_label_type, write_tiff
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
    bandwidth: float | None = None,
    min_size: int | None = None,
    foreground: float | None = None,
    embeddings: Path | None = None,
    device: str | None = None,
    json: JsonFile = None,
    overwrite: bool = False,
) -> None:
    """Segment an image into objects and write a label TIFF.

    Parameters
    ----------
    image
        TIFF to segment.
    output
        Label TIFF to write; 0 is background.
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
    embeddings
        Also write the embedding to this TIFF, channels first.
    device
        cpu, cuda or mps; by default the fastest one here.
    json
        Write how the labels were made to this file, or to stdout with -.
    overwrite
        Replace existing files.
    """
    refuse_existing(output, embeddings, overwrite=overwrite)
    refuse_json(json, overwrite=overwrite)
    pixels = read_tiff(image)
    loaded = load_model(model)
    settings = clustering_for(loaded, bandwidth, min_size, foreground)
    result = cast(
        "Segmentation",
        follow(
            segment_events(
                pixels, loaded, stitch=stitch, tile=tile, clustering=settings, device=device
            )
        ),
    )
    axes = loaded.description.axes.upper()
    if embeddings is not None:
        vectors = np.ascontiguousarray(result.prediction.embedding)
        write_tiff(embeddings, vectors, axes="C" + axes, provenance=result.provenance)
    write_tiff(output, smallest_label_type(result.labels), axes=axes, provenance=result.provenance)
    values = result.provenance | {"objects": result.objects, "labels": str(output)}
    report(values, summary(result, output), json)


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
