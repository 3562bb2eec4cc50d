"""TIFF in and out; a file is written beside its name and moved there in one step."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray

from napari_shiftseg.errors import ShiftSegError
from napari_shiftseg.files import file_beside
from napari_shiftseg.image import ome_tiff
from napari_shiftseg.image.calibration import Calibration
from napari_shiftseg.image.label_pixels import refuse_no_labels
from napari_shiftseg.image.opened import KIND_KEY, PROVENANCE_KEY, Kind
from napari_shiftseg.image.pyramid import blocks
from napari_shiftseg.image.readable import readable
from napari_shiftseg.image.tiff_planes import page_offsets
from napari_shiftseg.image.units import PIXEL, imagej_unit

KIND = "a TIFF file"
"""What is read here, for messages."""

_MOST_PLANES = 2**20
"""Of an image in an OME-TIFF; a description may claim any number in a few bytes."""

_IMAGEJ_AXES = "TZCYXS"
_TILE = 512
"""Edge in pixels of the tiles of an image that is written tile by tile."""

_RATIONAL = 2.0**31
"""Pixels per unit, or units per pixel, that a TIFF's fraction of two 32-bit numbers can hold."""

_CLASSIC_BYTES = 2**32 - 2**25
"""Above this many bytes offsets may not fit into 32 bits; tifffile draws the line here too."""


def read_tiff(path: str | Path) -> NDArray[Any]:
    """Read the first series of a TIFF file.

    Raises
    ------
    ShiftSegError
        If the file is missing, is not a TIFF, or is damaged.
    """
    with opened_tiff(Path(path)) as file:
        return first_series(file)


def read_labels(path: str | Path) -> NDArray[np.int64]:
    """Read a TIFF of integer labels, 0 for background.

    Raises
    ------
    ShiftSegError
        As :func:`read_tiff`, or if the pixels are not integers of at least 0.
    """
    labels = read_tiff(path)
    refuse_no_labels(labels, path)
    return labels.astype(np.int64)


@contextlib.contextmanager
def opened_tiff(path: Path) -> Iterator[tifffile.TiffFile]:
    """Open a TIFF, or say why it cannot be read; raises as :func:`read_tiff`."""
    with readable(path, KIND):
        if path.is_dir():
            raise ShiftSegError(f"{path} is a folder, not a TIFF file")
        with tifffile.TiffFile(path) as file:
            refuse_endless(file)
            yield file


def first_series(file: tifffile.TiffFile) -> NDArray[Any]:
    """Return the pixels of the first series; raises ValueError if there is none."""
    if not file.series:
        raise ValueError("it holds no image")
    return np.asarray(file.asarray())


def refuse_endless(file: tifffile.TiffFile) -> None:
    """Refuse pages without end, that a file of few bytes can claim, and pages behind its end.

    Parameters
    ----------
    file
        Just opened.

    Raises
    ------
    ValueError
        If pages refer to each other in a circle or to what is cut off, or OME claims very
        many planes.
    """
    seen: set[int] = set()
    for offset in page_offsets(file):
        if offset in seen:
            raise ValueError("its pages refer to each other in a circle")
        if offset >= file.filehandle.size:
            raise ValueError("it is cut off")
        seen.add(offset)
    for pixels in re.findall(r"<(?:\w+:)?Pixels\b[^>]*", file.ome_metadata or ""):
        sizes = re.findall(r"\bSize[ZCT]\s*=\s*[\"']\s*(\d{1,18})", pixels)
        if (planes := prod(map(int, sizes))) > _MOST_PLANES:
            raise ValueError(
                f"its OME description claims {planes} planes; legal: up to {_MOST_PLANES}"
            )


def write_tiff(
    path: str | Path,
    array: Any,
    *,
    axes: str | Calibration,
    kind: Kind | None = None,
    provenance: dict[str, Any] | None = None,
) -> None:
    """Write a compressed TIFF, a BigTIFF from 4 GB on.

    It carries two descriptions: the JSON of tifffile, which keeps everything, and ImageJ's
    own, from which Fiji takes voxel size and dimensions. A file named .ome.tif has OME-XML
    instead, with that JSON as an annotation, unless OME has no words for its axes or type.

    Parameters
    ----------
    path
        Where to; an existing file is replaced.
    array
        Pixels. What is no numpy array, only slices like one, is read and written tile by
        tile.
    axes
        One letter per axis, as ``"YX"`` or ``"CYX"``; a calibration adds voxel size and unit.
    kind
        What the pixels are.
    provenance
        Kept in the image description under the key ``shiftseg``.

    Raises
    ------
    ShiftSegError
        If the axes do not fit the array, or the file cannot be written.
    """
    calibration = Calibration.fitting(axes, array.ndim)
    letters = calibration.axes.upper()
    kept = _calibrated(calibration) | ({} if kind is None else {KIND_KEY: kind})
    kept[PROVENANCE_KEY] = json.dumps(provenance or {})
    with file_beside(Path(path)) as partial:
        tifffile.imwrite(
            partial,
            **_pixels(array),
            bigtiff=prod(array.shape) * array.dtype.itemsize > _CLASSIC_BYTES,
            compression="zlib",
            photometric="rgb" if letters.endswith("S") else "minisblack",
            **_described(Path(path).name, array, calibration, kept),
        )


