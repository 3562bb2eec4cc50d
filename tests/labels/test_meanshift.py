import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.cluster import MeanShift
from sklearn.metrics import adjusted_rand_score

from napari_shiftseg.embeddings.model import load_model
from napari_shiftseg.labels import meanshift
from napari_shiftseg.labels.bins import BinSummary, Slabs, assign
from napari_shiftseg.labels.meanshift import mean_shift_modes, mean_shift_modes_by_slabs
from napari_shiftseg.pipeline import segment
from napari_shiftseg.samples import load_sample


def blobs(dims, spread, distance, clusters=5, points=40, seed=0):
    """Points around centres that are at least ``distance`` apart."""
    rng = np.random.default_rng(seed)
    corners = np.indices((3,) * min(dims, 3)).reshape(min(dims, 3), -1).T
    centres = np.zeros((clusters, dims))
    centres[:, : min(dims, 3)] = distance * rng.permutation(corners)[:clusters]
    return np.concatenate([c + rng.normal(0, spread, (points, dims)) for c in centres])


def partition(points, bandwidth):
    modes = mean_shift_modes(BinSummary.of(points, bandwidth), bandwidth)
    return assign(points, modes, bandwidth)


def reference(points, bandwidth, **options):
    return MeanShift(bandwidth=bandwidth, **options).fit(points).labels_


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("dims", [2, 3, 8])
def test_separate_blobs_are_partitioned_as_by_scikit_learn(dims, seed):
    points = blobs(dims, spread=0.1, distance=5, seed=seed)
    labels = partition(points, bandwidth=1.5)
    assert adjusted_rand_score(labels, reference(points, 1.5)) == 1
    assert len(np.unique(labels)) == 5


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("dims", [2, 3])
@pytest.mark.parametrize("spread", [0.4, 0.5])
def test_overlapping_blobs_are_partitioned_nearly_as_by_scikit_learn(dims, spread, seed):
    points = blobs(dims, spread, distance=2, clusters=4, points=60, seed=seed)
    labels = partition(points, bandwidth=1.0)
    assert adjusted_rand_score(labels, reference(points, 1.0)) >= 0.95


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("dims", [2, 3])
def test_within_two_bandwidths_the_reference_is_scikit_learn_seeded_by_bins(dims, seed):
    points = blobs(dims, spread=0.3, distance=1.5, clusters=4, points=150, seed=seed)
    labels = partition(points, bandwidth=1.0)
    assert adjusted_rand_score(labels, reference(points, 1.0, bin_seeding=True)) >= 0.95


@pytest.mark.parametrize("seed", range(3))
def test_no_seed_rests_on_a_slope(seed):
    rng = np.random.default_rng(seed)
    along = 6 * rng.random(6000) ** 0.7  # ever denser, up to 6
    points = rng.normal(0, 0.02, (6000, 8)) + along[:, None] / np.sqrt(8)
    assert len(np.unique(partition(points, bandwidth=1.0))) == 1
    assert len(np.unique(reference(points, 1.0, bin_seeding=True))) == 1


def test_embeddings_of_a_real_volume_are_partitioned_as_by_scikit_learn():
    model = load_model("nuclei-3d")
    prediction = segment(load_sample("nuclei-3d").image, model).prediction
    points = prediction.embedding[:, prediction.foreground >= 0.5].T
    bandwidth = model.description.clustering.bandwidth
    expected = reference(points, bandwidth, bin_seeding=True)
    assert points.shape[1] == 8
    assert adjusted_rand_score(partition(points, bandwidth), expected) >= 0.99


def test_a_cluster_far_from_the_centre_of_its_cell_has_a_mode():
    points = np.random.default_rng(0).normal(0.45, 0.01, (200, 8))  # 1.3 from the origin
    modes = mean_shift_modes(BinSummary.of(points, 1.0), 1.0)
    np.testing.assert_allclose(modes, [points.mean(axis=0)], atol=0.01)


