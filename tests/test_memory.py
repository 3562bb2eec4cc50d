"""What memory there is."""

import os

import pytest

from napari_shiftseg import memory


def test_free_memory_is_known_without_psutil(monkeypatch):
    assert 10**6 < memory.default_memory() < memory.free_memory()
    assert memory._free_by_system() > 10**6
    monkeypatch.delattr(os, "sysconf", raising=False)
    assert memory._free_by_system() == 4 * 10**9


@pytest.mark.parametrize(
    ("group", "files", "left"),
    [
        ("0::/job", {"job/memory.max": "5000", "job/memory.current": "3000"}, [2700]),
        ("0::/job/step", {"job/memory.max": "5000", "job/memory.current": "3000"}, [2700]),
        ("0::/", {"memory.max": "max", "memory.current": "3000"}, []),
        (
            "4:cpu,memory:/job",
            {"memory/job/memory.limit_in_bytes": "5000", "memory/job/memory.usage_in_bytes": "10"},
            [5690],
        ),
        ("3:cpu:/job", {"job/memory.max": "5000", "job/memory.current": "3000"}, []),
    ],
)
def test_containers_and_batch_systems_may_allow_less(tmp_path, group, files, left):
    for name, text in files.items():
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        (file.parent / "memory.stat").write_text("inactive_file 700\ntotal_inactive_file 700\n")
    own = tmp_path / "own"
    own.write_text(f"{group}\n")
    assert list(memory._left_in_groups(tmp_path, own)) == left


def test_the_memory_of_this_process_is_that_of_its_group(monkeypatch):
    monkeypatch.setattr(memory, "_left_in_groups", lambda: iter([10**6]))
    assert memory.free_memory() == 10**6


@pytest.mark.parametrize(
    ("count", "words"),
    [
        (1, "0.1 kB"),
        (30_000, "30 kB"),
        (1_210_000, "1.3 MB"),
        (42_100_000, "43 MB"),
        (9_990_000_000, "10 GB"),
    ],
)
def test_an_amount_in_words_is_enough_and_has_few_digits(count, words):
    assert memory.in_bytes(count) == words
