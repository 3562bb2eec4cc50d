"""Looks at what a training finds so far: in the training's own thread, or after it."""

from __future__ import annotations

from typing import Any

from napari.layers import Layer
from napari.utils.notifications import show_error, show_info
from napari.viewer import Viewer
from qtpy.QtCore import QObject

from napari_shiftseg._napari.tags import tag_of
from napari_shiftseg._napari.train.draft import without_weights
from napari_shiftseg._napari.train.job import Preview, preview
from napari_shiftseg._napari.train.preview_layer import KIND, show_preview
from napari_shiftseg._napari.train.preview_section import PreviewSection
from napari_shiftseg._napari.train.subject import PreviewSubject, subject_in_view
from napari_shiftseg._napari.train.training_runner import TrainingRunner
from napari_shiftseg._napari.turns import Steps, Turns
from napari_shiftseg._napari.worker import Runner
from napari_shiftseg.errors import ShiftSegError
from napari_shiftseg.training.run import TrainingRun
from napari_shiftseg.wording import counted


class Previews(QObject):
    """Asks for previews and shows them.

    Parameters
    ----------
    viewer
        What is on screen, and where the layer is.
    section
        The form.
    training
        Runs the training.
    """

    def __init__(
        self,
        viewer: Viewer,
        section: PreviewSection,
        training: TrainingRunner,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._viewer, self._section, self._training = viewer, section, training
        self._run: TrainingRun | None = None
        self._turns = Turns(self)
        self.after = Runner(self, quiet=True)
        self.after.succeeded.connect(self.show)
        self.after.failed.connect(show_error)
        section.preview_requested.connect(self.ask)

    def set_run(self, run: TrainingRun | None) -> None:
        """Take another training."""
        self.after.cancel()
        self._run = run
        self.allow(run is not None)

    def allow(self, possible: bool) -> None:
        """Allow or forbid to ask."""
        self._section.now.setEnabled(possible)

    def ask(self) -> None:
        """Ask for a preview of what is on screen."""
        if self._run is None:
            return
        try:
            subject = subject_in_view(self._viewer, without_weights(self._run.recipe))
        except ShiftSegError as error:
            # Said once, and not again after each validation.
            self._section.each.setChecked(False)
            show_error(str(error))
            return
        if self._training.running:
            self._section.say("The preview comes after this step.")
            self._training.requests.preview(subject)
        else:
            self._start(self._run, subject)

    def on_validation(self) -> None:
        """Ask for a preview if that is wanted after each validation."""
        if self._section.each.isChecked():
            self.ask()

    def on_end(self) -> None:
        """Make the preview that the training did not come to any more."""
        subject = self._training.requests.take()
        if subject is not None and self._run is not None:
            self._start(self._run, subject)

    def show(self, done: Any) -> None:
        """Show a preview."""
        if isinstance(done, Preview):
            self._turns.do(self._show(done))

    def _show(self, done: Preview) -> Steps:
        yield from show_preview(self._viewer, done)
        count = counted(done.objects, "object")
        self._section.say(f"{count} on {done.subject.image_name} after step {done.step}.")

    def on_removed(self, layer: Layer) -> None:
        """Make no more previews by itself once a person has thrown them away."""
        theirs = tag_of(layer).get("kind") == KIND and not self._turns.at_work
        if not theirs or not self._section.each.isChecked():
            return
        self._section.each.setChecked(False)
        show_info("Training preview was removed; no more are made until you ask for one.")

    def close(self) -> None:
        """End what runs."""
        self.after.cancel()
        self._turns.stop()

    def _start(self, run: TrainingRun, subject: PreviewSubject) -> None:
        self._section.say("Segmenting what is on screen")
        self.after.start(preview(run, subject), "training preview")
