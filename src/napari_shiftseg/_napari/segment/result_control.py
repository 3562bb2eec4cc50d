"""What the section "Show" does: choose, view, colour, measure jumps, export."""

from __future__ import annotations

from functools import partial
from typing import Any

from napari.layers import Labels
from napari.utils.notifications import show_error, show_info, show_warning
from qtpy.QtCore import QObject

from napari_shiftseg._napari.live import Live
from napari_shiftseg._napari.results import Results
from napari_shiftseg._napari.segment.control import SegmentControl
from napari_shiftseg._napari.segment.export import Exported, ask_where, export
from napari_shiftseg._napari.segment.tab import SegmentTab
from napari_shiftseg._napari.tags import tag_of


class ResultControl(QObject):
    """Keeps the section in step with the results.

    Parameters
    ----------
    tab
        The form.
    results
        What is shown.
    control
        Computes colours and jumps.
    """

    def __init__(
        self,
        tab: SegmentTab,
        results: Results,
        control: SegmentControl,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._tab, self._section = tab, tab.result
        self._results, self._control = results, control
        self.writing = Live(self)
        self.writing.done.connect(self._on_written)
        self.writing.failed.connect(show_error)
        results.changed.connect(self._refresh)
        results.chosen.connect(self._section.show_labels)
        self._section.result_chosen.connect(self._choose)
        self._section.view_requested.connect(results.view)
        self._section.colours_requested.connect(control.recolour)
        self._section.jumps_toggled.connect(self._on_jumps)
        self._section.export_requested.connect(self._export)
        control.edits.painted.connect(self._on_painted)

    def _choose(self, key: tuple[object, ...]) -> None:
        view = self._section.view.value
        self._results.choose(key)
        self._control.sliders.bind()
        self._section.view.choose(view)

    def _refresh(self) -> None:
        current = self._results.current
        outdated = current is not None and self._results.is_outdated(current)
        labels = None if current is None else self._results.labels_of(current)
        edited = labels is not None and bool(tag_of(labels).get("edited"))
        self._section.show_results(self._results.all(), current, outdated=outdated, edited=edited)

    def _on_painted(self, layer: Labels) -> None:
        """Say once that the numbers of a run are not those of its corrected labels."""
        current = self._results.current
        if current is None or self._section.says_edited or self._results.is_outdated(current):
            return
        if layer == self._results.labels_of(current):
            self._refresh()

    def _on_jumps(self, shown: bool) -> None:
        if shown:
            self._control.show_jumps()
        else:
            self._results.hide_jumps()

    def _export(self) -> None:
        result = self._results.current
        layer = None if result is None else self._results.labels_of(result)
        if result is None or layer is None:
            return
        result = self._results.at_its_image(result)
        title = result.title_among(self._results.all())
        answer = ask_where(self._section, result.subject.image_name, title)
        if answer is not None:
            self.writing.ask(str(answer[1]), partial(export, result, layer, *answer))

    def _on_written(self, written: Any) -> None:
        if not isinstance(written, Exported):
            return
        if written.mirrored:
            show_warning(f"Written without its mirroring: {written.path}")
        else:
            show_info(f"Written: {written.path}")
