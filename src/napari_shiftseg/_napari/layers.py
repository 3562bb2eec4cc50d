"""Results as napari layers; a run replaces the layers of its own mode, never the user's."""

from __future__ import annotations

from typing import Any

from napari.layers import Layer
from napari.viewer import Viewer

from napari_shiftseg._napari.camera import camera_of
from napari_shiftseg._napari.job import Job, ModeResult, Outcome
from napari_shiftseg._napari.palette import CUT
from napari_shiftseg._napari.tags import own_layers, tag, tag_of
from napari_shiftseg.settings import StitchMode
from napari_shiftseg.tiles.plan import TilePlan, by

LABELS, EMBEDDING, CUTS = "labels", "embedding", "cuts"

_RING = 3
"""Thickness of rings on screen in pixels."""


def show_outcome(viewer: Viewer, outcome: Outcome) -> None:
    """Add the layers of a run: embedding, labels, and rings around what was cut."""
    active = viewer.layers.selection.active
    for mode, result in outcome.results.items():
        _remove_former(viewer, outcome.job, mode)
        _add(viewer, outcome.job, mode, result)
    keep_rings_thin(viewer)
    if active in viewer.layers:
        viewer.layers.selection.active = active


def raise_rings(viewer: Viewer) -> None:
    """Put the rings above everything else."""
    for layer in own_layers(viewer, kind=CUTS):
        viewer.layers.move(viewer.layers.index(layer), len(viewer.layers))


def show_only(viewer: Viewer, image_key: str, mode: StitchMode, kind: str | None) -> None:
    """Show labels or embedding (None: neither) of one mode, and what its seams cut."""
    for layer in own_layers(viewer, image=image_key):
        own = tag_of(layer)
        layer.visible = own["mode"] == mode and own["kind"] in (kind, CUTS)


def keep_rings_thin(viewer: Viewer) -> None:
    """Keep the thickness of the rings on screen, whatever the zoom."""
    for layer in own_layers(viewer, kind=CUTS):
        layer.border_width = _RING / (camera_of(viewer).zoom * min(layer.scale))


def _remove_former(viewer: Viewer, job: Job, mode: StitchMode) -> None:
    for layer in own_layers(viewer, image=job.image_key, mode=mode):
        # Who renames a layer wants to keep it.
        if layer.name == tag_of(layer)["name"]:
            viewer.layers.remove(layer)


def _add(viewer: Viewer, job: Job, mode: StitchMode, result: ModeResult) -> None:
    plan = result.segmentation.plan
    common = {"opacity": 1.0, **job.placement.keywords}
    _tagged(
        viewer.add_image(
            result.picture, name=_name("Embedding", plan), rgb=True, visible=False, **common
        ),
        job,
        EMBEDDING,
        result,
    )
    labels = viewer.add_labels(
        result.segmentation.labels, name=_name("Labels", plan), **common | {"opacity": 0.7}
    )
    _tagged(labels, job, LABELS, result)
    if result.report.splits:
        _tagged(_add_rings(viewer, result, common), job, CUTS, result)


def _add_rings(viewer: Viewer, result: ModeResult, common: dict[str, Any]) -> Layer:
    plan = result.segmentation.plan
    return viewer.add_points(
        result.rings.centres,
        size=result.rings.diameters,
        name=_name("Cut at seams", plan),
        symbol="disc",
        face_color="transparent",
        border_color=CUT,
        border_width=1,
        border_width_is_relative=False,
        out_of_slice_display=len(plan.image_size) > 2,
        **common,
    )


def _tagged(layer: Layer, job: Job, kind: str, result: ModeResult) -> None:
    mode = result.segmentation.plan.mode
    layer.metadata = tag(
        kind=kind,
        mode=mode,
        image=job.image_key,
        name=layer.name,
        provenance=result.segmentation.provenance,
    )


def _name(what: str, plan: TilePlan) -> str:
    if plan.mode == "whole":
        return f"{what} (whole image)"
    return f"{what} ({plan.mode}, {by(plan.tile_size)} px)"
