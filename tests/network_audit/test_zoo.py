"""Networks of the field's libraries; what is true of each is derived by hand."""

from math import ceil, floor

import pytest
import torch
from monai.networks.nets import AttentionUnet, BasicUNet, DynUNet, SegResNet, SwinUNETR, UNet

from napari_shiftseg import audit


def conv(kernel, stride=1, dilation=1):
    """A convolution padded to its centre, or a pool of kernel = stride without padding."""
    return ("conv", kernel, stride, dilation * (kernel - 1) // 2, dilation)


def pool(size):
    return ("conv", size, size, 0, 1)


def transposed(kernel, stride, padding=0):
    return ("transposed", kernel, stride, padding, 1)


LINEAR = ("linear", 2, 2, 0, 1)
"""Interpolation to twice the size at half-pixel centres."""


def seen(layers, first, last):
    """Pixels of the input that outputs first..last depend on, from the last layer back."""
    for kind, kernel, stride, padding, dilation in reversed(layers):
        if kind == "conv":
            first = first * stride - padding
            last = last * stride - padding + dilation * (kernel - 1)
        elif kind == "transposed":
            first = ceil((first + padding - kernel + 1) / stride)
            last = floor((last + padding) / stride)
        else:
            first, last = floor((first + 0.5) / 2 - 0.5), floor((last + 0.5) / 2 - 0.5) + 1
    return first, last


def receptive_field(paths, period):
    """Farthest pixel before and after, over all phases and all paths through the network."""
    reaches = []
    for phase in range(period):
        for path in paths:
            first, last = seen(path, phase, phase)
            reaches.append((phase - first, last - phase))
    return max(b for b, _ in reaches), max(a for _, a in reaches)


def monai_unet():
    """Strided convolutions, transposed ones with 3x3 kernels, batch normalisation."""
    network = UNet(2, 1, 2, channels=(4, 8, 16, 32), strides=(2, 2, 2), norm="batch")
    down, up = [conv(3, 2)] * 3, [transposed(3, 2, 1)] * 3
    return network, 8, receptive_field([[*down, conv(3), *up]], 8), ()


def residual_unet():
    """Two convolutions a unit, down and up, with instance normalisation (MONAI's default)."""
    network = UNet(2, 1, 2, channels=(4, 8, 16), strides=(2, 2), num_res_units=2)
    down = [conv(3, 2), conv(3)] * 2
    up = [transposed(3, 2, 1), conv(3)] * 2
    return network, 4, receptive_field([[*down, conv(3), conv(3), *up]], 4), ("InstanceNorm2d",)


def basic_unet():
    """Max pooling, two convolutions a level, transposed convolutions of kernel = stride."""
    network = BasicUNet(2, 1, 2, features=(4, 4, 8, 8, 16, 4), norm="batch")
    block = [conv(3), conv(3)]
    down = [*block, *[pool(2), *block] * 4]
    return network, 16, receptive_field([[*down, *[transposed(2, 2), *block] * 4]], 16), ()


def seg_res_net():
    """Group normalisation, strided convolutions, interpolation at half-pixel centres."""
    network = SegResNet(2, init_filters=8, in_channels=1, out_channels=2)
    residual = [conv(3), conv(3)]
    down = [conv(3), *residual]
    for count in (2, 2, 4):
        down += [conv(3, 2), *residual * count]
    up = [LINEAR, *residual] * 3
    return network, 8, receptive_field([[*down, *up]], 8), ("GroupNorm",)


def dyn_unet():
    """The nnU-Net family: strided, transposed, instance normalisation."""
    network = DynUNet(2, 1, 2, [3, 3, 3], strides=[1, 2, 2], upsample_kernel_size=[2, 2])
    block = [conv(3), conv(3)]
    down = [*block, conv(3, 2), conv(3), conv(3, 2), conv(3)]
    return (
        network,
        4,
        receptive_field([[*down, *[transposed(2, 2), *block] * 2]], 4),
        ("InstanceNorm2d",),
    )


def attention_unet():
    """Attention gates are pointwise: local in spite of their name."""
    network = AttentionUnet(2, 1, 2, channels=(4, 8, 16), strides=(2, 2))
    down = [conv(3), conv(3), conv(3, 2), conv(3), conv(3, 2), conv(3)]
    up = [transposed(3, 2, 1), conv(3)]
    return network, 4, receptive_field([[*down, *up, *up]], 4), ("InstanceNorm2d",)


@pytest.mark.parametrize(
    "build", [monai_unet, residual_unet, basic_unet, seg_res_net, dyn_unet, attention_unet]
)
def test_padded_networks(build):
    torch.manual_seed(0)
    network, period, reach, non_local = build()
    found = audit(network.eval(), ndim=2)
    assert found.period == (period, period)
    assert found.receptive_field == (reach, reach)
    assert found.padding == "same"
    assert {part.kind for part in found.parts} == set(non_local)
    assert found.exact_tiling == (not non_local)
    assert found.halo == (-(-max(reach) // period) * period,) * 2
    assert all(n % period == 0 for n in found.recommended_tile)
    assert found.seconds < 60


def test_a_volume():
    network, period, reach, _ = monai_unet()
    network = UNet(3, 1, 2, channels=(4, 8, 16, 32), strides=(2, 2, 2), norm="batch")
    found = audit(network.eval(), ndim=3)
    assert found.period == (period,) * 3
    assert found.receptive_field == (reach,) * 3
    assert found.exact_tiling


def test_corners_aligned_at_the_image_border_cannot_be_tiled():
    network = BasicUNet(
        2, 1, 2, features=(4, 4, 8, 8, 16, 4), norm="batch", upsample="nontrainable"
    )
    found = audit(network.eval(), ndim=2)
    assert found.period == (None, None)
    assert not found.exact_tiling
    assert found.recommended_tile is found.halo is None
    assert {part.kind for part in found.stuck} == {"Upsample"}
    assert "align_corners" in found.verdict


def test_windows_of_attention_have_a_period_of_their_own():
    """Windows of 3 pixels of a sixteenth of the image, and a coarsest level of 32 px."""
    few = {"depths": (1, 1, 1, 1), "num_heads": (1, 1, 1, 1), "window_size": 3}
    found = audit(SwinUNETR(1, 2, feature_size=12, spatial_dims=2, **few).eval(), ndim=2)
    assert found.period == (3 * 32, 3 * 32)
    assert not found.exact_tiling
    assert {part.kind for part in found.parts} == {"InstanceNorm2d"}
    assert any("the layers imply a period of 32 px" in line for line in found.disagreements)


def test_a_network_that_looks_at_single_pixels_is_read_without_a_halo():
    found = audit(torch.nn.Conv2d(1, 2, 1).eval(), ndim=2)
    assert found.halo == (0, 0)
    assert found.recommended_tile == (64, 64) and found.cost == 1
    assert "read alone" in found.verdict and "read 1 times" in found.verdict
