"""Rings around what was cut, as they are seen."""

import numpy as np
import pytest
from napari.components import ViewerModel

from napari_shiftseg._napari.ring_layers import (
    CUTS,
    keep_rings_in_slice,
    know_balls,
    new_rings,
    ring_centres,
)
from napari_shiftseg._napari.rings import Rings
from napari_shiftseg._napari.tags import tag
from napari_shiftseg.seams.splits import SeamSplit
from napari_shiftseg.tiles.geometry import NetworkGeometry
from napari_shiftseg.tiles.plan import make_plan

BALLS = Rings(np.array([[20.0, 12.5, 30.0]]), np.array([20.0]))
PLAN = make_plan(NetworkGeometry.regular(3, 1), (40, 50, 60))


@pytest.fixture
def viewer():
    viewer = ViewerModel()
    viewer.add_image(np.zeros((40, 50, 60), np.uint8), scale=(2, 1, 1))
    return viewer


@pytest.fixture
def rings(viewer):
    """A ball of ten pixels around a voxel, in slices that are twice as far apart."""
    layer = new_rings(BALLS.centres, BALLS.diameters, "rings", {"scale": (2, 1, 1)})
    layer.metadata = tag(kind=CUTS)
    know_balls(layer, BALLS, PLAN)
    return viewer.add_layer(layer)


@pytest.mark.parametrize(
    ("plane", "diameter"), [(20, 20.0), (17, 16.0), (23, 16.0), (24, 12.0), (26, None)]
)
def test_a_ball_is_a_ring_on_every_slice_that_it_reaches(viewer, rings, plane, diameter):
    viewer.dims.set_current_step(0, plane)
    keep_rings_in_slice(viewer)
    on_slice = np.round(rings.data[:, 0]) == plane
    assert on_slice.all() == (diameter is not None)
    if diameter is not None:
        assert rings.size == pytest.approx([diameter])
    np.testing.assert_array_equal(ring_centres(rings), BALLS.centres)


def test_in_a_rolled_view_too(viewer, rings):
    viewer.dims.order = (1, 0, 2)
    viewer.dims.set_point(1, 16)
    keep_rings_in_slice(viewer)
    np.testing.assert_allclose(rings.data, [[20, 16, 30]])


def test_in_three_dimensions_it_is_itself(viewer, rings):
    viewer.dims.set_current_step(0, 22)
    keep_rings_in_slice(viewer)
    viewer.dims.ndisplay = 3
    keep_rings_in_slice(viewer)
    np.testing.assert_array_equal(rings.data, BALLS.centres)
    assert rings.size == pytest.approx(BALLS.diameters)


def test_no_axis_of_the_volume_needs_be_on_screen(viewer, rings):
    viewer.add_image(np.zeros((2, 2, 40, 50, 60), np.uint8))
    viewer.dims.order = (2, 3, 4, 0, 1)
    keep_rings_in_slice(viewer)
    assert rings.size.max() <= 20


def test_hidden_rings_are_right_when_they_are_shown(viewer, rings):
    rings.visible = False
    viewer.dims.set_current_step(0, 17)
    keep_rings_in_slice(viewer)
    rings.visible = True
    assert rings.size == pytest.approx([16])


@pytest.mark.parametrize(("scale", "diameter"), [((1, 1), 14), ((0.5, 0.25), 14), ((3, 1), 22)])
def test_a_ring_reaches_around_its_object_though_pixels_are_no_squares(scale, diameter):
    labels = np.zeros((30, 40), np.int32)
    labels[4:10, 20:25], labels[4:10, 25:30] = 1, 2
    split = SeamSplit(1, (1, 2), 1, 25, (6.0, 25.0), 6, 1.0, "phase")
    rings = Rings.around([split], labels, scale)
    np.testing.assert_array_equal(rings.centres, [[6.5, 24.5]])
    assert rings.diameters[0] >= diameter
