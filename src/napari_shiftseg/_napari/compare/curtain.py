"""One picture of two label images: A left of an edge on screen, B right of it."""

from __future__ import annotations

from typing import Any

import numpy as np
from napari.layers import Labels
from napari.viewer import Viewer
from numpy.typing import NDArray
from qtpy.QtCore import QObject, Signal

from napari_shiftseg._napari.compare.curtain_line import CurtainLine
from napari_shiftseg._napari.compare.sides import Side
from napari_shiftseg._napari.layers import (
    CURTAIN,
    insert_below_helpers,
    move_to,
    remove,
    set_visible,
)
from napari_shiftseg._napari.placement import Placement
from napari_shiftseg._napari.tags import tag
from napari_shiftseg._napari.turns import Steps

_COARSEST = 512
"""Edge in pixels at which no coarser level is needed."""


class CurtainPixels:
    """Reads like an array, and puts each part together when it is read.

    Nothing is copied, so that moving the edge costs as much as the pixels on screen.

    Parameters
    ----------
    left, right
        ``(*axes)`` labels of the same shape.
    step
        Every how-many-th pixel of the image they have on the last axis.
    """

    def __init__(self, left: NDArray[Any], right: NDArray[Any], step: int = 1) -> None:
        self._left, self._right, self._step = left, right, step
        self.shape, self.ndim, self.dtype = left.shape, left.ndim, left.dtype
        self.size, self.edge = left.size, 0

    def turn_to(self, other: CurtainPixels) -> None:
        """Show the labels and the edge of another one of the same shape."""
        self._left, self._right, self.edge = other._left, other._right, other.edge

    def __getitem__(self, index: Any) -> NDArray[Any]:
        index = index if isinstance(index, tuple) else (index,)
        columns = np.arange(self.shape[-1]) * self._step
        # Without an index of its own the last axis is read whole.
        own = index[-1] if len(index) == self.ndim else slice(None)
        left, right = self._left[index], self._right[index]
        count = np.count_nonzero(columns[own] < self.edge)
        if not isinstance(own, slice):
            return left if count else right
        return np.concatenate([left[..., :count], right[..., count:]], axis=-1)

    def __len__(self) -> int:
        return self.shape[0]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        return np.asarray(self[(slice(None),) * self.ndim], dtype)


def curtain_levels(left: NDArray[Any], right: NDArray[Any]) -> list[CurtainPixels]:
    """Return a pyramid of two or more levels, so that napari reads only what is on screen.

    A single pixel has no coarser level.
    """
    edge = max(left.shape[-2:])
    steps = [1, 2] if edge > 1 else [1]
    while edge / steps[-1] > _COARSEST:
        steps.append(2 * steps[-1])
    return [CurtainPixels(_thinned(left, n), _thinned(right, n), n) for n in steps]


def _thinned(labels: NDArray[Any], step: int) -> NDArray[Any]:
    thin = labels[..., ::step, ::step]
    # From here on a copy is small, and much faster to read than every fourth pixel.
    return np.ascontiguousarray(thin) if step > 2 else thin


def _fits(shown: list[CurtainPixels], levels: list[CurtainPixels]) -> bool:
    """Tell whether a layer can show other levels: napari cannot change their sizes, nor types."""
    return [(n.shape, n.dtype) for n in shown] == [(n.shape, n.dtype) for n in levels]


