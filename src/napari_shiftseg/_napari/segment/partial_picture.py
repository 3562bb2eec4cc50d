"""The picture that grows tile by tile while a run goes on."""

from __future__ import annotations

from typing import Any

import numpy as np
from napari.layers import Image
from napari.viewer import Viewer

from napari_shiftseg._napari.job import Key, Result, TilePicture
from napari_shiftseg._napari.layers import EMBEDDING, adopt_picture, insert_below_helpers, layer_of
from napari_shiftseg._napari.tags import tag

_KIND = "partial"


class PartialPicture:
    """One layer while a run goes on; at its end it becomes the picture of the embedding.

    A layer of its own that went at the end would hold up the window twice: napari takes its
    time to add a layer, and more to remove one. For the same reason the picture of an
    earlier run of the same kind is drawn over, and put back if the run is cancelled.

    Parameters
    ----------
    viewer
        Where to show it.
    """

    def __init__(self, viewer: Viewer) -> None:
        self._viewer = viewer
        self._key: Key = ()
        self._layer: Image | None = None
        self._before: Any = None

    @property
    def layer(self) -> Image | None:
        """The layer, or None while there is none."""
        return self._layer if self._layer in self._viewer.layers else None

    def begin(self, key: Key) -> None:
        """Take note of what will be run; nothing is shown before the first tile."""
        self._key, self._layer, self._before = key, None, None

    def show(self, tile: TilePicture) -> None:
        """Put a tile into its place."""
        layer = self.layer or self._open(tile)
        frame = tile.frame if tile.subject.frame is None else (0,) * len(tile.frame)
        layer.data[(*frame, *tile.place)] = tile.colours
        layer.refresh(extent=False, thumbnail=False)

    def finish(self, result: Result) -> None:
        """Give the layer to the result, or take it away where it is no full picture."""
        layer, self._layer = self.layer, None
        if layer is None:
            return
        if layer.data.shape == result.picture.shape:
            adopt_picture(layer, result).visible = False
        else:
            self._viewer.layers.remove(layer)

    def remove(self) -> None:
        """Take the picture away, or put back what it was drawn over."""
        layer, self._layer = self.layer, None
        if layer is None:
            return
        if self._before is None:
            self._viewer.layers.remove(layer)
        else:
            layer.data, layer.visible = self._before, False

    def _open(self, tile: TilePicture) -> Image:
        placement = tile.subject.placement.coarse(tile.step, len(tile.place))
        empty = np.zeros((*placement.size, 3), np.uint8)
        former = layer_of(self._viewer, self._key, EMBEDDING)
        if isinstance(former, Image) and not former.multiscale and former.data.shape == empty.shape:
            self._layer, self._before = former, former.data
            former.data, former.visible = empty, True
            return former
        self._layer = Image(
            empty, name="Running…", rgb=True, metadata=tag(kind=_KIND), **placement.keywords
        )
        insert_below_helpers(self._viewer, self._layer)
        return self._layer
