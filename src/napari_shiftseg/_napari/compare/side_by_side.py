"""B beside A: its layers, and a copy of the image, moved to the right."""

from __future__ import annotations

from napari.layers import Layer
from napari.viewer import Viewer

from napari_shiftseg._napari.camera import camera_of
from napari_shiftseg._napari.compare.sides import Side
from napari_shiftseg._napari.tags import tag

COPY = "copy"
"""Kind of the layer that repeats the image; it shares the image's pixels."""

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
        self._copy: Layer | None = None
        self.shift = 0.0

    def enter(self, a: Side, b: Side) -> None:
        """Show both, and bring both into view."""
        subject = a.result.subject
        width = subject.stack.size[-1] * subject.stack.scale[-1]
        self._b, self.shift = b, width * (1 + _GAP)
        self._add_copy(subject.image_key)
        b.shift(self.shift)
        a.set_visible(True)
        b.set_visible(True)
        camera = camera_of(self._viewer)
        self._view = (camera.center, camera.zoom)
        self._viewer.reset_view()

    def leave(self) -> None:
        """Put everything back, as far as it is still there."""
        if self._b is None:
            return
        self._b.shift(-self.shift)
        if self._copy in self._viewer.layers:
            self._viewer.layers.remove(self._copy)
        self._b, self._copy, self.shift = None, None, 0.0
        camera = camera_of(self._viewer)
        camera.center, camera.zoom = self._view

    def _add_copy(self, image_key: str) -> None:
        image = next((n for n in self._viewer.layers if str(n.unique_id) == image_key), None)
        if image is None:
            return
        data, attributes, kind = image.as_layer_data_tuple()
        attributes |= {"name": f"{image.name} (B)", "metadata": tag(kind=COPY), "visible": True}
        copy = Layer.create(data, attributes, kind)
        copy.translate = (*copy.translate[:-1], copy.translate[-1] + self.shift)
        active = self._viewer.layers.selection.active
        self._copy = copy
        self._viewer.layers.insert(self._viewer.layers.index(image) + 1, copy)
        self._viewer.layers.selection.active = active
