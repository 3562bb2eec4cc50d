"""Choose the image, and the part of it that is wanted."""

from __future__ import annotations

from napari.layers import Image
from napari.viewer import Viewer
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QFormLayout, QGroupBox, QWidget

from napari_shiftseg._napari.layer_choice import LayerChoice
from napari_shiftseg._napari.sentence import Sentence
from napari_shiftseg._napari.switch import Switch

_REGIONS = (
    ("whole", "Whole image", "Segment everything, every frame included"),
    ("screen", "On screen", "Segment what the canvas shows when the run starts"),
    ("drawn", "Rectangle", "Draw a rectangle and segment what lies in it"),
)


class ImageSection(QGroupBox):
    """Combo of image layers, and a switch for the region.

    Parameters
    ----------
    viewer
        Whose layers.
    """

    image_changed = Signal(object)
    region_changed = Signal(str)

    def __init__(self, viewer: Viewer, parent: QWidget | None = None) -> None:
        super().__init__("Image", parent)
        self.image = LayerChoice(viewer, Image)
        self.image.setToolTip("The image layer to segment")
        self.region = Switch(_REGIONS)
        self.frames = Sentence()
        self.frames.hide()
        form = QFormLayout(self)
        form.addRow("Layer", self.image)
        form.addRow("Region", self.region)
        form.addRow(self.frames)
        self.image.layer_changed.connect(self.image_changed)
        self.region.changed.connect(self.region_changed)

    def say_frames(self, text: str) -> None:
        """Say what becomes of the axes that the network does not see."""
        self.frames.say(text)
        self.frames.setVisible(bool(text))
