import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from napari_shiftseg.errors import ShiftSegError
from napari_shiftseg.training.crops import UNKNOWN, Augmentation, Crops

PLAIN = Augmentation(flips=False, zoom=1, intensity=0)


def numbered(shape):
    """An image whose pixels are their own labels, from 1 on."""
    mask = 1 + np.arange(np.prod(shape)).reshape(shape)
    return mask[None].astype(np.float32), mask


def crops(shape=(40, 50), window=(12, 10), context=(8, 4), augmentation=PLAIN, inside=False):
    image, mask = numbered(shape)
    return Crops([image], [mask], window, context, augmentation, inside)


def sample(source, seed=0):
    image, labels = source.sample(np.random.default_rng(seed))
    return image.numpy(), labels.numpy()


def centre(image, context=(8, 4)):
    return image[0, 0][tuple(slice(c // 2, -(c // 2)) for c in context)]


@given(st.integers(0, 2**31), st.sampled_from([PLAIN, Augmentation()]))
def test_sizes_are_those_of_window_and_context(seed, augmentation):
    image, labels = sample(crops(augmentation=augmentation), seed)
    assert image.shape == (1, 1, 20, 14)
    assert labels.shape == (12, 10)
    assert (image.dtype, labels.dtype) == (np.float32, np.int64)


@given(st.integers(0, 2**31))
def test_the_same_generator_draws_the_same_crop(seed):
    source = crops(augmentation=Augmentation())
    for one, other in zip(sample(source, seed), sample(source, seed), strict=True):
        np.testing.assert_array_equal(one, other)


def test_another_generator_draws_another_crop():
    assert not np.array_equal(sample(crops(), 1)[1], sample(crops(), 2)[1])


@given(st.integers(0, 2**31), st.booleans())
def test_the_window_lies_inside_of_the_image(seed, inside):
    image, labels = sample(crops(inside=inside), seed)
    assert labels.min() > 0
    np.testing.assert_array_equal(centre(image), labels)


@given(st.integers(0, 2**31))
def test_with_its_context_too_if_asked(seed):
    image, _ = sample(crops(inside=True), seed)
    assert len(np.unique(image)) == image.size


@given(st.integers(0, 2**31), st.integers(20, 24), st.integers(14, 17))
def test_it_is_zoomed_no_more_than_there_is_room_for(seed, height, width):
    zooming = Augmentation(flips=False, zoom=1.5, intensity=0)
    image, labels = sample(crops((height, width), augmentation=zooming, inside=True), seed)
    assert image.shape == (1, 1, 20, 14)
    assert labels.min() > 0


def test_windows_reach_every_pixel_the_border_too():
    source = crops(shape=(14, 12))
    seen = set()
    for seed in range(60):
        seen |= set(sample(source, seed)[1].ravel().tolist())
    assert seen == set(range(1, 14 * 12 + 1))


@given(st.integers(0, 2**31))
def test_labels_move_with_the_image_under_flips_and_turns(seed):
    source = crops(window=(10, 10), context=(4, 4), augmentation=Augmentation(zoom=1, intensity=0))
    image, labels = sample(source, seed)
    np.testing.assert_array_equal(centre(image, (4, 4)), labels)


def test_a_square_window_is_turned_in_all_eight_ways():
    source = crops((10, 10), (10, 10), (4, 4), augmentation=Augmentation(zoom=1, intensity=0))
    assert len({sample(source, seed)[1].tobytes() for seed in range(80)}) == 8


@pytest.mark.parametrize("axis", [0, 1])
@given(seed=st.integers(0, 2**31))
def test_labels_move_with_the_image_under_zoom(axis, seed):
    position = np.indices((60, 60))[axis]
    source = Crops(
        [position[None].astype(np.float32)],
        [position],
        (20, 20),
        (8, 8),
        Augmentation(flips=False, zoom=1.5, intensity=0),
        inside=True,
    )
    image, labels = sample(source, seed)
    assert np.abs(centre(image, (8, 8)) - labels).max() <= 0.5 + 1e-3


def test_zoom_magnifies_and_shrinks():
    source = crops(augmentation=Augmentation(flips=False, zoom=1.5, intensity=0), inside=True)
    spans = [np.ptp(sample(source, seed)[1] // 50) for seed in range(40)]
    assert min(spans) < 10
    assert max(spans) > 13


@given(st.integers(0, 2**31))
def test_pixels_outside_of_the_image_are_unknown(seed):
    image, labels = sample(crops(shape=(5, 50)), seed)
    assert (labels == UNKNOWN).sum() == 7 * 10
    known = labels != UNKNOWN
    np.testing.assert_array_equal(centre(image)[known], labels[known])
    assert centre(image).min() >= 1


@given(st.integers(0, 2**31))
def test_intensity_changes_leave_labels_alone(seed):
    bright = crops(augmentation=Augmentation(flips=False, zoom=1, intensity=1))
    image, labels = sample(bright, seed)
    plain, plain_labels = sample(crops(), seed)
    np.testing.assert_array_equal(labels, plain_labels)
    assert np.isfinite(image).all()
    assert not np.array_equal(image, plain)


class TestBending:
    def bent(self, shape, window, elastic, seed=0):
        augmentation = Augmentation(flips=False, zoom=1, intensity=0, elastic=elastic)
        return sample(crops(shape, window, (4,) * len(shape), augmentation), seed)

    @pytest.mark.parametrize("shape", [(90,), (90, 80), (40, 42, 44)])
    def test_moves_image_and_labels_alike(self, shape):
        position = np.arange(np.prod(shape)).reshape(shape) % shape[-1]
        source = Crops(
            [position[None].astype(np.float32)],
            [position],
            tuple(n - 10 for n in shape),
            (4,) * len(shape),
            Augmentation(flips=False, zoom=1, intensity=0, elastic=1.5),
            inside=True,
        )
        image, labels = sample(source)
        straight = sample(Crops(source.images, source.masks, source.window, source.context, PLAIN))
        assert np.abs(centre(image, (4,) * len(shape)) - labels).max() <= 0.5 + 1e-3
        assert not np.array_equal(labels, straight[1])

    def test_by_about_as_much_as_asked(self):
        rows = np.indices((400, 400))[0]
        source = Crops([rows[None].astype(np.float32)], [rows], (396, 396), (4, 4),
                       Augmentation(flips=False, zoom=1, intensity=0, elastic=2))  # fmt: skip
        moved = sample(source)[0][0, 0] - np.arange(400)[:, None]
        assert 0.8 < np.std(moved[20:-20, 20:-20]) < 2


def test_noise_has_the_variance_that_was_asked_for():
    noisy = Augmentation(flips=False, zoom=1, intensity=0, noise=0.04)
    image, _ = sample(crops((200, 200), (190, 190), (8, 8), noisy))
    clean, _ = sample(crops((200, 200), (190, 190), (8, 8)))
    assert np.var(image - clean) == pytest.approx(0.04, rel=0.05)


def test_every_image_is_drawn():
    sources = [numbered((40, 50)) for _ in range(3)]
    source = Crops(
        [image for image, _ in sources], [i * 10**6 + m for i, (_, m) in enumerate(sources)],
        (12, 10), (8, 4), PLAIN,
    )  # fmt: skip
    drawn = {int(sample(source, seed)[1].flat[0]) // 10**6 for seed in range(40)}
    assert drawn == {0, 1, 2}


def test_three_dimensions():
    source = crops((10, 12, 14), (4, 6, 6), (2, 2, 2), Augmentation(zoom=1, intensity=0))
    image, labels = sample(source)
    np.testing.assert_array_equal(centre(image, (2, 2, 2)), labels)


def test_an_image_too_small_for_its_context_is_refused_if_that_must_be_inside():
    with pytest.raises(ShiftSegError, match="cannot hold a window with its context"):
        crops(shape=(19, 50), inside=True)


@pytest.mark.parametrize(
    "changes", [{"zoom": 0.9}, {"intensity": -0.1}, {"elastic": -1}, {"noise": -0.1}]
)
def test_impossible_augmentations_are_refused(changes):
    with pytest.raises(ShiftSegError, match="zoom >= 1, the others >= 0"):
        Augmentation(**changes)


def test_crops_are_ready_for_torch():
    image, labels = crops(augmentation=Augmentation()).sample(np.random.default_rng(0))
    assert isinstance(image, torch.Tensor)
    assert image.is_contiguous()
    assert labels.is_contiguous()


@pytest.mark.parametrize(("by_area", "share"), [(False, 0.5), (True, 0.9)])
def test_large_images_are_drawn_more_often_if_asked(by_area, share):
    small, large = np.zeros((20, 50), int), np.ones((180, 50), int)
    source = Crops(
        [m[None].astype(np.float32) for m in (small, large)],
        [small, large],
        (12, 10),
        (8, 4),
        PLAIN,
        by_area=by_area,
    )
    drawn = [sample(source, seed)[1].max() for seed in range(300)]
    assert np.mean(drawn) == pytest.approx(share, abs=0.09)


@pytest.mark.parametrize("kind", [np.int64, np.uint64])
def test_labels_that_float64_cannot_hold_stay_apart(kind):
    """As of connectomics: beyond 2^53 neighbouring numbers are one in float64."""
    mask = np.zeros((24, 24), kind)
    mask[2:10, 2:10], mask[12:20, 2:10], mask[2:10, 12:20] = (2**59 + n for n in (1, 2, 3))
    crops = Crops([np.zeros((1, 24, 24), np.float32)], [mask], (16, 16), (8, 8))
    seen = set()
    for seed in range(40):
        seen |= set(crops.sample(np.random.default_rng(seed))[1].unique().tolist())
    assert seen - {-1} == {0, 1, 2, 3}


def test_crops_of_an_image_that_is_known_in_one_place_show_that_place():
    mask = np.full((400, 400), -1)
    mask[200:230, 100:130] = 0
    mask[205:225, 105:125] = 1
    crops = Crops([np.zeros((1, 400, 400), np.float32)], [mask], (40, 40), (4, 4))
    rng = np.random.default_rng(0)
    assert all((crops.sample(rng)[1] >= 0).any() for _ in range(60))


def test_known_pixels_are_all_shown_in_3d_too():
    mask = np.full((12, 30, 30), -1)
    mask[3:5, 2:4, 28:30], mask[11, 0, 0] = 1, 2
    crops = Crops([np.zeros((1, *mask.shape), np.float32)], [mask], (2, 4, 4), (2, 4, 4), PLAIN)
    rng = np.random.default_rng(0)
    assert {int(crops.sample(rng)[1].max()) for _ in range(60)} == {1, 2}
