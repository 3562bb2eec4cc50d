"""The clustering sliders and the result that is seen say the same."""

from __future__ import annotations

from functools import partial

from qtpy.QtCore import QObject

from napari_shiftseg._napari.job import Result
from napari_shiftseg._napari.live import Live
from napari_shiftseg._napari.results import Results
from napari_shiftseg._napari.segment.relabel import relabelled
from napari_shiftseg._napari.segment.tab import SegmentTab
from napari_shiftseg._napari.turns import Steps, Turns
from napari_shiftseg.embeddings.model import Model
from napari_shiftseg.settings import Clustering


class SliderLink(QObject):
    """Moves sliders with the current result, and labels it anew with the sliders.

    While another model is chosen than the result's, they are those of the next run.

    Parameters
    ----------
    tab
        Has the sliders.
    results
        What is shown.
    live
        Labels anew.
    turns
        When layers are added.
    """

    def __init__(
        self,
        tab: SegmentTab,
        results: Results,
        live: Live,
        turns: Turns,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._tab, self._results, self._live, self._turns = tab, results, live, turns
        self._seen = self._bound = self._model = ""
        tab.clusters.changed.connect(self._on_slider)
        tab.model.model_changed.connect(self._on_model)
        results.changed.connect(self._on_current)

    def after_run(self, result: Result) -> None:
        """Take what the sliders say by now, if they were moved during the run."""
        wanted = self._tab.clusters.settings
        if self._is_of_model(result) and wanted != result.segmentation.clustering:
            self._turns.do(self._apply(wanted))

    def bind(self) -> None:
        """Make them the sliders of the current result, as when a person chooses it."""
        current = self._results.current
        if current is not None:
            self._show(current)

    def _apply(self, settings: Clustering) -> Steps:
        self._tab.clusters.show_settings(settings)
        self._on_slider(settings)
        yield

    def _on_slider(self, settings: Clustering) -> None:
        current = self._results.current
        if current is not None and repr(current.key) == self._bound:
            self._live.ask("labels", partial(relabelled, current, settings))

    def _on_model(self, model: Model | None) -> None:
        if model is None:
            return
        former, self._model = self._model, model.sha256
        current = self._results.current
        if current is not None and self._is_of_model(current):
            self._show(current)
        elif model.sha256 != former or not former:  # else in another precision alone
            self._bound = ""
            self._tab.clusters.show_settings(model.description.clustering)

    def _on_current(self) -> None:
        current = self._results.current
        key = "" if current is None else repr(current.key)
        if current is not None and key != self._seen:
            if self._is_of_model(current):
                self._show(current)
            else:
                self._bound = ""
        self._seen = key

    def _is_of_model(self, result: Result) -> bool:
        """Tell whether a result is of the model that is chosen."""
        model = self._tab.model.model
        return model is not None and model.sha256 == result.subject.model.sha256

    def _show(self, result: Result) -> None:
        self._bound = repr(result.key)
        self._tab.clusters.show_settings(result.segmentation.clustering)
