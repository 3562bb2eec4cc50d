"""Networks that look far, or expect raw counts, or have channels of different kinds."""

import numpy as np
import pytest
import torch
from torch import nn

from napari_shiftseg import ShiftSegError, audit, diagnose, predict_exactly
from napari_shiftseg.network_audit.tilers import TILERS


class Function(nn.Module):
    """A function of an image and of layers."""

    def __init__(self, function, *layers):
        super().__init__()
        self.function, self.layers = function, nn.ModuleList(layers)

    def forward(self, x):
        return self.function(x, *self.layers)


class PaddedUNet(nn.Module):
    """The paper's U-Net of one dimension, padded by zeros."""

    def __init__(self, levels, maps=2):
        super().__init__()
        widths = [1, *[maps] * levels]
        self.down = nn.ModuleList(map(double, widths[:-1], widths[1:]))
        self.bottom = double(maps, maps)
        self.up = nn.ModuleList(nn.ConvTranspose1d(maps, maps, 2, 2) for _ in range(levels))
        self.joined = nn.ModuleList(double(2 * maps, maps) for _ in range(levels))

    def forward(self, x):
        kept = []
        for layer in self.down:
            x = layer(x)
            kept.append(x)
            x = nn.functional.max_pool1d(x, 2)
        x = self.bottom(x)
        for up, joined, skip in zip(self.up, self.joined, kept[::-1], strict=True):
            x = joined(torch.cat([skip, up(x)], 1))
        return x


def double(before, after):
    return nn.Sequential(
        nn.Conv1d(before, after, 3, padding=1), nn.ReLU(),
        nn.Conv1d(after, after, 3, padding=1), nn.ReLU(),
    )  # fmt: skip


def seeded(make):
    torch.manual_seed(0)
    return make().eval()


def one_pass(network, pixels):
    with torch.no_grad():
        return network(torch.from_numpy(pixels)[None])[0].numpy()


@pytest.mark.parametrize(
    ("ndim", "convolution", "gap"), [(1, nn.Conv1d, 5000), (2, nn.Conv2d, 400), (3, nn.Conv3d, 150)]
)
def test_a_kernel_with_a_wide_gap_is_seen_whole(ndim, convolution, gap):
    network = seeded(lambda: convolution(1, 2, 3, padding=gap, dilation=gap))
    assert audit(network, ndim=ndim).receptive_field == ((gap, gap),) * ndim


def test_a_kernel_that_no_probe_can_show_is_not_certified():
    found = audit(nn.Conv2d(1, 1, 3, padding=5000, dilation=5000), ndim=2)
    assert not found.exact_tiling
    assert "kernels with gaps span 10000 px" in found.verdict


@pytest.mark.parametrize("levels", [4, 5, 6])
def test_the_receptive_field_of_a_deep_network_is_that_of_its_arithmetic(levels):
    network = seeded(lambda: PaddedUNet(levels))
    found = audit(network, ndim=1)
    reach = 7 * 2**levels - 5
    assert found.period == (2**levels,) and found.receptive_field == ((reach, reach),)


def test_an_offset_of_the_camera_hides_nothing():
    network = seeded(
        lambda: Function(lambda x, c: c(torch.relu(x - 100)), nn.Conv2d(1, 2, 9, padding=4))
    )
    found = audit(network, ndim=2)
    assert found.receptive_field == ((4, 4), (4, 4))
    counts = np.random.default_rng(0).gamma(2, 200, (1, 90, 80)).astype(np.float32) + 100
    tiled, whole = predict_exactly(network, found, counts, tile=30), one_pass(network, counts)
    np.testing.assert_allclose(tiled, whole, atol=1e-5 * np.abs(whole).max())


