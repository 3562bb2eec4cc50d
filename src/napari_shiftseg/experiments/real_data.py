"""The real images that Figs. 6 and 7 are measured on."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_shiftseg.errors import ShiftSegError
from napari_shiftseg.image.packs import read_pack

DATA_VARIABLE = "SHIFTSEG_DATA"


@dataclass(frozen=True)
class DataSet:
    """Images with ground truth, and the bundled model that was made for such images.

    Parameters
    ----------
    name
        As in the paper, or the one that stands in for it.
    pack
        File below the folder that the environment variable names.
    model
        Bundled model of the paper's plain embedding.
    tiles
        Naive tile sizes in pixels, over two periods.
    tested
        Share of the last axis, from its end, that was not trained on; 1 for all of it.
    placements
        How often each image is taken, every time from one pixel farther along each axis: where
        a grid lies is chance, and few objects would be cut by one.
    """

    name: str
    pack: str
    model: str
    tiles: tuple[int, ...]
    tested: float = 1.0
    placements: int = 1

    @property
    def title(self) -> str:
        """The name, and how often each image was taken if that is more than once."""
        at = f" at {self.placements} places of the grid" if self.placements > 1 else ""
        return self.name + at

    def pairs(self) -> Iterator[tuple[NDArray[Any], NDArray[Any]]]:
        """Yield image and ground truth.

        Raises
        ------
        ShiftSegError
            If the folder is not known, or has no such pack.
        """
        folder = os.environ.get(DATA_VARIABLE)
        if not folder:
            raise ShiftSegError(
                f"{self.name} is not part of the package: set {DATA_VARIABLE} to a folder that "
                f"has {self.pack}"
            )
        for pair in read_pack(Path(folder) / self.pack):
            trained = round((1 - self.tested) * pair.mask.shape[-1])
            for first in range(self.placements):
                spatial = [slice(first, None)] * (pair.mask.ndim - 1)
                part: Any = (..., *spatial, slice(trained + first, None))
                yield np.ascontiguousarray(pair.image[part]), np.ascontiguousarray(pair.mask[part])


_PLANE_TILES = (60, 62, 64, 66, 68, 70, 72, 74, 76)

DATA_SETS = (
    DataSet("DSB2018", "dsb2018_fluo/dsb2018_fluo_test.zip", "nuclei-2d-plain", _PLANE_TILES),
    DataSet("BBBC039", "bbbc039/bbbc039_train.zip", "nuclei-2d-plain", _PLANE_TILES),
    DataSet(
        "nuclei3d",
        "nuclei3d/nuclei3d_train.zip",
        "nuclei-3d",
        (12, 14, 16, 18, 20, 22, 24),
        tested=0.4,
        placements=8,
    ),
)
"""DSB2018 and nuclei3d as in the paper; BBBC039 stands in for BBBC006: same cells, same stain."""
