"""Bytes that a coverage-guided fuzzer chooses: refused or understood, never a defect."""

from __future__ import annotations

import os
import sys

import pytest

pytest.importorskip("atheris", reason="the fuzzer is there for Linux and some versions of Python")

from fuzz import EVERY, fuzz
from fuzz_targets import TARGETS

pytestmark = pytest.mark.trust("fuzz")

SECONDS = os.environ.get("SHIFTSEG_FUZZ_SECONDS", "20")
"""Per target, in ``make trust``."""

RUNS = 1500
"""In ``make test``, of all targets together."""


def fuzzed(name, folder, record_property, *limits):
    result = fuzz(name, folder, *limits)
    record_property("fuzz executions", result.executions)
    record_property("fuzz crashes", len(result.crashes))
    again = [f"{sys.executable} tests/trust/fuzz.py {name} --again {c}" for c in result.crashes]
    assert not result.crashes, "\n".join([result.said[-4000:], *again])
    return result.executions


def test_no_bytes_find_a_defect(tmp_path, record_property):
    assert fuzzed(EVERY, tmp_path, record_property, f"-runs={RUNS}", "-seed=1") >= RUNS


@pytest.mark.slow_trust
@pytest.mark.parametrize("name", TARGETS)
def test_no_bytes_find_a_defect_in(name, tmp_path, record_property):
    assert fuzzed(name, tmp_path, record_property, f"-max_total_time={SECONDS}") > 100


@pytest.mark.parametrize("name", TARGETS)
def test_the_seeds_are_understood(name):
    for seed in TARGETS[name].seeds():
        TARGETS[name].exact(seed)
