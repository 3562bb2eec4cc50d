"""From the form to what will run: the snapshot that everything later works on."""

from __future__ import annotations

from math import prod
from typing import Any, NamedTuple

from napari.layers import Image
from napari.viewer import Viewer

from napari_shiftseg._napari.job import Subject
from napari_shiftseg._napari.placement import (
    Placement,
    axes_of,
    frames_of_layer,
    pixels_of,
    places_of,
)
from napari_shiftseg._napari.segment.estimate import Estimate
from napari_shiftseg._napari.segment.region import centre_of, current_frame, drawn, on_screen
from napari_shiftseg._napari.segment.region_layer import RegionLayer
from napari_shiftseg._napari.segment.tab import SegmentTab
from napari_shiftseg.embeddings.colours import Colouring
from napari_shiftseg.embeddings.model import Model
from napari_shiftseg.errors import ShiftSegError
from napari_shiftseg.image.axes import Frames
from napari_shiftseg.pipeline import plan_for
from napari_shiftseg.tiles.tile import Region

_PREVIEW = 1.0
"""Seconds that a preview may take."""

_SMALLEST = 128**2
"""Pixels of the smallest preview."""


class Chosen(NamedTuple):
    """A model and an image that fit each other."""

    model: Model
    layer: Image
    frames: Frames
    space: Placement
    stack: Placement


class Resolver:
    """Reads the form; raises ShiftSegError where it makes no sense.

    Parameters
    ----------
    viewer
        The viewer.
    tab
        The form.
    region_layer
        Where rectangles are drawn.
    estimate
        Knows how much can be computed in a second.
    """

    def __init__(
        self, viewer: Viewer, tab: SegmentTab, region_layer: RegionLayer, estimate: Estimate
    ) -> None:
        self._viewer, self._tab = viewer, tab
        self._region_layer, self._estimate = region_layer, estimate

    def chosen(self) -> Chosen | None:
        """Return model and image, None while one of them is missing."""
        model, layer = self._tab.model.model, self._tab.image.image.layer
        if model is None or layer is None:
            return None
        frames = frames_of_layer(layer, model.reads)
        return Chosen(model, layer, frames, *places_of(layer, frames))

    def region(self, chosen: Chosen) -> Region | None:
        """Return the part that is wanted, None for all of it."""
        kind = self._tab.image.region.value
        if kind == "whole":
            return None
        if kind == "screen":
            return self._on_screen(chosen)
        shapes = self._region_layer.layer
        if self._viewer.dims.ndisplay > 2 and (shapes is None or len(shapes.data) == 0):
            raise ShiftSegError("leave the 3-D view to draw a rectangle")
        return drawn(self._viewer, shapes, chosen.space)

    def subject(self, colouring: Any = None) -> Subject | None:
        """Take the snapshot of a run."""
        chosen = self.chosen()
        if chosen is None:
            return None
        return self._subject(chosen, colouring, region=self.region(chosen))

    def preview(self, colouring: Any = None) -> Subject | None:
        """Take the snapshot of a preview: the middle of the screen, of the frame on show."""
        chosen = self.chosen()
        if chosen is None:
            return None
        loops = chosen.frames.layout.loops
        frame = current_frame(self._viewer, chosen.layer, loops, chosen.frames.loops)
        region = self._affordable(chosen, self._on_screen(chosen))
        return self._subject(
            chosen, colouring, region=region, frame=frame if loops else None, preview=True
        )

    def _affordable(self, chosen: Chosen, region: Region) -> Region:
        """Return as much of the middle of a region as takes about a second."""
        stitching = self._tab.stitch.stitching
        around = self._looked_at(chosen)
        for _ in range(8):
            plan = plan_for(
                chosen.model, chosen.frames.spatial, stitching.mode, stitching.tile, region
            )
            seconds = self._estimate.seconds(chosen.model, plan)
            area = prod(plan.result_size)
            if seconds <= 1.2 * _PREVIEW or area <= _SMALLEST:
                break
            fewer = max(_SMALLEST, int(area * _PREVIEW / seconds))
            region = centre_of(region, fewer, around)
        return region

    def _looked_at(self, chosen: Chosen) -> list[int | None]:
        """Return the slice on show of each spatial axis that is not on screen."""
        layer, dims, axes = chosen.layer, self._viewer.dims, chosen.frames.layout.spatial
        shown = {axis - dims.ndim + layer.ndim for axis in dims.displayed}
        here = current_frame(self._viewer, layer, axes, chosen.frames.spatial)
        return [None if axis in shown else at for axis, at in zip(axes, here, strict=True)]

    def _on_screen(self, chosen: Chosen) -> Region:
        frames = chosen.frames
        return on_screen(self._viewer, chosen.layer, frames.layout.spatial, frames.spatial)

    def _subject(self, chosen: Chosen, colouring: Colouring | None, **part: Any) -> Subject:
        model, layer, frames, space, stack = chosen
        return Subject(
            image=pixels_of(layer),
            image_key=str(layer.unique_id),
            image_name=layer.name,
            model=model,
            axes=axes_of(layer, model.reads),
            loops=frames.loops,
            space=space,
            stack=stack,
            clustering=self._tab.clusters.settings,
            colouring=colouring,
            colours=self._tab.result.colour_kind,
            **part,
        )
