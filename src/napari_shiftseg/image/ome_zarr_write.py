"""Write OME-Zarr: a pyramid in a folder that appears complete or not at all."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from napari_shiftseg.errors import ShiftSegError
from napari_shiftseg.files import folder_beside, is_file
from napari_shiftseg.image.calibration import Calibration
from napari_shiftseg.image.lazy import transposable
from napari_shiftseg.image.ngff import attributes, canonical_order
from napari_shiftseg.image.ome_zarr import is_zarr_group, require_zarr
from napari_shiftseg.image.opened import Kind
from napari_shiftseg.image.pyramid import Reduction, Shape, blocks, halvings, read_reduced

_CHUNK = {2: 1024, 3: 128}
"""Edge of a chunk in pixels by the number of spatial axes; up to 8 MB of float32."""


def write_ome_zarr(
    path: str | Path,
    pixels: Any,
    *,
    axes: str | Calibration,
    kind: Kind = "image",
    provenance: dict[str, Any] | None = None,
) -> None:
    """Write a multiscale image as OME-Zarr 0.4.

    Version 0.4, on Zarr 2, is what Fiji, napari, QuPath, Bio-Formats and the web viewers all
    read; 0.5, on Zarr 3, is read by fewer.

    Parameters
    ----------
    path
        Folder to write; a Zarr group of this name is replaced, any other folder is not.
    pixels
        Anything that has a shape, a dtype and slices like an array; it is read by blocks.
    axes
        One letter per axis: of t, c, z each at most one, y, x, and s last for RGB; a
        calibration adds voxel size and unit.
    kind
        Levels of labels take every second pixel, those of all else average.
    provenance
        Kept in the group's attributes under the key ``shiftseg``.

    Raises
    ------
    ShiftSegError
        If zarr is not installed, the axes do not fit, or the folder cannot be written.
    """
    path, calibration = Path(path), Calibration.fitting(axes, len(pixels.shape))
    require_zarr()
    _refuse_foreign(path)
    image = image_around(path) if kind == "labels" else None
    colours = pixels.shape[-1] if calibration.axes.endswith("s") else 0
    calibration = calibration.renamed("s", "c")
    order = canonical_order(calibration.axes)
    if list(order) != sorted(order):
        pixels, calibration = transposable(pixels).transpose(order), calibration.picked(order)
    levels = halvings(pixels.shape, calibration.axes)
    reduction: Reduction = "nearest" if kind == "labels" else "mean"
    name = path.name.removesuffix(".zarr").removesuffix(".ome")
    described = attributes(
        name,
        calibration,
        levels,
        kind=kind,
        reduction=reduction,
        colours=colours,
        largest=np.iinfo(pixels.dtype).max if np.dtype(pixels.dtype).kind in "iu" else 1,
        provenance=provenance,
    )
    with folder_beside(path) as partial, _alone_at_the_end():
        _write(partial, pixels, calibration.axes, levels, reduction, described)
    if image is not None:
        _list_labels(image, path.name)


def image_around(path: Path) -> Path | None:
    """Return the image in whose folder ``labels`` a file will lie, None if it lies elsewhere.

    Raises
    ------
    ShiftSegError
        If that image is of another version of Zarr than what is written.
    """
    image = path.absolute().parent.parent
    if path.absolute().parent.name != "labels" or not is_zarr_group(image):
        return None
    if is_file(image / "zarr.json"):
        raise ShiftSegError(
            f"{image} is of Zarr version 3, and labels are written in version 2, which it cannot "
            f"hold; write them beside it, as {image.parent / path.name}"
        )
    return image


def _list_labels(image: Path, name: str) -> None:
    """List labels where readers look for those of an image."""
    group = require_zarr().open_group(str(image / "labels"), mode="a", zarr_format=2)
    listed = group.attrs.get("labels") or []
    if name not in listed:
        group.attrs["labels"] = [*listed, name]


@contextlib.contextmanager
def _alone_at_the_end() -> Iterator[None]:
    """After a failure wait for what Zarr still writes; else it would be back when removed."""
    try:
        yield
    except BaseException:
        from zarr.core.sync import sync  # there is none without Zarr

        sync(_others())
        raise


async def _others() -> None:
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    await asyncio.gather(*tasks, return_exceptions=True)


def _refuse_foreign(path: Path) -> None:
    if path.exists() and not (path.is_dir() and is_zarr_group(path)):
        kind = "a folder that is no Zarr group" if path.is_dir() else "a file"
        raise ShiftSegError(f"{path} is {kind}, and is not replaced")


def _write(
    folder: Path,
    pixels: Any,
    axes: str,
    levels: list[Shape],
    reduction: Reduction,
    described: dict[str, Any],
) -> None:
    group = require_zarr().open_group(str(folder), mode="w-", zarr_format=2)
    source, former = pixels, levels[0]
    for index, level in enumerate(levels):
        steps = tuple(n // f for n, f in zip(level, former, strict=True))
        source = _write_level(group, index, source, axes, steps, reduction)
        former = level
    group.attrs.put(described)


def _write_level(
    group: Any, index: int, source: Any, axes: str, steps: Shape, reduction: Reduction
) -> Any:
    """Write a level from the one below it, and return it."""
    from numcodecs import Blosc

    shape = tuple(-(-size // step) for size, step in zip(source.shape, steps, strict=True))
    chunk = _chunk(shape, axes)
    level = group.create_array(
        str(index),
        shape=shape,
        dtype=source.dtype,
        chunks=chunk,
        compressors=Blosc(cname="zstd", shuffle=Blosc.SHUFFLE),
        fill_value=0,
        chunk_key_encoding={"name": "v2", "separator": "/"},
    )
    for block in blocks(shape, chunk):
        level[block] = read_reduced(source, block, steps, reduction)
    return level


def _chunk(shape: Shape, axes: str) -> Shape:
    """Return the shape of chunks: one time point, one channel, and so far in space."""
    edge = _CHUNK[3 if "z" in axes else 2]
    sizes = zip(axes, shape, strict=True)
    return tuple(max(1, min(size, edge if axis in "zyx" else 1)) for axis, size in sizes)
