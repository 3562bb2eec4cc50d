"""The dock widget "Segment": its sections, and the one place that touches the viewer."""

from __future__ import annotations

from typing import Any
from weakref import WeakKeyDictionary

import napari.viewer
from napari.layers import Image, Layer
from napari.utils.notifications import show_error, show_info, show_warning
from qtpy.QtCore import QEvent
from qtpy.QtWidgets import QVBoxLayout, QWidget

from napari_shiftseg._napari.camera import camera_of, go_to
from napari_shiftseg._napari.colours import Colouring
from napari_shiftseg._napari.grid import StitchingGrid
from napari_shiftseg._napari.image_section import ImageSection
from napari_shiftseg._napari.job import Job, Outcome
from napari_shiftseg._napari.layers import keep_rings_thin, raise_rings, show_only, show_outcome
from napari_shiftseg._napari.model_section import ModelSection
from napari_shiftseg._napari.palette import warning_text
from napari_shiftseg._napari.placement import Placement, pixels_of
from napari_shiftseg._napari.result_section import ResultSection
from napari_shiftseg._napari.run_section import RunSection
from napari_shiftseg._napari.sentence import warning_style
from napari_shiftseg._napari.stitch_section import StitchSection
from napari_shiftseg._napari.tags import tag_of
from napari_shiftseg._napari.worker import Runner
from napari_shiftseg.embeddings.model import Model
from napari_shiftseg.errors import ShiftSegError
from napari_shiftseg.seams.splits import SeamSplit
from napari_shiftseg.settings import StitchMode


