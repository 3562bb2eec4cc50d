"""What is checked of a labels layer: the image or volume on screen, or those of all frames."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from napari.layers import Image, Labels
from numpy.typing import NDArray

from napari_shiftseg._napari.placement import Placement, pixels_of
from napari_shiftseg._napari.tags import tag_of
from napari_shiftseg.errors import ShiftSegError
from napari_shiftseg.tiles.plan import by


@dataclass(frozen=True)
class TurnedPlacement(Placement):
    """The spatial axes of a layer that may be turned or sheared.

    Parameters
    ----------
    frame
        Index on the axes before the spatial ones.
    linear, origin
        From pixels of the whole layer to the world.
    turn
        Keywords that turn a new layer of as many axes like this one.
    """

    frame: tuple[int, ...] = ()
    linear: NDArray[np.float64] = field(default_factory=lambda: np.eye(2), compare=False)
    origin: NDArray[np.float64] = field(default_factory=lambda: np.zeros(2), compare=False)
    turn: dict[str, Any] = field(default_factory=dict, compare=False)

    @classmethod
    def of_layer(cls, layer: Labels, frame: tuple[int, ...]) -> TurnedPlacement:
        """Measure a layer."""
        ndim, first = layer.ndim, len(frame)
        origin = np.array(layer.data_to_world((0,) * ndim))
        linear = np.stack(
            [np.array(layer.data_to_world(row)) - origin for row in np.eye(ndim)], axis=1
        )
        return cls(
            tuple(int(n) for n in pixels_of(layer).shape[first:]),
            tuple(float(v) for v in layer.scale),
            tuple(float(v) for v in layer.translate),
            tuple(layer.units) if hasattr(layer, "units") else (),
            tuple(layer.axis_labels) if hasattr(layer, "axis_labels") else (),
            frame,
            linear,
            origin,
            {
                "rotate": layer.rotate,
                "shear": layer.shear,
                "affine": layer.affine.affine_matrix,
            },
        )

    @property
    def keywords(self) -> dict[str, Any]:
        """Keywords that put a new layer with all axes of this one onto it."""
        return super().keywords | self.turn

    @property
    def keywords_of_frame(self) -> dict[str, Any]:
        """Keywords that put a layer with one frame alone where the frame lies."""
        index = np.array([*self.frame, *(0,) * len(self.size)], float)
        affine = self.turn["affine"][:-1, :-1]
        moved = np.linalg.solve(affine, self.linear @ index)
        return self.keywords | {"translate": tuple(np.array(self.translate) + moved)}

    def to_world(self, position: tuple[float, ...]) -> tuple[float, ...]:
        """Convert pixels of the image to world coordinates."""
        world = self.linear @ np.array([*self.frame, *position]) + self.origin
        return tuple(world.tolist())

    def to_pixels(self, point: Sequence[float]) -> tuple[float, ...]:
        """Convert world coordinates, of which the last axes are ours, to pixels of the image."""
        own = np.array(point[-len(self.origin) :]) - self.origin
        return tuple(np.linalg.solve(self.linear, own)[len(self.frame) :].tolist())

    def frame_at(self, point: Sequence[float]) -> tuple[int, ...]:
        """Return the frame at world coordinates."""
        own = np.array(point[-len(self.origin) :]) - self.origin
        index = np.linalg.solve(self.linear, own)[: len(self.frame)]
        return tuple(int(v) for v in np.round(index))


@dataclass(frozen=True)
class Part:
    """What is checked.

    Parameters
    ----------
    pixels
        ``([*frames], *spatial)``, perhaps not in memory yet.
    key, name
        The layer's identity and name.
    placement
        Where it lies.
    frames
        How many axes count frames that are checked together.
    """

    pixels: Any
    key: str
    name: str
    placement: TurnedPlacement
    frames: int = 0

    @property
    def title(self) -> str:
        """Name of the layer, and which frame."""
        frame = self.placement.frame
        return f"{self.name}, frame {', '.join(map(str, frame))}" if frame else self.name


def part_of(layer: Labels, ndim: int, point: Sequence[float], *, every: bool = False) -> Part:
    """Take what is on screen: the frame at a point of the world, if the layer has frames; or all.

    Parameters
    ----------
    layer
        The layer.
    ndim
        Number of its spatial axes, the last ones.
    point
        Where the viewer's slice lies.
    every
        Take all frames.
    """
    pixels = pixels_of(layer)
    frames = pixels.shape[: layer.ndim - ndim]
    if every:
        placement = TurnedPlacement.of_layer(layer, ())
        return Part(pixels, str(layer.unique_id), layer.name, placement, len(frames))
    here = TurnedPlacement.of_layer(layer, (0,) * len(frames)).frame_at(point)
    frame = tuple(int(np.clip(i, 0, n - 1)) for i, n in zip(here, frames, strict=True))
    placement = TurnedPlacement.of_layer(layer, frame)
    return Part(pixels[frame], str(layer.unique_id), layer.name, placement)


@dataclass(frozen=True)
class Beside:
    """The image of a part.

    Parameters
    ----------
    pixels
        Channels first, perhaps not in memory yet.
    name
        Of its layer.
    """

    pixels: Any
    name: str


def image_beside(layer: Image, part: Part) -> Beside:
    """Take the image at the place of a part.

    An image without the frames of the labels belongs to each of them.

    Raises
    ------
    ShiftSegError
        If it has frames, but not the one that is checked, or no frames and another size.
    """
    pixels = pixels_of(layer)
    frame, size = part.placement.frame, part.placement.size
    spatial = len(size) - part.frames
    channels = 0 if layer.rgb else max(0, layer.ndim - len(frame) - len(size))
    if part.frames and layer.ndim == spatial:
        if pixels.shape[:spatial] != size[part.frames :]:
            raise ShiftSegError(
                f"the image {layer.name!r} has {by(pixels.shape[:spatial])} px, a frame of the "
                f"labels has {by(size[part.frames :])} px"
            )
        pixels = np.moveaxis(pixels, -1, 0) if layer.rgb else pixels[None]
        for _ in range(part.frames):
            pixels = pixels[:, None]
        return Beside(np.broadcast_to(pixels, (len(pixels), *size)), layer.name)
    if frame and layer.ndim > spatial:
        if any(i >= n for i, n in zip(frame, pixels.shape[channels:], strict=False)):
            raise ShiftSegError(
                f"the image {layer.name!r} of {by(pixels.shape)} px has no frame "
                f"{', '.join(map(str, frame))}; choose one with the frames of the labels, or none"
            )
        pixels = pixels[(slice(None),) * channels + frame]
    return Beside(np.moveaxis(pixels, -1, 0) if layer.rgb else pixels, layer.name)


def known_grid(layer: Labels, ndim: int) -> tuple[tuple[int, ...], tuple[int, ...]] | None:
    """Return the tile sizes and offsets with which this plugin made a layer, if it did."""
    made = tag_of(layer).get("provenance") or {}
    if made.get("stitch") in (None, "whole") or not made.get("tile"):
        return None
    tiles = tuple(int(t) for t in made["tile"])[-ndim:]
    region = made.get("region") or [(0, 0)] * ndim
    starts = [int(start) for start, _ in region][-ndim:]
    if not len(tiles) == len(starts) == ndim:
        return None
    return tiles, tuple(-start % tile for start, tile in zip(starts, tiles, strict=True))
