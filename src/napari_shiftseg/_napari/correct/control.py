"""Correcting by hand: the tab's wishes and the mouse's, carried out on the labels layer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from napari.layers import Labels, Layer
from napari.utils.notifications import show_info
from napari.viewer import Viewer
from numpy.typing import NDArray
from qtpy.QtCore import QObject, Signal

from napari_shiftseg._napari.alive import while_alive
from napari_shiftseg._napari.correct.canvas_mouse import CanvasMouse
from napari_shiftseg._napari.correct.correctable import Correctable
from napari_shiftseg._napari.correct.editable_labels import (
    apply_edit,
    object_at,
    plane_of,
    redo,
    undo,
    why_locked,
    why_paused,
)
from napari_shiftseg._napari.correct.tab import CorrectTab
from napari_shiftseg._napari.layer_edits import steps_of
from napari_shiftseg._napari.placement import spatial_axes
from napari_shiftseg.errors import ShiftSegError
from napari_shiftseg.labels.edit import Edit, merge, next_label, object_under, split_by_line
from napari_shiftseg.seams.mend import mend, unmended
from napari_shiftseg.wording import counted


class CorrectControl(QObject):
    """Does what the tab and the mouse ask for, through the layer's own undo history.

    Parameters
    ----------
    viewer
        Whose layers are corrected.
    tab
        The controls; the parent of this object.
    result_of
        Tells what is known about a layer; None if no run made it.
    """

    counted = Signal(object, object)
    """A layer, and the groups of its labels that seams cut and nobody has merged."""

    def __init__(
        self, viewer: Viewer, tab: CorrectTab, result_of: Callable[[Layer], Correctable | None]
    ) -> None:
        super().__init__(tab)
        self._viewer = viewer
        self._tab = tab
        self._result_of = result_of
        self._watched: Labels | None = None
        self._result: Correctable | None = None
        self._chosen: tuple[int, ...] | None = None
        self._steps = (0, 0)
        self._mouse = CanvasMouse(viewer, self)
        self._connect()
        self._on_layer(tab.layers.layer)

    def refresh(self) -> None:
        """Ask again what is known about the layer, as after a run."""
        layer = self._watched
        result = None if layer is None else self._result_of(layer)
        fits = result is not None and layer is not None and result.shape == layer.data.shape
        self._result = result if fits else None
        if self._result is None and self._tab.tool == "pick":
            self.stop()
        self._on_state()
        self._propose()

    def take_up(self) -> None:
        """Give the mouse to the tool that is on, if one is."""
        self._on_tool()

    def stop(self) -> None:
        """Put the tool away, as when the dock is closed."""
        self._tab.tools.choose("off")

    def _connect(self) -> None:
        self._tab.layers.layer_changed.connect(self._on_layer)
        self._tab.tool_changed.connect(self._on_tool)
        self._tab.undo_requested.connect(lambda: self._on_history(undo, "Undone."))
        self._tab.redo_requested.connect(lambda: self._on_history(redo, "Done again."))
        self._tab.mend_requested.connect(self._on_mend)
        self._mouse.clicked.connect(self._on_click)
        self._mouse.line_drawn.connect(self._on_line)
        while_alive(self, self._viewer.dims.events.ndisplay, self._on_state)
        while_alive(self, self._viewer.dims.events.order, self._on_state)
        while_alive(self, self._viewer.layers.selection.events.active, self._on_active)

    def _on_layer(self, layer: Labels | None) -> None:
        former, self._watched = self._watched, layer
        if former is not None:
            self._unwatch(former)
        if layer is not None:
            self._watch(layer)
        self._chosen = None
        self._tab.status.say("")
        if former is not None and former not in self._viewer.layers:
            self.stop()
        self.refresh()

    def _watch(self, layer: Labels) -> None:
        for event, slot in self._slots(layer):
            event.connect(slot)

    def _unwatch(self, layer: Labels) -> None:
        for event, slot in self._slots(layer):
            event.disconnect(slot)

    def _slots(self, layer: Labels) -> tuple[tuple[Any, Callable[[], None]], ...]:
        events = layer.events
        changes = (events.data, events.visible, events.editable)
        return (
            *((event, self.refresh) for event in changes),
            (events.mode, self._on_state),
            (events.name, self._on_state),
            (events.set_data, self._on_drawn),
        )

    def _on_active(self) -> None:
        active = self._viewer.layers.selection.active
        if isinstance(active, Labels):
            self._tab.layers.choose(active)
        self._on_state()

    def _on_tool(self) -> None:
        layer = self._watched
        if layer is not None and self._tab.tool != "off":
            self._viewer.layers.selection.active = layer
            layer.mode = "pan_zoom"
        self._on_state()

    def _on_state(self) -> None:
        """Fit controls and mouse to the state of layer, view and tool."""
        layer, tool = self._watched, self._tab.tool
        locked = layer is None or why_locked(layer)
        self._tab.allow(editing=not locked, picking=self._result is not None)
        if layer is None or locked or tool == "off":
            self._mouse.release()
        else:
            self._mouse.take(layer, draw=tool == "split")
        self._tab.instruct(self._obstacle())

    def _obstacle(self) -> str | None:
        """Say what keeps the tool from working; None if there is no layer for it."""
        layer = self._watched
        if layer is None:
            return None
        paused = "" if self._tab.tool == "off" else why_paused(self._viewer, layer)
        return why_locked(layer) or paused

    def _on_drawn(self) -> None:
        """Hear of napari's own undo and redo, which tell nobody but have the layer drawn anew."""
        layer = self._watched
        if layer is not None and steps_of(layer) != self._steps:
            self._tab.status.say("")  # what it says may be undone
            self._propose()

    def _propose(self) -> None:
        """Count what is left to be mended."""
        layer, result = self._watched, self._result
        self._steps = (0, 0) if layer is None else steps_of(layer)
        if layer is None or result is None or why_locked(layer):
            self._tab.propose(0)
        else:
            groups = unmended(layer.data, result.groups)
            self._tab.propose(len(groups))
            self.counted.emit(layer, groups)

    def _on_click(self, place: tuple[int, ...], shift: bool) -> None:
        if shift:
            self._attempt(lambda layer: self._merge(layer, place))
        elif self._tab.tool == "pick":
            self._attempt(lambda layer: self._pick(layer, place))
        else:
            self._attempt(lambda layer: self._choose(layer, place))

    def _on_line(self, path: NDArray[Any]) -> None:
        self._attempt(lambda layer: self._split(layer, path))

    def _on_mend(self) -> None:
        self._attempt(self._mend)

    def _on_history(self, go: Callable[[Labels], bool], done: str) -> None:
        self._chosen = None
        self._attempt(lambda layer: done if go(layer) else "There is no such step.")

    def _attempt(self, action: Callable[[Labels], str]) -> None:
        """Do something to the layer, and say what was done or why not."""
        layer = self._watched
        if layer is None:
            return
        try:
            self._tab.status.say(action(layer))
        except ShiftSegError as error:
            self._tab.status.say("")
            show_info(str(error))
        self._propose()

    def _pick(self, layer: Labels, place: tuple[int, ...]) -> str:
        assert self._result is not None  # else the tool is off
        edit = self._result.pick(layer.data, place, self._new_label(layer))
        apply_edit(layer, edit)
        self._take(layer, place)
        pixels = int(np.count_nonzero(edit.values))
        return f"Object {object_at(layer, place)} has {pixels} px."

    def _choose(self, layer: Labels, place: tuple[int, ...]) -> str:
        number = object_at(layer, place)
        self._take(layer, place)
        return f"Object {number}: shift-click what belongs to it."

    def _take(self, layer: Labels, place: tuple[int, ...]) -> None:
        """Remember the object that pieces are merged into, and hand it to napari's brush."""
        self._chosen = place
        layer.selected_label = object_at(layer, place)

    def _merge(self, layer: Labels, place: tuple[int, ...]) -> str:
        if self._chosen is None:
            return self._choose(layer, place)
        if self._frame(place) != self._frame(self._chosen):
            raise ShiftSegError("the two pieces are in different frames")
        piece, into = object_at(layer, place), object_at(layer, self._chosen)
        frame = self._frame(place)
        apply_edit(layer, merge(layer.data[frame], into, [piece]).in_frame(frame))
        return f"Merged object {piece} into object {into}."

    def _frame(self, place: tuple[int, ...]) -> tuple[int, ...]:
        """Return in which frame a pixel is: another frame may have other objects of this name."""
        if self._result is not None:
            return self._result.frame_of(place)
        return () if self._watched is None else place[: -spatial_axes(self._watched)]

    def _split(self, layer: Labels, path: NDArray[Any]) -> str:
        axes, plane = plane_of(self._viewer, layer, path[0])
        line = path[:, axes]
        number = object_under(plane, line)
        frame = self._frame(tuple(np.rint(path[0]).astype(int).tolist()))
        frame = frame if axes[0] >= len(frame) else ()  # or the line goes through frames
        inside = (axes[0] - len(frame), axes[1] - len(frame))
        new = self._new_label(layer)
        edit = split_by_line(layer.data[frame], number, line, inside, new_label=new)
        apply_edit(layer, edit.in_frame(frame))
        return f"Split object {number} into {1 + len(np.unique(edit.values))} pieces."

    def _mend(self, layer: Labels) -> str:
        groups = () if self._result is None else unmended(layer.data, self._result.groups)
        apply_edit(layer, Edit.between(layer.data, mend(layer.data, groups)))
        return f"Mended {counted(len(groups), 'object')}."

    def _new_label(self, layer: Labels) -> int:
        """Return a number that neither the labels nor the report know."""
        groups = () if self._result is None else self._result.groups
        return next_label(
            layer.data, max((label for group in groups for label in group), default=0)
        )
