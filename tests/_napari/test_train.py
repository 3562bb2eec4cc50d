"""What a user does with the widget Train, through its own controls."""

import gc
import threading
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
import tifffile
from napari._app_model import get_app_model
from window import PATIENCE, open_form

from napari_shiftseg._napari.remembered import Remembered
from napari_shiftseg._napari.train import job
from napari_shiftseg._napari.train.course import Course
from napari_shiftseg._napari.train.draft import without_weights
from napari_shiftseg._napari.train.fields import recipe_fields
from napari_shiftseg._napari.train.preview_layer import NAME
from napari_shiftseg._napari.train.sources import pairs_of, source_of
from napari_shiftseg.embeddings.model import load_model
from napari_shiftseg.pipeline import scalings_of
from napari_shiftseg.samples.discs import disc_image
from napari_shiftseg.training import run as training_run
from napari_shiftseg.training.fit import StepDone
from napari_shiftseg.training.recipe import TrainingRecipe
from napari_shiftseg.training.run import TrainingRun, Validated

TINY = {"levels": 1, "maps": 2, "window": (8,), "steps": 12, "validate_every": 6}


@pytest.fixture(autouse=True)
def a_home_of_its_own(tmp_path, monkeypatch):
    monkeypatch.setattr(Path, "home", lambda: tmp_path)


@pytest.fixture
def dock(open_dock):
    """The widget as the Plugins menu opens it."""
    return open_dock("Train")


@pytest.fixture
def view(dock):
    give(dock.view, **TINY)
    return dock.view


@pytest.fixture
def discs(viewer, dock):
    """Two images with labels."""
    for number, spacing in ((1, 12), (2, 14)):
        image, mask = disc_image(40, spacing)
        viewer.add_image(image, name=f"discs {number}", scale=(0.5, 0.5))
        viewer.add_labels(mask.astype(int), name=f"discs {number}: truth", scale=(0.5, 0.5))
    dock.view.data.add.click()
    return viewer.layers


@pytest.fixture
def gate(monkeypatch):
    """Hold a training before each step, so that a test can act in the middle of it."""
    gate = threading.Semaphore(0)
    events = TrainingRun.events

    def held(run):
        for event in events(run):
            yield event
            if isinstance(event, StepDone) and not gate.acquire(timeout=20):
                raise TimeoutError("the test let no step through")

    monkeypatch.setattr(TrainingRun, "events", held)
    yield gate
    gate.release(10_000)


@pytest.fixture
def images(monkeypatch):
    """Hold a validation before each image."""
    gate = threading.Semaphore(0)
    evaluate_events = training_run.evaluate_events

    def held(model, pairs, **options):
        def each():
            for pair in pairs:
                assert gate.acquire(timeout=20)
                yield pair

        return evaluate_events(model, each(), **options)

    monkeypatch.setattr(training_run, "evaluate_events", held)
    yield gate
    gate.release(10_000)


def more_discs(viewer, view):
    """Add two more images with labels, so that two of four are held out."""
    for number, spacing in ((3, 13), (4, 15)):
        image, mask = disc_image(40, spacing)
        viewer.add_image(image, name=f"discs {number}")
        viewer.add_labels(mask.astype(int), name=f"discs {number}: truth")
        view.data.add.click()


def give(view, **values):
    for name, value in values.items():
        view.settings.editors[name].show_value(value)


def until_idle(qtbot, dock):
    qtbot.waitUntil(lambda: not dock.control.runner.running, timeout=PATIENCE)


def until_running(qtbot, dock):
    """Wait until a first step is done."""
    began = dock.control.runner
    with qtbot.waitSignal(began.produced, timeout=PATIENCE):
        dock.view.run.run.click()


def train(qtbot, dock):
    with qtbot.waitSignal(dock.control.runner.succeeded, timeout=PATIENCE):
        dock.view.run.run.click()


def export(qtbot, dock):
    with qtbot.waitSignal(dock.control.writing.succeeded, timeout=PATIENCE):
        dock.view.export.export.click()


