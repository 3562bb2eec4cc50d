"""Text that wraps, and that can be a warning."""

from __future__ import annotations

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QLabel, QSizePolicy, QWidget


class Sentence(QLabel):
    """One or more sentences; the top widget's style sheet colours warnings.

    Parameters
    ----------
    parent
        Owner.
    wrap
        Whether lines are broken; without it the text brings its own breaks.
    """

    def __init__(self, parent: QWidget | None = None, *, wrap: bool = True) -> None:
        super().__init__(parent)
        self.setWordWrap(wrap)
        self.setAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
        policy = QSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)

    @property
    def is_warning(self) -> bool:
        """Whether the text is shown as a warning."""
        return bool(self.property("warning"))

    def say(self, text: str, *, warning: bool = False, rich: bool = False) -> None:
        """Show a text; names of layers and files may look like markup, and are none."""
        plain, marked = Qt.TextFormat.PlainText, Qt.TextFormat.RichText
        self.setTextFormat(marked if rich else plain)
        self.setText(text)
        if warning != self.is_warning:
            self.setProperty("warning", warning)
            # Qt evaluates property selectors only when a widget is polished.
            self.style().unpolish(self)
            self.style().polish(self)


def as_sentence(error: object) -> str:
    """Write a message as a sentence; names of files and models keep their small letters."""
    text = str(error)
    begins = text[:1].upper() if text.partition(" ")[0].isalpha() else text[:1]
    return f"{begins}{text[1:]}{'' if text.endswith('.') else '.'}"


def warning_style(colour: str) -> str:
    """Return the style sheet that colours warnings."""
    return f'QLabel[warning="true"] {{ color: {colour}; }}'
