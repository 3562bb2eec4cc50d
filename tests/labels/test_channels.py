import numpy as np
import pytest

from napari_shiftseg import Clustering, ShiftSegError
from napari_shiftseg.labels.channels import cluster_channels

SETTINGS = Clustering(bandwidth=0.5, min_size=0)


@pytest.fixture
def output():
    """Five channels: noise, two embedding channels of two touching objects, logits, probability."""
    pixels = np.random.default_rng(0).normal(size=(5, 20, 20)).astype(np.float32)
    pixels[1:3] = 0
    pixels[1, :, :10], pixels[1, :, 10:] = 3, -3
    pixels[3] = -4
    pixels[3, 5:15, 5:15] = 4
    pixels[4] = 1 / (1 + np.exp(-pixels[3]))
    return pixels


def test_the_named_channels_are_clustered_within_the_foreground(output):
    labels = cluster_channels(output, (1, 2), 4, SETTINGS)
    assert labels.max() == 2
    np.testing.assert_array_equal(labels > 0, output[4] > 0.5)
    assert len(np.unique(labels[5:15, 5:10])) == len(np.unique(labels[5:15, 10:15])) == 1


def test_logits_are_made_probabilities(output):
    from_logits = cluster_channels(output, (1, 2), 3, SETTINGS, logits=True)
    np.testing.assert_array_equal(from_logits, cluster_channels(output, (1, 2), 4, SETTINGS))


def test_without_foreground_the_largest_cluster_is_background(output):
    output[1, :, 8:] = -3
    labels = cluster_channels(output, (1, 2), None, SETTINGS)
    np.testing.assert_array_equal(labels > 0, output[1] == 3)


@pytest.mark.parametrize(
    ("embedding", "foreground", "says"),
    [((), 4, "legal: 0 to 4"), ((1, 5), None, "0 to 4"), ((1,), -1, "0 to 4")],
)
def test_channels_that_are_not_there_are_refused(output, embedding, foreground, says):
    with pytest.raises(ShiftSegError, match=says):
        cluster_channels(output, embedding, foreground, SETTINGS)