def _described(
    name: str, array: Any, calibration: Calibration, kept: dict[str, Any]
) -> dict[str, Any]:
    letters = calibration.axes.upper()
    if ome_tiff.can_say(name, letters, array.dtype):
        words = ome_tiff.metadata(name, calibration, {"axes": letters} | kept)
        return {"ome": True, "metadata": words}
    return {
        "metadata": None,
        "description": json.dumps({"shape": array.shape, "axes": letters} | kept),
        **_for_imagej(array.shape, calibration),
    }


def _pixels(array: Any) -> dict[str, Any]:
    """Return what tifffile needs to write an array at once, or one tile after the other."""
    if isinstance(array, np.ndarray):
        return {"data": array}
    planes = (1,) * (array.ndim - 2)
    parts = (
        _padded(np.asarray(array[part]).reshape([s.stop - s.start for s in part[-2:]]))
        for part in blocks(array.shape, (*planes, _TILE, _TILE))
    )
    return {"data": parts, "shape": array.shape, "dtype": array.dtype, "tile": (_TILE, _TILE)}


def _padded(part: NDArray[Any]) -> NDArray[Any]:
    """Fill the tiles at the right and lower border up with zeros: all must be of one size."""
    return np.pad(part, [(0, _TILE - size) for size in part.shape])


def smallest_label_type(labels: NDArray[Any]) -> NDArray[Any]:
    """Return labels as uint16 if they fit, else as uint32, and as uint64 if need be."""
    largest = int(labels.max(initial=0))
    kinds = (np.uint16, np.uint32, np.uint64)
    return labels.astype(next(kind for kind in kinds if largest <= np.iinfo(kind).max))


def _calibrated(calibration: Calibration) -> dict[str, Any]:
    """Return what JSON keeps of a calibration; nothing if nothing is known."""
    known = {"channels": calibration.channels} if calibration.channels else {}
    if replace(calibration, channels=()) == Calibration.of(calibration.axes):
        return known
    return {
        "scale": calibration.scale,
        "units": calibration.units,
        "translate": calibration.translate,
        **known,
    }


def _for_imagej(shape: tuple[int, ...], calibration: Calibration) -> dict[str, Any]:
    """Return the tags that ImageJ reads; none for axes or sizes that they cannot say.

    Planes in another order than ImageJ's are to it a stack without further axes.
    """
    calibration = calibration.in_one_unit()  # ImageJ has one for all lengths
    axes = calibration.axes.upper()
    if not axes.endswith(("YX", "YXS")) or not set(axes) <= set(_IMAGEJ_AXES):
        return {}
    sizes = dict(zip(axes, shape, strict=True))
    ordered = [axis for axis in _IMAGEJ_AXES if axis in axes]
    # Where an axis of one pixel stands among the others makes no difference to the planes.
    if [a for a in ordered if sizes[a] > 1] == [a for a in axes if sizes[a] > 1]:
        said = "".join(ordered), tuple(sizes[axis] for axis in ordered)
    else:
        last = axes.index("Y")
        said = "Z" + axes[last:], (prod(shape[:last]), *shape[last:])
    steps = dict(zip(axes, zip(calibration.scale, calibration.units, strict=True), strict=True))
    if not all(1 / _RATIONAL < steps[axis][0] < _RATIONAL for axis in "XY"):
        return {}
    words: dict[str, Any] = {"unit": imagej_unit(steps["X"][1])}
    if "Z" in axes:
        words["spacing"] = steps["Z"][0]
    if "T" in said[0] and steps["T"][1] != PIXEL:
        words |= {"finterval": steps["T"][0], "tunit": imagej_unit(steps["T"][1])}
    text = tifffile.imagej_description(said[1], axes=said[0], rgb=axes[-1] == "S", **words)
    return {
        "resolution": (1 / steps["X"][0], 1 / steps["Y"][0]),
        "resolutionunit": "NONE",
        # By its name and not its number: tifffile would drop a second description. The last
        # one is what ImageJ goes by.
        "extratags": [("ImageDescription", 2, 0, text, True)],
    }
