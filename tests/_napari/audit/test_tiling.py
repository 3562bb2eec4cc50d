"""An image, tiled as every program does it, against one pass."""

import json

import numpy as np
from qtpy.QtCore import QThreadPool
from qtpy.QtWidgets import QFileDialog, QMessageBox
from torch import nn
from window import PATIENCE

from napari_shiftseg._napari.audit.difference_layers import DIFFERENCE
from napari_shiftseg._napari.audit.period_lines import AUDIT_PERIOD
from napari_shiftseg._napari.tags import own_layers


def differences(viewer):
    return {layer.name: layer for layer in own_layers(viewer, kind=DIFFERENCE)}


def test_an_image_is_tiled_every_way_and_differences_are_layers(
    viewer, view, pooled, scene, audit, tile, rest
):
    assert not view.image.run.run.isEnabled()
    audit(pooled)
    tile()
    table = view.image.table
    assert table.rowCount() == 6
    assert table.item(0, 0).text() == "corrected"
    assert "Worst: linspace, tapered (Cellpose)" in view.image.finding.text()
    table.selectRow(1)
    rest()
    table.selectRow(2)
    rest()
    first, second = differences(viewer).values()
    assert {first.visible, second.visible} == {True, False}
    shown = first if first.visible else second
    assert shown.name == f"Difference ({table.item(2, 0).text()})"
    assert shown.data.shape == (96, 96) and shown.data.max() > 0
    np.testing.assert_array_equal(shown.scale, scene.scale)
    np.testing.assert_array_equal(shown.translate, scene.translate)
    assert "Gaussian" in view.image.row.text()


def test_a_frame_of_a_stack_is_tiled_where_it_lies(viewer, view, pooled, dock, audit, tile, rest):
    pixels = np.random.default_rng(0).normal(size=(3, 96, 99)).astype(np.float32)
    viewer.add_image(pixels, name="stack", scale=(2, 1, 1))
    viewer.dims.set_current_step(0, 1)
    audit(pooled)
    tile()
    assert "“stack, frame 1”" in view.image.finding.text()
    view.image.table.selectRow(0)
    rest()
    (layer,) = differences(viewer).values()
    assert layer.data.shape == (1, 96, 98)
    np.testing.assert_array_equal(layer.translate, (2, 0, 0))


def test_a_certificate_is_saved_and_nothing_is_overwritten_unasked(
    view, pooled, scene, audit, tile, tmp_path, monkeypatch
):
    assert not view.image.save.isEnabled()
    audit(pooled)
    tile()
    assert view.image.reason.text().startswith("Certified")
    typed = tmp_path / "proof"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(typed), ""))
    view.image.save.click()
    values = json.loads((tmp_path / "proof.json").read_text())
    assert values["tilings"]["certified"] and values["period"] == [2, 2]
    (tmp_path / "proof.json").write_text("mine")
    monkeypatch.setattr(QMessageBox, "question", lambda *_: QMessageBox.StandardButton.No)
    view.image.save.click()
    assert (tmp_path / "proof.json").read_text() == "mine"


def test_what_cannot_be_tiled_is_not_tiled(view, recorded, scene, audit):
    audit(recorded(nn.Conv2d(1, 2, 3, padding=1), nn.InstanceNorm2d(2)))
    assert view.verdict.is_warning
    assert view.verdict.text().startswith("<b>Cannot be tiled exactly")
    assert not view.image.run.run.isEnabled()
    assert not view.image.save.isEnabled()


def test_an_image_that_does_not_fit_is_a_notification(
    viewer, view, dock, pooled, audit, tile, notifications
):
    viewer.add_image(np.zeros((40, 40)), name="turned", rotate=20)
    audit(pooled)
    tile()
    assert "is rotated" in notifications()[-1][1]


def test_the_period_is_drawn_and_taken_away(viewer, view, pooled, scene, audit, rest):
    audit(pooled)
    view.image.pattern.setChecked(True)
    rest()
    (lines,) = own_layers(viewer, kind=AUDIT_PERIOD)
    np.testing.assert_array_equal(lines.scale, scene.scale)
    assert lines.visible
    view.image.pattern.setChecked(False)
    rest()
    assert not lines.visible


def test_an_image_that_goes_takes_its_comparison_along(
    viewer, view, pooled, scene, audit, held, qtbot, dock, notifications
):
    audit(pooled)
    view.image.run.run.click()
    qtbot.waitUntil(held.is_set, timeout=PATIENCE)
    viewer.layers.remove(scene)
    assert not dock.control.tilings.running
    assert "noise was removed" in notifications()[-1][1]
    assert view.image.table.rowCount() == 0


def test_a_comparison_that_is_done_goes_with_its_image(viewer, view, pooled, scene, audit, tile):
    audit(pooled)
    tile()
    viewer.layers.remove(scene)
    assert view.image.table.rowCount() == 0
    assert not view.image.save.isEnabled()


def test_a_run_is_cancelled_within_a_pass(view, on_offer, dock, qtbot):
    view.network.open_file(on_offer["bands"])
    view.run.run.click()
    work = dock.control._work
    qtbot.waitUntil(lambda: work.passes > 0, timeout=PATIENCE)
    view.run.cancel.click()
    assert not dock.control.runner.running
    assert dock.control.audited is None
    passes = work.passes
    qtbot.waitUntil(lambda: QThreadPool.globalInstance().activeThreadCount() == 0, timeout=5000)
    assert work.passes <= passes + 1


def test_closing_in_the_middle_ends_the_run(
    viewer, view, pooled, scene, audit, held, qtbot, dock, delete, close_dock
):
    audit(pooled)
    view.image.pattern.setChecked(True)
    view.image.run.run.click()
    qtbot.waitUntil(held.is_set, timeout=PATIENCE)
    control = dock.control
    close_dock(dock)
    assert not control.busy
    assert not own_layers(viewer, kind=AUDIT_PERIOD)
    delete(dock)
