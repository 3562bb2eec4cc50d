"""``shiftseg check`` and ``shiftseg repair``: seams in finished labels."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from cyclopts import Parameter

from napari_shiftseg.cli.app import app
from napari_shiftseg.cli.console import TEXT_ONLY, OutputFile, Reporting, note
from napari_shiftseg.cli.images import NamedImage
from napari_shiftseg.errors import ShiftSegError
from napari_shiftseg.image.files import refuse_unwritable, write_labels
from napari_shiftseg.image.slabs import Boxes, Slabs
from napari_shiftseg.seams.repair import CONFIDENT, Repair, repair_labels, undo_repair
from napari_shiftseg.seams.straight import LabelCheck, check_labels
from napari_shiftseg.wording import counted

_LISTED = 50


def _spaced(numbers: tuple[object, ...]) -> str:
    return " ".join(map(str, numbers))


Tile = Annotated[
    tuple[int | Literal["auto"], ...],
    Parameter(
        consume_multiple=True,
        show_default=_spaced,
        help="Tile size in pixels, one number or one per axis, 0 for an axis without lines; "
        '"auto" looks for tile size and offset.',
    ),
]
Offset = Annotated[
    tuple[int, ...],
    Parameter(
        consume_multiple=True,
        show_default=_spaced,
        help="Position of the grid's first line, where the tile size is given: one number or one "
        "per axis.",
    ),
]

ImageFile = Annotated[
    Path | None,
    Parameter(
        help="What they are labels of, with or without channels: pairs of pieces that are not "
        "equally bright lose confidence.",
    ),
]


@app.command
def check(
    labels: Path,
    *,
    tile: Tile = ("auto",),
    offset: Offset = (0,),
    image: ImageFile = None,
    ending: Reporting = TEXT_ONLY,
) -> None:
    """Find the tile grid that cut labels of any program, and every pair of labels it parted.

    Parameters
    ----------
    labels
        TIFF, PNG or OME-Zarr with the labels of one image or volume.
    """
    ending.refuse_existing(reads=[labels, image])
    pixels = _one_image(labels).pixels
    result = _checked(pixels, tile, offset, image)
    ending.report(asdict(result), _text(result))


@app.command
def repair(
    labels: Path,
    *,
    output: OutputFile,
    tile: Tile = ("auto",),
    offset: Offset = (0,),
    image: ImageFile = None,
    confidence: float = CONFIDENT,
    undo: Path | None = None,
    ending: Reporting = TEXT_ONLY,
) -> None:
    """Merge the pieces of objects that a tile grid has cut; --json keeps what undoes it.

    Parameters
    ----------
    labels
        TIFF, PNG or OME-Zarr with the labels of one image or volume.
    output
        Labels to write, .tif or .ome.zarr.
    confidence
        Of a cut, 0 to 1, from which on it is mended.
    undo
        Report of an earlier repair (its --json): give every piece its label back instead.
    """
    ending.refuse_existing(output, reads=[labels, image, undo])
    refuse_unwritable(output)
    named = _one_image(labels)
    if undo is not None:
        if tile != ("auto",) or any(offset) or image is not None or confidence != CONFIDENT:
            raise ShiftSegError(
                "--undo does what its report says: leave out --tile, --offset, --image and "
                "--confidence"
            )
        before = undo_repair(named.pixels, _report(undo))
        provenance = {name: v for name, v in named.provenance.items() if name != "repair"}
        write_labels(output, _writable(before), axes=named.calibration, provenance=provenance)
        ending.report({"labels": str(output)}, f"{output}: as before the repair")
        return
    found = _checked(named.pixels, tile, offset, image)
    repaired, done = repair_labels(named.pixels, found, confidence=confidence)
    provenance = named.provenance | {
        "repair": {"tile": found.tile, "offset": found.offset, "confidence": confidence}
    }
    write_labels(output, _writable(repaired), axes=named.calibration, provenance=provenance)
    pieces = sum(len(group) for group in done.groups)
    made = f"{pieces} pieces put together to {counted(len(done.groups), 'object')}"
    text = f"{output}: {made}, {_grid(found)}"
    ending.report(done.to_dict() | {"labels": str(output)}, text)


def _checked(labels: Any, tile: Tile, offset: Offset, image: Path | None) -> LabelCheck:
    pixels = None if image is None else _channels_first(image)
    sizes = tuple(size for size in tile if size != "auto")
    if not sizes:
        if any(offset):
            raise ShiftSegError("--offset is that of a given grid: add --tile, or leave it out")
        note("looking for a tile grid ...")
        return check_labels(labels, image=pixels)
    if len(sizes) < len(tile):
        words = " ".join(map(str, tile))
        raise ShiftSegError(f'--tile {words}: "auto" is for all axes; legal: auto or numbers')
    return check_labels(labels, _of_all_axes(sizes), _of_all_axes(offset), image=pixels)


def _channels_first(path: Path) -> Any:
    """Read one image or volume, its channels before space if it has any."""
    image = NamedImage.read(path).squeezed("zyx")
    others = [axis for axis, letter in enumerate(image.axes or "") if letter not in "zyx"]
    pixels = image.pixels
    if len(others) != 1:
        return pixels
    return pixels.transpose(others[0], *(i for i in range(pixels.ndim) if i != others[0]))


def _of_all_axes(numbers: tuple[int, ...]) -> int | tuple[int, ...]:
    return numbers[0] if len(numbers) == 1 else numbers


def _one_image(path: Path) -> NamedImage:
    image = NamedImage.open_labels(path).squeezed("zyx")
    frames = [letter for letter in image.axes or "" if letter not in "zyx"]
    if frames:
        raise ShiftSegError(f"{path} has the axes {image.axes}; check one image at a time")
    return image


def _writable(labels: Any) -> Any:
    """Let labels that need not fit into memory be written slab by slab."""
    if isinstance(labels, np.ndarray):
        return labels
    return Boxes(Slabs.of(labels.astype(f"u{labels.dtype.itemsize}")))


def _report(path: Path) -> Repair:
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ShiftSegError(f"{path} is no report of a repair: {error}") from None
    return Repair.from_dict(values)


def _grid(result: LabelCheck) -> str:
    if not result.found:
        return "no tile grid found"
    return f"{result.grid} (p = {result.p_value:.2g})"


def _text(result: LabelCheck) -> str:
    objects = counted(result.objects, "object")
    lines = [f"{objects}, {counted(len(result.splits), 'cut pair')}: {_grid(result)}"]
    if result.one_sided:
        sides = counted(len(result.one_sided), "side")
        verb = "ends" if len(result.one_sided) == 1 else "end"
        lines.append(f"{sides} of objects {verb} on the grid with no other piece beyond")
    for cut in result.splits[:_LISTED]:
        place = ", ".join(f"{v:.0f}" for v in cut.position)
        first, second = cut.labels
        lines.append(
            f"  {first} | {second}: ({place}), {cut.length} px, confidence {cut.confidence:.0%}"
        )
    if len(result.splits) > _LISTED:
        lines.append(f"  and {len(result.splits) - _LISTED} more; --json lists all")
    return "\n".join(lines)
