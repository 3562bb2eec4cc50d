"""``shiftseg check`` and ``shiftseg repair``: seams in finished labels."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from cyclopts import Parameter

from napari_shiftseg.cli.app import app
from napari_shiftseg.cli.console import TEXT_ONLY, OutputFile, Reporting, note
from napari_shiftseg.cli.images import NamedImage
from napari_shiftseg.errors import ShiftSegError
from napari_shiftseg.image.calibration import Calibration
from napari_shiftseg.image.files import refuse_unwritable, write_labels
from napari_shiftseg.image.slabs import Boxes, Slabs
from napari_shiftseg.seams.repair import (
    CONFIDENT,
    Repair,
    refuse_confidence,
    repair_labels,
    undo_repair,
)
from napari_shiftseg.seams.straight import LabelCheck, check_labels
from napari_shiftseg.wording import counted, p_value

_LISTED = 50


def _spaced(numbers: tuple[object, ...]) -> str:
    return " ".join(map(str, numbers))


Tile = Annotated[
    tuple[int | Literal["auto"], ...],
    Parameter(
        show_default=_spaced,
        help="Tile size in pixels, one number or one per axis, 0 for an axis without lines; "
        '"auto" looks for tile size and offset.',
    ),
]
Offset = Annotated[
    tuple[int, ...],
    Parameter(
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

LabelAxes = Annotated[
    str | None,
    Parameter(
        help="One letter per axis of the labels, as tyx, where their file names them wrong, or "
        "none: else a stack is a volume."
    ),
]

Slices = Annotated[
    bool,
    Parameter(
        help="Each z slice has objects of its own, as a stack that was segmented slice by slice."
    ),
]


@app.command
def check(
    labels: Path,
    *,
    tile: Tile = ("auto",),
    offset: Offset = (0,),
    image: ImageFile = None,
    axes: LabelAxes = None,
    slices: Slices = False,
    ending: Reporting = TEXT_ONLY,
) -> None:
    """Find the tile grid that cut labels of any program, and every pair of labels it parted.

    Parameters
    ----------
    labels
        TIFF, PNG, .npy or OME-Zarr with the labels of an image, a volume or a time series, whose
        frames one grid has cut.
    """
    ending.refuse_existing(reads=[labels, image])
    series = _Series.open(labels, axes, slices)
    result = series.checked(tile, offset, image)
    ending.report(asdict(result), _text(result))


@app.command
def repair(
    labels: Path,
    *,
    output: OutputFile,
    tile: Tile = ("auto",),
    offset: Offset = (0,),
    image: ImageFile = None,
    axes: LabelAxes = None,
    slices: Slices = False,
    confidence: float = CONFIDENT,
    undo: Path | None = None,
    ending: Reporting = TEXT_ONLY,
) -> None:
    """Merge the pieces of objects that a tile grid has cut; --json keeps what undoes it.

    Parameters
    ----------
    labels
        TIFF, PNG, .npy or OME-Zarr with the labels of an image, a volume or a time series, whose
        frames one grid has cut.
    output
        Labels to write, .tif or .ome.zarr.
    confidence
        Of a cut, 0 to 1, from which on it is mended.
    undo
        Report of an earlier repair (its --json): give every piece its label back instead.
    """
    ending.refuse_existing(output, reads=[labels, image, undo])
    refuse_unwritable(output)
    refuse_confidence(confidence)
    if undo is not None:
        given = tile != ("auto",) or any(offset) or image is not None or slices
        if given or confidence != CONFIDENT:
            raise ShiftSegError(
                "--undo does what its report says: leave out --tile, --offset, --image, --slices "
                "and --confidence"
            )
        done, order = _report(undo)
        series = _Series.open(labels, axes, slices)
        named = series.labels.in_order(order)
        if named.provenance.get("repair", {}).get("sha256", done.sha256) != done.sha256:
            raise ShiftSegError(
                f"{labels} was repaired otherwise than {undo} says; name the report of its own "
                "repair"
            )
        before = undo_repair(_shaped(named.pixels, done.shape), done)
        before = before.reshape(named.pixels.shape)
        provenance = {name: v for name, v in named.provenance.items() if name != "repair"}
        series.write(output, before, named, provenance)
        ending.report({"labels": str(output)}, f"{output}: as before the repair")
        return
    series = _Series.open(labels, axes, slices)
    named = series.labels
    found = series.checked(tile, offset, image)
    repaired, done = repair_labels(named.pixels, found, confidence=confidence)
    provenance = named.provenance | {
        "repair": {
            "tile": found.tile[found.frames :],
            "offset": found.offset[found.frames :],
            "confidence": confidence,
            "sha256": done.sha256,
        }
    }
    series.write(output, repaired, named, provenance)
    pieces = sum(len(group) for group in done.groups)
    made = f"{pieces} pieces put together to {counted(len(done.groups), 'object')}"
    text = f"{output}: {made}, {_grid(found)}"
    ending.report(done.to_dict() | {"axes": named.axes, "labels": str(output)}, text)


@dataclass(frozen=True)
class _Series:
    """Labels, frames before space if they have any.

    Parameters
    ----------
    labels
        Without axes of one pixel, but y and x.
    frames
        How many axes count frames.
    filed
        What all axes of their file are.
    """

    labels: NamedImage
    frames: int
    filed: Calibration

    @classmethod
    def open(cls, path: Path, axes: str | None, slices: bool) -> _Series:
        """Open labels of an image or of many; of a stack perhaps those of each slice."""
        opened = NamedImage.open_labels(path, axes)
        image, filed = opened.squeezed("yx"), opened.calibration
        if image.axes is not None and "s" in image.axes:
            raise ShiftSegError(f"{path} has the axes {image.axes}: colours are no labels")
        space = "yx" if slices else "zyx"
        ndim = len(image.pixels.shape)
        if image.axes is None:  # as most programs write stacks
            if ndim == 3 and not slices:
                note(
                    f"shiftseg: {path} names no axes: {len(image.pixels)} planes are taken for one "
                    "volume; --axes tyx says that each is an image of its own"
                )
            return cls(image, max(0, ndim - 2) if slices else 0, filed)
        if len(set(image.axes)) < len(image.axes) or not set("yx") <= set(image.axes):
            raise ShiftSegError(
                f"the axes are {image.axes}; legal: y, x and others, each once, as tyx"
            )
        first = [i for i, letter in enumerate(image.axes) if letter not in space]
        last = [i for i in range(ndim) if i not in first]
        return cls(image.arranged([*first, *last]) if first else image, len(first), filed)

    def checked(self, tile: Tile, offset: Offset, image: Path | None) -> LabelCheck:
        """Check them all."""
        pixels = None if image is None else self._channels_first(image)
        labels, frames = self.labels.pixels, self.frames
        sizes = self._kept(tuple(size for size in tile if size != "auto"))
        if not sizes:
            if any(offset):
                raise ShiftSegError("--offset is that of a given grid: add --tile, or leave it out")
            note("looking for a tile grid ...")
            return check_labels(labels, image=pixels, frames=frames)
        if "auto" in tile:
            words = " ".join(map(str, tile))
            raise ShiftSegError(f'--tile {words}: "auto" is for all axes; legal: auto or numbers')
        grid = _of_all_axes(sizes), _of_all_axes(self._kept(offset))
        return check_labels(labels, *grid, image=pixels, frames=frames)

    def write(self, path: Path, pixels: Any, named: NamedImage, provenance: dict[str, Any]) -> None:
        """Write labels that have the axes of ``named`` with those of the file."""
        order = named.order or tuple(range(pixels.ndim))
        pixels = pixels.transpose(np.argsort(order).tolist())
        sizes = dict(zip(sorted(order), pixels.shape, strict=True))
        pixels = pixels.reshape([sizes.get(axis, 1) for axis in range(len(self.filed.axes))])
        write_labels(path, _writable(pixels), axes=self.filed, provenance=provenance)

    def _kept(self, numbers: tuple[int, ...]) -> tuple[int, ...]:
        """Leave out the numbers of axes of one pixel."""
        order = self.labels.order
        every = order is not None and len(numbers) == len(self.filed.axes)
        return tuple(numbers[axis] for axis in order or ()) if every else numbers

    def _channels_first(self, path: Path) -> Any:
        """Read their image: its channels if it has any, then the axes of the labels."""
        image = NamedImage.read(path).squeezed("yx")
        ours, theirs = self.labels.axes or "zyx", image.axes or ""
        others = [i for i, letter in enumerate(theirs) if letter not in ours]
        if len(others) != len(image.pixels.shape) - len(self.labels.pixels.shape):
            return image.pixels
        if strange := {theirs[i] for i in others} - set("cs"):
            raise ShiftSegError(
                f"{path} has the axes {theirs}, the labels {ours}; legal: those, and channels; "
                f"choose one of {', '.join(sorted(strange))} first"
            )
        order = sorted(
            (i for i in range(len(theirs)) if i not in others), key=lambda i: ours.index(theirs[i])
        )
        return image.arranged([*others, *order]).pixels


def _shaped(labels: Any, shape: tuple[int, ...]) -> Any:
    """Give labels the axes of one pixel that those of an earlier repair had."""
    alike = [n for n in shape if n > 1] == [n for n in labels.shape if n > 1]
    return labels.reshape(shape) if alike else labels


def _of_all_axes(numbers: tuple[int, ...]) -> int | tuple[int, ...]:
    return numbers[0] if len(numbers) == 1 else numbers


def _writable(labels: Any) -> Any:
    """Let labels that need not fit into memory be written slab by slab."""
    if isinstance(labels, np.ndarray):
        return labels
    return Boxes(Slabs.of(labels.astype(f"u{labels.dtype.itemsize}")))


def _report(path: Path) -> tuple[Repair, str | None]:
    """Read what was merged, and the axes of the labels in which it was, if they had names."""
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ShiftSegError(f"{path} is no report of a repair: {error}") from None
    repair = Repair.from_dict(values)
    axes = values.get("axes")
    return repair, axes if isinstance(axes, str) else None


def _grid(result: LabelCheck) -> str:
    if not result.found:
        return "no tile grid found"
    return f"{result.grid} ({p_value(result.p_value)})"


def _text(result: LabelCheck) -> str:
    objects = counted(result.objects, "object")
    lines = [f"{objects}, {counted(len(result.splits), 'cut pair')}: {_grid(result)}"]
    if result.renumbered:
        lines.append("labels name several objects each, as of tiles that each count from 1:")
        lines.append("each connected part is taken for an object, and repair gives it its own")
    if result.one_sided:
        sides = counted(len(result.one_sided), "side")
        verb = "ends" if len(result.one_sided) == 1 else "end"
        lines.append(f"{sides} of objects {verb} on the grid with no other piece beyond")
    for cut in result.splits[:_LISTED]:
        first, second = cut.labels
        place = _place(cut.position, result.frames)
        lines.append(
            f"  {first} | {second}: {place}, {cut.length} px, confidence {cut.confidence:.0%}"
        )
    if len(result.splits) > _LISTED:
        lines.append(f"  and {len(result.splits) - _LISTED} more; --json lists all")
    return "\n".join(lines)


def _place(position: tuple[float, ...], frames: int) -> str:
    frame, pixel = (
        ", ".join(f"{v:.0f}" for v in part) for part in (position[:frames], position[frames:])
    )
    return f"frame {frame} ({pixel})" if frames else f"({pixel})"
