"""What memory there is."""

import os

from napari_shiftseg import memory


def test_free_memory_is_known_without_psutil(monkeypatch):
    assert 10**6 < memory.default_memory() < memory.free_memory()
    assert memory._free_by_system() > 10**6
    monkeypatch.delattr(os, "sysconf", raising=False)
    assert memory._free_by_system() == 4 * 10**9
