"""The layers of the two results that are compared."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

from napari.layers import Labels, Layer, Points
from napari.viewer import Viewer

from napari_shiftseg._napari.job import Result
from napari_shiftseg._napari.layers import layer_of, pictures_of, set_visible
from napari_shiftseg._napari.results import Results
from napari_shiftseg._napari.ring_layers import CUTS, ring_centres, show_some_rings
from napari_shiftseg._napari.tags import tag_of


@dataclass(frozen=True)
class Side:
    """One result and its layers.

    Parameters
    ----------
    viewer
        Where the layers are.
    result
        What they show.
    labels
        The objects.
    rings
        Around those that were cut; None if none was, or while the layer is gone.
    """

    viewer: Viewer
    result: Result
    labels: Labels
    rings: Points | None

    @classmethod
    def bring_up(
        cls, viewer: Viewer, results: Results, result: Result
    ) -> Generator[None, None, Side]:
        """Bring up the layers of a result, in steps."""
        labels = yield from results.add(result)
        return cls(viewer, result, labels, layer_of(viewer, result.key, CUTS))

    @property
    def layers(self) -> list[Layer]:
        """The layers that still exist."""
        own = (self.labels, self.rings)
        return [layer for layer in own if layer is not None and layer in self.viewer.layers]

    @property
    def alive(self) -> bool:
        """Whether the objects are still in the viewer."""
        return self.labels in self.viewer.layers

    def set_visible(self, visible: bool, *, labels: bool = True) -> None:
        """Show or hide the layers; without ``labels`` the rings alone are shown."""
        for layer in self.layers:
            set_visible(layer, visible and (labels or layer is self.rings))

    def shift(self, distance: float) -> None:
        """Move the layers along the last axis, in world units, and note how far they are."""
        for layer in self.layers:
            own = tag_of(layer)
            own["aside"] = own.get("aside", 0.0) + distance
            layer.translate = (*layer.translate[:-1], layer.translate[-1] + distance)

    def show_rings(self, where: tuple[float, float]) -> None:
        """Show the rings whose centre lies between two pixels of the last axis, and no others."""
        rings = self.rings
        if rings is None or rings not in self.viewer.layers:
            return
        columns = ring_centres(rings)[:, -1]
        show_some_rings(rings, (columns >= where[0]) & (columns < where[1]))


def hide_others(viewer: Viewer, sides: tuple[Side, Side]) -> None:
    """Hide the plugin's other pictures of the same image."""
    kept = [layer for side in sides for layer in side.layers]
    for layer in pictures_of(viewer, sides[0].result.subject.image_key):
        if layer not in kept:
            set_visible(layer, False)
