"""Whoever installs the project, however, gets the same plugin."""

from __future__ import annotations

import re
import subprocess
import sys
import tarfile
import zipfile
from importlib import resources
from pathlib import Path

import pytest

from napari_shiftseg import bundled_models
from napari_shiftseg.embeddings.model_file import read_description

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


def test_the_wheel_holds_the_package_its_licences_and_nothing_else(built):
    names = zipfile.ZipFile(next(built.glob("*.whl"))).namelist()
    (about,) = {name.split("/")[0] for name in names if ".dist-info/" in name}
    source = ROOT / "src"
    package = {
        path.relative_to(source).as_posix()
        for path in source.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    licences = ("LICENSE", "src/napari_shiftseg/samples/LICENSES.md")
    described = {f"{about}/{name}" for name in ("METADATA", "WHEEL", "RECORD", "entry_points.txt")}
    assert set(names) == package | described | {f"{about}/licenses/{name}" for name in licences}


def test_the_sdist_holds_no_more_than_the_repository(built):
    with tarfile.open(next(built.glob("*.tar.gz"))) as sdist:
        inside = {name.partition("/")[2] for name in sdist.getnames()}
    assert {name for name in inside - {"PKG-INFO"} if not (ROOT / name).exists()} == set()
    assert not [name for name in inside if name.endswith((".checkpoint", ".part", ".pyc"))]


def test_each_bundled_file_has_its_licence():
    samples, models = ROOT / "src/napari_shiftseg/samples", ROOT / "src/napari_shiftseg/models"
    table = (samples / "LICENSES.md").read_text()
    for image in samples.glob("*.tif"):
        (row,) = [line for line in table.splitlines() if f"`{image.name}`" in line]
        assert re.search(r"\| (CC0-1\.0|MIT)\b", row), image.name
    for model in models.glob("*.safetensors"):
        assert re.search(r"^  licence +\S+", model.with_suffix(".md").read_text(), re.M), model.name
        assert read_description(model).licence, model.name
    assert {model.stem for model in models.glob("*.safetensors")} == set(bundled_models())
