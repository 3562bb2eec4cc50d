"""No two layers come or go in one turn of the event loop: the window would not answer."""

import numpy as np
import pytest
from qtpy.QtCore import QTimer

from napari_shiftseg._napari.turns import Turns


@pytest.fixture
def turns():
    return Turns()


def steps(done, name, count):
    for number in range(count):
        done.append(f"{name}{number}")
        yield


def finish(qtbot, turns):
    qtbot.waitUntil(lambda: not turns.busy)


def test_nothing_is_done_at_once_and_all_in_order(qtbot, turns):
    done = []
    turns.do(steps(done, "a", 2))
    turns.do(steps(done, "b", 1))
    assert done == [] and turns.busy
    finish(qtbot, turns)
    assert done == ["a0", "a1", "b0"]


def test_a_free_timer_ticks_between_two_steps(qtbot, turns):
    done = []
    ticker = QTimer()
    ticker.timeout.connect(lambda: done.append("tick"))
    ticker.start(0)
    turns.do(steps(done, "a", 3))
    finish(qtbot, turns)
    assert "tick" in done[done.index("a0") : done.index("a1")]
    assert "tick" in done[done.index("a1") : done.index("a2")]


def test_what_is_stopped_is_forgotten(qtbot, turns):
    done = []
    turns.do(steps(done, "a", 3))
    turns.stop()
    turns.do(steps(done, "b", 1))
    finish(qtbot, turns)
    assert done == ["b0"]


def test_a_step_may_stop_everything(qtbot, turns):
    def last():
        turns.stop()
        yield

    done = []
    turns.do(last())
    turns.do(steps(done, "a", 1))
    finish(qtbot, turns)
    assert done == []


def test_a_defect_ends_what_it_is_in_and_nothing_else(qtbot, turns):
    def broken():
        raise RuntimeError("out of order")
        yield

    done = []
    turns.do(broken())
    turns.do(steps(done, "a", 1))
    with qtbot.captureExceptions() as caught:
        finish(qtbot, turns)
    assert len(caught) == 1 and done == ["a0"]


class Loop:
    """Counts turns of the event loop, and how many layers come or go in each."""

    def __init__(self, viewer):
        self.changes = [0]
        self.timer = QTimer()
        self.timer.timeout.connect(lambda: self.changes.append(0))
        self.timer.start(0)
        viewer.layers.events.inserted.connect(self._on_change)
        viewer.layers.events.removed.connect(self._on_change)

    def _on_change(self, event):
        self.changes[-1] += 1


def test_layers_of_a_whole_session_come_one_by_one(qtbot, viewer, widget, rest):
    loop = Loop(viewer)
    viewer.add_image(np.zeros((48, 40), np.uint8), name="field")
    rest()
    compare = widget.compare
    compare.rows[0].tile.setValue(14)
    with qtbot.waitSignal(widget.compare_control.runner.succeeded, timeout=20_000):
        compare.run.run.click()
    rest()
    for way in ("curtain", "side by side", "A"):
        compare.show_as.switch.buttons[way].click()
        rest()
    with qtbot.waitSignal(widget.runner.succeeded, timeout=20_000):
        widget.segment.run.run.click()
    rest()
    assert sum(loop.changes) > 8
    assert max(loop.changes) == 1
