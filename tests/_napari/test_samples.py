"""File ▸ Open Sample ▸ ShiftSeg, and the discs at any spacing."""

import npe2
import numpy as np
import pytest

PLUGIN = "napari-shiftseg"


def test_every_sample_has_an_image_and_hidden_truth(viewer):
    contributed = npe2.PluginManager.instance().get_manifest(PLUGIN).contributions.sample_data
    assert len(contributed) == 6
    for sample in contributed:
        viewer.layers.clear()
        viewer.open_sample(PLUGIN, sample.key)
        image, truth = viewer.layers
        assert image.data.shape == truth.data.shape
        assert image.visible and not truth.visible
        assert truth.metadata["shiftseg"]["truth_of"] == image.metadata["shiftseg"]["sample"]


def test_nuclei_in_3d_have_their_voxel_size(viewer):
    viewer.open_sample(PLUGIN, "nuclei-3d")
    for layer in viewer.layers:
        np.testing.assert_array_equal(layer.scale, (1.75, 0.8, 0.8))
        assert [str(unit) for unit in layer.units] == ["micrometer"] * 3
        assert layer.axis_labels == ("z", "y", "x")


@pytest.fixture
def discs(viewer):
    """The widget as the Plugins menu opens it."""
    return viewer.window.add_plugin_dock_widget(PLUGIN, "Draw the paper's discs")[1]


def test_discs_are_drawn_at_any_spacing_with_noise(viewer, discs):
    discs.spacing.value, discs.noise.value, discs.size.value = 21, True, 100
    discs.call_button.clicked.emit()
    image, truth = viewer.layers
    assert image.name == "Discs, spacing 21, noise"
    assert image.data.shape == truth.data.shape == (100, 100)
    assert image.data.std() > 0.1 and not truth.visible
    assert truth.metadata["shiftseg"]["truth_of"] == image.metadata["shiftseg"]["sample"]


def test_the_papers_own_discs_bring_their_model(viewer, discs):
    discs()
    assert viewer.layers["Discs"].metadata["shiftseg"]["suits"] == "discs-l4"


def test_the_form_only_offers_what_can_be_drawn(discs):
    assert (discs.spacing.min, discs.spacing.max) == (8, 64)


def test_samples_of_different_units_can_lie_beside_each_other(viewer):
    for key in ("nuclei-3d", "nuclei", "discs-15"):
        viewer.open_sample(PLUGIN, key)
    assert len(viewer.layers) == 6
    viewer.dims.ndisplay = 3
    viewer.reset_view()
