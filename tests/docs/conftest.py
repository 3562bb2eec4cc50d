"""A folder with the files that the pages speak of: small pieces of real images."""

from __future__ import annotations

import shutil
import warnings
from pathlib import Path

import numpy as np
import pytest
import tifffile
import torch

from napari_shiftseg import bundled_models
from napari_shiftseg.image.files import write_image
from napari_shiftseg.samples import load_sample


@pytest.fixture(scope="session")
def stocked(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("stocked")
    nuclei = load_sample("nuclei")
    image = np.ascontiguousarray(nuclei.image[:160, :200])
    truth = np.ascontiguousarray(nuclei.truth[:160, :200]).astype(np.uint16)
    tifffile.imwrite(folder / "image.tif", image)
    tifffile.imwrite(folder / "masks.tif", truth)
    tifffile.imwrite(folder / "stack.tif", np.stack([image[:96, :96]] * 2))
    tifffile.imwrite(folder / "volume.tif", load_sample("nuclei-3d").image[:24, :48, :48])
    write_image(folder / "slide.ome.zarr", image, axes="yx")
    for name, array in (("images", image), ("masks", truth)):
        for number in range(2):
            (folder / "pack" / name).mkdir(parents=True, exist_ok=True)
            tifffile.imwrite(folder / "pack" / name / f"{number}.tif", array)
    (folder / "plate").mkdir()
    tifffile.imwrite(folder / "plate" / "a_DAPI.tif", image)
    shutil.copy(bundled_models()["nuclei-2d"], folder / "model.safetensors")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # users have TorchScript all the same
        torch.jit.script(_foreign_network()).save(folder / "network.pt")
    return folder


def _foreign_network() -> torch.nn.Module:
    return torch.nn.Sequential(
        torch.nn.Conv2d(1, 2, 3, padding=1),
        torch.nn.MaxPool2d(2),
        torch.nn.ConvTranspose2d(2, 2, 2, stride=2),
    ).eval()


@pytest.fixture
def desk(stocked, tmp_path, monkeypatch) -> Path:
    """A copy of that folder, and the reader sits in it."""
    shutil.copytree(stocked, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path
