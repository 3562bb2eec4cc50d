"""How the intensities of an image are scaled before a network sees it."""

from __future__ import annotations

from typing import cast

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QComboBox, QWidget

from napari_shiftseg.image.intensity import Kind

_CHOICES = (
    (
        "",
        "Default scaling",
        "As the model was trained or its package says; of other files not at all",
    ),
    ("percentile", "Percentiles", "The 1 % and the 99.8 % ones become 0 and 1"),
    ("standard", "Standardised", "The mean becomes 0, the standard deviation 1"),
    ("none", "No scaling", "Pixels as they are"),
)


class IntensityChoice(QComboBox):
    """Choose one of them."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setToolTip("How intensities are scaled, over the whole image, for the network")
        for number, (kind, text, tip) in enumerate(_CHOICES):
            self.addItem(text, kind)
            self.setItemData(number, tip, Qt.ItemDataRole.ToolTipRole)

    @property
    def kind(self) -> Kind | None:
        """What is chosen; None for what the network says."""
        return cast("Kind | None", str(self.currentData()) or None)
