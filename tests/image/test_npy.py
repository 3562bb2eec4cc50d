"""NumPy files as scripts save them; hostile ones are in ``tests/trust``."""

import numpy as np
import pytest

from napari_shiftseg.errors import ShiftSegError
from napari_shiftseg.image import opened
from napari_shiftseg.image.files import open_image

PIXELS = np.random.default_rng(0).integers(0, 2**16, (2, 3, 7, 5), np.uint16)


def saved(folder, pixels):
    np.save(folder / "a b.npy", pixels)
    return open_image(folder / "a b.npy")


@pytest.mark.parametrize(
    ("ndim", "axes", "known"), [(1, "x", "x"), (2, "yx", "yx"), (3, "qyx", None), (4, "qqyx", None)]
)
def test_the_last_axes_are_space_and_others_unknown(tmp_path, ndim, axes, known):
    pixels = PIXELS[(0,) * (4 - ndim)]
    image = saved(tmp_path, pixels)
    assert (image.name, image.calibration.axes) == ("a b", axes)
    assert image.calibration.known_axes == known and image.kind == "image"
    np.testing.assert_array_equal(image.pixels, pixels)


@pytest.mark.parametrize("lazy", [False, True])
@pytest.mark.parametrize("change", [np.asfortranarray, lambda p: p.astype(">u2"), np.float16])
def test_pixels_come_in_the_order_of_this_machine(tmp_path, monkeypatch, change, lazy):
    if lazy:
        monkeypatch.setattr(opened, "LAZY_BYTES", 1)
    pixels = change(PIXELS)
    image = saved(tmp_path, pixels)
    assert isinstance(image.pixels, np.ndarray) != lazy
    assert image.pixels.dtype.isnative
    np.testing.assert_array_equal(image.pixels, pixels)


@pytest.mark.parametrize(
    ("shape", "parts"),
    [
        ((9, 3000, 1100), (4, 512, 512)),
        ((9500, 950, 3), (512, 512, 3)),
        ((3000, 64, 64), (256, 64, 64)),
        ((5000,), (512,)),
    ],
)
def test_a_large_file_is_read_part_by_part(tmp_path, monkeypatch, shape, parts):
    monkeypatch.setattr(opened, "LAZY_BYTES", 1)
    assert saved(tmp_path, np.zeros(shape, np.uint8)).pixels.chunksize == parts


def test_a_large_file_that_is_written_anew_says_so(tmp_path, monkeypatch):
    """What is mapped and cut off would end the process."""
    monkeypatch.setattr(opened, "LAZY_BYTES", 1)
    image = saved(tmp_path, np.zeros((600, 600)))
    np.save(tmp_path / "a b.npy", np.zeros(3))
    with pytest.raises(ShiftSegError, match="it was written anew since it was opened"):
        np.asarray(image.pixels)


def test_an_open_file_can_be_replaced(tmp_path):
    """As labels of a script that is run again."""
    first = saved(tmp_path, PIXELS)
    saved(tmp_path, PIXELS * 0)
    np.testing.assert_array_equal(first.pixels, PIXELS)


def test_pickled_objects_are_not_loaded(tmp_path):
    with pytest.raises(ShiftSegError, match=r"Python objects.*legal: an array of numbers"):
        saved(tmp_path, {"masks": PIXELS})
