"""File ▸ Save: labels and images as TIFF or OME-Zarr, with scale and provenance."""

from __future__ import annotations

from typing import Any

import numpy as np
from napari.utils.notifications import show_warning

from napari_shiftseg._napari.axis_names import letters_of, usual_loops
from napari_shiftseg._napari.tags import KEY, told_of_edits
from napari_shiftseg.errors import ShiftSegError
from napari_shiftseg.image.calibration import Calibration
from napari_shiftseg.image.files import write_image, write_labels


def save_labels(path: str, data: Any, keywords: dict[str, Any]) -> list[str]:
    """Write a labels layer."""
    return _save(write_labels, path, data, keywords)


def save_image(path: str, data: Any, keywords: dict[str, Any]) -> list[str]:
    """Write what is in an image layer."""
    return _save(write_image, path, data, keywords)


def _save(write: Any, path: str, data: Any, keywords: dict[str, Any]) -> list[str]:
    pixels = data[0] if keywords.get("multiscale") else data
    if lost := _lost(keywords):
        show_warning(f"{keywords.get('name', 'The layer')}: saved without its {lost}")
    try:
        tagged = _tag(keywords)
        provenance = told_of_edits(tagged.get("provenance") or {}, tagged, pixels)
        write(path, pixels, axes=_calibration(pixels, keywords), provenance=provenance)
    except ShiftSegError as error:
        # napari takes a ValueError to mean that there is no writer, and says so.
        raise OSError(str(error)) from error
    return [path]


def _calibration(pixels: Any, keywords: dict[str, Any]) -> Calibration:
    colour = bool(keywords.get("rgb"))
    ndim = len(pixels.shape) - colour
    scale, units, translate = (
        list(keywords[key]) if keywords.get(key) is not None else [nothing] * ndim
        for key, nothing in (("scale", 1.0), ("units", "pixel"), ("translate", 0.0))
    )
    # What is shown side by side lies elsewhere than its image, and is saved at its place.
    translate[-1] -= _tag(keywords).get("aside", 0.0)
    return Calibration.of(
        _axes(keywords, ndim) + "s" * colour,
        [*map(abs, scale), *[1.0] * colour],
        [str(unit) for unit in (*units, *["pixel"] * colour)],
        [*translate, *[0.0] * colour],
    )


def _axes(keywords: dict[str, Any], ndim: int) -> str:
    """Return the layer's axes by its names for them, else the usual ones."""
    named = letters_of(keywords.get("axis_labels") or ())
    if named is not None and len(named) == ndim:
        return named
    if ndim < 2:
        return "x"
    period = (_tag(keywords).get("provenance") or {}).get("period")
    flat = ndim == 2 or (isinstance(period, list) and len(period) == 2)
    spatial = "yx" if flat else "zyx"
    return usual_loops(spatial, ndim - len(spatial)) + spatial


def _lost(keywords: dict[str, Any]) -> str:
    """Name what no file here can say of where a layer lies."""
    scale = keywords.get("scale")
    scale = [1.0] if scale is None else list(scale)
    size = len(scale)
    turns: dict[str, Any] = {"rotate": np.eye(size), "affine": np.eye(size + 1), "shear": 0.0}
    lost = [
        name
        for name, nothing in turns.items()
        if keywords.get(name) is not None and not np.allclose(keywords[name], nothing)
    ]
    mirrored = any(step < 0 for step in scale)
    return " and ".join([*lost, *["mirroring"] * mirrored])


def _tag(keywords: dict[str, Any]) -> dict[str, Any]:
    tagged = keywords.get("metadata", {}).get(KEY, {})
    return tagged if isinstance(tagged, dict) else {}
