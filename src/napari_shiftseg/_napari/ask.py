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


def may_go_on(parent: QWidget, title: str, path: Path) -> bool:
    """Ask whether an unfinished run beside a file may go on, or be begun anew."""
    return _ask(
        parent,
        title,
        f"An unfinished run lies at {path.name}. With the same settings it goes on; with others "
        "it is begun anew. Go ahead?",
    )


def may_replace(parent: QWidget, title: str, path: Path) -> bool:
    """Ask whether a file may be replaced."""
    return _ask(parent, title, f"{path.name} exists. Replace it?")


def _ask(parent: QWidget, title: str, question: str) -> bool:
    answer: Any = QMessageBox.question(parent, title, question)
    return answer == QMessageBox.StandardButton.Yes
