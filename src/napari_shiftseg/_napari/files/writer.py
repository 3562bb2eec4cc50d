"""File ▸ Save: labels and images as TIFF or OME-Zarr, with scale and provenance."""

from __future__ import annotations

from typing import Any

from napari_shiftseg._napari.tags import told_of_edits
from napari_shiftseg.errors import ShiftSegError
from napari_shiftseg.image.calibration import Calibration
from napari_shiftseg.image.files import write_image, write_labels

_AXES = {1: "x", 2: "yx", 3: "zyx", 4: "tzyx", 5: "tczyx"}
"""What the axes of a layer that does not name them most likely are."""


def save_labels(path: str, data: Any, keywords: dict[str, Any]) -> list[str]:
    """Write a labels layer."""
    return _save(write_labels, path, data, keywords)


def save_image(path: str, data: Any, keywords: dict[str, Any]) -> list[str]:
    """Write what is in an image layer."""
    return _save(write_image, path, data, keywords)


def _save(write: Any, path: str, data: Any, keywords: dict[str, Any]) -> list[str]:
    pixels = data[0] if keywords.get("multiscale") else data
    try:
        write(path, pixels, axes=_calibration(pixels, keywords), provenance=_provenance(keywords))
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
    return Calibration.of(
        _axes(keywords.get("axis_labels"), ndim) + "s" * colour,
        [*scale, *[1.0] * colour],
        [str(unit) for unit in (*units, *["pixel"] * colour)],
        [*translate, *[0.0] * colour],
    )


def _axes(labels: tuple[str, ...] | None, ndim: int) -> str:
    """Return the layer's axes if they are letters, else the usual ones."""
    letters = "".join(labels or ()).lower()
    known = len(letters) == len(set(letters)) == ndim and set(letters) <= set(_AXES[5])
    return letters if known else _AXES.get(ndim, "?" * ndim)


def _provenance(keywords: dict[str, Any]) -> dict[str, Any]:
    tagged = keywords.get("metadata", {}).get("shiftseg", {})
    if not isinstance(tagged, dict):
        return {}
    return told_of_edits(tagged.get("provenance") or {}, tagged)
