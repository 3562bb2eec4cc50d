"""What is tiled of an image layer: a volume or the frame on screen, or the middle of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from napari.layers import Image
from napari.viewer import Viewer

from napari_shiftseg._napari.placement import Placement, axes_of, frames_of_layer, pixels_of
from napari_shiftseg._napari.segment.region import centre_of, current_frame
from napari_shiftseg.image.axes import Reads
from napari_shiftseg.image.intensity import Kind
from napari_shiftseg.tiles.geometry import Size
from napari_shiftseg.tiles.plan import by
from napari_shiftseg.tiles.tile import Region, size_of

_PIXELS = 2**20
"""Pixels that are tiled at most: every one is computed some fifty times."""


@dataclass(frozen=True)
class Scene:
    """Part of a layer.

    Parameters
    ----------
    pixels
        The layer's array.
    axes
        One letter per axis of it, if they are known.
    frame
        Index on its loop axes.
    region
        What is tiled of the frame.
    key, name
        The layer's identity and name.
    stack
        Placement of its loop and spatial axes.
    cut
        Whether the region is less than all.
    intensity
        How a person wants intensities scaled; None for what the network says.
    """

    pixels: Any
    axes: str | None
    frame: tuple[int, ...]
    region: Region
    key: str
    name: str
    stack: Placement
    cut: bool
    intensity: Kind | None = None

    @property
    def title(self) -> str:
        """Name of the layer, which frame, and which part."""
        frame = f", frame {', '.join(map(str, self.frame))}" if self.frame else ""
        size = by(size_of(self.region))
        return f"{self.name}{frame}{f', the middle {size} px' if self.cut else ''}"

    @property
    def of_space(self) -> Placement:
        """Placement of the spatial axes, whole."""
        return self.stack.last(len(self.region))

    def placement(self, size: Size) -> Placement:
        """Return where pixels of the region lie, of which the first so many per axis count."""
        frame = tuple(slice(i, i + 1) for i in self.frame)
        kept = tuple(
            slice(part.start, part.start + n) for part, n in zip(self.region, size, strict=True)
        )
        return self.stack.cut(frame + kept)


def scene_of(
    viewer: Viewer,
    layer: Image,
    ndim: int,
    in_channels: int,
    *,
    most: int | None = _PIXELS,
    intensity: Kind | None = None,
) -> Scene:
    """Take what is on screen; of more than ``most`` pixels the middle.

    Raises
    ------
    ShiftSegError
        If the layer does not fit the network, or is turned.
    """
    reads = Reads("zyx"[-ndim:], in_channels)
    frames = frames_of_layer(layer, reads)
    loops = frames.layout.loops
    whole = tuple(slice(0, n) for n in frames.spatial)
    region = whole if most is None else centre_of(whole, most)
    return Scene(
        pixels_of(layer),
        axes_of(layer, reads),
        current_frame(viewer, layer, loops, frames.loops),
        region,
        str(layer.unique_id),
        layer.name,
        Placement.of(layer, frames, frames.layout.kept),
        region != whole,
        intensity,
    )
