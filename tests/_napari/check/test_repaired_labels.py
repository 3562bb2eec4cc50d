"""What a user repairs with the widget Check labels, and takes back."""

import numpy as np
from check_scene import cut, discs
from qtpy.QtWidgets import QApplication


class TestRepair:
    def test_makes_a_new_layer_and_says_what(self, viewer, view, theirs, check, repair):
        before = theirs.data.copy()
        check()
        assert view.repair.proposal.text().startswith("Merges ")
        repair()
        np.testing.assert_array_equal(theirs.data, before)
        mended = viewer.layers["theirs, repaired"]
        assert len(np.unique(mended.data)) < len(np.unique(before)) - 20
        np.testing.assert_array_equal(mended.translate, theirs.translate)
        assert "pieces became" in view.repair.done.text()
        assert "Your layer is as it was" in view.repair.done.text()
        assert mended.visible and not theirs.visible

    def test_follows_the_confidence(self, viewer, view, theirs, check, repair):
        check()
        few = viewer.layers[0].data.max() + 1
        view.repair.slider.setValue(100)
        repair()
        layer = viewer.layers["theirs, repaired"]
        strict = len(np.unique(layer.data))
        view.repair.slider.setValue(0)
        repair()
        assert viewer.layers["theirs, repaired"] is layer
        assert len(np.unique(layer.data)) < strict < few
        assert "theirs, repaired [1]" not in viewer.layers

    def test_is_undone(self, viewer, view, theirs, check, repair):
        check()
        repair()
        view.repair.undo.click()
        assert "theirs, repaired" not in viewer.layers
        assert theirs.visible and "is gone" in view.repair.done.text()
        assert not view.repair.undo.isEnabled()

    def test_is_undone_around_a_persons_edits(self, viewer, view, theirs, check, repair):
        check()
        repair()
        layer = viewer.layers["theirs, repaired"]
        layer.data_setitem((np.array([0, 0]), np.array([0, 1])), 9999)
        view.repair.undo.click()
        expected = theirs.data.copy()
        expected[0, :2] = 9999
        np.testing.assert_array_equal(layer.data, expected)
        assert "your edits stay" in view.repair.done.text()

    def test_an_edited_repair_is_not_replaced(self, viewer, view, theirs, check, repair):
        check()
        repair()
        viewer.layers["theirs, repaired"].data_setitem((np.array([0]), np.array([0])), 9999)
        repair()
        assert "theirs, repaired [1]" in viewer.layers

    def test_is_of_the_chosen_layer_alone(self, viewer, view, theirs, check):
        check()
        assert view.repair.repair.isEnabled()
        viewer.add_labels(discs(), name="others")
        view.layers.choose(viewer.layers["others"])
        assert not view.repair.repair.isEnabled()
        view.layers.choose(theirs)
        assert view.repair.repair.isEnabled()

    def test_of_a_series_is_named_after_its_frame_and_leaves_the_series(
        self, viewer, view, check, repair
    ):
        series = viewer.add_labels(np.stack([cut(discs()), cut(discs())]), name="series")
        viewer.dims.set_point(0, 1)
        view.axes.choose("frame")
        check()
        repair()
        assert "series, frame 1, repaired" in viewer.layers
        assert series.visible

    def test_of_labels_that_changed_is_refused(
        self, viewer, view, theirs, check, repair, notifications
    ):
        check()
        theirs.data[0, 0] = 9999  # as a script may, which tells nobody
        repair()
        assert "theirs was changed since the check" in notifications()[-1][1]
        assert "theirs, repaired" not in viewer.layers

    def test_that_has_a_name_of_its_own_stays_when_the_next_one_comes(
        self, viewer, view, theirs, check, repair
    ):
        check()
        repair()
        mine = viewer.layers["theirs, repaired"]
        mine.name, before = "my good result", mine.data.copy()
        view.repair.slider.setValue(95)
        repair()
        assert "theirs, repaired" in viewer.layers
        np.testing.assert_array_equal(mine.data, before)

    def test_lies_where_its_labels_lie(self, viewer, view, theirs, check, repair):
        check()
        repair()
        theirs.scale, theirs.translate = (0.5, 0.25), (3, 4)
        QApplication.processEvents()
        mended = viewer.layers["theirs, repaired"]
        np.testing.assert_array_equal(mended.scale, theirs.scale)
        np.testing.assert_array_equal(mended.translate, theirs.translate)

    def test_a_deleted_repair_is_no_longer_undone(self, viewer, view, theirs, check, repair):
        check()
        repair()
        viewer.layers.remove("theirs, repaired")
        assert not view.repair.undo.isEnabled()
