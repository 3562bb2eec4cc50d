"""Whether a padded network treats the border of an image the same, however large the image is.

What shifts tell is the inside of images. A network that fills up its input to a multiple of its
own, or rolls it, has no constant border: its tiles would differ from whole images there.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, lcm

from napari_shiftseg.network_audit.line import Line
from napari_shiftseg.network_audit.shifts import EQUAL, spread_of
from napari_shiftseg.network_audit.subject import Subject

_COMMON = {1: 1920, 2: 384, 3: 96}
"""A multiple in pixels of all to which networks of so many axes may fill up their input."""

_MULTIPLES = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64)
"""Of the first step, that are tried."""


@dataclass(frozen=True)
class BorderProbe:
    """Compares images that go on with shorter ones.

    Parameters
    ----------
    subject
        The network, local and padded.
    line
        Along which axis.
    reach
        Pixels as far as the border is felt.
    """

    subject: Subject
    line: Line
    reach: int

    def alike(self, step: int, beyond: int = 0, *, first: bool = True) -> bool | None:
        """Whether both borders are the same in images whose sizes differ by a step.

        Where no layer says what the input is filled up to, sizes lie around a multiple that is
        common: there, most is filled up beside nothing. None if the images would be too long.

        Parameters
        ----------
        step
            In pixels.
        beyond
            Pixels by which both sizes exceed a multiple of the step.
        first
            Whether it is the step that counts most, for which images may be longest.
        """
        own, line = self.line.own, self.line
        least = step + own.context + max(2 * self.reach + 4, own.smallest)
        common = _COMMON[self.subject.ndim] if own.resolution is None else 1
        middles = (-(-least // unit) * unit for unit in (lcm(step, common), step))
        most = line.largest if first else line.usual
        longest = next((n for n in middles if n <= most), None)
        if longest is None:
            return None
        longest += beyond
        image = self.subject.noise(line.image_size(longest))
        whole, margin = self.subject(image), ceil(self.reach * own.scale)
        if beyond and whole.shape[line.dim] != longest:  # the rest is lost in a pool
            return False
        spread = spread_of(whole)
        for start in (0, step):
            part = self.subject(image.narrow(line.dim, start, longest - step))
            length = part.shape[line.dim] - margin
            own_first, begin = (margin, int(start * own.scale) + margin) if start else (0, 0)
            here = part.narrow(line.dim, own_first, length)
            there = whole.narrow(line.dim, begin, length)
            if float(((here - there).abs() / spread).max()) > EQUAL[self.subject.dtype]:
                return False
        return True

    def step(self, first: int) -> int | None:
        """Return the step of sizes from which on borders are the same, None if there is none.

        Parameters
        ----------
        first
            The first one to try, in pixels; then its multiples.
        """
        for step in (first * k for k in _MULTIPLES):
            alike = self.alike(step, first=step == first)
            if alike or (alike is None and step == first):
                return step
            if alike is None:
                return None
        return None
