"""The output of a network and its labels as layers on the image that it was made of."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace
from typing import Any

import numpy as np
from napari.layers import Image, Labels, Layer
from napari.viewer import Viewer
from numpy.typing import NDArray

from napari_shiftseg._napari.audit.output.job import Clustered, Predicted
from napari_shiftseg._napari.layers import (
    can_refill,
    insert_above_image,
    insert_below_helpers,
    levels_of,
    move_to,
    remove,
    set_visible,
)
from napari_shiftseg._napari.ownership import fill, is_the_persons, watch
from napari_shiftseg._napari.placement import Placement
from napari_shiftseg._napari.tags import own_layers, tag
from napari_shiftseg._napari.turns import Steps

OUTPUT, OUTPUT_LABELS = "network output", None
"""Kinds of these layers; the labels are of none, as those that a person opened."""


class OutputLayers:
    """Shows what a network made of an image; what is shown already is replaced.

    Parameters
    ----------
    viewer
        Where the layers live.
    """

    def __init__(self, viewer: Viewer) -> None:
        self._viewer = viewer

    def show_output(self, predicted: Predicted) -> Steps:
        """Show an output with a slider for its channels, if it has more than one."""
        pixels, placement = _stacked(predicted.output, predicted)
        if len(pixels) == 1:
            pixels = pixels[0]
        else:
            placement = _with_channels(placement, len(pixels))
        low, high = float(pixels.min(initial=0)), float(pixels.max(initial=0))
        limits = (low, max(high, low + 1e-6))
        looks = {"colormap": "viridis", "contrast_limits": limits}
        layer = yield from self._show(predicted, OUTPUT, Image, pixels, placement, looks)
        if not np.allclose(layer.contrast_limits, limits):
            layer.contrast_limits_range = layer.contrast_limits = limits

    def show_labels(self, clustered: Clustered) -> Steps:
        """Show labels in a layer that a person can correct and save."""
        predicted = clustered.predicted
        labels, placement = _stacked(clustered.labels[None], predicted)
        looks = {"opacity": 0.7}
        yield from self._show(predicted, OUTPUT_LABELS, Labels, labels[0], placement, looks)

    def _show(
        self,
        predicted: Predicted,
        kind: str | None,
        layer_type: type[Layer],
        pixels: NDArray[Any],
        placement: Placement,
        looks: dict[str, Any],
    ) -> Generator[None, None, Any]:
        """Show pixels in the layer of an earlier run if they fit into it; return the layer.

        A new one is seen a step later: adding and drawing it take their time, each alone.
        """
        layer = self._former(predicted, kind)
        if layer is not None and not (layer.ndim == pixels.ndim and can_refill(layer, placement)):
            yield from remove(self._viewer, layer)
            layer = None
        shown, is_pyramid = levels_of(pixels, placement)
        if layer is not None:
            fill(layer, shown)
            _describe(layer, placement, predicted, kind)
        else:
            layer = layer_type(
                shown, multiscale=is_pyramid, visible=False, **looks, **placement.keywords
            )
            _describe(layer, placement, predicted, kind)
            self._insert(layer, predicted)
            yield
        set_visible(layer, True)
        return layer

    def _insert(self, layer: Layer, predicted: Predicted) -> None:
        """Add an output right above its image, and labels above all pictures."""
        if isinstance(layer, Labels):
            watch(layer)
            insert_below_helpers(self._viewer, layer)
        else:
            insert_above_image(self._viewer, predicted.scene.key, layer)

    def _former(self, predicted: Predicted, kind: str | None) -> Layer | None:
        """Return the layer of an earlier run on the image, unless a person has changed it."""
        there = own_layers(self._viewer, kind=kind, network_of=predicted.scene.key)
        return next((layer for layer in there if not is_the_persons(layer)), None)


def _stacked(pixels: NDArray[Any], predicted: Predicted) -> tuple[NDArray[Any], Placement]:
    """Put ``(K, *spatial)`` onto its frame: one pixel on each axis of frames."""
    scene = predicted.scene
    frame = (1,) * len(scene.frame)
    return pixels.reshape(len(pixels), *frame, *pixels.shape[1:]), scene.placement(pixels.shape[1:])


def _with_channels(placement: Placement, channels: int) -> Placement:
    """Put an axis of channels in front, one unit a channel."""
    return replace(
        placement,
        size=(channels, *placement.size),
        scale=(1.0, *placement.scale),
        translate=(0.0, *placement.translate),
        units=("pixel", *placement.units) if placement.units else (),
        names=("channel", *placement.names) if placement.names else (),
    )


def _describe(layer: Layer, placement: Placement, predicted: Predicted, kind: str | None) -> None:
    """Put a layer into place, name it, and keep how it was made."""
    move_to(layer, placement)
    what = "Labels" if isinstance(layer, Labels) else "Output"
    layer.name = f"{what} ({predicted.audited.asked.name})"
    layer.metadata = tag(
        kind=kind,
        network_of=predicted.scene.key,
        name=layer.name,
        provenance=predicted.provenance,
    )
