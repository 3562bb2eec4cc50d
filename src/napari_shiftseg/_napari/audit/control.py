"""What the widget "Audit model" does: the one place where it meets the viewer."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from napari.layers import Image
from napari.utils.notifications import show_error, show_info
from napari.viewer import Viewer
from qtpy.QtCore import QObject, QTimer

from napari_shiftseg._napari.alive import while_alive
from napari_shiftseg._napari.ask import may_run
from napari_shiftseg._napari.audit.difference_layers import DifferenceLayers
from napari_shiftseg._napari.audit.job import (
    Asked,
    Audited,
    Tiled,
    Untrusted,
    Work,
    audit_run,
    tilings_run,
)
from napari_shiftseg._napari.audit.output.control import OutputControl
from napari_shiftseg._napari.audit.period_lines import PeriodLines
from napari_shiftseg._napari.audit.scene import scene_of
from napari_shiftseg._napari.audit.view import AuditView
from napari_shiftseg._napari.events import Progress
from napari_shiftseg._napari.layer_edits import LayerEdits
from napari_shiftseg._napari.turns import Turns
from napari_shiftseg._napari.worker import Runner
from napari_shiftseg.errors import ShiftSegError
from napari_shiftseg.files import write_text
from napari_shiftseg.tiles.plan import make_plan

_BEGIN = Progress(0, "Starting")

_BEAT = 300
"""Milliseconds between two looks at how far a network is."""


class AuditControl(QObject):
    """Audits, tiles, shows.

    Parameters
    ----------
    viewer
        The viewer.
    view
        The form and the pages.
    """

    def __init__(self, viewer: Viewer, view: AuditView, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._viewer, self._view = viewer, view
        self.turns = Turns(self)
        self.runner, self.tilings = Runner(self), Runner(self)
        self.differences = DifferenceLayers(viewer)
        self.period = PeriodLines(viewer, self.turns, self)
        self.output = OutputControl(viewer, view.output, self.turns, self)
        self.audited: Audited | None = None
        self.tiled: Tiled | None = None
        self._trusted: set[str] = set()
        self._work = Work()
        self._said = _BEGIN
        self._beat = QTimer(self)
        self._beat.setInterval(_BEAT)
        self._beat.timeout.connect(self._on_beat)
        self._connect()
        self._allow()

    @property
    def busy(self) -> bool:
        """Whether anything runs or is still to be drawn."""
        return self._is_running or self.output.running or self.turns.busy

    @property
    def _is_running(self) -> bool:
        return self.runner.running or self.tilings.running

    def audit(self) -> None:
        """Audit the chosen network."""
        asked = self._view.network.asked
        self._audit(replace(asked, trusted=asked.source in self._trusted))

    def _audit(self, asked: Asked) -> None:
        self._forget_network()
        self._work = Work()
        self.runner.start(audit_run(asked, self._work), f"audit of {asked.name}")

    def _forget_network(self) -> None:
        """End what runs and clear what was found: it is of another network, or out of date."""
        self._end()
        self.audited = self.tiled = None
        self.differences.hide()
        self.period.hide()
        self._view.clear()
        self.output.use(None)
        self._allow()

    def tile(self) -> None:
        """Tile the chosen image in every way."""
        layer, audited = self._view.image.layers.layer, self.audited
        if audited is None or layer is None:
            show_info("Audit a network and open an image first.")
            return
        found = audited.audit
        try:
            intensity = self._view.image.intensity.kind
            scene = scene_of(
                self._viewer, layer, found.ndim, found.in_channels, intensity=intensity
            )
        except ShiftSegError as error:
            show_error(str(error))
            return
        self._end()
        self._work = Work()
        run = tilings_run(audited, scene, self._work)
        self.tilings.start(run, f"tilings of {scene.title}", scene.key)

    def close(self) -> None:
        """End what runs, and let go of the viewer."""
        self._end()
        self._beat.stop()
        self.turns.stop()
        self.period.remove()

    def _end(self) -> None:
        self._said = _BEGIN
        self._work.stop.set()
        self.runner.cancel()
        self.tilings.cancel()
        self.output.end()

    def _connect(self) -> None:
        view = self._view
        view.run.run_requested.connect(self.audit)
        view.network.changed.connect(self._forget_network)
        view.image.run.run_requested.connect(self.tile)
        view.image.row_requested.connect(self._show_row)
        view.image.save_requested.connect(self._save)
        view.image.layers.layer_changed.connect(lambda _: self._on_layer())
        view.image.pattern.toggled.connect(lambda _: self._draw_period())
        for runner, bar in ((self.runner, view.run), (self.tilings, view.image.run)):
            bar.cancel_requested.connect(self._end)
            runner.progressed.connect(self._on_progress)
            runner.running_changed.connect(bar.set_running)
            runner.running_changed.connect(self._on_running)
            runner.failed.connect(show_error)
        self.output.running_changed.connect(lambda _: self._allow())
        self.output.runner.succeeded.connect(lambda _: self.differences.hide())
        self.runner.succeeded.connect(self._on_audited)
        self.tilings.succeeded.connect(self._on_tiled)
        edits = LayerEdits(self._viewer, self)
        edits.end_with_pixels(self.tilings, self._end)
        edits.end_with_pixels(self.output.runner, self.output.end)
        edits.moved.connect(self._on_edit)
        edits.repixelled.connect(self._on_edit)
        while_alive(self, self._viewer.layers.events.removed, self._on_removed)

    def _on_running(self, running: bool) -> None:
        if running:
            self._beat.start()
        elif not self._is_running:
            self._beat.stop()
        self._allow()

    def _on_progress(self, progress: Any) -> None:
        self._said = progress
        self._on_beat()

    def _on_beat(self) -> None:
        """Say what is done, and how many passes the network has made: that it goes on."""
        bar = self._view.run if self.runner.running else self._view.image.run
        passes = f" ({self._work.passes} passes)" if self._work.passes else ""
        bar.show_progress(Progress(self._said.fraction, self._said.text + passes))

    def _on_audited(self, audited: Any) -> None:
        if isinstance(audited, Untrusted) and may_run(self._view, audited.why):
            self._trusted.add(audited.asked.source)
            self._audit(replace(audited.asked, trusted=True))
        if isinstance(audited, Audited):
            self.audited = audited
            self._view.show_audited(audited)
            self.output.use(audited)
            self._draw_period()
            self._allow()

    def _on_tiled(self, tiled: Any) -> None:
        if isinstance(tiled, Tiled):
            self.tiled = tiled
            self.differences.hide()
            self._view.image.show_tiled(tiled)
            self._allow()

    def _show_row(self, number: int) -> None:
        if self.tiled is not None:
            self.turns.do(self.differences.show(self.tiled, number))

    def _on_layer(self) -> None:
        self._draw_period()
        self._allow()

    def _on_edit(self, layer: Image) -> None:
        """Forget what was found on an image that has changed."""
        if layer == self._view.image.layers.layer:
            self._on_layer()
        if self.tiled is not None and str(layer.unique_id) == self.tiled.scene.key:
            self._forget(f"{layer.name} was changed.")
        self.output.forget(layer, f"{layer.name} was changed: predict again.")

    def _forget(self, why: str) -> None:
        self.tiled = None
        self._view.image.clear(why)
        self.differences.hide()

    def _draw_period(self) -> None:
        """Draw the period's cells where they fit: on an image that the network takes."""
        layer, audited = self._view.image.layers.layer, self.audited
        wanted = self._view.image.pattern.isChecked()
        if not wanted or layer is None or audited is None or not audited.audit.tileable:
            self.period.hide()
            return
        found = audited.audit
        try:
            scene = scene_of(self._viewer, layer, found.ndim, found.in_channels)
            size = scene.stack.size[len(scene.frame) :]
            plan = make_plan(found.geometry, size, "whole")
        except ShiftSegError:
            self.period.hide()
            return
        self.period.show(plan, scene.of_space)

    def _allow(self) -> None:
        busy = self._is_running or self.output.running
        tileable = self.audited is not None and self.audited.audit.tileable
        self._view.run.run.setEnabled(not (self.tilings.running or self.output.running))
        self.output.allow(not self._is_running)
        self._view.image.run.run.setEnabled(
            tileable and not busy and self._view.image.layers.layer is not None
        )
        self._view.image.pattern.setEnabled(tileable)

    def _on_removed(self, event: Any) -> None:
        key = str(event.value.unique_id)
        if self.tilings.works_on(event.value):
            self._end()
            show_info(f"The comparison was cancelled: {event.value.name} was removed.")
        if self.tiled is not None and key == self.tiled.scene.key:
            self._forget(f"{event.value.name} was removed.")
        self._allow()

    def _save(self, path: Path) -> None:
        if self.tiled is None:
            return
        try:
            write_text(path, self.tiled.certificate())
        except ShiftSegError as error:
            show_error(str(error))
        else:
            show_info(f"Written: {path}")
