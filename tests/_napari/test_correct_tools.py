"""What each tool of the Correct tab does to labels.

Layers and mouse are napari's own, without its window: ``test_correct.py`` has that.
"""

from dataclasses import replace

import numpy as np
import pytest
from correct_scene import Hand, correctable, cut_objects, numbers, use, whole_objects
from napari.components import ViewerModel

from napari_shiftseg._napari.correct.control import CorrectControl
from napari_shiftseg._napari.correct.tab import CorrectTab


@pytest.fixture
def viewer():
    return ViewerModel()


@pytest.fixture
def hand(viewer):
    return Hand(viewer)


@pytest.fixture
def results():
    """What runs know, by layer name."""
    return {"cut": correctable(whole_objects())}


@pytest.fixture
def layer(viewer):
    return viewer.add_labels(cut_objects(), name="cut")


@pytest.fixture
def tab(qtbot, viewer, layer, results):
    tab = CorrectTab(viewer)
    tab.control = CorrectControl(viewer, tab, lambda layer: results.get(layer.name))
    qtbot.addWidget(tab)
    return tab


class TestPick:
    def test_a_click_segments_just_that_object(self, tab, layer, hand):
        use(tab, "pick")
        hand.click(5, 12)
        assert (layer.data[whole_objects() == 1] == 2).all()
        assert numbers(layer.data) == [2, 3, 4]
        assert tab.status.text() == "Object 2 has 72 px."

    def test_an_object_that_was_missed_gets_a_new_number(self, tab, layer, hand):
        layer.data[layer.data < 3] = 0
        use(tab, "pick")
        hand.click(5, 12)
        assert (layer.data[whole_objects() == 1] == 5).all()

    def test_the_next_click_with_shift_merges(self, tab, layer, hand):
        use(tab, "pick")
        hand.click(5, 12)
        hand.shift_click(14, 5)
        assert numbers(layer.data) == [2, 4]

    def test_background_is_answered_with_a_sentence(self, tab, layer, hand, notifications):
        use(tab, "pick")
        hand.click(0, 0)
        [(severity, message)] = notifications()
        assert severity == "info" and "background" in message
        assert (layer.data == cut_objects()).all()

    def test_beside_the_layer_nothing_happens(self, tab, hand, notifications):
        use(tab, "pick")
        hand.click(-3, 99)
        assert notifications() == []

    def test_dragging_moves_the_view_and_picks_nothing(self, tab, layer, hand):
        use(tab, "pick")
        hand.drag((5, 12), (5, 14), (5, 12))
        assert (layer.data == cut_objects()).all()
        hand.drag((5, 12), (5, 12.3))
        assert numbers(layer.data) == [2, 3, 4]

    def test_only_the_first_button_picks(self, tab, layer, hand):
        use(tab, "pick")
        hand.click(5, 12, button=2)
        assert (layer.data == cut_objects()).all()

    def test_without_a_result_it_is_forbidden_and_says_why(self, tab, layer, results):
        use(tab, "pick")
        results.clear()
        tab.control.refresh()
        assert tab.tool == "off"
        assert not tab.tools.buttons["pick"].isEnabled()
        assert tab.tools.buttons["merge"].isEnabled()
        assert "come without an embedding" in tab.instruction.text()
        assert "come without an embedding" in tab.tools.buttons["pick"].toolTip()

    def test_a_result_of_another_shape_is_none(self, viewer, tab, layer):
        layer.data = np.ones((5, 5), int)
        assert not tab.tools.buttons["pick"].isEnabled()

    def test_in_a_stack_only_the_frame_on_screen_changes(self, viewer, tab, results, hand):
        objects = np.stack([whole_objects(), whole_objects(), whole_objects()])
        results["stack"] = correctable(objects, report=None)
        stack = viewer.add_labels(np.zeros(objects.shape, np.int32), name="stack")
        use(tab, "pick")
        hand.click(1, 5, 12)
        hand.click(2, 5, 12)
        assert not stack.data[0].any()
        assert (stack.data[1][whole_objects() == 1] == 1).all()
        assert (stack.data[2][whole_objects() == 1] == 2).all()

    def test_in_a_volume_the_whole_object_is_found(self, viewer, tab, results, hand):
        objects = np.stack([whole_objects()] * 3)
        results["volume"] = correctable(objects, spatial_ndim=3, report=None)
        volume = viewer.add_labels(np.zeros(objects.shape, np.int32), name="volume")
        use(tab, "pick")
        hand.click(1, 5, 12)
        assert (volume.data == (objects == 1)).all()