def test_modes_are_where_scikit_learn_has_them():
    points = blobs(3, spread=0.2, distance=5)
    modes = mean_shift_modes(BinSummary.of(points, 1.5), 1.5)
    expected = MeanShift(bandwidth=1.5).fit(points).cluster_centers_
    np.testing.assert_allclose(
        modes[np.lexsort(modes.T)], expected[np.lexsort(expected.T)], atol=0.05
    )


def assert_same(one, other):
    np.testing.assert_array_equal(one.key, other.key)
    np.testing.assert_array_equal(one.count, other.count)
    np.testing.assert_array_equal(one.total, other.total)


@given(st.integers(0, 2**31), st.lists(st.integers(0, 120), max_size=5), st.randoms())
def test_summaries_of_parts_add_up_to_the_same_in_any_order(seed, cuts, order):
    points = np.random.default_rng(seed).normal(0, 2, (120, 3)).astype(np.float32)
    parts = [BinSummary.of(part, 1.0) for part in np.split(points, sorted(cuts))]
    order.shuffle(parts)
    merged = parts[0]
    for part in parts[1:]:
        merged = merged + part
    assert_same(merged, BinSummary.of(points, 1.0))


@given(st.integers(0, 2**31))
def test_modes_and_labels_do_not_depend_on_the_order_of_pixels(seed):
    points = blobs(2, spread=0.4, distance=2, seed=1)
    order = np.random.default_rng(seed).permutation(len(points))
    assert_same(BinSummary.of(points[order], 1.0), BinSummary.of(points, 1.0))
    np.testing.assert_array_equal(partition(points[order], 1.0), partition(points, 1.0)[order])


def test_a_summary_counts_every_pixel_once():
    points = np.random.default_rng(0).normal(0, 3, (500, 2))
    summary = BinSummary.of(points, 1.0)
    assert summary.count.sum() == 500
    assert summary.coarse().count.sum() == 500
    assert len(np.unique(summary.key, axis=0)) == len(summary.key)
    np.testing.assert_allclose(summary.total.sum(0) / 4096, points.sum(0), atol=0.1)


def test_the_mode_with_most_pixels_comes_first_and_rare_ones_are_dropped():
    points = np.repeat([[0.0, 0.0], [9.0, 0.0], [0.0, 9.0]], [5, 50, 20], axis=0)
    summary = BinSummary.of(points, 1.0)
    np.testing.assert_allclose(mean_shift_modes(summary, 1.0), [[9, 0], [0, 9], [0, 0]], atol=1e-3)
    np.testing.assert_allclose(
        mean_shift_modes(summary, 1.0, min_count=20), [[9, 0], [0, 9]], atol=1e-3
    )


def test_nothing_has_no_modes():
    nothing = np.zeros((0, 3), np.float32)
    modes = mean_shift_modes(BinSummary.of(nothing, 1.0), 1.0)
    assert modes.shape == (0, 3)
    assert assign(np.ones((2, 3)), modes, 1.0).tolist() == [-1, -1]
    assert assign(nothing, np.zeros((1, 3)), 1.0).tolist() == []


@given(st.integers(0, 2**31), st.lists(st.integers(0, 60), max_size=6))
def test_merging_many_parts_is_the_summary_of_all(seed, cuts):
    points = np.random.default_rng(seed).normal(size=(60, 3))
    parts = [BinSummary.of(part, 0.5) for part in np.split(points, sorted(cuts))]
    merged, whole = BinSummary.merged(parts, 3), BinSummary.of(points, 0.5)
    for name in ("key", "count", "total"):
        assert np.array_equal(getattr(merged, name), getattr(whole, name))


