"""What a user sees and does while a network trains, in the middle of it too."""

import gc

import numpy as np
from train_scene import TINY, export, give, more_discs, train, until_idle, until_running
from window import PATIENCE, open_form

from napari_shiftseg._napari.train import job
from napari_shiftseg._napari.train.preview_layer import NAME
from napari_shiftseg.embeddings.model import load_model
from napari_shiftseg.samples.discs import disc_image


class TestTraining:
    def test_from_layers_to_a_model_with_a_stop_in_between(
        self, qtbot, viewer, dock, view, discs, gate, tmp_path, notifications
    ):
        output = tmp_path / "mine.safetensors"
        view.output.path.setText(str(output))
        assert view.run.run.text() == "Train"
        gate.release(2)
        until_running(qtbot, dock)
        assert not view.data.isEnabled() and not view.run.run.isEnabled()
        qtbot.waitUntil(lambda: "Step" in view.run.bar.format(), timeout=PATIENCE)
        view.run.cancel.click()
        assert "Stopping" in view.run.bar.format()
        gate.release(1)
        until_idle(qtbot, dock)
        done = dock.control.course.steps[-1]
        assert done < 12
        assert view.run.run.text() == f"Resume at step {done}"
        assert f"Stopped after step {done}" in view.run.sentence.text()
        gate.release(100)
        train(qtbot, dock)
        assert dock.control.course.steps == list(range(1, 13))
        view.plot.draw()
        assert [x for x, _ in view.plot.points("pull")][-1] == 12
        assert [x for x, _ in view.plot.points("AP 0.5")] == [6, 12]
        assert len(view.plot.points("false splits")) == 2
        assert "Best validation: step" in view.export.best.text()
        assert not output.exists()
        view.export.summary.setText("discs")
        view.export.licence.setText("CC0-1.0")
        export(qtbot, dock)
        model = load_model(output)
        assert model.description.name == "mine"
        assert model.description.summary == "discs"
        assert model.description.licence == "CC0-1.0"
        assert "discs 1" in model.description.training["recipe"]["data"]
        assert [severity for severity, _ in notifications()] == ["info"]

    def test_a_validation_is_said_and_stops_after_its_image(
        self, qtbot, viewer, dock, view, discs, images
    ):
        give(view, hold_out=0.5)
        more_discs(viewer, view)
        view.run.run.click()
        said = "Step 6 of 12, validating on image {} of 2"
        qtbot.waitUntil(lambda: view.run.bar.format() == said.format(1), timeout=PATIENCE)
        images.release()
        qtbot.waitUntil(lambda: view.run.bar.format() == said.format(2), timeout=PATIENCE)
        view.run.cancel.click()
        qtbot.wait(200)  # the bar is drawn a few times a second
        assert "Stopping" in view.run.bar.format()
        images.release()
        until_idle(qtbot, dock)
        assert "Stopped after step 6" in view.run.sentence.text()
        images.release(100)
        train(qtbot, dock)
        assert [v.step for v in dock.control.course.validations] == [6, 12]

    def test_a_widget_closed_in_a_validation_waits_for_one_image_alone(
        self, qtbot, viewer, dock, view, discs, images, delete, tmp_path, close_dock
    ):
        give(view, hold_out=0.5)
        more_discs(viewer, view)
        view.run.run.click()
        said = "Step 6 of 12, validating on image 1 of 2"
        qtbot.waitUntil(lambda: view.run.bar.format() == said, timeout=PATIENCE)
        close_dock(dock)
        checkpoint = tmp_path / "discs-1-model.checkpoint"
        images.release()
        qtbot.waitUntil(checkpoint.exists, timeout=PATIENCE)
        delete(dock)

    def test_one_that_fails_shows_nothing_of_the_one_before(
        self, qtbot, dock, view, discs, tmp_path
    ):
        train(qtbot, dock)
        assert view.export.best.text()
        view.output.path.setText(str(tmp_path / "other.safetensors"))
        give(view, validation=str(tmp_path / "none"))
        with qtbot.waitSignal(dock.control.runner.failed, timeout=PATIENCE):
            view.run.run.click()
        assert not view.export.best.text() and not dock.control.course.steps

    def test_a_later_day_knows_the_course_so_far(
        self, qtbot, open_dock, dock, view, discs, delete, close_dock
    ):
        train(qtbot, dock)
        close_dock(dock)
        delete(dock)
        again = open_dock("Train")
        assert again.view.run.run.text() == "Resume at step 12"
        again.view.data.add.click()
        give(again.view, **TINY | {"steps": 14})
        train(qtbot, again)
        again.view.plot.draw()
        assert [x for x, _ in again.view.plot.points("AP 0.5")] == [6, 12, 14]
        assert [x for x, _ in again.view.plot.points("pull")] == list(range(1, 15))

    def test_a_finished_one_can_be_resumed_with_more_steps(self, qtbot, dock, view, discs):
        train(qtbot, dock)
        assert "raise Steps" in view.run.sentence.text()
        give(view, steps=14)
        train(qtbot, dock)
        assert dock.control.course.steps[-1] == 14

    def test_starting_afresh_asks(self, qtbot, dock, view, discs, say):
        assert view.run.afresh.isHidden()
        train(qtbot, dock)
        assert not view.run.afresh.isHidden()
        asked = say("No")
        view.run.afresh.click()
        assert "a training of 12 steps" in asked[0] and not dock.control.runner.running
        say("Yes")
        with qtbot.waitSignal(dock.control.runner.succeeded, timeout=PATIENCE):
            view.run.afresh.click()
        assert dock.control.course.steps[0] == 1

    def test_two_at_once_are_one_notification(self, qtbot, dock, view, discs, gate, notifications):
        until_running(qtbot, dock)
        dock.control.train()
        [(severity, message)] = notifications()
        assert severity == "info" and "A training is running" in message
        view.run.cancel.click()
        gate.release(2)
        until_idle(qtbot, dock)

    def test_other_settings_are_said_at_once_and_refused_but_some_may_change(
        self, qtbot, dock, view, discs, notifications
    ):
        train(qtbot, dock)
        assert "all its steps done" in view.output.sentence.text()
        give(view, maps=3, seed=1)
        assert view.output.sentence.is_warning
        view.run.run.click()
        assert not dock.control.runner.running
        [(severity, message)] = notifications()
        assert severity == "error"
        for words in (view.output.sentence.text(), message):
            assert "with other settings: maps was 2, is 3; seed was 0, is 1" in words
        assert dock.control.course.steps  # of the training that is kept
        give(view, maps=2, seed=0, steps=13, validate_every=5, bandwidth=2.0)
        assert not view.output.sentence.is_warning
        train(qtbot, dock)
        assert dock.control.course.steps[-1] == 13

    def test_what_is_kept_can_be_exported_without_its_images(
        self, qtbot, viewer, dock, view, discs, open_dock, close_dock, delete
    ):
        train(qtbot, dock)
        path = view.output.output
        close_dock(dock)
        delete(dock)
        viewer.layers.clear()
        again = open_dock("Train")
        again.view.output.path.setText(str(path))
        assert again.view.export.export.isEnabled()
        export(qtbot, again)
        assert load_model(path).description.training["steps_done"] > 0

    def test_what_is_kept_can_be_exported_after_a_refusal(
        self, qtbot, dock, view, discs, notifications
    ):
        train(qtbot, dock)
        labels = view.data.pairs[0][1]
        labels.data = np.where(labels.data == 1, 0, labels.data)
        with qtbot.waitSignal(dock.control.runner.failed, timeout=PATIENCE):
            view.run.run.click()
        assert "other images or labels" in notifications()[-1][1]
        until_idle(qtbot, dock)
        export(qtbot, dock)
        assert view.output.output.is_file()

    def test_what_an_export_under_another_name_writes_is_said(self, qtbot, dock, view, discs):
        train(qtbot, dock)
        trained = view.output.output
        assert trained.name not in view.export.best.text()
        view.output.path.setText(str(trained.with_name("other.safetensors")))
        assert view.export.best.text().startswith(f"Of the training of {trained.name}. ")

    def test_the_settings_of_what_is_kept_can_be_taken(
        self, qtbot, dock, view, discs, open_dock, close_dock, delete
    ):
        give(view, maps=3, learning_rate=2e-3, window=(28,), bandwidth=2.0, flips=False)
        train(qtbot, dock)
        assert not view.output.take.isVisibleTo(view)
        settings = view.settings.values()
        close_dock(dock)
        delete(dock)
        again = open_dock("Train")
        again.view.data.add.click()
        assert again.view.output.sentence.is_warning
        again.view.output.take.click()
        assert again.view.settings.values() == settings | {"window": (28, 28)}
        assert not again.view.output.sentence.is_warning
        assert not again.view.output.take.isVisibleTo(again.view)
        train(qtbot, again)

    def test_the_data_of_what_is_kept_can_be_taken(self, qtbot, dock, view, discs):
        view.data.kind.choose("pack")
        view.data.pack.setText("discs:13")
        train(qtbot, dock)
        view.data.kind.choose("layers")
        view.data.pack.clear()
        view.output.take.click()
        assert view.data.kind.value == "pack" and view.data.pack.text() == "discs:13"
        assert not view.output.sentence.is_warning

    def test_a_wrong_name_is_said_at_once_and_refused(self, view, discs, tmp_path, notifications):
        for path, words in (
            (tmp_path / "model.pt", "must end in .safetensors"),
            (tmp_path / "none" / "model.safetensors", "folder for the model file"),
        ):
            view.output.path.setText(str(path))
            assert words in view.output.sentence.text()
            view.run.run.click()
            assert words in notifications()[-1][1]

    def test_the_proposed_name_is_that_of_no_file(self, view, discs, tmp_path):
        assert view.output.output == tmp_path / "discs-1-model.safetensors"
        view.output.output.touch()
        view.data.changed.emit()
        assert view.output.output == tmp_path / "discs-1-model-2.safetensors"


