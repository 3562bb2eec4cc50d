"""What is drawn of a finding while another one takes its place."""

import numpy as np
import pytest
from check_scene import cut, discs, rings


@pytest.fixture
def volume(viewer, dock):
    return viewer.add_labels(np.stack([cut(discs())] * 5), name="volume")


def test_a_slider_that_moves_while_a_volume_follows_a_plane_breaks_nothing(
    qtbot, viewer, dock, view, theirs, volume, check
):
    view.layers.choose(theirs)
    check()
    view.layers.choose(volume)
    view.run.run.click()
    control, moved = dock.control, 0
    while control.runner.running or control.turns.busy:
        viewer.dims.set_current_step(0, moved % 5)
        moved += 1
        qtbot.wait(2)
    assert moved > 1
    assert dock.control.overlay.grid.ndim == rings(viewer).ndim == 3
    assert len(rings(viewer).data) == view.table.rowCount()


def test_rings_lie_where_the_slider_is_that_moved_while_they_were_made(
    qtbot, viewer, dock, volume, check
):
    check()
    rings(viewer).visible = True
    viewer.dims.set_current_step(0, 3)
    assert set(rings(viewer).data[:, 0]) == {3}


def test_a_renamed_layer_is_called_by_its_name(qtbot, viewer, dock, view, theirs, check):
    view.layers.choose(theirs)
    check()
    theirs.name = "mine"
    qtbot.waitUntil(lambda: "“mine”" in view.finding.text())
    qtbot.waitUntil(lambda: not dock.control.turns.busy)
    overlay = dock.control.overlay
    assert (overlay.grid.name, overlay.rings.name) == ("Grid found (mine)", "Cuts (mine)")


def test_without_labels_it_says_what_to_open(viewer, view):
    assert "Convert to Labels" in view.finding.text()
    viewer.add_labels(cut(discs()))
    assert "is listed here" in view.finding.text()
