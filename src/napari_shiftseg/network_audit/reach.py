"""The receptive field of a network, by changing pixels and looking how far it is felt."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from napari_shiftseg.network_audit.line import Line
from napari_shiftseg.network_audit.subject import GRAINS, Subject
from napari_shiftseg.tiles.geometry import Size

_SURE = 256
"""Pixels over which a change must fade for a network to be called local, at the least."""

_LOOKS = {1: 60, 2: 20, 3: 10}
"""By number of axes, how often nothing more must be found before a hidden reach is believed."""

_PHASES = 16
"""Longer periods are not looked at phase by phase."""

_NEAR = 3
"""Of longer periods, phases on either side of a border of coarse pixels: reach is largest there."""

_FLAT = (30.0, -30.0)
"""Far from all pixels of noise, and no numbers that an exponential cannot hold."""

_KINDS = 1 + len(_FLAT) + len(GRAINS)
"""Kinds of looks: pixels change to noise, to what is above or below all of it, and where both
are smooth."""

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

    def within(self, other: Reach) -> bool:
        """Whether it is no larger than another on either side."""
        return self.before <= other.before and self.after <= other.after

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
    line
        Along which axis; what is felt across its longest image is not local.
    """

    subject: Subject
    line: Line

    def of_architecture(self, period: int) -> Reach | None:
        """Return the reach of a network with positive weights; None if it sees everything.

        One pixel is raised in an image of zeros, at each phase of the period.
        """
        own = self.line.own
        spanned = _UNREADABLE if own.extent is None else own.extent
        size = min(2 * (spanned + period), self.line.usual // 2)
        # Kernels with gaps are felt far off and not beside: the image must hold them all.
        size = max(size, 2 * (own.gaps + period))
        return self._growing(size, lambda size: self._at(size, period))

    def of_weights(self, size: int, expected: Reach) -> Reach | None:
        """Return the reach of given weights; None if the whole image feels a change.

        All pixels of a random image from its middle on are changed, then all before it. Where
        that is felt farther than expected, as through a minimum or a threshold, which positive
        weights do not show, one look is not enough: farther pixels count at few places.

        Parameters
        ----------
        size
            Pixels put out that should do.
        expected
            The reach of the architecture, as far as it shows.
        """
        found = Reach(0, 0)
        for look in range(_KINDS):
            more = self._look(size, look)
            if more is None:
                return None
            found = found.joined(more)
        if found.within(expected):
            return found
        look, same = _KINDS - 1, 0
        while same < _LOOKS[self.subject.ndim]:
            look += 1
            more = self._look(max(size, _SURE, 8 * found.halo), look)
            if more is None:
                return None
            same = same + 1 if more.within(found) else 0
            found = found.joined(more)
        return found

    def _look(self, size: int, look: int) -> Reach | None:
        return self._growing(size, lambda size: self._felt(size, look))

    def _growing(self, size: int, measure: Callable[[int], Reach | None]) -> Reach | None:
        """Measure on longer and longer images, until one is not felt from end to end."""
        own = self.line.own
        size = own.legal(own.context + min(size, self.line.largest))
        most = min(self.line.largest, max(2 * size, _SURE, 2 * ((own.extent or 0) + own.stride)))
        found = measure(size)
        while found is None and size < most:
            size = own.legal(2 * size)
            found = measure(size)
        return found

    def _felt(self, size: int, look: int) -> Reach | None:
        """Change one half of an image; to noise, and to what is above and below all of it."""
        own, line = self.line.own, self.line
        cut = size // 2 + look % own.stride
        image, other = self._images(line.image_size(size), look)
        behind = torch.cat([line.span(image, 0, cut), line.span(other, cut, size)], line.dim)
        ahead = torch.cat([line.span(other, 0, cut), line.span(image, cut, size)], line.dim)
        base = self.subject(image)
        tolerance = 1e-13 * float(base.abs().max())
        changed = self._changed(base, self.subject(behind), tolerance)
        unlike = self._changed(base, self.subject(ahead), tolerance)
        first, last = self._ends(changed)[0], self._ends(unlike)[1]
        if first == 0 or last == base.shape[line.dim] - 1:
            return None
        # Where a change is felt nowhere, as behind a ReLU, nothing is seen of how far it would be.
        return Reach(
            own.input_at(last) - cut + 1 if unlike.any() else 0,
            cut - own.input_at(first) if changed.any() else 0,
        )

    def _images(self, size: Size, look: int) -> tuple[Tensor, Tensor]:
        """Draw an image, and what its pixels change to."""
        subject, kind = self.subject, look % _KINDS
        grain = 1 if kind <= len(_FLAT) else GRAINS[kind - 1 - len(_FLAT)]
        image = subject.noise(size, seed=2 * look, grain=grain)
        if 1 <= kind <= len(_FLAT):
            return image, torch.full_like(image, subject.level.at(_FLAT[kind - 1]))
        return image, subject.noise(size, seed=2 * look + 1, grain=grain)

    def _at(self, size: int, period: int) -> Reach | None:
        own = self.line.own
        zeros = torch.zeros((1, self.subject.in_channels, *self.line.image_size(size)))
        base = self.subject(zeros)
        middle = size // 2 // period * period
        before = after = 0
        for pixel in (middle + phase for phase in self._phases(period)):
            raised = zeros.clone()
            self.line.span(raised, pixel, pixel + 1).fill_(self.subject.level.top)
            first, last = self._ends(self._changed(base, self.subject(raised), 0.0))
            if first == 0 or last == base.shape[self.line.dim] - 1:
                return None
            after = max(after, pixel - own.input_at(first))
            before = max(before, own.input_at(last) - pixel)
        return Reach(before, after)

    def _phases(self, period: int) -> list[int]:
        """All phases of a period, or those at the ends of coarse pixels, where reach is largest."""
        coarse = self.line.own.stride
        ends = [p + end for p in range(0, period, coarse) for end in (0, coarse - 1)]
        if period > coarse:
            return ends
        if period <= _PHASES:
            return list(range(period))
        near = range(-_NEAR, _NEAR)
        return sorted({(place + n) % period for place in (0, period // 2) for n in near})

    def _changed(self, base: Tensor, output: Tensor, tolerance: float) -> Tensor:
        """Return per output pixel of the axis whether anything differs."""
        different = ~((base - output).abs() <= tolerance)
        others = [a for a in range(base.ndim) if a != self.line.dim]
        return different.any(others)

    def _ends(self, changed: Tensor) -> tuple[int, int]:
        """First and last changed pixel; both in the middle if nothing is."""
        at = torch.nonzero(changed)[:, 0]
        if not len(at):
            return len(changed) // 2, len(changed) // 2
        return int(at[0]), int(at[-1])
