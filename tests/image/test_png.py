"""PNG files as users have them; hostile ones are in ``tests/trust``."""

import imagecodecs
import numpy as np
import pytest

from napari_shiftseg.errors import ShiftSegError
from napari_shiftseg.image.files import open_image, write_image

GREY = np.random.default_rng(0).integers(0, 255, (7, 5), np.uint8)
COLOURS = np.dstack([GREY, GREY // 2, GREY // 3])
OPAQUE = np.full_like(GREY, 255)


def opened(folder, pixels, name="a b.png"):
    (folder / name).write_bytes(imagecodecs.png_encode(np.ascontiguousarray(pixels)))
    return open_image(folder / name)


@pytest.mark.parametrize("name", ["a b.png", "a b.PNG"])
def test_a_grey_image(tmp_path, name):
    image = opened(tmp_path, GREY, name)
    assert image.name == "a b" and image.calibration.axes == "yx" and not image.rgb
    np.testing.assert_array_equal(image.pixels, GREY)


def test_sixteen_bits_stay_sixteen_bits(tmp_path):
    labels = GREY.astype(np.uint16) * 257
    np.testing.assert_array_equal(opened(tmp_path, labels).pixels, labels)


def test_colours_lie_along_the_last_axis(tmp_path):
    image = opened(tmp_path, COLOURS)
    assert image.calibration.axes == "yxs" and image.rgb
    np.testing.assert_array_equal(image.pixels, COLOURS)


@pytest.mark.parametrize(
    "pixels",
    [
        np.dstack([GREY] * 3),
        np.dstack([GREY] * 3 + [OPAQUE]),
        np.dstack([GREY, OPAQUE]),
    ],
    ids=["in colours", "in colours with transparency", "with transparency"],
)
def test_a_grey_image_that_was_saved_otherwise_is_grey(tmp_path, pixels):
    np.testing.assert_array_equal(opened(tmp_path, pixels).pixels, GREY)


def test_transparency_of_colours_is_left_out(tmp_path):
    image = opened(tmp_path, np.dstack([COLOURS, GREY]))
    np.testing.assert_array_equal(image.pixels, COLOURS)


def test_nothing_is_written_as_png(tmp_path):
    with pytest.raises(ShiftSegError, match=r"ends in \.png; legal: \.tif"):
        write_image(tmp_path / "a.png", GREY, axes="yx")
    assert list(tmp_path.iterdir()) == []
