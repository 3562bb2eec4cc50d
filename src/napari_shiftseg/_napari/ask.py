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


def may_run(parent: QWidget, what: str) -> bool:
    """Ask whether code may be run; ``what`` says whose, and what it could do."""
    no = QMessageBox.StandardButton.No
    return _ask(parent, "Run this code?", f"{what}. Run it?", default=no)


def _ask(
    parent: QWidget,
    title: str,
    question: str,
    default: QMessageBox.StandardButton = QMessageBox.StandardButton.NoButton,
) -> bool:
    yes = QMessageBox.StandardButton.Yes
    both = yes | QMessageBox.StandardButton.No
    answer: Any = QMessageBox.question(parent, title, question, both, default)
    return answer == yes
