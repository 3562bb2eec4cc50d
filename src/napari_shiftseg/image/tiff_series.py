"""Open a TIFF with all that it says of itself; large ones are read when they are needed."""

from __future__ import annotations

import warnings
import weakref
from collections.abc import Sequence
from importlib.util import find_spec
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import tifffile

from napari_shiftseg.errors import ShiftSegError, ShiftSegWarning
from napari_shiftseg.image import opened
from napari_shiftseg.image.calibration import Calibration
from napari_shiftseg.image.channel import names_in
from napari_shiftseg.image.lazy import MOST_AT_ONCE, from_zarr
from napari_shiftseg.image.opened import OpenedImage, kind_of
from napari_shiftseg.image.tiff import opened_tiff
from napari_shiftseg.image.tiff_metadata import Description, describe
from napari_shiftseg.image.tiff_planes import missing_planes
from napari_shiftseg.image.units import PIXEL

_PAGE_BYTES = 2**26
"""Pages up to this are read as a whole; strips, often of a few rows, would be many reads."""


def open_tiff(path: str | Path, *, first_only: bool = False) -> tuple[OpenedImage, ...]:
    """Open every series of a TIFF: OME, ImageJ, BigTIFF, pyramid, or plain pages.

    Of several OME-TIFFs that name each other, those of which pixels are in this file.

    Series of ``LAZY_BYTES`` or more become dask arrays if dask and zarr are installed.

    Parameters
    ----------
    path
        The file.
    first_only
        Read the pixels of the first series alone; the others have none.

    Returns
    -------
    tuple of OpenedImage
        In the order of the file.

    Raises
    ------
    ShiftSegError
        If the file is missing, is not a TIFF, holds no image, or is damaged.
    """
    path = Path(path)
    with opened_tiff(path) as file:
        if not file.series:
            raise ShiftSegError(f"{path} holds no image")
        own = [index for index in range(len(file.series)) if _is_within(file, index)]
        if not own:
            other = file.series[0].keyframe.parent.filename
            raise ShiftSegError(f"{path} holds no pixels, they are in other files, as {other}")
        return tuple(
            _open(path, file, index, alone=len(own) == 1, read=not first_only or index == own[0])
            for index in own
        )


def _is_within(file: Any, index: int) -> bool:
    """Tell whether pixels of a series are in this file, and not all in others beside it."""
    series = file.series[index]
    if series.keyframe.parent is file:
        return True
    return any(page is not None and page.parent is file for page in series.pages)


def _open(path: Path, file: Any, index: int, *, alone: bool, read: bool) -> OpenedImage:
    series = file.series[index]
    if _lacks_parts(series):
        page = series.keyframe
        raise ShiftSegError(
            f"{path} is not a TIFF file that can be read: it claims {prod(page.chunked)} strips or "
            f"tiles a page, and has {len(page.dataoffsets)}"
        )
    part = prod(series.keyframe.chunks) * series.dtype.itemsize
    if series.keyframe.compression != tifffile.COMPRESSION.NONE and part > MOST_AT_ONCE:
        raise ShiftSegError(
            f"{path} has strips or tiles of {part / 1e9:.1f} GB; "
            f"legal: up to {MOST_AT_ONCE / 1e9:.1f}"
        )
    if missing := missing_planes(file, index):
        raise ShiftSegError(
            f"{path} is not a TIFF file that can be read: it lacks {missing} of its planes; it is "
            "cut off, or parts of it are in files that are missing"
        )
    if _is_cut_off(series):
        raise ShiftSegError(f"{path} is not a TIFF file that can be read: it is cut off")
    if series.keyframe.photometric == tifffile.PHOTOMETRIC.MINISWHITE:
        warnings.warn(
            f"{path} says that its small values are bright; they are taken as they are, so that "
            "what is bright on a screen is dark to a network",
            ShiftSegWarning,
            stacklevel=2,
        )
    axes, planes = _axes(series), (file.imagej_metadata or {}).get("images", 1)
    if "i" in axes and isinstance(planes, int) and planes > len(series.pages):
        warnings.warn(
            f"{path} says that it has {planes} planes, and has {len(series.pages)}: it is cut "
            "off, or its acquisition was; what their axes are is not known",
            ShiftSegWarning,
            stacklevel=2,
        )
    order = sorted(range(len(axes)), key=lambda i: axes[i] == "s")
    levels: Sequence[Any] = ()
    if read:
        levels = _lazy_levels(path, index) if _is_lazy(series) else _levels(series)
    said = describe(file, index)
    return OpenedImage(
        _name(path, None if alone else series.name or str(index + 1)),
        tuple(level.transpose(order) for level in levels),
        _calibration(axes, said).naming(names_in(said.channels), series.shape).picked(order),
        channels=said.channels,
        kind=kind_of(said.kind, said.provenance, series.dtype),
        provenance=said.provenance,
        order=() if list(order) == sorted(order) else tuple(order),
    )


def _name(path: Path, own: str | None) -> str:
    stem = path.stem.removesuffix(".ome")
    return stem if own is None else f"{stem}: {own}"


def _axes(series: Any) -> str:
    """Return small letters; samples that are no colours are channels."""
    axes = str(series.axes).lower()
    colour = "s" not in axes or series.shape[axes.index("s")] in (3, 4)
    return axes if colour else axes.replace("s", "c")


def _calibration(axes: str, said: Description) -> Calibration:
    steps = [said.steps.get(axis, (1.0, PIXEL)) for axis in axes]
    return Calibration.of(
        axes,
        [step for step, _ in steps],
        [unit for _, unit in steps],
        [said.translate.get(axis, 0.0) for axis in axes],
    )


def _is_lazy(series: Any) -> bool:
    installed = find_spec("dask") is not None and find_spec("zarr") is not None
    return installed and series.nbytes >= opened.LAZY_BYTES


def _levels(series: Any) -> tuple[Any, ...]:
    return tuple(np.asarray(level.asarray()) for level in series.levels)


def _lazy_levels(path: Path, index: int) -> tuple[Any, ...]:
    """Return dask arrays; the file stays open for as long as one of them is there."""
    import zarr

    file = tifffile.TiffFile(path)
    series = file.series[index]
    page = series.keyframe
    by_page = not page.is_tiled and page.nbytes <= _PAGE_BYTES
    store = series.aszarr(chunkmode="page" if by_page else None)
    weakref.finalize(store, file.filehandle.close)
    root = zarr.open(store, mode="r")
    if len(series.levels) == 1:
        return (from_zarr(root, str(path)),)
    return tuple(from_zarr(root[str(i)], str(path)) for i in range(len(series.levels)))


def _lacks_parts(series: Any) -> bool:
    """Tell whether a page claims a size that its strips or tiles are too few for."""
    page = series.keyframe
    return series.dataoffset is None and len(page.dataoffsets) < prod(page.chunked)


def _is_cut_off(series: Any) -> bool:
    """Tell whether the last page of a series, in whichever file, ends behind that file."""
    page = series.keyframe if series.dataoffset is not None else series.pages[-1]
    if page is None or not page.dataoffsets:
        return False
    if series.dataoffset is not None:
        end = series.dataoffset + series.nbytes
    else:
        end = max(map(sum, zip(page.dataoffsets, page.databytecounts, strict=True)))
    return bool(end > page.parent.filehandle.size)
