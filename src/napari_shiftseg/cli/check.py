"""``shiftseg check``: seams in finished labels."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from napari_shiftseg.cli.app import app
from napari_shiftseg.cli.console import JsonFile, refuse_json, report
from napari_shiftseg.image.tiff import read_labels
from napari_shiftseg.seams.straight import LabelCheck, check_labels


@app.command
def check(
    labels: Path,
    *,
    tile: int,
    offset: int = 0,
    json: JsonFile = None,
    overwrite: bool = False,
) -> None:
    """List pairs of labels that are cut along a tile grid; works on any program's labels.

    Parameters
    ----------
    labels
        Label TIFF.
    tile
        Tile size in pixels.
    offset
        Position of the grid's first line.
    json
        Write the list to this file, or to stdout with -.
    overwrite
        Replace an existing file.
    """
    refuse_json(json, overwrite=overwrite)
    result = check_labels(read_labels(labels), tile, offset)
    report(asdict(result), _text(result), json)


def _text(result: LabelCheck) -> str:
    lines = [
        f"{result.objects} objects, {len(result.splits)} straight cuts on the {result.tile} px "
        f"grid (p = {result.p_value:.3g} against other offsets)"
    ]
    for cut in result.splits:
        place = ", ".join(f"{v:.0f}" for v in cut.position)
        first, second = cut.labels
        lines.append(
            f"  {first} | {second}: ({place}), {cut.length} px, {cut.fraction:.0%} on the grid"
        )
    return "\n".join(lines)
