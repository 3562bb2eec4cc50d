"""What napari finds when the plugin is installed."""

import subprocess
import sys
from pathlib import Path

import npe2
import numpy as np

import napari_shiftseg
from napari_shiftseg._napari.segment.model_card import ap50
from napari_shiftseg.embeddings.model import bundled_models
from napari_shiftseg.settings import DEFAULT_MODEL

MANIFEST = Path(napari_shiftseg.__file__).with_name("napari.yaml")


def test_the_manifest_is_valid_and_its_functions_exist():
    manifest = npe2.PluginManifest.from_file(MANIFEST)
    manifest.validate_imports()
    assert manifest.name == "napari-shiftseg"


def test_samples_open_with_image_and_hidden_truth(viewer):
    viewer.open_sample("napari-shiftseg", "nuclei")
    image, truth = viewer.layers
    assert image.data.shape == truth.data.shape == (520, 696)
    assert not truth.visible and truth.data.max() > 50


def test_a_sample_brings_its_model_and_its_truth(viewer, widget, monkeypatch, qtbot):
    """The one test with a model of the package."""
    for name, path in bundled_models().items():
        widget.model.combo.addItem(name, str(path))
    viewer.open_sample("napari-shiftseg", "discs")
    assert widget.model.combo.currentText() == "discs-l4"
    assert widget.segment.image.image.currentText() == "Discs"
    assert widget.compare.truth.currentText() == "Discs: ground truth"
    assert "16 px period" in widget.segment.stitch.sentence.text()
    viewer.layers.selection.active = None
    viewer.add_image(np.zeros((30, 30)), name="other")
    widget.segment.image.image.choose(viewer.layers["other"])
    assert widget.compare.truth.currentText() == "none"


def test_samples_load_without_torch_and_scikit_learn():
    code = (
        "import sys; from napari_shiftseg._napari.files import sample_data; sample_data.nuclei();"
        "sample_data.discs(); print(sorted({'torch', 'sklearn'} & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stderr


def test_the_nuclei_model_is_used_where_none_is_named():
    assert DEFAULT_MODEL == "nuclei-2d"
    assert DEFAULT_MODEL in bundled_models()


def test_the_card_quotes_the_corrected_score():
    modes = {"naive": {"ap50": 0.5}, "corrected": {"ap50": 0.9}}
    assert ap50({"figure": {"objects": 3, "modes": modes}}) == 0.9
    assert ap50({"test": {"ap": {"0.5": 0.8, "0.6": 0.7}}}) == 0.8
    assert ap50({"validation": {"ap": 0.75, "step": 20}}) == 0.75
    assert ap50({"ap": ["0.5"], "validation": {"ap": None}}) is None
    assert ap50({}) is None
