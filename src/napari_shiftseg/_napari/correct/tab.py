"""The tab "Correct": which labels, which tool, and what the last action did."""

from __future__ import annotations

from typing import Literal, cast

from napari.layers import Labels
from napari.viewer import Viewer
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QFormLayout, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from napari_shiftseg._napari.layer_choice import LayerChoice
from napari_shiftseg._napari.sentence import Sentence
from napari_shiftseg._napari.switch import Switch

Tool = Literal["off", "pick", "merge", "split"]

_PICK = "Click an object to segment just it (Alt+K)"
_TOOLS = (
    ("off", "&Off", "Leave the mouse to napari, to move around and to paint (Alt+O)"),
    ("pick", "Pic&k", _PICK),
    ("merge", "&Merge", "Click one piece, shift-click what belongs to it (Alt+M)"),
    ("split", "&Split", "Drag a line across an object to cut it in two (Alt+S)"),
)
_INSTRUCTIONS: dict[Tool, str] = {
    "off": "Choose a tool to correct objects with the mouse.",
    "pick": "Click an object to segment just it; shift-click another piece to merge it in.",
    "merge": "Click one piece, then shift-click the others that belong to it.",
    "split": "Drag a line right across an object, from outside to outside.",
}
_MEND = "M&end all seam splits"
_NO_EMBEDDING = "Pick waits for a run: these labels come without an embedding."


class CorrectTab(QWidget):
    """Controls for correcting by hand; a controller is asked to do it.

    Parameters
    ----------
    viewer
        Whose labels layers are offered.
    """

    tool_changed = Signal(str)
    undo_requested = Signal()
    redo_requested = Signal()
    mend_requested = Signal()

    def __init__(self, viewer: Viewer, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.layers = LayerChoice(viewer, Labels)
        self.layers.setToolTip("The labels layer to correct; it follows the layer list")
        self.tools = Switch(_TOOLS)
        self.instruction = Sentence()
        self.undo = _button("&Undo", "Take back the last change, whichever tool made it (Alt+U)")
        self.redo = _button("&Redo", "Make the change that was taken back again (Alt+R)")
        self.mend = _button(_MEND, "")
        self.status = Sentence()
        self._lay_out()
        self.tools.changed.connect(self.tool_changed)
        self.undo.clicked.connect(self.undo_requested)
        self.redo.clicked.connect(self.redo_requested)
        self.mend.clicked.connect(self.mend_requested)
        self.propose(0)

    @property
    def tool(self) -> Tool:
        """The tool that is on."""
        return cast("Tool", self.tools.value)

    def allow(self, *, editing: bool, picking: bool) -> None:
        """Allow or forbid to change the layer, and to segment single objects of it."""
        for button in (*self.tools.buttons.values(), self.undo, self.redo):
            button.setEnabled(editing)
        pick = self.tools.buttons["pick"]
        pick.setEnabled(editing and picking)
        pick.setToolTip(_PICK if picking else _NO_EMBEDDING)

    def instruct(self, obstacle: str | None = "") -> None:
        """Say how the tool is used, or what keeps it from it; None says there is no layer."""
        how = _INSTRUCTIONS[self.tool]
        if obstacle is None:
            how = "Open or make a labels layer to correct it."
        elif self.tool == "off" and not self.tools.buttons["pick"].isEnabled():
            how = f"{how} {_NO_EMBEDDING}"
        self.instruction.say(obstacle or how, warning=bool(obstacle))

    def propose(self, count: int) -> None:
        """Offer to mend this many objects."""
        self.mend.setEnabled(count > 0)
        self.mend.setText(f"{_MEND} ({count})" if count else _MEND)
        self.mend.setToolTip(
            "Merge the pieces of every object that the seam report lists, in one step (Alt+E)"
            if count
            else "Nothing to mend: no run compared with others, or with ground truth, "
            "found objects of this layer cut at seams"
        )

    def _lay_out(self) -> None:
        form = QFormLayout()
        form.addRow("Labels", self.layers)
        form.addRow("Tool", self.tools)
        history = QHBoxLayout()
        history.addWidget(self.undo)
        history.addWidget(self.redo)
        column = QVBoxLayout(self)
        column.addLayout(form)
        column.addWidget(self.instruction)
        column.addLayout(history)
        column.addWidget(self.mend)
        column.addWidget(self.status)
        column.addStretch(1)


def _button(text: str, tip: str) -> QPushButton:
    button = QPushButton(text)
    button.setToolTip(tip)
    return button
