"""Open napari on what ``shiftseg demo`` wrote: ``python -m ... FOLDER MODEL SAMPLE``."""

from __future__ import annotations

import sys
from pathlib import Path

import napari

from napari_shiftseg.image.tiff import read_labels


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
    viewer = napari.Viewer(title="ShiftSeg demo")
    viewer.window.add_plugin_dock_widget("napari-shiftseg", "Segment")
    viewer.open_sample("napari-shiftseg", sample_name)
    for mode in ("corrected", "naive"):
        labels = read_labels(folder / f"{model}-{mode}.tif")
        viewer.add_labels(labels, name=f"{mode} ({model})", visible=mode == "naive")
    return viewer


if __name__ == "__main__":
    show_demo(Path(sys.argv[1]), sys.argv[2], sys.argv[3])
    napari.run()