def test_the_period_behind_an_offset_is_found():
    layers = nn.MaxPool2d(4), nn.Conv2d(1, 2, 3, padding=1), nn.ConvTranspose2d(2, 2, 4, 4)
    plain = seeded(lambda: nn.Sequential(*layers))
    raw = Function(lambda x, inner: inner(x.clamp(min=100)), plain).eval()
    found, expected = audit(raw, ndim=2), audit(plain, ndim=2)
    assert found.period == expected.period == (4, 4)
    assert found.receptive_field == expected.receptive_field


def test_a_branch_behind_a_threshold_is_looked_for_beside_others():
    def both(x, near, far):
        return torch.cat([near(x), far((x - 200).clamp(min=0))], 1)

    layers = nn.Conv2d(1, 1, 3, padding=1), nn.Conv2d(1, 1, 31, padding=15)
    found = audit(seeded(lambda: Function(both, *layers)), ndim=2)
    assert found.halo == (15, 15)


def test_a_mean_behind_a_threshold_cannot_be_tiled():
    def both(x, near):
        return near(x) + torch.relu(x - 200).mean((2, 3), keepdim=True)

    found = audit(seeded(lambda: Function(both, nn.Conv2d(1, 1, 3, padding=1))), ndim=2)
    assert not found.exact_tiling


def test_kernels_in_parallel_are_no_gaps():
    branches = [nn.Conv3d(1, 1, 11, padding=5) for _ in range(61)]
    network = seeded(lambda: Function(lambda x, *each: sum(c(x) for c in each), *branches))
    assert audit(network, ndim=3).halo == (5, 5, 5)


def test_what_answers_the_same_to_everything_cannot_be_measured():
    with pytest.raises(ShiftSegError, match="same answer to any noise, about 0, 100, 10000"):
        audit(Function(lambda x: torch.zeros_like(x)), ndim=2)


def test_a_branch_that_training_has_yet_to_open_counts():
    class Gated(nn.Module):
        def __init__(self):
            super().__init__()
            self.near, self.gamma = nn.Conv2d(1, 1, 3, padding=1), nn.Parameter(torch.zeros(1))

        def forward(self, x):
            return self.near(x) + self.gamma * x.mean((2, 3), keepdim=True)

    found = audit(seeded(Gated), ndim=2)
    assert not found.exact_tiling and found.non_local


def test_a_probability_beside_counts_is_judged_by_its_own_spread():
    def both(x, c):
        near = c(x)
        return torch.cat([1e6 * x, torch.sigmoid(near)], 1)

    network = seeded(lambda: Function(both, nn.Conv2d(1, 1, 9, padding=4)))
    pixels = np.random.default_rng(0).random((1, 128, 128), np.float32)
    found = diagnose(network, audit(network, ndim=2), pixels, window=32)
    assert found.corrected.exact
    assert not found.others[0].exact and found.others[0].total > 1e-2


@pytest.mark.parametrize(("ndim", "convolution"), [(2, nn.Conv2d), (3, nn.Conv3d)])
def test_a_channel_that_is_zero_everywhere_is_in_nobodys_way(ndim, convolution):
    def beside(x, c):
        return torch.cat([c(x), torch.zeros_like(x)], 1)

    network = seeded(lambda: Function(beside, convolution(1, 1, 3, padding=1)))
    found = audit(network, ndim=ndim)
    assert found.exact_tiling and found.halo == (1,) * ndim
    pixels = np.random.default_rng(0).normal(size=(1, *(24,) * ndim)).astype(np.float32)
    assert diagnose(network, found, pixels, window=8).certified


def test_the_weights_of_monais_sliding_window_are_monais():
    utils = pytest.importorskip("monai.data.utils")
    size = (24, 40)
    theirs = utils.compute_importance_map(size, mode="gaussian", sigma_scale=0.125)
    theirs = theirs.clamp(min=max(float(theirs.min()), 1e-3))  # as sliding_window_inference does
    tiler = next(t for t in TILERS if t.name == "overlap 50 %, Gaussian")
    *_, weight = next(iter(tiler.windows((96, 96), size, (0, 0))))
    np.testing.assert_allclose(weight, theirs.numpy(), rtol=1e-4)
