"""Results as napari layers; a run replaces the layers of its own kind, never the user's work."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import napari
import numpy as np
from napari.layers import Image, Labels, Layer, Points
from napari.viewer import Viewer
from numpy.typing import NDArray

from napari_shiftseg._napari.ownership import fill, is_the_persons, leave_to_person
from napari_shiftseg._napari.placement import Placement
from napari_shiftseg._napari.ring_layers import (
    CHECKED,
    CUTS,
    keep_rings_in_slice,
    keep_rings_thin,
    know_balls,
    new_rings,
    refill_rings,
)
from napari_shiftseg._napari.tags import own_layers, tag, tag_of

if TYPE_CHECKING:  # loads torch, which a check of labels needs not
    from napari_shiftseg._napari.job import Result

LABELS, EMBEDDING, JUMPS = "labels", "embedding", "jumps"
PERIOD_GRID, TILE_GRID = "Period grid", "Tile grid"
PARTIAL, CURTAIN, CURTAIN_LINE, COPY = "partial", "curtain", "curtain line", "copy"
CUT_LINE = "cut line"
FILE = "file"
"""Labels that lie in a file."""

HELPERS = (PERIOD_GRID, TILE_GRID, CUTS, CHECKED)
"""Kinds of layers that belong above all pictures."""

PASSING = (PERIOD_GRID, TILE_GRID, PARTIAL, CURTAIN, CURTAIN_LINE, COPY)
"""Kinds of layers that mean nothing without the widget."""

_PYRAMID = 8192
"""Edge in pixels from which on a layer gets coarser levels, or napari would draw it slowly."""

_COARSEST = 512
"""Edge in pixels at which no coarser level is needed."""

_NAPARI = tuple(int(part) for part in napari.__version__.split(".")[:2])


def add_result(viewer: Viewer, result: Result) -> Generator[None, None, Labels]:
    """Bring up the labels of a result, and rings around what was cut, in steps; return the labels.

    The layers of an earlier run of the same kind show the new result, which is much faster
    than new layers; new ones are hidden, and making one and adding it are steps of their own.
    Labels that a person edited or renamed stay as they are.
    """
    yield from make_way(viewer, result)
    labels: Labels | None = former(viewer, result, LABELS)
    if labels is None:
        labels = _new_labels(viewer, result)
        yield
        insert_below_helpers(viewer, _tagged(labels, result, LABELS))
    else:
        pixels, _ = levels_of(result.segmentation.labels, result.subject.placement)
        _refill(viewer, labels, pixels, result, "Labels")
        _tagged(labels, result, LABELS)
    yield
    if result.report.splits:
        yield from _show_cuts(viewer, result)
    return labels


def _new_labels(viewer: Viewer, result: Result) -> Labels:
    pixels, is_pyramid = levels_of(result.segmentation.labels, result.subject.placement)
    return Labels(
        pixels,
        name=_called(viewer, "Labels", result),
        multiscale=is_pyramid,
        opacity=0.7,
        visible=False,
        **result.subject.placement.keywords,
    )


def show_picture(viewer: Viewer, result: Result) -> Image:
    """Bring up a result's embedding as colours, hidden if the layer is new."""
    pixels, is_pyramid = levels_of(result.picture, result.subject.placement)
    picture: Image | None = former(viewer, result, EMBEDDING)
    if picture is not None:
        return adopt_picture(viewer, picture, result)
    picture = Image(
        pixels,
        name=_called(viewer, "Embedding", result),
        rgb=True,
        multiscale=is_pyramid,
        visible=False,
        **result.subject.placement.keywords,
    )
    insert_below_helpers(viewer, _tagged(picture, result, EMBEDDING))
    return picture


def insert_below_helpers(viewer: Viewer, layer: Layer) -> None:
    """Add a layer under the grids and rings, and keep the selection.

    Adding it on top and moving the others would have napari draw everything several times.
    """
    kinds = [tag_of(other).get("kind") for other in viewer.layers]
    helpers = [place for place, kind in enumerate(kinds) if kind in HELPERS]
    _insert(viewer, min(helpers, default=len(kinds)), layer)


