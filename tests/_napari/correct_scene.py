"""Labels that seams cut, a run that knows better, and a hand on the mouse."""

from dataclasses import dataclass

import numpy as np
from napari.utils._proxies import ReadOnlyWrapper
from napari.utils.interactions import (
    mouse_move_callbacks,
    mouse_press_callbacks,
    mouse_release_callbacks,
)

from napari_shiftseg._napari.correct.correctable import Correctable
from napari_shiftseg.seams.jumps import JumpSums
from napari_shiftseg.seams.report import SeamReport
from napari_shiftseg.seams.splits import SeamSplit
from napari_shiftseg.settings import Clustering

SPLITS = (
    SeamSplit(1, (1, 2), 1, 10, (5.0, 10.0), 6, 1.0, "phase"),
    SeamSplit(2, (3, 4), 1, 10, (15.0, 10.0), 6, 1.0, "phase"),
)
REPORT = SeamReport("naive", (10, 10), 4, None, None, None, SPLITS, JumpSums())


def cut_objects():
    """Two objects that a seam at column 10 cuts in pieces 1 | 2 and 3 | 4."""
    labels = np.zeros((24, 30), np.int32)
    labels[2:8, 4:10], labels[2:8, 10:16] = 1, 2
    labels[12:18, 4:10], labels[12:18, 10:16] = 3, 4
    return labels


def whole_objects():
    labels = cut_objects()
    return np.select([np.isin(labels, [1, 2]), np.isin(labels, [3, 4])], [1, 3])


def correctable(objects, *, spatial_ndim=2, report=REPORT):
    """A run whose embedding knows the true objects."""
    return Correctable(
        embedding=objects[None].astype(np.float32) * 10,
        foreground=(objects > 0).astype(np.float32),
        clustering=Clustering(bandwidth=1.0, min_size=1),
        report=report,
        spatial_ndim=spatial_ndim,
    )


@dataclass
class Event:
    """What napari tells a layer about the mouse."""

    type: str
    position: tuple
    button: int = 1
    modifiers: tuple = ()
    is_dragging: bool = True

    @property
    def pos(self):
        return np.array(self.position[-2:]) * 10


class Hand:
    """Moves the mouse as napari's canvas does: the active layer hears of it."""

    def __init__(self, viewer):
        self.viewer = viewer

    def _tell(self, callbacks, event):
        layer = self.viewer.layers.selection.active
        if layer is not None:
            callbacks(layer, ReadOnlyWrapper(event, exceptions=("handled",)))

    def press(self, place, **how):
        self._tell(mouse_press_callbacks, Event("mouse_press", place, **how))

    def move(self, place):
        self._tell(mouse_move_callbacks, Event("mouse_move", place))

    def release(self, place):
        self._tell(mouse_release_callbacks, Event("mouse_release", place))

    def click(self, *place, **how):
        self.press(place, **how)
        self.release(place)

    def shift_click(self, *place):
        self.click(*place, modifiers=("Shift",))

    def drag(self, *places, **how):
        self.press(places[0], **how)
        for place in places[1:]:
            self.move(place)
        self.release(places[-1])


def use(tab, tool):
    tab.tools.buttons[tool].click()


def numbers(labels):
    return sorted(set(np.unique(labels)) - {0})
