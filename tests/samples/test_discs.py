import numpy as np
import pytest

from napari_shiftseg.samples import SIZES, SPACINGS, draw_discs
from napari_shiftseg.samples.discs import disc_image


def test_the_papers_image():
    image, labels = disc_image()
    assert image.shape == labels.shape == (284, 284)
    assert labels.max() == 22**2
    assert set(np.unique(image)) == {0, 1}
    np.testing.assert_array_equal(image, labels > 0)


def test_centres_are_one_spacing_apart():
    _, labels = disc_image(100, spacing=13, start=6)
    centres = [np.argwhere(labels == n).mean(0).tolist() for n in (1, 2, 9)]
    assert centres == [[6, 6], [6, 19], [19, 6]]


def test_the_radius_is_strict():
    image, _ = disc_image(11, spacing=50, radius=5, start=5)
    rows, columns = np.indices((11, 11)) - 5
    np.testing.assert_array_equal(image, rows**2 + columns**2 < 25)
    assert image.sum() == 69
    assert image[5, 0] == image[5, 10] == 0


@pytest.mark.parametrize("spacing", [11, 13, 16])
def test_all_whole_discs_look_the_same(spacing):
    _, labels = disc_image(5 + 4 * spacing, spacing=spacing)
    sizes = np.bincount(labels.ravel())[1:]
    inner = sizes.reshape(int(sizes.size**0.5), -1)[:4, :4]
    assert (inner == 69).all()


def test_discs_are_numbered_in_raster_order():
    _, labels = disc_image(60)
    assert labels[5, [5, 18, 31, 44, 57]].tolist() == [1, 2, 3, 4, 5]
    assert labels[18, 5] == 6


def test_every_disc_of_the_largest_image_has_a_number_of_its_own():
    sample = draw_discs(SPACINGS[0], size=SIZES[-1])
    assert sample.truth.max() == len(range(5, SIZES[-1] + 5, SPACINGS[0])) ** 2
    np.testing.assert_array_equal(sample.image, sample.truth > 0)
    assert np.all(np.bincount(sample.truth.ravel()) > 0)
