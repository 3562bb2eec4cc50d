"""The form and the pages of the widget "Audit model"."""

from __future__ import annotations

from napari.viewer import Viewer
from qtpy.QtWidgets import QTabWidget, QVBoxLayout, QWidget

from napari_shiftseg._napari.audit.facts_page import FactsPage
from napari_shiftseg._napari.audit.image_page import ImagePage
from napari_shiftseg._napari.audit.job import Audited
from napari_shiftseg._napari.audit.network_section import NetworkSection
from napari_shiftseg._napari.audit.output.page import OutputPage
from napari_shiftseg._napari.audit.plots import AuditPlots
from napari_shiftseg._napari.audit.words import headline
from napari_shiftseg._napari.run_bar import RunBar
from napari_shiftseg._napari.sentence import Sentence

_PAGE = 480
"""Height in pixels that holds each of the pages."""


class AuditView(QWidget):
    """Choose, audit, read; look at plots; tile an image.

    Parameters
    ----------
    viewer
        Whose image layers are offered.
    """

    def __init__(self, viewer: Viewer, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.network = NetworkSection()
        self.run = RunBar(
            "Audit", "Measure the network: seconds for an image's, more for a volume's"
        )
        self.verdict = Sentence()
        self.facts = FactsPage()
        self.plots = AuditPlots()
        self.image = ImagePage(viewer)
        self.output = OutputPage(viewer)
        self.pages = QTabWidget()
        # Qt would reckon with the height of sentences in a much narrower dock.
        self.pages.setMinimumHeight(_PAGE)
        self.pages.addTab(self.facts, "Findings")
        self.pages.addTab(self.plots, "Plots")
        self.pages.addTab(self.image, "On an image")
        self.pages.addTab(self.output, "Output")
        page = QVBoxLayout(self)
        page.setSpacing(6)
        for part in (self.network, self.run, self.verdict):
            page.addWidget(part)
        page.addWidget(self.pages, 1)
        self.clear()

    def clear(self) -> None:
        """Show that there is nothing yet."""
        self.verdict.say("Can a network be tiled without seams, and how? Choose one and audit it.")
        self.facts.clear()
        self.plots.clear()
        self.image.clear()

    def show_audited(self, audited: Audited) -> None:
        """Show an audit."""
        text, is_warning = headline(audited.audit)
        self.verdict.say(text, warning=is_warning, rich=True)
        self.facts.show_audited(audited)
        self.plots.show_audited(audited)
        if audited.audit.tileable:
            self.image.clear()
        else:
            self.image.clear(
                "No tiling of this network equals one pass: there is nothing to compare."
            )
