import dataclasses

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from napari_shiftseg.embeddings.unet import Architecture, UNet
from napari_shiftseg.errors import ShiftSegError
from napari_shiftseg.tiles.geometry import NetworkGeometry
from random_networks import geometries, positive_network


def run_without_pixels(geometry, input_size):
    """Output size of a real network; the meta device computes shapes alone."""
    with torch.device("meta"):
        network = UNet(Architecture(geometry, maps=1, map_growth=1))
        return tuple(network(torch.empty(1, 1, *input_size)).shape[2:])


def legal_size(draw, geometry):
    steps = [draw(st.integers(0, 3)) for _ in range(geometry.ndim)]
    smallest, period = geometry.min_input_size, geometry.period
    return tuple(n + k * p for n, k, p in zip(smallest, steps, period, strict=True))


class TestPaperNumbers:
    three_levels = NetworkGeometry.regular(2, 3)
    four_levels = NetworkGeometry.regular(2, 4)

    def test_period(self):
        assert self.three_levels.period == (8, 8)
        assert self.four_levels.period == (16, 16)

    def test_context(self):
        assert self.three_levels.context == (88, 88)
        assert self.four_levels.context == (184, 184)

    def test_capacity_is_the_number_of_phases(self):
        assert self.three_levels.capacity == 64
        assert NetworkGeometry.regular(3, 2).capacity == 64

    @pytest.mark.parametrize(("size", "output"), [(204, 20), (220, 36), (236, 52)])
    def test_outputs_of_four_levels(self, size, output):
        assert self.four_levels.output_size((size, size)) == (output, output)

    def test_natural_outputs_of_three_levels_are_never_a_multiple_of_the_period(self):
        outputs = {self.three_levels.natural_output((n, n))[0] for n in range(97, 125)}
        assert outputs == {100, 108, 116, 124}
        assert {n % 8 for n in outputs} == {4}

    def test_same_padding_has_no_context(self):
        geometry = NetworkGeometry.regular(2, 3, padding="same")
        assert geometry.context == (0, 0)
        assert geometry.output_size((96, 104)) == (96, 104)


@given(st.data(), geometries())
def test_arithmetic_is_what_a_network_puts_out(data, geometry):
    size = legal_size(data.draw, geometry)
    assert geometry.output_size(size) == run_without_pixels(geometry, size)


@given(geometries(paddings=["valid"]))
def test_one_period_less_than_the_smallest_input_leaves_nothing(geometry):
    size = list(geometry.min_input_size)
    size[-1] -= geometry.period[-1]
    try:
        output = run_without_pixels(geometry, size)
    except RuntimeError:
        return
    assert min(output) < 1


@given(st.data(), geometries())
def test_illegal_sizes_are_refused_and_the_nearest_legal_ones_named(data, geometry):
    legal = legal_size(data.draw, geometry)
    axis = geometry.ndim - 1
    period = geometry.period[axis]
    size = list(legal)
    size[axis] += data.draw(st.integers(1, period - 1))
    with pytest.raises(ShiftSegError, match="nearest legal") as caught:
        geometry.output_size(tuple(size))
    message = str(caught.value)
    assert f"cannot take {size[axis]} px on axis {axis}" in message
    assert f"{legal[axis]} or {legal[axis] + period} px" in message


def test_below_the_smallest_size_only_that_one_is_named():
    with pytest.raises(ShiftSegError, match="nearest legal: 92 px"):
        NetworkGeometry.regular(2, 3).output_size((92, 90))


@given(st.data(), geometries())
def test_natural_output_is_the_smallest_that_covers(data, geometry):
    wanted = tuple(data.draw(st.integers(1, 400)) for _ in range(geometry.ndim))
    covering = geometry.natural_output(wanted)
    read = tuple(n + c for n, c in zip(covering, geometry.context, strict=True))
    assert geometry.output_size(read) == covering
    for have, want, period, least in zip(
        covering, wanted, geometry.period, geometry.min_output_size, strict=True
    ):
        assert have >= want
        assert have - period < want or have == least