def test_slices_of_a_stack_are_scaled_together_as_when_they_are_segmented(make_napari_viewer):
    viewer, recipe = make_napari_viewer(), TrainingRecipe("layers", levels=1, window=12)
    image, mask = disc_image(40, 12)
    stack = np.stack([image * brightness for brightness in (10, 50, 100)])
    labels = np.stack([mask, 0 * mask, mask])
    layers = viewer.add_image(stack, axis_labels=("z", "y", "x")), viewer.add_labels(labels)
    model = without_weights(recipe)
    pairs = pairs_of([source_of(*layers, model)], model)
    assert [pair.name for pair in pairs] == ["stack (0,)", "stack (2,)"]
    for pair, index in zip(pairs, [(0,), (2,)], strict=True):
        frames = model.frames(stack, "zyx")
        (scaling,) = scalings_of(frames, model, [index])
        np.testing.assert_array_equal(recipe.scaled(pair), scaling(frames.frame(index).read()))
    assert recipe.scaled(pairs[0]).max() < 0.2


class TestFields:
    def test_every_field_of_the_recipe_has_a_control_with_its_help(self, view):
        editors = view.settings.editors
        assert editors.keys() | {"data"} == TrainingRecipe.__dataclass_fields__.keys()
        for name, editor in editors.items():
            assert editor.field.help, name
            assert editor.field.help in editor.control.toolTip()
        assert "Legal: at least 1 and at most 8." in editors["zoom"].control.toolTip()

    @pytest.mark.parametrize("value", [0.3333333, 0.9999999, 8.1234567, 1e-4, 8.0])
    def test_numbers_are_written_as_they_are(self, value):
        field = recipe_fields()["average"]
        assert field.read(field.write(value)) == value

    def test_untouched_they_are_the_recipes_defaults(self, dock):
        values = dock.view.settings.values()
        assert TrainingRecipe("d", **values) == TrainingRecipe("d")

    @pytest.mark.parametrize(
        ("name", "text", "value"),
        [
            ("window", "12, 28 x 28", (12, 28, 28)),
            ("window", "", None),
            ("steps", " 30 ", 30),
            ("push_reach", "2.5", 2.5),
            ("learning_rate", "", 5e-4),
            ("start", "nuclei-2d", "nuclei-2d"),
        ],
    )
    def test_what_is_typed_is_read(self, name, text, value):
        assert recipe_fields()[name].read(text) == value

    def test_a_preset_says_what_it_sets(self, dock):
        editors = dock.view.settings.editors
        editors["window"].show_value((30,))
        preset = editors["preset"].control
        assert [preset.itemText(i) for i in range(4)] == [
            "2-D small", "2-D", "3-D small", "3-D anisotropic",
        ]  # fmt: skip
        preset.setCurrentIndex(3)
        assert editors["window"].control.text() == ""
        assert editors["window"].control.placeholderText() == "12, 28, 28"
        assert editors["ndim"].control.currentText() == "as the preset: 3"
        assert "12 x 28 x 28 px exceeds the period of 4 x 8 x 8 px" in (
            dock.view.settings.sentence.text()
        )

    @pytest.mark.parametrize(
        ("name", "text", "words"),
        [
            ("steps", "many", "Steps is 'many'; legal: a whole number, as 20000"),
            ("steps", "0", "legal: at least 1"),
            ("window", "8, b", "legal: whole numbers"),
            ("window", "8, 8, 8", "the network has 2 axes"),
            ("learning_rate", "inf", "legal: a number"),
            ("learning_rate", "-1", "legal: more than 0"),
            ("convolutions", "0", "legal: at least 1"),
            ("decay", "1.5", "legal: more than 0 and at most 1"),
            ("zoom", "0.5", "zoom is 0.5; legal: at least 1"),
            ("average", "1", "legal: at least 0 and less than 1"),
            ("hold_out", "1", "less than 1"),
            ("embedding_dims", "1", "legal: at least 2"),
            ("flat_levels", "1", "are for 3-D networks; give ndim 3"),
            ("bandwidth", "5000", "nearest: 1000"),
        ],
    )
    def test_an_illegal_value_is_said_as_it_is_typed_and_refused(
        self, view, discs, notifications, name, text, words
    ):
        view.settings.editors[name].control.setText(text)
        assert words.lower() in view.settings.sentence.text().lower()
        assert view.settings.sentence.is_warning
        assert notifications() == []
        view.run.run.click()
        [(severity, message)] = notifications()
        assert severity == "error" and words in message
        view.settings.editors[name].show_value(TINY.get(name))
        assert not view.settings.sentence.is_warning

    def test_all_but_a_few_are_folded_away(self, view):
        view.parent().show()
        assert view.settings.fold.content.isHidden()
        view.settings.fold.heading.click()
        assert not view.settings.fold.content.isHidden()


