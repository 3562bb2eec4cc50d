"""What the tab "Compare" does: the one place where it meets the viewer."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from napari.utils.notifications import show_error, show_info
from napari.viewer import Viewer
from qtpy.QtCore import QObject, Signal

from napari_shiftseg._napari.alive import while_alive
from napari_shiftseg._napari.camera import go_to
from napari_shiftseg._napari.compare.arrangement import (
    ALONE,
    BLINK,
    CURTAIN,
    SIDE_BY_SIDE,
    Arrangement,
)
from napari_shiftseg._napari.compare.clicks import Clicks
from napari_shiftseg._napari.compare.exports import splits_csv, totals_csv
from napari_shiftseg._napari.compare.pair import Cut, Pair
from napari_shiftseg._napari.compare.sides import Side
from napari_shiftseg._napari.compare.tab import CompareTab
from napari_shiftseg._napari.events import Progress
from napari_shiftseg._napari.job import Result, Subject, run
from napari_shiftseg._napari.layer_edits import LayerEdits
from napari_shiftseg._napari.layers import layer_with
from napari_shiftseg._napari.placement import pixels_of
from napari_shiftseg._napari.results import Results
from napari_shiftseg._napari.run_bar import RunBar
from napari_shiftseg._napari.turns import Steps, Turns
from napari_shiftseg._napari.view_units import from_view
from napari_shiftseg._napari.worker import Runner
from napari_shiftseg.errors import ShiftSegError
from napari_shiftseg.files import write_text
from napari_shiftseg.settings import Stitching
from napari_shiftseg.sweep_figure import draw_sweep
from napari_shiftseg.tile_sweep import Sweep, SweepProgress, sweep_events
from napari_shiftseg.tiles.plan import by
from napari_shiftseg.tiles.tile import size_of


class CompareControl(QObject):
    """Runs two stitchings and shows what differs.

    Parameters
    ----------
    viewer
        Where results are shown.
    tab
        The form and the tables.
    subject
        Takes a snapshot of what is looked at; None while there is no image.
    lacking
        Says what memory is lacking for several stitchings of it; nothing if none is.
    runner
        Runs this tab's work, and no other tab's.
    results
        Where results are shown and kept.
    turns
        When layers are added or removed.
    """

    side_shown = Signal(object)
    """The result whose tiles are of interest: the one on show, or A beside B."""

    def __init__(
        self,
        viewer: Viewer,
        tab: CompareTab,
        subject: Callable[[], Subject | None],
        lacking: Callable[[Subject, Sequence[Stitching]], str],
        runner: Runner,
        results: Results,
        turns: Turns,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._viewer, self._tab, self._subject, self.runner = viewer, tab, subject, runner
        self._lacking = lacking
        self._results, self._turns = results, turns
        self._pair: Pair | None = None
        self._sweep: Sweep | None = None
        self._swept = ""
        self._bar: RunBar = tab.run
        self.arrangement = Arrangement(viewer, turns, self)
        self._clicks = Clicks(viewer, self)
        self._connect_tab(tab)
        self._connect_rest()
        self._on_theme()

    @property
    def pair(self) -> Pair | None:
        """The results that are shown."""
        return self._pair

    def blink(self) -> None:
        """Show the other one of A and B, once."""
        if self.arrangement.way == BLINK:
            self.arrangement.blink.step()
        elif self._pair is not None:
            self._show(ALONE[1] if self.arrangement.way == ALONE[0] else ALONE[0])

    def next_split(self) -> None:
        """Go to the next split of the table."""
        self._tab.cuts.table.step(1)

    def previous_split(self) -> None:
        """Go to the previous split of the table."""
        self._tab.cuts.table.step(-1)

    def take_up(self) -> None:
        """Show what was compared as it was left, whatever was looked at meanwhile."""
        if self.arrangement.sides is not None:
            self._show(self.arrangement.way)

    def close(self) -> None:
        """End the run, put the viewer back, and let go of the mouse."""
        self.runner.cancel()
        self._clicks.stop()
        self.arrangement.leave_seen()

    def _connect_tab(self, tab: CompareTab) -> None:
        tab.run.run_requested.connect(self._compare)
        tab.plot.run.run_requested.connect(self._sweep_tiles)
        for bar in (tab.run, tab.plot.run):
            bar.cancel_requested.connect(self.runner.cancel)
        tab.side_requested.connect(lambda side: self._show(ALONE[side]))
        tab.show_as.way_requested.connect(self._show)
        tab.show_as.curtain_moved.connect(self.arrangement.move_curtain)
        tab.show_as.interval_changed.connect(self._set_interval)
        tab.cuts.cut_requested.connect(self._go_to_cut)
        tab.cuts.splits_export_requested.connect(lambda path: self._export(path, splits_csv))
        tab.cuts.totals_export_requested.connect(lambda path: self._export(path, totals_csv))
        tab.plot.export_requested.connect(self._export_plot)

    def _connect_rest(self) -> None:
        self.runner.progressed.connect(lambda progress: self._bar.show_progress(progress))
        self.runner.running_changed.connect(lambda running: self._bar.set_running(running))
        self.runner.failed.connect(show_error)
        self.runner.succeeded.connect(self._on_success)
        self.arrangement.curtain.moved.connect(self._tab.show_as.show_curtain)
        self.arrangement.ended.connect(lambda: self._tab.show_as.show_way(self.arrangement.way))
        self.arrangement.lost.connect(self._forget)
        self._clicks.clicked.connect(self._on_click)
        self._results.relabelled.connect(self._on_relabelled)
        self._results.giving_way.connect(self._give_way)
        self._results.moved.connect(self._follow)
        LayerEdits(self._viewer, self).end_with_pixels(self.runner)
        while_alive(self, self._viewer.events.theme, self._on_theme)
        while_alive(self, self._viewer.layers.events.removed, self._on_removed)

    def _compare(self) -> None:
        ways = self._tab.stitchings
        self._start(self._tab.run, ways, lambda subject, truth: run(subject, ways, truth))

    def _sweep_tiles(self) -> None:
        self._start(self._tab.plot.run, (Stitching("corrected"),), _sweep_events)

    def _start(
        self,
        bar: RunBar,
        ways: Sequence[Stitching],
        events: Callable[[Subject, Any], Iterator[Any]],
    ) -> None:
        """Run on a snapshot of the form, if the results find room in memory."""
        try:
            subject = self._subject()
            lacking = "" if subject is None else self._lacking(subject, ways)
            if lacking:
                raise ShiftSegError(f"{lacking}; choose a smaller region in the tab Segment")
        except ShiftSegError as error:
            show_error(str(error))
            return
        if subject is None:
            show_info("Open an image first: the tab Segment says which one is used.")
            return
        self._swept = _title_of(subject)
        truth = self._tab.truth.layer
        for doubt in self._tab.truth.doubts(subject):
            show_info(doubt)
        made = events(subject, None if truth is None else pixels_of(truth))
        self.runner.cancel()
        self._bar = bar
        self.runner.start(made, subject.image_name, subject.image_key)

    def _on_success(self, result: Sweep | tuple[Result, Result]) -> None:
        if isinstance(result, Sweep):
            self._sweep = result
            self._turns.do(self._tab.plot.show_sweep(result, self._swept))
            return
        a, b = (self._results.at_its_image(one) for one in result)
        self._turns.do(self._show_pair(Pair((a, b))))

    def _show_pair(self, pair: Pair) -> Steps:
        self.arrangement.leave()
        a = yield from Side.bring_up(self._viewer, self._results, pair.results[0])
        b = yield from Side.bring_up(self._viewer, self._results, pair.results[1])
        self._pair = pair
        self._tab.show_pair(pair)
        yield
        self._results.choose(pair.results[0].key)
        yield
        self.arrangement.take((a, b))
        self._show(self.arrangement.way)

    def _show(self, way: str) -> None:
        self.arrangement.show(way)
        dims = self._viewer.dims
        if way in (SIDE_BY_SIDE, CURTAIN) and dims.ndim - 1 not in dims.displayed:
            show_info("A and B lie along the last axis of the image: bring it on screen")
        self._tab.show_as.show_way(way)
        if self._pair is None:
            return
        if way in ALONE:
            self._tab.totals.choose(ALONE.index(way))
        self.side_shown.emit(self._pair.results[ALONE.index(way) if way in ALONE else 0])

    def _set_interval(self, seconds: float) -> None:
        self.arrangement.blink.timer.setInterval(round(1000 * seconds))

    def _go_to_cut(self, number: int) -> None:
        """Take the camera to a split, and see to it that the split is visible."""
        if self._pair is None:
            return
        subject = self._pair.results[0].subject
        if self.arrangement.sides is None and layer_with(self._viewer, subject.image_key) is None:
            show_info(f"{subject.image_name}, which was compared, is no longer open.")
            return
        cut = self._pair.cuts[number]
        if self.arrangement.way in (*ALONE, BLINK):
            self._show(ALONE[cut.side])
        elif self.arrangement.way == CURTAIN:
            self._draw_curtain_at(cut)
        placement = self._pair.results[cut.side].subject.placement
        moved = placement.translate[-1] + self.arrangement.world_of(cut.side)
        placement = replace(placement, translate=(*placement.translate[:-1], moved))
        go_to(self._viewer, placement, cut.split.position)

    def _draw_curtain_at(self, cut: Cut) -> None:
        assert self._pair is not None
        width = self._pair.results[0].segmentation.labels.shape[-1]
        fraction = (cut.split.position[-1] + 0.5) / width
        if self._pair.results[0].subject.placement.mirrored:
            fraction = 1 - fraction
        self.arrangement.move_curtain(fraction)
        self._tab.show_as.show_curtain(fraction)

    def _on_click(self, place: tuple[float, ...]) -> None:
        """Choose the row of an object that was clicked."""
        if self._pair is None or self.arrangement.sides is None:
            return
        placement = self._pair.results[0].subject.placement
        place = from_view(self._viewer, place, placement.units)
        pixel = _pixel(placement.to_pixels(place))
        shift = self.arrangement.world_of(1)
        if shift and not 0 <= pixel[-1] < placement.size[-1]:
            pixel = _pixel(placement.to_pixels((*place[:-1], place[-1] - shift)))
        number = self._pair.cut_at(pixel)
        if number is not None:
            self._tab.show_page("cuts")
            self._tab.cuts.table.choose(number)

    def _export(self, path: Path, table: Callable[[Pair], str]) -> None:
        pair = self._pair
        if pair is not None:
            _written(path, lambda: write_text(path, table(pair)))

    def _export_plot(self, path: Path) -> None:
        sweep = self._sweep
        if sweep is None:
            return
        if path.suffix.lower() == ".csv":
            _written(path, lambda: write_text(path, sweep.to_csv()))
        else:
            _written(path, lambda: draw_sweep(sweep, path))

    def _on_relabelled(self, result: Result) -> None:
        """Forget a comparison whose labels are no longer those that were compared."""
        keys = [] if self._pair is None else [one.key for one in self._pair.results]
        if result.key in keys:
            self.arrangement.leave_seen(keys.index(result.key))
            self._tab.show_as.show_way(self.arrangement.way)
            self._pair = None
            self._tab.clear()

    def _give_way(self) -> None:
        """Put B back before another result is shown, perhaps in its layers."""
        if self.arrangement.sides is not None and self.arrangement.way not in ALONE:
            self._show(ALONE[0])

    def _follow(self) -> None:
        """Take note that results lie elsewhere, with their image."""
        if self._pair is None:
            return
        a, b = (self._results.at_its_image(one) for one in self._pair.results)
        self._pair = Pair((a, b))
        if self.arrangement.sides is not None:
            first, second = self.arrangement.sides
            self.arrangement.take((replace(first, result=a), replace(second, result=b)))

    def _forget(self) -> None:
        """Take note that a result's layer was deleted; the table stays."""
        self._tab.show_as.setEnabled(False)

    def _on_theme(self) -> None:
        self._tab.plot.set_theme(self._viewer.theme)

    def _on_removed(self, event: Any) -> None:
        if self.runner.works_on(event.value):
            self.runner.cancel()
            show_info(f"The run was cancelled: its image, {event.value.name}, was removed.")
        pair = self._pair
        if pair is not None and str(event.value.unique_id) == pair.results[0].subject.image_key:
            self._tab.cuts.say_gone(event.value.name)


def _title_of(subject: Subject) -> str:
    """Say which image is worked on, or which part of it."""
    if subject.region is None:
        return subject.image_name
    return f"{by(size_of(subject.region))} px of {subject.image_name}"


def _sweep_events(subject: Subject, truth: Any) -> Iterator[Progress | Sweep]:
    for event in sweep_events(
        subject.image,
        subject.model,
        truth=truth,
        clustering=subject.clustering,
        region=subject.region,
        axes=subject.axes,
    ):
        if isinstance(event, SweepProgress):
            yield Progress(event.fraction, event.text)
        else:
            yield event


def _pixel(place: tuple[float, ...]) -> tuple[int, ...]:
    return tuple(round(v) for v in place)


def _written(path: Path, write: Callable[[], None]) -> None:
    """Write a file; say so, or why not."""
    try:
        write()
    except ShiftSegError as error:
        show_error(str(error))
    else:
        show_info(f"Written: {path}")
