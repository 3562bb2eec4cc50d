"""Clustering of an output whose channels only its maker knows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from napari_shiftseg.errors import ShiftSegError
from napari_shiftseg.labels.cluster import cluster
from napari_shiftseg.settings import Clustering


def cluster_channels(
    output: NDArray[np.float32],
    embedding: Sequence[int],
    foreground: int | None,
    settings: Clustering,
    *,
    logits: bool = False,
) -> NDArray[np.int32]:
    """Cluster some channels of a network's output.

    Parameters
    ----------
    output
        ``(K, *spatial)``.
    embedding
        Channels, from 0, that are the embedding.
    foreground
        Channel that tells foreground; without it the largest cluster is background.
    settings
        Mean shift and clean-up.
    logits
        The foreground channel holds logits, not probabilities.

    Returns
    -------
    ndarray
        ``(*spatial)`` int32; 0 is background.

    Raises
    ------
    ShiftSegError
        If the output has no such channel, or none is named.

    References
    ----------
    Rumberger et al., ICCV 2021, Sec. 3 (mean shift).
    """
    refuse_channels(len(output), embedding, foreground)
    inside = None if foreground is None else output[foreground]
    if logits and inside is not None:
        inside = expit(inside.astype(np.float64))
    return cluster(output[list(embedding)], inside, settings)


def refuse_channels(channels: int, embedding: Sequence[int], foreground: int | None) -> None:
    """Raise ShiftSegError if an output of so many channels lacks one, or none is named."""
    named = [*embedding, *([] if foreground is None else [foreground])]
    if not embedding:
        raise ShiftSegError(f"no channel of the embedding is named; legal: 0 to {channels - 1}")
    wrong = [channel for channel in named if not 0 <= channel < channels]
    if wrong:
        raise ShiftSegError(f"there is no channel {wrong[0]}; the output has 0 to {channels - 1}")
