"""``shiftseg sweep``: what tile size does to one image."""

from __future__ import annotations

from pathlib import Path

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
from napari_shiftseg.embeddings.model import load_model
from napari_shiftseg.files import folder_for, write_text
from napari_shiftseg.settings import DEFAULT_MODEL
from napari_shiftseg.sweep_figure import draw_sweep
from napari_shiftseg.tile_sweep import Sweep, sweep_events


@app.command
def sweep(
    image: Path,
    *,
    output: OutputFile,
    model: ModelName = DEFAULT_MODEL,
    truth: Path | None = None,
    tile: list[int] | None = None,
    axes: Axes = None,
    channel: ChannelName = None,
    bandwidth: Bandwidth = None,
    device: Device = None,
    ending: Reporting = TEXT_ONLY,
) -> None:
    """Stitch an image naively from tiles of many sizes; plot false splits and AP.

    Parameters
    ----------
    image
        TIFF, PNG, .npy or OME-Zarr to segment.
    output
        Folder for a PNG with the plot and a CSV with its numbers.
    truth
        TIFF, PNG, .npy or OME-Zarr with the ground truth. Without it, splits are counted against
        the corrected labels.
    tile
        Tile size in pixels; repeat it for several. By default two periods around the model's
        training window.
    """
    loaded = load_model(model)
    reads = loaded.reads
    named = NamedImage.read(image, axes, channel, in_channels=reads.channels).squeezed(reads.axes)
    objects = read_truth(truth, loaded)
    picture, numbers = files_in(output, image, "sweep.png", "sweep.csv")
    with folder_for(output):
        ending.refuse_existing(picture, numbers, reads=[image, truth, model])
        events = sweep_events(
            named.pixels,
            loaded,
            truth=objects,
            tiles=tile,
            clustering=loaded.description.clustering.replaced(bandwidth=bandwidth),
            device=device,
            axes=named.axes,
        )
        result = follow(events, Sweep)
        ending.refuse_existing(picture, numbers)  # others may have written them meanwhile
        draw_sweep(result, picture)
        write_text(numbers, result.to_csv())
        ending.report(result.to_dict(), str(result), picture, numbers)