def add_on_top(viewer: Viewer, layer: Layer) -> None:
    """Add a layer above all others, and keep the selection."""
    _insert(viewer, len(viewer.layers), layer)


def insert_above(viewer: Viewer, below: Layer, layer: Layer) -> None:
    """Add a layer right above another one, and keep the selection."""
    _insert(viewer, viewer.layers.index(below) + 1, layer)


def layer_with(viewer: Viewer, key: str) -> Layer | None:
    """Return the layer of this identity, None if it is gone."""
    return next((layer for layer in viewer.layers if str(layer.unique_id) == key), None)


def insert_above_image(viewer: Viewer, key: str, layer: Layer) -> None:
    """Add a picture right above the image of this identity; below all lines if that is gone."""
    image = layer_with(viewer, key)
    if image is None:
        insert_below_helpers(viewer, layer)
    else:
        insert_above(viewer, image, layer)


def _insert(viewer: Viewer, place: int, layer: Layer) -> None:
    """Add a layer and keep the selection, and with it the tool in the user's hand."""
    selection = viewer.layers.selection
    active = selection.active
    visible = layer.visible
    if layer.ndim < viewer.dims.ndisplay:
        # napari 0.7 cannot insert a flat layer that is hidden into a view of three dimensions.
        layer.visible = True
    # napari selects what is new. Half the window follows the selection; it need not do so
    # twice for a selection that stays as it was.
    with nullcontext() if active is None else selection.events.blocker_all():
        viewer.layers.insert(place, layer)
        set_visible(layer, visible)
        if active is not None:
            selection.active = active
    if "name" in tag_of(layer):
        # napari numbers names that are taken.
        tag_of(layer)["name"] = layer.name


def adopt_picture(viewer: Viewer, layer: Image, result: Result) -> Image:
    """Make a layer that is there show a result's embedding as colours."""
    pixels, _ = levels_of(result.picture, result.subject.placement)
    _refill(viewer, layer, pixels, result, "Embedding")
    return _tagged(layer, result, EMBEDDING)


def make_way(viewer: Viewer, result: Result) -> Iterator[None]:
    """Leave to the person what is the person's; take away what a new result makes stale."""
    image, key = result.subject.image_key, repr(result.key)
    for layer in own_layers(viewer, image=image):
        own = tag_of(layer)
        if own.get("key") != key and not own.get("preview"):
            continue
        if is_the_persons(layer):
            leave_to_person(layer)
        elif layer is not former(viewer, result, own["kind"]):
            yield from remove(viewer, layer)
    retire(viewer, result, CUTS)
    retire(viewer, result, JUMPS)
    picture = former(viewer, result, EMBEDDING)
    if picture is not None and not _is_of(picture, result):
        retire(viewer, result, EMBEDDING)


def _is_of(picture: Image, result: Result) -> bool:
    """Tell whether a layer holds this very picture, and not that of an earlier run."""
    pixels = picture.data[0] if picture.multiscale else picture.data
    return bool(np.may_share_memory(pixels, result.picture))


def retire(viewer: Viewer, result: Result, kind: str) -> None:
    """Hide what no longer belongs to a result; the layer waits to be filled again.

    It is not removed, because napari's window would not answer for a third of a second.
    """
    stale = former(viewer, result, kind)
    if stale is not None:
        set_visible(stale, False)
        tag_of(stale)["stale"] = True


def remove(viewer: Viewer, layer: Layer | None) -> Iterator[None]:
    """Remove a layer, if it is still there, as a step of its own.

    Mesa's software OpenGL crashes at its next drawing when a layer goes that it did not draw in
    the last one. So a hidden layer is drawn once more, and nothing is seen of it.
    """
    if layer is not None and layer in viewer.layers and not layer.visible:
        layer.opacity, layer.visible = 0, True
        yield
    if layer in viewer.layers:
        viewer.layers.remove(layer)
        yield


