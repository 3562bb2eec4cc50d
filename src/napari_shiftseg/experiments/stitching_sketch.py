"""The 1-d sketch of Fig. 3: which functions of a network meet at the seams of its tiles."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray

from napari_shiftseg.embeddings.predict import Stitcher, predict_tiles
from napari_shiftseg.embeddings.unet import UNet
from napari_shiftseg.experiments.constructions import prime_network
from napari_shiftseg.experiments.equivariance import outputs
from napari_shiftseg.experiments.function_counts import pointwise
from napari_shiftseg.image.intensity import Scaling
from napari_shiftseg.settings import StitchMode
from napari_shiftseg.tiles.plan import make_plan

WIDTH = 22
"""Pixels of the sketch's image: two tiles of 11."""

INSTANCES = ((7, 8), (10, 11))
"""The pixels of its two instances: one across a seam of tiles of 8, one of tiles of 11."""


@dataclass(frozen=True)
class StitchingSketch:
    """One row of Fig. 3.

    Parameters
    ----------
    training_tile
        Output tile size in training, in pixels.
    tile
        Output tile size in inference, in pixels.
    labels
        ``(X,)`` int32: the instances, 0 between them.
    functions
        ``(X,)`` int64: ``i`` where u_i puts out the pixel.
    seams
        Positions ``s`` where pixels ``s - 1`` and ``s`` come from two tiles.
    untrained
        Positions ``s`` where the functions of ``s - 1`` and ``s`` were never neighbours
        in training.
    """

    training_tile: int
    tile: int
    labels: NDArray[np.int32]
    functions: NDArray[np.int64]
    seams: tuple[int, ...]
    untrained: tuple[int, ...]

    @property
    def untrained_pairs(self) -> set[tuple[int, int]]:
        """Functions ``(i, j)`` that meet in inference and never did in training."""
        return {(int(self.functions[s - 1]), int(self.functions[s])) for s in self.untrained}

    @property
    def endangered(self) -> set[int]:
        """Instances that two such functions put out, which nothing has taught to agree."""
        inside = (s for s in self.untrained if self.labels[s - 1] == self.labels[s])
        return {int(self.labels[s]) for s in inside} - {0}


def stitching_sketch(
    training_tile: int,
    tile: int,
    mode: StitchMode = "naive",
    *,
    levels: int = 3,
    factor: int = 2,
    width: int = WIDTH,
) -> StitchingSketch:
    """Stitch a 1-d image, and tell by its output which function of a network made each pixel.

    The network is that of Corollary 5, whose output names the function. Tiles are planned and
    stitched as those of any image. In training the first function of a tile is u_0, and
    batches have one tile, as Sec. 3.2 assumes.

    Parameters
    ----------
    training_tile
        Output tile size in training, in pixels.
    tile
        Output tile size in inference, in pixels.
    mode
        ``"naive"`` takes any tile, ``"corrected"`` n * f^l only.
    levels, factor
        ``l`` and ``f``.
    width
        Of the image in pixels, at least 12.
    """
    network = prime_network(pointwise(1, factor, levels))
    geometry = network.architecture.geometry
    labels = np.zeros(width, np.int32)
    for number, pixels in enumerate(INSTANCES, start=1):
        labels[list(pixels)] = number
    image = (labels > 0).astype(np.float64)
    whole = outputs(network, np.resize(image, geometry.natural_output((training_tile,))))[0]
    number_of = {int(name): i for i, name in enumerate(whole[: geometry.period[0]])}
    names, seams = _stitched(network, image, tile, mode)
    functions = np.array([number_of[int(name)] for name in names])
    trained = set(pairwise(number_of[int(name)] for name in whole[:training_tile]))
    met = enumerate(pairwise(functions.tolist()), start=1)
    untrained = tuple(place for place, pair in met if pair not in trained)
    return StitchingSketch(training_tile, tile, labels, functions, seams, untrained)


def _stitched(
    network: UNet, image: NDArray[np.float64], tile: int, mode: StitchMode
) -> tuple[NDArray[np.float32], tuple[int, ...]]:
    plan = make_plan(network.architecture.geometry, image.shape, mode, tile=tile)
    stitcher = Stitcher(plan, channels=1)
    unscaled = Scaling((0.0,), (1.0,))
    for done in predict_tiles(network.float(), image[None], unscaled, plan, torch.device("cpu")):
        stitcher.add(done)
    return stitcher.result(foreground=False).embedding[0], plan.seams[0]
