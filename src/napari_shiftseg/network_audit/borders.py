"""Whether a padded network treats the border of an image the same, however large the image is.

What shifts tell is the inside of images. A network that fills up its input to a multiple of its
own, or rolls it, has no constant border: its tiles would differ from whole images there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, lcm

from napari_shiftseg.network_audit.line import Line
from napari_shiftseg.network_audit.shifts import EQUAL
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

    def alike(self, step: int) -> bool | None:
        """Whether both borders are the same in images whose sizes differ by a step.

        The sizes lie around a common multiple of what networks are filled up to: there,
        most is filled up beside nothing. None if the images would be too long.
        """
        own, line = self.line.own, self.line
        least = step + max(2 * self.reach + 4, own.smallest)
        units = (lcm(step, _COMMON[self.subject.ndim]), step)
        middles = (-(-least // unit) * unit for unit in units)
        middle = next((n for n in middles if n + step <= line.largest), None)
        if middle is None:
            return None
        sizes = [middle - step, middle, middle + step]
        image = self.subject.noise(line.image_size(sizes[-1]))
        whole, margin = self.subject(image), ceil(self.reach * own.scale)
        spread = max(float((whole - whole.mean()).abs().max()), 1e-300)
        for size in sizes[:-1]:
            for start in (0, sizes[-1] - size):
                part = self.subject(image.narrow(line.dim, start, size))
                length = part.shape[line.dim] - margin
                own_first, first = (margin, int(start * own.scale) + margin) if start else (0, 0)
                here = part.narrow(line.dim, own_first, length)
                there = whole.narrow(line.dim, first, length)
                if float((here - there).abs().max()) > EQUAL[self.subject.dtype] * spread:
                    return False
        return True


def step_of_borders(probes: Sequence[BorderProbe], step: int) -> int | None:
    """Return the step of sizes from which on borders are the same, None if there is none.

    Parameters
    ----------
    probes
        Of networks of one architecture.
    step
        The first one to try, in pixels; then its multiples.
    """
    for larger in (step * k for k in _MULTIPLES):
        found = {probe.alike(larger) for probe in probes}
        if found == {True} or (None in found and larger == step):
            return larger
        if None in found:
            return None
    return None
