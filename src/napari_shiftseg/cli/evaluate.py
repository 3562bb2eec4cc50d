"""``shiftseg evaluate``: scores of a model on a data pack."""

from __future__ import annotations

from pathlib import Path

from napari_shiftseg.cli.app import app
from napari_shiftseg.cli.console import JsonFile, ModelName, progress_bar, refuse_json, report
from napari_shiftseg.embeddings.model import load_model
from napari_shiftseg.evaluation import evaluate_events
from napari_shiftseg.image.packs import pack_size
from napari_shiftseg.settings import StitchMode


@app.command
def evaluate(
    *,
    data: Path,
    model: ModelName = "nuclei-2d",
    stitch: StitchMode = "corrected",
    tile: int | None = None,
    grid: int | None = None,
    bandwidth: float | None = None,
    min_size: int | None = None,
    foreground: float | None = None,
    device: str | None = None,
    json: JsonFile = None,
    overwrite: bool = False,
) -> None:
    """Score a model on images with ground truth, pooled over all of them.

    Parameters
    ----------
    data
        A data pack: a ZIP or folder with images/ and masks/ of equal file names.
    model
        Name of a bundled model or a model file.
    stitch
        How tiles are stitched.
    tile
        Output tile size in pixels.
    grid
        Count seam-caused splits and jumps on the lines of this tile size instead of on the
        mode's own seams, to compare modes on the same lines.
    bandwidth
        Mean-shift bandwidth; by default the model's own.
    min_size
        Objects with fewer pixels are dropped; by default the model's own.
    foreground
        Foreground probability from which on a pixel belongs to an object.
    device
        cpu, cuda or mps; by default the fastest one here.
    json
        Write the scores to this file, or to stdout with -.
    overwrite
        Replace an existing file.
    """
    refuse_json(json, overwrite=overwrite)
    loaded = load_model(model)
    clustering = loaded.description.clustering.replaced(
        bandwidth=bandwidth, min_size=min_size, foreground_threshold=foreground
    )
    with progress_bar("images", pack_size(data)) as advance:
        events = evaluate_events(
            loaded,
            data,
            stitch=stitch,
            tile=tile,
            grid=grid,
            clustering=clustering,
            device=device,
        )
        for scores in events:  # noqa: B007 - the last one holds the scores of all
            advance("")
    report(scores.to_dict(), str(scores), json)
