"""The small network that the tests of trust segment with."""

from __future__ import annotations

from pathlib import Path

import torch

from napari_shiftseg.embeddings.description import ModelDescription
from napari_shiftseg.embeddings.model_file import save_model
from napari_shiftseg.embeddings.unet import Architecture, UNet
from napari_shiftseg.tiles.geometry import NetworkGeometry

ARCHITECTURE = Architecture(
    NetworkGeometry.regular(2, 2), maps=2, embedding_dims=2, foreground=True
)
DESCRIPTION = ModelDescription("tiny", ARCHITECTURE, training_window=(8, 8))


def tiny_network() -> UNet:
    """Build a 2-D network of period 4 with the same random weights each time."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return UNet(ARCHITECTURE)


def save_tiny(path: Path) -> Path:
    """Write it to a model file."""
    save_model(path, tiny_network(), DESCRIPTION)
    return path
