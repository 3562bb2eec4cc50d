"""Where the pixels of an image layer lie: size, scale and translation of its axes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any

import numpy as np
from napari.layers import Image, Labels, Layer
from numpy.typing import NDArray

from napari_shiftseg._napari.axis_names import letters_of
from napari_shiftseg._napari.tags import tag_of
from napari_shiftseg._napari.view_units import converted
from napari_shiftseg.errors import ShiftSegError
from napari_shiftseg.image.axes import Frames, Reads
from napari_shiftseg.tiles.geometry import Size
from napari_shiftseg.tiles.plan import by
from napari_shiftseg.tiles.tile import Region, size_of


@dataclass(frozen=True)
class Placement:
    """Some axes of a layer.

    Parameters
    ----------
    size
        Pixels per axis.
    scale, translate
        The layer's, for these axes.
    units
        The layer's, for these axes; empty if it has none.
    names
        The layer's names of these axes; empty if it has none.
    """

    size: Size
    scale: tuple[float, ...]
    translate: tuple[float, ...]
    units: tuple[Any, ...] = ()
    names: tuple[str, ...] = ()

    @classmethod
    def of(cls, layer: Image, frames: Frames, axes: Sequence[int]) -> Placement:
        """Measure some axes of a layer."""
        pick = [axis for axis in axes if axis < layer.ndim]
        return cls(
            tuple(int(frames.source.shape[axis]) for axis in axes),
            tuple(float(layer.scale[axis]) for axis in pick),
            tuple(float(layer.translate[axis]) for axis in pick),
            tuple(layer.units[axis] for axis in pick) if hasattr(layer, "units") else (),
            tuple(layer.axis_labels[a] for a in pick) if hasattr(layer, "axis_labels") else (),
        )

    @classmethod
    def of_all(cls, layer: Layer) -> Placement:
        """Measure all axes of a layer."""
        return cls(
            tuple(int(n) for n in pixels_of(layer).shape[: layer.ndim]),
            tuple(float(s) for s in layer.scale),
            tuple(float(t) for t in layer.translate),
            tuple(getattr(layer, "units", ())),
            tuple(getattr(layer, "axis_labels", ())),
        )

    @property
    def keywords(self) -> dict[str, Any]:
        """Keywords that put a new layer onto the image."""
        named = {"units": self.units, "axis_labels": self.names}
        given = {key: value for key, value in named.items() if value}
        return {"scale": self.scale, "translate": self.translate, **given}

    @property
    def mirrored(self) -> bool:
        """Whether columns run to the left on screen."""
        return self.scale[-1] < 0

    def last(self, ndim: int) -> Placement:
        """Return the placement of the last axes alone."""
        return Placement(
            self.size[-ndim:],
            self.scale[-ndim:],
            self.translate[-ndim:],
            self.units[-ndim:],
            self.names[-ndim:],
        )

    def cut(self, region: Region) -> Placement:
        """Return the placement of a region of the last axes."""
        first = len(self.size) - len(region)
        moved = [
            t + part.start * s
            for part, t, s in zip(region, self.translate[first:], self.scale[first:], strict=True)
        ]
        return replace(
            self,
            size=self.size[:first] + size_of(region),
            translate=self.translate[:first] + tuple(moved),
        )

    def coarse(self, step: int, ndim: int) -> Placement:
        """Return the placement of every ``step``-th pixel of the last ``ndim`` axes."""
        steps = [1] * (len(self.size) - ndim) + [step] * ndim
        axes = list(zip(self.size, self.scale, self.translate, steps, strict=True))
        return replace(
            self,
            size=tuple(-(-n // k) for n, _, _, k in axes),
            scale=tuple(s * k for _, s, _, k in axes),
            translate=tuple(t + (k - 1) / 2 * s for _, s, t, k in axes),
        )

    def square(self, axes: Sequence[int]) -> Placement:
        """Return the same place with pixels of one edge, the smallest, along some axes."""
        edge = min((abs(self.scale[axis]) for axis in axes), default=1.0)
        scale = [edge if axis in axes else s for axis, s in enumerate(self.scale)]
        lengths = [n * abs(s) for n, s in zip(self.size, self.scale, strict=True)]
        size = [round(length / abs(s)) for length, s in zip(lengths, scale, strict=True)]
        return replace(self, size=tuple(size), scale=tuple(scale))

    def to_world(self, position: tuple[float, ...]) -> tuple[float, ...]:
        """Convert pixels to world coordinates."""
        triples = zip(position, self.scale, self.translate, strict=True)
        return tuple(p * s + t for p, s, t in triples)

    def to_pixels(self, point: tuple[float, ...]) -> tuple[float, ...]:
        """Convert world coordinates, of which the last axes are ours, to pixels."""
        own = point[-len(self.size) :]
        return tuple((p - t) / s for p, s, t in zip(own, self.scale, self.translate, strict=True))


def lie_apart(labels: Labels, image: Layer) -> bool:
    """Tell whether pixels of the same indices are not at one place, by more than half a pixel.

    Parameters
    ----------
    labels
        Labels of an image.
    image
        The image; not judged if its last axes are not those of the labels.
    """
    ndim = min(spatial_axes(labels), image.ndim)
    size = tuple(pixels_of(labels).shape[-ndim:])
    if tuple(pixels_of(image).shape[: image.ndim][-ndim:]) != size:
        return False
    ends = np.vstack([np.zeros(ndim), np.diag(np.array(size) - 1.0)])
    here, there = (_places(layer, ends) for layer in (image, labels))
    units = [tuple(getattr(layer, "units", ()))[-ndim:] for layer in (labels, image)]
    there = np.array([converted(place, *units) for place in there])
    return bool((np.abs(here - there) > np.abs(image.scale[-ndim:]) / 2).any())


def doubt_of_place(labels: Labels, image: Layer) -> str:
    """Say in a sentence that two layers do :func:`lie_apart`; nothing if they do not."""
    if not lie_apart(labels, image):
        return ""
    return (
        f"{labels.name} does not lie over {image.name} on screen; they are paired pixel by pixel, "
        "from their first ones on."
    )


def _places(layer: Layer, pixels: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return where pixels of the last axes are in the world."""
    first = (0.0,) * (layer.ndim - pixels.shape[1])
    return np.array([layer.data_to_world((*first, *each))[len(first) :] for each in pixels])


