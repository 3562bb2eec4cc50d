"""The widget Train with images, and gates that hold what it does."""

import threading
from pathlib import Path

import pytest
from train_scene import TINY, give

from napari_shiftseg.samples.discs import disc_image
from napari_shiftseg.training import run as training_run
from napari_shiftseg.training.fit import StepDone
from napari_shiftseg.training.run import TrainingRun


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
