"""``shiftseg evaluate``: scores of a model on a data pack."""

from __future__ import annotations

from pathlib import Path

from napari_shiftseg.cli.app import app
from napari_shiftseg.cli.console import (
    TEXT_ONLY,
    Bandwidth,
    Compiled,
    Device,
    Foreground,
    MinSize,
    ModelName,
    Numbers,
    Reporting,
    progress_bar,
    refuse_idle_tile,
)
from napari_shiftseg.embeddings.model import load_model
from napari_shiftseg.evaluation import evaluate_events
from napari_shiftseg.image.packs import pack_size, pack_sources
from napari_shiftseg.settings import DEFAULT_MODEL, StitchMode


@app.command
def evaluate(
    *,
    data: Path,
    model: ModelName = DEFAULT_MODEL,
    stitch: StitchMode = "corrected",
    tile: int | None = None,
    grid: int | None = None,
    bandwidth: Bandwidth = None,
    min_size: MinSize = None,
    foreground: Foreground = None,
    baseline: bool = False,
    device: Device = None,
    precision: Numbers = "float32",
    compiled: Compiled = False,
    ending: Reporting = TEXT_ONLY,
) -> None:
    """Score a model on images with ground truth, pooled over all of them.

    Parameters
    ----------
    data
        A data pack: a ZIP or folder with images/ and masks/ of equal file names.
    stitch
        How tiles are stitched.
    tile
        Output tile size in pixels.
    grid
        Count seam-caused splits and jumps on the lines of this tile size instead of on the
        mode's own seams, to compare modes on the same lines.
    baseline
        Also score what needs no network: Otsu's threshold, distance transform and watershed.
    """
    ending.refuse_existing(reads=[*pack_sources(data), model])
    refuse_idle_tile(stitch, tile)
    loaded = load_model(model, precision=precision, compiled=compiled)
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
            baseline=baseline,
        )
        seen: set[int] = set()
        for scores in events:  # the last one holds the scores of all
            if (stack := scores.scores.stacks[-1]) not in seen:
                advance("")
            seen.add(stack)
    ending.report(scores.to_dict(), str(scores))
