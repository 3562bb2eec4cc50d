"""What napari shows at the end of the demo."""

import numpy as np

from napari_shiftseg._napari.files import show_demo as module
from napari_shiftseg.image.tiff import write_tiff
from napari_shiftseg.samples.discs import disc_image


def test_the_demo_shows_image_truth_and_both_labels(viewer, monkeypatch, tmp_path):
    _, labels = disc_image()
    for mode in ("naive", "corrected"):
        write_tiff(tmp_path / f"discs-l4-{mode}.tif", labels, axes="YX")
    monkeypatch.setattr(module.napari, "Viewer", lambda title: viewer)
    shown = module.show_demo(tmp_path, "discs-l4", "discs")
    expected = {"Discs", "Discs: ground truth", "corrected (discs-l4)", "naive (discs-l4)"}
    assert expected <= {layer.name for layer in shown.layers}
    np.testing.assert_array_equal(shown.layers["naive (discs-l4)"].data, labels)
