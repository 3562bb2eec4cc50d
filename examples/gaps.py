"""How long the window does not answer, and what napari itself does in that time."""

from __future__ import annotations

import gc
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import wraps
from threading import current_thread, main_thread
from time import perf_counter
from typing import Any

from napari.components import LayerList
from napari.utils.events import EventedList
from qtpy.QtCore import QObject, Qt, QTimer

TICK = 5
"""Milliseconds between two ticks of a window that is free."""


@dataclass
class Gap:
    """Time between two ticks, in seconds; the parts do not overlap."""

    length: float = 0.0
    parts: dict[str, float] = field(default_factory=dict)

    def __str__(self) -> str:
        parts = [f"{name} {1000 * t:.0f}" for name, t in self.parts.items() if t > 0.002]
        return f"{1000 * self.length:6.0f} ms" + (f"  (of it {', '.join(parts)})" if parts else "")


class Gaps(QObject):
    """Records the longest time between two ticks, by what was going on.

    What the script itself makes the window wait for (starting napari, photographing it) is
    left out: record only between :meth:`begin` and :meth:`end`. A gap tells how much of it
    napari took to add or remove a layer, to draw its canvas, and Python to collect garbage.
    """

    def __init__(self) -> None:
        super().__init__()
        self.longest: dict[str, Gap] = {}
        self._doing = ""
        self._last = 0.0
        self._gap = Gap()
        self._nested = [0.0]
        self._collecting = 0.0
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setInterval(TICK)
        self._timer.timeout.connect(self._tick)
        self._watch_napari()

    def watch_canvas(self, viewer: Any) -> None:
        """Tell the drawing of napari's canvas from other things."""
        # The canvas is in no public place.
        kind = type(viewer.window._qt_viewer.canvas.native)
        if not hasattr(kind.paintGL, "__wrapped__"):
            kind.paintGL = self._measured("drawing", kind.paintGL)

    def begin(self, doing: str) -> None:
        """Start to record under a name."""
        self._doing, self._gap = doing, Gap()
        self._last = perf_counter()
        self._timer.start()

    def end(self) -> None:
        """Stop to record; the time since the last tick counts."""
        if self._doing:
            self._tick()
        self._timer.stop()
        self._doing = ""

    def _tick(self) -> None:
        now = perf_counter()
        self._gap.length = now - self._last
        former = self.longest.get(self._doing, Gap())
        self.longest[self._doing] = max(former, self._gap, key=lambda gap: gap.length)
        self._gap, self._last = Gap(), now

    def _measured(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        """Count what a function takes as a part of the gap, without the parts within it."""

        @wraps(call)
        def measured(*arguments: Any, **keywords: Any) -> Any:
            start = perf_counter()
            self._nested.append(0.0)
            try:
                return call(*arguments, **keywords)
            finally:
                whole = perf_counter() - start
                self._add(name, whole - self._nested.pop())
                self._nested[-1] += whole

        return measured

    def _watch_napari(self) -> None:
        LayerList.insert = self._measured("adding a layer", LayerList.insert)
        EventedList.__delitem__ = self._measured("removing a layer", EventedList.__delitem__)
        gc.callbacks.append(self._on_garbage)

    def _on_garbage(self, phase: str, info: dict[str, int]) -> None:
        if phase == "start":
            self._collecting = perf_counter()
            return
        taken = perf_counter() - self._collecting
        self._add("collecting garbage", taken)
        if current_thread() is main_thread():
            self._nested[-1] += taken

    def _add(self, name: str, seconds: float) -> None:
        self._gap.parts[name] = self._gap.parts.get(name, 0.0) + seconds

    def report(self) -> str:
        """Write a table, the longest gap first."""
        rows = sorted(self.longest.items(), key=lambda row: -row[1].length)
        width = max((len(doing) for doing, _ in rows), default=0)
        return "\n".join(f"{doing:{width}} {gap}" for doing, gap in rows)
