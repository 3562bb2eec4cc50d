"""A graphics card is given its next work before the last is handed out."""

import numpy as np
import pytest
import torch
from test_execute import CPU, GEOMETRY, executed, limited

from napari_shiftseg.embeddings import execute
from napari_shiftseg.embeddings.transfer import one_ahead, to_device, to_host
from napari_shiftseg.embeddings.unet import Architecture
from napari_shiftseg.tiles.plan import make_plan
from random_networks import random_network
from test_corollary_4 import image_for

CARD = torch.device("cuda")


def happenings(device):
    seen = []

    def work():
        for number in range(3):
            seen.append(f"begin {number}")
            yield number

    for number in one_ahead(work(), device):
        seen.append(f"hand out {number}")
    return seen


def test_on_a_card_the_next_has_begun_when_one_is_handed_out():
    assert happenings(CARD) == [
        "begin 0",
        "begin 1",
        "hand out 0",
        "begin 2",
        "hand out 1",
        "hand out 2",
    ]


def test_on_the_processor_each_is_handed_out_at_once():
    assert happenings(CPU)[:4] == ["begin 0", "hand out 0", "begin 1", "hand out 1"]


def test_nothing_to_do_hands_out_nothing():
    assert list(one_ahead([], CARD)) == []


@pytest.mark.parametrize("rows", [None, 2], ids=["tiled", "streamed"])
@pytest.mark.parametrize("enough_memory", [True, False])
def test_results_are_the_same_one_tile_ahead(monkeypatch, rows, enough_memory):
    architecture = Architecture(GEOMETRY, maps=2)
    image = image_for(architecture, (30, 25))
    plan = make_plan(GEOMETRY, (30, 25), "corrected", tile=10)
    expected = executed(random_network(architecture), image, plan, rows)
    monkeypatch.setattr(execute, "one_ahead", lambda items, _: one_ahead(items, CARD))
    network = random_network(architecture)
    if not enough_memory:
        limited(network, (4 + 2 * GEOMETRY.halo[0]) ** 2, MemoryError())
    found = executed(network, image, plan, rows)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5 * np.abs(expected).max())


def test_what_goes_to_the_device_and_back_keeps_its_values():
    there = to_device(torch.arange(6.0).reshape(2, 3), CPU, torch.bfloat16)
    assert there.dtype == torch.bfloat16
    back = to_host(there[:, 1:])()
    assert back.dtype == np.float32
    np.testing.assert_array_equal(back, [[1, 2], [4, 5]])
