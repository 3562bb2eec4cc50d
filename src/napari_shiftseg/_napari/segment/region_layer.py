"""The layer in which a person draws the rectangle that is to be segmented."""

from __future__ import annotations

from napari.layers import Layer, Shapes
from napari.viewer import Viewer

from napari_shiftseg._napari.camera import stand_on_pixels
from napari_shiftseg._napari.layers import move_to
from napari_shiftseg._napari.palette import REGION
from napari_shiftseg._napari.placement import Placement
from napari_shiftseg._napari.tags import own_layers, tag, tag_of

_KIND = "region"


class RegionLayer:
    """Makes the layer when it is first asked for, and finds it again.

    Parameters
    ----------
    viewer
        Where the layer is.
    """

    def __init__(self, viewer: Viewer) -> None:
        self._viewer = viewer

    @property
    def layer(self) -> Shapes | None:
        """The layer, None if there is none."""
        return next(iter(own_layers(self._viewer, kind=_KIND)), None)

    def is_one(self, layer: Layer) -> bool:
        """Tell whether a layer is, or was, that in which rectangles are drawn."""
        return bool(tag_of(layer).get("kind") == _KIND)

    def follow(self, image: Layer, space: Placement) -> None:
        """Keep what is drawn on the pixels of its image when that is moved or calibrated."""
        layer = self.layer
        if layer is None or layer.ndim != len(space.size):
            return
        if tag_of(layer).get("image") == str(image.unique_id):
            move_to(layer, space)

    def ask(self, image: Layer, space: Placement) -> Shapes:
        """Bring the layer up, ready to draw on an image; what is drawn stays."""
        layer = self.layer
        if layer is not None and len(layer.data) == 0 and layer.ndim == len(space.size):
            move_to(layer, space)
            tag_of(layer)["image"] = str(image.unique_id)
        if layer is None:
            layer = self._viewer.add_shapes(
                ndim=len(space.size),
                name="Region",
                edge_color=REGION,
                face_color="transparent",
                edge_width=2,
                metadata=tag(kind=_KIND, image=str(image.unique_id)),
                **space.keywords,
            )
        stand_on_pixels(self._viewer, space)
        self._viewer.layers.selection.active = layer
        layer.visible = True  # napari has no tools for a layer that is hidden
        layer.mode = "add_rectangle"
        return layer
