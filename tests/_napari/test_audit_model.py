"""What a user does with the widget Audit model, through its own controls."""

import json
import threading

import numpy as np
import pytest
import torch
from qtpy.QtCore import QThreadPool
from qtpy.QtWidgets import QFileDialog
from torch import nn

from napari_shiftseg._napari.audit import job, network_section
from napari_shiftseg._napari.audit.difference_layers import DIFFERENCE
from napari_shiftseg._napari.audit.output.layers import OUTPUT
from napari_shiftseg._napari.audit.period_lines import AUDIT_PERIOD
from napari_shiftseg._napari.audit.python_network import PythonNetworkDialog, first_definition
from napari_shiftseg._napari.tags import own_layers
from napari_shiftseg.network_audit.subject import quiet

PATIENCE = 60_000  # milliseconds


@pytest.fixture(autouse=True)
def on_offer(bundled, monkeypatch):
    """Two tiny models instead of those of the package; their files are opened by path."""
    monkeypatch.setattr(network_section, "bundled_models", lambda: {})
    return bundled


@pytest.fixture
def dock(open_dock, on_offer):
    """The widget as the Plugins menu opens it, with a padded network of period 2 chosen."""
    return open_dock("Audit model")


@pytest.fixture
def view(dock):
    return dock.view


@pytest.fixture
def rest(qtbot, dock):
    return lambda: qtbot.waitUntil(lambda: not dock.control.busy, timeout=PATIENCE)


@pytest.fixture
def recorded(tmp_path):
    """Write a TorchScript file."""

    def write(*layers, name="recorded.pt"):
        torch.manual_seed(0)
        network = nn.Sequential(*layers).eval()
        path = tmp_path / name
        with quiet():
            torch.jit.trace(network, torch.zeros(1, 1, 32, 32)).save(str(path))
        return path

    return write


@pytest.fixture
def pooled(recorded):
    return recorded(
        nn.Conv2d(1, 3, 3, padding=1),
        nn.MaxPool2d(2),
        nn.Conv2d(3, 3, 3, padding=1),
        nn.ConvTranspose2d(3, 2, 2, stride=2),
    )


@pytest.fixture
def audit(view, rest):
    def press(path):
        view.network.open_file(path)
        view.run.run.click()
        rest()

    return press


@pytest.fixture
def scene(viewer, dock):
    pixels = np.random.default_rng(0).normal(size=(96, 96)).astype(np.float32)
    return viewer.add_image(pixels, name="noise", scale=(0.5, 0.5), translate=(10, -4))


@pytest.fixture
def tile(view, rest):
    def press():
        view.image.run.run.click()
        rest()

    return press


@pytest.fixture
def held(monkeypatch):
    """Hold the comparison in its thread until the test lets it go."""
    reached, go = threading.Event(), threading.Event()

    def wait(*arguments, **keywords):
        reached.set()
        go.wait(20)
        return events(*arguments, **keywords)

    events = job.diagnose_events
    monkeypatch.setattr(job, "diagnose_events", wait)
    yield reached
    go.set()


def differences(viewer):
    return {layer.name: layer for layer in own_layers(viewer, kind=DIFFERENCE)}


def test_a_model_of_the_plugin_gets_a_verdict_a_card_and_plots(view, on_offer, audit):
    audit(on_offer["bands"])
    assert not view.network.input.isVisibleTo(view)
    assert view.verdict.text().startswith("<b>Can be tiled exactly:</b> output tiles of n * 8")
    assert not view.verdict.is_warning
    assert view.facts.values["Period"].text() == "8 px"
    assert view.facts.values["Sees all of a tile"].text() == "nothing"
    assert len(view.plots.shifts.figure.axes) == 2
    assert not view.plots.field.isHidden()


def test_a_torchscript_file_is_asked_its_axes(view, pooled, audit):
    audit(pooled)
    assert view.network.input.isVisibleTo(view)
    assert "n * 2" in view.verdict.text()