def remove_passing(viewer: Viewer) -> None:
    """Remove at once what means nothing without the widget, when that is closed."""
    layers = [layer for kind in PASSING for layer in own_layers(viewer, kind=kind)]
    # Since napari 0.9 a batch costs as much as one layer.
    with getattr(viewer.layers, "batched_update", nullcontext)():
        for layer in layers:
            viewer.layers.remove(layer)


def set_visible(layer: Layer, visible: bool) -> None:
    """Show or hide a layer; napari would draw everything anew even where nothing changes."""
    if layer.visible != visible:
        layer.visible = visible


def former(viewer: Viewer, result: Result, kind: str) -> Layer | None:
    """Return the layer that may show a new result: of the same kind of run, or a preview."""
    there = own_layers(viewer, image=result.subject.image_key, kind=kind)
    own = [layer for layer in there if can_refill(layer, result.subject.placement)]
    same = [layer for layer in own if tag_of(layer).get("key") == repr(result.key)]
    previews = [layer for layer in own if tag_of(layer).get("preview")]
    return next(iter(same + previews), None)


def can_refill(layer: Layer, placement: Placement) -> bool:
    """Tell whether a layer can show other pixels: napari makes no pyramid of a flat layer."""
    if isinstance(layer, Points):
        return True
    large = _is_large(placement)
    # Before napari 0.7 labels with coarser levels could not be changed at all.
    fixed = large and isinstance(layer, Labels) and _NAPARI < (0, 7)
    return layer.multiscale == large and not fixed


def _is_large(placement: Placement) -> bool:
    return max(placement.size[-2:]) > _PYRAMID


def _refill(viewer: Viewer, layer: Layer, pixels: Any, result: Result, what: str) -> None:
    """Show other pixels at their own place."""
    fill(layer, pixels)
    move_to(layer, result.subject.placement)
    layer.name = _called(viewer, what, result)


def _called(viewer: Viewer, what: str, result: Result) -> str:
    """Name a layer by its run, and by model and image where others have a run of this name."""
    name, image, model = f"{what} ({result.title})", result.subject.image_key, result.model_name
    there = [tag_of(layer) for layer in viewer.layers if layer.name == name]
    here = (own for own in there if own.get("image") == image)
    if any((own.get("provenance") or {}).get("model", model) != model for own in here):
        name = f"{what} ({result.title}, {model})"
    taken = any(own.get("image") not in (None, image) for own in there)
    return f"{name} of {result.subject.image_name}" if taken else name


def move_to(layer: Layer, placement: Placement) -> None:
    """Put a layer into place, if it is not there; moving makes napari measure everything anew."""
    if not np.array_equal(layer.translate, placement.translate):
        layer.translate = placement.translate
    if not np.array_equal(layer.scale, placement.scale):
        layer.scale = placement.scale
    if placement.units and tuple(layer.units) != placement.units:
        layer.units = placement.units
    if placement.names and tuple(layer.axis_labels) != placement.names:
        layer.axis_labels = placement.names


def follow_units(viewer: Viewer, image: Layer) -> None:
    """Give what waits, hidden, the units that an image has got.

    napari draws no layer in its units while any two have units that cannot be converted. They
    get the place of their own image when they are shown again.
    """
    if tag_of(image).get("kind") or not hasattr(image, "units"):
        return
    waiting = [layer for kind in (*PASSING, CUT_LINE) for layer in own_layers(viewer, kind=kind)]
    for layer in waiting:
        units = tuple(image.units)[-layer.ndim :]
        if not layer.visible and layer.ndim <= image.ndim and tuple(layer.units) != units:
            layer.units = units


