"""What a TIFF says of its pixels, in the dialects of OME, ImageJ, tifffile and of plain tags."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from itertools import zip_longest
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from napari_shiftseg.image.channel import (
    Channel,
    colour_of_number,
    colour_of_table,
    shown_between,
)
from napari_shiftseg.image.ome_tiff import NAMESPACE
from napari_shiftseg.image.opened import KIND_KEY, PROVENANCE_KEY
from napari_shiftseg.image.units import finite_number, unit_name

Step = tuple[float, str]

_MICROMETERS = {3: 1e4, 4: 1e3, 5: 1.0}
"""Of the tag ResolutionUnit by its value. Inches are ignored: they are what printers want."""


@dataclass(frozen=True)
class Description:
    """What is known of a series.

    Parameters
    ----------
    steps
        Scale and unit by small axis letter.
    translate
        Position of the first pixel by axis letter.
    channels
        Names and looks, where there are any.
    kind, provenance
        What files of this package say of themselves.
    """

    steps: dict[str, Step] = field(default_factory=dict)
    translate: dict[str, float] = field(default_factory=dict)
    channels: tuple[Channel, ...] = ()
    kind: object = None
    provenance: dict[str, Any] = field(default_factory=dict)


def describe(file: Any, index: int) -> Description:
    """Gather what an open ``tifffile.TiffFile`` says of one of its series."""
    series = file.series[index]
    if series.kind == "ome":
        return _from_ome(file, index)
    if file.is_imagej:
        found = _from_imagej(series.keyframe, file.imagej_metadata or {})
    else:
        found = _from_tags(series.keyframe)
    every = file.shaped_metadata or ()
    ours = index < len(every) and PROVENANCE_KEY in every[index]
    return _refined(found, every[index]) if ours else found


def _from_ome(file: Any, index: int) -> Description:
    root = ElementTree.fromstring(file.ome_metadata)
    images = root.findall("{*}Image/{*}Pixels")
    there = [pixels for pixels in images if _is_there(pixels, root.get("UUID"), file)]
    if len(there) != len(file.series):  # tifffile has left out another one
        there = [pixels for pixels in there if _has_size(pixels, file.series[index])]
        index = 0
    if not there:
        return Description()
    pixels = there[index]
    steps = {a: _ome_step(pixels, f"PhysicalSize{a.upper()}", "µm") for a in "zyx"}
    steps["t"] = _ome_step(pixels, "TimeIncrement", "s")
    channels = tuple(
        Channel(channel.get("Name") or "", colour_of_number(channel.get("Color")))
        for channel in pixels.findall("{*}Channel")
    )
    found = Description(
        {axis: step for axis, step in steps.items() if step is not None},
        channels=_told(channels),
    )
    return _refined(found, _annotated(root)) if len(images) == 1 else found


def _is_there(pixels: ElementTree.Element, own: str | None, file: Any) -> bool:
    """Tell whether an image lies in this file, or in another one that is there.

    Those whose files are missing are no series of tifffile.
    """
    files = [data.find("{*}UUID") for data in pixels.findall("{*}TiffData")]
    return any(
        uuid is None
        or uuid.text == own
        or Path(file.filehandle.dirname, uuid.get("FileName", "")).is_file()
        for uuid in files
    )


def _has_size(pixels: ElementTree.Element, series: Any) -> bool:
    said = [pixels.get(f"Size{axis}") for axis in "YX"]
    return said == [str(series.sizes.get(name)) for name in ("height", "width")]


def _annotated(root: ElementTree.Element) -> dict[str, Any]:
    """Return what this package wrote into an annotation, nothing if it did not."""
    own = f"{{*}}StructuredAnnotations/{{*}}CommentAnnotation[@Namespace='{NAMESPACE}']/{{*}}Value"
    try:
        words = json.loads(root.findtext(own) or "{}")
    except ValueError:
        return {}
    return words if isinstance(words, dict) else {}


def _ome_step(pixels: ElementTree.Element, key: str, unit: str) -> Step | None:
    return _step(pixels.get(key), pixels.get(f"{key}Unit", unit))


def _from_imagej(page: Any, words: dict[str, Any]) -> Description:
    unit = words.get("unit")
    steps = {
        "x": _step(_tag_step(page, "XResolution"), unit),
        "y": _step(_tag_step(page, "YResolution"), words.get("yunit", unit)),
        "z": _step(words.get("spacing"), words.get("zunit", unit)),
        "t": _step(words.get("finterval"), words.get("tunit", "sec")),
    }
    known = {axis: step for axis, step in steps.items() if step is not None}
    return Description(
        known if unit else _steps_of_tags(page) | known,
        channels=_imagej_channels(words),
        kind=words.get(KIND_KEY),
        provenance=_provenance(words),
    )


def _imagej_channels(words: dict[str, Any]) -> tuple[Channel, ...]:
    """Return labels, lookup tables and display ranges; a single channel has its own two words."""
    limits = _listed(words, "Ranges")
    if "channels" not in words and not limits:
        limits = [words.get("min"), words.get("max")]
    looks = zip_longest(
        _slice_labels(words),
        map(colour_of_table, _listed(words, "LUTs")),
        map(shown_between, limits[::2], limits[1::2]),
    )
    return _told(tuple(Channel(str(name or ""), colour, shown) for name, colour, shown in looks))


def _told(channels: tuple[Channel, ...]) -> tuple[Channel, ...]:
    """Return no channels where nothing is said of any."""
    return channels if any(channel != Channel() for channel in channels) else ()


def _slice_labels(words: dict[str, Any]) -> tuple[str, ...]:
    """Return ImageJ's labels of slices if they name channels, which run fastest."""
    count = int(words.get("channels", 1))
    labels = _listed(words, "Labels")
    first = labels[:count]
    repeated = first * (len(labels) // count)
    return tuple(first) if len(first) == count > 1 and repeated == labels else ()


def _from_tags(page: Any) -> Description:
    return Description(_steps_of_tags(page))


def _steps_of_tags(page: Any) -> dict[str, Step]:
    size = _MICROMETERS.get(page.tags.valueof("ResolutionUnit"))
    steps = {axis: _tag_step(page, f"{axis.upper()}Resolution") for axis in "yx"}
    return {axis: (step * size, "micrometer") for axis, step in steps.items() if size and step}


def _refined(found: Description, words: dict[str, Any]) -> Description:
    """Let what this package wrote go before what others understand of it."""
    axes = str(words.get("axes", "")).lower()
    sizes, units = _listed(words, "scale"), _listed(words, "units")
    steps = [_step(size, str(unit)) for size, unit in zip(sizes, units, strict=False)]
    starts = [finite_number(start) for start in _listed(words, "translate")]
    channels = tuple(Channel(str(name)) for name in _listed(words, "channels"))
    return replace(
        found,
        steps=found.steps | {a: s for a, s in zip(axes, steps, strict=False) if s is not None},
        translate={a: s for a, s in zip(axes, starts, strict=False) if s is not None},
        channels=found.channels or channels,
        kind=words.get(KIND_KEY, found.kind),
        provenance=_provenance(words) or found.provenance,
    )


def _listed(words: dict[str, Any], key: str) -> list[Any]:
    """Return several values; none where somebody has written something else there."""
    values = words.get(key)
    return list(values) if isinstance(values, (list, tuple)) else []


def _provenance(words: dict[str, Any]) -> dict[str, Any]:
    try:
        kept = json.loads(words.get(PROVENANCE_KEY, "{}"))
    except (TypeError, ValueError):
        return {}
    return kept if isinstance(kept, dict) else {}


def _tag_step(page: Any, name: str) -> float | None:
    """Return units per pixel from a tag that holds pixels per unit as a fraction."""
    pixels, units = page.tags.valueof(name, default=(0, 1))
    return units / pixels if pixels else None


def _step(value: Any, unit: object) -> Step | None:
    """Return a step if there is one that means something; ImageJ may count z downwards."""
    size = abs(finite_number(value) or 0.0)
    return (size, unit_name(unit)) if unit and size > 0 else None
