"""Whoever installs the project, however, gets the same plugin."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import zipfile
from importlib import resources
from pathlib import Path

import pytest

from napari_shiftseg import bundled_models

ROOT = Path(__file__).parents[1]
MANIFEST = "src/napari_shiftseg/napari.yaml"


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The folder of a wheel and an sdist, built without network."""
    folder = tmp_path_factory.mktemp("dist")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-d", str(folder)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    return folder


def test_the_top_level_manifest_is_a_link_to_the_shipped_one():
    assert (ROOT / "napari.yaml").is_symlink()
    assert (ROOT / "napari.yaml").resolve() == (ROOT / MANIFEST).resolve()


def test_link_wheel_sdist_and_installation_have_one_manifest(built):
    wheel = zipfile.ZipFile(next(built.glob("*.whl")))
    with tarfile.open(next(built.glob("*.tar.gz"))) as sdist:
        prefix = sdist.getnames()[0].split("/")[0]
        packed = sdist.extractfile(f"{prefix}/{MANIFEST}").read()
    manifests = {
        (ROOT / "napari.yaml").read_bytes(),
        wheel.read("napari_shiftseg/napari.yaml"),
        packed,
        resources.files("napari_shiftseg").joinpath("napari.yaml").read_bytes(),
    }
    assert len(manifests) == 1


def test_the_wheel_carries_models_cards_samples_and_licence(built):
    names = zipfile.ZipFile(next(built.glob("*.whl"))).namelist()
    for model in bundled_models():
        assert f"napari_shiftseg/models/{model}.safetensors" in names
        assert f"napari_shiftseg/models/{model}.md" in names
    assert "napari_shiftseg/samples/nuclei.tif" in names
    assert "napari_shiftseg/py.typed" in names
    assert any(name.endswith("licenses/LICENSE") for name in names)
