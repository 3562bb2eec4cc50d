"""The difference maps as image layers: one per strategy, of which one is seen."""

from __future__ import annotations

import numpy as np
from napari.layers import Image
from napari.viewer import Viewer

from napari_shiftseg._napari.audit.job import Tiled
from napari_shiftseg._napari.layers import (
    insert_above_image,
    move_to,
    remove,
    set_visible,
)
from napari_shiftseg._napari.tags import own_layers, tag, tag_of
from napari_shiftseg._napari.turns import Steps

DIFFERENCE = "tiling difference"
"""Kind of these layers."""


class DifferenceLayers:
    """Shows a row of a comparison.

    Parameters
    ----------
    viewer
        Where the layers live.
    """

    def __init__(self, viewer: Viewer) -> None:
        self._viewer = viewer

    def show(self, tiled: Tiled, number: int) -> Steps:
        """Show the map of a row, and hide those of others."""
        strategy = tiled.rows[number].strategy
        for layer in own_layers(self._viewer, kind=DIFFERENCE):
            if tag_of(layer)["strategy"] != strategy:
                set_visible(layer, False)
        yield
        pixels = tiled.difference(number)
        placement = tiled.scene.placement(tiled.diagnosis.image_size)
        # The same brightness means the same difference on all maps of a comparison.
        limits = (0.0, max(1e-6, max(error.total for error in tiled.rows)))
        there: Image | None = next(
            iter(own_layers(self._viewer, kind=DIFFERENCE, strategy=strategy)), None
        )
        if there is not None and there.ndim != pixels.ndim:
            yield from remove(self._viewer, there)
            there = None
        if there is None:
            layer = Image(
                pixels,
                name=f"Difference ({strategy})",
                colormap="inferno",
                blending="additive",
                contrast_limits=limits,
                metadata=tag(kind=DIFFERENCE, strategy=strategy),
                **placement.keywords,
            )
            insert_above_image(self._viewer, tiled.scene.key, layer)
            return
        if there.data.shape != pixels.shape or not np.array_equal(there.data, pixels):
            there.data = pixels
            there.contrast_limits = limits
        move_to(there, placement)
        set_visible(there, True)

    def hide(self) -> None:
        """Hide all maps, as when they belong to no comparison any more."""
        for layer in own_layers(self._viewer, kind=DIFFERENCE):
            set_visible(layer, False)
