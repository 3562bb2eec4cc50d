"""What runs found: one row per stitch mode, and the objects that its seams cut."""

from __future__ import annotations

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QGroupBox, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from napari_shiftseg._napari.sentence import Sentence
from napari_shiftseg._napari.switch import Switch
from napari_shiftseg._napari.tables import Table
from napari_shiftseg.seams.report import SeamReport, number
from napari_shiftseg.seams.splits import SeamSplit
from napari_shiftseg.settings import StitchMode

_SUMMARY = (
    ("Stitching", "Click a row to see that result"),
    ("Objects", "Number of objects"),
    ("AP 0.5", "Average precision at IoU 0.5 (needs ground truth)"),
    ("Splits", "Objects in more than one piece (needs ground truth)"),
    ("By seams", "Objects cut by a seam"),
)
_SPLITS = (
    ("Object", "Number of the object in the ground truth, or in the corrected labels"),
    ("Position", "Where the seam cuts it, in pixels"),
    ("Contact", "Pixels along the seam where the pieces touch"),
    ("Jump", "Step of the embedding across the seam"),
    ("Cause", "Why: broken phase of the period, missing context, or unknown"),
)
_VIEWS = (
    ("labels", "Labels", "Show the objects"),
    ("embedding", "Embedding", "Show the network's embedding as colours"),
    ("", "Image", "Show the image alone"),
)


class ResultSection(QGroupBox):
    """Tables of results; the coordinator is asked to show what is clicked."""

    view_requested = Signal(str, str)
    split_requested = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Result", parent)
        self._reports: dict[StitchMode, SeamReport] = {}
        self.summary = Table(_SUMMARY)
        self.splits = Table(_SPLITS)
        self.caption = Sentence()
        self.view = Switch(_VIEWS)
        self._lay_out()
        self.clear()
        self.summary.row_chosen.connect(self._on_mode)
        self.splits.row_chosen.connect(self._on_split)
        self.view.changed.connect(self._request_view)

    @property
    def mode(self) -> StitchMode | None:
        """The stitch mode whose row is chosen."""
        rows = self.summary.selectionModel().selectedRows()
        return list(self._reports)[rows[0].row()] if rows else None

    def clear(self) -> None:
        """Forget all results."""
        self._reports = {}
        self.summary.fill([])
        self.summary.fit_height()
        self.splits.fill([])
        self.splits.hide()
        self.view.setEnabled(False)
        self.caption.say("Results appear here, with every object that a seam cuts.")

    def add(self, reports: dict[StitchMode, SeamReport]) -> None:
        """Add results, or replace those of the same mode, and choose the first."""
        self._reports |= reports
        self.summary.fill([_summary_row(report) for report in self._reports.values()])
        self.summary.fit_height()
        self.view.setEnabled(True)
        self.summary.selectRow(list(self._reports).index(next(iter(reports))))

    def _on_mode(self, row: int) -> None:
        report = list(self._reports.values())[row]
        self.splits.fill([_split_row(split) for split in report.splits])
        self.splits.setVisible(bool(report.splits))
        self.caption.say(_caption(report, list(self._reports.values())))
        self._request_view()

    def _on_split(self, row: int) -> None:
        mode = self.mode
        if mode is not None:
            self.split_requested.emit(self._reports[mode].splits[row])

    def _request_view(self) -> None:
        if self.mode is not None:
            self.view_requested.emit(self.mode, self.view.value)

    def _lay_out(self) -> None:
        row = QHBoxLayout()
        row.addWidget(QLabel("Show"))
        row.addWidget(self.view, 1)
        column = QVBoxLayout(self)
        column.addWidget(self.summary)
        column.addLayout(row)
        column.addWidget(self.caption)
        column.addWidget(self.splits, 1)
        column.addStretch(0)


def _summary_row(report: SeamReport) -> list[str]:
    return [
        report.mode.capitalize(),
        str(report.objects),
        number(report.ap50),
        number(report.false_splits),
        str(report.seam_splits),
    ]


def _split_row(split: SeamSplit) -> list[str]:
    place = ", ".join(f"{v:.0f}" for v in split.position)
    jump = number(split.jump)
    return [str(split.object_id), place, f"{split.length} px", jump, split.cause]


def _caption(report: SeamReport, others: list[SeamReport]) -> str:
    if report.objects == 0:
        return "No objects were found."
    mode = report.mode.capitalize()
    if report.splits:
        noun = "object" if report.seam_splits == 1 else "objects"
        return f"{mode}: {report.seam_splits} {noun} cut at seams. Click one to go there:"
    if report.ap50 is None and len(others) == 1:
        return (
            "To tell which objects seams cut, compare naive with corrected, "
            "or choose a ground truth."
        )
    return f"{mode}: no object is cut at a seam."
