"""Both executors give the same result, also where memory runs out half way."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_shiftseg.embeddings import execute
from napari_shiftseg.embeddings.execute import Execution
from napari_shiftseg.embeddings.predict import predict_tiles
from napari_shiftseg.embeddings.unet import Architecture
from napari_shiftseg.errors import DeviceError
from napari_shiftseg.image.intensity import Scaling
from napari_shiftseg.tiles.geometry import NetworkGeometry
from napari_shiftseg.tiles.plan import make_plan
from random_networks import geometries, random_network
from test_corollary_4 import corrected_runs, image_for, regions, relative_difference

CPU = torch.device("cpu")
GEOMETRY = NetworkGeometry.regular(2, 1)

MESSAGES = [
    torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"),
    RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to"),
    RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 5 bytes"),
    RuntimeError("MPS backend out of memory (MPS allocated: 5 GB)"),
    MemoryError(),
]


def identity(image):
    return Scaling((0.0,) * len(image), (1.0,) * len(image))


def executed(network, image, plan, rows=None):
    run = Execution(network, image, identity(image), plan, CPU)
    done = run.column_by_column(rows) if rows else run.tile_by_tile()
    return placed(plan, done)


def placed(plan, done):
    result = None
    for tile, output in done:
        if result is None:
            result = np.full((len(output), *plan.result_size), np.nan, np.float32)
        target = result[(slice(None), *plan.place(tile))]
        assert output.dtype == np.float32
        assert np.isnan(target).all()
        target[...] = output
    assert not np.isnan(result).any()
    return result


@settings(max_examples=60)
@given(
    corrected_runs(geometries(levels=2, kernels=(1, 3), convolutions=2)),
    st.integers(1, 3),
    st.integers(0, 2**31),
)
def test_streamed_equals_tiled(run, periods, seed):
    architecture, plan = run
    network = random_network(architecture, seed)
    image = image_for(architecture, plan.image_size, seed)
    tiled = executed(network, image, plan)
    streamed = executed(network, image, plan, rows=periods * architecture.geometry.period[0])
    assert relative_difference(streamed, tiled) <= 1e-5


@given(regions(), st.sampled_from(["corrected", "whole"]), st.sampled_from(["valid", "same"]))
def test_a_region_streamed_equals_that_region_tiled(region, mode, padding):
    geometry = NetworkGeometry.regular(2, 2, padding=padding)
    network = random_network(Architecture(geometry, maps=2))
    image = image_for(network.architecture, (37, 50))
    tile = 8 if mode == "corrected" else None
    plan = make_plan(geometry, (37, 50), mode, tile=tile, region=region)
    streamed = executed(network, image, plan, rows=4)
    assert relative_difference(streamed, executed(network, image, plan)) <= 1e-5


def test_a_stream_reads_each_row_of_the_image_in_pieces_of_a_tile():
    network = random_network(Architecture(GEOMETRY, maps=2))

    class Watched:
        shape = (1, 100, 20)
        reads = 0

        def __getitem__(self, index):
            self.reads += 1
            return np.zeros(self.shape, np.float32)[index]

    image = Watched()
    plan = make_plan(GEOMETRY, (100, 20), "corrected", tile=20)
    run = Execution(network, image, Scaling((0.0,), (1.0,)), plan, CPU)
    assert len(list(run.column_by_column(2))) == 5
    assert image.reads <= 8


def limited(network, pixels, error):
    """Make a network fail on windows of more pixels; return what was tried."""
    tried = []

    def check(_, inputs):
        tried.append(tuple(inputs[0].shape[2:]))
        if inputs[0][0, 0].numel() > pixels:
            raise error

    network.register_forward_pre_hook(check)
    return tried


@pytest.mark.parametrize("error", MESSAGES, ids=repr)
@pytest.mark.parametrize("padding", ["valid", "same"])
def test_a_tile_without_memory_is_computed_in_smaller_ones(error, padding):
    geometry = NetworkGeometry.regular(2, 2, convolutions=1, padding=padding)
    architecture = Architecture(geometry, maps=2)
    image = image_for(architecture, (50, 70))
    plan = make_plan(geometry, (50, 70), "corrected", tile=(24, 40))
    expected = executed(random_network(architecture), image, plan)
    network = random_network(architecture)
    limit = np.prod([n + 2 * h for n, h in zip((12, 8), geometry.halo, strict=True)])
    tried = limited(network, limit, error)
    assert relative_difference(executed(network, image, plan), expected) <= 1e-5
    failed = [size for size in tried if np.prod(size) > limit]
    # Each failure halves an axis for good, so there are few, whatever the number of tiles.
    assert 1 <= len(failed) <= 6


def test_three_dimensions_are_halved_too():
    geometry = NetworkGeometry.regular(3, 1, convolutions=1)
    architecture = Architecture(geometry, maps=2)
    image = image_for(architecture, (9, 20, 20))
    plan = make_plan(geometry, (9, 20, 20), "corrected", tile=(8, 16, 16))
    expected = executed(random_network(architecture), image, plan)
    network = random_network(architecture)
    limited(network, 14 * 14 * 14, MemoryError())
    assert relative_difference(executed(network, image, plan), expected) <= 1e-5


def test_a_stream_without_memory_goes_on_tile_by_tile(monkeypatch):
    network = random_network(Architecture(GEOMETRY, maps=2))
    image = image_for(network.architecture, (60, 30))
    plan = make_plan(GEOMETRY, (60, 30), "corrected", tile=10)
    expected = executed(network, image, plan)
    pushes = []

    class Limited(execute.Stream):
        def push(self, rows):
            pushes.append(rows)
            if len(pushes) > 20:
                raise MemoryError
            return super().push(rows)

    monkeypatch.setattr(execute, "Stream", Limited)
    assert relative_difference(executed(network, image, plan, rows=2), expected) <= 1e-5
    assert len(pushes) == 20 + 3


def run_out(mode, tile, streamed=False):
    network = random_network(Architecture(GEOMETRY, maps=2))
    tried = limited(network, 0, MemoryError())
    image = image_for(network.architecture, (20, 25))
    plan = make_plan(GEOMETRY, (20, 25), mode, tile=tile)
    with pytest.raises(DeviceError) as caught:
        list(predict_tiles(network, image, identity(image), plan, CPU, streamed=streamed))
    return str(caught.value), tried


def test_only_a_tile_of_one_period_that_fails_is_an_error():
    message, tried = run_out("corrected", 8)
    halo = 2 * GEOMETRY.halo[0]
    assert [tuple(n - halo for n in size) for size in tried] == [
        (8, 8),
        (4, 8),
        (4, 4),
        (2, 4),
        (2, 2),
    ]
    assert "one period, 2 px" in message


@pytest.mark.parametrize("mode", ["naive", "whole", "blended"])
def test_other_plans_are_not_halved(mode):
    message, tried = run_out(mode, None if mode == "whole" else 8)
    assert len(tried) == 1
    assert "a smaller tile size needs less memory" in message


def test_other_failures_are_not_taken_for_a_lack_of_memory():
    network = random_network(Architecture(GEOMETRY, maps=2))
    tried = limited(network, 0, RuntimeError("device-side assert triggered"))
    image = image_for(network.architecture, (20, 25))
    plan = make_plan(GEOMETRY, (20, 25), "corrected", tile=8)
    with pytest.raises(DeviceError, match="device-side assert"):
        list(predict_tiles(network, image, identity(image), plan, CPU, streamed=False))
    assert len(tried) == 1