def test_clicks_and_lines_are_where_they_are_in_a_viewer_of_several_units(viewer, tab, layer, hand):
    """napari shows all layers in the smallest unit among them."""
    layer.scale, layer.units = (0.5, 0.5), ("um", "um")
    viewer.add_labels(np.zeros((3, 3), int), name="other", units=("nm", "nm"))
    viewer.layers.selection.active = layer
    tab.control.refresh()
    to_world = 500 if getattr(viewer.layers, "units", None) else 0.5
    use(tab, "pick")
    hand.click(5 * to_world, 12 * to_world)
    assert (layer.data[whole_objects() == 1] == 2).all()
    use(tab, "split")
    hand.drag(*((y * to_world, 9.5 * to_world) for y in (0, 5, 10)))
    assert numbers(layer.data) == [2, 3, 4, 5]


class TestMerge:
    def test_click_one_piece_and_shift_click_the_others(self, tab, layer, hand):
        use(tab, "merge")
        hand.click(5, 12)
        assert "Object 2" in tab.status.text()
        assert layer.selected_label == 2
        hand.shift_click(5, 5)
        assert tab.status.text() == "Merged object 1 into object 2."
        hand.shift_click(14, 5)
        assert numbers(layer.data) == [2, 4]

    def test_a_first_click_with_shift_chooses(self, tab, layer, hand):
        use(tab, "merge")
        hand.shift_click(5, 12)
        assert (layer.data == cut_objects()).all()
        assert "Object 2" in tab.status.text()

    def test_it_needs_no_result(self, tab, layer, hand, results):
        results.clear()
        tab.control.refresh()
        use(tab, "merge")
        hand.click(5, 5)
        hand.shift_click(5, 12)
        assert numbers(layer.data) == [1, 3, 4]

    @pytest.mark.parametrize(("place", "words"), [((0, 0), "no object here"), ((5, 5), "already")])
    def test_what_cannot_be_merged_is_answered(self, tab, hand, notifications, place, words):
        use(tab, "merge")
        hand.click(5, 5)
        hand.shift_click(*place)
        [(severity, message)] = notifications()
        assert severity == "info" and words in message

    def test_pieces_of_different_frames_stay_apart(self, viewer, tab, results, hand, notifications):
        labels = np.stack([cut_objects(), cut_objects() + 10])
        results["stack"] = correctable(labels, report=None)
        viewer.add_labels(labels, name="stack")
        use(tab, "merge")
        hand.click(0, 5, 5)
        hand.shift_click(1, 5, 5)
        assert "different frames" in notifications()[0][1]


class TestSplit:
    def test_a_line_across_an_object_cuts_it(self, viewer, tab, layer, hand):
        use(tab, "split")
        hand.drag((5, 1), (5, 6), (5, 9), (5, 11))
        assert numbers(layer.data[2:8, 4:10]) == [1, 5]
        assert (layer.data[:, 10:] == cut_objects()[:, 10:]).all()
        assert tab.status.text() == "Split object 1 into 2 pieces."

    def test_the_line_is_seen_while_it_is_drawn(self, viewer, tab, layer, hand):
        use(tab, "split")
        hand.press((5, 1))
        hand.move((5, 6))
        hand.move((6, 12))
        line = viewer.layers["Cut"]
        assert line.data[-1].tolist() == [[5, 6], [1, 6]]
        assert viewer.layers.selection.active is layer
        assert not layer.mouse_pan
        hand.release((6, 12))
        assert layer.mouse_pan and not line.visible
        hand.press((5, 1))
        hand.move((4, 3))
        assert line.visible and line.data.tolist() == [[[5, 1], [-1, 2]]]
        hand.release((4, 3))
        tab.tools.choose("off")
        assert list(viewer.layers) == [layer]

    def test_new_numbers_are_none_that_the_report_knows(self, tab, layer, hand):
        layer.data[layer.data > 2] = 0
        use(tab, "split")
        hand.drag((5, 1), (5, 11))
        assert numbers(layer.data) == [1, 2, 5]

    @pytest.mark.parametrize(
        ("line", "words"), [(((5, 1), (5, 6)), "object 1 in two"), (((0, 0), (0, 9)), "no object")]
    )
    def test_a_line_that_cuts_nothing_is_answered(
        self, tab, layer, hand, notifications, line, words
    ):
        use(tab, "split")
        hand.drag(*line)
        [(severity, message)] = notifications()
        assert severity == "info" and words in message
        assert (layer.data == cut_objects()).all()

    def test_a_click_draws_no_line(self, tab, hand, notifications):
        use(tab, "split")
        hand.click(5, 5)
        assert notifications() == []

    def test_scale_and_slice_of_a_volume_are_respected(self, viewer, tab, hand):
        volume = viewer.add_labels(np.stack([cut_objects()] * 3), scale=(2, 0.5, 0.5))
        use(tab, "split")
        hand.drag((2, 2.5, 0.5), (2, 2.5, 5.5))
        assert numbers(volume.data[:, 2:8, 4:10]) == [1, 5]
        assert (volume.data == volume.data[0]).all()

    def test_in_a_view_from_another_side(self, viewer, tab, hand):
        volume = viewer.add_labels(np.stack([cut_objects()] * 8))
        use(tab, "split")
        viewer.dims.order = (1, 2, 0)
        hand.drag((3, 5, -1), (3, 5, 30))
        assert len(numbers(volume.data[:, 2:8, 4:10])) == 2
        assert (volume.data[:4, 2:8] == volume.data[0, 2]).all()


