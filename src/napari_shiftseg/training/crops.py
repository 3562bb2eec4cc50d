"""Random training crops: where, how zoomed, turned, bent, bright and noisy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from napari_shiftseg.errors import ShiftSegError
from napari_shiftseg.image.border import read_reflected
from napari_shiftseg.image.label_pixels import LARGEST_EXACT
from napari_shiftseg.seams.numbered import numbered
from napari_shiftseg.tiles.geometry import Size

UNKNOWN = -1
"""Label of pixels outside of the image: they take no part in the loss."""

_DRAWS = 20
"""Crops that are looked at for one in which something is known."""

_GRID = 20
_LINEAR = {1: "linear", 2: "bilinear", 3: "trilinear"}


@dataclass(frozen=True)
class Augmentation:
    """Random changes of a crop.

    Parameters
    ----------
    flips
        Mirror each axis and turn the last two axes by multiples of 90 degrees.
    zoom
        Largest factor by which a crop is magnified or shrunk; 1 for none.
    intensity
        Strength of random contrast, gamma, offset and noise; 0 for none.
    elastic
        Standard deviation in pixels by which the points of a grid of 20 pixels are moved,
        and what lies between them; 0 for none.
    noise
        Variance of the Gaussian noise that is added, in units of the scaled image.
    """

    flips: bool = True
    zoom: float = 1.25
    intensity: float = 1.0
    elastic: float = 0.0
    noise: float = 0.0

    def __post_init__(self) -> None:
        if self.zoom < 1 or min(self.intensity, self.elastic, self.noise) < 0:
            raise ShiftSegError(
                f"zoom is {self.zoom}, intensity {self.intensity}, elastic {self.elastic} and "
                f"noise {self.noise}; legal: zoom >= 1, the others >= 0"
            )


@dataclass(frozen=True)
class Crops:
    """Random crops of normalised images, one per step; the same for the same generator.

    Parameters
    ----------
    images
        ``(C, *spatial)`` float32 each, normalised over the whole image.
    masks
        ``(*spatial)`` integers each; 0 is background, negative is unknown.
    window
        The network's output window in pixels per axis.
    context
        The network's input size minus its output size per axis.
    augmentation
        Random changes.
    by_area
        Draw large images more often, each pixel as often as any other; otherwise each image.
    inside
        Take the context from inside of the image only, as the paper's notebooks do;
        otherwise from its reflection, so that windows reach the border.
    """

    images: Sequence[NDArray[np.float32]]
    masks: Sequence[NDArray[np.integer]]
    window: Size
    context: Size
    augmentation: Augmentation = Augmentation()
    inside: bool = False
    by_area: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "masks", [_exact(mask) for mask in self.masks])
        needed = [w + c for w, c in zip(self.window, self.context, strict=True)]
        for mask in self.masks:
            if self.inside and any(n < k for n, k in zip(mask.shape, needed, strict=True)):
                raise ShiftSegError(
                    f"an image of {mask.shape} px cannot hold a window with its context, "
                    f"{needed} px"
                )

    @cached_property
    def _known_by_row(self) -> list[NDArray[np.integer] | None]:
        """Known pixels per row or plane of each image; None for one that is known altogether."""
        known = (mask >= 0 for mask in self.masks)
        return [
            None if where.all() else np.count_nonzero(where.reshape(len(where), -1), axis=1)
            for where in known
        ]

    @cached_property
    def _known_in_part(self) -> bool:
        return any(rows is not None for rows in self._known_by_row)

    def _known_pixel(self, item: int, rng: np.random.Generator) -> tuple[int | None, ...]:
        """Draw a known pixel, which the window is to hold; of a known image any will do."""
        mask, rows = self.masks[item], self._known_by_row[item]
        if rows is None or not rows.any():
            return (None,) * mask.ndim
        ends = np.cumsum(rows)
        row = int(np.searchsorted(ends, rng.integers(ends[-1]), side="right"))
        place = rng.choice(np.flatnonzero(mask[row] >= 0))
        return (row, *map(int, np.unravel_index(place, mask.shape[1:])))

    def sample(self, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        """Draw one crop; where images are known in part only, one in which something is known.

        Returns
        -------
        image : (1, C, *window + context) float32
        labels : (*window) int64
        """
        for _ in range(_DRAWS):
            image, labels = self._drawn(rng)
            if not self._known_in_part or bool((labels >= 0).any()):
                break
        return image, labels

    def _drawn(self, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        item = self._image(rng)
        limit = np.log(self.augmentation.zoom)
        zoom = float(np.exp(rng.uniform(-limit, limit)))
        zoom = min(zoom, self._largest_zoom(self.masks[item].shape)) if self.inside else zoom
        image, labels = self._cut(item, zoom, rng)
        if self.augmentation.flips:
            image, labels = _turned(image, labels, rng)
        if self.augmentation.elastic:
            image, labels = _bent(image, labels, self.augmentation.elastic, rng)
        image = _recoloured(image, self.augmentation.intensity, rng)
        image = _noisy(image, self.augmentation.noise, rng)
        inner = tuple(
            slice(c // 2, c // 2 + w) for c, w in zip(self.context, self.window, strict=True)
        )
        return image[None].contiguous(), labels[inner].contiguous()

    def _image(self, rng: np.random.Generator) -> int:
        if not self.by_area:
            return int(rng.integers(len(self.images)))
        ends = np.cumsum([mask.size for mask in self.masks])
        return int(np.searchsorted(ends, rng.integers(ends[-1]), side="right"))

    def _largest_zoom(self, shape: tuple[int, ...]) -> float:
        """Return up to which zoom window and context, rounded each, lie inside of an image."""
        needed = zip(shape, self.window, self.context, strict=True)
        return max(1.0, min((size - 2) / (window + context) for size, window, context in needed))

    def _cut(self, item: int, zoom: float, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        """Cut window and context; the window lies inside the image if it fits."""
        image, mask, pixel = self.images[item], self.masks[item], self._known_pixel(item, rng)
        region, known = [], []
        axes = zip(mask.shape, self.window, self.context, pixel, strict=True)
        for size, window, context, held in axes:
            source_window, margin = round(window * zoom), round(context / 2 * zoom)
            room = size - source_window
            low, high = (margin, room - margin) if self.inside else (min(0, room), max(0, room))
            if held is not None:
                low = min(max(low, held - source_window + 1), high)
                high = max(low, min(high, held))
            start = int(rng.integers(low, high + 1)) - margin
            region.append(slice(start, start + source_window + 2 * margin))
            known.append((max(0, -start), max(0, region[-1].stop - size)))
        pixels = torch.from_numpy(read_reflected(image, tuple(region)))
        inside = tuple(
            slice(max(0, s.start), min(n, s.stop)) for s, n in zip(region, mask.shape, strict=True)
        )
        labels = np.pad(mask[inside].astype(np.int64), known, constant_values=UNKNOWN)
        size = [w + c for w, c in zip(self.window, self.context, strict=True)]
        return _resized(pixels, torch.from_numpy(labels), size)


def _exact(mask: NDArray[np.integer]) -> NDArray[np.integer]:
    """Renumber objects whose labels float64 does not hold; what is negative stays unknown."""
    if np.can_cast(mask.dtype, np.int32) or mask.max(initial=0) <= LARGEST_EXACT:
        return mask
    return np.where(mask < 0, UNKNOWN, numbered(np.maximum(mask, 0))[1])


def _resized(image: Tensor, labels: Tensor, size: Sequence[int]) -> tuple[Tensor, Tensor]:
    if list(labels.shape) == list(size):
        return image, labels
    linear = _LINEAR[labels.ndim]
    image = F.interpolate(image[None], size=tuple(size), mode=linear, align_corners=False)[0]
    # Labels travel as float64, which holds them exactly: they are in small numbers.
    whole = F.interpolate(labels[None, None].double(), size=tuple(size), mode="nearest-exact")
    return image, whole[0, 0].long()


def _turned(image: Tensor, labels: Tensor, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
    axes = [-1 - a for a in range(labels.ndim) if rng.random() < 0.5]
    image, labels = image.flip(axes), labels.flip(axes)
    square = labels.ndim > 1 and labels.shape[-1] == labels.shape[-2]
    if square and rng.random() < 0.5:
        image, labels = image.transpose(-1, -2), labels.transpose(-1, -2)
    return image, labels


def _bent(
    image: Tensor, labels: Tensor, sigma: float, rng: np.random.Generator
) -> tuple[Tensor, Tensor]:
    """Move the points of a coarse grid at random, and what lies between them smoothly."""
    shape = labels.shape
    points = [max(2, round(n / _GRID) + 1) for n in shape]
    moves = torch.from_numpy(rng.normal(0, sigma, (1, len(shape), *points)))
    linear = _LINEAR[len(shape)]
    moves = F.interpolate(moves, size=tuple(shape), mode=linear, align_corners=True)[0]
    positions = torch.meshgrid(*(torch.arange(n).double() for n in shape), indexing="ij")
    # torch's sampling grids run from -1 to 1, with the last axis first.
    grid = torch.stack(
        [
            2 * (position + move) / max(1, n - 1) - 1
            for position, move, n in zip(positions, moves, shape, strict=True)
        ][::-1],
        dim=-1,
    )[None]
    image = _sampled(image[None].double(), grid, "bilinear")[0].float()
    return image, _sampled(labels[None, None].double(), grid, "nearest")[0, 0].long()


def _sampled(values: Tensor, grid: Tensor, mode: str) -> Tensor:
    if values.ndim == 3:  # torch samples planes and volumes; a row is a plane one pixel high
        grid = F.pad(grid[:, None], (0, 1))
        return _sampled(values[:, :, None], grid, mode)[:, :, 0]
    return F.grid_sample(values, grid, mode, "border", align_corners=True)


def _noisy(image: Tensor, variance: float, rng: np.random.Generator) -> Tensor:
    if variance == 0:
        return image
    noise = torch.from_numpy(rng.standard_normal(image.shape, dtype=np.float32))
    return image + float(np.sqrt(variance)) * noise


def _recoloured(image: Tensor, strength: float, rng: np.random.Generator) -> Tensor:
    if strength == 0:
        return image
    gain = float(np.exp(rng.normal(0, 0.25 * strength)))
    gamma = float(np.exp(rng.normal(0, 0.2 * strength)))
    offset = float(rng.normal(0, 0.05 * strength))
    sigma = abs(float(rng.normal(0, 0.04 * strength)))
    noise = torch.from_numpy(rng.standard_normal(image.shape, dtype=np.float32))
    return image.clamp_min(0) ** gamma * gain + image.clamp_max(0) + offset + sigma * noise
