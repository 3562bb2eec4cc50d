"""What the project says of itself in several places says the same."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from importlib.metadata import distributions
from pathlib import Path

import pytest
import yaml
from packaging.specifiers import SpecifierSet

from napari_shiftseg import __version__

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
CONDA_NAMES = {"matplotlib": "matplotlib-base", "torch": "pytorch", "dask": "dask-core"} | {
    "napari": "napari-base"
}


def requirements() -> dict[str, str]:
    """Return name and bound of what the core and the extra "napari" need."""
    extras = PROJECT["optional-dependencies"]
    found = {}
    for line in (*PROJECT["dependencies"], *extras["zarr"], *extras["napari"]):
        name, bound = re.match(r"([\w-]+)(?:\[[\w,]+\])?(.*)", line).groups()
        if name != PROJECT["name"]:
            found[CONDA_NAMES.get(name, name)] = bound
    return found


def test_the_conda_recipe_needs_what_the_package_needs():
    recipe = (ROOT / "conda/meta.yaml").read_text()
    run = recipe.split("  run:\n")[1].split("\ntest:")[0]
    found = dict(re.findall(r"- ([\w-]+) (>=\S+)", run))
    assert found.pop("python") == PROJECT["requires-python"]
    assert found == requirements()


def test_recipe_and_citation_are_of_this_version():
    assert f'set version = "{__version__}"' in (ROOT / "conda/meta.yaml").read_text()
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert citation["version"] == __version__
    assert citation["license"] == PROJECT["license"]
    assert "Shift Equivariance" in citation["references"][0]["title"]


def test_continuous_integration_does_what_is_done_here():
    jobs = yaml.safe_load((ROOT / ".github/workflows/test.yml").read_text())["jobs"]
    steps = [step.get("run") for step in jobs["linux"]["steps"]]
    assert ".ci/run" in steps
    elsewhere = " ".join(step.get("run", "") for step in jobs["others"]["steps"])
    for check in ("ruff check", "mypy", "lint-imports", "tests/_napari"):
        assert check in elsewhere


def test_every_pin_that_is_installed_here_allows_the_lowest_python():
    """A pin for later patch releases, and the set-up never ends on Debian 12 (Python 3.11.2)."""
    pins = set((ROOT / "constraints.txt").read_text().splitlines())
    pinned = [d for d in distributions() if f"{d.name}=={d.version}" in pins]
    assert pinned
    lowest = PROJECT["requires-python"].removeprefix(">=") + ".0"
    needs = {d.name: d.metadata.get("Requires-Python", "") for d in pinned}
    assert [name for name, need in needs.items() if lowest not in SpecifierSet(need)] == []


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory):
    """A folder into which the wheel alone was installed."""
    folder = tmp_path_factory.mktemp("elsewhere")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder / "dist")]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = (folder / "dist").glob("*.whl")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index"]
    pip.append("--disable-pip-version-check")
    subprocess.run([*pip, "--target", str(folder / "site"), str(wheel)], check=True)
    return folder


def run_there(elsewhere: Path, code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=elsewhere,
        env=os.environ | {"PYTHONPATH": str(elsewhere / "site")},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_installed_wheel_runs_the_demo(elsewhere):
    code = (
        "import napari_shiftseg as ss; print(ss.__file__);"
        "from napari_shiftseg.cli.commands import main; main(['demo', '--no-napari'])"
    )
    assert str(elsewhere / "site") in run_there(elsewhere, code)
    assert list((elsewhere / "demo").glob("*corrected.tif"))


def test_napari_discovers_the_plugin_of_the_installed_wheel(elsewhere):
    code = (
        "from npe2 import PluginManager; manager = PluginManager(); manager.discover();"
        "print(*(w.display_name for w in manager.iter_widgets()), sep='\\n');"
        "import napari_shiftseg; print(napari_shiftseg.__file__)"
    )
    found = run_there(elsewhere, code)
    assert "Segment" in found and str(elsewhere / "site") in found
