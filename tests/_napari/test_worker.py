"""Runs in threads, beside each other and after each other."""

import sys
import threading
import warnings

import pytest
from qtpy.QtCore import QThreadPool

from napari_shiftseg._napari.events import Progress
from napari_shiftseg._napari.worker import Runner


def until(gate):
    """Run until the gate opens."""
    yield Progress(0.5, "waits")
    gate.wait(10)
    yield "result"


@pytest.fixture
def overlap(viewer, qtbot):
    """Two runs, of which the first ends first."""

    def run():
        runners, gates = [Runner(quiet=True), Runner(quiet=True)], [threading.Event() for _ in "12"]
        for runner, gate in zip(runners, gates, strict=True):
            with qtbot.waitSignal(runner.progressed):
                runner.start(until(gate), "wait")
        for runner, gate in zip(runners, gates, strict=True):
            with qtbot.waitSignal(runner.succeeded) as told:
                gate.set()
            assert told.args == ["result"]

    return run


def test_runs_that_overlap_leave_the_warnings_of_the_process_alone(overlap, viewer):
    before = warnings.showwarning, list(warnings.filters)
    overlap()
    assert (warnings.showwarning, list(warnings.filters)) == before


@pytest.fixture
def cores(viewer):
    """The threads of a machine of one core."""
    pool = QThreadPool.globalInstance()
    most = pool.maxThreadCount()
    pool.setMaxThreadCount(1)
    yield pool
    pool.setMaxThreadCount(most)


def test_a_run_does_not_wait_for_those_of_other_docks(overlap, cores):
    overlap()


def test_code_that_ends_itself_ends_its_run_with_a_word(qtbot, viewer):
    def ends():
        yield Progress(0.5, "loads")
        sys.exit("usage: train.py DATA")

    runner = Runner(quiet=True)
    with qtbot.waitSignal(runner.failed) as told:
        runner.start(ends(), "ends")
    assert "SystemExit" in told.args[0] and "usage: train.py DATA" in told.args[0]
    assert not runner.running