def measured_reach(geometry, axis):
    """Farthest input pixel on one axis that changes an output pixel of any phase."""
    one_axis = NetworkGeometry(
        factors=tuple((f[axis],) for f in geometry.factors),
        down=tuple(tuple((k[axis],) for k in ks) for ks in geometry.down),
        up=tuple(tuple((k[axis],) for k in ks) for ks in geometry.up),
        head=tuple((k[axis],) for k in geometry.head),
        padding=geometry.padding,
    )
    network = positive_network(Architecture(one_axis, maps=1, map_growth=1, embedding_dims=1))
    period, reach = one_axis.period[0], one_axis.receptive_field[0]
    size = one_axis.next_input_size(0, one_axis.context[0] + 2 * reach + 4 * period)
    touched = network(torch.eye(size, dtype=torch.float64)[:, None])[:, 0] != 0
    where_in, where_out = touched.nonzero().T
    where_out = where_out + one_axis.context[0] // 2
    middle = (size // 2 // period) * period + one_axis.context[0] // 2 % period
    chosen = (where_out >= middle) & (where_out < middle + period)
    return int((where_in - where_out)[chosen].abs().max())


@given(geometries(ndims=(2,), levels=3, convolutions=2))
def test_receptive_field_is_the_reach_of_a_positive_network(geometry):
    measured = tuple(measured_reach(geometry, axis) for axis in range(geometry.ndim))
    assert geometry.receptive_field == measured


def test_receptive_field_in_two_dimensions():
    geometry = NetworkGeometry(
        factors=((2, 3),), down=(((3, 3),), ((3, 1),)), up=(((3, 3),),), head=((1, 1),)
    )
    network = positive_network(Architecture(geometry, maps=1, map_growth=1, embedding_dims=1))
    image = torch.zeros(1, 1, *geometry.min_input_size, dtype=torch.float64).repeat(1, 1, 4, 4)
    image = image[..., : geometry.next_input_size(0, 30), : geometry.next_input_size(1, 30)]
    image.requires_grad_(False)
    reaches = torch.zeros(2, dtype=torch.int64)
    for row in range(12, 18):
        for column in range(12, 18):
            image[0, 0, row, column] = 1
            seen = network(image)[0, 0].nonzero() + torch.tensor(geometry.context) // 2
            image[0, 0, row, column] = 0
            far = (seen - torch.tensor([row, column])).abs().amax(0)
            reaches = torch.maximum(reaches, far)
    assert geometry.receptive_field == tuple(reaches.tolist())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"factors": ((2, 2), (2, 2))}, "2 pooling levels need 3 contracting"),
        ({"factors": ((2, 2, 2),)}, "different numbers of axes"),
        ({"factors": ((0, 2),)}, "at least 1"),
        ({"head": ((2, 2),)}, "odd"),
        ({"padding": "reflect"}, "'valid' or 'same'"),
    ],
)
def test_impossible_geometries_are_refused(changes, message):
    block = ((3, 3),)
    legal = {"factors": ((2, 2),), "down": (block, block), "up": (block,), "head": ((1, 1),)}
    with pytest.raises(ShiftSegError, match=message):
        NetworkGeometry(**legal | changes)


def test_a_size_of_the_wrong_number_of_axes_is_refused():
    with pytest.raises(ShiftSegError, match="2 axes"):
        NetworkGeometry.regular(2, 2).output_size((100, 100, 100))


def test_a_head_is_seen_through_without_any_pooling_too():
    geometry = NetworkGeometry(
        factors=(), down=(((3, 3),),), up=(), head=((5, 5), (3, 3)), padding="same"
    )
    assert geometry.receptive_field == (4, 4)


@pytest.mark.parametrize("levels", [-1, 3])
def test_no_more_levels_are_flat_than_there_are(levels):
    with pytest.raises(ShiftSegError, match=f"{levels} flat levels; legal: 0 to 2"):
        NetworkGeometry.regular(3, 2).flattened(levels)


def test_levels_without_convolutions_have_their_axes_and_no_context():
    bare = NetworkGeometry.regular(3, 2, convolutions=0)
    assert (bare.ndim, bare.period, bare.context) == (3, (4, 4, 4), (0, 0, 0))
    with pytest.raises(ShiftSegError, match="no kernel at all"):
        dataclasses.replace(bare, head=())
