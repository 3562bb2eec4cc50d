"""A network that a factory makes: named in a dialog, and run only by consent."""

import pytest
import torch
from qtpy.QtWidgets import QFileDialog

from napari_shiftseg._napari.audit.python_network import PythonNetworkDialog, first_definition


@pytest.fixture
def code(tmp_path):
    file = tmp_path / "mine.py"
    file.write_text(
        "from torch.nn import Conv2d\n\nran = []\n\n\n"
        "def _helper():\n    return 1\n\n\n"
        f"def small():\n    open({str(tmp_path / 'ran')!r}, 'w').close()\n"
        "    return Conv2d(1, 2, 3, padding=1)\n"
    )
    return file


@pytest.fixture
def choose(view, monkeypatch, tmp_path):
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


def test_runs_when_a_person_says_so_and_is_asked_once(view, code, choose, say, rest, tmp_path):
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


def test_does_not_run_when_a_person_says_no(view, code, choose, say, rest, tmp_path):
    say("No")
    choose(code)
    view.run.run.click()
    rest()
    assert not (tmp_path / "ran").exists()
    assert view.run.run.isEnabled()


def test_is_filled_with_weights(dock, view, code, choose, say, rest, tmp_path):
    say("Yes")
    weights = {"weight": torch.ones(2, 1, 3, 3), "bias": torch.zeros(2)}
    torch.save(weights, tmp_path / "weights.pt")
    choose(code, tmp_path / "weights.pt")
    view.run.run.click()
    rest()
    filled = dock.control.audited.foreign.module.state_dict()
    assert all(torch.equal(filled[name], value) for name, value in weights.items())


def test_of_a_file_that_defines_nothing_is_named_by_hand(code, tmp_path):
    (tmp_path / "empty.py").write_text("x = (")
    assert first_definition(tmp_path / "empty.py") == ""
    assert first_definition(code) == "small"
