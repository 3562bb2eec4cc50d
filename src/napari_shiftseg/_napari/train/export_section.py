"""From a training to a model file: its name and what its card says."""

from __future__ import annotations

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QFormLayout, QGroupBox, QHBoxLayout, QLineEdit, QPushButton, QWidget

from napari_shiftseg._napari.sentence import Sentence
from napari_shiftseg.training.run import Validated
from napari_shiftseg.wording import counted


class ExportSection(QGroupBox):
    """Fields of the card, and what writes the file and opens it."""

    export_requested = Signal()
    use_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Export", parent)
        self.best = Sentence()
        self.name, self.summary, self.licence = QLineEdit(), QLineEdit(), QLineEdit()
        self.name.setToolTip("What the model is called")
        self.summary.setToolTip("One sentence for the model's card")
        self.licence.setToolTip("SPDX identifier of the weights' licence, as CC-BY-4.0")
        self.summary.setPlaceholderText("what it segments")
        self.licence.setPlaceholderText("as CC-BY-4.0")
        self.export = QPushButton("Export model")
        self.export.setToolTip("Write the model file; the training can go on afterwards")
        self.use = QPushButton("Segment with it")
        self.use.setToolTip("Choose the exported model in the widget Segment")
        self._lay_out()
        self.export.clicked.connect(self.export_requested)
        self.use.clicked.connect(self.use_requested)

    @property
    def description(self) -> dict[str, str]:
        """What the card says."""
        fields = {"name": self.name, "summary": self.summary, "licence": self.licence}
        return {key: line.text().strip() for key, line in fields.items()}

    def allow(self, *, export: bool, use: bool) -> None:
        """Allow what can be done now."""
        self.export.setEnabled(export)
        self.use.setEnabled(use)

    def _lay_out(self) -> None:
        buttons = QHBoxLayout()
        buttons.addWidget(self.export, 1)
        buttons.addWidget(self.use, 1)
        form = QFormLayout(self)
        form.addRow(self.best)
        form.addRow("Name", self.name)
        form.addRow("Summary", self.summary)
        form.addRow("Licence", self.licence)
        form.addRow(buttons)
        self.allow(export=False, use=False)


def best_in_words(best: Validated | None, step: int) -> str:
    """Say whose weights an export writes."""
    if best is None:
        return f"Not validated: the weights after step {step} are exported."
    splits = counted(best.false_splits, "false split")
    return (
        f"Best validation: step {best.step}, AP 0.5 {best.ap:.3f}, {splits} in "
        f"{counted(best.true_objects, 'object')}. Its weights are exported."
    )
