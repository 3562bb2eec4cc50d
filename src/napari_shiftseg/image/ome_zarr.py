"""Open OME-Zarr: images are read when they are needed, as far as they are needed."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator
from dataclasses import replace
from importlib import import_module
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from napari_shiftseg.errors import ShiftSegError, ShiftSegWarning
from napari_shiftseg.files import is_file
from napari_shiftseg.image import opened
from napari_shiftseg.image.channel import names_in
from napari_shiftseg.image.lazy import MOST_AT_ONCE, from_zarr
from napari_shiftseg.image.ngff import are_colours, channels_of, parse_multiscale
from napari_shiftseg.image.opened import KIND_KEY, PROVENANCE_KEY, OpenedImage, kind_of
from napari_shiftseg.image.readable import readable, undamaged

_BARE = "{} is a bare Zarr array; legal: OME-Zarr, which names axes and voxel size"

_LAYOUT = "bioformats2raw.layout"
"""The attribute of a group whose groups are images, by number."""

_DEEPEST = 3
"""Groups in groups down to the images of a plate: row, well, field."""

_MARKS = (".zgroup", ".zattrs", "zarr.json")


def is_zarr_group(path: Path) -> bool:
    """Tell whether a folder holds a Zarr group of version 2 or 3, by its files alone."""
    return any(is_file(path / mark) for mark in _MARKS)


def require_zarr() -> Any:
    """Import zarr, which only who uses OME-Zarr needs.

    Raises
    ------
    ShiftSegError
        If zarr or dask is not installed.
    """
    try:
        import_module("dask.array")
        return import_module("zarr")
    except ImportError as error:
        raise ShiftSegError(
            f"OME-Zarr needs {error.name}: pip install zarr numcodecs 'dask[array]'"
        ) from None


def open_ome_zarr(path: str | Path) -> tuple[OpenedImage, ...]:
    """Open the image of an OME-Zarr folder, and the labels that lie in it.

    Of what bioformats2raw writes, every series is an image.

    Levels are dask arrays. Labels below ``LAZY_BYTES`` are read at once, so that they can
    be painted on.

    Returns
    -------
    tuple of OpenedImage
        Each image before its labels.

    Raises
    ------
    ShiftSegError
        If zarr is not installed, the folder is missing, or is not an OME-Zarr image.
    """
    path = Path(path)
    zarr = require_zarr()
    with readable(path, "an OME-Zarr image"):
        if (path / ".zarray").is_file():  # of version 2
            raise ShiftSegError(_BARE.format(path))
        if not is_zarr_group(path):
            raise ShiftSegError(f"{path} is not an OME-Zarr folder")
        try:
            root = zarr.open_group(str(path), mode="r", use_consolidated=False)
        except zarr.errors.ContainsArrayError:
            raise ShiftSegError(_BARE.format(path)) from None
        name = path.name.removesuffix(".zarr").removesuffix(".ome")
        series = [key for key in _series(root) if key in root]
        if series:
            each = {key: name if len(series) == 1 else f"{name}: {key}" for key in series}
            return tuple(image for key in series for image in _with_labels(root[key], each[key]))
        if not _attributes(root).get("multiscales"):
            below = next(filter(holds_image, _folders(path)), None)
            hint = f"; name one below it, as {below}" if below else ", nor below it"
            raise ShiftSegError(f"{path} is a Zarr group without an OME-Zarr image in it{hint}")
        return _with_labels(root, name)


def _series(root: Any) -> list[str]:
    """Name the images of what bioformats2raw wrote, in order; none of a plate or another group."""
    attributes = _attributes(root)
    if _LAYOUT not in attributes or "plate" in attributes:
        return []
    listed = _attributes(root["OME"]).get("series") if "OME" in root else None
    numbered = sorted((key for key in root.group_keys() if key.isdecimal()), key=int)
    return [str(key) for key in listed or numbered]


def holds_image(folder: Path) -> bool:
    """Tell whether a folder is an OME-Zarr image by its attributes alone, without zarr."""
    for name in (".zattrs", "zarr.json"):
        try:
            attributes = json.loads((folder / name).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
        said = json.dumps(attributes)
        return "multiscales" in said or _LAYOUT in said
    return False


def _folders(path: Path, depth: int = _DEEPEST) -> Iterator[Path]:
    """Walk through the folders of a plate, the first well first."""
    for folder in sorted(p for p in path.iterdir() if p.is_dir()) if depth else ():
        yield folder
        yield from _folders(folder, depth - 1)


def _attributes(group: Any) -> dict[str, Any]:
    """Return attributes; version 0.5 keeps its own under ``ome``."""
    found: dict[str, Any] = group.attrs.asdict()
    ours = {PROVENANCE_KEY: found.pop(PROVENANCE_KEY)} if PROVENANCE_KEY in found else {}
    said = _without_nulls(found)
    return {**said, **said.get("ome", {}), **ours}


def _without_nulls(said: Any) -> Any:
    """Leave out what is null, as some programs write what they do not say."""
    if isinstance(said, list):
        return [_without_nulls(value) for value in said]
    if not isinstance(said, dict):
        return said
    return {key: _without_nulls(value) for key, value in said.items() if value is not None}


def _with_labels(group: Any, name: str) -> tuple[OpenedImage, ...]:
    return (_open(group, name), *_labels_within(group, name))


def _open(group: Any, name: str) -> OpenedImage:
    attributes = _attributes(group)
    if not attributes.get("multiscales"):
        raise ShiftSegError(f"{name} is a Zarr group without an OME-Zarr image in it")
    described = attributes["multiscales"][0]
    levels = _levels(group, described, name)
    provenance = attributes.get(PROVENANCE_KEY, {})
    stated = "labels" if "image-label" in attributes else attributes.get(KIND_KEY)
    try:
        calibration = parse_multiscale(described, levels[0].ndim)
    except ShiftSegError as error:
        raise ShiftSegError(f"the description of {name}: {error}") from None
    channels = channels_of(attributes)
    image = OpenedImage(
        name,
        levels,
        calibration.naming(names_in(channels), levels[0].shape),
        channels=channels,
        kind=kind_of(stated, provenance, levels[0].dtype),
        provenance=provenance,
    )
    if image.kind == "labels":
        return _paintable(image)
    return _with_colours_last(image) if are_colours(channels) else image


def _levels(group: Any, described: dict[str, Any], name: str) -> tuple[Any, ...]:
    paths = [dataset["path"] for dataset in described["datasets"]]
    missing = [path for path in paths if path not in group]
    if missing or not paths:
        raise ShiftSegError(f"{name} lacks the pixels of its level {''.join(missing[:1]) or 0}")
    arrays = [group[path] for path in paths]
    if not all(hasattr(array, "chunks") and array.ndim for array in arrays):
        raise ShiftSegError(f"{name} has a level that is no array of pixels")
    for array in arrays:
        chunk = prod(array.chunks) * getattr(array.dtype, "itemsize", 1)
        if chunk > MOST_AT_ONCE:
            raise ShiftSegError(
                f"{name} has chunks of {chunk / 1e9:.1f} GB; legal: up to {MOST_AT_ONCE / 1e9:.1f}"
            )
    return tuple(from_zarr(array, name) for array in arrays)


def _labels_within(root: Any, name: str) -> tuple[OpenedImage, ...]:
    """Open the labels that lie in an image; what is wrong with them does not hide the image."""
    try:
        with undamaged(f"{name}/labels", "a group of labels"):
            if "labels" not in root:
                return ()
            listed = _attributes(root["labels"]).get("labels", ())
            return tuple(_open(root["labels"][label], f"{name}: {label}") for label in listed)
    except ShiftSegError as error:
        warnings.warn(f"{error}; the image is opened without them", ShiftSegWarning, stacklevel=2)
        return ()


def _with_colours_last(image: OpenedImage) -> OpenedImage:
    axis = image.calibration.axes.find("c")
    order = [i for i in range(len(image.calibration.axes)) if i != axis] + [axis]
    return replace(
        image,
        levels=tuple(level.transpose(order) for level in image.levels),
        calibration=image.calibration.picked(order).renamed("c", "s"),
        channels=(),
        order=tuple(order),
    )


def _paintable(image: OpenedImage) -> OpenedImage:
    if image.pixels.nbytes >= opened.LAZY_BYTES:
        return image
    return replace(image, levels=(np.asarray(image.pixels),))