class SegmentWidget(QWidget):
    """Model, image, stitching, run, result: the order in which a person works.

    Parameters
    ----------
    viewer
        The viewer that the widget is docked in.
    """

    # napari passes the viewer to a parameter whose annotation reads exactly like this.
    def __init__(self, viewer: napari.viewer.Viewer, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self._colourings: WeakKeyDictionary[Layer, dict[str, Colouring]] = WeakKeyDictionary()
        self._shown: Outcome | None = None
        self.model = ModelSection()
        self.image = ImageSection(viewer)
        self.stitch = StitchSection()
        self.run = RunSection()
        self.result = ResultSection()
        self.grid = StitchingGrid(viewer, self)
        self.runner = Runner(self)
        self._lay_out()
        self._connect()
        self._on_theme()
        self.model.load_first()
        self._on_image(self.image.image.layer)

    def changeEvent(self, event: QEvent) -> None:
        """End the run and take the grid away when napari closes the dock."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.ParentChange and self.parent() is None:
            self.runner.cancel()
            self.grid.hide()

    def _lay_out(self) -> None:
        column = QVBoxLayout(self)
        for section in (self.model, self.image, self.stitch, self.run):
            column.addWidget(section)
        column.addWidget(self.result, 1)
        self.setMinimumWidth(340)

    def _connect(self) -> None:
        self.model.model_changed.connect(self._on_model)
        self.model.warned.connect(show_warning)
        self.model.failed.connect(show_error)
        self.image.image_changed.connect(self._on_image)
        self.stitch.changed.connect(self._resolve)
        self.stitch.grid_toggled.connect(self._resolve)
        self.grid.removed_by_user.connect(lambda: self.stitch.grid.setChecked(False))
        self.run.run_requested.connect(lambda: self._start((self.stitch.mode,)))
        self.run.compare_requested.connect(lambda: self._start(("naive", "corrected")))
        self.run.cancel_requested.connect(self.runner.cancel)
        self.runner.progressed.connect(self.run.show_progress)
        self.runner.running_changed.connect(self.run.set_running)
        self.runner.failed.connect(show_error)
        self.runner.succeeded.connect(self._on_success)
        self.result.view_requested.connect(self._on_view)
        self.result.split_requested.connect(self._on_split)
        self._viewer.layers.events.removed.connect(self._on_removed)
        camera_of(self._viewer).events.zoom.connect(self._on_zoom)
        self._viewer.events.theme.connect(self._on_theme)

    def _on_theme(self) -> None:
        self.setStyleSheet(warning_style(warning_text(self._viewer.theme)))

    def _on_zoom(self) -> None:
        keep_rings_thin(self._viewer)

    def _on_model(self, model: Model | None) -> None:
        self.stitch.set_model(model)
        self._resolve()

    def _on_image(self, image: Image | None) -> None:
        if image is not None and "suits" in tag_of(image):
            self.model.choose(tag_of(image)["suits"])
        self._resolve()

    def _resolve(self) -> None:
        """Plan what would run now; say it and draw it."""
        try:
            placement = self._placement()
            plan = None if placement is None else self.stitch.plan(placement.size)
        except ShiftSegError as error:
            self._show_nothing(str(error), warning=True)
            return
        if placement is None or plan is None:
            self._show_nothing("Open an image to see how it will be tiled.")
            return
        self.run.set_possible(True)
        harmful = any(plan.cause(a, s) for a, ss in enumerate(plan.seams) for s in ss)
        self.stitch.sentence.say(plan.sentence(), warning=harmful)
        if self.stitch.grid.isChecked():
            self.grid.show(plan, placement)
        else:
            self.grid.hide()

    def _show_nothing(self, why: str, *, warning: bool = False) -> None:
        self.grid.hide()
        self.stitch.sentence.say(why, warning=warning)
        # A wrong image may be tried: the error then explains itself as a notification.
        self.run.set_possible(warning)

    def _placement(self) -> Placement | None:
        model, image = self.model.model, self.image.image.layer
        if model is None or image is None:
            return None
        return Placement.of(image, model.description.architecture)

    def _start(self, modes: tuple[StitchMode, ...]) -> None:
        try:
            job = self._job(modes)
        except ShiftSegError as error:
            show_error(str(error))
            return
        if job is not None:
            self.runner.start(job)

    def _job(self, modes: tuple[StitchMode, ...]) -> Job | None:
        """Take a snapshot of the form."""
        placement, model, image = self._placement(), self.model.model, self.image.image.layer
        if placement is None or model is None or image is None:
            return None
        truth = self.image.truth.layer
        return Job(
            image=pixels_of(image),
            image_key=str(image.unique_id),
            image_name=image.name,
            placement=placement,
            model=model,
            modes=modes,
            tile=self.stitch.tile_for(modes[0]),
            truth=None if truth is None else pixels_of(truth),
            colouring=self._colourings.get(image, {}).get(model.sha256),
        )

    def _on_success(self, outcome: Outcome) -> None:
        if self._shown is not None and self._shown.job.subject != outcome.job.subject:
            self.result.clear()
        self._shown = outcome
        self._remember_colours(outcome)
        show_outcome(self._viewer, outcome)
        self.grid.raise_to_top()
        raise_rings(self._viewer)
        self.result.add({mode: result.report for mode, result in outcome.results.items()})
        if not any(result.report.objects for result in outcome.results.values()):
            show_info("No objects were found.")

    def _remember_colours(self, outcome: Outcome) -> None:
        for layer in self._viewer.layers:
            if str(layer.unique_id) == outcome.job.image_key:
                known = self._colourings.setdefault(layer, {})
                known[outcome.job.model.sha256] = outcome.colouring

    def _on_view(self, mode: StitchMode, kind: str) -> None:
        if self._shown is not None:
            show_only(self._viewer, self._shown.job.image_key, mode, kind or None)

    def _on_split(self, split: SeamSplit) -> None:
        if self._shown is not None:
            go_to(self._viewer, self._shown.job.placement, split.position)

    def _on_removed(self, event: Any) -> None:
        job = self.runner.job
        if job is not None and str(event.value.unique_id) == job.image_key:
            self.runner.cancel()
            show_info(f"The run was cancelled: its image, {job.image_name}, was removed.")