def test_wrong_axes_and_wrong_files_are_notifications(view, pooled, audit, tmp_path, notifications):
    view.network.axes.choose("3")
    audit(pooled)
    audit(tmp_path / "absent.pt")
    text = tmp_path / "text.pt"
    text.write_text("no network")
    audit(text)
    errors = [message for severity, message in notifications() if severity == "error"]
    assert len(errors) == 3
    assert "takes no image" in errors[0]
    assert "there is no network" in errors[1]
    assert "is not a network" in errors[2]
    assert view.run.run.isEnabled() and not view.run.cancel.isEnabled()


class TestPythonCode:
    """A network that a factory makes: named in a dialog, and run only by consent."""

    @pytest.fixture
    def code(self, tmp_path):
        file = tmp_path / "mine.py"
        file.write_text(
            "from torch.nn import Conv2d\n\nran = []\n\n\n"
            "def _helper():\n    return 1\n\n\n"
            f"def small():\n    open({str(tmp_path / 'ran')!r}, 'w').close()\n"
            "    return Conv2d(1, 2, 3, padding=1)\n"
        )
        return file

    @pytest.fixture
    def choose(self, view, monkeypatch, tmp_path):
        """Open the dialog from the menu, browse to a file, and press OK."""

        def press(path, weights=""):
            monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *a: (str(path), ""))

            def filled(dialog):
                assert not dialog.buttons.button(dialog.buttons.StandardButton.Ok).isEnabled()
                dialog.code.browse.click()
                dialog.weights.line.setText(str(weights))
                dialog.buttons.button(dialog.buttons.StandardButton.Ok).click()
                return dialog.result()

            monkeypatch.setattr(PythonNetworkDialog, "exec", filled)
            view.network.openings["code"].trigger()

        return press

    def test_runs_when_a_person_says_so_and_is_asked_once(
        self, view, code, choose, say, rest, tmp_path
    ):
        asked = say("Yes")
        choose(code)
        assert view.network.combo.currentText() == "mine.py:small"
        assert not (tmp_path / "ran").exists()
        for _ in range(2):
            view.run.run.click()
            rest()
        assert view.facts.values["Period"].text() == "1 px"
        assert (tmp_path / "ran").exists()
        assert len(asked) == 1 and "can do anything on this computer. Run it?" in asked[0]

    def test_does_not_run_when_a_person_says_no(self, view, code, choose, say, rest, tmp_path):
        say("No")
        choose(code)
        view.run.run.click()
        rest()
        assert not (tmp_path / "ran").exists()
        assert view.run.run.isEnabled()

    def test_is_filled_with_weights(self, dock, view, code, choose, say, rest, tmp_path):
        say("Yes")
        weights = {"weight": torch.ones(2, 1, 3, 3), "bias": torch.zeros(2)}
        torch.save(weights, tmp_path / "weights.pt")
        choose(code, tmp_path / "weights.pt")
        view.run.run.click()
        rest()
        filled = dock.control.audited.foreign.module.state_dict()
        assert all(torch.equal(filled[name], value) for name, value in weights.items())

    def test_of_a_file_that_defines_nothing_is_named_by_hand(self, code, tmp_path):
        (tmp_path / "empty.py").write_text("x = (")
        assert first_definition(tmp_path / "empty.py") == ""
        assert first_definition(code) == "small"


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
    view, pooled, scene, audit, tile, tmp_path, monkeypatch, notifications
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
    view.image.save.click()
    assert (tmp_path / "proof.json").read_text() == "mine"
    assert "exists; nothing was written" in notifications()[-1][1]


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


