"""The dock widget: its tabs, and what they share."""

from __future__ import annotations

from functools import partial

import napari.viewer
from napari.layers import Layer
from qtpy.QtWidgets import QTabWidget, QWidget

from napari_shiftseg._napari.actions import Command
from napari_shiftseg._napari.commands import check_active_layer
from napari_shiftseg._napari.compare.control import CompareControl
from napari_shiftseg._napari.compare.tab import CompareTab
from napari_shiftseg._napari.correct.control import CorrectControl
from napari_shiftseg._napari.correct.correctable import Correctable
from napari_shiftseg._napari.correct.tab import CorrectTab
from napari_shiftseg._napari.dock import Dock, scrolling
from napari_shiftseg._napari.layers import remove_passing
from napari_shiftseg._napari.results import Results
from napari_shiftseg._napari.segment.control import SegmentControl
from napari_shiftseg._napari.segment.model_section import ModelSection
from napari_shiftseg._napari.segment.result_control import ResultControl
from napari_shiftseg._napari.segment.tab import SegmentTab
from napari_shiftseg._napari.turns import Steps, Turns
from napari_shiftseg._napari.worker import Runner


class SegmentWidget(Dock):
    """Segment, compare, correct: the order in which a person works.

    Parameters
    ----------
    viewer
        The viewer that the widget is docked in.
    """

    # napari passes the viewer to a parameter whose annotation reads exactly like this.
    def __init__(self, viewer: napari.viewer.Viewer, parent: QWidget | None = None) -> None:
        super().__init__(viewer, parent)
        self.turns = Turns(self)
        self.results = Results(viewer, self.turns, self)
        self.segment, self.runner = SegmentTab(viewer), Runner(self)
        self.control = SegmentControl(
            viewer, self.segment, self.runner, self.results, self.turns, self
        )
        self.result_control = ResultControl(self.segment, self.results, self.control, self)
        self.compare = CompareTab(viewer)
        self.compare_control = CompareControl(
            viewer,
            self.compare,
            self.control.subject,
            self.control.lacking,
            Runner(self),
            self.results,
            self.turns,
            self,
        )
        self.correct = CorrectTab(viewer)
        self.correct_control = CorrectControl(viewer, self.correct, self._correctable)
        self._connect()
        self.begin(self._tabs(), self._close, self._commands())

    def start(self) -> Steps:
        """Load the first model, and look at the image and the results that are there."""
        yield from self.control.begin()
        self.results.take_up()
        self.control.files.take_up()

    @property
    def model(self) -> ModelSection:
        """The section that chooses the model."""
        return self.segment.model

    def _tabs(self) -> QTabWidget:
        self.tabs = QTabWidget()
        for tab, title in (
            (self.segment, "Segment"),
            (self.compare, "Compare"),
            (self.correct, "Correct"),
        ):
            self.tabs.addTab(scrolling(tab), title)
        self.tabs.currentChanged.connect(self._on_tab)
        return self.tabs

    def _on_tab(self, number: int) -> None:
        """Show what the tab that is turned to speaks of."""
        page = self.tabs.tabText(number)
        if page == "Segment":
            self.control.resolve()
        elif page == "Compare":
            self.compare_control.take_up()

    def _connect(self) -> None:
        self.segment.model.model_changed.connect(self.compare.set_model)
        self.results.changed.connect(self._on_results)
        self.segment.image.image_changed.connect(self.compare.truth.set_image)
        self.compare.truth.set_image(self.segment.image.image.layer)
        self.compare_control.side_shown.connect(self.control.draw_grid_of)
        self.correct_control.counted.connect(self.results.circle)

    def _commands(self) -> list[Command]:
        compare, check = self.compare_control, partial(check_active_layer, self._viewer)
        return [
            Command("run", "Run", self.control.run, "Control-Shift-R"),
            Command("preview", "Preview the screen", self.control.preview, "Control-Shift-V"),
            Command("blink", "Blink between A and B", compare.blink, "Control-Shift-B"),
            Command("next", "Next split", compare.next_split, "Control-Shift-Right"),
            Command("previous", "Previous split", compare.previous_split, "Control-Shift-Left"),
            Command("check", "Check for seam splits", check, on_labels=True),
        ]

    def _correctable(self, layer: Layer) -> Correctable | None:
        result = self.results.of_layer(layer)
        if result is None:
            return None
        made = result.segmentation
        return Correctable(
            made.prediction.embedding,
            made.prediction.foreground,
            made.clustering,
            result.report,
            made.plan.geometry.ndim,
        )

    def _on_results(self) -> None:
        """Offer the current result for correction, unless something is being corrected."""
        current, corrected = self.results.current, self.correct.layers.layer
        layer = None if current is None else self.results.labels_of(current)
        if layer is not None and (self.correct.tool == "off" or not _is_seen(corrected)):
            self.correct.layers.choose(layer)
            self.correct_control.take_up()
        self.correct_control.refresh()

    def _close(self) -> None:
        self.control.close()
        self.compare_control.close()
        self.correct_control.stop()
        self.turns.stop()
        remove_passing(self._viewer)


def _is_seen(layer: Layer | None) -> bool:
    return layer is not None and bool(layer.visible)
