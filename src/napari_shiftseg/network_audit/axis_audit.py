"""What is measured along one axis: receptive field, period, padding."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil, lcm

import torch

from napari_shiftseg.network_audit import weights
from napari_shiftseg.network_audit.borders import BorderProbe
from napari_shiftseg.network_audit.line import SEEN, Line, line_along, thin_line_along
from napari_shiftseg.network_audit.reach import Reach, ReachProbe
from napari_shiftseg.network_audit.shifts import ShiftProbe, common_period
from napari_shiftseg.network_audit.sizes import AxisSizes
from napari_shiftseg.network_audit.subject import (
    LEVELS,
    Level,
    NetworkFailedError,
    Subject,
    levelled,
)
from napari_shiftseg.tiles.geometry import Size


@dataclass(frozen=True)
class AxisAudit:
    """What was found along one axis.

    Parameters
    ----------
    sizes
        Legal sizes, context and scale, and the period that the layers imply.
    reach
        Receptive field of the architecture, by positive weights; None if no end was found.
    felt
        How much of it the given weights use at one position; a lower bound.
    period
        Period of the architecture in pixels, by random weights; None if none was found.
    given_period
        Period of the given weights: a divisor of that.
    padded
        Whether the border of the input is felt in the output.
    step
        Distance in pixels of input sizes whose borders are treated the same; None if the border
        of a padded network depends on the size of the image, or on what is far from it.
    unmeasured
        Whether kernels with gaps span more than the longest image that is probed can show.
    """

    sizes: AxisSizes
    reach: Reach | None
    felt: Reach | None = None
    period: int | None = None
    given_period: int | None = None
    padded: bool = True
    step: int | None = None
    unmeasured: bool = False


def axis_audits(subject: Subject, sizes: tuple[AxisSizes, ...]) -> tuple[AxisAudit, ...]:
    """Measure period, receptive field and padding of a network without non-local parts."""
    precise = precision(subject, tuple(size.small for size in sizes))
    felt, given = weights.positive(subject), subject.copy(precise)
    # Two, because a small network can be dead by chance, and then any shift is a period.
    random = tuple(weights.random(subject, precise, seed) for seed in (0, 1))
    return tuple(_axis(felt, given, random, sizes, axis) for axis in range(subject.ndim))


def precision(subject: Subject, size: Size) -> torch.dtype:
    """Return the type that a network is probed in on images of some size.

    Differences of single precision are far below those of a broken phase, and volumes slow. Some
    networks turn all into single precision themselves, or insist on it.
    """
    if subject.ndim == 3:
        return torch.float32
    precise = subject.copy(torch.float64)
    try:
        return precise(precise.noise(size)).dtype
    except NetworkFailedError:
        return torch.float32


def at_its_level(subject: Subject, sizes: tuple[AxisSizes, ...]) -> Subject:
    """Return a network that is probed with images of a level at which it feels them."""
    least = SEEN[subject.ndim]
    size = tuple(axis.legal(max(least, axis.small)) for axis in sizes)
    others = (weights.random(subject, subject.dtype, seed) for seed in (0,))  # if they are asked
    return levelled(subject, others, size)


def _used(given: Subject, line: Line, expected: Reach) -> tuple[Reach, tuple[Level, ...]] | None:
    """Return how far weights look, and the levels of intensity that show it; None if everywhere.

    A branch behind a threshold may be dead at the one level and look far at another.
    """
    size = max(4 * (expected.halo + line.own.stride), SEEN[given.ndim])
    used = ReachProbe(given, line).of_weights(size, expected)
    if used is None:
        return None
    levels = [given.level]
    for level in LEVELS:
        there = replace(given, level=level)
        if level == given.level or not _is_finite(there, line):
            continue
        more = ReachProbe(there, line).of_weights(size, expected.joined(used))
        if more is None:
            return None
        if not more.within(used):
            used = used.joined(more)
            levels.append(level)
    return used, tuple(levels)


def _is_finite(subject: Subject, line: Line) -> bool:
    """Whether the numbers of a network stay numbers at the level of its images."""
    image = subject.noise(line.image_size(line.own.small))
    return all(bool(subject(each).isfinite().all()) for each in (image, 30 * image, -30 * image))


def _axis(
    felt: Subject,
    given: Subject,
    random: tuple[Subject, ...],
    sizes: tuple[AxisSizes, ...],
    axis: int,
) -> AxisAudit:
    own, line = sizes[axis], line_along(sizes, axis)

    def shifts(subject: Subject) -> ShiftProbe:
        assert reach is not None
        return ShiftProbe(subject, line, margin=ceil(reach.halo * own.scale))

    raised = ReachProbe(felt, thin_line_along(sizes, axis))
    if line.too_wide:
        return AxisAudit(own, None, unmeasured=True)
    reach = raised.of_architecture(own.stride)
    if reach is None:
        return AxisAudit(own, None)
    found = _used(given, line, reach)
    if found is None:  # a ReLU behind a normalisation hides it where all weights are positive
        return AxisAudit(own, None)
    used, levels = found
    reach = reach.joined(used)
    every = tuple(replace(given, level=level) for level in levels)
    networks = (*every, *(replace(each, level=level) for each in random for level in levels))
    of_given = common_period([shifts(each) for each in every], own.stride)
    if of_given is None:
        return AxisAudit(own, reach, used)
    if of_given > own.stride:  # more phases than were looked at
        reach = reach.joined(raised.of_architecture(of_given) or reach)
    period: int | None = of_given
    if of_given != own.stride:
        period = common_period([shifts(network) for network in networks], of_given)
    if period is None:
        return AxisAudit(own, reach, used, None, of_given)
    unpadded = [replace(shifts(network), margin=0) for network in networks]
    # The first pixels put out cannot look farther back than the input begins, unless it is padded.
    padded = reach.halo >= own.context / 2 + period
    padded = padded or not all(probe.equivariant(period) for probe in unpadded)
    step: int | None = own.stride
    if padded:
        step = BorderProbe(given, line, reach.halo).step(lcm(own.regular, period))
    return AxisAudit(own, reach, used, period, of_given, padded, step)
