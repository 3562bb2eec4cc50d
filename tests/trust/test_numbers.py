"""Numbers: the same each time, right to float32, and whole where they are large."""

from __future__ import annotations

import contextlib
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from networks import DESCRIPTION, tiny_network

from napari_shiftseg import ShiftSegError, pipeline
from napari_shiftseg.blockwise.blocks import BlockGrid
from napari_shiftseg.blockwise.join import Numbering
from napari_shiftseg.blockwise.joined import JoinedLabels
from napari_shiftseg.embeddings.model import Model
from napari_shiftseg.image.border import reflected_indices
from napari_shiftseg.image.files import open_image, write_labels
from napari_shiftseg.image.intensity import Intensity, Scaling
from napari_shiftseg.image.label_pixels import refuse_no_labels
from napari_shiftseg.image.tiff import smallest_label_type
from napari_shiftseg.pipeline import segment
from napari_shiftseg.settings import Clustering
from napari_shiftseg.tiles.geometry import NetworkGeometry
from napari_shiftseg.tiles.plan import make_plan

pytestmark = pytest.mark.trust("number")

IMAGE = np.random.default_rng(0).integers(0, 255, (90, 110)).astype(np.uint8)
CLUSTERING = Clustering(bandwidth=0.03, min_size=2, foreground_threshold=0.0)


@pytest.fixture
def model():
    return Model(tiny_network().eval().requires_grad_(False), DESCRIPTION)


@pytest.fixture
def threads():
    former = torch.get_num_threads()
    yield torch.set_num_threads
    torch.set_num_threads(former)


def run(model, image=IMAGE, **words):
    return segment(image, model, clustering=CLUSTERING, device="cpu", **words)


@pytest.mark.parametrize("count", [1, pytest.param(2, marks=pytest.mark.slow_trust)])
def test_the_same_run_gives_the_same_bits(model, threads, count):
    threads(count)
    first, second = run(model), run(model)
    assert first.objects > 1
    assert first.labels.tobytes() == second.labels.tobytes()
    assert first.prediction.embedding.tobytes() == second.prediction.embedding.tobytes()


def test_the_number_of_threads_does_not_change_labels(model, threads):
    found = []
    for count in (1, 2):
        threads(count)
        found.append(run(model))
    assert np.allclose(found[0].prediction.embedding, found[1].prediction.embedding, atol=1e-5)
    assert np.array_equal(found[0].labels, found[1].labels)


