"""The picture that grows tile by tile while a run goes on."""

from __future__ import annotations

import numpy as np
from napari.layers import Image
from napari.viewer import Viewer

from napari_shiftseg._napari.job import Subject, TilePicture
from napari_shiftseg._napari.placement import Placement
from napari_shiftseg._napari.tags import own_layers, tag

_KIND = "partial"


class PartialPicture:
    """One layer that exists only while a run goes on.

    Parameters
    ----------
    viewer
        Where to show it.
    """

    def __init__(self, viewer: Viewer) -> None:
        self._viewer = viewer
        self._frame: tuple[int, ...] | None = None

    @property
    def layer(self) -> Image | None:
        """The layer, or None while there is none."""
        return next(iter(own_layers(self._viewer, kind=_KIND)), None)

    def show(self, tile: TilePicture) -> None:
        """Put a tile into its place; a new frame starts an empty picture."""
        layer = self.layer or self._add(tile)
        if self._frame != tile.frame:
            layer.data[:] = 0
            self._frame = tile.frame
        layer.data[tile.place] = tile.colours
        layer.refresh(extent=False, thumbnail=False)

    def remove(self) -> None:
        """Take the picture away."""
        layer = self.layer
        if layer is not None:
            self._viewer.layers.remove(layer)

    def _add(self, tile: TilePicture) -> Image:
        subject, active = tile.subject, self._viewer.layers.selection.active
        placement = _spatial(subject).coarse(tile.step)
        layer = self._viewer.add_image(
            np.zeros((*placement.size, 3), np.uint8),
            name="Running…",
            rgb=True,
            opacity=0.8,
            metadata=tag(kind=_KIND),
            **placement.keywords,
        )
        self._frame = tile.frame
        if active is not None:
            self._viewer.layers.selection.active = active
        return layer


def _spatial(subject: Subject) -> Placement:
    return subject.space if subject.region is None else subject.space.cut(subject.region)
