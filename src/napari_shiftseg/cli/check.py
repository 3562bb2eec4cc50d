"""``shiftseg check``: seams in finished labels."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from napari_shiftseg.cli.app import app
from napari_shiftseg.cli.console import TEXT_ONLY, Reporting
from napari_shiftseg.cli.images import NamedImage
from napari_shiftseg.errors import ShiftSegError
from napari_shiftseg.seams.straight import LabelCheck, check_labels


@app.command
def check(
    labels: Path,
    *,
    tile: int,
    offset: int = 0,
    ending: Reporting = TEXT_ONLY,
) -> None:
    """List pairs of labels that are cut along a tile grid; works on any program's labels.

    Parameters
    ----------
    labels
        TIFF or OME-Zarr with the labels of one image or volume.
    tile
        Tile size in pixels.
    offset
        Position of the grid's first line.
    """
    ending.refuse_existing()
    image = NamedImage.read_labels(labels).squeezed("zyx")
    frames = [letter for letter in image.axes or "" if letter not in "zyx"]
    if frames:
        raise ShiftSegError(f"{labels} has the axes {image.axes}; check one image at a time")
    result = check_labels(image.pixels, tile, offset)
    ending.report(asdict(result), _text(result))


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
