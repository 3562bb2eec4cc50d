"""Which result is shown, as what, and how to take it away."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, cast

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFormLayout,
    QGroupBox,
    QHBoxLayout,
    QPushButton,
    QSizePolicy,
    QWidget,
)

from napari_shiftseg._napari.job import Result
from napari_shiftseg._napari.sentence import Sentence
from napari_shiftseg._napari.switch import Switch
from napari_shiftseg.embeddings.colours import ColourKind
from napari_shiftseg.wording import counted

_VIEWS = (
    ("labels", "Labels", "Show the objects"),
    ("embedding", "Embedding", "Show the network's embedding as colours"),
    ("", "Image", "Show the image alone"),
)
_COLOURS = (
    ("first", "First three dims"),
    ("principal", "Principal axes"),
)

_EDITED = "That was before its labels were corrected."

_OUTDATED = "The image has other pixels now: run again."


class ResultSection(QGroupBox):
    """Choose a result and a view; the coordinator is asked to show what is chosen."""

    result_chosen = Signal(object)
    view_requested = Signal(str)
    colours_requested = Signal(str)
    jumps_toggled = Signal(bool)
    export_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Show", parent)
        self.choice = QComboBox()
        self.choice.setToolTip("The run whose labels are shown and clustered anew")
        self.choice.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.view = Switch(_VIEWS)
        self.colours = QComboBox()
        self.colours.setToolTip("What the colours of the embedding mean; the same in every mode")
        self.colours.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        for value, text in _COLOURS:
            self.colours.addItem(text, value)
        self.jumps = QCheckBox("Jumps")
        self.jumps.setToolTip("Show how far the embedding jumps from pixel to pixel")
        self.export = QPushButton("Export…")
        self.export.setToolTip("Save labels or embedding with scale and provenance")
        self.caption = Sentence()
        self._lay_out()
        self.show_results([], None)
        self.choice.activated.connect(lambda _: self.result_chosen.emit(self.choice.currentData()))
        self.view.changed.connect(self.view_requested)
        self.colours.activated.connect(lambda _: self.colours_requested.emit(self.colour_kind))
        self.jumps.toggled.connect(self.jumps_toggled)
        self.export.clicked.connect(self.export_requested)

    @property
    def colour_kind(self) -> ColourKind:
        """What the colours are to mean."""
        return cast("ColourKind", self.colours.currentData())

    def show_results(
        self,
        results: Sequence[Result],
        current: Result | None,
        *,
        outdated: bool = False,
        edited: bool = False,
    ) -> None:
        """Offer results; the current one is chosen and described, and what became of it since."""
        self.choice.clear()
        for result, name in zip(results, _told_apart(results), strict=True):
            self.choice.addItem(name, result.key)
            self.choice.setItemData(self.choice.count() - 1, name, Qt.ItemDataRole.ToolTipRole)
        keys: list[Any] = [result.key for result in results]
        if current is not None:
            self.choice.setCurrentIndex(keys.index(current.key))
            self.colours.setCurrentIndex(self.colours.findData(current.colouring.kind))
        for control in (self.choice, self.view, self.colours, self.jumps, self.export):
            control.setEnabled(current is not None)
        if current is None:
            self.jumps.setChecked(False)
        said = "Results appear here." if current is None else describe(current)
        since = _OUTDATED if outdated else _EDITED if edited else ""
        self.caption.say(f"{said} {since}".rstrip(), warning=outdated)

    @property
    def says_edited(self) -> bool:
        """Whether it says already that the labels were corrected."""
        return self.caption.text().endswith(_EDITED)

    def show_labels(self) -> None:
        """Say that the labels of a result are seen, and nothing else of it."""
        self.view.blockSignals(True)
        self.view.choose("labels")
        self.view.blockSignals(False)
        self.jumps.blockSignals(True)
        self.jumps.setChecked(False)
        self.jumps.blockSignals(False)

    def _lay_out(self) -> None:
        first, last = QHBoxLayout(), QHBoxLayout()
        first.addWidget(self.choice, 1)
        first.addWidget(self.export)
        last.addWidget(self.colours, 1)
        last.addWidget(self.jumps)
        form = QFormLayout(self)
        form.addRow("Result", first)
        form.addRow("As", self.view)
        form.addRow("Colours", last)
        form.addRow(self.caption)


def _told_apart(results: Sequence[Result]) -> Iterator[str]:
    """Name results: by image and model where there are several, and by their place in it."""
    titles = [result.title_among(results) for result in results]
    alike = Counter((r.subject.image_key, title) for r, title in zip(results, titles, strict=True))
    several = len({image for image, _ in alike}) > 1
    for result, name in zip(results, titles, strict=True):
        subject, title = result.subject, f"{name[:1].upper()}{name[1:]}"
        if subject.region and alike[subject.image_key, name] > 1:
            title += f" at {', '.join(str(part.start) for part in subject.region)}"
        yield f"{subject.image_name}: {title}" if several else title


def describe(result: Result) -> str:
    """Say in a sentence what a result is."""
    count = result.report.objects
    if count == 0:
        return "No objects were found."
    found = counted(count, "object")
    plan = result.segmentation.plan
    harmful = sum(plan.cause(a, s) is not None for a, ss in enumerate(plan.seams) for s in ss)
    if result.report.splits:
        return f"{found}, {result.report.seam_splits} cut at seams (see Compare)."
    if harmful:
        return f"{found}. Which ones do seams cut? See Compare."
    return f"{found}; no seam can have cut any."
