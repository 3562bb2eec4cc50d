import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_shiftseg.image.border import read_reflected, reflected_indices

right = pytest.mark.skipif(
    np.__version__ < "2", reason="where it reflects more than once, np.pad of numpy 1 was wrong"
)


@right
@given(st.integers(1, 30), st.integers(0, 100), st.integers(0, 100))
def test_indices_are_those_of_numpy(size, before, after):
    expected = np.pad(np.arange(size), (before, after), mode="reflect")
    np.testing.assert_array_equal(reflected_indices(-before, size + after, size), expected)


@right
@given(st.data())
def test_a_region_is_cut_from_the_reflected_image(data):
    shape = data.draw(st.tuples(*[st.integers(1, 9)] * 3))
    image = np.random.default_rng(0).random(shape)
    starts = [data.draw(st.integers(-40, 40)) for _ in shape[1:]]
    region = tuple(slice(s, s + data.draw(st.integers(1, 30))) for s in starts)
    padded = np.pad(image, ((0, 0), (80, 80), (80, 80)), mode="reflect")
    expected = padded[(slice(None), *(slice(s.start + 80, s.stop + 80) for s in region))]
    np.testing.assert_array_equal(read_reflected(image, region), expected)


def test_reads_only_what_is_needed():
    class Recorder:
        shape = (1, 100, 100)

        def __getitem__(self, region):
            self.asked = region
            return np.zeros((1, *(s.stop - s.start for s in region[1:])))

    image = Recorder()
    assert read_reflected(image, (slice(40, 50), slice(95, 110))).shape == (1, 10, 15)
    assert image.asked == (slice(None), slice(40, 50), slice(89, 100))
