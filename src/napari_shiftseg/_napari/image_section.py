"""Choose the image, and ground truth if there is some."""

from __future__ import annotations

from napari.layers import Image, Labels, Layer
from napari.viewer import Viewer
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QFormLayout, QGroupBox, QWidget

from napari_shiftseg._napari.layer_choice import LayerChoice
from napari_shiftseg._napari.tags import tag_of


class ImageSection(QGroupBox):
    """Combos of image and labels layers.

    Parameters
    ----------
    viewer
        Whose layers.
    """

    image_changed = Signal(object)

    def __init__(self, viewer: Viewer, parent: QWidget | None = None) -> None:
        super().__init__("Image", parent)
        self.image = LayerChoice(viewer, Image)
        self.image.setToolTip("The image layer to segment")
        self.truth = LayerChoice(viewer, Labels, none_text="none")
        self.truth.setToolTip("With ground truth, results are scored against it")
        form = QFormLayout(self)
        form.addRow("Layer", self.image)
        form.addRow("Ground truth", self.truth)
        self.image.layer_changed.connect(self._on_image)
        viewer.layers.events.inserted.connect(self._match_truth)
        self._match_truth()

    def _on_image(self, image: Image | None) -> None:
        self._match_truth()
        self.image_changed.emit(image)

    def _match_truth(self, event: object = None) -> None:
        """Choose the truth that came with a sample, and no other's."""
        image, truth = self.image.layer, self.truth.layer
        if truth is not None and not _belongs(truth, image):
            self.truth.choose(None)
        for i in range(self.truth.count()):
            layer = self.truth.itemData(i)
            if layer is not None and "truth_of" in tag_of(layer) and _belongs(layer, image):
                self.truth.choose(layer)


def _belongs(truth: Layer, image: Layer | None) -> bool:
    named = tag_of(truth).get("truth_of")
    return named is None or (image is not None and image.name == named)