class TestOutput:
    """The page "Output": any network's output as an image, and as labels."""

    @pytest.fixture
    def page(self, view):
        return view.output

    @pytest.fixture
    def predict(self, page, rest):
        def press():
            page.run.run.click()
            rest()

        return press

    @pytest.fixture
    def squares(self, viewer, dock):
        """Two bright squares, of which the network below says where they are."""
        pixels = np.zeros((64, 70), np.float32)
        pixels[5:20, 8:30] = pixels[30:55, 20:60] = 1
        return viewer.add_image(pixels, name="squares", scale=(0.5, 0.5), translate=(10, -4))

    @pytest.fixture
    def blurring(self, recorded):
        """A network of two channels: the image, and its mean over 3 x 3 pixels."""
        layer = nn.Conv2d(1, 2, 3, padding=1)
        with torch.no_grad():
            layer.weight[:] = 0
            layer.weight[0, 0, 1, 1] = 1
            layer.weight[1] = 1 / 9
            layer.bias[:] = 0
        return recorded(layer)

    def test_is_one_layer_with_a_slider_for_its_channels(
        self, viewer, view, page, squares, blurring, audit, predict
    ):
        assert not page.run.run.isEnabled()
        audit(blurring)
        predict()
        (layer,) = own_layers(viewer, kind=OUTPUT)
        assert layer.name == "Output (recorded.pt)"
        assert layer.data.shape == (2, 64, 70)
        np.testing.assert_array_equal(layer.scale, (1, 0.5, 0.5))
        np.testing.assert_array_equal(layer.translate, (0, 10, -4))
        inside, outside = layer.data[0][squares.data == 1], layer.data[0][squares.data == 0]
        assert inside.min() > outside.max()
        assert page.said.text() == "2 channels of “squares” from 2 tiles."
        assert layer.metadata["shiftseg"]["provenance"]["halo"] == [1, 1]
        predict()
        assert own_layers(viewer, kind=OUTPUT) == [layer]

    def test_channels_that_a_person_names_become_labels(
        self, viewer, page, squares, blurring, audit, predict, rest
    ):
        audit(blurring)
        assert not page.cluster.isEnabled()
        predict()
        page.embedding.setText("0, 1")
        page.foreground.setText("0")
        page.cluster.click()
        rest()
        (labels,) = (layer for layer in viewer.layers if layer.name == "Labels (recorded.pt)")
        np.testing.assert_array_equal(labels.data > 0, squares.data == 1)
        np.testing.assert_array_equal(labels.scale, squares.scale)
        assert "2 objects" in page.said.text()
        page.cluster.click()
        rest()
        assert sum("Labels" in layer.name for layer in viewer.layers) == 1

    @pytest.mark.parametrize(
        ("embedding", "foreground", "says"),
        [
            ("", "", "no channel of the embedding is named; legal: 0 to 1"),
            ("0-2", "", "the output has 0 to 1"),
            ("first", "", "'first' is no channel; write 2, or 0-3"),
            ("0", "0, 1", "one channel tells foreground"),
        ],
    )
    def test_what_names_no_channels_is_a_notification(
        self, page, squares, blurring, audit, predict, rest, notifications,
        embedding, foreground, says,
    ):  # fmt: skip
        audit(blurring)
        predict()
        page.embedding.setText(embedding)
        page.foreground.setText(foreground)
        page.cluster.click()
        rest()
        severity, message = notifications()[-1]
        assert severity == "error" and says in message

    def test_statistics_are_frozen_where_a_network_takes_them_from_the_tile(
        self, viewer, page, squares, recorded, audit, predict
    ):
        audit(recorded(nn.Conv2d(1, 2, 3, padding=1), nn.InstanceNorm2d(2)))
        assert page.run.run.isEnabled() == page.freeze.isChecked()
        if page.freeze.isChecked():
            predict()
            assert own_layers(viewer, kind=OUTPUT)

    def test_the_frame_on_screen_of_a_stack(self, viewer, page, blurring, audit, predict, dock):
        pixels = np.random.default_rng(0).normal(size=(3, 40, 44)).astype(np.float32)
        viewer.add_image(pixels, name="stack", scale=(2, 1, 1))
        viewer.dims.set_current_step(0, 1)
        audit(blurring)
        predict()
        (layer,) = own_layers(viewer, kind=OUTPUT)
        assert layer.data.shape == (2, 1, 40, 44)
        np.testing.assert_array_equal(layer.translate, (0, 2, 0, 0))

    def test_models_of_the_plugin_are_clustered_elsewhere(
        self, page, squares, on_offer, audit, predict, notifications
    ):
        audit(on_offer["bands"])
        predict()
        page.cluster.click()
        assert "is clustered in the widget Segment" in notifications()[-1][1]

    def test_an_image_that_goes_takes_its_output_s_clustering_along(
        self, viewer, page, squares, blurring, audit, predict
    ):
        audit(blurring)
        predict()
        viewer.layers.remove(squares)
        assert not page.cluster.isEnabled()
        assert "squares was removed" in page.said.text()
