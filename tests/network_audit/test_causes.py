"""Each cause of seams alone, and each cure on a network that needs it."""

import numpy as np
import pytest
import torch
from torch import nn

from napari_shiftseg import ShiftSegError, audit, diagnose, freeze_statistics
from napari_shiftseg.embeddings.unet import Architecture
from napari_shiftseg.network_audit.causes import Diagnosis, diagnose_events
from napari_shiftseg.network_audit.tilers import TILERS
from napari_shiftseg.tiles.geometry import NetworkGeometry
from random_networks import InSteps, random_network


def image(*size):
    return np.random.default_rng(0).normal(size=(1, *size)).astype(np.float32)


def u_net(padding, ndim=2):
    geometry = NetworkGeometry.regular(ndim, 2, convolutions=1, padding=padding)
    return random_network(Architecture(geometry, maps=4))


def normalised(norm):
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1),
        norm,
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(4, 4, 3, padding=1),
        nn.ConvTranspose2d(4, 2, 2, stride=2),
    ).eval()


def diagnosed(network, pixels, **options):
    return diagnose(network, audit(network, ndim=pixels.ndim - 1), pixels, **options)


def test_a_valid_network_has_seams_by_phase_alone():
    found = diagnosed(u_net("valid"), image(90, 90), window=24)
    assert found.corrected.exact
    assert found.certified
    for error in found.others:
        assert error.context <= 1e-6
        assert error.statistics == 0
        assert error.total == pytest.approx(error.phase)
        assert (error.total > 1e-3) == (error.misaligned > 0)
    assert any(error.misaligned for error in found.others)


def test_a_padded_network_has_seams_by_context_too():
    found = diagnosed(u_net("same"), image(96, 96), window=32)
    assert found.certified
    snapped = found.others[0]
    assert snapped.misaligned == 0
    assert snapped.phase <= 1e-5
    assert snapped.context == pytest.approx(snapped.total)
    assert snapped.total > 1e-2


@pytest.mark.parametrize(
    "norm",
    [nn.InstanceNorm2d(4, affine=True), nn.GroupNorm(2, 4), nn.BatchNorm2d(4)],
    ids=lambda norm: type(norm).__name__,
)
def test_statistics_are_measured_and_cured_by_freezing(norm):
    network = normalised(norm)
    if isinstance(norm, nn.BatchNorm2d):
        norm.train()
    pixels = image(96, 96) * np.linspace(0.5, 2, 96, dtype=np.float32)
    found = diagnosed(network, pixels, window=32)
    assert found.corrected.statistics == pytest.approx(found.corrected.total)
    assert found.corrected.total > 1e-2
    assert found.frozen.total <= 1e-5
    assert found.certified


def test_a_frozen_network_equals_the_original_on_its_reference():
    network = normalised(nn.InstanceNorm2d(4))
    reference = torch.from_numpy(image(64, 64))[None]
    frozen, left = freeze_statistics(network, audit(network, ndim=2).parts, reference)
    assert not left
    torch.testing.assert_close(frozen(reference), network(reference))
    assert not torch.allclose(frozen(3 * reference), network(3 * reference))
    assert audit(frozen, ndim=2).exact_tiling


def test_an_output_channel_that_is_0_everywhere_has_the_scale_of_the_widest():
    """As one that answers to steps, of which an image has none, and a window's border is one."""
    layer = nn.Conv2d(1, 2, 3, padding=1)
    nn.init.dirac_(layer.weight)
    layer.weight.data[1, 0, 1] = torch.tensor([1.0, 0, -1])
    layer.bias.data = torch.tensor([0, -0.3])
    ramp = np.minimum(np.arange(60), np.arange(60)[::-1]).astype(np.float32) / 30
    found = diagnosed(nn.Sequential(layer, nn.ReLU()).eval(), np.minimum.outer(ramp, ramp)[None])
    assert not found.whole[1].any()
    worst = max(error.total for error in found.others)
    assert 0.1 < worst < 2


