"""Tile an image in every way: table, difference maps, certificate."""

from __future__ import annotations

from pathlib import Path

from napari.layers import Image
from napari.viewer import Viewer
from qtpy.QtCore import Signal
from qtpy.QtWidgets import (
    QCheckBox,
    QHBoxLayout,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from napari_shiftseg._napari.audit.intensity_choice import IntensityChoice
from napari_shiftseg._napari.audit.job import Tiled
from napari_shiftseg._napari.audit.words import cause, certified, describe, finding, number
from napari_shiftseg._napari.layer_choice import LayerChoice
from napari_shiftseg._napari.run_bar import RunBar
from napari_shiftseg._napari.save_dialog import JSON, ask_where_to_save
from napari_shiftseg._napari.sentence import Sentence
from napari_shiftseg._napari.tables import Table
from napari_shiftseg.network_audit.causes import TilingError

_NOUGHT = 1e-12
"""What is below is rounding in double precision, and written as 0."""

_COLUMNS = (
    ("Strategy", "How windows are laid; the program that is known for it is said below"),
    ("Tiles", "Number of windows"),
    ("Off", "Windows that start out of phase"),
    ("Total", "Largest difference from one pass, relative to the spread of its channel"),
    ("Phase", "What is left of it when context and statistics are mended"),
    ("Cont.", "Context: what is left when phase and statistics are mended"),
    ("Stat.", "Statistics: what is left when phase and context are mended"),
)


class ImagePage(QWidget):
    """The page.

    Parameters
    ----------
    viewer
        Whose image layers are offered.
    """

    row_requested = Signal(int)
    save_requested = Signal(Path)

    def __init__(self, viewer: Viewer, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._tiled: Tiled | None = None
        self.layers = LayerChoice(viewer, Image)
        self.layers.setToolTip("The image to tile: the frame or volume on screen")
        self.intensity = IntensityChoice()
        self.pattern = QCheckBox("Draw the period")
        self.pattern.setToolTip("The network treats pixels alike that lie alike in these cells")
        self.run = RunBar(
            "Tile it every way", "Compare ways of tiling with one pass over the image"
        )
        self.finding, self.row, self.reason = Sentence(), Sentence(), Sentence()
        self.table = Table(_COLUMNS, shares=(142, 34, 30, 42, 42, 42, 40))
        self.table.setToolTip("Click a row to see where its output differs")
        self.save = QPushButton("Save certificate…")
        self.save.setToolTip("Write audit and comparison as JSON")
        # What is left over, so that the page scrolls only where nothing is.
        self.table.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Ignored)
        self.table.setMinimumHeight(165)
        column = QVBoxLayout(self)
        column.setContentsMargins(6, 6, 6, 6)
        column.setSpacing(5)
        choice = QHBoxLayout()
        choice.addWidget(self.layers, 1)
        choice.addWidget(self.intensity)
        choice.addWidget(self.pattern)
        column.addLayout(choice)
        for part in (self.run, self.finding):
            column.addWidget(part)
        column.addWidget(self.table, 1)
        for part in (self.row, self.reason, self.save):
            column.addWidget(part)
        self.table.row_chosen.connect(self._on_row)
        self.save.clicked.connect(self._ask)
        self.clear()

    def clear(
        self, text: str = "What each way of tiling does to the output is listed here."
    ) -> None:
        """Show that there is nothing yet."""
        self._tiled = None
        self.finding.say(text)
        self.table.fill([])
        self.row.say("")
        self.reason.say("A certificate needs a comparison first.")
        self.save.setEnabled(False)

    def show_tiled(self, tiled: Tiled) -> None:
        """Show a comparison."""
        self._tiled = tiled
        self.finding.say(finding(tiled))
        self.table.fill([_cells(error) for error in tiled.rows])
        self.row.say("Click a row to see where its output differs.")
        self.reason.say(certified(tiled), warning=not tiled.diagnosis.certified)
        self.save.setEnabled(tiled.diagnosis.certified)

    def _on_row(self, row: int) -> None:
        if self._tiled is not None:
            error = self._tiled.rows[row]
            self.row.say(describe(error), warning=cause(error) is not None)
            self.row_requested.emit(row)

    def _ask(self) -> None:
        path = ask_where_to_save(self, "Save certificate", "tiling.json", JSON)
        if path is not None:
            self.save_requested.emit(path)


def _cells(error: TilingError) -> list[str]:
    figures = (error.total, error.phase, error.context, error.statistics)
    shown = (number(figure) if figure > _NOUGHT else "0" for figure in figures)
    return [error.strategy, str(error.windows), str(error.misaligned), *shown]
