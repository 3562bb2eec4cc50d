"""``shiftseg compare``: who cut what, naive against corrected."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from napari_shiftseg.cli.app import app
from napari_shiftseg.cli.console import (
    TEXT_ONLY,
    Axes,
    Bandwidth,
    ChannelName,
    Device,
    ModelName,
    OutputFile,
    Reporting,
)
from napari_shiftseg.cli.images import NamedImage, files_in, read_truth
from napari_shiftseg.cli.run import follow
from napari_shiftseg.comparison import Comparison, compare_events, stitchings_of
from napari_shiftseg.embeddings.model import load_model
from napari_shiftseg.figure import draw_comparison
from napari_shiftseg.files import folder_for
from napari_shiftseg.image.calibration import Calibration
from napari_shiftseg.image.files import write_labels
from napari_shiftseg.settings import DEFAULT_MODEL


def write_comparison(
    result: Comparison,
    image: Any,
    axes: str | Calibration,
    files: dict[str, Path],
    picture: Path,
) -> None:
    """Write the label TIFF of each mode, with these axes, and the picture of all."""
    for mode, path in files.items():
        segmentation = result.results[mode]
        write_labels(path, segmentation.labels, axes=axes, provenance=segmentation.provenance)
    draw_comparison(result, image, picture)


@app.command
def compare(
    image: Path,
    *,
    output: OutputFile,
    model: ModelName = DEFAULT_MODEL,
    truth: Path | None = None,
    tile: int | None = None,
    axes: Axes = None,
    channel: ChannelName = None,
    bandwidth: Bandwidth = None,
    device: Device = None,
    ending: Reporting = TEXT_ONLY,
) -> None:
    """Segment an image naively and correctly stitched; list the objects that seams cut.

    Parameters
    ----------
    image
        TIFF, PNG, .npy or OME-Zarr to segment.
    output
        Folder for the two label TIFFs and a PNG with the cut objects circled.
    truth
        TIFF, PNG, .npy or OME-Zarr with the ground truth. Without it, an object counts as cut if it
        is one in the corrected labels and several in the naive ones.
    tile
        Naive tile size in pixels; corrected tiles are the largest multiple of the period in it.
    """
    loaded = load_model(model)
    reads = loaded.reads
    named = NamedImage.read(image, axes, channel, in_channels=reads.channels).squeezed(reads.axes)
    objects = read_truth(truth, loaded)
    *labels, picture = files_in(output, image, "naive.tif", "corrected.tif", "compare.png")
    with folder_for(output):
        ending.refuse_existing(*labels, picture, reads=[image, truth, model])
        events = compare_events(
            named.pixels,
            loaded,
            truth=objects,
            stitchings=stitchings_of(loaded, ("naive", "corrected"), tile),
            clustering=loaded.description.clustering.replaced(bandwidth=bandwidth),
            device=device,
            axes=named.axes,
        )
        result = follow(events, Comparison)
        files = dict(zip(result.results, labels, strict=True))
        calibration = named.calibration_of_labels(loaded)
        ending.refuse_existing(*labels, picture)  # others may have written them meanwhile
        write_comparison(result, named.frames_first(loaded), calibration, files, picture)
        ending.report(result.to_dict(), str(result), *labels, picture)
