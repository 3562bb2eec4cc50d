"""The Correct tab in napari's window: layers that come and go, views, and the real canvas."""

import numpy as np
import pytest
from correct_scene import Hand, correctable, cut_objects, numbers, use, whole_objects

from napari_shiftseg._napari.camera import camera_of
from napari_shiftseg._napari.correct.control import CorrectControl
from napari_shiftseg._napari.correct.tab import CorrectTab


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
def tab(viewer, layer, results):
    tab = CorrectTab(viewer)
    tab.control = CorrectControl(viewer, tab, lambda layer: results.get(layer.name))
    viewer.window.add_dock_widget(tab, name="Correct")
    return tab


class TestLayer:
    def callbacks(self, layer):
        return [c for c in layer.mouse_drag_callbacks if "shiftseg" in c.__module__]

    def test_the_mouse_is_watched_while_a_tool_is_on(self, tab, layer):
        for tool in ("pick", "merge", "split"):
            use(tab, tool)
            assert len(self.callbacks(layer)) == 1
        use(tab, "off")
        assert self.callbacks(layer) == []

    def test_a_closed_dock_lets_go(self, tab, layer):
        use(tab, "merge")
        tab.control.stop()
        assert self.callbacks(layer) == []

    def test_the_choice_follows_the_layer_list(self, viewer, tab, layer):
        use(tab, "merge")
        other = viewer.add_labels(cut_objects(), name="other")
        assert tab.layers.layer is other
        assert self.callbacks(layer) == [] and len(self.callbacks(other)) == 1

    def test_a_layer_deleted_with_a_tool_on(self, viewer, tab, layer):
        use(tab, "split")
        viewer.layers.remove(layer)
        assert tab.tool == "off"
        assert self.callbacks(layer) == []
        assert not tab.undo.isEnabled()
        assert "labels layer to correct" in tab.instruction.text()

    def test_another_layer_is_not_touched_instead(self, viewer, tab, layer):
        other = viewer.add_labels(cut_objects(), name="other")
        viewer.layers.selection.active = layer
        use(tab, "merge")
        viewer.layers.remove(layer)
        assert tab.layers.layer is other
        assert tab.tool == "off" and self.callbacks(other) == []

    def test_a_layer_deleted_in_the_middle_of_a_line(self, viewer, tab, layer, hand):
        use(tab, "split")
        hand.press((5, 1))
        hand.move((5, 6))
        viewer.layers.remove(layer)
        assert len(viewer.layers) == 0

    def test_a_renamed_layer_stays_the_one(self, tab, layer, hand, results):
        use(tab, "pick")
        results["renamed"] = results.pop("cut")
        layer.name = "renamed"
        hand.click(5, 12)
        assert numbers(layer.data) == [2, 3, 4]

    def test_choosing_a_tool_takes_the_mouse_to_the_layer(self, viewer, tab, layer):
        viewer.add_image(np.zeros((24, 30)))
        layer.mode = "paint"
        use(tab, "merge")
        assert viewer.layers.selection.active is layer
        assert layer.mode == "pan_zoom"

    def test_napari_own_tools_come_first(self, tab, layer, hand):
        use(tab, "merge")
        hand.click(5, 12)
        layer.mode = "fill"
        layer.selected_label = 9
        assert "choose pan/zoom" in tab.instruction.text() and tab.instruction.is_warning
        hand.shift_click(5, 5)
        assert numbers(layer.data) == [2, 3, 4, 9]
        layer.mode = "pan_zoom"
        assert "shift-click the others" in tab.instruction.text()

    def test_while_another_layer_is_selected_the_tool_waits(self, viewer, tab, layer):
        use(tab, "merge")
        viewer.add_image(np.zeros((24, 30)))
        assert "Select “cut”" in tab.instruction.text()
        viewer.layers.selection.active = layer
        assert not tab.instruction.is_warning

    def test_in_three_dimensions_the_tool_waits(self, viewer, tab, hand):
        volume = viewer.add_labels(np.stack([cut_objects()] * 3))
        use(tab, "merge")
        viewer.dims.ndisplay = 3
        assert "2-D view" in tab.instruction.text()
        hand.click(1, 5, 5)
        assert tab.status.text() == ""
        viewer.dims.ndisplay = 2
        hand.click(1, 5, 5)
        assert "Object 1" in tab.status.text()
        assert volume.selected_label == 1

    def test_mending_works_in_any_view(self, viewer, tab, results):
        labels = np.stack([cut_objects()] * 3)
        results["volume"] = correctable(labels, spatial_ndim=3)
        volume = viewer.add_labels(labels, name="volume")
        viewer.dims.ndisplay = 3
        tab.mend.click()
        assert (volume.data == whole_objects()).all()

    def test_a_hidden_layer_is_not_changed_unseen(self, tab, layer):
        layer.visible = False
        assert "hidden" in tab.instruction.text()
        assert not tab.tools.buttons["merge"].isEnabled() and not tab.mend.isEnabled()
        layer.visible = True
        assert tab.mend.isEnabled()
        assert tab.tools.buttons["merge"].isEnabled()

    @pytest.mark.parametrize("kind", ["pyramid", "lazy", "read-only", "locked"])
    def test_labels_that_cannot_be_changed_say_so(self, viewer, tab, kind):
        data = cut_objects()
        if kind == "pyramid":
            data = [data, data[::2, ::2]]
        elif kind == "lazy":
            data = pytest.importorskip("dask.array").from_array(data)
        elif kind == "read-only":
            data.flags.writeable = False
        added = viewer.add_labels(data)
        added.editable = kind != "locked" and added.editable
        words = {"pyramid": "several resolutions", "lazy": "piece by piece"}.get(kind, kind)
        assert words in tab.instruction.text()
        assert not tab.undo.isEnabled() and not tab.tools.buttons["split"].isEnabled()

    def test_labels_of_one_byte_end_at_255(self, viewer, tab, hand, notifications):
        viewer.add_labels(np.where(cut_objects() == 1, 255, 0).astype(np.uint8))
        use(tab, "split")
        hand.drag((5, 1), (5, 11))
        assert "uint8 end at 255" in notifications()[0][1]


def canvas_event(viewer, kind, place, **how):
    """Send an event through napari's canvas, as the window does."""
    canvas = viewer.window._qt_viewer.canvas
    pos = canvas.view.scene.transform.map(place[::-1])[:2]
    getattr(canvas._scene_canvas.events, kind)(pos=pos, **how)


@pytest.mark.parametrize(("tool", "moves"), [("merge", True), ("split", False)])
def test_on_the_real_canvas(viewer, tab, layer, tool, moves):
    use(tab, tool)
    start = camera_of(viewer).center
    canvas_event(viewer, "mouse_press", (5, 1), button=1, modifiers=())
    assert layer.mouse_pan is moves
    canvas_event(viewer, "mouse_release", (5, 1), button=1, modifiers=())
    assert layer.mouse_pan and camera_of(viewer).center == start
    canvas_event(viewer, "mouse_press", (5, 6), button=1, modifiers=())
    canvas_event(viewer, "mouse_release", (5, 6), button=1, modifiers=())
    assert ("Object 1" in tab.status.text()) is moves


def test_every_control_says_what_it_is_for(tab):
    controls = [tab.layers, tab.undo, tab.redo, tab.mend, *tab.tools.buttons.values()]
    assert all(control.toolTip() for control in controls)
