"""Run the audited network over an image; say what its channels are, and cluster them."""

from __future__ import annotations

from napari.layers import Image
from napari.viewer import Viewer
from qtpy.QtWidgets import (
    QCheckBox,
    QFormLayout,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from napari_shiftseg._napari.audit.intensity_choice import IntensityChoice
from napari_shiftseg._napari.audit.output.job import Channels
from napari_shiftseg._napari.layer_choice import LayerChoice
from napari_shiftseg._napari.run_bar import RunBar
from napari_shiftseg._napari.segment.cluster_section import ClusterSection
from napari_shiftseg._napari.sentence import Sentence

FIRST = "What the network puts out is shown as an image, a channel at a time."


class OutputPage(QWidget):
    """The page.

    Parameters
    ----------
    viewer
        Whose image layers are offered.
    """

    def __init__(self, viewer: Viewer, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.layers = LayerChoice(viewer, Image)
        self.layers.setToolTip("The image to predict: the frame or volume on screen")
        self.intensity = IntensityChoice()
        self.freeze = QCheckBox("Freeze statistics")
        self.freeze.setToolTip(
            "Take the statistics of normalisations from the middle of the image, so that tiles "
            "leave no seams; one pass over the image would give another output"
        )
        self.run = RunBar("Predict", "Run the network over the image, from tiles without seams")
        self.said = Sentence()
        self.embedding, self.foreground = QLineEdit(), QLineEdit()
        self.embedding.setPlaceholderText("0-3")
        self.embedding.setToolTip("Channels, from 0, that are alike within an object")
        self.foreground.setPlaceholderText("the largest cluster is none")
        self.foreground.setToolTip("Channel that tells whether a pixel belongs to an object")
        self.logits = QCheckBox("logits")
        self.logits.setToolTip("The foreground channel holds logits, not probabilities")
        self.clusters = ClusterSection()
        self.cluster = QPushButton("Cluster")
        self.cluster.setToolTip("Make labels of the channels that you named")
        self._lay_out()

    @property
    def channels(self) -> Channels:
        """What the form says; raises ShiftSegError for what names no channels."""
        return Channels.read(
            self.embedding.text(), self.foreground.text(), logits=self.logits.isChecked()
        )

    def _lay_out(self) -> None:
        choice = QHBoxLayout()
        choice.addWidget(self.layers, 1)
        choice.addWidget(self.intensity)
        choice.addWidget(self.freeze)
        inside = QHBoxLayout()
        inside.addWidget(self.foreground, 1)
        inside.addWidget(self.logits)
        form = QFormLayout()
        form.addRow("Embedding channels", self.embedding)
        form.addRow("Foreground channel", inside)
        column = QVBoxLayout(self)
        column.setContentsMargins(6, 6, 6, 6)
        column.setSpacing(5)
        column.addLayout(choice)
        column.addWidget(self.run)
        column.addWidget(self.said)
        column.addLayout(form)
        column.addWidget(self.clusters)
        column.addWidget(self.cluster)
        column.addStretch(1)
