"""Results as napari layers; a run replaces the layers of its own kind, never the user's work."""

from __future__ import annotations

from typing import Any

import numpy as np
from napari.layers import Image, Labels, Layer, Points
from napari.viewer import Viewer
from numpy.typing import NDArray

from napari_shiftseg._napari.camera import camera_of
from napari_shiftseg._napari.job import Result
from napari_shiftseg._napari.palette import CUT
from napari_shiftseg._napari.placement import Placement
from napari_shiftseg._napari.tags import KEY, own_layers, tag, tag_of

LABELS, EMBEDDING, CUTS, JUMPS = "labels", "embedding", "cuts", "jumps"
PERIOD_GRID, TILE_GRID = "Period grid", "Tile grid"
CHECKED = "checked"
"""Rings around what a check of any labels layer found."""

HELPERS = (PERIOD_GRID, TILE_GRID, CUTS, CHECKED)
"""Kinds of layers that belong above all pictures."""

_RING = 3
"""Thickness of rings on screen in pixels."""

_PYRAMID = 8192
"""Edge in pixels from which on a layer gets coarser levels, or napari would draw it slowly."""


def show_result(viewer: Viewer, result: Result) -> Labels:
    """Show the labels of a result, and rings around what was cut.

    The layers of an earlier run of the same kind show the new result, which is much faster
    than new layers. Labels that a person edited or renamed stay as they are.
    """
    remove_former(viewer, result)
    pixels, is_pyramid = levels_of(result.segmentation.labels, result.subject.placement)
    labels: Labels | None = former(viewer, result, LABELS)
    if labels is None:
        labels = Labels(
            pixels,
            name=f"Labels ({result.title})",
            multiscale=is_pyramid,
            opacity=0.7,
            **result.subject.placement.keywords,
        )
        insert_below_helpers(viewer, labels)
        labels.events.paint.connect(_on_edited)
    else:
        _refill(labels, pixels, result)
    _tagged(labels, result, LABELS)
    if result.report.splits:
        _add_cuts(viewer, result)
    return labels


def show_picture(viewer: Viewer, result: Result) -> Image:
    """Show a result's embedding as colours."""
    pixels, is_pyramid = levels_of(result.picture, result.subject.placement)
    picture: Image | None = former(viewer, result, EMBEDDING)
    if picture is not None:
        return adopt_picture(picture, result)
    picture = Image(
        pixels,
        name=f"Embedding ({result.title})",
        rgb=True,
        multiscale=is_pyramid,
        **result.subject.placement.keywords,
    )
    insert_below_helpers(viewer, picture)
    return _tagged(picture, result, EMBEDDING)


def insert_below_helpers(viewer: Viewer, layer: Layer) -> None:
    """Add a layer under the grids and rings, and keep the selection.

    Adding it on top and moving the others would have napari draw everything several times.
    """
    active = viewer.layers.selection.active
    kinds = [tag_of(other).get("kind") for other in viewer.layers]
    helpers = [place for place, kind in enumerate(kinds) if kind in HELPERS]
    viewer.layers.insert(min(helpers, default=len(kinds)), layer)
    if active is not None:
        viewer.layers.selection.active = active


def adopt_picture(layer: Image, result: Result) -> Image:
    """Make a layer that is there show a result's embedding as colours."""
    _refill(layer, levels_of(result.picture, result.subject.placement)[0], result)
    return _tagged(layer, result, EMBEDDING)


def remove_former(viewer: Viewer, result: Result) -> None:
    """Leave to the person what is the person's; remove what a new result makes stale."""
    image, key = result.subject.image_key, repr(result.key)
    for layer in own_layers(viewer, image=image):
        own = tag_of(layer)
        if own.get("key") != key and not own.get("preview"):
            continue
        if is_the_persons(layer):
            leave_to_person(layer)
        elif layer is not former(viewer, result, own["kind"]):
            viewer.layers.remove(layer)
    for kind in (CUTS, JUMPS):
        stale = former(viewer, result, kind)
        if stale is not None:
            viewer.layers.remove(stale)


def is_the_persons(layer: Layer) -> bool:
    """Tell whether a person edited or renamed a layer, and so wants to keep it."""
    return bool(tag_of(layer).get("edited")) or layer.name != tag_of(layer)["name"]


