"""The dock widget "Draw the paper's discs": any spacing, with and without noise."""

from __future__ import annotations

import napari.viewer
from magicgui import magic_factory
from napari.layers import Layer

from napari_shiftseg._napari.files.sample_data import sample_layers
from napari_shiftseg.samples import SIZES, SPACINGS, draw_discs


@magic_factory(
    spacing={
        "min": SPACINGS[0],
        "max": SPACINGS[-1],
        "tooltip": "Distance between neighbouring centres in pixels",
    },
    noise={"tooltip": "Add Gaussian noise of variance 0.01"},
    size={"min": SIZES[0], "max": SIZES[-1], "tooltip": "Edge length of the image in pixels"},
    call_button="Draw",
)
def discs_widget(
    viewer: napari.viewer.Viewer, spacing: int = 13, noise: bool = False, size: int = 284
) -> None:
    """Add an image of discs and, hidden, its ground truth.

    Parameters
    ----------
    viewer
        Where to.
    spacing, noise, size
        As in :func:`draw_discs`.
    """
    for data, keywords, kind in sample_layers(draw_discs(spacing, noise=noise, size=size)):
        viewer.add_layer(Layer.create(data, keywords, kind))
