"""TIFF and OME-Zarr dropped onto the viewer. Loads neither torch nor Qt."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from napari.utils.notifications import show_error

from napari_shiftseg._napari.tags import checksum
from napari_shiftseg.errors import ShiftSegError
from napari_shiftseg.image.channel import Channel
from napari_shiftseg.image.files import BIG_TIFF_SUFFIXES, TIFF_SUFFIXES, open_images
from napari_shiftseg.image.ome_zarr import holds_image
from napari_shiftseg.image.opened import OpenedImage

LayerData = tuple[Any, dict[str, Any], str]
Reader = Callable[[str], "list[LayerData] | list[tuple[None]]"]

NOTHING: list[tuple[None]] = [(None,)]
"""What tells napari that a file was dealt with and adds no layer."""

_TWO = ("magenta", "green")
_MORE = ("cyan", "magenta", "yellow", "blue", "green", "red")


def get_tiff_reader(path: str | list[str]) -> Reader | None:
    """Return a reader of one TIFF file; lists are stacks, which napari itself reads."""
    fits = isinstance(path, str) and path.lower().endswith((*TIFF_SUFFIXES, *BIG_TIFF_SUFFIXES))
    return read_images if fits else None


def get_zarr_reader(path: str | list[str]) -> Reader | None:
    """Return a reader of one OME-Zarr folder, or of one within; others are left to others."""
    return read_images if isinstance(path, str) and holds_image(Path(path)) else None


def read_images(path: str) -> list[LayerData] | list[tuple[None]]:
    """Return the layers of a file; one that cannot be read becomes a notification."""
    try:
        opened = open_images(path)
    except ShiftSegError as error:
        show_error(str(error))
        return NOTHING
    return [layer for image in opened for layer in _layers(image)]


def _layers(image: OpenedImage) -> list[LayerData]:
    channels = image.split()
    layers = [_layer(channel) for channel in channels]
    if len(layers) > 1 and not image.rgb:
        colours = _TWO if len(channels) == 2 else _MORE
        coloured = any("colormap" in keywords for _, keywords, _ in layers)
        for index, (_, keywords, _) in enumerate(layers):
            own = "gray" if coloured else colours[index % len(colours)]
            keywords.setdefault("colormap", own)
            keywords["blending"] = "additive"
    return layers


def _layer(image: OpenedImage) -> LayerData:
    # With several units of length napari and its sliders mean different places.
    calibration = image.calibration.without("s").in_one_unit()
    keywords: dict[str, Any] = {
        "name": image.name,
        "scale": calibration.scale,
        "translate": calibration.translate,
        "units": calibration.units,
        "multiscale": len(image.levels) > 1,
    }
    if calibration.known_axes:
        keywords["axis_labels"] = tuple(calibration.axes)
    if image.provenance:
        tag = {"provenance": image.provenance, "checksum": checksum(image.pixels)}
        keywords["metadata"] = {"shiftseg": tag}
    if image.kind != "labels":
        keywords["rgb"] = image.rgb
    if image.kind == "image" and not image.rgb and image.channels:
        keywords |= _looks(image.channels[0])
    pixels = list(image.levels) if keywords["multiscale"] else image.pixels
    return pixels, keywords, "labels" if image.kind == "labels" else "image"


def _looks(channel: Channel) -> dict[str, Any]:
    looks = {"colormap": channel.colour, "contrast_limits": channel.shown}
    return {name: value for name, value in looks.items() if value is not None}
