"""``shiftseg sweep``: what tile size does to one image."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from rich.progress import Progress

from napari_shiftseg.cli.app import app
from napari_shiftseg.cli.console import (
    JsonFile,
    ModelName,
    OutputFile,
    refuse_existing,
    refuse_json,
    report,
    stderr,
)
from napari_shiftseg.embeddings.model import load_model
from napari_shiftseg.errors import ShiftSegError
from napari_shiftseg.files import write_text
from napari_shiftseg.image.tiff import read_labels, read_tiff
from napari_shiftseg.sweep_figure import draw_sweep
from napari_shiftseg.tile_sweep import Sweep, SweepProgress, sweep_events


@app.command
def sweep(
    image: Path,
    *,
    output: OutputFile,
    model: ModelName = "nuclei-2d",
    truth: Path | None = None,
    tile: list[int] | None = None,
    bandwidth: float | None = None,
    device: str | None = None,
    json: JsonFile = None,
    overwrite: bool = False,
) -> None:
    """Stitch an image naively from tiles of many sizes; plot false splits and AP.

    Parameters
    ----------
    image
        TIFF to segment.
    output
        Existing folder for a PNG with the plot and a CSV with its numbers.
    model
        Name of a bundled model or a model file.
    truth
        Label TIFF with the ground truth. Without it, splits are counted against the corrected
        labels.
    tile
        Tile size in pixels; repeat it for several. By default two periods around the model's
        training window.
    bandwidth
        Mean-shift bandwidth; by default the model's own.
    device
        cpu, cuda or mps; by default the fastest one here.
    json
        Write the numbers to this file, or to stdout with -.
    overwrite
        Replace existing files.
    """
    if not output.is_dir():
        raise ShiftSegError(f"no such folder: {output}")
    picture, numbers = (output / f"{image.stem}-sweep{ending}" for ending in (".png", ".csv"))
    refuse_existing(picture, numbers, overwrite=overwrite)
    refuse_json(json, overwrite=overwrite)
    pixels = read_tiff(image)
    true_labels = None if truth is None else read_labels(truth)
    loaded = load_model(model)
    result = _swept(
        sweep_events(
            pixels,
            loaded,
            truth=true_labels,
            tiles=tile,
            clustering=loaded.description.clustering.replaced(bandwidth=bandwidth),
            device=device,
        )
    )
    draw_sweep(result, picture)
    write_text(numbers, result.to_csv())
    report(result.to_dict(), f"{result}\n\n{picture}\n{numbers}", json)


def _swept(events: Iterator[SweepProgress | Sweep]) -> Sweep:
    """Drain the events with a progress bar; return the last one, the result."""
    with Progress(console=stderr, transient=True, disable=not stderr.is_terminal) as bar:
        task = bar.add_task("sweep", total=1)
        for event in events:
            if isinstance(event, Sweep):
                return event
            bar.update(task, completed=event.fraction, description=event.text)
    raise AssertionError("a sweep ends with its result")
