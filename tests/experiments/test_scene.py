import numpy as np
import pytest

from napari_shiftseg.experiments import s3
from napari_shiftseg.experiments.scene import Scene, identities, shuffled, whole_objects
from napari_shiftseg.experiments.synthetic import SYNTHETIC


class TestIdentities:
    def test_are_embeddings_that_differ_by_more_than_the_radius(self):
        points = np.array([[0.0, 0], [0.5, 0], [3, 0], [3, 0.2], [9, 9]])
        assert identities(points, 1) == 3
        assert identities(points, 0.1) == 5
        assert identities(points, 100) == 1

    def test_of_none_and_of_one(self):
        assert identities(np.zeros((0, 3)), 1) == 0
        assert identities(np.zeros((1, 3)), 1) == 1


@pytest.mark.parametrize("name", ["spacing-15-l3", "window-20", "constant"])
def test_no_pixel_of_the_region_sees_beyond_the_image(name):
    setting = SYNTHETIC[name]
    scene = Scene.of(setting, 30)
    for part, size, reach in zip(
        scene.region, scene.image.shape, setting.architecture.geometry.receptive_field, strict=True
    ):
        assert part.start >= reach
        assert size - part.stop >= reach
        assert part.start % setting.architecture.geometry.period[0] == 0


@pytest.mark.parametrize("name", ["spacing-16-noise", "spacing-16-elastic"])
def test_noise_and_bending_are_drawn_anew_but_the_same_for_one_seed(name):
    setting = SYNTHETIC[name]
    first, again, other = (Scene.of(setting, 16, seed) for seed in (1, 1, 2))
    assert np.array_equal(first.image, again.image)
    assert not np.array_equal(first.image, other.image)


def test_discs_at_the_border_of_a_region_do_not_count():
    objects = np.array([[1, 1, 0, 0], [0, 0, 2, 0], [0, 0, 2, 0], [0, 0, 0, 0]], np.int32)
    assert np.unique(whole_objects(objects)).tolist() == [0, 2]


def test_colours_are_shuffled_without_loss():
    labels = np.arange(50, dtype=np.int32)
    assert sorted(shuffled(labels)) == labels.tolist()
    assert shuffled(labels)[0] == 0


@pytest.mark.parametrize("tile", [s3.CORRECTED, *s3.ELASTIC.tiles])
def test_the_seams_of_all_tiles_have_about_as_many_discs_to_cut(tile):
    setting, shares = SYNTHETIC[s3.ELASTIC.setting], []
    for start in s3.STARTS:
        scene = Scene.of(setting, s3.EDGE, start=start)
        for axis, part in enumerate(scene.region):
            objects = np.moveaxis(scene.objects, axis, 0)
            first = -part.start % tile or tile
            for line in range(first, s3.EDGE, tile):
                both = (objects[line - 1] == objects[line]) & (objects[line] > 0)
                shares.append(both.mean())
    assert 0.1 < np.mean(shares) < 0.35
