"""Embeddings as colours that stay the same between runs on one image."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_shiftseg.embeddings.model import Model
from napari_shiftseg.embeddings.predict import Prediction

_SAMPLE = 20_000
"""Pixels that suffice to measure directions and limits."""


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
    """

    directions: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    wave: float | None = None

    @classmethod
    def fit(cls, prediction: Prediction, model: Model) -> Colouring:
        """Choose directions and limits from the first prediction of an image."""
        dims = len(prediction.embedding)
        if model.description.architecture.coordinate_dims:
            wave = 8 * model.description.clustering.bandwidth
            return cls(_coordinates(dims), np.zeros(3), np.ones(3), wave)
        sample = _sample(prediction)
        directions = np.eye(3, dims) if dims <= 3 else _principal(sample)
        low, high = np.percentile(directions @ sample, (1, 99), axis=1)
        return cls(directions, low, np.where(high > low, high, low + 1))

    def __call__(self, prediction: Prediction) -> NDArray[np.float32]:
        """Return ``(*spatial, 3)`` colours between 0 and 1, the background dark."""
        values = np.tensordot(prediction.embedding, self.directions, axes=(0, 1))
        if self.wave is None:
            colours = np.clip((values - self.low) / (self.high - self.low), 0, 1)
        else:
            colours = 0.55 + 0.45 * np.cos(2 * np.pi * values / self.wave)
        if prediction.foreground is not None:
            colours = colours * prediction.foreground[..., None]
        return colours.astype(np.float32)


def _coordinates(dims: int) -> NDArray[np.float64]:
    directions = np.zeros((3, dims))
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
    return np.asarray(vectors.T[::-1][:3])
