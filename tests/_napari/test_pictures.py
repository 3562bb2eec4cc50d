"""No dock changes and keeps its old picture: what it says is kept beside the pictures."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from faces import DOCKS, RECORD, pictures_of

ROOT = Path(__file__).parents[2]
PICTURES = ROOT / "docs" / "images"
ANEW = "it has changed since its pictures were taken: make pictures, and look at them"


@pytest.fixture(scope="module")
def record():
    return json.loads((PICTURES / RECORD).read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def says(tmp_path_factory):
    """What the docks say in a window of their own, as on a user's first day."""
    folder = tmp_path_factory.mktemp("faces")
    command = [sys.executable, str(ROOT / "examples" / "faces.py"), str(folder)]
    subprocess.run(command, check=True, capture_output=True)
    return json.loads((folder / RECORD).read_text(encoding="utf-8"))["says"]


@pytest.mark.parametrize("dock", DOCKS)
def test_a_dock_says_what_it_said_when_it_was_photographed(says, record, dock):
    assert says[dock] == record["says"][dock], ANEW


def test_the_pictures_are_those_that_were_taken_then(record):
    assert pictures_of(PICTURES) == record["pictures"], "make pictures takes all of them"


def test_every_dock_has_a_picture_in_each_theme():
    for globs in DOCKS.values():
        names = {path.stem for pattern in globs for path in PICTURES.glob(pattern)}
        assert any(name.endswith("-light") for name in names)
        assert any(not name.endswith("-light") for name in names)


def test_the_pictures_together_are_small():
    assert sum(path.stat().st_size for path in PICTURES.glob("*.png")) < 15e6
