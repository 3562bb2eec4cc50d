"""Where the pixels of an image layer lie: spatial axes, scale and translation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from napari.layers import Image

from napari_shiftseg.embeddings.unet import Architecture
from napari_shiftseg.image.axes import channels_first
from napari_shiftseg.tiles.geometry import Size


@dataclass(frozen=True)
class Placement:
    """The spatial part of an image layer, as a network sees it.

    Parameters
    ----------
    size
        Pixels per spatial axis.
    scale, translate
        The layer's, for the spatial axes.
    units
        The layer's, for the spatial axes; empty if it has none.
    """

    size: Size
    scale: tuple[float, ...]
    translate: tuple[float, ...]
    units: tuple[Any, ...] = ()

    @classmethod
    def of(cls, layer: Image, architecture: Architecture) -> Placement:
        """Measure a layer without reading its pixels.

        Raises
        ------
        ShiftSegError
            If the layer's axes do not fit the network.
        """
        shape = pixels_of(layer).shape
        ndim, channels = architecture.geometry.ndim, architecture.in_channels
        # A broadcast zero has the layer's shape and costs nothing, so that the engine's own
        # rule and its own message serve here too.
        stand_in = np.broadcast_to(np.uint8(0), shape)
        size = channels_first(stand_in, ndim=ndim, in_channels=channels).shape[1:]
        first = 1 if len(shape) > ndim and shape[0] == channels else 0
        axes = slice(first, first + ndim)
        return cls(
            size,
            tuple(float(v) for v in layer.scale[axes]),
            tuple(float(v) for v in layer.translate[axes]),
            tuple(getattr(layer, "units", ())[axes]),
        )

    @property
    def keywords(self) -> dict[str, Any]:
        """Keywords that put a new layer onto the image."""
        units = {"units": self.units} if self.units else {}
        return {"scale": self.scale, "translate": self.translate, **units}

    def to_world(self, position: tuple[float, ...]) -> tuple[float, ...]:
        """Convert pixels to world coordinates."""
        triples = zip(position, self.scale, self.translate, strict=True)
        return tuple(p * s + t for p, s, t in triples)

    def to_pixels(self, point: tuple[float, ...]) -> tuple[float, ...]:
        """Convert world coordinates, of which the last axes are ours, to pixels."""
        own = point[-len(self.size) :]
        return tuple((p - t) / s for p, s, t in zip(own, self.scale, self.translate, strict=True))


def pixels_of(layer: Image) -> Any:
    """Return the layer's array, at full resolution."""
    return layer.data[0] if layer.multiscale else layer.data
