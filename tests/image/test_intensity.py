from math import prod

import numpy as np
import pytest

from napari_shiftseg.errors import ShiftSegError
from napari_shiftseg.image import intensity
from napari_shiftseg.image.intensity import EXACT, Intensity, Scaling, _spread


def test_percentiles_become_0_and_1():
    image = np.random.default_rng(0).normal(500, 100, (2, 40, 50))
    scaled = Intensity("percentile", 5, 95).measure(image)(image)
    assert scaled.dtype == np.float32
    for channel in scaled:
        np.testing.assert_allclose(np.percentile(channel, (5, 95)), (0, 1), atol=1e-6)


def test_channels_are_scaled_apart():
    image = np.stack([np.arange(100.0).reshape(10, 10), 1000 + np.arange(100.0).reshape(10, 10)])
    scaled = Intensity().measure(image)(image)
    np.testing.assert_allclose(scaled[0], scaled[1], atol=1e-5)


def test_a_constant_image_becomes_0():
    image = np.full((1, 8, 8), 77, np.uint16)
    np.testing.assert_array_equal(Intensity().measure(image)(image), 0)


def test_none_leaves_pixels_as_they_are():
    image = np.arange(12, dtype=np.uint8).reshape(1, 3, 4)
    scaled = Intensity("none").measure(image)(image)
    np.testing.assert_array_equal(scaled, image)
    assert scaled.dtype == np.float32


def test_large_integers_keep_their_differences():
    image = np.array([[[2**31, 2**31 + 1]]], np.uint32)
    scaled = Scaling((float(2**31),), (1.0,))(image)
    np.testing.assert_array_equal(scaled, [[[0, 1]]])


def test_a_scaling_does_not_look_at_the_tile():
    image = np.random.default_rng(0).random((1, 20, 20))
    scaling = Intensity().measure(image)
    part = (slice(None), slice(3, 9), slice(5, 6))
    np.testing.assert_array_equal(scaling(image[part]), scaling(image)[part])


@pytest.mark.parametrize("shape", [(1, 300, 500), (2, 40, 50, 60), (1, 150, 900)])
def test_of_a_large_image_a_sample_stands_for_the_whole(shape, monkeypatch):
    image = np.random.default_rng(0).normal(500, 100, shape)
    exact = Intensity().measure(image)
    monkeypatch.setattr(intensity, "EXACT", 2**14)
    sampled = Intensity().measure(image)
    assert sampled != exact
    np.testing.assert_allclose(sampled.offset, exact.offset, rtol=0.1)
    np.testing.assert_allclose(sampled.span, exact.span, rtol=0.1)
    assert 1000 < intensity._sample(image).shape[1] <= 2**14


@pytest.mark.parametrize("low, high", [(50, 50), (99, 1), (-1, 99), (0, 101)])
def test_impossible_percentiles_are_refused(low, high):
    with pytest.raises(ShiftSegError, match="0 <= low < high <= 100"):
        Intensity("percentile", low, high)


def test_an_unknown_kind_is_refused():
    with pytest.raises(ShiftSegError, match="'percentile', 'standard' or 'none'"):
        Intensity("zscore")


def test_standard_makes_mean_and_deviation_of_each_channel_0_and_1():
    image = np.random.default_rng(0).integers(0, 4000, (2, 30, 40)).astype(np.uint16)
    image[1] = 7
    first, constant = Intensity("standard").measure(image)(image)
    assert first.mean() == pytest.approx(0, abs=1e-5) and first.std() == pytest.approx(1)
    assert not constant.any()


def test_of_a_flat_stack_the_sample_is_spread_as_evenly():
    stack = np.zeros((1, 5, 2000, 2000), np.uint16)
    rng = np.random.default_rng(1)
    for y, x in rng.integers(0, 1970, (60, 2)):
        stack[0, :, y : y + 30, x : x + 30] = 1000
    limits = Intensity(low=0, high=99).measure(stack)
    assert limits.span == (1000.0,)


@pytest.mark.parametrize(
    "size", [(5, 2000, 2000), (5, 20000, 20000), (1500, 100000), (4096, 4096), (400, 400, 400)]
)
def test_a_sample_has_about_a_quarter_of_the_pixels_that_all_count(size):
    spans = _spread(size)
    assert prod(map(len, spans)) >= 64
    read = prod(len(parts) * (parts[0].stop - parts[0].start) for parts in spans)
    assert 0.95 < read / (EXACT / 4) < 1.05


def test_whole_numbers_of_any_size_have_the_halves_between_them():
    image = np.array([[[-(2**31), 2**31 - 1]]], np.int32)
    assert Intensity(low=0, high=50).measure(image).span == (2**31 - 0.5,)


@pytest.mark.parametrize("brightness", [1, 200, 2.0**-8])
def test_few_pixels_on_black_become_1_whatever_the_bit_depth(brightness, monkeypatch):
    """Both percentiles of such an image are 0."""
    image = np.zeros((2, 60, 60))
    image[0, 7, 8:10] = 100, 200
    image = image * brightness
    image[1] = brightness  # constant
    for most in (EXACT, 1000):
        monkeypatch.setattr(intensity, "EXACT", most)
        scaled = Intensity().measure(image)(image)
        np.testing.assert_array_equal(scaled[0, 7, 8:10], [0.5, 1])
        assert np.count_nonzero(scaled) == 2


def test_a_difference_that_no_number_holds_is_refused():
    image = np.zeros((1, 60, 60))
    image[0, 0, :2] = -1.7e308, 1.7e308
    with pytest.raises(ShiftSegError, match="difference no number holds"):
        Intensity().measure(image)


class Counted:
    """Counts the pixels that are read of an array of one channel."""

    def __init__(self, pixels):
        self.pixels, self.shape, self.dtype, self.read = pixels, pixels.shape, pixels.dtype, 0

    def __getitem__(self, part):
        self.read += self.pixels[part].size
        return self.pixels[part]


def test_of_a_large_dark_image_all_is_read_only_if_its_sample_is_constant(monkeypatch):
    monkeypatch.setattr(intensity, "EXACT", 2**12)
    pixels = np.zeros((1, 40, 200, 300), np.uint16)
    pixels[0, 7, 9, 11] = 500  # in no block of the sample
    image = Counted(pixels)
    assert Intensity().measure(image).span == (500.0,)
    assert pixels.size < image.read < pixels.size + 2**12
    pixels[:, :, ::50, ::50] = 40
    image = Counted(pixels)
    assert Intensity().measure(image).span == (40.0,)
    assert image.read < 2**12
