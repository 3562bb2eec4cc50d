"""Images, labels and embeddings by file name: the suffix says what kind of file it is."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from napari_shiftseg.errors import ShiftSegError, ShiftSegWarning
from napari_shiftseg.image.calibration import Calibration
from napari_shiftseg.image.npy import open_npy
from napari_shiftseg.image.ome_zarr import is_zarr_group, open_ome_zarr, require_zarr
from napari_shiftseg.image.ome_zarr_write import image_around, write_ome_zarr
from napari_shiftseg.image.opened import Kind, OpenedImage
from napari_shiftseg.image.png import open_png
from napari_shiftseg.image.tiff import smallest_label_type, write_tiff
from napari_shiftseg.image.tiff_series import open_tiff

TIFF_SUFFIXES = (".tif", ".tiff")
BIG_TIFF_SUFFIXES = (".btf", ".tf8")
ZARR_SUFFIX = ".zarr"
PNG_SUFFIX = ".png"
NPY_SUFFIX = ".npy"
WRITABLE = (*TIFF_SUFFIXES, f".ome{ZARR_SUFFIX}", ZARR_SUFFIX)
READABLE = (*WRITABLE, *BIG_TIFF_SUFFIXES, PNG_SUFFIX, NPY_SUFFIX)

_CONVERT = "; convert what a microscope's program wrote with Fiji or bioformats2raw"

_NAMED = 3
"""Images of a file whose names are said."""


def open_images(path: str | Path) -> tuple[OpenedImage, ...]:
    """Open every image of a TIFF, PNG or NumPy file or an OME-Zarr folder, however that is called.

    Parameters
    ----------
    path
        The file or folder.

    Raises
    ------
    ShiftSegError
        As :func:`open_tiff`, :func:`open_png`, :func:`open_npy` and :func:`open_ome_zarr`, or
        if the suffix is none of theirs.
    """
    return _opened(path)


def _opened(
    path: str | Path, *, first_only: bool = False, labels: bool = False
) -> tuple[OpenedImage, ...]:
    suffix = ZARR_SUFFIX if is_zarr_group(Path(path)) else _suffix(path, READABLE, _CONVERT)
    if suffix == PNG_SUFFIX:
        return open_png(path, labels=labels)
    if suffix == NPY_SUFFIX:
        return open_npy(path)
    if suffix == ZARR_SUFFIX:
        return open_ome_zarr(path)
    return open_tiff(path, first_only=first_only)


def open_image(path: str | Path) -> OpenedImage:
    """Open the first image of a file or an OME-Zarr folder; see :func:`open_images`.

    Warns
    -----
    ShiftSegWarning
        If a file has several.
    """
    return _first(path, _opened(path, first_only=True), "images")


def open_labels(path: str | Path) -> OpenedImage:
    """Open the labels of a file or an OME-Zarr folder, also of that of their image.

    Of a PNG with a palette these are its numbers, and not their colours. What no program marks
    as labels may be some.

    Warns
    -----
    ShiftSegWarning
        If there are several.
    """
    images = _opened(path, labels=True)
    labels = tuple(image for image in images if image.kind == "labels")
    return _first(path, labels or images, "images of labels" if labels else "images")


def _first(path: str | Path, images: Sequence[OpenedImage], called: str) -> OpenedImage:
    several = [image.name for image in images if image.kind == images[0].kind]
    if len(several) > 1:
        named = ", ".join(several[:_NAMED]) + (", ..." if len(several) > _NAMED else "")
        warnings.warn(
            f"{path} has {len(several)} {called} ({named}); the first one is taken",
            ShiftSegWarning,
            stacklevel=3,
        )
    return images[0]


def write_labels(
    path: str | Path,
    labels: Any,
    *,
    axes: str | Calibration,
    provenance: dict[str, Any] | None = None,
) -> None:
    """Write labels to TIFF or OME-Zarr, as uint16 where that holds them, else uint32 or uint64.

    Parameters
    ----------
    path
        ``.tif``, ``.tiff``, ``.ome.zarr`` or ``.zarr``; what is there is replaced.
    labels
        Integers of at least 0, ``(*axes)``. Unsigned ones that are no numpy array, only
        slice like one, are written part by part in their own type.
    axes
        One letter per axis, as ``"zyx"``; a calibration adds voxel size and unit.
    provenance
        How the labels were made.

    Raises
    ------
    ShiftSegError
        If the suffix is another, the axes do not fit, the labels are no integers of at
        least 0, or the file cannot be written.
    """
    if not isinstance(labels, np.ndarray) and np.dtype(labels.dtype).kind == "u":
        _write(path, labels, "labels", axes, provenance)
        return
    labels = np.asarray(labels)
    if labels.dtype.kind not in "bui" or (labels.size and labels.min() < 0):
        raise ShiftSegError("labels are integers, 0 for background and objects from 1 on")
    _write(path, smallest_label_type(labels), "labels", axes, provenance)


def write_embedding(
    path: str | Path,
    embedding: Any,
    *,
    axes: str | Calibration,
    provenance: dict[str, Any] | None = None,
) -> None:
    """Write an embedding; parameters and errors are those of :func:`write_labels`.

    Parameters
    ----------
    embedding
        ``(C, *spatial)`` or with loop axes; ``axes`` has a c. What is no numpy array, only
        slices like one, is written part by part.
    """
    if isinstance(embedding, np.ndarray):
        embedding = np.ascontiguousarray(embedding)
    _write(path, embedding, "embedding", axes, provenance)


def write_image(
    path: str | Path,
    pixels: Any,
    *,
    axes: str | Calibration,
    provenance: dict[str, Any] | None = None,
) -> None:
    """Write an image; parameters and errors are those of :func:`write_labels`.

    Parameters
    ----------
    pixels
        An array; OME-Zarr reads a lazy one block by block. RGB has the axis s last.
    """
    _write(path, pixels, "image", axes, provenance)


def _write(
    path: str | Path,
    pixels: Any,
    kind: Kind,
    axes: str | Calibration,
    provenance: dict[str, Any] | None,
) -> None:
    if is_zarr_name(path):
        write_ome_zarr(path, pixels, axes=axes, kind=kind, provenance=provenance)
    else:
        # Colours lie along a last axis that tiles are not cut for.
        pixels = np.asarray(pixels) if kind == "image" else pixels
        write_tiff(path, pixels, axes=axes, kind=kind, provenance=provenance)


def refuse_unwritable(*paths: Path | None) -> None:
    """Find out before any work is done that a name says no kind of image that can be written.

    Parameters
    ----------
    paths
        Files to write; None is none.

    Raises
    ------
    ShiftSegError
        If the suffix is neither TIFF's nor OME-Zarr's, zarr is not installed, or labels would lie
        in an image of another version of Zarr.
    """
    for path in paths:
        if path is not None and is_zarr_name(path):
            require_zarr()
            image_around(path)


def is_zarr_name(path: str | Path) -> bool:
    """Tell OME-Zarr from TIFF by the suffix; raises ShiftSegError if it is neither's."""
    return _suffix(path, WRITABLE) == ZARR_SUFFIX


def _suffix(path: str | Path, legal: tuple[str, ...], remedy: str = "") -> str:
    suffix = Path(path).suffix.lower()
    if suffix in legal:
        return suffix
    if legal is READABLE and Path(path).is_dir():
        raise ShiftSegError(
            f"{path} is a folder, and no OME-Zarr; legal: one image. shiftseg batch takes folders"
        )
    ends = f"{path} ends in {suffix or 'no suffix'}"
    raise ShiftSegError(f"{ends}; legal: {', '.join(legal)}{remedy}")
