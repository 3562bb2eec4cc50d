"""What sees the whole image is found by name; what does not is not blamed."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from napari_shiftseg import ShiftSegError, audit


def between(*layers):
    """A small network of period 2 around some layers of four channels."""
    return nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1),
        nn.MaxPool2d(2),
        *layers,
        nn.Conv2d(4, 4, 3, padding=1),
        nn.ConvTranspose2d(4, 2, 2, stride=2),
    )


class SqueezeAndExcitation(nn.Module):
    def __init__(self):
        super().__init__()
        self.squeeze = nn.AdaptiveAvgPool2d(1)
        self.excite = nn.Sequential(nn.Conv2d(4, 4, 1), nn.Sigmoid())

    def forward(self, features):
        return features * self.excite(self.squeeze(features))


class Attention(nn.Module):
    """Every pixel attends to every other one; nothing in it is a layer that shows it."""

    def forward(self, features):
        flat = features.flatten(2).transpose(1, 2)
        mixed = F.scaled_dot_product_attention(flat, flat, flat)
        return mixed.transpose(1, 2).reshape(features.shape)


class Resampled(nn.Module):
    def __init__(self, align_corners):
        super().__init__()
        self.align_corners = align_corners

    def forward(self, features):
        small = F.avg_pool2d(features, 2)
        return F.interpolate(
            small, features.shape[2:], mode="bilinear", align_corners=self.align_corners
        )


def names(found):
    return [part.name for part in found.parts]


@pytest.mark.parametrize(
    "norm",
    [nn.InstanceNorm2d(4), nn.GroupNorm(2, 4), nn.BatchNorm2d(4, track_running_stats=False)],
    ids=lambda norm: type(norm).__name__,
)
def test_normalisation_by_the_images_own_statistics(norm):
    found = audit(between(norm).eval(), ndim=2)
    assert names(found) == ["2"]
    assert not found.exact_tiling
    assert found.tileable
    assert found.period == (2, 2)
    assert "freeze these statistics" in found.verdict


def test_batch_normalisation_counts_in_training_mode_only():
    network = between(nn.BatchNorm2d(4))
    assert names(audit(network.train(), ndim=2)) == ["2"]
    assert audit(network.eval(), ndim=2).exact_tiling


def test_the_audit_leaves_the_network_as_it_was():
    network = between(nn.BatchNorm2d(4)).train()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    audit(network, ndim=2)
    assert network.training
    assert all(torch.equal(before[name], now) for name, now in network.state_dict().items())


def test_squeeze_and_excitation_by_its_pooling():
    assert names(audit(between(SqueezeAndExcitation()).eval(), ndim=2)) == ["2.squeeze"]


def test_attention_by_the_module_whose_forward_holds_it():
    found = audit(between(Attention()).eval(), ndim=2)
    assert names(found) == ["2"]
    assert found.stuck == found.parts
    assert found.receptive_field == (None, None)
    assert found.recommended_tile is None
    assert "2 (Attention)" in found.verdict


def test_interpolation_that_aligns_corners():
    found = audit(between(Resampled(align_corners=True)).eval(), ndim=2)
    assert not found.exact_tiling
    assert found.period == (None, None)
    exact = audit(between(Resampled(align_corners=False)).eval(), ndim=2)
    assert exact.exact_tiling
    assert exact.period == (4, 4)


def test_dilations_and_strides_count():
    network = nn.Sequential(
        nn.Conv2d(1, 2, 3, stride=3, padding=1),
        nn.ReLU(),
        nn.Conv2d(2, 2, 3, padding=4, dilation=4),
        nn.ConvTranspose2d(2, 1, 3, stride=3),
    )
    found = audit(network.eval(), ndim=2)
    assert found.period == (3, 3)
    # Four coarse pixels of 3 px, one pixel of the first kernel, and up to two of phase.
    assert found.receptive_field == ((4 * 3 + 1 + 2, 4 * 3 + 1),) * 2


def test_axes_may_differ():
    network = nn.Sequential(
        nn.Conv2d(1, 2, (1, 3), padding=(0, 1)),
        nn.MaxPool2d((1, 4)),
        nn.Conv2d(2, 2, 3, padding=1),
        nn.Upsample(scale_factor=(1.0, 4.0)),
    )
    found = audit(network.eval(), ndim=2)
    assert found.period == (1, 4)
    assert found.receptive_field == ((1, 1), (8, 8))


def test_weights_can_be_more_equivariant_than_their_architecture():
    network = nn.Sequential(
        nn.MaxPool2d(2), nn.Conv2d(1, 2, 1), nn.ConvTranspose2d(2, 2, 2, stride=2)
    )
    with torch.no_grad():
        for weights in network.parameters():
            weights.zero_()
        network[2].bias.fill_(1.0)
    found = audit(network.eval(), ndim=2)
    assert found.period == (2, 2)
    assert found.given_period == (1, 1)
    assert any("these weights have a period of 1 px" in line for line in found.disagreements)


def test_a_coarser_output_is_said():
    found = audit(nn.Sequential(nn.Conv2d(1, 2, 3, padding=1), nn.MaxPool2d(4)).eval(), ndim=2)
    assert found.output_scale == (0.25, 0.25)
    assert found.period == (4, 4)


def test_a_small_network_whose_smallest_output_is_one_pixel():
    found = audit(nn.Sequential(nn.Conv2d(1, 4, 3), nn.InstanceNorm2d(4)).eval(), ndim=2)
    assert found.non_local == ("1 (InstanceNorm2d)",)
    assert found.context == (2, 2)


class Fails(nn.Module):
    def forward(self, images):
        if images.device.type != "meta":
            raise RuntimeError("no such kernel")
        return images


def test_an_error_of_the_networks_own():
    with pytest.raises(ShiftSegError, match=r"fails on an image of 6 px: no such kernel"):
        audit(Fails(), ndim=2)


@pytest.mark.parametrize(
    ("network", "message"),
    [
        (nn.Sequential(nn.Conv2d(1, 2, 3), nn.Dropout(0.5)).train(), r"call \.eval\(\)"),
        (nn.Conv2d(3, 2, 3), "1 channels"),
        (nn.Sequential(nn.Conv2d(1, 2, 3), nn.Flatten()), "an output of 4 axes"),
        (nn.Sequential(nn.Flatten(), nn.Linear(64 * 64, 2)), "batch, channels and 2 of space"),
    ],
    ids=["dropout", "channels", "flat", "classifier"],
)
def test_networks_that_cannot_be_audited(network, message):
    with pytest.raises(ShiftSegError, match=message):
        audit(network, ndim=2)


def test_json_values_are_plain():
    import json

    found = json.loads(json.dumps(audit(between().eval(), ndim=2).to_dict()))
    assert found["period"] == [2, 2]
    assert found["exact_tiling"] is True
    assert {"receptive_field", "context", "padding", "non_local", "halo"} <= found.keys()
