"""From a training to a model file; and how the widget looks."""

from dataclasses import asdict

from napari._app_model import get_app_model
from train_scene import export, train
from window import PATIENCE

from napari_shiftseg._napari.remembered import Remembered
from napari_shiftseg._napari.train.course import Course
from napari_shiftseg.embeddings.model import load_model
from napari_shiftseg.training.fit import StepDone
from napari_shiftseg.training.run import Validated


class TestExport:
    def test_the_model_is_offered_and_can_be_used(self, qtbot, viewer, widget, dock, view, discs):
        assert not view.export.export.isEnabled() and not view.export.use.isEnabled()
        train(qtbot, dock)
        export(qtbot, dock)
        path = str(view.output.output)
        assert Remembered().recent_models()[0] == path
        assert widget.model.combo.findData(path) >= 0
        assert widget.model.combo.currentData() != path
        view.export.use.click()
        assert widget.model.combo.currentData() == path
        assert widget.model.model.description.name == "discs-1-model"

    def test_a_file_that_was_there_is_replaced_only_if_a_person_agrees(
        self, qtbot, dock, view, discs, tmp_path, say
    ):
        output = tmp_path / "precious.safetensors"
        output.write_text("precious")
        view.output.path.setText(str(output))
        assert "an export will ask" in view.output.sentence.text()
        train(qtbot, dock)
        asked = say("No")
        view.export.export.click()
        assert asked and output.read_text() == "precious"
        say("Yes")
        export(qtbot, dock)
        load_model(output)

    def test_of_a_training_that_began_anew_replaces_that_of_another_only_if_a_person_agrees(
        self, qtbot, dock, view, discs, say
    ):
        train(qtbot, dock)
        export(qtbot, dock)
        exported = view.output.output.read_bytes()
        say("Yes")
        with qtbot.waitSignal(dock.control.runner.succeeded, timeout=PATIENCE):
            view.run.afresh.click()
        asked = say("No")
        view.export.export.click()
        assert asked and view.output.output.read_bytes() == exported

    def test_its_card_is_the_trained_models(self, qtbot, widget, dock, view, discs):
        """Of a model that was validated, whose scores are written otherwise than a test's."""
        train(qtbot, dock)
        best = Validated(6, 0.75, 0, 0, 1, 1, best=True)
        dock.control._run.trainer.kept["validations"] = [asdict(best)]
        export(qtbot, dock)
        view.export.use.click()
        period = widget.model.model.geometry.period[0]
        assert f"period <b>{period} px</b>" in widget.model.card.text()
        assert "AP 0.5: 0.75" in widget.model.card.text()

    def test_is_written_where_the_form_says_by_then(
        self, qtbot, dock, view, discs, tmp_path, notifications
    ):
        train(qtbot, dock)
        former, other = view.output.output, tmp_path / "other.safetensors"
        view.output.path.setText(str(other))
        assert "Export model will write it" in view.output.sentence.text()
        export(qtbot, dock)
        assert load_model(other).description.name == "other" and not former.exists()
        view.output.path.setText(str(tmp_path / "none" / "third.safetensors"))
        view.export.export.click()
        assert notifications()[-1][0] == "error"
        assert view.export.use.isEnabled()


class TestLook:
    def test_its_commands_are_in_the_palette(self, dock):
        titles = {command.title for command in dict(get_app_model().commands).values()}
        assert {
            "ShiftSeg: Train or resume", "ShiftSeg: Stop the training",
            "ShiftSeg: Preview the training",
        } <= titles  # fmt: skip

    def test_a_long_course_has_few_points(self):
        course = Course(20_000)
        course.add(StepDone(step, {"pull": 1.0}, 0.0) for step in range(1, 20_001))
        assert len(course.steps) == 400 and course.steps[-1] == 20_000

    def test_the_plot_follows_the_theme(self, viewer, dock):
        dark = dock.view.plot.figure.get_facecolor()
        viewer.theme = "light"
        assert dock.view.plot.figure.get_facecolor() != dark

    def test_it_draws_twice_a_second_at_most(self, qtbot, dock):
        plot = dock.view.plot
        plot.draw()
        before = plot.drawings
        for _ in range(10):
            plot.refresh()
            qtbot.wait(20)
        assert plot.drawings <= before + 1
        qtbot.waitUntil(lambda: plot.drawings == before + 1, timeout=PATIENCE)

    def test_a_training_draws_its_course_by_itself(self, qtbot, dock, view, discs):
        before = view.plot.drawings
        train(qtbot, dock)
        qtbot.waitUntil(lambda: view.plot.drawings > before, timeout=PATIENCE)
