"""What is on screen, as a training can segment it in between: a snapshot of layer and view."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from napari.layers import Image
from napari.viewer import Viewer

from napari_shiftseg._napari.placement import Placement, axes_of, frames_of_layer, pixels_of
from napari_shiftseg._napari.segment.region import centre_of, current_frame, on_screen
from napari_shiftseg._napari.tags import tag_of
from napari_shiftseg.embeddings.model import Model
from napari_shiftseg.errors import ShiftSegError
from napari_shiftseg.tiles.tile import Region

_LARGEST = 2**19
"""Pixels of a preview at most; of a larger screen its middle is shown."""


@dataclass(frozen=True)
class PreviewSubject:
    """A part of an image.

    Parameters
    ----------
    image, image_name
        Array and name of the layer.
    axes
        One letter per axis of the array, if they are known.
    region, frame
        The part, and the only frame; None for an image without frames.
    placement
        Where the result lies.
    """

    image: Any
    image_name: str
    axes: str | None
    region: Region
    frame: tuple[int, ...] | None
    placement: Placement


def subject_in_view(viewer: Viewer, model: Model) -> PreviewSubject:
    """Take the snapshot of what the viewer shows.

    Raises
    ------
    ShiftSegError
        If no image is in view, or it does not fit the network.
    """
    layer = _image_in_view(viewer)
    frames = frames_of_layer(layer, model.reads)
    loops = frames.layout.loops
    frame = current_frame(viewer, layer, loops, frames.loops)
    shown = on_screen(viewer, layer, frames.layout.spatial, frames.spatial)
    region = centre_of(shown, _LARGEST)
    single = tuple(slice(i, i + 1) for i in frame)
    return PreviewSubject(
        pixels_of(layer),
        layer.name,
        axes_of(layer, model.reads),
        region,
        frame if loops else None,
        Placement.of(layer, frames, frames.layout.kept).cut(single + region),
    )


def _image_in_view(viewer: Viewer) -> Image:
    """Return the chosen image layer, or the topmost one that is seen."""
    active = viewer.layers.selection.active
    seen = [layer for layer in reversed(viewer.layers) if layer.visible]
    images = [
        layer
        for layer in [active, *seen]
        if isinstance(layer, Image) and layer.visible and not tag_of(layer).get("kind")
    ]
    if not images:
        raise ShiftSegError("no image is in view; show one to preview the training on it")
    return images[0]