def test_float32_is_near_to_float64(model):
    """The reference is the same network in doubles on the whole image, by other code."""
    embedding = run(model, stitch="whole").prediction.embedding
    context = DESCRIPTION.architecture.geometry.context[0]
    smallest = DESCRIPTION.architecture.geometry.natural_output(IMAGE.shape)
    after = [context // 2 + want - have for want, have in zip(smallest, IMAGE.shape, strict=True)]
    low, high = np.percentile(IMAGE, (1.0, 99.8))
    scaled = (IMAGE.astype(np.float64) - low) / (high - low)
    padded = np.pad(scaled, [(context // 2, n) for n in after], mode="reflect")
    with torch.inference_mode():
        exact = tiny_network().double()(torch.from_numpy(padded)[None, None])[0].numpy()
    exact = exact[: len(embedding), : IMAGE.shape[0], : IMAGE.shape[1]]
    error = np.abs(embedding - exact).max() / exact.std()
    assert 0 < error < 1e-5


@pytest.mark.parametrize(
    ("kind", "step"), [("float32", 1e-45), ("float64", 5e-324), ("float16", 6e-8)]
)
def test_denormals_scale_as_other_numbers(kind, step):
    pixels = (np.arange(400).reshape(1, 20, 20) % 50).astype(np.float64)
    denormal = (pixels * np.dtype(kind).type(step)).astype(kind)
    smallest = float(np.finfo(kind).smallest_subnormal)
    assert 0 < denormal[denormal > 0].min() <= 2 * smallest
    exact = denormal.astype(np.longdouble) / np.longdouble(smallest)
    found = Intensity("percentile", 0, 100).measure(denormal)(denormal)
    assert np.allclose(found, (exact / exact.max()).astype(np.float64), atol=1e-3)


@pytest.mark.parametrize("kind", ["float16", "float32", "uint64", "int64", "int8"])
def test_the_whole_range_of_a_type_becomes_0_to_1(kind):
    limits = np.finfo(kind) if kind.startswith("float") else np.iinfo(kind)
    pixels = np.array([[[limits.min, limits.max]]], dtype=kind)
    found = Intensity("percentile", 0, 100).measure(pixels)(pixels)
    assert found.tolist() == [[[0.0, 1.0]]]


def test_differences_that_no_double_holds_are_refused():
    limits = np.finfo(np.float64)
    pixels = np.array([[[limits.min, limits.max]]])
    with pytest.raises(ShiftSegError, match="whose difference no number holds"):
        Intensity("percentile", 0, 100).measure(pixels)


def test_pixels_that_float32_does_not_hold_are_refused():
    with pytest.raises(ShiftSegError, match=r"reach 1\.0e\+300 once scaled"):
        Scaling((0.0,), (1.0,))(np.full((1, 4, 4), 1e300))


def test_one_hot_pixel_of_many_is_refused_instead_of_becoming_nan(model):
    image = np.random.default_rng(0).random((100, 100))
    image[50, 50] = 1e300
    with pytest.raises(ShiftSegError, match="clip what is far beyond"):
        run(model, image)


@pytest.mark.parametrize("count", [2**16 - 1, 2**16, 70_000])
@pytest.mark.parametrize("suffix", [".tif", ".ome.zarr"])
def test_many_labels_are_written_and_read(tmp_path, count, suffix):
    labels = np.zeros(300 * 300, np.int64)
    labels[: count + 1] = np.arange(count + 1)
    write_labels(tmp_path / f"l{suffix}", labels.reshape(300, 300), axes="yx")
    read = open_image(tmp_path / f"l{suffix}").pixels
    assert read.dtype == (np.uint16 if count < 2**16 else np.uint32)
    assert np.array_equal(read.ravel(), labels)
    assert len(np.unique(read)) == count + 1


@pytest.mark.parametrize("largest", [2**31 - 1, 2**31, 2**32 - 1, 2**32, 2**53 + 1, 2**63 - 1])
@pytest.mark.parametrize("suffix", [".tif", ".ome.zarr"])
def test_large_labels_are_written_and_read(tmp_path, largest, suffix):
    labels = np.array([[0, 1], [5, largest]], np.int64)
    write_labels(tmp_path / f"l{suffix}", labels, axes="yx")
    read = open_image(tmp_path / f"l{suffix}").pixels
    refuse_no_labels(read, "l")
    assert read.tolist() == labels.tolist()


def test_more_objects_than_labels_in_a_stack_are_refused(model, monkeypatch):
    """Simulated: nobody has the memory for them."""
    one = np.full((20, 24), 2**30, np.int32)
    monkeypatch.setattr(pipeline, "cluster", lambda *_: one.copy())
    stack = np.zeros((2, 20, 24), np.uint8)
    with pytest.raises(ShiftSegError, match="more than 2147483647 objects"):
        segment(stack, model, axes="tyx")


@pytest.mark.parametrize(("objects", "dtype"), [(2**31, np.uint32), (2**33 - 2, np.uint64)])
def test_labels_of_blocks_have_a_type_that_holds_them(objects, dtype):
    """Simulated: half of the objects in each of two frames, one of them in this block."""
    half = Numbering((np.array([0, objects // 2], np.uint32),), objects // 2)
    frames = SimpleNamespace(loops=(2,))
    pixels = {"pixels": np.array([[0, 1]])}
    job = SimpleNamespace(
        frames=frames,
        size=(1, 2),
        grid=BlockGrid((1, 2), (1, 2)),
        numbers=lambda frame: [frame],
        folder=SimpleNamespace(load=lambda *_: contextlib.nullcontext(pixels)),
    )
    labels = JoinedLabels(job, [half, half])
    assert labels.dtype == dtype
    assert labels[0:2, 0:1, 0:2].tolist() == [[[0, objects // 2]], [[0, objects]]]


def test_labels_over_2_63_are_written_and_read_and_not_made_negative(tmp_path):
    labels = np.array([[0, 2**64 - 1]], np.uint64)
    write_labels(tmp_path / "l.tif", labels, axes="yx")
    read = open_image(tmp_path / "l.tif").pixels
    assert np.array_equal(read, labels)
    with pytest.raises(ShiftSegError, match=f"labels up to {2**64 - 1}; legal: up to {2**63 - 1}"):
        refuse_no_labels(read, "l.tif")


@pytest.mark.parametrize("dtype", [np.int8, np.uint64, np.int64, bool])
def test_the_smallest_type_keeps_values(dtype):
    labels = np.array([0, 1], dtype)
    assert smallest_label_type(labels).dtype == np.uint16
    assert smallest_label_type(labels).tolist() == [0, 1]


HUGE = (2**20 + 7, 2**21 + 5)
"""More than 2^41 pixels."""


@pytest.mark.parametrize("mode", ["naive", "corrected", "blended"])
@pytest.mark.parametrize("padding", ["valid", "same"])
def test_plans_of_huge_images_count_right(mode, padding):
    geometry = NetworkGeometry.regular(2, 3, padding=padding)
    plan = make_plan(geometry, HUGE, mode, tile=4096)
    count = [-(-size // 4096) for size in HUGE]
    if mode != "blended":
        assert len(plan) == count[0] * count[1]
    last = plan.tile(len(plan) - 1)
    assert [part.stop for part in last.inner] == list(HUGE)
    assert plan.tile(0).inner[0].start == 0
    if mode == "blended":
        return
    place = [3, count[1] - 1]
    tile = plan.tile(place[0] * count[1] + place[1])
    assert [part.start for part in tile.inner] == [4096 * n for n in place]
    covered = [sum(stop - start for start, stop in strip.inner) for strip in plan.strips]
    assert covered == list(HUGE)


def test_seams_of_huge_images_are_in_phase():
    geometry = NetworkGeometry.regular(2, 3)
    plan = make_plan(geometry, (2**33, 2**33), "corrected", tile=2**22)
    assert len(plan) == 2**22
    assert all(seam % 8 == 0 for seams in plan.seams for seam in seams)
    assert plan.seams[0][-1] == 2**33 - 2**22
    assert plan.misaligned == ((), ())
    naive = make_plan(geometry, (2**33 + 1, 64), "naive", tile=2**22 + 1)
    assert naive.seams[0] == tuple(n * (2**22 + 1) for n in range(1, len(naive.seams[0]) + 1))
    assert [naive.phase_jump(0, seam) for seam in naive.seams[0][:9]] == [1] * 9
    assert naive.misaligned[0] == naive.seams[0]


def test_regions_of_huge_images_are_where_they_are_in_the_whole():
    geometry = NetworkGeometry.regular(2, 3)
    start = 2**33 + 3
    region = (slice(start, start + 50), slice(2**34, 2**34 + 70))
    plan = make_plan(geometry, (2**35, 2**35), "corrected", tile=64, region=region)
    assert plan.result_size == (50, 70)
    for tile in plan:
        assert all(window.start % 8 == 0 for window in tile.window)
        places = plan.place(tile)
        assert all(0 <= place.start < place.stop for place in places)
    assert sum(np.prod([p.stop - p.start for p in plan.place(t)]) for t in plan) == 50 * 70


@pytest.mark.parametrize("start", [-5, 0, 2**33, 2**40 - 3, 2**40 + 3])
def test_borders_of_huge_images_reflect_as_those_of_small_ones(start):
    size = 2**40
    found = reflected_indices(start, start + 6, size).tolist()
    expected = []
    for position in range(start, start + 6):
        phase = position % (2 * size - 2)
        expected.append(min(phase, 2 * size - 2 - phase))
    assert found == expected
    assert 0 <= min(found) and max(found) < size
