"""Whatever is dropped: the right result, or one line that says why not."""

from __future__ import annotations

import pytest
from corpus import CASES
from networks import save_tiny
from ways import WAYS, little_memory

pytestmark = pytest.mark.trust("input")


def trials():
    for case in CASES:
        for way, (field, _) in WAYS.items():
            if getattr(case, field) is not None:
                yield pytest.param(case, way, id=f"{case.name} - {way}")


@pytest.fixture(scope="session")
def model(tmp_path_factory):
    return save_tiny(tmp_path_factory.mktemp("model") / "tiny.safetensors")


@pytest.mark.parametrize(("case", "way"), list(trials()))
def test_what_is_dropped(case, way, tmp_path, model, capsys):
    path = case.make(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    with little_memory():
        answer = WAYS[way][1](case, path, model, capsys)
    assert not answer.wrong, f"{answer.said} - {answer.wrong}"
    assert sorted(tmp_path.rglob("*")) == before, "the user's folder has changed"
