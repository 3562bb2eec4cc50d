"""What the tests of trust share; what they try is counted by ``run.py``."""

from __future__ import annotations

import os

import pytest
from networks import save_tiny
from shell import Shell, call


def pytest_configure(config):
    config.addinivalue_line("markers", "trust(kind): counts in the table of make trust")
    config.addinivalue_line("markers", "slow_trust: only in make trust")


def pytest_collection_modifyitems(config, items):
    """Leave what takes long to ``make trust``."""
    if os.environ.get("SHIFTSEG_TRUST") == "full":
        return
    slow = [item for item in items if item.get_closest_marker("slow_trust")]
    items[:] = [item for item in items if item not in slow]
    config.hook.pytest_deselected(items=slow)


@pytest.fixture(autouse=True)
def counted(request, record_property):
    """Tell the table what a test tries."""
    mark = request.node.get_closest_marker("trust")
    if mark is not None:
        record_property("trust", mark.args[0])


@pytest.fixture
def lost(record_property):
    """Count the bytes of the user's that a fault has cost, then see that they are none."""

    def count(number: int) -> None:
        record_property("bytes lost", number)
        assert number == 0

    return count


@pytest.fixture
def model(tmp_path):
    return save_tiny(tmp_path / "tiny.safetensors")


@pytest.fixture
def shiftseg(capsys) -> Shell:
    return lambda *words: call(capsys, *words)
