"""Objects get numbers in the order of their labels, whatever these are."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from napari_shiftseg.seams.numbered import numbered

TYPES = [np.uint8, np.int16, np.int32, np.uint32, np.int64, np.uint64]


def any_labels(dtype):
    few = st.integers(max(np.iinfo(dtype).min, -9), 12)
    everything = st.integers(np.iinfo(dtype).min, np.iinfo(dtype).max)
    return arrays(
        dtype, array_shapes(min_side=0, max_dims=3, max_side=6), elements=few | everything
    )


@given(st.sampled_from(TYPES).flatmap(any_labels))
def test_numbers_follow_the_order_of_labels(labels):
    names, numbers = numbered(labels)
    assert numbers.dtype == np.int32 and numbers.shape == labels.shape
    assert names.tolist() == sorted(set(labels.ravel().tolist()) - {0})
    assert (numbers[labels == 0] == 0).all()
    for number, name in enumerate(names, start=1):
        np.testing.assert_array_equal(numbers == number, labels == name)
