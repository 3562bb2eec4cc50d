"""Every object that a seam cut, as a table; and the way out to a file."""

from __future__ import annotations

from pathlib import Path

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from napari_shiftseg._napari.compare.pair import NAMES, Cut, Pair
from napari_shiftseg._napari.save_dialog import CSV, ask_where_to_save
from napari_shiftseg._napari.sentence import Sentence
from napari_shiftseg._napari.tables import Table
from napari_shiftseg.wording import counted

_COLUMNS = (
    ("Object", "Result, and number of the object in the ground truth or in the corrected labels"),
    ("Position", "Where the seam cuts it, in pixels"),
    ("Length", "Pixels along the seam where the pieces touch"),
    ("Jump", "Step of the embedding across the seam"),
    ("Severity", "Length times jump"),
    ("Cause", "Why: broken phase of the period, missing context, or unknown"),
)


class CutsPage(QWidget):
    """The table; who owns it is asked to go where it is clicked."""

    cut_requested = Signal(int)
    splits_export_requested = Signal(Path)
    totals_export_requested = Signal(Path)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.caption = Sentence()
        self.table = Table(_COLUMNS, sort_by=4, shares=(50, 76, 46, 42, 56, 54))
        self.table.setToolTip("Click a row to go there, or an object to find its row")
        self.splits = QPushButton("Export splits…")
        self.splits.setToolTip("Write this table, with world coordinates and pieces, as CSV")
        self.totals = QPushButton("Export totals…")
        self.totals.setToolTip("Write objects, AP, splits, merges and jumps of A and B as CSV")
        self._lay_out()
        self.clear()
        self.table.row_chosen.connect(self.cut_requested)
        self.splits.clicked.connect(lambda: self._ask("splits", self.splits_export_requested))
        self.totals.clicked.connect(lambda: self._ask("totals", self.totals_export_requested))

    def clear(self) -> None:
        """Show that there is nothing yet."""
        self.table.fill([])
        self._allow_export(False)
        self.caption.say("Every object that a seam cuts will be listed here.")

    def show_pair(self, pair: Pair) -> None:
        """List what the seams of two results cut."""
        self.table.fill([_row(cut) for cut in pair.cuts], [_keys(cut) for cut in pair.cuts])
        self._allow_export(True)
        counts = [result.report.seam_splits for result in pair.results]
        first, second = counts
        if first is None or second is None:
            self.caption.say(
                "What seams cut is told against a ground truth, or a corrected or whole result: "
                "choose one of these."
            )
            return
        if not pair.cuts:
            self.caption.say("No object is cut at a seam, neither in A nor in B.")
            return
        self.caption.say(f"Seams cut {counted(first, 'object')} in A, {second} in B.")

    def say_gone(self, image: str) -> None:
        """Say that the image of what is listed was removed."""
        self.caption.say(f"{self.caption.text()} Their image, {image}, was removed.")

    def _allow_export(self, allowed: bool) -> None:
        self.splits.setEnabled(allowed)
        self.totals.setEnabled(allowed)

    def _ask(self, name: str, request: Signal) -> None:
        path = ask_where_to_save(self, f"Export {name}", f"{name}.csv", CSV)
        if path is not None:
            request.emit(path)

    def _lay_out(self) -> None:
        buttons = QHBoxLayout()
        buttons.addWidget(self.splits)
        buttons.addWidget(self.totals)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(self.caption)
        column.addWidget(self.table, 1)
        column.addLayout(buttons)


def _row(cut: Cut) -> list[str]:
    split = cut.split
    return [
        f"{NAMES[cut.side]} {split.object_id}",
        ", ".join(f"{v:.0f}" for v in split.position),
        str(split.length),
        "–" if split.jump != split.jump else f"{split.jump:.2f}",
        f"{split.severity:.1f}",
        split.cause,
    ]


def _keys(cut: Cut) -> list[float | int | str]:
    split = cut.split
    # Qt compares no tuples; a position is sorted by its rows first.
    place = sum(v / 1e6**i for i, v in enumerate(split.position))
    jump = 0.0 if split.jump != split.jump else split.jump
    object_id = cut.side * 2**40 + split.object_id
    return [object_id, place, split.length, jump, split.severity, split.cause]
