import json
import subprocess
import sys

import pytest

import napari_shiftseg

GUI = {"PyQt5", "PyQt6", "PySide6", "magicgui", "napari", "qtpy", "superqt"}


def loaded_by(statement):
    """Names of the top-level modules in a fresh interpreter after a statement."""
    program = f"{statement}; import sys, json; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    return {name.partition(".")[0] for name in json.loads(done.stdout)}


def test_importing_the_package_loads_neither_torch_nor_qt_nor_napari():
    loaded = loaded_by("import napari_shiftseg")
    assert "napari_shiftseg" in loaded
    assert not loaded & (GUI | {"torch", "numpy", "scipy", "tifffile"})


def test_the_core_loads_neither_qt_nor_napari():
    public = ", ".join(sorted(set(napari_shiftseg.__all__) - {"__version__"}))
    training = "import napari_shiftseg.training.recipe"
    loaded = loaded_by(f"from napari_shiftseg import {public}; {training}")
    assert "torch" in loaded
    assert not loaded & GUI


def test_tiles_image_labels_and_seams_need_no_torch():
    modules = (
        "tiles.plan", "image.axes", "image.border", "image.files", "image.intensity", "image.packs",
        "image.tiff", "labels.cluster", "seams.report", "settings",
    )  # fmt: skip
    loaded = loaded_by("; ".join(f"import napari_shiftseg.{name}" for name in modules))
    assert "scipy" in loaded
    assert not loaded & (GUI | {"torch"})


def loaded_by_call(*words):
    """Names of the top-level modules that a call of the command line loads."""
    command = [sys.executable, "-X", "importtime", "-m", "napari_shiftseg", *words]
    done = subprocess.run(command, capture_output=True, check=True, text=True)
    names = (line.rpartition("|")[2].strip() for line in done.stderr.splitlines())
    return {name.partition(".")[0] for name in names}


def test_a_call_of_the_command_line_loads_what_it_needs():
    assert not loaded_by_call("--version") & {"torch", "scipy"}
    assert "torch" not in loaded_by_call("check", "--help")
    certify = loaded_by_call("certify", "--help")
    assert "torch" in certify
    assert "matplotlib" not in certify


@pytest.mark.parametrize("name", napari_shiftseg.__all__)
def test_every_public_name_is_there_and_documented(name):
    assert name in dir(napari_shiftseg)
    value = getattr(napari_shiftseg, name)
    assert isinstance(value, str) or value.__doc__


def test_other_names_are_not():
    with pytest.raises(AttributeError, match="no attribute 'absent'"):
        _ = napari_shiftseg.absent
