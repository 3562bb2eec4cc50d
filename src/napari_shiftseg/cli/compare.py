"""``shiftseg compare``: who cut what, naive against corrected."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

from numpy.typing import NDArray

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
from napari_shiftseg.comparison import Comparison, compare_events, stitchings_of
from napari_shiftseg.embeddings.model import load_model
from napari_shiftseg.errors import ShiftSegError
from napari_shiftseg.figure import draw_comparison
from napari_shiftseg.image.tiff import read_labels, read_tiff, smallest_label_type, write_tiff


def write_comparison(
    result: Comparison, image: NDArray[Any], files: dict[str, Path], picture: Path
) -> None:
    """Write the label TIFF of each mode and the picture of all."""
    axes = result.model.description.axes.upper()
    for mode, path in files.items():
        segmentation = result.results[mode]
        labels = smallest_label_type(segmentation.labels)
        write_tiff(path, labels, axes=axes, provenance=segmentation.provenance)
    draw_comparison(result, image, picture)


@app.command
def compare(
    image: Path,
    *,
    output: OutputFile,
    model: ModelName = "nuclei-2d",
    truth: Path | None = None,
    tile: int | None = None,
    bandwidth: float | None = None,
    device: str | None = None,
    json: JsonFile = None,
    overwrite: bool = False,
) -> None:
    """Segment an image naively and correctly stitched; list the objects that seams cut.

    Parameters
    ----------
    image
        TIFF to segment.
    output
        Existing folder for the two label TIFFs and a PNG with the cut objects circled.
    model
        Name of a bundled model or a model file.
    truth
        Label TIFF with the ground truth. Without it, an object counts as cut if it is one in
        the corrected labels and several in the naive ones.
    tile
        Naive tile size in pixels; corrected tiles are the largest multiple of the period in it.
    bandwidth
        Mean-shift bandwidth; by default the model's own.
    device
        cpu, cuda or mps; by default the fastest one here.
    json
        Write the report to this file, or to stdout with -.
    overwrite
        Replace existing files.
    """
    if not output.is_dir():
        raise ShiftSegError(f"no such folder: {output}")
    files = {mode: output / f"{image.stem}-{mode}.tif" for mode in ("naive", "corrected")}
    picture = output / f"{image.stem}-compare.png"
    refuse_existing(*files.values(), picture, overwrite=overwrite)
    refuse_json(json, overwrite=overwrite)
    pixels = read_tiff(image)
    true_labels = None if truth is None else read_labels(truth)
    loaded = load_model(model)
    events = compare_events(
        pixels,
        loaded,
        truth=true_labels,
        stitchings=stitchings_of(loaded, ("naive", "corrected"), tile),
        clustering=loaded.description.clustering.replaced(bandwidth=bandwidth),
        device=device,
    )
    result = cast("Comparison", follow(events))
    write_comparison(result, pixels, files, picture)
    written = "\n".join(str(path) for path in (*files.values(), picture))
    report(result.to_dict(), f"{result}\n\n{written}", json)
