"""Pixel coordinates that are added to semi-convolutional embeddings (Novotny et al. 2018)."""

from __future__ import annotations

import torch
from torch import Tensor

from napari_shiftseg.embeddings.unet import Architecture


def coordinate_ramp(region: tuple[slice, ...], architecture: Architecture) -> Tensor:
    """Coordinates of a region of the image, in units of the embedding.

    They are positions in the whole image, not in a tile, so tiling does not change them.

    Parameters
    ----------
    region
        One slice per spatial axis, in pixels of the image.
    architecture
        Names the dimensions and the scale.

    Returns
    -------
    Tensor
        ``(embedding_dims, *region size)`` float32; 0 in the dimensions without coordinate.
    """
    shape = tuple(s.stop - s.start for s in region)
    ramp = torch.zeros(architecture.embedding_dims, *shape)
    for axis, s in enumerate(region[: architecture.coordinate_dims]):
        positions = torch.arange(s.start, s.stop, dtype=torch.float64)
        along = (positions / architecture.coordinate_scale).float()
        ramp[axis] = along.reshape([-1 if a == axis else 1 for a in range(len(shape))])
    return ramp
