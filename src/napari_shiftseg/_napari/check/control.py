"""What the widget "Check labels" does: the one place where it meets the viewer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from napari.layers import Labels
from napari.utils.notifications import show_error, show_info
from napari.viewer import Viewer
from qtpy.QtCore import QObject

from napari_shiftseg._napari.alive import while_alive
from napari_shiftseg._napari.camera import go_to
from napari_shiftseg._napari.check.exports import list_as_csv, list_as_json, report_as_json
from napari_shiftseg._napari.check.job import Found, Repaired, check_run, repair_run
from napari_shiftseg._napari.check.overlay import CheckOverlay
from napari_shiftseg._napari.check.part import (
    TurnedPlacement,
    image_beside,
    known_grid,
    part_of,
)
from napari_shiftseg._napari.check.repaired_layer import RepairedLayer
from napari_shiftseg._napari.check.view import CheckView
from napari_shiftseg._napari.check.words import finding, mended, proposal
from napari_shiftseg._napari.compare.clicks import Clicks
from napari_shiftseg._napari.layer_edits import LayerEdits
from napari_shiftseg._napari.layers import layer_with
from napari_shiftseg._napari.placement import doubt_of_place, pixels_of, spatial_axes
from napari_shiftseg._napari.turns import Steps, Turns
from napari_shiftseg._napari.view_units import from_view
from napari_shiftseg._napari.worker import Runner
from napari_shiftseg.errors import ShiftSegError
from napari_shiftseg.files import write_text


class CheckControl(QObject):
    """Checks, lists, repairs.

    Parameters
    ----------
    viewer
        The viewer.
    view
        The form and the list.
    """

    def __init__(self, viewer: Viewer, view: CheckView, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._viewer, self._view = viewer, view
        self.turns = Turns(self)
        self.runner, self.repairs = Runner(self), Runner(self, quiet=True)
        self.overlay = CheckOverlay(viewer, self.turns, self)
        self.repaired = RepairedLayer(viewer)
        self.found: Found | None = None
        self._edited = False
        self._clicks = Clicks(viewer, self)
        self._connect()
        self._on_layer(view.layers.layer)
        self._allow()

    def check(self) -> None:
        """Check the chosen layer as it is on screen."""
        layer = self._view.layers.layer
        if layer is None:
            show_info("Open or choose a labels layer first.")
            return
        ndim = self._ndim(layer)
        every = layer.ndim > ndim and self._view.frames.value == "every"
        point = from_view(self._viewer, self._viewer.dims.point, getattr(layer, "units", ()))
        part = part_of(layer, ndim, point, every=every)
        shown = self._view.image.layer
        try:
            image = None if shown is None else image_beside(shown, part)
        except ShiftSegError as error:
            show_error(str(error))
            return
        self.repairs.cancel()
        if shown is not None and (doubt := doubt_of_place(layer, shown)):
            show_info(doubt)
        run = check_run(part, self._view.grid.given, image)
        self.runner.start(run, f"check of {part.title}", part.key)

    def repair(self) -> None:
        """Merge what is sure enough, in a copy."""
        found, layer = self._found_in_choice, self._view.layers.layer
        if found is None or layer is None:
            show_info("Check the chosen labels layer first.")
            return
        frame = found.part.placement.frame
        run = repair_run(found, pixels_of(layer)[frame], self._view.repair.confidence)
        self.repairs.start(run, f"repair of {found.part.title}", found.part.key)

    def undo(self) -> None:
        """Take the last repair back."""
        self._view.repair.done.say(self.repaired.undo())
        self._allow()

    def next_cut(self) -> None:
        """Go to the next row of the table."""
        self._view.table.step(1)

    def previous_cut(self) -> None:
        """Go to the row before."""
        self._view.table.step(-1)

    def close(self) -> None:
        """End what runs, and let go of the viewer."""
        self.runner.cancel()
        self.repairs.cancel()
        self._clicks.stop()
        self.turns.stop()
        self.overlay.remove()

    def _connect(self) -> None:
        view = self._view
        view.layers.layer_changed.connect(self._on_layer)
        view.axes.changed.connect(lambda _: self._on_axes())
        view.run.run_requested.connect(self.check)
        view.run.cancel_requested.connect(self.runner.cancel)
        view.row_requested.connect(self._go_to)
        view.list_export_requested.connect(self._export_list)
        view.report_export_requested.connect(self._export_report)
        view.repair.repair_requested.connect(self.repair)
        view.repair.undo_requested.connect(self.undo)
        view.repair.confidence_changed.connect(self._propose)
        self.runner.progressed.connect(view.run.show_progress)
        self.runner.running_changed.connect(self._on_running)
        self.runner.succeeded.connect(self._on_found)
        self.repairs.succeeded.connect(self._on_repaired)
        self.repairs.running_changed.connect(lambda _: self._allow())
        for runner in (self.runner, self.repairs):
            runner.failed.connect(show_error)
        self.runner.failed.connect(self._on_refused)
        self._clicks.clicked.connect(self._on_click)
        edits = LayerEdits(self._viewer, self)
        edits.moved.connect(self._follow)
        edits.renamed.connect(self._rename)
        for edited in (edits.repixelled, edits.painted):
            edited.connect(self._on_edited)
        edits.end_with_pixels(self.runner)
        edits.end_with_pixels(self.repairs)
        while_alive(self, self._viewer.layers.events.removed, self._on_removed)

    @property
    def _found_in_choice(self) -> Found | None:
        """What was found, if it was found in the layer that is chosen."""
        found, layer = self.found, self._view.layers.layer
        its_own = found is not None and layer is not None and str(layer.unique_id) == found.part.key
        return found if its_own else None

    def _ndim(self, layer: Labels) -> int:
        if layer.ndim < 3:
            return int(layer.ndim)
        return 3 if self._view.axes.value == "volume" else 2

    def _on_layer(self, layer: Labels | None) -> None:
        """Offer the axes of another layer, and the grid that it was made with."""
        self._allow()
        if self.found is None:
            self._view.clear()
        if layer is None:
            return
        ndim = spatial_axes(layer)
        self._view.axes.choose("volume" if ndim > 2 else "frame")
        self._on_axes()
        known = known_grid(layer, self._ndim(layer))
        if known is None:
            self._view.grid.kind.choose("auto")
        else:
            self._view.grid.show_grid(*known)

    def _on_axes(self) -> None:
        layer = self._view.layers.layer
        if layer is not None:
            ndim = self._ndim(layer)
            self._view.show_axes(list("zyx"[-ndim:]), of=layer.ndim)

    def _on_running(self, running: bool) -> None:
        self._view.run.set_running(running)
        self._allow()

    def _on_found(self, found: Any) -> None:
        if not isinstance(found, Found):
            return
        self.found, self._edited = found, False
        self._view.show_found(found, finding(found))
        self._propose()
        grid, check = self._view.grid, found.check
        tile, offset = check.tile[check.frames :], check.offset[check.frames :]
        if check.found and grid.kind.value == "auto" and len(grid.sizes) == len(tile):
            grid.propose(tile, offset)
        self.overlay.show(found)

    def _on_refused(self, why: str) -> None:
        """Take down what was found before: it is no answer to what was asked now."""
        self._forget(f"Not checked: {why.removesuffix('.')}.")

    def _propose(self) -> None:
        if self.found is not None:
            self._view.repair.proposal.say(proposal(self.found, self._view.repair.confidence))
        self._allow()

    def _allow(self) -> None:
        found, busy = self._found_in_choice, self.runner.running or self.repairs.running
        sure = self._view.repair.confidence
        fresh = [] if found is None or self._edited else found.check.splits
        some = any(cut.confidence >= sure for cut in fresh)
        self._view.run.run.setEnabled(self._view.layers.layer is not None)
        self._view.repair.allow(repair=some and not busy, undo=self.repaired.there)

    def _on_repaired(self, repaired: Any) -> None:
        if isinstance(repaired, Repaired):
            source = layer_with(self._viewer, repaired.found.part.key)
            if isinstance(source, Labels):
                self.turns.do(self._show_repaired(repaired, source))

    def _show_repaired(self, repaired: Repaired, source: Labels) -> Steps:
        if repaired.repair.groups:
            yield from self.repaired.show(repaired, source)
            name = "" if self.repaired.layer is None else self.repaired.layer.name
            self._view.repair.done.say(mended(repaired, name))
        else:
            self._view.repair.done.say(mended(repaired, ""))
        self._allow()

    def _go_to(self, number: int) -> None:
        """Take the camera to a cut, and make its ring stand out."""
        if self.found is None:
            return
        go_to(self._viewer, self.found.part.placement, self.found.rows[number].position)
        self.overlay.choose(number)

    def _follow(self, layer: Labels) -> None:
        """Draw grid and rings anew where the checked labels lie now."""
        found = self.found
        if found is None or str(layer.unique_id) != found.part.key:
            return
        placement = TurnedPlacement.of_layer(layer, found.part.placement.frame)
        if self.repaired.repair_of(found) is not None:
            self.repaired.follow(placement)
        self.found = replace(found, part=replace(found.part, placement=placement))
        self.overlay.show(self.found)

    def _rename(self, layer: Labels) -> None:
        """Call the checked labels what a person calls them now."""
        if self.found is None or str(layer.unique_id) != self.found.part.key:
            return
        self.found = replace(self.found, part=replace(self.found.part, name=layer.name))
        self.overlay.show(self.found)
        if not self._edited:
            self._view.finding.say(finding(self.found))

    def _on_edited(self, layer: Labels) -> None:
        """Offer no more of what was found in pixels that are others now."""
        if self.found is not None and str(layer.unique_id) == self.found.part.key:
            self._edited = True
            self._view.outdate()
            self._allow()

    def _on_click(self, place: tuple[float, ...]) -> None:
        """Choose the row of an object that was clicked."""
        found = self.found
        if found is None:
            return
        placement = found.part.placement
        place = from_view(self._viewer, place, placement.units)
        if placement.frame and placement.frame_at(place) != placement.frame:
            return
        number = found.row_at(placement.to_pixels(place))
        if number is not None:
            self._view.table.choose(number)
            self.overlay.choose(number)

    def _on_removed(self, event: Any) -> None:
        key = str(event.value.unique_id)
        if self.runner.works_on(event.value):
            self.runner.cancel()
            show_info(f"The check was cancelled: {event.value.name} was removed.")
        if self.found is not None and key == self.found.part.key:
            self._forget(f"{event.value.name} was removed.")
        self._allow()

    def _forget(self, why: str) -> None:
        """Show that nothing is found, and why."""
        self.repairs.cancel()
        self.found = None
        self._view.clear(why)
        self.overlay.clear()
        self._allow()

    def _export_list(self, path: Path) -> None:
        as_json = path.suffix.lower() == ".json"
        self._export(path, list_as_json if as_json else list_as_csv)

    def _export_report(self, path: Path) -> None:
        done = self.repaired.repair_of(self.found)
        self._export(path, lambda found: report_as_json(found, done))

    def _export(self, path: Path, text: Callable[[Found], str]) -> None:
        if self.found is None:
            return
        try:
            write_text(path, text(self.found))
        except ShiftSegError as error:
            show_error(str(error))
        else:
            show_info(f"Written: {path}")
