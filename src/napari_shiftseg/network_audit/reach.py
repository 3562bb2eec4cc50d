"""The receptive field of a network, by changing pixels and looking how far it is felt."""

from __future__ import annotations

from dataclasses import dataclass
from math import floor

import torch
from torch import Tensor

from napari_shiftseg.network_audit.sizes import AxisSizes
from napari_shiftseg.network_audit.subject import Subject
from napari_shiftseg.tiles.geometry import Size

_SURE = 256
"""Pixels over which a change must fade for a network to be called local, at the least."""

_UNREADABLE = 64
"""Pixels that the kernels of a network are taken to span at least where none can be read."""


@dataclass(frozen=True)
class Reach:
    """Farthest input pixel that an output pixel depends on along one axis, in pixels.

    Parameters
    ----------
    before, after
        Towards lower and towards higher indices; the largest over all phases.
    """

    before: int
    after: int

    @property
    def halo(self) -> int:
        """The larger of both."""
        return max(self.before, self.after)

    def joined(self, other: Reach) -> Reach:
        """Return the larger reach on each side."""
        return Reach(max(self.before, other.before), max(self.after, other.after))


@dataclass(frozen=True)
class ReachProbe:
    """Changes pixels along one axis of an image.

    Parameters
    ----------
    subject
        The network.
    sizes
        Legal sizes per axis.
    across
        Input size on the other axes in pixels.
    axis
        Which axis.
    largest
        Largest image in pixels; what is felt across it is not local.
    """

    subject: Subject
    sizes: tuple[AxisSizes, ...]
    across: Size
    axis: int
    largest: int

    def of_architecture(self, period: int) -> Reach | None:
        """Return the reach of a network with positive weights; None if it sees everything.

        One pixel is raised in an image of zeros, at each phase of the period.
        """
        own = self.sizes[self.axis]
        # Kernels with gaps are felt far off and not beside: the image must hold them all.
        spanned = _UNREADABLE if own.extent is None else own.extent
        size = own.legal(own.context + min(2 * (spanned + period), self.largest // 2))
        most = min(self.largest, max(2 * size, _SURE))
        found = self._at(size, period)
        while found is None and size < most:
            size = own.legal(2 * size)
            found = self._at(size, period)
        return found

    def felt(self, size: int, cut: int) -> Reach | None:
        """Return the reach of given weights at one cut; None if the whole image feels it.

        All pixels of a random image from the cut on are changed, then all before it.
        """
        image = self.subject.noise(self._of(size))
        other = self.subject.noise(self._of(size), seed=1)
        behind = torch.cat([self._span(image, 0, cut), self._span(other, cut, size)], self.axis + 2)
        ahead = torch.cat([self._span(other, 0, cut), self._span(image, cut, size)], self.axis + 2)
        base = self.subject(image)
        tolerance = 1e-13 * float(base.abs().max())
        changed = self._changed(base, self.subject(behind), tolerance)
        unlike = self._changed(base, self.subject(ahead), tolerance)
        first, last = self._ends(changed)[0], self._ends(unlike)[1]
        if first == 0 or last == base.shape[self.axis + 2] - 1:
            return None
        return Reach(self._input(last) - cut + 1, cut - self._input(first))

    def _at(self, size: int, period: int) -> Reach | None:
        zeros = torch.zeros((1, self.subject.in_channels, *self._of(size)))
        base = self.subject(zeros)
        middle = size // 2 // period * period
        before = after = 0
        for pixel in (middle + phase for phase in self._phases(period)):
            raised = zeros.clone()
            self._span(raised, pixel, pixel + 1).fill_(1.0)
            first, last = self._ends(self._changed(base, self.subject(raised), 0.0))
            if first == 0 or last == base.shape[self.axis + 2] - 1:
                return None
            after = max(after, pixel - self._input(first))
            before = max(before, self._input(last) - pixel)
        return Reach(before, after)

    def _phases(self, period: int) -> list[int]:
        """All phases of a period, or the ends of its coarsest pixels, where reach is largest."""
        coarse = self.sizes[self.axis].stride
        ends = [p + end for p in range(0, period, coarse) for end in (0, coarse - 1)]
        return list(range(period)) if period <= coarse else ends

    def _changed(self, base: Tensor, output: Tensor, tolerance: float) -> Tensor:
        """Return per output pixel of the axis whether anything differs."""
        different = ~((base - output).abs() <= tolerance)
        others = [a for a in range(base.ndim) if a != self.axis + 2]
        return different.any(others)

    def _ends(self, changed: Tensor) -> tuple[int, int]:
        """First and last changed pixel; both in the middle if nothing is."""
        at = torch.nonzero(changed)[:, 0]
        if not len(at):
            return len(changed) // 2, len(changed) // 2
        return int(at[0]), int(at[-1])

    def _input(self, output_pixel: int) -> int:
        """Return the input pixel at the place of an output pixel."""
        own = self.sizes[self.axis]
        return floor(output_pixel / own.scale) + own.context // 2

    def _span(self, image: Tensor, start: int, stop: int) -> Tensor:
        return image.narrow(self.axis + 2, start, stop - start)

    def _of(self, size: int) -> Size:
        return (*self.across[: self.axis], size, *self.across[self.axis + 1 :])
