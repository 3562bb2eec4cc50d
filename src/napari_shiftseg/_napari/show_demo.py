"""Open napari on what ``shiftseg demo`` wrote: ``python -m ... FOLDER MODEL SAMPLE``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import napari
import numpy as np
from numpy.typing import NDArray

from napari_shiftseg.image.tiff import read_labels
from napari_shiftseg.samples import load_sample


def show_demo(folder: Path, model: str, sample_name: str) -> napari.Viewer:
    """Show a sample with the naive and corrected labels of a model, and the widget.

    Parameters
    ----------
    folder
        What the demo wrote to.
    model
        Model whose labels are shown.
    sample_name
        Sample that they belong to.
    """
    sample = load_sample(sample_name)
    viewer = napari.Viewer(title="ShiftSeg demo")
    viewer.add_image(sample.image, name=sample_name, contrast_limits=_limits(sample.image))
    viewer.add_labels(sample.truth, name="ground truth", visible=False)
    for mode in ("corrected", "naive"):
        labels = read_labels(folder / f"{model}-{mode}.tif")
        viewer.add_labels(labels, name=f"{mode} ({model})", visible=mode == "naive")
    _, widget = viewer.window.add_plugin_dock_widget("napari-shiftseg", "Segment")
    widget.model.choose(model)
    return viewer


def _limits(image: NDArray[Any]) -> tuple[float, float]:
    low, high = np.percentile(image, (0.5, 99.8))
    return float(low), float(max(high, low + 1))


if __name__ == "__main__":
    show_demo(Path(sys.argv[1]), sys.argv[2], sys.argv[3])
    napari.run()
