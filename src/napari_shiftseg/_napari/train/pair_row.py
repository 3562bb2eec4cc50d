"""One image with its labels: two choices of layers, and a button that takes the row away."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable

from napari.layers import Image, Labels, Layer
from napari.viewer import Viewer
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QHBoxLayout, QToolButton, QWidget

from napari_shiftseg._napari.alive import while_alive
from napari_shiftseg._napari.layer_choice import LayerChoice
from napari_shiftseg._napari.train.likely_labels import likely_labels


class PairRow(QWidget):
    """Choose an image layer and the labels layer that is its ground truth.

    Parameters
    ----------
    viewer
        Whose layers.
    taken
        Returns the labels of other rows, which are not proposed here.
    """

    changed = Signal()
    remove_requested = Signal()
    layer_inserted = Signal()

    def __init__(
        self,
        viewer: Viewer,
        taken: Callable[[PairRow], Collection[Labels]],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self._taken = taken
        self.image = LayerChoice(viewer, Image, "no image")
        self.image.setToolTip("An image to train on; its stacks are taken apart for 2-D networks")
        self.labels = LayerChoice(viewer, Labels, "no labels")
        self.labels.setToolTip(
            "Its objects: of a stack, slices without labels are left out; -1 is unknown"
        )
        self.remove = QToolButton()
        self.remove.setText("×")
        self.remove.setToolTip("Take this pair away")
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(3)
        row.addWidget(self.image, 1)
        row.addWidget(self.labels, 1)
        row.addWidget(self.remove)
        self.image.layer_changed.connect(self._on_image)
        self.labels.layer_changed.connect(lambda _: self.changed.emit())
        # After the choices, which have to know the layer by then.
        while_alive(self, viewer.layers.events.inserted, lambda: self.layer_inserted.emit())
        self.remove.clicked.connect(self.remove_requested)

    @property
    def layers(self) -> tuple[Image, Labels] | None:
        """Image and labels, None while one of them is missing."""
        image, labels = self.image.layer, self.labels.layer
        return None if image is None or labels is None else (image, labels)

    def fill(self, images: Iterable[Image]) -> None:
        """Choose of these images the first one that has labels, if nothing is chosen."""
        if self.image.layer is None:
            self.image.choose(next((image for image in images if self._likely(image)), None))
        elif self.labels.layer is None:
            self.labels.choose(self._likely(self.image.layer))

    def _likely(self, image: Layer) -> Labels | None:
        return likely_labels(image, self._viewer, self._taken(self))

    def _on_image(self, image: Layer | None) -> None:
        """Choose the labels that are most likely the image's."""
        if image is not None:
            self.labels.choose(self._likely(image))
        self.changed.emit()
