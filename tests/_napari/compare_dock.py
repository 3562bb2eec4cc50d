"""The tab Compare in a dock of its own, with what a user does to it."""

from qtpy.QtWidgets import QWidget
from window import PATIENCE

from napari_shiftseg._napari.compare.control import CompareControl
from napari_shiftseg._napari.compare.tab import CompareTab
from napari_shiftseg._napari.job import Subject
from napari_shiftseg._napari.placement import Placement, axes_of, frames_of_layer, pixels_of
from napari_shiftseg._napari.results import Results
from napari_shiftseg._napari.turns import Turns
from napari_shiftseg._napari.worker import Runner


def subject_of(layer, model):
    """What the tab Segment makes of an image layer."""
    frames = frames_of_layer(layer, model.reads)
    space = range(layer.ndim - model.geometry.ndim, layer.ndim)
    return Subject(
        image=pixels_of(layer),
        image_key=str(layer.unique_id),
        image_name=layer.name,
        model=model,
        axes=axes_of(layer, model.reads),
        loops=frames.loops,
        space=Placement.of(layer, frames, list(space)),
        stack=Placement.of(layer, frames, list(range(layer.ndim))),
        clustering=model.description.clustering,
    )


class Dock(QWidget):
    """The tab and its controller, as the dock holds them."""

    def __init__(self, viewer, model):
        super().__init__()
        self.viewer, self.model = viewer, model
        self.tab = CompareTab(viewer, self)
        self.runner, self.turns = Runner(self), Turns(self)
        self.results = Results(viewer, self.turns, self)
        self.control = CompareControl(
            viewer,
            self.tab,
            self.subject,
            lambda subject, ways: "",
            self.runner,
            self.results,
            self.turns,
            self,
        )
        self.tab.set_model(model)
        viewer.window.add_dock_widget(self, area="right")

    def subject(self):
        images = [layer for layer in self.viewer.layers if layer.name == "field"]
        return subject_of(images[0], self.model) if images else None


def compare(qtbot, dock):
    with qtbot.waitSignal(dock.runner.succeeded, timeout=PATIENCE):
        dock.tab.run.run.click()
    rest(qtbot, dock)


def rest(qtbot, dock):
    """Wait until all layers are there, and the plot."""
    qtbot.waitUntil(lambda: not dock.turns.busy, timeout=PATIENCE)


def sweep(qtbot, dock):
    with qtbot.waitSignal(dock.runner.succeeded, timeout=PATIENCE):
        dock.tab.plot.run.run.click()
    rest(qtbot, dock)
