"""The layer that a repair makes: a copy beside the person's own labels."""

from __future__ import annotations

import numpy as np
from napari.layers import Labels
from napari.viewer import Viewer
from numpy.typing import NDArray

from napari_shiftseg._napari.check.job import Found, Repaired
from napari_shiftseg._napari.check.part import TurnedPlacement
from napari_shiftseg._napari.layers import insert_above, set_visible
from napari_shiftseg._napari.turns import Steps
from napari_shiftseg.errors import ShiftSegError
from napari_shiftseg.seams.repair import undo_repair


class RepairedLayer:
    """Brings up the last repair, and takes it back.

    Parameters
    ----------
    viewer
        Where the layer lives.
    """

    def __init__(self, viewer: Viewer) -> None:
        self._viewer = viewer
        self._source: Labels | None = None
        self._name = ""
        self.layer: Labels | None = None
        self.repaired: Repaired | None = None

    @property
    def there(self) -> bool:
        """Whether there is anything to undo."""
        return self.layer is not None and self.layer in self._viewer.layers

    def show(self, repaired: Repaired, source: Labels) -> Steps:
        """Add the layer above the labels that were repaired, which are hidden if it is all of them.

        A repair of the same check takes the place of the one before, unless a person has
        edited that.
        """
        data = repaired.labels.reshape((1,) * len(repaired.found.part.placement.frame)
                                       + repaired.labels.shape)  # fmt: skip
        before = self.layer if self.there else None
        if before is not None and self.repair_of(repaired.found) and not self._edited():
            before.data = data
            self.repaired = repaired
            return
        layer = Labels(
            data,
            name=f"{repaired.found.part.title}, repaired",
            # Of a frame alone the source stays below, and would shine through.
            opacity=1 if repaired.found.part.placement.frame else source.opacity,
            visible=False,
            **repaired.found.part.placement.keywords_of_frame,
        )
        yield
        if source in self._viewer.layers:
            insert_above(self._viewer, source, layer)
        else:
            self._viewer.layers.append(layer)
        self.layer, self.repaired, self._source = layer, repaired, source
        self._name = layer.name
        yield
        set_visible(layer, True)
        if not repaired.found.part.placement.frame:
            set_visible(source, False)

    def follow(self, placement: TurnedPlacement) -> None:
        """Move the layer with the labels that were repaired."""
        if self.there:
            for name, value in placement.keywords_of_frame.items():
                setattr(self.layer, name, value)

    def undo(self) -> str:
        """Remove the layer, or cut again what a person has edited since; say which."""
        layer, repaired = self.layer, self.repaired
        if layer is None or repaired is None or not self.there:
            return "There is no repair to undo."
        if not self._edited():
            self._viewer.layers.remove(layer)
            text = f"Undone: {layer.name} is gone."
        else:
            layer.data = self._cut_again(layer.data).reshape(layer.data.shape)
            text = f"Undone: the pieces in {layer.name} are apart again; your edits stay."
        if self._source is not None and self._source in self._viewer.layers:
            set_visible(self._source, True)
        self.layer = self.repaired = None
        return text

    def repair_of(self, found: Found | None) -> Repaired | None:
        """Return the last repair, if it is one of this check, wherever its labels lie by now."""
        last = self.repaired
        same = last is not None and found is not None and last.found.check is found.check
        return last if same else None

    def _edited(self) -> bool:
        """Tell whether a person has changed or named the layer."""
        assert self.layer is not None and self.repaired is not None
        try:
            before = self._cut_again(self.layer.data)
        except ShiftSegError:  # another array is in the layer
            return True
        if not np.array_equal(before, self.repaired.found.labels):
            return True
        return self.layer.name != self._name

    def _cut_again(self, data: NDArray) -> NDArray:
        assert self.repaired is not None
        frames = len(self.repaired.found.part.placement.frame)
        return undo_repair(np.asarray(data).reshape(data.shape[frames:]), self.repaired.repair)
