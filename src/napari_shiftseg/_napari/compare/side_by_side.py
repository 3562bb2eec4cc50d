"""B beside A: its layers, and a copy of the image, moved to the right."""

from __future__ import annotations

from dataclasses import replace

from napari.layers import Layer
from napari.viewer import Viewer

from napari_shiftseg._napari.camera import camera_of
from napari_shiftseg._napari.compare.sides import Side
from napari_shiftseg._napari.layers import (
    COPY,
    insert_above,
    layer_with,
    move_to,
    remove,
    set_visible,
)
from napari_shiftseg._napari.placement import Placement
from napari_shiftseg._napari.tags import tag
from napari_shiftseg._napari.turns import Steps

_LINKED = ("contrast_limits", "gamma", "colormap")
"""What the copy and the image have in common, whichever of them a person changes."""

_GAP = 0.04
"""Space between the two, as a part of the image's width."""


class SideBySide:
    """Moves B aside, and back.

    napari's own grid would do the same for single layers only, and with every other layer
    in a cell of its own.

    Parameters
    ----------
    viewer
        Where the layers are.
    """

    def __init__(self, viewer: Viewer) -> None:
        self._viewer = viewer
        self._b: Side | None = None
        self._image: Layer | None = None
        self.copy: Layer | None = None
        self.shift = 0.0

    def enter(self, a: Side, b: Side) -> Steps:
        """Show both, and bring both into view."""
        subject = a.result.subject
        width = subject.stack.size[-1] * abs(subject.stack.scale[-1])
        self._b, self.shift = b, width * (1 + _GAP)
        camera = camera_of(self._viewer)
        self._view = (camera.center, camera.zoom)
        b.shift(self.shift)
        yield
        yield from self._show_copy(subject.image_key)
        if self._b is not b:
            return
        a.set_visible(True)
        b.set_visible(True)
        yield
        if self._b is b:
            self._viewer.reset_view()

    def leave(self) -> None:
        """Put everything back, as far as it is still there; the copy waits, hidden."""
        if self._b is None:
            return
        self._b.shift(-self.shift)
        copy = self.copy
        if copy is not None and copy in self._viewer.layers:
            set_visible(copy, False)
            if self._image is not None:
                copy.translate = self._image.translate
        self._b, self.shift = None, 0.0
        camera = camera_of(self._viewer)
        camera.center, camera.zoom = self._view

    def is_image(self, layer: Layer) -> bool:
        """Tell whether the copy is a layer's."""
        return self._image is not None and layer is self._image

    def forget_copy(self) -> Steps:
        """Remove the copy, as when its image is gone."""
        copy, image = self.copy, self._image
        self.copy = self._image = None
        if copy is not None and copy in self._viewer.layers:
            if image is not None:
                self._viewer.layers.unlink_layers([image, copy], _LINKED)
            yield from remove(self._viewer, copy)

    def _show_copy(self, image_key: str) -> Steps:
        image = layer_with(self._viewer, image_key)
        if self.copy is not None and not self._is_of(image):
            yield from self.forget_copy()
        if image is None or self._b is None:
            return
        place = (*image.translate[:-1], image.translate[-1] + self.shift)
        if self.copy is not None:
            move_to(self.copy, replace(Placement.of_all(image), translate=place))
            set_visible(self.copy, True)
            return
        copy = _copy_of(image, place)
        yield
        if image in self._viewer.layers and self._b is not None:
            self._image, self.copy = image, copy
            insert_above(self._viewer, image, copy)
            self._viewer.layers.link_layers([image, copy], _LINKED)
            yield

    def _is_of(self, image: Layer | None) -> bool:
        """Tell whether the copy is there and still shows an image's own pixels."""
        if self.copy is None or image is None:
            return False
        there: bool = self.copy in self._viewer.layers
        return there and self.copy.data is image.data and image is self._image


def _copy_of(image: Layer, place: tuple[float, ...]) -> Layer:
    data, attributes, kind = image.as_layer_data_tuple()
    attributes |= {
        "name": f"{image.name} (B)",
        "metadata": tag(kind=COPY),
        "visible": True,
        "translate": place,
    }
    return Layer.create(data, attributes, kind)