class Curtain(QObject):
    """Shows A and B with an edge between them that can be dragged.

    Parameters
    ----------
    viewer
        Where to show them.
    """

    moved = Signal(float)

    def __init__(self, viewer: Viewer, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self._sides: tuple[Side, Side] | None = None
        """What is shown of the first columns, and of the last ones."""
        self._mirrored, self._fraction = False, 0.5
        self._levels: list[CurtainPixels] = []
        self._shown: list[CurtainPixels] = []
        self.layer: Labels | None = None
        self.line = CurtainLine(viewer, self)
        self.line.dragged.connect(self._on_dragged)

    def enter(self, a: Side, b: Side, fraction: float) -> Steps:
        """Draw the curtain at a fraction of the image's width."""
        placement = a.result.subject.placement
        self._mirrored = placement.mirrored
        self._sides = sides = (b, a) if self._mirrored else (a, b)
        self._fraction = fraction
        a.set_visible(True, labels=False)
        b.set_visible(True, labels=False)
        yield
        if self._sides is not sides:
            return
        self._levels = curtain_levels(*(side.result.segmentation.labels for side in sides))
        edge = self._set_edge()
        yield from self._show_layer(a, placement)
        if self._sides is sides:
            yield from self.line.enter(placement)
        if self._sides is sides:
            self._show_edge(edge)
            if self._set_edge() != edge:  # it was moved meanwhile
                self.move(self._fraction)

    def leave(self) -> None:
        """Hide the curtain, which waits for the next pair."""
        if self._sides is None:
            return
        self.line.leave()
        for side in self._sides:
            side.show_rings((-np.inf, np.inf))
        if self.layer is not None and self.layer in self._viewer.layers:
            set_visible(self.layer, False)
        self._sides, self._levels = None, []

    def forget(self) -> Steps:
        """Remove the curtain, as when one of its sides is gone."""
        layer, self.layer = self.layer, None
        yield from remove(self._viewer, layer)
        yield from self.line.forget()

    def _show_layer(self, a: Side, placement: Placement) -> Steps:
        """Show the levels, in the layer that is there if it can be."""
        layer = self.layer
        there = layer is not None and layer in self._viewer.layers
        if layer is not None and there and _fits(self._shown, self._levels):
            for shown, level in zip(self._shown, self._levels, strict=True):
                shown.turn_to(level)
            self._levels = self._shown
            layer.refresh(extent=False)
            move_to(layer, placement)
            layer.opacity = a.labels.opacity
            if layer.colormap != a.labels.colormap:
                layer.colormap = a.labels.colormap
            set_visible(layer, True)
            yield
            return
        self.layer = None
        yield from remove(self._viewer, layer)
        if self._sides is None:
            return
        self._shown = self._levels
        self.layer = Labels(
            self._shown,
            name="Curtain (A | B)",
            multiscale=len(self._shown) > 1,
            opacity=a.labels.opacity,
            colormap=a.labels.colormap,
            metadata=tag(kind=CURTAIN),
            visible=False,
            **placement.keywords,
        )
        layer = self.layer
        yield
        insert_below_helpers(self._viewer, layer)
        yield
        if self._sides is not None:
            set_visible(layer, True)
            yield

    def move(self, fraction: float) -> None:
        """Move the edge to a fraction of the image's width."""
        self._fraction = fraction
        if self._sides is None or self.layer is None or not self._levels:
            return
        self._show_edge(self._set_edge())
        self.layer.refresh(extent=False, thumbnail=False)

    def _set_edge(self) -> int:
        """Take the edge to its fraction of the width; what is on screen stays."""
        fraction = self._of_columns(min(max(self._fraction, 0), 1))
        edge = round(fraction * self._levels[0].shape[-1])
        for level in self._levels:
            level.edge = edge
        return edge

    def _of_columns(self, fraction: float) -> float:
        """Turn a fraction of the screen, from the left, into one of the columns, and back."""
        return 1 - fraction if self._mirrored else fraction

    def _show_edge(self, edge: int) -> None:
        """Let line and rings follow the edge."""
        if self._sides is None:
            return
        first, last = self._sides
        first.show_rings((-np.inf, edge))
        last.show_rings((edge, np.inf))
        self.line.move(edge)

    def _on_dragged(self, column: float) -> None:
        fraction = min(max(self._of_columns(column / self._levels[0].shape[-1]), 0.0), 1.0)
        self.move(fraction)
        self.moved.emit(fraction)
