"""What the tab "Segment" does: the one place where its sections meet the viewer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any, cast
from weakref import WeakKeyDictionary

from napari.layers import Image, Layer
from napari.utils.notifications import show_error, show_info, show_warning
from napari.viewer import Viewer
from qtpy.QtCore import QObject, Qt, QTimer, Signal

from napari_shiftseg._napari.alive import while_alive
from napari_shiftseg._napari.camera import camera_of
from napari_shiftseg._napari.job import Result, Subject, key_of, run
from napari_shiftseg._napari.layer_edits import LayerEdits
from napari_shiftseg._napari.layers import follow_units, layer_with
from napari_shiftseg._napari.live import Live
from napari_shiftseg._napari.remembered import Remembered
from napari_shiftseg._napari.results import Results
from napari_shiftseg._napari.ring_layers import keep_rings_in_slice, keep_rings_thin
from napari_shiftseg._napari.segment.estimate import Estimate
from napari_shiftseg._napari.segment.file_run import FileResult, FileRuns
from napari_shiftseg._napari.segment.grid import StitchingGrid
from napari_shiftseg._napari.segment.partial_picture import PartialPicture
from napari_shiftseg._napari.segment.region_layer import RegionLayer
from napari_shiftseg._napari.segment.relabel import (
    Jumps,
    Recoloured,
    Relabelled,
    jumps_of,
    recoloured,
)
from napari_shiftseg._napari.segment.resolver import Chosen, Resolver
from napari_shiftseg._napari.segment.slider_link import SliderLink
from napari_shiftseg._napari.segment.tab import SegmentTab
from napari_shiftseg._napari.sentence import as_sentence
from napari_shiftseg._napari.tags import tag_of
from napari_shiftseg._napari.turns import Steps, Turns
from napari_shiftseg._napari.worker import Runner
from napari_shiftseg.embeddings.colours import Colouring, ColourKind
from napari_shiftseg.embeddings.model import Model
from napari_shiftseg.errors import ShiftSegError
from napari_shiftseg.pipeline import plan_for
from napari_shiftseg.settings import STITCH_MODES, Stitching
from napari_shiftseg.tiles.plan import TilePlan, by
from napari_shiftseg.wording import counted

_STILL = 150
"""Milliseconds after which a view that no longer moves is at rest."""


class SegmentControl(QObject):
    """Coordinates form, runs and viewer.

    Parameters
    ----------
    viewer
        The viewer.
    tab
        The form.
    runner
        Runs things; shared with the other tabs.
    results
        What is shown; shared with the other tabs.
    turns
        When layers are added or removed; shared with the other tabs.
    """

    subject_changed = Signal()
    _grid_removed = Signal(object)

    def __init__(
        self,
        viewer: Viewer,
        tab: SegmentTab,
        runner: Runner,
        results: Results,
        turns: Turns,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._viewer, self._tab, self._runner, self._results = viewer, tab, runner, results
        self._turns = turns
        self._colourings: WeakKeyDictionary[Layer, dict[tuple[str, str], Colouring]] = (
            WeakKeyDictionary()
        )
        self.grid = StitchingGrid(viewer, turns, self)
        self.live = Live(self)
        self.sliders = SliderLink(tab, results, self.live, turns, self)
        self.region_layer = RegionLayer(viewer)
        self._estimate = Estimate()
        self.resolver = Resolver(viewer, tab, self.region_layer, self._estimate)
        self._partial = PartialPicture(viewer, turns, self)
        self.files = FileRuns(viewer, runner, turns, tab, self)
        self._remembered = Remembered()
        self._view_moved = QTimer(self)
        self._view_moved.setSingleShot(True)
        self._view_moved.setInterval(_STILL)
        self._connect()
        self._connect_viewer()
        mode = self._remembered.get("mode", tab.stitch.mode)
        if mode in STITCH_MODES:  # the settings file can be another version's
            tab.stitch.switch.choose(mode)
        tab.stitch.grid.setChecked(self._remembered.get("grid", True))

    def begin(self) -> Steps:
        """Load the first model and look at the image that is there."""
        self._tab.model.load_first()
        yield
        self._on_image(self._tab.image.image.layer)

    def close(self) -> None:
        """End what runs and take the helpers' layers away."""
        self._runner.cancel()
        self.live.stop()
        self._partial.remove()

    def subject(self) -> Subject | None:
        """Return a snapshot of the form, None while image or model are missing."""
        chosen = self.resolver.chosen()
        return None if chosen is None else self.resolver.subject(self._colours_of(chosen))

    def lacking(self, subject: Subject, stitchings: Sequence[Stitching]) -> str:
        """Say what memory is lacking to stitch a subject in several ways; nothing if none is."""
        plans = [
            plan_for(subject.model, subject.space.size, way.mode, way.tile, subject.region)
            for way in stitchings
        ]
        return self._estimate.lacking(subject.model, plans, subject.frames)

    def run(self) -> None:
        """Segment the chosen region."""
        self._start(self.resolver.subject)

    def preview(self) -> None:
        """Segment what is on screen."""
        self._start(self.resolver.preview)

    def _connect(self) -> None:
        tab, runner = self._tab, self._runner
        tab.model.model_changed.connect(self._on_model)
        tab.model.warned.connect(show_warning)
        tab.model.failed.connect(show_error)
        tab.image.image_changed.connect(self._on_image)
        tab.image.region_changed.connect(self._on_region)
        tab.stitch.changed.connect(self._on_stitching)
        tab.stitch.grid_toggled.connect(self.resolve)
        tab.stitch.grid_clicked.connect(partial(self._remembered.keep, "grid"))
        self.grid.removed_by_user.connect(lambda: self._grid_removed.emit(tab.image.image.layer))
        # Later: with the grid its image may go, as where all layers are removed.
        later = Qt.ConnectionType.QueuedConnection
        self._grid_removed.connect(self._switch_off_grid_of, later)
        tab.run.run_requested.connect(self.run)
        tab.run.preview_requested.connect(self.preview)
        tab.run.cancel_requested.connect(runner.cancel)
        runner.progressed.connect(tab.run.show_progress)
        runner.produced.connect(self._partial.show)
        self._partial.put_back.connect(self._results.settle)
        runner.running_changed.connect(tab.run.set_running)
        runner.cancelled.connect(self._partial.remove)
        runner.failed.connect(lambda _: self._partial.remove())
        runner.succeeded.connect(self._on_success)
        runner.failed.connect(show_error)
        self.live.done.connect(self._on_live)
        self.live.failed.connect(show_error)

    def _connect_viewer(self) -> None:
        edits = self.edits = LayerEdits(self._viewer, self)
        edits.end_with_pixels(self._runner)
        edits.moved.connect(self._results.follow)
        edits.renamed.connect(self._results.rename)
        edits.moved.connect(self.files.follow)
        edits.moved.connect(self._follow_region)
        edits.moved.connect(partial(follow_units, self._viewer))
        edits.moved.connect(self._on_edit)
        edits.repixelled.connect(self._results.outdate)
        edits.repixelled.connect(self._on_edit)
        self._view_moved.timeout.connect(self._on_view)
        camera = camera_of(self._viewer)
        while_alive(self, self._viewer.layers.events.removed, self._on_removed)
        while_alive(self, camera.events.zoom, self._on_zoom)
        for moved in (camera.events.zoom, camera.events.center):
            while_alive(self, moved, self._await_rest)
        dims = self._viewer.dims.events
        for turned in (dims.order, dims.ndisplay):
            while_alive(self, turned, self._on_turned)
        for sliced in (dims.current_step, dims.order, dims.ndisplay):
            while_alive(self, sliced, self._on_slice)

    def _on_model(self, model: Model | None) -> None:
        tiles = {} if model is None else self._remembered.tiles_of(model.sha256)
        self._tab.stitch.set_model(model, tiles)
        self.resolve()

    def _on_image(self, image: Image | None) -> None:
        if image is not None and "suits" in tag_of(image):
            self._tab.model.choose(tag_of(image)["suits"])
        if self.region_layer.layer is None and self._tab.image.region.value == "drawn":
            self._on_region("drawn")
        self.resolve()
        self.grid.raise_to_top()

    def _on_stitching(self) -> None:
        self._remembered.keep("mode", self._tab.stitch.mode)
        model = self._tab.model.model
        if model is not None:
            self._remembered.keep_tiles(model.sha256, self._tab.stitch.given)
        self.resolve()

    def _on_region(self, kind: str) -> None:
        chosen = self._chosen_or_none()
        if kind == "drawn" and chosen is not None:
            self.region_layer.ask(chosen.layer, chosen.space).events.data.connect(self.resolve)
        self.resolve()

    def _follow_region(self, image: Layer) -> None:
        chosen = self._chosen_or_none()
        if chosen is not None and chosen.layer == image:
            self.region_layer.follow(image, chosen.space)

    def _switch_off_grid_of(self, image: Layer | None) -> None:
        if image in self._viewer.layers:
            self._tab.stitch.grid.setChecked(False)

    def _on_edit(self, layer: Layer) -> None:
        """Plan anew when the image itself has changed; napari hands plugins a proxy of it."""
        if layer == self._tab.image.image.layer:
            self.resolve()

    def _on_zoom(self) -> None:
        keep_rings_thin(self._viewer)

    def _on_slice(self) -> None:
        keep_rings_in_slice(self._viewer)

    def _on_turned(self) -> None:
        """Say anew what can be drawn, or is on screen, once other axes are shown."""
        shapes = self.region_layer.layer
        if self._tab.image.region.value == "drawn" and (shapes is None or not len(shapes.data)):
            if shapes is not None and self._viewer.layers.selection.active == shapes:
                self._on_region("drawn")  # ready to draw on
            else:
                self.resolve()
        self._await_rest()

    def _await_rest(self) -> None:
        self._view_moved.start()

    def _on_view(self) -> None:
        """Say anew what a run would cost, once the view is at rest."""
        if self._tab.image.region.value == "screen":
            self.resolve()

    def resolve(self, event: object = None) -> None:
        """Plan what would run now; say it and draw it."""
        self._tab.image.say_frames("")
        try:
            chosen = self.resolver.chosen()
            plan = None if chosen is None else self._tab.stitch.plan(chosen.frames.spatial)
        except ShiftSegError as error:
            self._show_nothing(as_sentence(error), warning=True)
            self.grid.hide()
            return
        if chosen is None or plan is None:
            self._show_nothing("Open an image to see how it will be tiled.")
            self.grid.remove()
            return
        self._tab.run.set_possible(True)
        self._say(chosen, plan)
        if self._tab.stitch.grid.isChecked():
            self.grid.show(plan, chosen.space)
        else:
            self.grid.hide()
        self.subject_changed.emit()

    def draw_grid_of(self, result: Result) -> None:
        """Draw the tiles of a result that is looked at, until something else is planned."""
        subject, made = result.subject, result.segmentation.plan
        if self._tab.stitch.grid.isChecked():
            tile = None if made.mode == "whole" else made.tile_size
            plan = plan_for(subject.model, subject.space.size, made.mode, tile)
            self.grid.show(plan, subject.space)

    def _say(self, chosen: Chosen, plan: TilePlan) -> None:
        stitch, frames = self._tab.stitch, chosen.frames
        harmful = any(plan.cause(a, s) for a, ss in enumerate(plan.seams) for s in ss)
        stitch.sentence.say(plan.sentence(), warning=harmful)
        self._tab.image.say_frames(_frames_sentence(chosen))
        try:
            region = self.resolver.region(chosen)
            wanted = plan if region is None else stitch.plan(frames.spatial, region)
            assert wanted is not None
            stitch.estimate.say(self._estimate.sentence(chosen.model, wanted, len(frames)))
        except ShiftSegError as error:
            stitch.estimate.say(as_sentence(error))

    def _show_nothing(self, why: str, *, warning: bool = False) -> None:
        self._tab.stitch.sentence.say(why, warning=warning)
        self._tab.stitch.estimate.say("")
        # A wrong image may be tried: the error then explains itself as a notification.
        self._tab.run.set_possible(warning)
        self.subject_changed.emit()

    def _chosen_or_none(self) -> Chosen | None:
        try:
            return self.resolver.chosen()
        except ShiftSegError:
            return None

    def _start(self, snapshot: Any) -> None:
        try:
            chosen = self.resolver.chosen()
            subject = None if chosen is None else snapshot(self._colours_of(chosen))
            if chosen is not None and subject is not None:
                self.resolve()
                self._run(chosen, subject)
        except ShiftSegError as error:
            show_error(str(error))

    def _run(self, chosen: Chosen, subject: Subject) -> None:
        stitching = self._tab.stitch.stitching
        plan = plan_for(
            chosen.model, chosen.frames.spatial, stitching.mode, stitching.tile, subject.region
        )
        lacking = self.lacking(subject, [stitching])
        if lacking:
            self._run_into_file(subject, stitching, lacking)
            return
        self._runner.cancel()
        self._estimate.begin(chosen.model, plan, subject.frames)
        self._partial.begin(key_of(subject, plan))
        self._runner.start(run(subject, [stitching]), subject.image_name, subject.image_key)

    def _run_into_file(self, subject: Subject, stitching: Stitching, lacking: str) -> None:
        """Go block by block, unless it is only a look, or all of it at once is wanted."""
        if subject.preview:
            raise ShiftSegError(f"{lacking}; Run goes block by block into a file")
        if stitching.mode == "whole":
            raise ShiftSegError(
                f"{lacking}; Corrected gives the same labels, and goes block by block into a file"
            )
        self.files.start(subject, stitching)

    def _on_success(self, results: Any) -> None:
        if isinstance(results, FileResult):
            self.files.show(results)
            self._tab.result.caption.say(results.sentence)
            return
        result = self._results.at_its_image(cast("tuple[Result]", results)[0])
        self._estimate.end()
        self._turns.do(self._partial.finish(result))
        self._remember_colours(result)
        self._results.show(result)
        self.sliders.after_run(result)
        if not result.report.objects:
            show_info("No objects were found.")

    def recolour(self, kind: ColourKind) -> None:
        """Show the current result in other colours."""
        current = self._results.current
        if current is not None:
            self.live.ask("colours", partial(recoloured, current, kind))

    def show_jumps(self) -> None:
        """Measure and show the jumps of the current result."""
        current = self._results.current
        if current is not None:
            self.live.ask("jumps", partial(jumps_of, current))

    def _on_live(self, done: Relabelled | Recoloured | Jumps) -> None:
        """Show what was made of a result, unless another run has taken its place meanwhile."""
        result = self._results.still(done.result)
        if result is None:
            return
        if isinstance(done, Jumps):
            self._results.show_jumps(result, done.jumps, done.high)
        elif isinstance(done, Recoloured):
            result = replace(result, colouring=done.colouring, picture=done.picture)
            self._remember_colours(result)
            self._results.recolour(result)
        else:
            labels, report, rings = done.segmentation, done.report, done.rings
            result = replace(result, segmentation=labels, report=report, rings=rings)
            self._results.relabel(result)

    def _colours_of(self, chosen: Chosen) -> Colouring | None:
        kind = self._tab.result.colour_kind
        return self._colourings.get(chosen.layer, {}).get((chosen.model.sha256, kind))

    def _remember_colours(self, result: Result) -> None:
        key = result.subject.model.sha256, result.colouring.kind
        layer = layer_with(self._viewer, result.subject.image_key)
        if layer is not None:
            self._colourings.setdefault(layer, {})[key] = result.colouring

    def _on_removed(self, event: Any) -> None:
        if self.region_layer.is_one(event.value) and self._tab.image.region.value == "drawn":
            self._tab.image.region.choose("whole")
        if self._runner.works_on(event.value):
            title = self._runner.title
            self._runner.cancel()
            show_info(f"The run was cancelled: its image, {title}, was removed.")


def _frames_sentence(chosen: Chosen) -> str:
    """Say what becomes of the axes that the network does not see."""
    frames = chosen.frames
    if not frames.loops:
        return ""
    names = [frames.axes[axis] if frames.axes else "" for axis in frames.layout.loops]
    words = {"t": "time point", "c": "channel", "z": "slice"}
    loops = zip(frames.loops, names, strict=True)
    parts = [counted(n, words.get(name, "frame")) for n, name in loops]
    return f"{' x '.join(parts)} of {by(frames.spatial)} px, each segmented alone."
