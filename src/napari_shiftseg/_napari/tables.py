"""Read-only tables of a few columns, sorted by a click and copied as text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from qtpy.QtCore import Qt, Signal
from qtpy.QtGui import QGuiApplication, QKeyEvent, QKeySequence, QResizeEvent
from qtpy.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QTableWidget,
    QTableWidgetItem,
    QWidget,
)

_NUMBER = Qt.ItemDataRole.UserRole
"""Role of the number of a row as it was filled in, whatever the order is now."""

_KEY = Qt.ItemDataRole.UserRole + 1
"""Role of what a cell is sorted by."""

_NARROW = (
    "QHeaderView::section { padding: 2px 2px; } QTableWidget::item { padding: 0px; }"
    "QHeaderView::up-arrow, QHeaderView::down-arrow { width: 0px; height: 0px; }"
)


class Table(QTableWidget):
    """A table whose rows can be chosen by mouse and keyboard.

    Rows go by the numbers in which they were filled in, however they are sorted.

    Parameters
    ----------
    columns
        Title and tooltip of each.
    sort_by
        Number of the column to sort by, largest first, until a person clicks another
        header; None keeps the order of the rows.
    shares
        Relative width of each column, for tables that would not fit otherwise. By default
        columns are as wide as their words, and the first takes what is left.
    """

    row_chosen = Signal(int)

    def __init__(
        self,
        columns: Sequence[tuple[str, str]],
        parent: QWidget | None = None,
        *,
        sort_by: int | None = None,
        shares: Sequence[int] | None = None,
    ) -> None:
        super().__init__(0, len(columns), parent)
        for index, (title, tip) in enumerate(columns):
            item = QTableWidgetItem(title)
            item.setToolTip(tip)
            self.setHorizontalHeaderItem(index, item)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setShowGrid(False)
        self.setTabKeyNavigation(False)
        self.setWordWrap(False)
        self._shares = shares
        self._lay_out()
        if sort_by is not None:
            self.setSortingEnabled(True)
            self.sortByColumn(sort_by, Qt.SortOrder.DescendingOrder)
        self.itemSelectionChanged.connect(self._announce)

    @property
    def chosen(self) -> int | None:
        """Number of the chosen row."""
        rows = self.selectionModel().selectedRows()
        return self.item(rows[0].row(), 0).data(_NUMBER) if rows else None

    def fill(
        self, rows: Sequence[Sequence[str]], keys: Sequence[Sequence[Any]] | None = None
    ) -> None:
        """Show these rows; none is chosen.

        Parameters
        ----------
        rows
            The text of each cell.
        keys
            What each cell is sorted by; by default its text.
        """
        sorts = self.isSortingEnabled()
        self.blockSignals(True)
        # Qt would move a row away while its cells are still being set.
        self.setSortingEnabled(False)
        self.clearSelection()
        self.setRowCount(len(rows))
        for r, (row, row_keys) in enumerate(zip(rows, keys or rows, strict=True)):
            for c, (text, key) in enumerate(zip(row, row_keys, strict=True)):
                self.setItem(r, c, _Cell(text, r, key))
        self.setSortingEnabled(sorts)
        self.blockSignals(False)

    def choose(self, number: int) -> None:
        """Select a row and scroll to it, without announcing it."""
        place = next(r for r in range(self.rowCount()) if self._number(r) == number)
        self.blockSignals(True)
        self.selectRow(place)
        self.blockSignals(False)
        self.scrollTo(self.model().index(place, 0))

    def step(self, by: int) -> None:
        """Choose the row that lies so many below the chosen one, around the ends."""
        if not self.rowCount():
            return
        rows = self.selectionModel().selectedRows()
        start = rows[0].row() if rows else (-1 if by > 0 else 0)
        self.selectRow((start + by) % self.rowCount())

    def fit_height(self) -> None:
        """Be as high as the rows need."""
        frame = 2 * self.frameWidth()
        rows = self.verticalHeader().defaultSectionSize() * max(self.rowCount(), 1)
        self.setFixedHeight(self.horizontalHeader().sizeHint().height() + rows + frame)

    def as_text(self) -> str:
        """Return titles and rows as they are shown, with tabs, as spreadsheets take them."""
        columns = range(self.columnCount())
        titles = [self.horizontalHeaderItem(c).text() for c in columns]
        rows = [[self.item(r, c).text() for c in columns] for r in range(self.rowCount())]
        return "\n".join("\t".join(cells) for cells in [titles, *rows])

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Copy the table as text."""
        if event.matches(QKeySequence.StandardKey.Copy):
            QGuiApplication.clipboard().setText(self.as_text())
        else:
            super().keyPressEvent(event)

    def _lay_out(self) -> None:
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(22)
        self.verticalHeader().setMinimumSectionSize(18)
        header = self.horizontalHeader()
        header.setHighlightSections(False)
        if self._shares is None:
            header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
            header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
            header.setMinimumSectionSize(52)
            return
        header.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        header.setMinimumSectionSize(20)
        self.setStyleSheet(_NARROW)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Share the width among the columns."""
        super().resizeEvent(event)
        for column, share in enumerate(self._shares or ()):
            width = self.viewport().width() * share // sum(self._shares or ())
            self.setColumnWidth(column, width)

    def _number(self, row: int) -> int:
        return int(self.item(row, 0).data(_NUMBER))

    def _announce(self) -> None:
        number = self.chosen
        if number is not None:
            self.row_chosen.emit(number)


class _Cell(QTableWidgetItem):
    """A cell that sorts by its key."""

    def __init__(self, text: str, number: int, key: Any) -> None:
        super().__init__(text)
        self.setToolTip(text)
        self.setTextAlignment(Qt.AlignmentFlag.AlignCenter)
        self.setData(_NUMBER, number)
        self.setData(_KEY, key)

    def __lt__(self, other: QTableWidgetItem) -> bool:
        return bool(self.data(_KEY) < other.data(_KEY))
