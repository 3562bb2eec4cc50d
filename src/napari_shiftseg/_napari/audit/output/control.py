"""What the page "Output" does: the one place where it meets the viewer."""

from __future__ import annotations

from typing import Any

from napari.layers import Layer
from napari.utils.notifications import show_error, show_info
from napari.viewer import Viewer
from qtpy.QtCore import QObject, Signal

from napari_shiftseg._napari.alive import while_alive
from napari_shiftseg._napari.audit.job import Audited, Work
from napari_shiftseg._napari.audit.output.job import Clustered, Predicted, cluster_run, predict_run
from napari_shiftseg._napari.audit.output.layers import OutputLayers
from napari_shiftseg._napari.audit.output.page import FIRST, OutputPage
from napari_shiftseg._napari.audit.scene import scene_of
from napari_shiftseg._napari.turns import Turns
from napari_shiftseg._napari.worker import Runner
from napari_shiftseg.errors import ShiftSegError
from napari_shiftseg.settings import Clustering
from napari_shiftseg.wording import counted


class OutputControl(QObject):
    """Predicts, clusters, shows.

    Parameters
    ----------
    viewer
        The viewer.
    page
        The form.
    turns
        In which layers are added.
    """

    running_changed = Signal(bool)

    def __init__(
        self, viewer: Viewer, page: OutputPage, turns: Turns, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._viewer, self._page, self._turns = viewer, page, turns
        self.layers = OutputLayers(viewer)
        self.runner, self.clusterings = Runner(self), Runner(self, quiet=True)
        self.predicted: Predicted | None = None
        self._audited: Audited | None = None
        self._is_free = True
        self._work = Work()
        self._connect()
        self.use(None)

    @property
    def running(self) -> bool:
        """Whether anything runs."""
        return self.runner.running or self.clusterings.running

    def use(self, audited: Audited | None) -> None:
        """Take an audited network, or none."""
        self.end()
        self._audited, self.predicted = audited, None
        frozen = audited is not None and audited.audit.tileable and bool(audited.audit.parts)
        self._page.freeze.setChecked(frozen)
        self._page.freeze.setVisible(frozen)
        if audited is None or audited.audit.tileable:
            self._page.said.say(FIRST)
        else:
            self._page.said.say("No tiling of this network equals one pass over the image.")
        self._allow()

    def allow(self, free: bool) -> None:
        """Say whether nothing else runs."""
        self._is_free = free
        self._allow()

    def predict(self) -> None:
        """Run the network over the chosen image."""
        layer, audited = self._page.layers.layer, self._audited
        if audited is None or layer is None:
            show_info("Audit a network and open an image first.")
            return
        audit = audited.audit
        try:
            scene = scene_of(
                self._viewer,
                layer,
                audit.ndim,
                audit.in_channels,
                most=None,
                intensity=self._page.intensity.kind,
            )
        except ShiftSegError as error:
            show_error(str(error))
            return
        self.end()
        self._work = Work()
        run = predict_run(audited, scene, self._work, freeze=self._page.freeze.isChecked())
        self.runner.start(run, f"output of {audited.asked.name}", scene.key)

    def cluster(self) -> None:
        """Make labels of the channels that are named."""
        if self.predicted is None:
            show_info("Predict first.")
            return
        asked = self.predicted.audited.asked
        if asked.is_ours:
            show_info(f"{asked.name} is clustered in the widget Segment, which knows its channels.")
            return
        try:
            channels = self._page.channels
        except ShiftSegError as error:
            show_error(str(error))
            return
        run = cluster_run(self.predicted, channels, self._page.clusters.settings)
        self.clusterings.start(run, "clustering", self.predicted.scene.key)

    def end(self) -> None:
        """End what runs."""
        self._work.stop.set()
        self.runner.cancel()
        self.clusterings.cancel()

    def _connect(self) -> None:
        page = self._page
        page.run.run_requested.connect(self.predict)
        page.run.cancel_requested.connect(self.end)
        page.cluster.clicked.connect(self.cluster)
        page.layers.layer_changed.connect(lambda _: self._allow())
        page.clusters.show_settings(Clustering())
        for runner in (self.runner, self.clusterings):
            runner.progressed.connect(page.run.show_progress)
            runner.running_changed.connect(page.run.set_running)
            runner.running_changed.connect(self.running_changed)
            runner.failed.connect(show_error)
        self.runner.succeeded.connect(self._on_predicted)
        self.clusterings.succeeded.connect(self._on_clustered)
        while_alive(self, self._viewer.layers.events.removed, self._on_removed)

    def _on_predicted(self, predicted: Any) -> None:
        if isinstance(predicted, Predicted):
            self.predicted = predicted
            channels = len(predicted.output)
            self._page.said.say(
                f"{counted(channels, 'channel')} of “{predicted.scene.title}” "
                f"from {counted(predicted.tiles, 'tile')}."
            )
            self._turns.do(self.layers.show_output(predicted))
            self._allow()

    def _on_clustered(self, clustered: Any) -> None:
        if isinstance(clustered, Clustered):
            objects = int(clustered.labels.max(initial=0))
            self._page.said.say(f"{counted(objects, 'object', none='No')}.")
            self._turns.do(self.layers.show_labels(clustered))

    def forget(self, layer: Layer, why: str) -> None:
        """Forget the output of an image that is no longer what it was."""
        if self.clusterings.works_on(layer):
            self.clusterings.cancel()
        if self.predicted is not None and str(layer.unique_id) == self.predicted.scene.key:
            self.predicted = None
            self._page.said.say(why)
            self._allow()

    def _on_removed(self, event: Any) -> None:
        if self.runner.works_on(event.value) or self.clusterings.works_on(event.value):
            self.end()
            show_info(f"The prediction was cancelled: {event.value.name} was removed.")
        self.forget(event.value, f"{event.value.name} was removed.")
        self._allow()

    def _allow(self) -> None:
        page, audited = self._page, self._audited
        able = audited is not None and audited.audit.tileable and self._is_free
        page.run.run.setEnabled(able and not self.running and page.layers.layer is not None)
        page.cluster.setEnabled(able and not self.running and self.predicted is not None)
