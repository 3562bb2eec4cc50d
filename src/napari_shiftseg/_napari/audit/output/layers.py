"""The output of a network and its labels as layers on the image that it was made of."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from napari.layers import Image, Labels, Layer
from napari.viewer import Viewer
from numpy.typing import NDArray

from napari_shiftseg._napari.audit.output.job import Clustered, Predicted
from napari_shiftseg._napari.layers import (
    can_refill,
    insert_above,
    insert_below_helpers,
    is_the_persons,
    levels_of,
    mark_edited,
    move_to,
    remove,
    set_visible,
)
from napari_shiftseg._napari.placement import Placement
from napari_shiftseg._napari.tags import own_layers, tag
from napari_shiftseg._napari.turns import Steps
from napari_shiftseg.network_audit.predict import provenance_of

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
        """Show an output with a slider for its channels, if it has more than one.

        A new layer is seen a step later: adding and drawing it take their time, each alone.
        """
        pixels, placement = _stacked(predicted.output, predicted)
        if len(pixels) == 1:
            pixels = pixels[0]
        else:
            placement = _with_channels(placement, len(pixels))
        low, high = float(pixels.min(initial=0)), float(pixels.max(initial=0))
        limits = (low, max(high, low + 1e-6))
        there = self._former(predicted, OUTPUT)
        if there is not None and not (there.ndim == pixels.ndim and can_refill(there, placement)):
            yield from remove(self._viewer, there)
            there = None
        shown, is_pyramid = levels_of(pixels, placement)
        if there is not None:
            there.data = shown
            there.contrast_limits_range = there.contrast_limits = limits
            _describe(there, placement, predicted, OUTPUT, _name("Output", predicted))
            set_visible(there, True)
            return
        layer = Image(
            shown,
            name=_name("Output", predicted),
            colormap="viridis",
            contrast_limits=limits,
            multiscale=is_pyramid,
            visible=False,
            **placement.keywords,
        )
        _describe(layer, placement, predicted, OUTPUT, layer.name)
        image = self._image(predicted)
        if image is None:
            insert_below_helpers(self._viewer, layer)
        else:
            insert_above(self._viewer, image, layer)
        yield
        set_visible(layer, True)

    def show_labels(self, clustered: Clustered) -> Steps:
        """Show labels in a layer that a person can correct and save."""
        predicted = clustered.predicted
        stacked, placement = _stacked(clustered.labels[None], predicted)
        labels = stacked[0]
        name = _name("Labels", predicted)
        there = self._former(predicted, OUTPUT_LABELS)
        if there is not None and not (there.ndim == labels.ndim and can_refill(there, placement)):
            yield from remove(self._viewer, there)
            there = None
        shown, is_pyramid = levels_of(labels, placement)
        if there is not None:
            there.data = shown
            _describe(there, placement, predicted, OUTPUT_LABELS, name)
            set_visible(there, True)
            return
        layer = Labels(
            shown,
            name=name,
            opacity=0.7,
            multiscale=is_pyramid,
            visible=False,
            **placement.keywords,
        )
        _describe(layer, placement, predicted, OUTPUT_LABELS, name)
        layer.events.paint.connect(mark_edited)
        insert_below_helpers(self._viewer, layer)
        yield
        set_visible(layer, True)

    def _former(self, predicted: Predicted, kind: str | None) -> Layer | None:
        """Return the layer of an earlier run on the image, unless a person has changed it."""
        there = own_layers(self._viewer, kind=kind, network_of=predicted.scene.key)
        return next((layer for layer in there if not is_the_persons(layer)), None)

    def _image(self, predicted: Predicted) -> Layer | None:
        key = predicted.scene.key
        return next((o for o in self._viewer.layers if str(o.unique_id) == key), None)


def _name(what: str, predicted: Predicted) -> str:
    return f"{what} ({predicted.audited.asked.name})"


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


def _describe(
    layer: Layer, placement: Placement, predicted: Predicted, kind: str | None, name: str
) -> None:
    move_to(layer, placement)
    layer.name = name
    module, audit = predicted.audited.foreign.module, predicted.audited.audit
    layer.metadata = tag(
        kind=kind,
        network_of=predicted.scene.key,
        name=layer.name,
        provenance=provenance_of(module, audit) | {"image": predicted.scene.title},
    )
