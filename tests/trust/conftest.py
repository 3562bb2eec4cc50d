"""What the tests of trust share: counts of what was tried, and the table at the end."""

from __future__ import annotations

import os
from collections import Counter

import pytest
from networks import save_tiny
from shell import Shell, call

KINDS = {
    "input": "inputs tried / handled",
    "model": "model files tried / handled",
    "fault": "faults injected / survived",
    "number": "numbers checked / right",
}


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


def pytest_terminal_summary(terminalreporter):
    tried, handled, bytes_lost = Counter(), Counter(), 0
    for outcome in ("passed", "failed"):
        for report in terminalreporter.getreports(outcome):
            if getattr(report, "when", "") != "call":
                continue
            for name, value in report.user_properties:
                if name == "trust":
                    tried[value] += 1
                    handled[value] += outcome == "passed"
                elif name == "bytes lost":
                    bytes_lost += value
    if not tried:
        return
    terminalreporter.section("trust")
    for kind, title in KINDS.items():
        terminalreporter.write_line(f"{title:<32}{tried[kind]:>6} / {handled[kind]}")
    terminalreporter.write_line(f"{'bytes lost':<32}{bytes_lost:>6}")
