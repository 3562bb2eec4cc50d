"""The widget Check labels, and the buttons that a user presses."""

import pytest
from check_scene import cut, discs
from window import PATIENCE


@pytest.fixture
def dock(open_dock):
    """The widget as the Plugins menu opens it."""
    return open_dock("Check labels")


@pytest.fixture
def view(dock):
    return dock.view


@pytest.fixture
def theirs(viewer, dock):
    placed = {"scale": (2, 2), "translate": (100, -30)}
    return viewer.add_labels(cut(discs()), name="theirs", **placed)


@pytest.fixture
def rest(qtbot, dock):
    """Wait until nothing runs and all layers are there."""
    control = dock.control

    def wait():
        qtbot.waitUntil(
            lambda: not (control.runner.running or control.repairs.running or control.turns.busy),
            timeout=PATIENCE,
        )

    return wait


@pytest.fixture
def check(view, rest):
    def press():
        view.run.run.click()
        rest()

    return press


@pytest.fixture
def repair(view, rest):
    def press():
        view.repair.repair.click()
        rest()

    return press
