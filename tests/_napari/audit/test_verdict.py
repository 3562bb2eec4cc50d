"""What a network is, said in words: whatever file or code it comes from."""

import pytest
import torch
from qtpy.QtWidgets import QFileDialog

from napari_shiftseg._napari.audit.python_network import PythonNetworkDialog, first_definition


def test_a_model_of_the_plugin_gets_a_verdict_a_card_and_plots(view, on_offer, audit):
    audit(on_offer["bands"])
    assert not view.network.input.isVisibleTo(view)
    assert view.verdict.text().startswith("<b>Can be tiled exactly:</b> output tiles of n * 8")
    assert not view.verdict.is_warning
    assert view.facts.values["Network"].text().startswith("bands.safetensors: UNet, 2-D")
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


def test_a_verdict_does_not_stand_under_the_name_of_another_network(
    view, on_offer, pooled, audit, tmp_path
):
    audit(on_offer["bands"])
    text = tmp_path / "text.pt"
    text.write_text("no network")
    audit(text)
    assert not view.facts.values
    assert view.verdict.text().startswith("Can a network be tiled")
    audit(pooled)
    assert view.facts.values
    view.network.combo.setCurrentIndex(0)
    assert not view.facts.values
    assert not view.output.run.run.isEnabled() and not view.image.run.run.isEnabled()


def test_a_verdict_does_not_stand_when_the_file_is_opened_again(view, pooled, audit):
    audit(pooled)
    assert "tiled exactly" in view.verdict.text()
    view.network.open_file(pooled)
    assert "tiled exactly" not in view.verdict.text()


@pytest.mark.parametrize(
    "change",
    [
        lambda network: network.axes.buttons["3"].click(),
        lambda network: network.channels.setValue(3),
    ],
    ids=["axes", "channels"],
)
def test_a_verdict_does_not_stand_beside_another_input(view, pooled, audit, change):
    audit(pooled)
    change(view.network)
    assert "tiled exactly" not in view.verdict.text()


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
