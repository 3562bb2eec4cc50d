"""The picture that grows tile by tile while a run goes on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from napari.layers import Image, Layer
from napari.viewer import Viewer
from numpy.typing import NDArray
from qtpy.QtCore import QObject, QTimer, Signal

from napari_shiftseg._napari.job import Key, Result, TilePicture
from napari_shiftseg._napari.layers import (
    EMBEDDING,
    PARTIAL,
    adopt_picture,
    insert_below_helpers,
    levels_of,
    move_to,
    remove,
    set_visible,
)
from napari_shiftseg._napari.ownership import is_the_persons
from napari_shiftseg._napari.placement import Placement
from napari_shiftseg._napari.tags import own_layers, tag, tag_of
from napari_shiftseg._napari.turns import Steps, Turns

_PAUSE = 30
"""Milliseconds in which tiles are gathered before they are drawn."""


@dataclass(frozen=True)
class _Picture:
    """What a layer shows, and where."""

    pixels: Any
    placement: Placement
    visible: bool = True

    @classmethod
    def of(cls, layer: Image) -> _Picture:
        return cls(layer.data, Placement.of_all(layer), layer.visible)

    def show_in(self, layer: Image) -> None:
        layer.data = self.pixels
        move_to(layer, self.placement)
        set_visible(layer, self.visible)


class PartialPicture(QObject):
    """One layer while a run goes on; at its end it becomes the picture of the embedding.

    A layer of its own that went at the end would hold up the window twice: napari takes its
    time to add a layer, and more to remove one. For the same reason the picture of an
    earlier run of the same kind is drawn over, and put back if the run is cancelled.

    Parameters
    ----------
    viewer
        Where to show it.
    turns
        When the layer is added or removed.
    """

    put_back = Signal(object)
    """A layer shows again what it was drawn over; its image may lie elsewhere by now."""

    def __init__(self, viewer: Viewer, turns: Turns, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._viewer, self._turns = viewer, turns
        self._key: Key = ()
        self._pixels: NDArray[np.uint8] | None = None
        self._layer: Image | None = None
        self._before: _Picture | None = None
        self._covering: list[Layer] = []
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_PAUSE)
        self._timer.timeout.connect(self._draw)

    @property
    def layer(self) -> Image | None:
        """The layer, or None while there is none."""
        return self._layer if self._layer in self._viewer.layers else None

    def begin(self, key: Key) -> None:
        """Take note of what will be run; nothing is shown before the first tile."""
        self._key = key
        self._pixels = self._layer = self._before = None

    def show(self, tile: TilePicture) -> None:
        """Put a tile into its place."""
        if self._pixels is None:
            placement = tile.subject.placement.coarse(tile.step, len(tile.place))
            self._pixels = np.zeros((*placement.size, 3), np.uint8)
            self._turns.do(self._open(self._pixels, placement))
        frame = tile.frame if tile.subject.frame is None else (0,) * len(tile.frame)
        place: tuple[int | slice, ...] = (*frame, *tile.place)
        self._pixels[place] = tile.colours
        if not self._timer.isActive():
            self._timer.start()

    def finish(self, result: Result) -> Steps:
        """Give the layer to the result, or take it away where it cannot show a full picture."""
        layer = self.layer
        self._forget()
        return self._hand_over(layer, result)

    def remove(self) -> None:
        """Take the picture away, or put back what it was drawn over."""
        layer, before = self.layer, self._before
        self._forget()
        if layer is None:
            return
        set_visible(layer, False)
        if before is None:
            self._turns.do(remove(self._viewer, layer))
        else:
            before.show_in(layer)
            self.put_back.emit(layer)
            self._cover(True)

    def _hand_over(self, layer: Image | None, result: Result) -> Steps:
        if layer is None or layer not in self._viewer.layers:
            return
        _, is_pyramid = levels_of(result.picture, result.subject.placement)
        if is_pyramid or result.picture.ndim != layer.data.ndim:
            set_visible(layer, False)
            yield from remove(self._viewer, layer)
        else:
            adopt_picture(self._viewer, layer, result)
            yield

    def _forget(self) -> None:
        self._timer.stop()
        self._pixels = self._layer = self._before = None

    def _cover(self, visible: bool) -> None:
        """Show what lies over the picture again, or hide it."""
        for layer in self._covering:
            set_visible(layer, visible)

    def _draw(self) -> None:
        layer = self.layer
        if layer is not None:
            layer.refresh(extent=False, thumbnail=False)

    def _former(self, ndim: int) -> Image | None:
        """Return a picture that the run replaces: of an earlier run of its kind, or a preview."""
        own = own_layers(self._viewer, image=self._key[0], kind=EMBEDDING)
        same = [n for n in own if tag_of(n)["key"] == repr(self._key)]
        replaced = same + [n for n in own if tag_of(n).get("preview")]
        fit = (n for n in replaced if n.ndim == ndim - 1 and not n.multiscale)
        return next((n for n in fit if not is_the_persons(n)), None)

    def _open(self, pixels: NDArray[np.uint8], placement: Placement) -> Steps:
        # The run may be over by now.
        if pixels is not self._pixels:
            return
        former = self._former(pixels.ndim)
        if former is not None:
            self._layer, self._before = former, _Picture.of(former)
            own = own_layers(self._viewer, image=self._key[0])
            self._covering = [n for n in own if n.visible and n is not former]
            self._cover(False)
            _Picture(pixels, placement).show_in(former)
        else:
            layer = self._layer = Image(
                pixels,
                name="Running…",
                rgb=True,
                visible=False,
                metadata=tag(kind=PARTIAL),
                **placement.keywords,
            )
            yield
            if layer is not self._layer:
                return
            insert_below_helpers(self._viewer, layer)
            yield
            if layer is self._layer:
                set_visible(layer, True)
        yield
