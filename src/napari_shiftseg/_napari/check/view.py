"""The form and the list of the widget "Check labels"."""

from __future__ import annotations

from pathlib import Path

from napari.layers import Image, Labels
from napari.viewer import Viewer
from qtpy.QtCore import Signal
from qtpy.QtWidgets import (
    QFormLayout,
    QGroupBox,
    QHBoxLayout,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from napari_shiftseg._napari.check.grid_section import GridSection
from napari_shiftseg._napari.check.job import CutRow, Found
from napari_shiftseg._napari.check.repair_section import RepairSection
from napari_shiftseg._napari.layer_choice import LayerChoice
from napari_shiftseg._napari.run_bar import RunBar
from napari_shiftseg._napari.save_dialog import CSV, JSON, ask_where_to_save
from napari_shiftseg._napari.sentence import Sentence
from napari_shiftseg._napari.switch import Switch
from napari_shiftseg._napari.tables import Table

_COLUMNS = (
    ("Labels", "The two pieces, or the one whose other piece is gone"),
    ("Position", "Where the line cuts, in pixels"),
    ("Length", "Pixels on the line"),
    ("Sure", "Confidence that both pieces are one object"),
    ("Sides", "Whether there is a piece on both sides of the line, or on one alone"),
)
_AXES = (
    ("frame", "2-D images", "The last two axes are an image"),
    ("volume", "3-D volumes", "The last three axes are one volume"),
)
_FRAMES = (
    ("shown", "This frame", "Check the frame that is on screen"),
    ("every", "Every frame", "One grid has cut all frames; each has objects of its own"),
)

_LISTED = "Every pair of pieces that a tile grid parts is listed here."
_NO_LABELS = (
    "Open or choose a labels layer; an image of whole numbers becomes one by a right click on it, "
    "Convert to Labels."
)


class CheckView(QWidget):
    """Choose, check, look, repair.

    Parameters
    ----------
    viewer
        Whose labels layers are offered.
    """

    row_requested = Signal(int)
    list_export_requested = Signal(Path)
    report_export_requested = Signal(Path)

    def __init__(self, viewer: Viewer, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.layers = LayerChoice(viewer, Labels)
        self.layers.setToolTip("Labels of any program; they are never changed")
        self.image = LayerChoice(viewer, Image, "none")
        self.image.setToolTip(
            "What they are labels of, if at hand: pieces that are not equally bright are less sure"
        )
        self.axes, self.frames = Switch(_AXES), Switch(_FRAMES)
        self.grid = GridSection()
        self.run = RunBar("Check", "Look for objects that a tile grid has cut")
        self.run.cancel.setToolTip("End the check; nothing of it is kept")
        self.finding = Sentence()
        self.table = Table(_COLUMNS, shares=(78, 92, 52, 48, 54))
        self.table.setToolTip("Click a row to go there, or an object to find its row")
        self.list, self.report = QPushButton("Export list…"), QPushButton("Export report…")
        self.list.setToolTip("Write this table, with world coordinates, as CSV or JSON")
        self.report.setToolTip("Write grid, cuts and repair as JSON; shiftseg repair can undo it")
        self.repair = RepairSection()
        self._lay_out()
        self.clear()
        self.table.row_chosen.connect(self.row_requested)
        self.list.clicked.connect(self._ask_list)
        self.report.clicked.connect(self._ask_report)

    def clear(self, text: str = "") -> None:
        """Show that there is nothing yet, and why."""
        self.finding.say(text or (_NO_LABELS if self.layers.layer is None else _LISTED))
        self.table.fill([])
        self.repair.proposal.say("")
        self.repair.done.say("")
        self._allow_export(False)

    def show_found(self, found: Found, sentence: str) -> None:
        """Show what was found."""
        self.finding.say(sentence)
        self.table.fill([_cells(row) for row in found.rows], [_keys(row) for row in found.rows])
        self.repair.done.say("")
        self._allow_export(True)

    def outdate(self) -> None:
        """Say that what is listed is of other labels, and do not export it."""
        self.finding.say("The labels were changed since: check again.", warning=True)
        self._allow_export(False)

    def show_axes(self, names: list[str], *, of: int) -> None:
        """Offer the spatial axes of a layer of so many, and what else there is to choose."""
        self.grid.set_axes(names)
        self.axes.setVisible(of > 2)
        self.frames.setVisible(of > len(names))

    def _allow_export(self, allowed: bool) -> None:
        self.list.setEnabled(allowed)
        self.report.setEnabled(allowed)

    def _ask_list(self) -> None:
        path = ask_where_to_save(self, "Export list", "cuts.csv", CSV | JSON)
        if path is not None:
            self.list_export_requested.emit(path)

    def _ask_report(self) -> None:
        path = ask_where_to_save(self, "Export report", "label-check.json", JSON)
        if path is not None:
            self.report_export_requested.emit(path)

    def _lay_out(self) -> None:
        choice = QGroupBox("Layers")
        form = QFormLayout(choice)
        form.setContentsMargins(8, 4, 8, 6)
        form.setSpacing(4)
        form.addRow("Labels", self.layers)
        form.addRow("Image", self.image)
        form.addRow(self.axes)
        form.addRow(self.frames)
        exports = QHBoxLayout()
        exports.addWidget(self.list)
        exports.addWidget(self.report)
        # What is left over, so that the page scrolls only where nothing is.
        self.table.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Ignored)
        self.table.setMinimumHeight(120)
        column = QVBoxLayout(self)
        column.setSpacing(6)
        for part in (choice, self.grid, self.run, self.finding):
            column.addWidget(part)
        column.addWidget(self.table, 1)
        column.addLayout(exports)
        column.addWidget(self.repair)


def _cells(row: CutRow) -> list[str]:
    return [
        " | ".join(map(str, row.labels)),
        ", ".join(f"{v:.0f}" for v in row.position),
        str(row.length),
        "–" if row.confidence is None else f"{row.confidence:.0%}",
        "one" if row.one_sided else "both",
    ]


def _keys(row: CutRow) -> list[float | int]:
    # Qt compares no tuples; a position is sorted by its rows first.
    place = sum(v / 1e6**i for i, v in enumerate(row.position))
    confidence = -1.0 if row.confidence is None else row.confidence
    return [row.labels[0], place, row.length, confidence, int(row.one_sided)]
