"""The widget Audit model as a person opens it, and networks to ask it about."""

import threading

import numpy as np
import pytest
import torch
from torch import nn
from window import PATIENCE

from napari_shiftseg._napari.audit import job, network_section
from napari_shiftseg.network_audit.subject import quiet


@pytest.fixture(autouse=True)
def on_offer(bundled, monkeypatch):
    """Two tiny models instead of those of the package; their files are opened by path."""
    monkeypatch.setattr(network_section, "bundled_models", lambda: {})
    return bundled


@pytest.fixture
def dock(open_dock, on_offer):
    """The widget as the Plugins menu opens it, with a padded network of period 2 chosen."""
    return open_dock("Audit model")


@pytest.fixture
def view(dock):
    return dock.view


@pytest.fixture
def rest(qtbot, dock):
    return lambda: qtbot.waitUntil(lambda: not dock.control.busy, timeout=PATIENCE)


@pytest.fixture
def recorded(tmp_path):
    """Write a TorchScript file."""

    def write(*layers, name="recorded.pt"):
        torch.manual_seed(0)
        network = nn.Sequential(*layers).eval()
        path = tmp_path / name
        with quiet():
            torch.jit.trace(network, torch.zeros(1, 1, 32, 32)).save(str(path))
        return path

    return write


@pytest.fixture
def pooled(recorded):
    return recorded(
        nn.Conv2d(1, 3, 3, padding=1),
        nn.MaxPool2d(2),
        nn.Conv2d(3, 3, 3, padding=1),
        nn.ConvTranspose2d(3, 2, 2, stride=2),
    )


@pytest.fixture
def audit(view, rest):
    def press(path):
        view.network.open_file(path)
        view.run.run.click()
        rest()

    return press


@pytest.fixture
def scene(viewer, dock):
    pixels = np.random.default_rng(0).normal(size=(96, 96)).astype(np.float32)
    return viewer.add_image(pixels, name="noise", scale=(0.5, 0.5), translate=(10, -4))


@pytest.fixture
def tile(view, rest):
    def press():
        view.image.run.run.click()
        rest()

    return press


@pytest.fixture
def held(monkeypatch):
    """Hold the comparison in its thread until the test lets it go."""
    reached, go = threading.Event(), threading.Event()

    def wait(*arguments, **keywords):
        reached.set()
        go.wait(20)
        return events(*arguments, **keywords)

    events = job.diagnose_events
    monkeypatch.setattr(job, "diagnose_events", wait)
    yield reached
    go.set()
