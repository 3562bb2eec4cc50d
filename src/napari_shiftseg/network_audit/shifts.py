"""The period of a network: the smallest shift of the image that only shifts the output."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

import torch

from napari_shiftseg.network_audit.line import Line
from napari_shiftseg.network_audit.subject import Subject

EQUAL = {torch.float64: 1e-8, torch.float32: 1e-4}
"""Relative difference up to which two outputs are the same function's, by type."""

MULTIPLES = (1, 7, 3, 64, 81, 36, 60)
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
        padded image is felt, and 0 for valid convolutions.
    """

    subject: Subject
    line: Line
    margin: int

    def error(self, shift: int) -> float:
        """Return the largest difference for a shift in pixels, relative to the output.

        Infinite if the output's scale turns the shift into a fraction of a pixel, or if the
        image would have to be larger than allowed.
        """
        own, line = self.line.own, self.line
        moved = shift * own.scale
        if moved.denominator != 1:
            return float("inf")
        size = own.legal(own.context + ceil((2 * self.margin + 4) / own.scale) + 2 * shift)
        if size > line.largest:
            return float("inf")
        image = self.subject.noise(line.image_size(size + shift))
        first, then = (self.subject(image.narrow(line.dim, start, size)) for start in (0, shift))
        length = first.shape[line.dim] - 2 * self.margin - int(moved)
        here = first.narrow(line.dim, self.margin + int(moved), length)
        there = then.narrow(line.dim, self.margin, length)
        # A network that has gone dead answers a constant, which is the same at any shift.
        spread = float((here - here.mean()).abs().max())
        return float((here - there).abs().max()) / max(spread, 1e-300)

    def period(self, candidate: int) -> int | None:
        """Return the smallest shift without an error, or None if none is found.

        Shifts without an error are the multiples of one of them, so that dividing a
        candidate finds it, however large.

        Parameters
        ----------
        candidate
            What the layers imply, in pixels. If it is wrong, multiples of it are tried.
        """
        multiples = (candidate * k for k in MULTIPLES)
        period = next((t for t in multiples if self.equivariant(t)), None)
        for prime in _prime_factors(period or 1):
            if period and self.equivariant(period // prime):
                period //= prime
        return period

    def equivariant(self, shift: int) -> bool:
        """Whether a shift in pixels only shifts the output."""
        return self.error(shift) <= EQUAL[self.subject.dtype]


def _prime_factors(number: int) -> list[int]:
    factors, divisor = [], 2
    while number > 1:
        while number % divisor == 0:
            factors.append(divisor)
            number //= divisor
        divisor += 1
    return factors
