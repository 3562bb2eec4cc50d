"""The inside of a synthetic image: stitched, measured and drawn away from its borders.

The paper predicts valid outputs only. Here images are drawn larger than the region that is
looked at, by more than the network's context, so that no pixel sees a reflected border.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import lcm
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse.csgraph import connected_components
from scipy.spatial.distance import pdist, squareform
from skimage.color import label2rgb

from napari_shiftseg.embeddings.colours import Colouring
from napari_shiftseg.embeddings.model import Model
from napari_shiftseg.evaluation import Evaluation
from napari_shiftseg.experiments.synthetic import Synthetic
from napari_shiftseg.pipeline import Segmentation, segment
from napari_shiftseg.settings import Clustering, StitchMode
from napari_shiftseg.tiles.tile import Region


@dataclass(frozen=True)
class Scene:
    """An image with ground truth, and the region of it that is looked at.

    Parameters
    ----------
    image
        ``(*spatial)`` pixels.
    truth
        ``(*spatial)`` instances.
    region
        One slice per axis.
    """

    image: NDArray[Any]
    truth: NDArray[np.int32]
    region: Region

    @classmethod
    def of(cls, setting: Synthetic, edge: int, seed: int = 1, start: int = 5) -> Scene:
        """Draw a region of ``edge`` pixels with all the context that the network sees.

        Noise and bending are drawn anew, as in the paper, not as in training. ``start`` is row
        and column of the first disc's centre.
        """
        geometry = setting.architecture.geometry
        reach, period = max(geometry.receptive_field), max(geometry.period)
        step = lcm(period, setting.spacing or 1)
        margin = -(-reach // step) * step
        image, truth = setting.disturbed(edge + 2 * margin, np.random.default_rng(seed), start)
        return cls(image, truth, (slice(margin, margin + edge),) * 2)

    @property
    def objects(self) -> NDArray[np.int32]:
        """The region's instances."""
        return self.truth[self.region]

    def run(
        self,
        model: Model,
        stitch: StitchMode,
        tile: int | None = None,
        clustering: Clustering | None = None,
    ) -> Segmentation:
        """Segment the region."""
        return segment(
            self.image, model, stitch=stitch, tile=tile, region=self.region, clustering=clustering
        )

    def score(self, result: Segmentation) -> dict[str, Any]:
        """Count splits and measure jumps on the result's own seams."""
        scores = Evaluation()
        scores.add(result, self.objects, result.plan)
        return scores.to_dict()

    def means(self, result: Segmentation) -> NDArray[np.float64]:
        """Mean embedding of each instance that lies inside of the region: ``(n, E)``."""
        objects = whole_objects(self.objects)
        index = np.unique(objects, return_inverse=True)[1].reshape(objects.shape)
        sizes = np.bincount(index.ravel())[1:]
        sums = [np.bincount(index.ravel(), e.ravel())[1:] for e in result.prediction.embedding]
        return np.stack(sums, axis=1) / sizes[:, None]


def whole_objects(objects: NDArray[np.int32]) -> NDArray[np.int32]:
    """Leave out the instances that touch the border of the image."""
    rim = np.ones(objects.shape, bool)
    rim[(slice(1, -1),) * objects.ndim] = False
    return np.where(np.isin(objects, objects[rim]), 0, objects)


def identities(embeddings: NDArray[np.float64], radius: float) -> int:
    """Count the different embeddings: groups farther than ``radius`` from all others.

    Parameters
    ----------
    embeddings
        ``(n, E)``, one of each instance.
    radius
        In units of the embedding.
    """
    if len(embeddings) < 2:
        return len(embeddings)
    near = squareform(pdist(embeddings) < radius)
    return int(connected_components(near, directed=False)[0])


def show_embedding(axis: Any, result: Segmentation, colouring: Colouring | None = None) -> None:
    """Draw an embedding as RGB."""
    colours = colouring or Colouring.fit(result.prediction, result.model)
    axis.imshow(colours(result.prediction), interpolation="nearest")
    axis.set_axis_off()


def show_labels(axis: Any, labels: NDArray[np.int32], seams: Any = ()) -> None:
    """Draw labels, and the seams as lines."""
    axis.imshow(label2rgb(shuffled(labels), bg_label=0), interpolation="nearest")
    for line, positions in zip((axis.axhline, axis.axvline), seams, strict=False):
        for position in positions:
            line(position - 0.5, color="white", lw=0.5, alpha=0.7)
    axis.set_axis_off()


def shuffled(labels: NDArray[np.int32]) -> NDArray[np.int32]:
    """Renumber at random, always the same way, so that neighbours get other colours."""
    order = np.random.default_rng(0).permutation(np.arange(1, int(labels.max(initial=0)) + 1))
    return np.concatenate([[0], order]).astype(np.int32)[labels]