class TestPreview:
    def test_shows_what_is_in_view_and_stays_one_layer(
        self, qtbot, viewer, dock, view, discs, gate
    ):
        assert not view.preview.now.isEnabled()
        viewer.layers.selection.active = discs["discs 1"]
        discs["discs 1"].corner_pixels = np.array([[4, 6], [23, 31]])
        until_running(qtbot, dock)
        view.preview.now.click()
        assert "after this step" in view.preview.sentence.text()
        gate.release(2)
        qtbot.waitUntil(lambda: NAME in viewer.layers, timeout=PATIENCE)
        layer = viewer.layers[NAME]
        assert layer.data.shape == (20, 26)
        np.testing.assert_allclose(layer.translate, (2, 3))
        view.run.cancel.click()
        gate.release(10)
        until_idle(qtbot, dock)
        discs["discs 1"].corner_pixels = np.array([[0, 6], [23, 31]])
        view.preview.now.click()
        qtbot.waitUntil(lambda: layer.data.shape == (24, 26), timeout=PATIENCE)
        assert sum(other.name == NAME for other in viewer.layers) == 1
        assert "on discs 1 after step" in view.preview.sentence.text()

    def test_comes_after_each_validation(self, qtbot, viewer, dock, view, discs):
        view.preview.each.setChecked(True)
        train(qtbot, dock)
        qtbot.waitUntil(lambda: "after step 12" in view.preview.sentence.text(), timeout=PATIENCE)
        assert NAME in viewer.layers

    def test_thrown_away_it_does_not_come_back_by_itself(
        self, qtbot, viewer, dock, view, discs, notifications
    ):
        view.preview.each.setChecked(True)
        train(qtbot, dock)
        qtbot.waitUntil(lambda: "after step 12" in view.preview.sentence.text(), timeout=PATIENCE)
        viewer.layers.remove(NAME)
        assert not view.preview.each.isChecked()
        [(severity, message)] = notifications()
        assert severity == "info" and "Training preview was removed" in message

    def test_that_a_person_corrected_is_theirs(self, qtbot, viewer, dock, view, discs):
        train(qtbot, dock)
        view.preview.now.click()
        qtbot.waitUntil(lambda: NAME in viewer.layers, timeout=PATIENCE)
        mine = viewer.layers[NAME]
        mine.name = "corrected objects"
        mine.data_setitem((np.array([0]), np.array([0])), 77)
        view.preview.now.click()
        qtbot.waitUntil(lambda: NAME in viewer.layers, timeout=PATIENCE)
        assert viewer.layers["corrected objects"] is mine and mine.data[0, 0] == 77
        assert viewer.layers[NAME].data[0, 0] != 77

    def test_without_an_image_it_is_one_notification(
        self, qtbot, viewer, dock, view, discs, notifications
    ):
        train(qtbot, dock)
        viewer.layers.clear()
        before = len(notifications())
        view.preview.now.click()
        [(severity, message)] = notifications()[before:]
        assert severity == "error" and "no image is in view" in message


