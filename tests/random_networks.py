"""Random, explicit and small trained networks that the tests share."""

from math import pi, prod

import torch
from hypothesis import strategies as st
from torch import nn

from napari_shiftseg.embeddings.description import ModelDescription
from napari_shiftseg.embeddings.model import Model
from napari_shiftseg.embeddings.unet import Architecture, UNet
from napari_shiftseg.image.intensity import Intensity
from napari_shiftseg.samples.discs import disc_image
from napari_shiftseg.settings import Clustering
from napari_shiftseg.tiles.geometry import NetworkGeometry
from napari_shiftseg.training.crops import Augmentation, Crops
from napari_shiftseg.training.fit import Schedule, Trainer
from napari_shiftseg.training.loss import DiscriminativeLoss
from napari_shiftseg.training.windows import Windows


@st.composite
def geometries(draw, *, ndims=(2, 3), levels=4, kernels=(1, 3, 5), convolutions=3, paddings=None):
    ndim = draw(st.sampled_from(ndims))
    count = draw(st.integers(1, levels))
    factor = st.tuples(*[st.sampled_from((1, 2, 3) if a == 0 else (2, 3)) for a in range(ndim)])
    kernel = st.tuples(*[st.sampled_from(kernels)] * ndim)
    block = st.lists(kernel, min_size=1, max_size=convolutions).map(tuple)
    return NetworkGeometry(
        factors=tuple(draw(factor) for _ in range(count)),
        down=tuple(draw(block) for _ in range(count + 1)),
        up=tuple(draw(block) for _ in range(count)),
        head=(draw(kernel),),
        padding=draw(st.sampled_from(paddings or ("valid", "same"))),
    )


@st.composite
def architectures(draw, geometry):
    coordinates = draw(st.booleans())
    return Architecture(
        geometry,
        in_channels=draw(st.integers(1, 2)),
        maps=2,
        map_growth=draw(st.integers(1, 2)),
        upsampling=draw(st.sampled_from(("learnt", "nearest"))),
        embedding_dims=draw(st.integers(geometry.ndim, geometry.ndim + 1)),
        coordinate_dims=geometry.ndim if coordinates else 0,
        foreground=draw(st.booleans()),
    )


def random_network(architecture, seed=0):
    """All weights random, the biases too: a zero bias hides what padding does."""
    torch.manual_seed(seed)
    network = UNet(architecture)
    for name, weights in network.named_parameters():
        if name.endswith("bias"):
            torch.nn.init.normal_(weights, std=0.1)
    return network.eval().requires_grad_(False)


def integer_network(architecture, seed=0):
    """Weights of -1, 0 and 1 in double precision: every sum is exact, in any order."""
    network = random_network(architecture, seed).double()
    generator = torch.Generator().manual_seed(seed)
    for weights in network.parameters():
        drawn = torch.randint(-1, 2, weights.shape, generator=generator)
        weights.copy_(drawn.double())
    return network


def positive_network(architecture):
    """All weights 1: nothing that can be seen is ever cancelled or cut off by a ReLU."""
    network = UNet(architecture).double().requires_grad_(False)
    for name, weights in network.named_parameters():
        weights.fill_(0.0 if name.endswith("bias") else 1.0)
    return network


def work(plan):
    """Pixels that a plan makes its network read."""
    return sum(prod(s.stop - s.start for s in tile.outer) for tile in plan)


def small_model(*, trained_steps):
    geometry = NetworkGeometry.regular(2, 2)
    architecture = Architecture(
        geometry, maps=8, embedding_dims=2, coordinate_dims=2, foreground=True
    )
    network = random_network(architecture)
    if trained_steps:
        network = _trained(architecture, trained_steps)
    return Model(
        network,
        ModelDescription(
            "small",
            architecture,
            intensity=Intensity("none"),
            training_window=(20, 20),
            clustering=Clustering(bandwidth=0.5, min_size=12),
        ),
    )


def _trained(architecture, steps):
    image, mask = disc_image(135, spacing=13)
    crops = Crops(
        [image[None].astype("float32")],
        [mask.astype("int32")],
        window=(32, 32),
        context=architecture.geometry.context,
        augmentation=Augmentation(zoom=1, intensity=0),
    )
    trainer = Trainer(
        architecture,
        crops,
        Windows(architecture.geometry, crops.window),
        DiscriminativeLoss(pull_margin=0.1, push_margin=0.75, free_dims=2),
        Schedule(steps=steps, learning_rate=1e-2, warmup=10, average=0),
    )
    for _ in trainer.run():
        pass
    return trainer.trained.eval().requires_grad_(False)


def phase_wheel():
    """A model of period 8 that puts out nothing but the phase of a pixel's row, on a circle.

    Neighbouring rows are one eighth of a turn apart wherever the period goes on unbroken.
    """
    one = (((1, 1),),)
    geometry = NetworkGeometry(factors=((8, 8),), down=one * 2, up=one, head=one[0])
    architecture = Architecture(geometry, maps=4, map_growth=1, embedding_dims=2)
    network = UNet(architecture).eval().requires_grad_(False)
    for weights in network.parameters():
        weights.zero_()
    angle = torch.arange(8) * (2 * pi / 8)
    circle = torch.stack([angle.cos(), angle.sin(), -angle.cos(), -angle.sin()]).clamp_min(0)
    network.down[1][0].bias[0] = 1
    network.upsample[0][0].weight[0] = circle[:, :, None].expand(4, 8, 8)
    network.up[0][0].weight[:, 4:, 0, 0] = torch.eye(4)
    network.head[0].weight[:, :, 0, 0] = torch.tensor([[1.0, 0, -1, 0], [0, 1, 0, -1]])
    description = ModelDescription(
        "wheel", architecture, intensity=Intensity("none"), training_window=(20, 20)
    )
    return Model(network, description)


class InSteps(nn.Module):
    """A network that refuses sizes but those of a step, as many libraries' networks do."""

    def __init__(self, network, step, beyond=0):
        super().__init__()
        self.network, self.step, self.beyond = network, step, beyond

    def forward(self, x):
        if any((n - self.beyond) % self.step for n in x.shape[2:]):
            raise ValueError(f"sizes must be multiples of {self.step}")
        return self.network(x)
