"""The OME-XML of a TIFF that is written here."""

from __future__ import annotations

import json
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import numpy as np

from napari_shiftseg.image.calibration import Calibration
from napari_shiftseg.image.units import PIXEL, ome_unit

SUFFIXES = (".ome.tif", ".ome.tiff")

NAMESPACE = "shiftseg"
"""Of the annotation that keeps what OME has no words for."""

_AXES = "TCZYXS"
_TYPES = "int8 int16 int32 uint8 uint16 uint32 float32 float64".split()


def can_say(name: str, axes: str, dtype: np.dtype[Any]) -> bool:
    """Tell whether a file of this name is to be an OME-TIFF, and its pixels can be in one."""
    letters = axes.upper()
    upright = letters.endswith(("YX", "YXS")) and set(letters) <= set(_AXES)
    return name.lower().endswith(SUFFIXES) and upright and dtype.name in _TYPES


def metadata(name: str, calibration: Calibration, kept: dict[str, Any]) -> dict[str, Any]:
    """Return the words from which tifffile makes OME-XML, the same for the same file.

    Parameters
    ----------
    name
        Of the file.
    calibration
        Of the pixels.
    kept
        What goes into an annotation, as JSON.
    """
    text = json.dumps(kept)
    words: dict[str, Any] = {
        "axes": calibration.axes.upper(),
        # tifffile's own would be another one each time.
        "UUID": str(uuid5(NAMESPACE_URL, name + text)),
        "CommentAnnotation": {"Namespace": NAMESPACE, "Value": text},
    }
    if calibration.channels:
        # XML has no words for control characters.
        names = ["".join(filter(str.isprintable, name)) for name in calibration.channels]
        words["Channel"] = {"Name": names}
    steps = zip(calibration.axes, calibration.scale, calibration.units, strict=True)
    for axis, step, unit in steps:
        key = "TimeIncrement" if axis == "t" else f"PhysicalSize{axis.upper()}"
        if axis in "tzyx" and (step, unit) != (1.0, PIXEL) and (axis != "t" or unit != PIXEL):
            words |= {key: step, f"{key}Unit": ome_unit(unit)}
    return words