class TestInterruption:
    def test_a_removed_layer_does_not_stop_it(
        self, qtbot, viewer, dock, view, discs, gate, notifications
    ):
        until_running(qtbot, dock)
        viewer.layers.remove("discs 1")
        viewer.layers.remove("discs 1: truth")
        qtbot.waitUntil(lambda: bool(notifications()), timeout=PATIENCE)
        [(severity, message)] = notifications()
        assert (
            severity == "info"
            and "discs 1, discs 1: truth were removed; the training goes on" in message
        )
        gate.release(100)
        until_idle(qtbot, dock)
        assert dock.control.course.steps[-1] == 12

    def test_a_closed_widget_stops_it_and_saves(
        self, qtbot, viewer, dock, view, discs, gate, delete, tmp_path, notifications, close_dock
    ):
        until_running(qtbot, dock)
        close_dock(dock)
        [(severity, message)] = notifications()
        assert severity == "info" and "discs-1-model.checkpoint" in message
        gate.release(5)
        checkpoint = tmp_path / "discs-1-model.checkpoint"
        qtbot.waitUntil(checkpoint.exists, timeout=PATIENCE)
        delete(dock)

    def test_a_closed_viewer_stops_it_and_saves(
        self, qtbot, make_napari_viewer, gate, tmp_path, notifications
    ):
        viewer = make_napari_viewer()
        image, mask = disc_image(40, 12)
        viewer.add_image(image, name="discs")
        viewer.add_labels(mask.astype(int), name="truth")
        dock = open_form(viewer, qtbot, "Train")
        give(dock.view, **(TINY | {"steps": 1000}))
        until_running(qtbot, dock)
        viewer.close()
        del dock
        gc.collect()
        gate.release(3)
        checkpoint = tmp_path / "discs-model.checkpoint"
        qtbot.waitUntil(checkpoint.exists, timeout=PATIENCE)
        assert notifications() == []

    def test_a_failure_is_one_notification(
        self, qtbot, dock, view, discs, monkeypatch, notifications
    ):
        def fails(*_):
            raise RuntimeError("no memory")

        monkeypatch.setattr(job, "pairs_of", fails)
        with qtbot.waitSignal(dock.control.runner.failed, timeout=PATIENCE):
            view.run.run.click()
        [(severity, message)] = notifications()
        assert severity == "error" and "no memory" in message
