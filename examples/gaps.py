"""How long the window does not answer: a timer that should tick every few milliseconds."""

from __future__ import annotations

from time import perf_counter

from qtpy.QtCore import QObject, Qt, QTimer

TICK = 5
"""Milliseconds between two ticks of a window that is free."""


class Gaps(QObject):
    """Records the longest time between two ticks, by what was going on.

    What the script itself makes the window wait for (starting napari, photographing it) is
    left out: record only between :meth:`begin` and :meth:`end`.
    """

    def __init__(self) -> None:
        super().__init__()
        self.longest: dict[str, float] = {}
        self._doing = ""
        self._last = 0.0
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setInterval(TICK)
        self._timer.timeout.connect(self._tick)

    def begin(self, doing: str) -> None:
        """Start to record under a name."""
        self._doing = doing
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
        gap = 1000 * (now - self._last)
        self.longest[self._doing] = max(self.longest.get(self._doing, 0.0), gap)
        self._last = now

    def report(self) -> str:
        """Write a table, the longest gap first."""
        rows = sorted(self.longest.items(), key=lambda row: -row[1])
        return "\n".join(f"{gap:7.0f} ms  {doing}" for doing, gap in rows)
