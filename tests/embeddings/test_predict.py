import numpy as np
import pytest
import torch

from napari_shiftseg.embeddings.device import available_devices, choose_device
from napari_shiftseg.embeddings.predict import Stitcher, TileDone, gaussian_window, predict_tiles
from napari_shiftseg.embeddings.unet import Architecture
from napari_shiftseg.errors import DeviceError, ShiftSegError
from napari_shiftseg.image.intensity import Scaling
from napari_shiftseg.tiles.geometry import NetworkGeometry
from napari_shiftseg.tiles.plan import make_plan
from random_networks import random_network

GEOMETRY = NetworkGeometry.regular(2, 1)


def predict(network, plan, image=None, streamed=False):
    image = np.zeros((1, *plan.image_size), np.float32) if image is None else image
    identity, cpu = Scaling((0.0,), (1.0,)), torch.device("cpu")
    return predict_tiles(network, image, identity, plan, cpu, streamed=streamed)


def test_one_event_per_tile_in_order():
    network = random_network(Architecture(GEOMETRY, maps=2))
    plan = make_plan(GEOMETRY, (20, 25), "corrected", tile=10)
    done = list(predict(network, plan))
    assert [event.tile.index for event in done] == list(range(6))
    assert {event.total for event in done} == {6}
    assert done[-1].output.shape == (3, 10, 5)
    assert done[-1].output.dtype == np.float32


def test_streams_give_the_same_events_column_by_column():
    architecture = Architecture(GEOMETRY, maps=2, embedding_dims=2, coordinate_dims=2)
    network = random_network(architecture)
    plan = make_plan(GEOMETRY, (20, 25), "corrected", tile=10)
    image = np.random.default_rng(0).random((1, 20, 25), np.float32)
    tiled = {event.tile.index: event for event in predict(network, plan, image)}
    streamed = list(predict(network, plan, image, streamed=True))
    assert [event.tile.index for event in streamed] == [0, 3, 1, 4, 2, 5]
    for event in streamed:
        assert event.total == 6
        np.testing.assert_allclose(event.output, tiled[event.tile.index].output, atol=1e-5)


@pytest.mark.parametrize("mode", ["naive", "blended"])
def test_tiles_that_do_not_continue_each_other_cannot_be_streamed(mode):
    network = random_network(Architecture(GEOMETRY, maps=2))
    plan = make_plan(GEOMETRY, (20, 25), mode, tile=10)
    assert len(list(predict(network, plan, streamed=None))) == len(plan)
    with pytest.raises(ShiftSegError, match=f"{mode} tiles cannot be streamed; legal: corrected"):
        list(predict(network, plan, streamed=True))


def test_nothing_runs_until_asked_and_closing_cancels():
    network = random_network(Architecture(GEOMETRY, maps=2))
    calls = []
    network.register_forward_hook(lambda *_: calls.append(1))
    events = predict(network, make_plan(GEOMETRY, (20, 25), "corrected", tile=10))
    assert calls == []
    next(events)
    events.close()
    assert calls == [1]


@pytest.mark.parametrize("error", [RuntimeError("out of memory\ndetails"), MemoryError()])
def test_a_failing_device_is_an_error_that_workers_see(error):
    def fail(*_):
        raise error

    network = random_network(Architecture(GEOMETRY, maps=2))
    network.register_forward_hook(fail)
    plan = make_plan(GEOMETRY, (20, 25), "corrected", tile=10)
    with pytest.raises(DeviceError, match="no memory for a tile of one period, 2 px") as caught:
        list(predict(network, plan))
    assert "\n" not in str(caught.value)


def test_foreground_is_a_probability():
    plan = make_plan(GEOMETRY, (1, 3), "whole")
    stitcher = Stitcher(plan, 3)
    logits = np.array([[-200.0, 0.0, 200.0]], np.float32)
    stitcher.add(TileDone(plan.tile(0), 1, np.stack([logits * 0, logits * 0 + 5, logits]), 1))
    result = stitcher.result(foreground=True)
    np.testing.assert_allclose(result.foreground, [[0, 0.5, 1]], atol=1e-7)
    assert result.embedding.shape == (2, 1, 3)


def test_blending_windows_that_agree_changes_nothing():
    plan = make_plan(GEOMETRY, (27, 30), "blended", tile=8)
    truth = np.random.default_rng(0).random((2, 27, 30)).astype(np.float32)
    stitcher = Stitcher(plan, 2)
    for tile in plan:
        stitcher.add(TileDone(tile, len(plan), truth[(slice(None), *tile.inner)], 1))
    np.testing.assert_allclose(stitcher.result(foreground=False).embedding, truth, rtol=1e-5)


def test_gaussian_weights_are_positive_symmetric_and_largest_in_the_middle():
    plan = make_plan(GEOMETRY, (40, 40), "blended", tile=16)
    weight = gaussian_window(plan.tile(0))
    assert weight.min() > 0
    np.testing.assert_array_equal(weight, weight[::-1, ::-1])
    assert weight.max() == weight[7, 7] == weight[8, 8]


def test_devices():
    assert choose_device("cpu") == torch.device("cpu")
    assert choose_device().type == available_devices()[0]
    assert available_devices()[-1] == "cpu"
    with pytest.raises(ShiftSegError, match=r"no device 'abacus' here; legal: .*cpu"):
        choose_device("abacus")
