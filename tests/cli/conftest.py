from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import tifffile
import torch

from napari_shiftseg.cli.commands import main
from napari_shiftseg.embeddings.description import ModelDescription
from napari_shiftseg.embeddings.model_file import save_model
from napari_shiftseg.embeddings.unet import Architecture, UNet
from napari_shiftseg.tiles.geometry import NetworkGeometry


@dataclass(frozen=True)
class Outcome:
    code: int
    out: str
    err: str


Shell = Callable[..., Outcome]


@pytest.fixture
def shiftseg(capsys: pytest.CaptureFixture[str]) -> Shell:
    """Call the command line as a user does; the exit code is part of the answer."""

    def call(*words: object) -> Outcome:
        capsys.readouterr()
        try:
            main([str(word) for word in words])
            code = 0
        except SystemExit as stop:
            code = int(stop.code or 0)
        return Outcome(code, *capsys.readouterr())

    return call


@pytest.fixture
def model_file(tmp_path: Path) -> Path:
    """A tiny 2-D network with period 4 and random weights."""
    return _saved(tmp_path / "tiny.safetensors", ndim=2)


@pytest.fixture
def volume_model_file(tmp_path: Path) -> Path:
    return _saved(tmp_path / "tiny3d.safetensors", ndim=3)


@pytest.fixture
def colour_model_file(tmp_path: Path) -> Path:
    return _saved(tmp_path / "colours.safetensors", ndim=2, in_channels=3)


def _saved(path: Path, *, ndim: int, in_channels: int = 1) -> Path:
    torch.manual_seed(0)
    architecture = Architecture(
        NetworkGeometry.regular(ndim, 2),
        in_channels=in_channels,
        maps=2,
        embedding_dims=2,
        foreground=True,
    )
    description = ModelDescription(
        "tiny", architecture, axes="zyx"[-ndim:], training_window=(8,) * ndim
    )
    save_model(path, UNet(architecture), description)
    return path


@pytest.fixture
def image_file(tmp_path: Path) -> Path:
    path = tmp_path / "cells.tif"
    tifffile.imwrite(path, np.random.default_rng(0).integers(0, 255, (40, 50), np.uint8))
    return path


@pytest.fixture
def truth_file(tmp_path: Path) -> Path:
    path = tmp_path / "truth.tif"
    truth = np.zeros((40, 50), np.uint16)
    truth[5:15, 5:15], truth[20:35, 22:40] = 1, 2
    tifffile.imwrite(path, truth)
    return path