def _show_cuts(viewer: Viewer, result: Result) -> Iterator[None]:
    """Circle what was cut, in steps."""
    rings, placement = former(viewer, result, CUTS), result.subject.placement
    name = _called(viewer, "Cut at seams", result)
    if rings is not None:
        refill_rings(rings, result.rings)
        move_to(rings, placement)
        rings.name = name
        _tagged(rings, result, CUTS)
    else:
        rings = new_rings(
            result.rings.centres,
            result.rings.diameters,
            name,
            {"opacity": 1.0, "visible": False, **placement.keywords},
        )
        yield
        add_on_top(viewer, _tagged(rings, result, CUTS))
    know_balls(rings, result.rings, result.segmentation.plan)
    keep_rings_in_slice(viewer)
    keep_rings_thin(viewer)
    yield


def show_only(viewer: Viewer, key: tuple[Any, ...], kind: str | None) -> None:
    """Of the plugin's layers show labels or embedding (None: neither) of one result."""
    for layer in pictures_of(viewer, key[0]):
        own = tag_of(layer)
        here = own.get("key") == repr(key)
        set_visible(layer, here and own["kind"] in (kind, CUTS) and not own.get("stale"))


def pictures_of(viewer: Viewer, image: str) -> list[Layer]:
    """Return all layers of results of an image, but for labels in a file, which stay on show."""
    tags = [(layer, tag_of(layer)) for layer in own_layers(viewer, image=image)]
    return [layer for layer, own in tags if "key" in own and own["kind"] != FILE]


def layer_of(viewer: Viewer, key: tuple[Any, ...], kind: str) -> Layer | None:
    """Return the layer of a result."""
    return next(iter(own_layers(viewer, key=repr(key), kind=kind, stale=None)), None)


def show_jumps(
    viewer: Viewer, result: Result, jumps: NDArray[np.float32], high: float
) -> Iterator[None]:
    """Show the jump across pixel borders as an image, in the layer that is there if it can be.

    A new layer is seen a step later: adding and drawing it take their time, each alone.

    Parameters
    ----------
    viewer
        Where to show it.
    result
        Whose jumps they are.
    jumps
        One per pixel.
    high
        What is shown brightest.
    """
    pixels, is_pyramid = levels_of(jumps, result.subject.placement)
    there = [layer for layer in own_layers(viewer, kind=JUMPS) if not is_the_persons(layer)]
    if there and there[0].ndim == jumps.ndim and there[0].multiscale == is_pyramid:
        _refill(viewer, there[0], pixels, result, "Jumps")
        there[0].contrast_limits = (0, high)
        set_visible(_tagged(there[0], result, JUMPS), True)
        return
    layer = Image(
        pixels,
        name=_called(viewer, "Jumps", result),
        colormap="inferno",
        blending="additive",
        contrast_limits=(0, high),
        multiscale=is_pyramid,
        visible=False,
        **result.subject.placement.keywords,
    )
    yield
    insert_below_helpers(viewer, _tagged(layer, result, JUMPS))
    yield
    set_visible(layer, True)


def _tagged(layer: Layer, result: Result, kind: str) -> Any:
    layer.metadata = tag(
        layer=str(layer.unique_id),
        kind=kind,
        mode=result.mode,
        image=result.subject.image_key,
        key=repr(result.key),
        name=layer.name,
        preview=result.subject.preview,
        provenance=result.segmentation.provenance,
    )
    return layer


def levels_of(pixels: NDArray[Any], placement: Placement) -> tuple[Any, bool]:
    """Give a large picture coarser levels: views of every second, fourth, ... pixel."""
    size = placement.size
    flat = pixels.ndim - len(size)
    if not _is_large(placement):
        return pixels, False
    steps = [2**k for k in range(int(np.log2(max(size[-2:]) / _COARSEST)) + 1)]
    keep = (slice(None),) * (len(size) - 2)
    after = (slice(None),) * flat
    return [
        pixels[(*keep, slice(None, None, k), slice(None, None, k), *after)] for k in steps
    ], True
