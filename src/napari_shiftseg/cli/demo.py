"""``shiftseg demo``: the whole story on a bundled image."""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from napari_shiftseg.cli.app import app
from napari_shiftseg.cli.compare import write_comparison
from napari_shiftseg.cli.console import JsonFile, OutputFile, Overwrite, Reporting, note
from napari_shiftseg.cli.run import follow
from napari_shiftseg.comparison import Comparison, compare_events, stitchings_of
from napari_shiftseg.embeddings.model import load_model
from napari_shiftseg.files import make_folder
from napari_shiftseg.samples import Sample, load_sample
from napari_shiftseg.seams.report import SeamReport, number
from napari_shiftseg.settings import DEFAULT_MODEL, StitchMode

_COLUMNS = (
    "image",
    "model",
    "mode",
    "objects",
    "AP 0.5",
    "false splits",
    "by seams",
    "jump ratio",
)
_MODES: tuple[StitchMode, ...] = ("naive", "corrected")
_TILES = {"nuclei": 100, "discs": 20}
_MODELS = {"nuclei": (DEFAULT_MODEL, "nuclei-2d-same"), "discs": ("discs-l4",)}


@app.command
def demo(
    *,
    output: OutputFile = Path("demo"),
    napari: bool = True,
    json: JsonFile = None,
    overwrite: Overwrite = False,
) -> None:
    """Segment bundled images naively and correctly stitched; show what the seams cut.

    Parameters
    ----------
    output
        Folder for the labels and pictures; made if it is not there. Files of that name in it
        are replaced only with --overwrite.
    napari
        Open napari on the result where there is a display.
    """
    ending = Reporting(json=json, overwrite=overwrite)
    names = [model for models in _MODELS.values() for model in models]
    pictures = {model: output / f"{model}.png" for model in names}
    labels: dict[str, dict[str, Path]] = {
        model: {m: output / f"{model}-{m}.tif" for m in _MODES} for model in names
    }
    written = [file for model in names for file in (*labels[model].values(), pictures[model])]
    make_folder(output)
    ending.refuse_existing(*written)
    values: dict[str, Any] = {}
    table = Table(*_COLUMNS, box=box.SIMPLE)
    for name, models in _MODELS.items():
        sample = load_sample(name)
        for model in models:
            result = _compared(sample, model)
            axes = result.model.description.axes
            write_comparison(result, sample.image, axes, labels[model], pictures[model])
            values[model] = result.to_dict()
            for mode, seams in result.reports.items():
                table.add_row(name, model, mode, *_cells(seams))
    ending.report(values, _rendered(table), *written)
    if napari:
        _open_napari(output)


def _compared(sample: Sample, model: str) -> Comparison:
    note(f"{model} on {sample.name}, naive then corrected ...")
    loaded = load_model(model)
    stitchings = stitchings_of(loaded, _MODES, _TILES[sample.name])
    events = compare_events(sample.image, loaded, truth=sample.truth, stitchings=stitchings)
    return follow(events, Comparison)


def _cells(seams: SeamReport) -> list[str]:
    counts = (seams.objects, seams.ap50, seams.false_splits, seams.seam_splits)
    return [number(value) for value in (*counts, seams.jumps.ratio)]


def _rendered(table: Table) -> str:
    console = Console(width=110, no_color=True)
    with console.capture() as capture:
        console.print(table)
    return capture.get().strip("\n")


def _open_napari(folder: Path) -> None:
    """Show the discs with both label images, if there is a screen to show them on."""
    has_display = sys.platform in ("darwin", "win32") or bool(
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    )
    if not has_display:
        note("There is no display here, so napari is not opened.")
        return
    if importlib.util.find_spec("napari") is None:
        note("napari is not installed here; pip install 'napari[pyqt6]' brings it.")
        return
    note("Opening napari ...")
    # A program of its own: the command line imports neither napari nor Qt.
    window = ["-m", "napari_shiftseg._napari.files.show_demo", str(folder), "discs-l4", "discs"]
    os.execv(sys.executable, [sys.executable, *window])
