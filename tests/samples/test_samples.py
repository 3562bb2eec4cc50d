from importlib import resources

import numpy as np
import pytest

from napari_shiftseg.errors import ShiftSegError
from napari_shiftseg.samples import draw_discs, load_sample
from napari_shiftseg.samples.discs import disc_image


def test_nuclei_come_with_truth():
    sample = load_sample("nuclei")
    assert sample.image.shape == sample.truth.shape == (520, 696)
    assert sample.truth.max() > 50
    assert sample.suits == "nuclei-2d"


def test_nuclei_in_3d_come_with_truth_and_voxel_size():
    sample = load_sample("nuclei-3d")
    assert sample.image.shape == sample.truth.shape == (50, 117, 112)
    assert len(np.unique(sample.truth)) == 17
    assert sample.calibration.axes == "zyx"
    assert sample.calibration.scale == (1.75, 0.8, 0.8)
    assert sample.calibration.units == ("micrometer",) * 3
    inside = sample.image[sample.truth > 0].mean()
    assert inside > 2 * sample.image[sample.truth == 0].mean()


def test_their_licence_is_beside_them():
    folder = resources.files("napari_shiftseg.samples")
    text = (folder / "LICENSES.md").read_text(encoding="utf-8")
    bundled = [file.name for file in folder.iterdir() if file.name.endswith(".tif")]
    assert len(bundled) == 4 and all(f"`{name}`" in text for name in bundled)
    assert "Permission is hereby granted" in text
    assert sum(len((folder / name).read_bytes()) for name in bundled) < 1_000_000


@pytest.mark.parametrize(
    ("name", "spacing"), [("discs", 13), ("discs-15", 15), ("discs-16", 16), ("discs-13-noise", 13)]
)
def test_the_papers_discs(name, spacing):
    sample = load_sample(name)
    image, truth = disc_image(spacing=spacing)
    np.testing.assert_array_equal(sample.truth, truth)
    assert np.abs(sample.image - image).mean() < 0.1
    assert sample.name == name


def test_noise_has_the_papers_variance_and_is_the_same_each_time():
    noisy, clean = draw_discs(15, noise=True), draw_discs(15)
    assert np.var(noisy.image - clean.image) == pytest.approx(0.01, rel=0.02)
    np.testing.assert_array_equal(noisy.image, draw_discs(15, noise=True).image)
    assert (noisy.name, noisy.title) == ("discs-15-noise", "Discs, spacing 15, noise")


def test_a_model_is_named_only_for_what_it_was_trained_on():
    assert load_sample("discs").suits == "discs-l4"
    assert load_sample("nuclei-3d").suits == "nuclei-3d"
    for name in ("discs-15", "discs-16", "discs-13-noise"):
        assert load_sample(name).suits is None


@pytest.mark.parametrize("spacing", [8, 64])
def test_any_spacing_can_be_drawn(spacing):
    sample = draw_discs(spacing, size=300)
    assert sample.image.shape == (300, 300)
    assert sample.truth[5, 5] == 1 and sample.truth[5, 5 + spacing] == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"spacing": 7}, "spacing is 7; legal: 8 to 64"),
        ({"spacing": 65}, "spacing is 65; legal: 8 to 64"),
        ({"size": 31}, "size is 31; legal: 32 to 4096"),
    ],
)
def test_impossible_discs_are_refused(arguments, message):
    with pytest.raises(ShiftSegError, match=message):
        draw_discs(**arguments)


def test_an_unknown_sample_is_refused():
    with pytest.raises(ShiftSegError, match="no sample 'cells'; legal: nuclei, nuclei-3d, discs"):
        load_sample("cells")