class TestHistory:
    def test_each_action_is_one_step(self, tab, layer, hand):
        use(tab, "pick")
        hand.click(5, 12)
        use(tab, "merge")
        hand.click(14, 5)
        hand.shift_click(14, 12)
        states = [layer.data.copy()]
        tab.undo.click()
        assert numbers(layer.data) == [2, 3, 4]
        tab.undo.click()
        assert (layer.data == cut_objects()).all()
        assert tab.status.text() == "Undone."
        tab.redo.click()
        tab.redo.click()
        assert (layer.data == states[0]).all()
        assert tab.status.text() == "Done again."

    def test_napari_tools_share_it(self, tab, layer, hand):
        use(tab, "split")
        hand.drag((5, 1), (5, 11))
        after_split = layer.data.copy()
        layer.paint((20, 20), 9)
        use(tab, "merge")
        hand.click(14, 5)
        hand.shift_click(14, 12)
        tab.undo.click()
        assert 9 in layer.data and 4 in layer.data
        layer.undo()  # as Ctrl+Z on the canvas
        assert (layer.data == after_split).all()
        tab.undo.click()
        assert (layer.data == cut_objects()).all()
        layer.redo()
        assert (layer.data == after_split).all()

    def test_a_step_that_is_not_there_is_answered(self, tab, layer):
        tab.undo.click()
        assert tab.status.text() == "There is no such step."
        tab.redo.click()
        assert (layer.data == cut_objects()).all()


class TestMend:
    def test_all_seam_splits_are_mended_in_one_step(self, tab, layer):
        assert tab.mend.text() == "M&end all seam splits (2)"
        tab.mend.click()
        assert (layer.data == whole_objects()).all()
        assert tab.status.text() == "Mended 2 objects."
        assert not tab.mend.isEnabled()
        tab.undo.click()
        assert (layer.data == cut_objects()).all()
        assert tab.mend.text() == "M&end all seam splits (2)"

    def test_what_was_merged_by_hand_counts_no_more(self, tab, layer, hand):
        use(tab, "merge")
        hand.click(5, 5)
        hand.shift_click(5, 12)
        assert tab.mend.text() == "M&end all seam splits (1)"
        tab.mend.click()
        assert tab.status.text() == "Mended 1 object."

    def test_what_napari_itself_takes_back_can_be_mended_again(self, tab, layer):
        tab.mend.click()
        layer.undo()
        assert tab.mend.isEnabled() and tab.mend.text() == "M&end all seam splits (2)"
        layer.redo()
        assert not tab.mend.isEnabled()

    def test_without_a_report_there_is_nothing_to_mend(self, tab, results):
        results["cut"] = replace(results["cut"], report=None)
        tab.control.refresh()
        assert not tab.mend.isEnabled()
        assert "Nothing to mend" in tab.mend.toolTip()
