"""What a user says of a training before it begins: fields, images and window."""

import numpy as np
import pytest
import tifffile
from train_scene import TINY, give, train
from window import PATIENCE

from napari_shiftseg._napari.train.draft import without_weights
from napari_shiftseg._napari.train.fields import recipe_fields
from napari_shiftseg._napari.train.preview_layer import NAME
from napari_shiftseg._napari.train.sources import pairs_of, source_of
from napari_shiftseg.pipeline import scalings_of
from napari_shiftseg.samples.discs import disc_image
from napari_shiftseg.training.recipe import TrainingRecipe


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
            ("zoom", "0.5", "Zoom is 0.5; legal: at least 1"),
            ("average", "1", "legal: at least 0 and less than 1"),
            ("hold_out", "1", "less than 1"),
            ("embedding_dims", "0", "Embedding dims is 0; legal: at least 1"),
            ("embedding_dims", "1", "legal: at least 2"),
            ("flat_levels", "1", "are for 3-D networks; give ndim 3"),
            ("bandwidth", "5000", "legal: at least 0.001 and at most 1000"),
            ("learning_rate", "1e300", "at most 1000"),
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

    @pytest.mark.parametrize("moved", [{"translate": (0, 4)}, {"scale": (1, 1)}])
    def test_labels_that_lie_elsewhere_are_told(self, view, discs, moved):
        assert not view.data.sentence.is_warning
        for key, value in moved.items():
            setattr(discs["discs 2: truth"], key, value)
        view.settings.changed.emit()
        assert "discs 2: truth does not lie over discs 2 on screen" in view.data.sentence.text()
        assert view.data.sentence.is_warning

    def test_data_are_not_judged_by_settings_that_are_none(self, view, discs):
        view.settings.editors["steps"].control.setText("many")
        assert view.data.sentence.text() == ""
        view.settings.editors["steps"].control.setText("12")
        assert "2 images of 40 px" in view.data.sentence.text()

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

    @pytest.mark.parametrize("spacing", ["0", "-3", "abc", ""])
    def test_discs_without_a_distance_are_said_at_once(self, view, spacing):
        view.data.kind.buttons["pack"].click()
        view.data.pack.setText(f"discs:{spacing}")
        assert "legal: discs:SPACING" in view.data.sentence.text()
        view.data.pack.setText("discs:13")
        assert "discs 13 px apart" in view.data.sentence.text()

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


class TestModelFile:
    def test_a_name_that_no_file_can_have_is_said(self, view, discs, notifications, tmp_path):
        view.output.path.setText(str(tmp_path / ("n" * 250 + ".safetensors")))
        assert "cannot be the name of a file" in view.output.sentence.text()
        view.run.run.click()
        [(severity, message)] = notifications()
        assert severity == "error" and "cannot be the name of a file" in message

    def test_a_folder_is_none(self, view, tmp_path):
        (tmp_path / "a.safetensors").mkdir()
        view.output.path.setText(str(tmp_path / "a.safetensors"))
        assert "a folder; name a file" in view.output.sentence.text()

    def test_what_is_in_the_way_of_the_checkpoint_is_said(self, view, tmp_path):
        (tmp_path / "a.checkpoint").write_bytes(b"of another program")
        view.output.path.setText(str(tmp_path / "a.safetensors"))
        assert "a.checkpoint, where the training would be kept" in view.output.sentence.text()
        assert view.output.sentence.is_warning

    def test_a_training_that_is_done_says_what_lets_it_go_on(self, qtbot, dock, view, discs):
        train(qtbot, dock)
        qtbot.waitUntil(lambda: "all its steps done" in view.output.sentence.text())
        give(view, steps=14)
        assert "Resume goes on with it" in view.output.sentence.text()


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