def pixels_of(layer: Layer) -> Any:
    """Return the layer's array, at full resolution."""
    return layer.data[0] if getattr(layer, "multiscale", False) else layer.data


def axes_of(layer: Image, reads: Reads) -> str | None:
    """Return one letter per axis of the layer's array, None if it does not name them."""
    named = letters_of(getattr(layer, "axis_labels", ()))
    if named is not None:
        return named + ("s" if layer.rgb else "")
    if not layer.rgb:
        return None
    loops = "0123456789"[: layer.ndim - len(reads.axes)]
    return f"{loops}{reads.axes[-layer.ndim :]}s"


def places_of(layer: Image, frames: Frames) -> tuple[Placement, Placement]:
    """Return where a layer's spatial axes lie, and where its loop and spatial axes do."""
    layout = frames.layout
    return Placement.of(layer, frames, layout.spatial), Placement.of(layer, frames, layout.kept)


def frames_of_layer(layer: Image, reads: Reads) -> Frames:
    """Tell what the axes of a layer are to a network, without reading its pixels.

    Raises
    ------
    ShiftSegError
        If the layer's axes do not fit the network, or it is turned or sheared.
    """
    _check_upright(layer)
    if layer.rgb and reads.channels == 1:
        raise ShiftSegError(
            f"{layer.name!r} is in colour, the model takes one channel: right-click the layer, "
            "choose Split RGB, and take one of the three"
        )
    pixels = pixels_of(layer)
    # What has the layer's shape and costs nothing, so that the engine's own rule and its own
    # message serve here too.
    stand_in = SimpleNamespace(shape=tuple(pixels.shape), dtype=pixels.dtype)
    frames = reads.frames(stand_in, axes_of(layer, reads))
    _check_order(layer, frames)
    return frames


def _check_order(layer: Image, frames: Frames) -> None:
    """Refuse axes on which napari would not lay a result over the image: it aligns the last."""
    kept, named = frames.layout.kept, frames.axes
    if tuple(kept) == tuple(range(layer.ndim - len(kept), layer.ndim)):
        return
    legal = [*(axis for axis in range(layer.ndim) if axis not in kept), *kept]
    console = (
        f"In napari's console: viewer.add_image(viewer.layers[{layer.name!r}].data"
        f".transpose{tuple(legal)})"
    )
    if named is None:
        raise ShiftSegError(
            f"the layer {layer.name!r} of {by(frames.source.shape)} px has its channels on axis "
            f"{legal[0] + 1} of {layer.ndim}; legal here: on the first one. {console}"
        )
    raise ShiftSegError(
        f"the layer {layer.name!r} has the axes {', '.join(named[: layer.ndim])}; legal here: "
        f"{', '.join(named[axis] for axis in legal)}. {console}, with the axis labels in that order"
    )


def _check_upright(layer: Image) -> None:
    """Refuse a layer on which no result would lie right."""
    turned = not np.allclose(layer.rotate, np.eye(layer.ndim)) if layer.ndim > 1 else False
    moved = not np.allclose(layer.affine.affine_matrix, np.eye(layer.ndim + 1))
    if turned or np.any(layer.shear) or moved:
        raise ShiftSegError(
            f"the layer {layer.name!r} is rotated, sheared or has an affine transform; results "
            "keep scale and translation only. Reset its transform, or resample it first"
        )


def spatial_axes(layer: Labels) -> int:
    """Tell how many of the last axes are space: by how it was made, by names, or up to three."""
    made = tag_of(layer).get("provenance") or {}
    if made.get("period"):
        return min(len(made["period"]), layer.ndim)
    names = [name.lower() for name in getattr(layer, "axis_labels", ())]
    if not {"t", "c", "time", "channel", "z"} & set(names):
        return min(3, layer.ndim)
    space = [name in ("z", "y", "x") for name in names]
    return max(2, layer.ndim - max((i + 1 for i, s in enumerate(space) if not s), default=0))
