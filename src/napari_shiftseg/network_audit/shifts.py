"""The period of a network: the smallest shift of the image that only shifts the output."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

import torch
from torch import Tensor

from napari_shiftseg.network_audit.line import LARGEST, USUAL, Line
from napari_shiftseg.network_audit.sizes import AxisSizes
from napari_shiftseg.network_audit.subject import GRAINS, Subject

_FLAT = 0.01
"""Share of its largest value below which the spread of a channel is no more than rounding."""

EQUAL = {torch.float64: 1e-8, torch.float32: 1e-4}
"""Relative difference up to which two outputs are the same function's, by type."""

MULTIPLES = (*range(1, 17), 18, 20, 21, 24, 25, 28, 32, 36, 48, 56, 60, 64, 81)
"""Of what the layers imply: windows of attention, and poolings that nobody can read."""


@dataclass(frozen=True)
class ShiftProbe:
    """Shifts an image along one axis and compares.

    Parameters
    ----------
    subject
        The network, local.
    line
        Along which axis.
    margin
        Output pixels at each end to leave out of the comparison: as far as the border of a
        padded image is felt. Of shifts beyond the stride as many more as the shift, which may
        be that of windows of attention. 0 leaves out none.
    """

    subject: Subject
    line: Line
    margin: int

    def error(self, shift: int) -> float:
        """Return the largest difference for a shift in pixels, relative to the output.

        Infinite if the output's scale turns the shift into a fraction of a pixel, or if the
        image would have to be larger than allowed.
        """
        found = self._error(shift, 1)
        if found > EQUAL[self.subject.dtype]:
            return found
        return max(found, *(self._error(shift, grain) for grain in GRAINS))

    def equivariant(self, shift: int) -> bool:
        """Whether a shift in pixels only shifts the output."""
        return self.error(shift) <= EQUAL[self.subject.dtype]

    def _error(self, shift: int, grain: int) -> float:
        """Measure on noise of some grain; the coarser it is, the longer is the image.

        What depends on the size of the image may keep a shift at one size by chance.
        """
        own, line = self.line.own, self.line
        moved = shift * own.scale
        if moved.denominator != 1:
            return float("inf")
        margin = margin_for(own, self.margin, shift)
        size = image_for(own, margin, shift)
        if size > longest_for(own, shift, len(line.sizes)):
            return float("inf")
        size = own.legal(size + grain - 1)
        image = self.subject.noise(line.image_size(size + shift), grain=grain)
        first, then = (self.subject(image.narrow(line.dim, start, size)) for start in (0, shift))
        length = first.shape[line.dim] - 2 * margin - int(moved)
        here = first.narrow(line.dim, margin + int(moved), length)
        there = then.narrow(line.dim, margin, length)
        # A network that has gone dead answers a constant, which is the same at any shift.
        return float(((here - there).abs() / spread_of(here)).max())


def margin_for(own: AxisSizes, margin: int, shift: int) -> int:
    """Return the output pixels at each end that are left out where an image is shifted."""
    return margin + (int(shift * own.scale) if margin and shift > own.stride else 0)


def image_for(own: AxisSizes, margin: int, shift: int) -> int:
    """Return the length in pixels of an image that shows a shift between two margins."""
    return own.legal(own.context + ceil((2 * margin + 4) / own.scale) + 2 * shift)


def longest_for(own: AxisSizes, shift: int, ndim: int) -> int:
    """Return the length in pixels up to which images are made to show a shift.

    Multiples of what the layers imply are many, and rarely what is looked for.
    """
    return (LARGEST if shift <= own.stride else USUAL)[ndim]


def spread_of(output: Tensor) -> Tensor:
    """Return how far each channel of ``(B, K, *spatial)`` is spread, to divide differences by.

    Channels may be of different kinds: a probability beside counts must not be lost in them.
    """
    others = [axis for axis in range(output.ndim) if axis != 1]
    middle = output.mean(others, keepdim=True)
    spread = (output - middle).abs().amax(others, keepdim=True)
    rounding = _FLAT * output.abs().amax(others, keepdim=True)
    return torch.maximum(spread, rounding).clamp_min(torch.finfo(output.dtype).tiny)


def common_period(probes: Sequence[ShiftProbe], candidate: int) -> int | None:
    """Return the smallest shift without an error in any of several networks, None if none is found.

    Shifts without an error are the multiples of one of them, so that dividing a candidate finds
    it, however large.

    Parameters
    ----------
    probes
        Of networks of one architecture; the first is asked first.
    candidate
        What the layers imply, in pixels. If it is wrong, multiples of it are tried.
    """

    def equivariant(shift: int) -> bool:
        return all(probe.equivariant(shift) for probe in probes)

    period = next((k * candidate for k in MULTIPLES if equivariant(k * candidate)), None)
    for prime in _prime_factors(period or 1):
        if period and equivariant(period // prime):
            period //= prime
    return period


def _prime_factors(number: int) -> list[int]:
    factors, divisor = [], 2
    while number > 1:
        while number % divisor == 0:
            factors.append(divisor)
            number //= divisor
        divisor += 1
    return factors
