"""Embeddings as colours that stay the same between runs on one image."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from napari_shiftseg.embeddings.model import Model
from napari_shiftseg.embeddings.predict import Prediction

ColourKind = Literal["first", "principal"]

_SAMPLE = 20_000
"""Pixels that suffice to measure directions and limits."""

_ROWS = 2**20
"""Pixels that are coloured at a time."""


@dataclass(frozen=True)
class Colouring:
    """A fixed map from embeddings to RGB.

    Parameters
    ----------
    directions
        ``(3, E)``: what red, green and blue measure.
    low, high
        ``(3,)``: darkest and brightest values.
    wave
        Embeddings that hold coordinates grow across the image, so that neighbours would
        get nearly the same colour. They are shown as waves of this length instead; None
        shows values as they are.
    kind
        How the directions were chosen.
    """

    directions: NDArray[np.float32]
    low: NDArray[np.float32]
    high: NDArray[np.float32]
    wave: float | None = None
    kind: ColourKind = "first"

    @classmethod
    def fit(cls, prediction: Prediction, model: Model, kind: ColourKind = "first") -> Colouring:
        """Choose directions and limits from the first prediction of an image.

        Parameters
        ----------
        prediction
            What to measure.
        model
            Tells which dimensions hold coordinates.
        kind
            ``"first"``: the first three dimensions; ``"principal"``: the three principal
            components.
        """
        dims = len(prediction.embedding)
        if kind == "first" and model.description.architecture.coordinate_dims:
            wave = 8 * model.description.clustering.bandwidth
            return cls(_coordinates(dims), np.zeros(3, np.float32), np.ones(3, np.float32), wave)
        sample = _sample(prediction)
        directions = np.eye(3, dims) if kind == "first" else _principal(sample)
        low, high = np.percentile(directions @ sample, (1, 99), axis=1)
        limits = low.astype(np.float32), np.where(high > low, high, low + 1).astype(np.float32)
        return cls(directions.astype(np.float32), *limits, kind=kind)

    def __call__(self, prediction: Prediction) -> NDArray[np.uint8]:
        """Return ``(*loops, *spatial, 3)`` colours, the background dark."""
        dims, *shape = prediction.embedding.shape
        vectors = prediction.embedding.reshape(dims, -1)
        shown = None if prediction.foreground is None else prediction.foreground.ravel()
        colours = np.empty((vectors.shape[1], 3), np.uint8)
        for start in range(0, len(colours), _ROWS):
            part = slice(start, start + _ROWS)
            light = np.float32(1) if shown is None else shown[part, None]
            colours[part] = 255 * self._light(vectors[:, part]).T * light
        return colours.reshape(*shape, 3)

    def _light(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        values = self.directions @ vectors
        if self.wave is not None:
            waves: NDArray[np.float32] = np.cos(values * np.float32(2 * np.pi / self.wave))
            return np.float32(0.55) + np.float32(0.45) * waves
        low, high = self.low[:, None], self.high[:, None]
        return np.clip((values - low) / (high - low), 0, 1)


def _coordinates(dims: int) -> NDArray[np.float32]:
    directions = np.zeros((3, dims), np.float32)
    directions[0, 0] = directions[1, 1] = 1
    directions[2, :2] = 0.6, -0.8
    return directions


def _sample(prediction: Prediction) -> NDArray[np.float64]:
    vectors = prediction.embedding.reshape(len(prediction.embedding), -1)
    if prediction.foreground is not None and (prediction.foreground > 0.5).any():
        vectors = vectors[:, prediction.foreground.ravel() > 0.5]
    step = max(1, vectors.shape[1] // _SAMPLE)
    return vectors[:, ::step].astype(np.float64)


def _principal(sample: NDArray[np.float64]) -> NDArray[np.float64]:
    centred = sample - sample.mean(axis=1, keepdims=True)
    _, vectors = np.linalg.eigh(centred @ centred.T)
    directions = np.zeros((3, len(sample)))
    directions[: len(sample)] = vectors.T[::-1][:3]
    return directions
