import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_shiftseg.errors import ShiftSegError
from napari_shiftseg.labels.cluster import clean_up, cluster
from napari_shiftseg.settings import Clustering


def painted(rows):
    """One embedding dimension per picture: 0 is background, digits are distant values."""
    values = np.array([[int(v) for v in row] for row in rows])
    return values[None].astype(np.float32) * 10, (values > 0).astype(np.float32), values


PICTURE = ["1100022", "1100022", "0000000", "3300011", "3300011"]


def settings(**changes):
    return Clustering(**{"bandwidth": 1.0, "min_size": 0} | changes)


def test_distant_objects_of_one_embedding_are_told_apart():
    embedding, foreground, _ = painted(PICTURE)
    labels = cluster(embedding, foreground, settings())
    assert (
        labels.tolist()
        == painted(["1100022", "1100022", "0000000", "3300044", "3300044"])[2].tolist()
    )
    assert labels.dtype == np.int32


def test_they_stay_one_object_if_asked():
    embedding, foreground, values = painted(PICTURE)
    labels = cluster(embedding, foreground, settings(split_components=False))
    assert labels.tolist() == values.tolist()


def test_touching_objects_of_different_embeddings_are_told_apart():
    embedding, foreground, values = painted(["1122", "1122"])
    assert cluster(embedding, foreground, settings()).tolist() == values.tolist()


def test_objects_that_touch_at_a_corner_are_two():
    embedding, foreground, _ = painted(["10", "01"])
    assert cluster(embedding, foreground, settings()).tolist() == [[1, 0], [0, 2]]


def test_small_objects_are_dropped():
    embedding, foreground, _ = painted(["1102", "1100", "0000", "3330"])
    labels = cluster(embedding, foreground, settings(min_size=4))
    assert labels.tolist() == [[1, 1, 0, 0], [1, 1, 0, 0], [0] * 4, [0] * 4]


@pytest.mark.parametrize(("threshold", "expected"), [(0.5, 1), (0.51, 0)])
def test_the_foreground_begins_at_the_threshold(threshold, expected):
    labels = cluster(
        np.zeros((2, 3, 3)), np.full((3, 3), 0.5), settings(foreground_threshold=threshold)
    )
    assert (labels == expected).all()


def test_without_a_foreground_the_largest_cluster_is_background():
    embedding, _, _ = painted(["5555", "5511", "5511", "2255"])
    labels = cluster(embedding, None, settings())
    assert labels.tolist() == [[0] * 4, [0, 0, 1, 1], [0, 0, 1, 1], [2, 2, 0, 0]]


@pytest.mark.parametrize("shape", [(6, 7), (3, 4, 5), (1, 1)])
def test_a_constant_image_has_no_objects(shape):
    embedding = np.ones((2, *shape), np.float32)
    assert not cluster(embedding, None, settings()).any()
    assert not cluster(embedding, np.zeros(shape), settings()).any()


def test_if_every_mode_is_too_rare_there_is_no_object():
    embedding = 10 * np.arange(9, dtype=np.float32).reshape(1, 3, 3)
    assert not cluster(embedding, np.ones((3, 3)), settings(min_size=2)).any()


def test_three_dimensions():
    embedding = np.zeros((1, 2, 2, 4), np.float32)
    embedding[..., 2:] = 10
    labels = cluster(embedding, np.ones((2, 2, 4)), settings())
    assert (labels == [1, 1, 2, 2]).all()


@given(st.integers(0, 2**31))
def test_objects_are_numbered_in_raster_order(seed):
    random = np.random.default_rng(seed).integers(0, 5, (8, 9))
    labels = clean_up(random, settings())
    seen = labels[labels > 0]
    first = seen[np.sort(np.unique(seen, return_index=True)[1])]
    assert first.tolist() == list(range(1, labels.max() + 1))
    assert ((labels > 0) == (random > 0)).all()


@pytest.mark.parametrize("bad", [{"bandwidth": 0}, {"min_size": -1}, {"foreground_threshold": 1.1}])
def test_settings_out_of_range_are_refused(bad):
    (name,) = bad
    with pytest.raises(ShiftSegError, match=f"{name} is .*legal: .*nearest: "):
        settings(**bad)
