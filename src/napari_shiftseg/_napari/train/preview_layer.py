"""The one labels layer that shows what the network finds so far."""

from __future__ import annotations

from napari.layers import Labels
from napari.viewer import Viewer

from napari_shiftseg._napari.layers import insert_below_helpers, move_to, remove, set_visible
from napari_shiftseg._napari.ownership import fill, is_the_persons, leave_to_person, watch
from napari_shiftseg._napari.tags import own_layers, tag
from napari_shiftseg._napari.train.job import Preview
from napari_shiftseg._napari.turns import Steps

KIND = "training preview"
NAME = "Training preview"


def preview_layer(viewer: Viewer) -> Labels | None:
    """Return the layer, None if there is none."""
    return next(iter(own_layers(viewer, kind=KIND)), None)


def show_preview(viewer: Viewer, preview: Preview) -> Steps:
    """Show a preview in the layer that is there; one of other axes takes its place.

    A layer that a person edited or renamed stays as it is.
    """
    layer = preview_layer(viewer)
    if layer is not None and is_the_persons(layer):
        leave_to_person(layer)
        layer = None
    if layer is not None and layer.ndim != preview.labels.ndim:
        yield from remove(viewer, layer)
        layer = None
    placement = preview.subject.placement
    if layer is None:
        layer = Labels(preview.labels, name=NAME, opacity=0.6, visible=False, **placement.keywords)
        layer.metadata = tag(kind=KIND, layer=str(layer.unique_id), name=layer.name)
        watch(layer)
        yield
        insert_below_helpers(viewer, layer)
        yield
        set_visible(layer, True)
        return
    fill(layer, preview.labels)
    move_to(layer, placement)
