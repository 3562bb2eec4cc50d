"""The tab "Segment": its sections, in the order in which a person works."""

from __future__ import annotations

from napari.viewer import Viewer
from qtpy.QtWidgets import QVBoxLayout, QWidget

from napari_shiftseg._napari.segment.cluster_section import ClusterSection
from napari_shiftseg._napari.segment.image_section import ImageSection
from napari_shiftseg._napari.segment.model_section import ModelSection
from napari_shiftseg._napari.segment.result_section import ResultSection
from napari_shiftseg._napari.segment.run_section import RunSection
from napari_shiftseg._napari.segment.stitch_section import StitchSection


class SegmentTab(QWidget):
    """Model, image, stitching, run, clustering, result.

    Parameters
    ----------
    viewer
        Whose layers are offered.
    """

    def __init__(self, viewer: Viewer, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.model = ModelSection()
        self.image = ImageSection(viewer)
        self.stitch = StitchSection()
        self.run = RunSection()
        self.clusters = ClusterSection()
        self.result = ResultSection()
        column = QVBoxLayout(self)
        column.setContentsMargins(6, 2, 6, 2)
        column.setSpacing(2)
        form = (self.model, self.image, self.stitch, self.run, self.clusters, self.result)
        for section in form:
            column.addWidget(section)
            # A screen of 800 pixels shows the whole form.
            section.layout().setSpacing(3)
            section.layout().setContentsMargins(6, 2, 6, 4)
        column.addStretch(1)
