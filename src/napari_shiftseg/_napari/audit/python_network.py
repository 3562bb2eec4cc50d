"""Name a network that Python code makes, and the weights to fill it with."""

from __future__ import annotations

import ast
from pathlib import Path

from qtpy.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QWidget,
)

from napari_shiftseg._napari.sentence import Sentence

_WIDTH = 460


class PathField(QWidget):
    """A line, and a button that fills it from a file dialog."""

    def __init__(self, hint: str, kinds: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._kinds = kinds
        self.line = QLineEdit()
        self.line.setPlaceholderText(hint)
        self.browse = QPushButton("Browse…")
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.line, 1)
        row.addWidget(self.browse)
        self.browse.clicked.connect(self._ask)

    @property
    def text(self) -> str:
        """What stands in the line."""
        return self.line.text()

    def _ask(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, "Choose a file", "", self._kinds)
        if path:
            self.line.setText(self.named(path))

    def named(self, path: str) -> str:
        """Return what is written for a file."""
        return path


class CodeField(PathField):
    """Python code: ``package.module:factory``, or a file with the first factory in it."""

    def named(self, path: str) -> str:
        """Name the first function or class of a file, which is read and not run."""
        return f"{path}:{first_definition(Path(path))}"


class PythonNetworkDialog(QDialog):
    """Asks for the code and its weights; nothing is run yet."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Network from Python code")
        self.code = CodeField("package.module:factory or file.py:factory", "Python (*.py)")
        self.weights = PathField(
            "optional: a state dict", "Weights (*.safetensors *.pt *.pth);;All files (*)"
        )
        note = Sentence()
        note.say(
            "The factory is a function, or a class, without parameters that returns a "
            "torch.nn.Module. When the network is audited, you are asked before its code is run."
        )
        self.buttons = QDialogButtonBox(
            QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel
        )
        form = QFormLayout(self)
        form.addRow("Code", self.code)
        form.addRow("Weights", self.weights)
        form.addRow(note)
        form.addRow(self.buttons)
        self.setMinimumWidth(_WIDTH)
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        self.code.line.textChanged.connect(self._allow)
        self._allow()

    def _allow(self) -> None:
        module, _, factory = self.code.text.strip().rpartition(":")
        ok = self.buttons.button(QDialogButtonBox.StandardButton.Ok)
        ok.setEnabled(bool(module) and factory.isidentifier())


def first_definition(path: Path) -> str:
    """Return the name of the first public function or class in a file; empty if it has none."""
    try:
        body = ast.parse(path.read_bytes()).body
    except (OSError, ValueError, SyntaxError):
        return ""
    kinds = (ast.FunctionDef, ast.ClassDef)
    names = (part.name for part in body if isinstance(part, kinds))
    return next((name for name in names if not name.startswith("_")), "")
