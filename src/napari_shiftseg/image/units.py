"""Numbers and units of voxel sizes, whatever a file calls them."""

from __future__ import annotations

import math
from typing import Any

PIXEL = "pixel"
"""What a length or time of unknown unit is counted in."""

_SPELLINGS = {
    "picometer": ("pm", "picometre"),
    "angstrom": ("å", "a", "ångström"),
    "nanometer": ("nm", "nanometre"),
    "micrometer": ("um", "µm", "μm", "\\u00b5m", "micron", "microns", "micrometre"),
    "millimeter": ("mm", "millimetre"),
    "centimeter": ("cm", "centimetre"),
    "meter": ("m", "metre"),
    "kilometer": ("km", "kilometre"),
    "inch": ("in", "inches", '"'),
    "nanosecond": ("ns",),
    "microsecond": ("us", "µs", "μs"),
    "millisecond": ("ms", "msec"),
    "second": ("s", "sec", "seconds"),
    "minute": ("min", "minutes"),
    "hour": ("h", "hours"),
    "day": ("d", "days"),
}
_NAMES = {spelling: name for name, known in _SPELLINGS.items() for spelling in (name, *known)}
_OME = {
    "picometer": "pm",
    "angstrom": "Å",
    "nanometer": "nm",
    "micrometer": "µm",
    "millimeter": "mm",
    "centimeter": "cm",
    "meter": "m",
    "kilometer": "km",
    "inch": "in",
    "nanosecond": "ns",
    "microsecond": "µs",
    "millisecond": "ms",
    "second": "s",
    "minute": "min",
    "hour": "h",
    "day": "d",
}
_IMAGEJ = {"micrometer": "micron", "nanometer": "nm", "millimeter": "mm", "centimeter": "cm"}

_METRES = {
    "picometer": 1e-12,
    "angstrom": 1e-10,
    "nanometer": 1e-9,
    "micrometer": 1e-6,
    "millimeter": 1e-3,
    "centimeter": 1e-2,
    "meter": 1.0,
    "kilometer": 1e3,
    "inch": 0.0254,
}


def unit_name(spelling: object) -> str:
    """Return the full name of a unit, as OME-Zarr and napari write it.

    Parameters
    ----------
    spelling
        As found in a file: ``"µm"``, ``"micron"``, ``"um"``.

    Returns
    -------
    str
        ``"micrometer"``; ``"pixel"`` for a unit that is not known.
    """
    return _NAMES.get(str(spelling).strip().lower(), PIXEL)


def length_in(unit: str, other: str) -> float | None:
    """Return how many of another unit of length one is, None if one of both is none."""
    if unit not in _METRES or other not in _METRES:
        return None
    return float(f"{_METRES[unit] / _METRES[other]:.12g}")  # 1000, not 999.9999999999999


def imagej_unit(name: str) -> str:
    """Return what ImageJ calls a unit; plain ASCII."""
    return _IMAGEJ.get(name, name)


def ome_unit(name: str) -> str:
    """Return the symbol of a unit in OME-XML."""
    return _OME.get(name, name)


def finite_number(value: Any) -> float | None:
    """Return a number, or None for what is none."""
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None
