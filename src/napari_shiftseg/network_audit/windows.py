"""Running any network over a plan, and comparing with one pass over the whole image."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from math import prod
from typing import Any

import numpy as np
import torch

from napari_shiftseg.errors import ShiftSegError
from napari_shiftseg.image.border import read_reflected
from napari_shiftseg.network_audit.subject import Subject, quiet
from napari_shiftseg.tiles.geometry import Size
from napari_shiftseg.tiles.plan import Strip, TilePlan
from napari_shiftseg.tiles.tile import Region, size_of


@dataclass(frozen=True)
class Windows:
    """Windows over an image, as the product of those of each axis.

    Parameters
    ----------
    size
        Size of the image in pixels.
    strips
        Per axis what is read, what the network puts out and what of that is kept.
    shares
        Per axis and window the weights of the kept pixels where windows overlap; None to
        average evenly.
    least
        What the weight of a pixel, the product over axes, is raised to at least.
    """

    size: Size
    strips: tuple[Strip, ...]
    shares: tuple[tuple[np.ndarray, ...], ...] | None = None
    least: float = 0.0

    @classmethod
    def of(cls, plan: TilePlan) -> Windows:
        """Return the windows of a plan."""
        return cls(plan.image_size, plan.strips)

    def __len__(self) -> int:
        return prod(len(strip.inner) for strip in self.strips)

    def __iter__(self) -> Iterator[tuple[Region, Region, Region, np.ndarray]]:
        """Yield what is read, put out and kept, and its weight, in raster order."""
        for place in product(*(range(len(strip.inner)) for strip in self.strips)):
            at = list(zip(self.strips, place, strict=True))
            yield (
                tuple(slice(*strip.outer[i]) for strip, i in at),
                tuple(slice(*strip.window[i]) for strip, i in at),
                tuple(slice(*strip.inner[i]) for strip, i in at),
                self._share(place),
            )

    def _share(self, place: tuple[int, ...]) -> np.ndarray:
        share = np.ones(())
        for along, i in zip(self.shares or (), place, strict=False):
            share = share[..., None] * along[i]
        return np.maximum(share, self.least)


def run_windows(subject: Subject, image: Any, windows: Windows) -> np.ndarray:
    """Run a network window by window; parameters and errors are :func:`window_events`'.

    Returns
    -------
    ndarray
        ``(K, *spatial)`` float64.
    """
    *_, output = window_events(subject, image, windows)
    assert isinstance(output, np.ndarray)
    return output


def window_events(subject: Subject, image: Any, windows: Windows) -> Iterator[int | np.ndarray]:
    """Run a network window by window; yield how many are done, then the stitched output.

    Parameters
    ----------
    subject
        The network; its output has the scale of its input.
    image
        ``(C, *spatial)``, anything that slices like an array.
    windows
        What to run.

    Raises
    ------
    ShiftSegError
        If the network refuses a window or puts out another size than planned.
    """
    total: np.ndarray | None = None
    weight = np.zeros(windows.size)
    for done, (read, window, kept, share) in enumerate(windows, start=1):
        output = _run(subject, read_reflected(image, read))
        planned = size_of(window)
        if output.shape[1:] != planned:
            raise ShiftSegError(
                f"the network puts out {output.shape[1:]} px of a window of "
                f"{size_of(read)} px; planned are {planned}"
            )
        if total is None:
            total = np.zeros((len(output), *windows.size))
        local = tuple(
            slice(k.start - w.start, k.stop - w.start) for k, w in zip(kept, window, strict=True)
        )
        total[(slice(None), *kept)] += share * output[(slice(None), *local)]
        weight[kept] += share
        yield done
    assert total is not None
    total /= weight
    yield total


def _run(subject: Subject, pixels: np.ndarray) -> np.ndarray:
    kind = np.float64 if subject.dtype == torch.float64 else np.float32
    numbers = np.ascontiguousarray(pixels, kind)
    if not np.isfinite(numbers).all():
        raise ShiftSegError("pixels of the image are not finite (NaN or infinite)")
    with quiet():
        return subject(torch.from_numpy(numbers)[None].to(subject.dtype))[0].double().numpy()
