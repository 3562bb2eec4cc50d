"""What a run leaves behind for correcting its labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_shiftseg.labels.edit import Edit, put_object
from napari_shiftseg.labels.single import segment_at
from napari_shiftseg.seams.mend import Groups, propose_merges
from napari_shiftseg.seams.report import SeamReport
from napari_shiftseg.settings import Clustering


@dataclass(frozen=True)
class Correctable:
    """What is known about the labels that a run made.

    Parameters
    ----------
    embedding
        ``(E, *loops, *spatial)`` float32.
    foreground
        ``(*loops, *spatial)`` probability, or None.
    clustering
        The settings of the run.
    report
        What seams did to the labels, or None.
    spatial_ndim
        Number of spatial axes; the loops before them count frames of their own.
    """

    embedding: NDArray[Any]
    foreground: NDArray[Any] | None
    clustering: Clustering
    report: SeamReport | None
    spatial_ndim: int

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the labels."""
        return self.embedding.shape[1:]

    @property
    def groups(self) -> Groups:
        """Labels that the report proposes to merge."""
        return () if self.report is None else propose_merges(self.report)

    def frame_of(self, place: tuple[int, ...]) -> tuple[int, ...]:
        """Return the part of a pixel's coordinates that says in which frame it is."""
        return place[: len(place) - self.spatial_ndim]

    def pick(self, labels: NDArray[Any], place: tuple[int, ...], new_label: int) -> Edit:
        """Segment the object at a pixel and write it over the labels of that frame.

        Raises
        ------
        ShiftSegError
            If there is no object.
        """
        frame = self.frame_of(place)
        seed = place[len(frame) :]
        foreground = None if self.foreground is None else self.foreground[frame]
        embedding = np.moveaxis(self.embedding, 0, len(frame))[frame]
        pixels = segment_at(embedding, foreground, seed, self.clustering)
        return put_object(labels[frame], pixels, seed, new_label).in_frame(frame)