@pytest.mark.parametrize(
    ("parts", "reference", "message"),
    [
        (["1"], image(40, 40)[None], "parts holds a str; legal: the parts of an audit"),
        (None, image(40, 40), "legal: \\(1, C, \\*spatial\\), one image"),
        (None, image(40, 40)[None] * np.nan, "not finite"),
        (None, np.zeros((1, 2, 40, 40), np.float32), "fails on the reference of shape"),
    ],
    ids=["names", "no batch", "NaN", "channels"],
)
def test_what_cannot_be_frozen_on_is_said(parts, reference, message):
    network = normalised(nn.InstanceNorm2d(4))
    with pytest.raises(ShiftSegError, match=message):
        freeze_statistics(network, parts or audit(network, ndim=2).parts, reference)


def test_parts_of_another_network_are_not_frozen():
    found = audit(normalised(nn.InstanceNorm2d(4)), ndim=2)
    with pytest.raises(ShiftSegError, match="no part called 1; audit it anew"):
        freeze_statistics(nn.Conv2d(1, 1, 3).eval(), found.parts, image(40, 40)[None])


def test_volumes():
    found = diagnosed(u_net("same", ndim=3), image(24, 32, 32), window=(12, 16, 16))
    assert found.certified
    assert found.maps["corrected"].shape == (24, 32, 32)


@pytest.mark.parametrize("size", [97, 128, 200])
@pytest.mark.parametrize("tiler", TILERS, ids=lambda tiler: tiler.name)
def test_every_tiler_covers_the_image(tiler, size):
    windows = tiler.windows((size, size), (48, 48), (0, 0))
    times = np.zeros((size, size))
    for _, window, kept, _ in windows:
        assert all(0 <= part.start and part.stop <= size for part in window)
        times[kept] += 1
    assert times.min() >= 1


def test_windows_are_of_sizes_that_the_network_takes():
    network = InSteps(u_net("same"), 12)
    found = audit(network, ndim=2)
    assert found.geometry.input_step == (12, 12) and found.period == (4, 4)
    result = diagnose(network, found, image(150, 130))
    assert result.image_size == (144, 120)
    assert result.corrected.total < 1e-5
    assert result.certified and len(result.others) == len(TILERS)


def test_what_does_not_fit_is_said():
    network = u_net("same")
    found = audit(network, ndim=2)
    with pytest.raises(ShiftSegError, match="at most half of the image"):
        diagnose(network, found, image(40, 40), window=32)
    with pytest.raises(ShiftSegError, match="takes 1 channels, first, and 2 axes"):
        diagnose(network, found, image(40, 40)[0])
    with pytest.raises(ShiftSegError, match="3 x 40 px; legal: at least 4 px"):
        diagnose(network, found, image(3, 40))


def test_a_small_tile_on_a_large_image_is_not_laid_thousands_of_times():
    network = normalised(nn.Identity())
    found = diagnosed(network, image(240, 180))
    assert found.window == (40, 30)
    assert max(error.windows for error in (found.corrected, *found.others)) < 12 * 12
    assert diagnosed(network, image(240, 180), window=8).window == (8, 8)


@pytest.mark.parametrize("padding", ["valid", "same"])
def test_windows_of_other_programs_are_as_large_as_asked_for(padding):
    """Rounded up to a legal size, where corrected tiles are rounded down to the period."""
    found = diagnosed(u_net(padding), image(96, 96), window=26)
    assert found.window == (24, 24)
    assert all(26 <= n < 26 + 4 for n in found.others_window)


def test_progress_names_each_way_of_tiling_as_it_is_done():
    network = normalised(nn.Identity())
    *done, last = diagnose_events(network, audit(network, ndim=2), image(64, 64))
    assert isinstance(last, Diagnosis)
    assert [event.done for event in done] == list(range(1, done[-1].total + 1))
    assert [event.strategy for event in done][:2] == ["whole", "corrected"]
    assert {error.strategy for error in last.others} <= {event.strategy for event in done}


class FaintPhase(nn.Module):
    """Where in its period a pixel lies is a few thousandths of the output."""

    def __init__(self):
        super().__init__()
        self.pool, self.up = nn.AvgPool2d(2), nn.Upsample(scale_factor=2)

    def forward(self, pixels):
        return pixels + 0.005 * self.up(self.pool(pixels))


def test_a_difference_of_some_thousandths_is_no_rounding():
    found = diagnosed(FaintPhase(), image(64, 64), window=18)
    assert found.certified
    shifted = next(error for error in found.others if error.misaligned)
    assert 1e-3 < shifted.total < 1e-2 and not shifted.exact
