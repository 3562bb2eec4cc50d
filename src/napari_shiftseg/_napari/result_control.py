"""What the section "Result" does: choose, view, colour, measure jumps, export."""

from __future__ import annotations

from collections.abc import Callable

from qtpy.QtCore import QObject

from napari_shiftseg._napari.result_section import ResultSection
from napari_shiftseg._napari.results import Results
from napari_shiftseg._napari.segment_control import SegmentControl
from napari_shiftseg.settings import Clustering


class ResultControl(QObject):
    """Keeps the section in step with the results.

    Parameters
    ----------
    section
        The form.
    results
        What is shown.
    control
        Computes colours and jumps.
    show_settings
        Called with the clustering settings of a result that is chosen.
    """

    def __init__(
        self,
        section: ResultSection,
        results: Results,
        control: SegmentControl,
        show_settings: Callable[[Clustering], None],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._section, self._results, self._control = section, results, control
        self._show_settings = show_settings
        results.changed.connect(self._refresh)
        section.result_chosen.connect(self._choose)
        section.view_requested.connect(results.view)
        section.colours_requested.connect(control.recolour)
        section.jumps_toggled.connect(self._on_jumps)

    def _choose(self, key: tuple[object, ...]) -> None:
        self._results.choose(key)
        current = self._results.current
        if current is not None:
            self._show_settings(current.segmentation.clustering)
        self._results.view(self._section.view.value)

    def _refresh(self) -> None:
        self._section.show_results(self._results.all(), self._results.current)

    def _on_jumps(self, shown: bool) -> None:
        if shown:
            self._control.show_jumps()
        else:
            self._results.hide_jumps()
