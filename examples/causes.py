"""The three causes of seams, each alone: tiled against whole-image inference.

Phase: a valid network in tiles that are no multiple of its period; no statistics, full context.
Context: a zero-padded network in tiles at its period that are read without a halo. Statistics:
instance normalisation, tiles at its period and read with the full halo; that network's weights
are random.
"""

from __future__ import annotations

from collections.abc import Iterator

import matplotlib.pyplot as plt
import numpy as np
import torch
from torch import nn

import napari_shiftseg as ss
from napari_shiftseg.samples import load_sample
from pictures import folder_of_pictures

PART = (slice(0, 384), slice(0, 384))


def naive_against_whole(model: str, tile: int) -> tuple[np.ndarray, np.ndarray, tuple[int, ...]]:
    """Return a bundled model's naive and whole embedding ``(D, y, x)``, and its seams along y."""
    image = load_sample("nuclei").image[PART]
    naive = ss.segment(image, model, stitch="naive", tile=tile)
    whole = ss.segment(image, model, stitch="whole")
    return naive.prediction.embedding, whole.prediction.embedding, naive.plan.seams[0]


def normalised_by_tile(tile: int) -> tuple[np.ndarray, tuple[int, ...]]:
    """Return the error of a network with instance normalisation, and its seams along y."""
    torch.manual_seed(0)
    network = nn.Sequential(
        nn.Conv2d(1, 8, 3, padding=1),
        nn.InstanceNorm2d(8),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(8, 16, 3, padding=1),
        nn.InstanceNorm2d(16),
        nn.ReLU(),
        nn.ConvTranspose2d(16, 2, 2, stride=2),
    ).eval()
    image = load_sample("nuclei").image[PART].astype(np.float32)[None]
    image = (image - image.mean()) / image.std()
    error = ss.diagnose(network, ss.audit(network, ndim=2), image, window=tile).maps["corrected"]
    return error, tuple(range(tile, error.shape[0], tile))


def panels() -> Iterator[tuple[str, np.ndarray, tuple[int, ...]]]:
    """Yield title, error ``(y, x)`` relative to the spread of its channel, and seams."""
    for title, model, tile in (
        ("Phase\ntiles of 100 px, period 8 px", "nuclei-2d-plain", 100),
        ("Context\nzero padding, tiles of 96 px, no halo", "nuclei-2d-same", 96),
    ):
        tiled, whole, seams = naive_against_whole(model, tile)
        middle = whole.mean((1, 2), keepdims=True)
        spread = np.abs(whole - middle).max((1, 2), keepdims=True)
        yield title, (np.abs(tiled - whole) / spread).max(0), seams
    yield "Statistics\ninstance normalisation, tiles of 96 px", *normalised_by_tile(96)


def main() -> None:
    """Draw the three maps side by side and print the largest error of each."""
    path = folder_of_pictures(__doc__) / "causes.png"
    figure, axes = plt.subplots(1, 3, figsize=(11, 3.7), layout="constrained")
    for axis, (title, error, seams) in zip(axes, panels(), strict=True):
        shown = axis.imshow(error, cmap="inferno", vmin=0, vmax=np.quantile(error, 0.995))
        for draw in (axis.axhline, axis.axvline):
            for seam in seams:
                draw(seam - 0.5, color="white", linewidth=0.5, alpha=0.5)
        axis.set_title(title, fontsize=11)
        axis.axis("off")
        figure.colorbar(shown, ax=axis, shrink=0.75, format="{x:.0%}")
        print(f"{title.splitlines()[0]}: {error.max():.1%} of its channel's spread")
    figure.savefig(path, dpi=144)
    print(path)


if __name__ == "__main__":
    main()
