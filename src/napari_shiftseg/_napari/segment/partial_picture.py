"""The picture that grows tile by tile while a run goes on."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from napari.layers import Image
from napari.viewer import Viewer

from napari_shiftseg._napari.job import Result, Subject, TilePicture
from napari_shiftseg._napari.layers import adopt_picture
from napari_shiftseg._napari.placement import Placement
from napari_shiftseg._napari.tags import own_layers, tag

_KIND = "partial"


class PartialPicture:
    """One layer while a run goes on; at its end it becomes the picture of the embedding.

    A layer of its own that went at the end would hold up the window twice: napari takes its
    time to add a layer, and more to remove one.

    Parameters
    ----------
    viewer
        Where to show it.
    """

    def __init__(self, viewer: Viewer) -> None:
        self._viewer = viewer
        self._frame: tuple[int, ...] | None = None
        self._step = 1

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

    def finish(self, results: Sequence[Result]) -> None:
        """Give the layer to the result, or take it away where it is no full picture."""
        layer = self.layer
        if layer is None:
            return
        (result,) = results
        if self._step == 1 and layer.ndim == result.segmentation.labels.ndim:
            adopt_picture(layer, result).visible = False
        else:
            self.remove()

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
            metadata=tag(kind=_KIND),
            **placement.keywords,
        )
        self._frame, self._step = tile.frame, tile.step
        if active is not None:
            self._viewer.layers.selection.active = active
        return layer


def _spatial(subject: Subject) -> Placement:
    return subject.space if subject.region is None else subject.space.cut(subject.region)