def former(viewer: Viewer, result: Result, kind: str) -> Layer | None:
    """Return the layer that may show a new result: of the same kind of run, or a preview."""
    own = own_layers(viewer, image=result.subject.image_key, kind=kind)
    same = [layer for layer in own if tag_of(layer).get("key") == repr(result.key)]
    previews = [layer for layer in own if tag_of(layer).get("preview")]
    return next(iter(same + previews), None)


def _refill(layer: Layer, pixels: Any, result: Result) -> None:
    """Show other pixels at their own place."""
    layer.data = pixels
    placement = result.subject.placement
    if not np.array_equal(layer.translate, placement.translate):
        layer.translate = placement.translate
    if not np.array_equal(layer.scale, placement.scale):
        layer.scale = placement.scale
    what = "Labels" if isinstance(layer, Labels) else "Embedding"
    layer.name = f"{what} ({result.title})"


def _add_cuts(viewer: Viewer, result: Result) -> None:
    active = viewer.layers.selection.active
    rings = add_rings(
        viewer,
        result.rings.centres,
        result.rings.diameters,
        f"Cut at seams ({result.title})",
        {"opacity": 1.0, **result.subject.placement.keywords},
        thick=len(result.segmentation.plan.image_size) > 2,
    )
    _tagged(rings, result, CUTS)
    keep_rings_thin(viewer)
    viewer.layers.selection.active = active


def leave_to_person(layer: Layer) -> None:
    """Make a layer no longer the plugin's, but keep what says how it was made."""
    own = tag_of(layer)
    if layer.name == own["name"]:
        layer.name = f"{layer.name}, edited"
    layer.metadata = {**layer.metadata, KEY: {"provenance": own.get("provenance"), "edited": True}}


def show_only(viewer: Viewer, key: tuple[Any, ...], kind: str | None) -> None:
    """Of the plugin's layers show labels or embedding (None: neither) of one result."""
    image = key[0]
    for layer in own_layers(viewer, image=image):
        own = tag_of(layer)
        here = own.get("key") == repr(key)
        layer.visible = here and own["kind"] in (kind, CUTS)


def layer_of(viewer: Viewer, key: tuple[Any, ...], kind: str) -> Layer | None:
    """Return the layer of a result."""
    return next(iter(own_layers(viewer, key=repr(key), kind=kind)), None)


def keep_rings_thin(viewer: Viewer) -> None:
    """Keep the thickness of the rings on screen, whatever the zoom."""
    for layer in own_layers(viewer, kind=CUTS) + own_layers(viewer, kind=CHECKED):
        layer.border_width = _RING / (camera_of(viewer).zoom * min(layer.scale))


def add_jumps(viewer: Viewer, result: Result, jumps: NDArray[np.float32]) -> Image:
    """Add the jump across pixel borders as an image."""
    high = float(np.percentile(jumps[::4], 99.9)) or 1.0
    pixels, is_pyramid = levels_of(jumps, result.subject.placement)
    layer = Image(
        pixels,
        name=f"Jumps ({result.title})",
        colormap="inferno",
        blending="additive",
        contrast_limits=(0, high),
        multiscale=is_pyramid,
        **result.subject.placement.keywords,
    )
    insert_below_helpers(viewer, layer)
    return _tagged(layer, result, JUMPS)


def add_rings(
    viewer: Viewer,
    centres: NDArray[np.float64],
    diameters: NDArray[np.float64],
    name: str,
    common: dict[str, Any],
    *,
    thick: bool = False,
) -> Points:
    """Add circles in pixels; ``thick`` ones are seen on every slice that they reach."""
    return viewer.add_points(
        centres,
        size=diameters,
        name=name,
        symbol="disc",
        face_color="transparent",
        border_color=CUT,
        border_width=1,
        border_width_is_relative=False,
        out_of_slice_display=thick,
        **common,
    )


def _tagged(layer: Layer, result: Result, kind: str) -> Any:
    layer.metadata = tag(
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
    if max(size[-2:]) <= _PYRAMID:
        return pixels, False
    steps = [2**k for k in range(int(np.log2(max(size[-2:]) / 512)) + 1)]
    keep = (slice(None),) * (len(size) - 2)
    after = (slice(None),) * flat
    return [
        pixels[(*keep, slice(None, None, k), slice(None, None, k), *after)] for k in steps
    ], True


def _on_edited(event: Any) -> None:
    own = tag_of(event.source)
    if own:
        own["edited"] = True
