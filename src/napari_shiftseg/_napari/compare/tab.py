"""The tab "Compare": two stitchings, how to look at them, and what their seams cut."""

from __future__ import annotations

from napari.viewer import Viewer
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QFormLayout, QGroupBox, QStackedWidget, QVBoxLayout, QWidget

from napari_shiftseg._napari.compare.cuts_page import CutsPage
from napari_shiftseg._napari.compare.pair import NAMES, Pair
from napari_shiftseg._napari.compare.show_section import ShowSection
from napari_shiftseg._napari.compare.stitching_row import StitchingRow
from napari_shiftseg._napari.compare.sweep_plot import SweepPlot
from napari_shiftseg._napari.compare.truth_choice import TruthChoice
from napari_shiftseg._napari.run_bar import RunBar
from napari_shiftseg._napari.switch import Switch
from napari_shiftseg._napari.tables import Table
from napari_shiftseg.embeddings.model import Model
from napari_shiftseg.seams.report import SeamReport, number
from napari_shiftseg.settings import Stitching
from napari_shiftseg.tiles.plan import by

_TOTALS = (
    ("Stitching", "Mode and tile size; click a row to see that result"),
    ("Objects", "Number of objects"),
    ("AP 0.5", "Average precision at IoU 0.5 (needs ground truth)"),
    ("Splits", "Objects in more than one piece (needs ground truth)"),
    ("Merges", "Pieces that hold more than one object (needs ground truth)"),
    ("Seams", "Objects cut by a seam"),
)
_PAGES = (
    ("cuts", "Splits at seams", "Every object that a seam cuts"),
    ("plot", "Tile size plot", "False splits and AP against tile size"),
)


class CompareTab(QWidget):
    """Choose, run, look, list.

    Parameters
    ----------
    viewer
        Whose layers are offered as ground truth.
    """

    side_requested = Signal(int)

    def __init__(self, viewer: Viewer, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.rows = (StitchingRow(NAMES[0], "naive"), StitchingRow(NAMES[1], "corrected"))
        self.truth = TruthChoice(viewer)
        self.run = RunBar("Compare A with B", "Run both on the image of the tab Segment")
        self.totals = Table(_TOTALS, shares=(102, 52, 50, 40, 50, 46))
        self.show_as = ShowSection()
        self.pages = Switch(_PAGES)
        self.cuts = CutsPage()
        self.plot = SweepPlot()
        self.stack = QStackedWidget()
        self._lay_out()
        self.clear()
        self.totals.row_chosen.connect(self.side_requested)
        self.pages.changed.connect(self.show_page)

    @property
    def stitchings(self) -> tuple[Stitching, Stitching]:
        """What A and B are to be."""
        return self.rows[0].stitching, self.rows[1].stitching

    def set_model(self, model: Model | None) -> None:
        """Offer the tile sizes of a model."""
        for row in self.rows:
            row.set_model(model)

    def set_possible(self, possible: bool) -> None:
        """Allow or forbid to start a run."""
        self.run.run.setEnabled(possible)
        self.plot.run.run.setEnabled(possible)

    def clear(self) -> None:
        """Forget the results."""
        self.totals.fill([])
        self.totals.fit_height()
        self.cuts.clear()
        self.show_as.name(("", ""))
        self.show_as.setEnabled(False)

    def show_pair(self, pair: Pair) -> None:
        """Show the totals and splits of two results."""
        reports = [result.report for result in pair.results]
        self.totals.fill([_total(*named) for named in zip(NAMES, reports, strict=True)])
        self.totals.fit_height()
        self.cuts.show_pair(pair)
        self.show_as.name([result.title for result in pair.results])
        self.show_as.setEnabled(True)

    def show_page(self, page: str) -> None:
        """Show the list of splits or the plot."""
        self.pages.choose(page)
        self.stack.setCurrentWidget(self.cuts if page == "cuts" else self.plot)

    def _lay_out(self) -> None:
        choices = QGroupBox("What to compare")
        form = QVBoxLayout(choices)
        form.setContentsMargins(8, 4, 8, 6)
        form.setSpacing(4)
        for row in self.rows:
            form.addWidget(row)
        truth = QFormLayout()
        truth.addRow("Ground truth", self.truth)
        form.addLayout(truth)
        for page in (self.cuts, self.plot):
            self.stack.addWidget(page)
        column = QVBoxLayout(self)
        column.setSpacing(6)
        for part in (choices, self.run, self.totals, self.show_as, self.pages):
            column.addWidget(part)
        column.addWidget(self.stack, 1)


def _total(name: str, report: SeamReport) -> list[str]:
    size = "" if report.mode == "whole" else f" {by(report.tile_size)}"
    return [
        f"{name} {report.mode}{size}",
        str(report.objects),
        number(report.ap50),
        number(report.false_splits),
        number(report.false_merges),
        number(report.seam_splits),
    ]