class TestData:
    def test_opened_layers_are_chosen_and_can_be_taken_away(self, view, discs):
        first, second = view.data.rows
        assert (first.image.currentText(), first.labels.currentText()) == (
            "discs 1", "discs 1: truth",
        )  # fmt: skip
        assert (second.image.currentText(), second.labels.currentText()) == (
            "discs 2", "discs 2: truth",
        )  # fmt: skip
        assert "2 images of 40 px" in view.data.sentence.text()
        second.remove.click()
        assert "1 image of 40 px" in view.data.sentence.text()
        assert not first.remove.isEnabled()

    @pytest.mark.parametrize(
        ("images", "labels"),
        [
            (("img1", "img2"), ("mask1", "mask2")),
            (("img2", "img1"), ("mask2", "mask1")),
            (("cell10", "cell1"), ("cell10_mask", "cell1_mask")),
            (("one", "two"), ("one truth", "two truth")),
            (("cell", "cell_b"), ("cell_mask", "cell_b_mask")),
            (("wt", "ko"), ("gt_wt", "gt_ko")),
            (("day2 wt1", "day2 wt2"), ("wt1 mask", "wt2 mask")),
            (("img_01", "img_02"), ("seg_1", "seg_2")),
            (("t1", "t2"), ("mask_1", "mask_2")),
        ],
    )
    def test_each_image_gets_its_own_labels(self, viewer, view, images, labels):
        for name in images:
            viewer.add_image(disc_image(40, 12)[0], name=name)
        for name in labels[::-1]:
            viewer.add_labels(disc_image(40, 12)[1].astype(int), name=name)
        view.data.add.click()
        found = {row.image.currentText(): row.labels.currentText() for row in view.data.rows}
        assert found == dict(zip(images, labels, strict=True))

    def test_of_labels_that_nothing_speaks_for_none_is_proposed(self, viewer, view):
        for name in ("first", "second"):
            viewer.add_labels(disc_image(40, 12)[1].astype(int), name=name)
        viewer.add_image(disc_image(40, 12)[0], name="cells")
        assert view.data.pairs == []
        viewer.layers.remove("second")
        view.data.add.click()
        assert [labels.name for _, labels in view.data.pairs] == ["first"]

    def test_labels_that_are_another_images_are_not_proposed(self, viewer, view):
        for name in ("img1", "img2"):
            viewer.add_image(disc_image(40, 12)[0], name=name)
        viewer.add_labels(disc_image(40, 12)[1].astype(int), name="mask2")
        view.data.add.click()
        assert [(image.name, labels.name) for image, labels in view.data.pairs] == [
            ("img2", "mask2")
        ]

    def test_the_same_labels_twice_are_refused(self, view, discs, notifications):
        view.data.rows[1].labels.choose(discs["discs 1: truth"])
        view.run.run.click()
        [(severity, message)] = notifications()
        assert severity == "error" and "two rows have the same labels" in message

    def test_without_any_there_is_one_notification(self, view, notifications):
        view.run.run.click()
        [(severity, message)] = notifications()
        assert severity == "error" and "choose an image layer" in message

    def test_wrong_axes_are_said_at_once_and_refused(self, view, discs, notifications):
        view.settings.editors["preset"].control.setCurrentIndex(2)
        give(view, levels=1, window=(8,))
        assert "3 spatial axes" in view.data.sentence.text()
        view.run.run.click()
        [(severity, message)] = notifications()
        assert severity == "error" and "(40, 40)" in message

    def test_colour_needs_three_channels(self, viewer, view, discs, notifications):
        image, _ = disc_image(40, 12)
        colour = viewer.add_image(np.stack([image] * 3, -1), name="colour", rgb=True)
        view.data.rows[0].image.choose(colour)
        view.data.rows[0].labels.choose(discs["discs 1: truth"])
        assert "set Channels to 3" in view.data.sentence.text()
        view.run.run.click()
        [(severity, message)] = notifications()
        assert severity == "error" and "'colour' is in colour" in message
        give(view, channels=3)
        view.data.rows[1].remove.click()
        assert "1 image of 40 px" in view.data.sentence.text()

    def test_labels_of_another_size_are_refused(self, viewer, view, discs, notifications):
        odd = viewer.add_labels(np.ones((30, 40), int), name="odd")
        view.data.rows[0].labels.choose(odd)
        view.run.run.click()
        [(severity, message)] = notifications()
        assert severity == "error" and "'odd' have 30 x 40 px" in message

    def test_empty_labels_are_one_notification(self, qtbot, dock, view, discs, notifications):
        discs["discs 2: truth"].data = np.zeros((40, 40), int)
        with qtbot.waitSignal(dock.control.runner.failed, timeout=PATIENCE):
            view.run.run.click()
        [(severity, message)] = notifications()
        assert severity == "error" and "'discs 2: truth' are empty" in message
        assert view.run.run.isEnabled() and view.data.isEnabled()

    def test_a_stack_trains_a_2d_network_slice_by_slice(self, qtbot, viewer, dock, view):
        image, mask = disc_image(40, 12)
        stack = np.stack([image, 1 - image, image * 2])
        labels = np.stack([mask, np.zeros_like(mask), mask]).astype(int)
        viewer.add_image(stack, name="stack")
        viewer.add_labels(labels, name="stack: truth")
        assert "3 images of 40 px" in view.data.sentence.text()
        train(qtbot, dock)
        assert [v.step for v in dock.control.course.validations] == [6, 12]

    def test_a_volume_trains_a_3d_network_and_is_previewed(
        self, qtbot, viewer, dock, view, notifications
    ):
        image, mask = disc_image(24, 12)
        viewer.add_labels(np.stack([mask.astype(int)] * 12), name="volume: truth")
        viewer.add_image(np.stack([image] * 12), name="volume")
        view.settings.editors["preset"].control.setCurrentIndex(2)
        give(view, levels=1, window=(8,), steps=2)
        assert "1 image of 12 x 24 x 24 px. With a second one" in view.data.sentence.text()
        train(qtbot, dock)
        assert "Not validated: the weights after step 2" in view.export.best.text()
        view.preview.now.click()
        qtbot.waitUntil(lambda: NAME in viewer.layers, timeout=PATIENCE)
        assert viewer.layers[NAME].data.ndim == 3
        assert notifications() == []

    def test_a_pack_trains(self, qtbot, dock, view, tmp_path):
        for kind, index in (("images", 0), ("masks", 1)):
            (tmp_path / "pack" / kind).mkdir(parents=True)
            for spacing in (12, 14):
                pixels = disc_image(40, spacing)[index].astype(np.uint8)
                tifffile.imwrite(tmp_path / "pack" / kind / f"{spacing}.tif", pixels)
        view.data.kind.buttons["pack"].click()
        view.data.pack.setText(str(tmp_path / "pack"))
        assert view.data.sentence.text() == "2 images with masks."
        train(qtbot, dock)
        assert dock.control.course.steps[-1] == 12

    def test_a_pack_that_is_not_chosen_yet_is_no_warning(self, view, discs):
        view.data.kind.buttons["pack"].click()
        assert "Choose a data pack" in view.data.sentence.text()
        assert not view.data.sentence.is_warning
        view.data.pack.setText("nowhere")
        assert view.data.sentence.is_warning

    def test_no_pack_is_one_notification(self, view, tmp_path, notifications):
        view.data.kind.buttons["pack"].click()
        view.data.pack.setText(str(tmp_path))
        assert "is not a data pack" in view.data.sentence.text()
        view.run.run.click()
        [(severity, message)] = notifications()
        assert severity == "error" and "is not a data pack" in message


class TestWindow:
    def test_one_within_the_period_is_refused_until_allowed(
        self, qtbot, dock, view, discs, notifications
    ):
        assert view.settings.anyway.isHidden()
        give(view, window=(2,))
        assert "does not exceed the period of 2 x 2 px" in view.settings.sentence.text()
        assert view.settings.sentence.is_warning and not view.settings.anyway.isHidden()
        view.run.run.click()
        [(severity, message)] = notifications()
        assert severity == "error" and "Tick 'Train anyway'" in message
        assert not dock.control.runner.running
        view.settings.anyway.click()
        train(qtbot, dock)
        assert dock.control.course.steps[-1] == 12


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
        assert "Resume goes on with it" in view.output.sentence.text()
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
