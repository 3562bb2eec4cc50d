"""Choose ground truth, and never that of another image."""

from __future__ import annotations

from typing import Any

import numpy as np
from napari.layers import Labels, Layer
from napari.viewer import Viewer
from qtpy.QtWidgets import QWidget

from napari_shiftseg._napari.job import Subject
from napari_shiftseg._napari.layer_choice import LayerChoice
from napari_shiftseg._napari.placement import doubt_of_place, pixels_of
from napari_shiftseg._napari.tags import tag_of

_SOON = 2**24
"""Pixels that can be looked through without a person's noticing."""


class TruthChoice(LayerChoice):
    """A labels layer or none; the truth that came with a sample is chosen with it.

    Parameters
    ----------
    viewer
        Whose layers.
    """

    def __init__(self, viewer: Viewer, parent: QWidget | None = None) -> None:
        self._image: Layer | None = None
        super().__init__(viewer, Labels, none_text="none", parent=parent)
        self.setToolTip("With ground truth, results are scored against it")

    def set_image(self, image: Layer | None) -> None:
        """Take another image."""
        self._image = image
        if self.layer is not None and not self._belongs(self.layer):
            self.choose(None)
        for layer in self._offered():
            self._take(layer)

    def doubts(self, subject: Subject) -> list[str]:
        """Say what a person may not have meant, in sentences.

        Parameters
        ----------
        subject
            What is compared with it.
        """
        truth = self.layer
        if truth is None:
            return []
        said = []
        pixels = pixels_of(truth)
        if isinstance(pixels, np.ndarray) and pixels.size <= _SOON and not pixels.any():
            said.append(f"{truth.name} has no objects: none can be found.")
        if subject.frames > 1 and truth.ndim <= len(subject.space.size):
            said.append(f"{truth.name} has one frame, which serves all {subject.frames}.")
        if self._image is not None and (doubt := doubt_of_place(truth, self._image)):
            said.append(doubt)
        return said

    def _on_inserted(self, event: Any) -> None:
        super()._on_inserted(event)
        self._take(event.value)

    def _take(self, layer: Layer) -> None:
        """Choose a layer that came as the truth of the image."""
        if "truth_of" in tag_of(layer) and self._belongs(layer):
            self.choose(layer)

    def _belongs(self, truth: Layer) -> bool:
        named = tag_of(truth).get("truth_of")
        return named is None or (
            self._image is not None and tag_of(self._image).get("sample") == named
        )
