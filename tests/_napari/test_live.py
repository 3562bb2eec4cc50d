"""Sliders, colours and jumps of one result: what is asked meanwhile is neither lost nor undone."""

from threading import Event

import numpy as np
import pytest
from qtpy.QtWidgets import QApplication
from window import PATIENCE

from napari_shiftseg._napari.layers import JUMPS
from napari_shiftseg._napari.segment import relabel
from napari_shiftseg._napari.segment.cluster_section import ClusterSection
from napari_shiftseg._napari.tags import own_layers, tag_of
from napari_shiftseg.settings import Clustering


class Held:
    """Holds the clustering until it is let go on."""

    def __init__(self, cluster):
        self.cluster, self.begun, self.go_on = cluster, Event(), Event()

    def __call__(self, *what):
        self.begun.set()
        self.go_on.wait(PATIENCE / 1000)
        return self.cluster(*what)


@pytest.fixture
def held(monkeypatch):
    held = Held(relabel.cluster_frames)
    monkeypatch.setattr(relabel, "cluster_frames", held)
    yield held
    held.go_on.set()


@pytest.fixture
def tab(qtbot, widget, image, rest):
    """The tab Segment after a run."""
    with qtbot.waitSignal(widget.runner.succeeded, timeout=PATIENCE):
        widget.segment.run.run.click()
    rest()
    return widget.segment


@pytest.fixture
def settle(qtbot, widget, rest):
    """Wait until all is done that was asked for."""

    def wait():
        qtbot.waitUntil(lambda: not widget.control.live.busy, timeout=PATIENCE)
        rest()

    return wait


def choose(colours, kind):
    colours.setCurrentIndex(colours.findData(kind))
    colours.activated.emit(colours.currentIndex())


def test_colours_that_are_chosen_while_it_clusters_leave_the_labels_their_settings(
    qtbot, viewer, widget, tab, held, settle
):
    tab.clusters.controls["bandwidth"].setValue(3.5)
    qtbot.waitUntil(held.begun.is_set, timeout=PATIENCE)
    choose(tab.result.colours, "principal")
    held.go_on.set()
    settle()
    result = widget.results.current
    labels = widget.results.labels_of(result)
    assert result.segmentation.clustering.bandwidth == 3.5
    assert result.colouring.kind == "principal"
    assert tag_of(labels)["provenance"]["clustering"]["bandwidth"] == 3.5
    np.testing.assert_array_equal(labels.data, result.segmentation.labels)


def test_a_slider_that_still_waits_is_not_forgotten_for_the_jumps(viewer, widget, tab, settle):
    tab.clusters.controls["bandwidth"].setValue(3.5)
    tab.result.jumps.click()
    settle()
    assert widget.results.current.segmentation.clustering.bandwidth == 3.5
    assert [layer.visible for layer in own_layers(viewer, kind=JUMPS)] == [True]


def test_labels_of_a_former_run_do_not_replace_those_of_a_new_one(
    qtbot, image, widget, tab, held, settle
):
    tab.clusters.controls["bandwidth"].setValue(3.5)
    qtbot.waitUntil(held.begun.is_set, timeout=PATIENCE)
    image.data = image.data[:, :40].copy()
    QApplication.processEvents()
    with qtbot.waitSignal(widget.runner.succeeded, timeout=PATIENCE):
        tab.run.run.click()
    held.go_on.set()
    settle()
    result = widget.results.current
    assert result.segmentation.labels.shape == widget.results.labels_of(result).data.shape
    assert result.segmentation.labels.shape[1] == 40


def test_another_precision_of_the_model_leaves_the_sliders_alone(widget, image):
    tab = widget.segment
    tab.clusters.controls["min_size"].setValue(88)
    tab.model.rounded.click()
    assert tab.clusters.settings.min_size == 88


@pytest.mark.parametrize("bandwidth", [0.004, 0.05, 0.123, 1.537, 7.25, 300])
def test_a_model_s_own_bandwidth_is_kept_to_the_last_digit(qtbot, bandwidth):
    section = ClusterSection()
    qtbot.addWidget(section)
    section.show_settings(Clustering(bandwidth=bandwidth))
    section.controls["min_size"].setValue(33)
    assert section.settings == Clustering(bandwidth=bandwidth, min_size=33)
