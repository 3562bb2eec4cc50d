"""The metadata of OME-Zarr: version 0.4 is written, 0.1 to 0.5 are understood."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from napari_shiftseg.errors import ShiftSegError
from napari_shiftseg.image.calibration import Calibration
from napari_shiftseg.image.channel import Channel, colour_of_digits, shown_between
from napari_shiftseg.image.opened import KIND_KEY, PROVENANCE_KEY, Kind
from napari_shiftseg.image.pyramid import Reduction, Shape
from napari_shiftseg.image.units import PIXEL

AXES = "tczyx"
"""The axes that OME-Zarr knows, in the order that it wants."""

_VERSION = "0.4"
_TYPES = {"t": "time", "c": "channel"} | dict.fromkeys("zyx", "space")
_COLOURS = {"red": "FF0000", "green": "00FF00", "blue": "0000FF", "alpha": "FFFFFF"}


def attributes(
    name: str,
    calibration: Calibration,
    levels: list[Shape],
    *,
    kind: Kind,
    reduction: Reduction,
    colours: int = 0,
    largest: int = 255,
    provenance: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Return the attributes of an image's group.

    Parameters
    ----------
    name
        Of the image.
    calibration
        Of the full resolution.
    levels
        By how much each level divides each axis.
    kind, provenance
        What the pixels are and how they were made.
    reduction
        How the levels were made.
    colours
        Channels that are red, green, blue and perhaps alpha; 0 if they are none.
    largest
        Pixel value that is to be shown brightest where channels have names.
    """
    multiscale = {
        "version": _VERSION,
        "name": name,
        "axes": [_axis(a, u) for a, u in zip(calibration.axes, calibration.units, strict=True)],
        "datasets": [_dataset(i, calibration, level, reduction) for i, level in enumerate(levels)],
        "type": reduction,
    }
    made: dict[str, Any] = {"multiscales": [multiscale], KIND_KEY: kind}
    if kind == "labels":
        made["image-label"] = {"version": _VERSION}
    if colours:
        made["omero"] = _omero(list(_COLOURS.items())[:colours], 255)
    elif calibration.channels and (kind == "labels" or not _name_colours(calibration.channels)):
        made["omero"] = _omero([(name, "FFFFFF") for name in calibration.channels], largest)
    return made | {PROVENANCE_KEY: provenance or {}}


def parse_multiscale(described: dict[str, Any], ndim: int) -> Calibration:
    """Return the calibration of the full resolution.

    Parameters
    ----------
    described
        An entry of ``multiscales``.
    ndim
        Axes of its arrays; versions before 0.4 need not name them.
    """
    axes = described.get("axes", AXES[-ndim:])
    entries = [{"name": axis} if isinstance(axis, str) else axis for axis in axes]
    if len(entries) != ndim:
        raise ShiftSegError(f"names {len(entries)} axes; its pixels have {ndim}")
    common = described.get("coordinateTransformations", ())
    own = described["datasets"][0].get("coordinateTransformations", ())
    scale, translate = [1.0] * ndim, [0.0] * ndim
    for step in (*own, *common):
        factor = step.get("scale", [1.0] * ndim)
        shift = step.get("translation", [0.0] * ndim)
        scale = [a * b for a, b in zip(scale, factor, strict=True)]
        translate = [a * b + c for a, b, c in zip(translate, factor, shift, strict=True)]
    return Calibration.of(
        "".join(str(entry["name"])[:1] for entry in entries),
        scale,
        [entry.get("unit", PIXEL) for entry in entries],
        translate,
    )


def channels_of(attributes: dict[str, Any]) -> tuple[Channel, ...]:
    """Return what is said of the channels."""
    channels = attributes.get("omero", {}).get("channels", ())
    return tuple(
        Channel(str(said.get("label", "")), colour_of_digits(said.get("color")), _shown(said))
        for said in channels
    )


def are_colours(channels: tuple[Channel, ...]) -> bool:
    """Tell whether channels are red, green, blue and perhaps alpha."""
    return _name_colours([channel.name for channel in channels])


def _name_colours(names: Sequence[str]) -> bool:
    return len(names) in (3, 4) and list(names) == list(_COLOURS)[: len(names)]


def canonical_order(axes: str) -> list[int]:
    """Return the order of axes that OME-Zarr wants.

    Raises
    ------
    ShiftSegError
        If it does not know one of them, or one is there twice.
    """
    if len(set(axes)) != len(axes) or not set("yx") <= set(axes) <= set(AXES):
        cure = "; those of a stack can be named, as --axes tzyx" if set("pqr") & set(axes) else ""
        raise ShiftSegError(
            f"the axes are {axes!r}; OME-Zarr takes y, x and of t, c, z each one; a TIFF takes all"
            f"{cure}"
        )
    return sorted(range(len(axes)), key=lambda i: AXES.index(axes[i]))


def _axis(letter: str, unit: str) -> dict[str, str]:
    return {"name": letter, "type": _TYPES[letter]} | ({} if unit == PIXEL else {"unit": unit})


def _dataset(
    index: int, calibration: Calibration, level: Shape, reduction: Reduction
) -> dict[str, Any]:
    """Describe a level; the mean of two pixels lies half a pixel further on."""
    steps = list(zip(calibration.scale, calibration.translate, level, strict=True))
    half = 0.5 if reduction == "mean" else 0.0
    return {
        "path": str(index),
        "coordinateTransformations": [
            {"type": "scale", "scale": [scale * n for scale, _, n in steps]},
            {"type": "translation", "translation": [t + half * (n - 1) * s for s, t, n in steps]},
        ],
    }


def _shown(channel: dict[str, Any]) -> tuple[float, float] | None:
    """Return the range that somebody chose; many write all that the type can hold."""
    window = channel.get("window")
    if not isinstance(window, dict):
        return None
    chosen = shown_between(window.get("start"), window.get("end"))
    return None if chosen == shown_between(window.get("min"), window.get("max")) else chosen


def _omero(channels: list[tuple[str, str]], largest: int) -> dict[str, Any]:
    window = {"min": 0, "max": largest, "start": 0, "end": largest}
    described = [
        {"label": name, "color": colour, "active": name != "alpha", "window": window}
        for name, colour in channels
    ]
    return {"version": _VERSION, "channels": described}
