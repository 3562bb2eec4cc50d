"""What the widget "Train" does: the one place where its form meets the viewer."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from napari.utils.notifications import show_error, show_info
from napari.viewer import Viewer
from qtpy.QtCore import QObject, QTimer

from napari_shiftseg._napari.alive import while_alive
from napari_shiftseg._napari.ask import may_forget, may_replace
from napari_shiftseg._napari.train.checkpoint import checkpoint_of, steps_done
from napari_shiftseg._napari.train.course import Course
from napari_shiftseg._napari.train.export_section import best_in_words
from napari_shiftseg._napari.train.job import Ended, Exported, Order, Started, Steps, export
from napari_shiftseg._napari.train.model_name import remember
from napari_shiftseg._napari.train.offer import offer, use
from napari_shiftseg._napari.train.plan import Plan
from napari_shiftseg._napari.train.previews import Previews
from napari_shiftseg._napari.train.set_up_control import SetUpControl
from napari_shiftseg._napari.train.training_runner import TrainingRunner
from napari_shiftseg._napari.train.view import COURSE, TrainView
from napari_shiftseg._napari.worker import Runner
from napari_shiftseg.errors import ShiftSegError
from napari_shiftseg.training.checkpoint import refuse_other_settings
from napari_shiftseg.training.run import TrainingRun, Validated


class TrainControl(QObject):
    """Coordinates form, training and viewer.

    Parameters
    ----------
    viewer
        The viewer.
    view
        The form.
    """

    def __init__(self, viewer: Viewer, view: TrainView, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._viewer, self._view = viewer, view
        self.plan = Plan(view)
        self.set_up = SetUpControl(view, self.plan, self)
        self.runner = TrainingRunner(self)
        self.writing = Runner(self, quiet=True)
        self.previews = Previews(viewer, view.preview, self.runner, self)
        self._order: Order | None = None
        self._run: TrainingRun | None = None
        self._output, self._exported = Path(), Path("/")
        self.course, self._course_of = Course(), Path()
        self._removed: list[str] = []
        # One sentence for all layers, and none where the viewer is closed with them.
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.timeout.connect(self._say_removed)
        self.set_up.output_said.connect(self._on_output)
        self._connect()
        self._allow()

    def train(self) -> None:
        """Start, or resume what is kept beside the model file."""
        if self.runner.running:
            show_info("A training is running; stop it before you start another one.")
            return
        try:
            order, title = self.plan.order()
            refuse_other_settings(asdict(order.recipe), order.checkpoint)
            self._begin(order, title)
        except ShiftSegError as error:
            show_error(str(error))

    def train_afresh(self) -> None:
        """Forget what is kept beside the model file, if the person agrees, and start."""
        try:
            order, title = self.plan.order()
        except ShiftSegError as error:
            show_error(str(error))
            return
        step = steps_done(order.checkpoint)
        if step is not None and not may_forget(self._view, order.checkpoint, step):
            return
        try:
            order.checkpoint.unlink(missing_ok=True)
        except OSError as error:
            show_error(f"{order.checkpoint} cannot be removed: {error.strerror or error}")
            return
        self._begin(order, title)

    def stop(self) -> None:
        """Stop after the step, or the validation's image, that is being done."""
        if self.runner.running:
            self.runner.requests.stop()
            self._view.run.show_stopping()

    def close(self) -> None:
        """End what runs; the training saves its state."""
        if self.runner.running and self._order is not None:
            show_info(f"The training was stopped; it can be resumed from {self._order.checkpoint}.")
        self.runner.cancel()
        self.writing.cancel()
        self.previews.close()

    def _connect(self) -> None:
        view, runner = self._view, self.runner
        view.run.run_requested.connect(self.train)
        view.run.afresh_requested.connect(self.train_afresh)
        view.run.cancel_requested.connect(self.stop)
        view.export.export_requested.connect(self._export)
        view.export.use_requested.connect(lambda: use(self._viewer, self._exported))
        runner.progressed.connect(view.run.show_progress)
        runner.produced.connect(self._on_event)
        runner.running_changed.connect(self._on_running)
        runner.succeeded.connect(self._on_end)
        runner.failed.connect(self._on_failure)
        self.writing.succeeded.connect(self._on_exported)
        self.writing.failed.connect(show_error)
        while_alive(self, self._viewer.layers.events.removed, self._on_removed)

    def _begin(self, order: Order, title: str) -> None:
        self._order, self._output = order, self.plan.output()
        self._view.export.name.setText(self._output.stem)
        self._run = None
        if self._exported != self._output or steps_done(order.checkpoint) is None:
            self._exported = Path("/")  # the file is another training's
        self.previews.set_run(None)
        remember(self._output)
        if self._output != self._course_of or steps_done(order.checkpoint) is None:
            self._forget_course()
        self._view.run.sentence.say("")
        self.runner.train(order, f"training on {title}")
        self._view.tabs.setCurrentIndex(COURSE)

    def _on_event(self, event: Any) -> None:
        if isinstance(event, Steps):
            self.course.add(event.done)
            self._view.plot.refresh()
        elif isinstance(event, Started):
            self._on_started(event)
        elif isinstance(event, Validated):
            self.course.validations.append(event)
            self._view.plot.refresh()
            self._say_best(event.step)
            self.previews.on_validation()
        else:
            self.previews.show(event)

    def _on_started(self, event: Started) -> None:
        self._run = event.run
        self.course = event.course
        self._course_of = self._output
        self._view.run.sentence.say(f"{event.run.parts.capitalize()}.")
        self._view.plot.show_course(self.course)
        self.previews.set_run(event.run)

    def _forget_course(self) -> None:
        """Show nothing of another training: this one may fail before it has a course."""
        self.course, self._course_of = Course(), Path()
        self._view.plot.show_course(self.course)
        self._view.export.best.say("")

    def _on_running(self, running: bool) -> None:
        self._view.set_running(running)
        self._allow()
        if not running:
            self.set_up.say_all()

    def _on_end(self, ended: Any) -> None:
        if not isinstance(ended, Ended):
            return
        step = ended.run.trainer.step
        total = max(step, ended.run.recipe.steps)
        self._say_best(step)
        self._view.run.bar.setValue(round(step / total * self._view.run.bar.maximum()))
        self._view.run.bar.setFormat(f"Step {step} of {total}")
        if ended.stopped:
            text = f"Stopped after step {step}; resume it, or export the model."
        else:
            text = f"Trained to step {step}; export the model, or raise Steps and resume."
        self._view.run.sentence.say(text)
        self.previews.on_end()

    def _on_failure(self, message: str) -> None:
        self._view.run.sentence.say("The training has ended with an error.", warning=True)
        show_error(message)

    def _say_best(self, step: int) -> None:
        text = best_in_words(self.course.best, step)
        if self._is_of_other_file:
            text = f"Of the training of {self._output.name}. {text}"
        self._view.export.best.say(text)

    @property
    def _is_of_other_file(self) -> bool:
        """Whether the form names another model file than that of the training on show."""
        try:
            return self.plan.output() != self._output
        except ShiftSegError:
            return True

    def _on_output(self) -> None:
        if self._run is not None and not self.runner.running:
            self._say_best(self._run.trainer.step)
        self._allow()

    def _allow(self) -> None:
        busy = self.runner.running or self.writing.running
        some = self._run is not None or self._kept_alone is not None
        self._view.export.allow(export=some and not busy, use=self._exported.is_file())
        self.previews.allow(self._run is not None)

    @property
    def _kept_alone(self) -> Path | None:
        """The checkpoint beside the model file, if there is one of a step at least."""
        try:
            checkpoint = checkpoint_of(self.plan.output())
        except ShiftSegError:
            return None
        return checkpoint if steps_done(checkpoint) else None

    def _export(self) -> None:
        run = self._run or self._kept_alone
        if run is None or self.runner.running:
            show_info("Stop the training first; then its model can be exported.")
            return
        try:
            path = self.plan.output()
        except ShiftSegError as error:
            show_error(str(error))
            return
        foreign = path.exists() and path != self._exported
        if foreign and not may_replace(self._view, "Export model", path):
            return
        words: dict[str, Any] = self._view.export.description
        if words["name"] in ("", self._output.stem):
            words["name"] = path.stem
        self.writing.start(export(run, path, words), f"exporting {path.name}")

    def _on_exported(self, exported: Any) -> None:
        if isinstance(exported, Exported):
            self._exported = exported.path
            offer(self._viewer, exported.path)
            self._allow()
            self.set_up.say_output()
            show_info(f"Written: {exported.path.name}. Segment offers it as {exported.path.stem}.")

    def _on_removed(self, event: Any) -> None:
        layer = event.value
        key = str(layer.unique_id)
        sources = () if self._order is None else self._order.sources
        if self.runner.running and any(key in source.keys for source in sources):
            self._removed.append(layer.name)
            self._soon.start()
        self.previews.on_removed(layer)

    def _say_removed(self) -> None:
        names, verb = ", ".join(self._removed), "was" if len(self._removed) == 1 else "were"
        self._removed.clear()
        show_info(f"{names} {verb} removed; the training goes on with its own copy.")
