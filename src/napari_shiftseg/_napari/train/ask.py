"""Questions before anything is lost."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from qtpy.QtWidgets import QMessageBox, QWidget


def may_forget(parent: QWidget, checkpoint: Path, step: int) -> bool:
    """Ask whether a training that was begun may be forgotten."""
    return _ask(
        parent,
        "Start afresh",
        f"{checkpoint.name} holds a training of {step} steps. Forget it and begin again?",
    )


def may_replace(parent: QWidget, path: Path) -> bool:
    """Ask whether a file may be replaced."""
    return _ask(parent, "Export model", f"{path.name} exists. Replace it?")


def _ask(parent: QWidget, title: str, question: str) -> bool:
    answer: Any = QMessageBox.question(parent, title, question)
    return answer == QMessageBox.StandardButton.Yes