def test_positions_asked_in_chunks_have_the_same_modes(monkeypatch):
    points = np.random.default_rng(0).uniform(0, 40, (6000, 3))
    summary = BinSummary.of(points, 1.0)
    expected = mean_shift_modes(summary, 1.0)
    monkeypatch.setattr("napari_shiftseg.labels.meanshift._DENSE", 0)
    monkeypatch.setattr("napari_shiftseg.labels.meanshift._CHUNK", 7)
    assert np.array_equal(mean_shift_modes(summary, 1.0), expected)


@given(
    seed=st.integers(0, 2**31),
    dims=st.integers(1, 4),
    length=st.floats(0.1, 60),
    most=st.sampled_from([1, 5, 40]),
    min_count=st.sampled_from([1, 3]),
)
def test_slab_by_slab_the_modes_are_the_same(seed, dims, length, most, min_count):
    rng = np.random.default_rng(seed)
    centres = rng.uniform(-length, length, (rng.integers(1, 40), dims))
    spread = rng.choice([0.1, 0.6, 2.0])
    points = centres[rng.integers(0, len(centres), 400)] + rng.normal(0, spread, (400, dims))
    summary = BinSummary.of(points, 1.0)
    coordinates, counts = np.unique(summary.key[:, 0], return_counts=True)
    slabs = Slabs(summary.between, coordinates, counts, dims, most)
    expected = mean_shift_modes(summary, 1.0, min_count=min_count)
    found = mean_shift_modes_by_slabs(slabs, 1.0, min_count=min_count)
    np.testing.assert_array_equal(found, expected)


@given(seed=st.integers(0, 2**31), dims=st.integers(1, 8), spread=st.floats(0.05, 4))
def test_bins_that_are_left_out_were_too_far_to_count(seed, dims, spread):
    points = np.random.default_rng(seed).normal(0, spread, (300, dims))
    summary = BinSummary.of(points, 1.0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(meanshift, "_SMALL", 2**60)
        expected = mean_shift_modes(summary, 1.0)
        patch.setattr(meanshift, "_SMALL", 0)
        np.testing.assert_array_equal(mean_shift_modes(summary, 1.0), expected)


def test_seeds_that_climb_far_from_their_slab_are_followed():
    # A ramp that becomes ever denser: every seed climbs to its end, many bandwidths away.
    ramp = np.sqrt(np.linspace(0, 400, 40_000))[:, None]
    summary = BinSummary.of(ramp, 1.0)
    asked = []

    def between(low, high):
        asked.append((low, high))
        return summary.between(low, high)

    slabs = Slabs(between, *np.unique(summary.key[:, 0], return_counts=True), dims=1, most=8)
    np.testing.assert_array_equal(
        mean_shift_modes_by_slabs(slabs, 1.0), mean_shift_modes(summary, 1.0)
    )
    assert len(slabs.edges) > 10 and len(asked) > len(slabs.edges) - 1


def test_no_bins_have_no_slabs():
    nothing = np.zeros(0, np.int64)
    slabs = Slabs(BinSummary.empty(3).between, nothing, nothing, dims=3)
    assert mean_shift_modes_by_slabs(slabs, 1.0).shape == (0, 3)


@given(seed=st.integers(0, 2**31), dims=st.integers(2, 8), spread=st.floats(0.05, 3))
def test_each_embedding_gets_its_nearest_mode_whatever_lies_beside_it(seed, dims, spread):
    rng = np.random.default_rng(seed)
    modes = rng.uniform(-3, 3, (6, dims))
    points = np.concatenate([modes[rng.integers(6, size=300)], rng.uniform(-4, 4, (300, dims))])
    points += rng.normal(scale=spread, size=points.shape)
    found = assign(points, modes, 1.0)
    distance = np.linalg.norm(points[:, None] - modes, axis=2)
    rounding = 2 * np.sqrt(dims) / 4096
    assert (distance[np.arange(len(points)), found] <= distance.min(axis=1) + rounding).all()
    some = rng.permutation(len(points))[:50]
    assert np.array_equal(assign(points[some], modes, 1.0), found[some])
