"""The paper's theorems on the networks that its proofs construct: every count is exact."""

from itertools import product
from math import gcd, prod

import numpy as np
import pytest
import torch

from napari_shiftseg.embeddings.unet import Architecture
from napari_shiftseg.errors import ShiftSegError
from napari_shiftseg.experiments.constructions import (
    diagonal_image,
    identity_network,
    periodic_image,
    prime_network,
)
from napari_shiftseg.experiments.equivariance import (
    commutes,
    count_different,
    image_size,
    instance_embeddings,
    outputs,
    relative_outputs,
)
from napari_shiftseg.experiments.function_counts import COUNTED
from napari_shiftseg.experiments.reproduce import reproduce_events
from napari_shiftseg.experiments.stitching_sketch import stitching_sketch
from napari_shiftseg.tiles.geometry import NetworkGeometry
from random_networks import integer_network, positive_network

SETTINGS = [
    *product((1, 2, 3), (2, 3), (1, 2)),
    *[(d, f, 3) for d, f in ((1, 2), (1, 3), (2, 2), (3, 2))],
]
"""Axes d, factor f and levels l; a network of them is up to 729 functions."""

UPSAMPLINGS = ("learnt", "nearest")

every_setting = pytest.mark.parametrize(("ndim", "factor", "levels"), SETTINGS)
all_with_both = pytest.mark.parametrize(
    ("ndim", "factor", "levels", "upsampling"),
    [
        (*setting, upsampling)
        for setting, upsampling in product(SETTINGS, UPSAMPLINGS)
        if upsampling == "nearest" or setting[1] ** (setting[0] * setting[2]) < 500
    ],
)
both_upsamplings = pytest.mark.parametrize("upsampling", UPSAMPLINGS)


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """Images are so small that a second thread costs more than it does."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def architecture(ndim, factor, levels, upsampling="learnt", *, kernel=1, maps=2, padding="valid"):
    geometry = NetworkGeometry.regular(
        ndim, levels, factor=factor, kernel=kernel, convolutions=1, padding=padding
    )
    return Architecture(geometry, maps=maps, upsampling=upsampling, embedding_dims=2)


UNUSUAL = [
    pytest.param(architecture(2, 2, 2, kernel=3), id="3x3 convolutions"),
    pytest.param(architecture(3, 2, 1, kernel=3), id="3x3x3 convolutions"),
    pytest.param(Architecture(NetworkGeometry.regular(1, 3), maps=2), id="as in Fig. 2, 1-d"),
    pytest.param(
        Architecture(
            NetworkGeometry(
                factors=((1, 2), (3, 2)),
                down=(((1, 3),), ((3, 3), (1, 1)), ((3, 3),)),
                up=(((1, 5),), ((3, 1),)),
            ),
            in_channels=2,
            maps=3,
            foreground=True,
        ),
        id="factors by axis",
    ),
]
"""Every U-Net has these capacities, whatever its kernels."""


def random_image(size, seed=0):
    return np.random.default_rng(seed).integers(-4, 5, size).astype(float)


def shuffled_image(size):
    """All pixels differ, so that no two blocks share their maximum."""
    return np.random.default_rng(0).permutation(prod(size)).reshape(size).astype(float)


def input_size(geometry, output):
    """Size of an image whose output is at least ``output``."""
    natural = geometry.natural_output(output)
    return tuple(n + c for n, c in zip(natural, geometry.context, strict=True))


def block_starts(geometry, axis, size):
    """Where in the image the max-pooling block of each output pixel starts.

    Valid convolutions before a pooling cut off half their kernels, in pixels of their level,
    and the grid of the blocks starts behind.
    """
    cut = [sum(kernel[axis] - 1 for kernel in kernels) // 2 for kernels in geometry.down[:-1]]
    pixels = [prod(f[axis] for f in geometry.factors[:level]) for level in range(len(cut))]
    first = sum(c * p for c, p in zip(cut, pixels, strict=True))
    places = np.arange(size) + geometry.context[axis] // 2
    return places - (places - first) % geometry.period[axis]


class TestLemma1:
    """Every U-Net has the capacity to be f^(dl) relative-distinct functions, but not more."""

    @all_with_both
    def test_the_network_puts_out_the_maximum_of_its_block(self, ndim, factor, levels, upsampling):
        edge = factor**levels
        network = identity_network(architecture(ndim, factor, levels, upsampling))
        image = shuffled_image((2 * edge,) * ndim)
        blocks = image.reshape((2, edge) * ndim)
        maxima = blocks.max(axis=tuple(range(1, 2 * ndim, 2)))
        expected = np.kron(maxima, np.ones((edge,) * ndim))
        assert np.array_equal(outputs(network, image)[0], expected)

    @pytest.mark.parametrize("unusual", UNUSUAL)
    def test_kernels_move_the_grid_of_blocks_and_nothing_else(self, unusual):
        geometry = unusual.geometry
        image = shuffled_image(input_size(geometry, tuple(2 * p for p in geometry.period)))
        found = outputs(identity_network(unusual), image)[0]
        starts = [block_starts(geometry, axis, size) for axis, size in enumerate(found.shape)]
        for place, value in np.ndenumerate(found):
            corner = (starts[axis][x] for axis, x in enumerate(place))
            block = (slice(s, s + p) for s, p in zip(corner, geometry.period, strict=True))
            assert value == image[tuple(block)].max()

    @all_with_both
    def test_the_constructed_network_is_f_to_the_dl_functions(
        self, ndim, factor, levels, upsampling
    ):
        network = identity_network(architecture(ndim, factor, levels, upsampling))
        image = diagonal_image(image_size(network.architecture.geometry, (factor**levels,) * ndim))
        assert count_different(relative_outputs(network, image)) == factor ** (ndim * levels)

    @pytest.mark.parametrize("unusual", UNUSUAL)
    def test_so_is_one_with_any_kernels(self, unusual):
        network = identity_network(unusual)
        image = diagonal_image(image_size(unusual.geometry, unusual.geometry.period))
        assert count_different(relative_outputs(network, image)) == unusual.geometry.capacity

    @pytest.mark.parametrize(
        ("ndim", "factor", "levels"), [s for s in SETTINGS if s[1] ** (s[0] * s[2]) < 65]
    )
    @both_upsamplings
    def test_no_network_is_more_functions(self, ndim, factor, levels, upsampling):
        shifts = (factor**levels + 1,) * ndim
        for seed in range(2):
            network = integer_network(architecture(ndim, factor, levels, upsampling, maps=8), seed)
            image = random_image(image_size(network.architecture.geometry, shifts), seed)
            relative = relative_outputs(network, image, shifts)
            assert 1 < count_different(relative) <= factor ** (ndim * levels)
            for axis in range(1, ndim + 1):
                first, again = (np.take(relative, n, axis) for n in (0, factor**levels))
                assert np.array_equal(first, again)


class TestCorollary1:
    """U-Nets commute with shifts by f^l; the constructed one does with no other shift."""

    @every_setting
    def test_only_shifts_by_multiples_of_the_period_commute(self, ndim, factor, levels):
        period = factor**levels
        network = identity_network(architecture(ndim, factor, levels, "nearest"))
        image = diagonal_image(image_size(network.architecture.geometry, (2 * period + 1,) * ndim))
        some = (0, 1, period - 1, period, 2 * period)
        along = range(2 * period + 1) if ndim < 3 and period < 9 else some
        for shift in product(along, repeat=ndim):
            assert commutes(network, image, shift) == all(s % period == 0 for s in shift)

    @pytest.mark.parametrize("unusual", UNUSUAL)
    def test_so_it_is_with_any_kernels(self, unusual):
        network, period = identity_network(unusual), unusual.geometry.period
        image = diagonal_image(image_size(unusual.geometry, tuple(p + 1 for p in period)))
        for shift in product(*(range(p + 1) for p in period)):
            aligned = all(s % p == 0 for s, p in zip(shift, period, strict=True))
            assert commutes(network, image, shift) == aligned

    @pytest.mark.parametrize("unusual", UNUSUAL)
    def test_shifts_by_the_period_commute_with_any_weights(self, unusual):
        period = unusual.geometry.period
        image = random_image(image_size(unusual.geometry, tuple(p + 1 for p in period)))
        for seed in range(3):
            assert commutes(integer_network(unusual, seed), image, period)


def embeddings_at(network, spacing, cell, pixel):
    """Embeddings of at least f^l instances per axis."""
    geometry = network.architecture.geometry
    at_least = tuple(p * (spacing + 1) for p in geometry.period)
    size = input_size(geometry, at_least)
    found = instance_embeddings(network, periodic_image(cell, size), cell.shape, pixel)
    assert all(n >= p for n, p in zip(found.shape[1:], geometry.period, strict=True))
    return found


class TestCorollary2:
    """At most f^(dl) same-looking instances can be told apart: at co-prime offsets."""

    @all_with_both
    def test_the_network_of_lemma_1_reaches_it(self, ndim, factor, levels, upsampling):
        """At spacing 2 f^l - 1, as in Figs. 2b and 2c: 15 for a period of 8."""
        network = identity_network(architecture(ndim, factor, levels, upsampling))
        period = factor**levels
        cell = diagonal_image((2 * period - 1,) * ndim)
        found = embeddings_at(network, 2 * period - 1, cell, (period - 1,) * ndim)
        assert count_different(found) == factor ** (ndim * levels)

    @pytest.mark.parametrize("unusual", UNUSUAL)
    def test_so_does_that_of_corollary_5_with_any_kernels(self, unusual):
        spacing = 7
        assert all(gcd(spacing, period) == 1 for period in unusual.geometry.period)
        cell = random_image((spacing,) * unusual.geometry.ndim)
        found = embeddings_at(prime_network(unusual), spacing, cell, (3,) * cell.ndim)
        assert count_different(found) == unusual.geometry.capacity

    @pytest.mark.parametrize(("ndim", "factor", "levels"), [s for s in SETTINGS if s[0] < 3])
    def test_a_common_divisor_of_spacing_and_period_divides_it(self, ndim, factor, levels):
        network = prime_network(architecture(ndim, factor, levels))
        period = factor**levels
        for spacing in range(1, 2 * period + 1):
            cell = random_image((spacing,) * ndim)
            found = embeddings_at(network, spacing, cell, (0,) * ndim)
            assert count_different(found) == (period // gcd(period, spacing)) ** ndim

    @pytest.mark.parametrize("upsampling", UPSAMPLINGS)
    def test_random_weights_do_not_exceed_it(self, upsampling):
        for seed, spacing in product(range(3), (3, 5, 7)):
            network = integer_network(architecture(2, 2, 2, upsampling, kernel=3), seed)
            cell = random_image((spacing, spacing), seed)
            assert count_different(embeddings_at(network, spacing, cell, (1, 1))) <= 16


class TestCorollary3:
    """Same-looking instances at offsets n * f^l cannot be told apart."""

    @every_setting
    def test_by_the_constructed_networks(self, ndim, factor, levels):
        period = factor**levels
        for n, build in product((1, 2), (identity_network, prime_network)):
            if ndim == 3 and n * period > 9:
                continue
            cell = diagonal_image((n * period,) * ndim)
            network = build(architecture(ndim, factor, levels))
            found = embeddings_at(network, n * period, cell, (period - 1,) * ndim)
            assert count_different(found) == 1

    @all_with_both
    def test_by_random_weights(self, ndim, factor, levels, upsampling):
        period = factor**levels
        network = integer_network(architecture(ndim, factor, levels, upsampling, maps=8))
        different = []
        for n in (1, 2):
            cell = random_image((n * period,) * ndim, seed=n)
            found = outputs(network, periodic_image(cell, ((n + 1) * period,) * ndim))
            different.append(count_different(found))
            for axis in range(1, ndim + 1):
                first, second = (
                    np.take(found, range(start, start + period), axis) for start in (0, n * period)
                )
                assert np.array_equal(first, second)
        assert max(different) > 1, "the network is more than a constant"

    @pytest.mark.parametrize("unusual", UNUSUAL)
    def test_by_any_weights_at_any_pixel(self, unusual):
        geometry = unusual.geometry
        for seed, n in product(range(3), (1, 2, 3)):
            network = integer_network(unusual, seed)
            spacing = tuple(n * p for p in geometry.period)
            size = input_size(geometry, tuple(2 * s for s in spacing))
            found = outputs(network, periodic_image(random_image(spacing, seed), size))
            assert np.abs(found).max() < 2**53, "doubles are exact below"
            assert count_different(found) > 1
            for axis, step in enumerate(spacing, start=1):
                first = np.take(found, range(found.shape[axis] - step), axis)
                second = np.take(found, range(step, found.shape[axis]), axis)
                assert first.size
                assert np.array_equal(first, second)


class TestFig3:
    """Functions first meet at a seam, unless windows exceed f^l and tiles are n * f^l."""

    def test_the_sketch(self):
        a = stitching_sketch(8, 8)
        b = stitching_sketch(11, 11)
        c = stitching_sketch(11, 8, "corrected")
        assert (a.untrained_pairs, a.endangered) == ({(7, 0)}, {1})
        assert (b.untrained_pairs, b.endangered) == ({(2, 0)}, {2})
        assert (c.untrained_pairs, c.endangered) == (set(), set())
        assert a.untrained == a.seams == c.seams == (8, 16)
        assert b.untrained == b.seams == (11,)
        assert b.functions.tolist() == [*range(8), 0, 1, 2] * 2

    @pytest.mark.parametrize(("levels", "factor"), [(1, 2), (2, 2), (1, 3)])
    def test_only_windows_beyond_the_period_and_tiles_of_n_periods_are_safe(self, levels, factor):
        period = factor**levels
        for trained, tile in product(range(1, 2 * period + 2), repeat=2):
            sketch = stitching_sketch(trained, tile, levels=levels, factor=factor, width=20)
            safe = trained > period and tile % period == 0
            assert bool(sketch.untrained) != safe

    def test_windows_below_the_period_leave_functions_untrained(self):
        sketch = stitching_sketch(5, 22, "whole")
        assert sketch.untrained_pairs == {(4, 5), (5, 6), (6, 7), (7, 0)}

    @pytest.mark.parametrize("tile", [7, 10])
    def test_an_instance_that_only_begins_at_a_seam_is_safe(self, tile):
        sketch = stitching_sketch(11, tile)
        assert tile in sketch.untrained
        assert sketch.labels[tile - 1] == 0 != sketch.labels[tile]
        assert sketch.endangered == set()

    def test_a_window_of_the_period_is_unsafe_even_without_seams(self):
        sketch = stitching_sketch(8, 22, "whole")
        assert sketch.seams == ()
        assert sketch.untrained_pairs == {(7, 0)}


class TestCorollary5:
    """Valid padding and learnt upsampling can give each pixel of an f^l block its own ID."""

    @every_setting
    def test_the_constructed_network_gives_f_to_the_dl_ids(self, ndim, factor, levels):
        period = factor**levels
        network = prime_network(architecture(ndim, factor, levels))
        found = outputs(network, np.ones((2 * period,) * ndim))
        assert count_different(found) == factor ** (ndim * levels)
        for start in (0, 1, period - 1):
            window = (slice(None), *[slice(start, start + period)] * ndim)
            assert count_different(found[window]) == factor ** (ndim * levels)

    @every_setting
    def test_each_is_a_product_of_one_prime_of_each_level(self, ndim, factor, levels):
        network = prime_network(architecture(ndim, factor, levels))
        kernels = [set(u[0].weight[0, 0].flatten().int().tolist()) for u in network.upsample]
        primes = set().union(*kernels)
        assert len(primes) == levels * factor**ndim
        assert all(p > 1 and all(p % q for q in range(2, p)) for p in primes)
        ids = outputs(network, np.ones((factor**levels,) * ndim))[0]
        assert set(ids.ravel()) == {prod(one) for one in product(*kernels)}

    @pytest.mark.parametrize("unusual", UNUSUAL)
    def test_with_any_kernels_and_whatever_the_image_shows(self, unusual):
        network = prime_network(unusual)
        size = input_size(unusual.geometry, unusual.geometry.period)
        found = outputs(network, np.ones(size))
        window = found[(slice(None), *map(slice, unusual.geometry.period))]
        assert count_different(window) == unusual.geometry.capacity
        for seed in range(3):
            assert np.array_equal(outputs(network, random_image(size, seed)), found)

    @every_setting
    def test_nearest_upsampling_gives_one_whatever_the_weights(self, ndim, factor, levels):
        size = (2 * factor**levels,) * ndim
        for seed in range(2):
            network = integer_network(architecture(ndim, factor, levels, "nearest", maps=8), seed)
            assert count_different(outputs(network, random_image(size, seed))) > 1
            for value in (1.0, -3.0):
                assert count_different(outputs(network, np.full(size, value))) == 1

    @pytest.mark.parametrize("ndim", [1, 2, 3])
    def test_so_it_does_with_kernels_of_3(self, ndim):
        for seed in range(3):
            wide = architecture(ndim, 2, 1, "nearest", kernel=3)
            network = integer_network(wide, seed)
            image = np.ones(input_size(wide.geometry, (4,) * ndim))
            assert count_different(outputs(network, image)) == 1

    def test_zero_padding_gives_more_even_so(self):
        network = positive_network(architecture(2, 2, 1, "nearest", kernel=3, padding="same"))
        assert count_different(outputs(network, np.ones((12, 12)))) > 4

    def test_nearest_upsampling_has_no_room_for_primes(self):
        with pytest.raises(ShiftSegError, match="'nearest'; Corollary 5 needs 'learnt'"):
            prime_network(architecture(2, 2, 1, "nearest"))


@pytest.mark.parametrize("kernel", [1, 3, 5])
def test_the_named_pixel_of_every_instance_is_read(kernel):
    """A network that pools by 1 puts out its image, without the context."""
    network = identity_network(architecture(2, 1, 2, kernel=kernel))
    cell = shuffled_image((4, 5))
    image = periodic_image(cell, (40, 41))
    for pixel in np.ndindex(cell.shape):
        found = instance_embeddings(network, image, cell.shape, pixel)[0]
        assert found.size
        assert set(found.ravel()) == {cell[pixel]}


class TestDiagonalImage:
    """Equation 3."""

    def test_numbers_pixels_by_sum_then_by_first_coordinate(self):
        assert diagonal_image((3, 3)).tolist() == [[0, 1, 3], [2, 4, 6], [5, 7, 8]]

    @pytest.mark.parametrize("size", [(7,), (4, 6), (3, 4, 5)])
    def test_follows_the_order_of_the_paper(self, size):
        image = diagonal_image(size)
        places = sorted(np.ndindex(size), key=lambda place: (sum(place), place))
        assert [image[place] for place in places] == list(range(prod(size)))


def test_constructions_are_exact_and_frozen():
    network = prime_network(architecture(2, 2, 2))
    assert {w.dtype for w in network.parameters()} == {torch.float64}
    assert not any(w.requires_grad for w in network.parameters())
    assert all((w == w.round()).all() for w in network.parameters())


def test_fig3_holds_and_needs_no_training(tmp_path):
    *_, outcome = reproduce_events(["fig3"], tmp_path)
    assert outcome.holds
    rows = outcome.numbers["counts"]
    assert [(row["axes"], row["factor"], row["levels"]) for row in rows] == list(COUNTED)
    for row in rows:
        possible = row["factor"] ** (row["axes"] * row["levels"])
        assert row["possible"] == row["functions"] == row["ids"] == possible
        assert row["told_apart_at_co_prime_spacing"] == possible
        assert row["told_apart_at_multiple_of_period"] == row["ids_nearest"] == 1
    assert {f.name for f in tmp_path.iterdir()} == {"fig3.json", "fig3.png", "fig3.svg"}
