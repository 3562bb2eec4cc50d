"""What the plots of an audit show: the error of every shift, and how far one pixel is felt."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import ceil

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from napari_shiftseg.network_audit import weights
from napari_shiftseg.network_audit.audit import Audit
from napari_shiftseg.network_audit.axis_audit import at_its_level, precision
from napari_shiftseg.network_audit.freeze import frozen_subject
from napari_shiftseg.network_audit.line import line_along
from napari_shiftseg.network_audit.reach import Reach
from napari_shiftseg.network_audit.shifts import EQUAL, ShiftProbe
from napari_shiftseg.network_audit.subject import Subject, quiet

_PERIODS = 2
"""Periods that a curve shows."""

_POINTS = 32
"""Shifts per period at most; of longer periods every second, fourth, ... is measured."""

_UNKNOWN = 16
"""Pixels of a period that nobody knows."""


@dataclass(frozen=True)
class ShiftCurve:
    """Equivariance error against the shift along one axis.

    Parameters
    ----------
    axis
        Which axis.
    period
        Of the architecture in pixels; None if it has none.
    shifts
        In pixels.
    given, random
        Largest difference relative to the spread of its channel, of the given weights and of
        random ones; infinite where a shift cannot be compared.
    equal
        What is still rounding.
    """

    axis: int
    period: int | None
    shifts: tuple[int, ...]
    given: tuple[float, ...]
    random: tuple[float, ...]
    equal: float


@dataclass(frozen=True)
class Response:
    """How much one output pixel changes with the input pixels around it, 0 to 1.

    Parameters
    ----------
    axes
        The axes of the arrays: all of a 2-D network, one of others, where whole planes of
        pixels are changed.
    before
        Per axis, index of the output pixel's own place.
    positive
        Of positive weights: nothing cancels, and all that the architecture can see is there.
    given
        Of the given weights on noise.
    """

    axes: tuple[int, ...]
    before: tuple[int, ...]
    positive: NDArray[np.float64]
    given: NDArray[np.float64]


class Curves:
    """Runs an audited network for its plots.

    Parameters
    ----------
    module
        The network, in the mode in which it was audited.
    audit
        Its audit.
    """

    def __init__(self, module: nn.Module, audit: Audit) -> None:
        self._audit = audit
        self._sizes = tuple(axis.sizes for axis in audit.axes)
        with quiet():
            subject = Subject(module, audit.ndim, audit.in_channels).copy()
            small = tuple(size.small for size in self._sizes)
            subject = at_its_level(subject, self._sizes)
            parts = [part for part in audit.parts if part not in audit.stuck]
            self._local, _ = frozen_subject(subject, parts, subject.noise(small))

    def shifts(self, axis: int) -> ShiftCurve:
        """Measure the error of all shifts up to two periods along one axis.

        Networks without a period are shifted as far as their layers let expect one.
        """
        own, found = self._sizes[axis], self._audit.axes[axis]
        length = found.period or (own.stride if own.stride > 1 else _UNKNOWN)
        step = next(s for s in range(1, length + 1) if length % s == 0 and length / s <= _POINTS)
        steps = tuple(range(step, _PERIODS * length + 1, step))
        reach = found.reach.halo if found.reach is not None else 0
        margin = ceil(reach * own.scale) if found.padded else 0
        line = line_along(self._sizes, axis)

        def errors(subject: Subject) -> tuple[float, ...]:
            return tuple(ShiftProbe(subject, line, margin).error(step) for step in steps)

        with quiet():
            given, random = errors(self._given), errors(self._random)
        return ShiftCurve(axis, found.period, steps, given, random, EQUAL[self._precise])

    def responses(self) -> tuple[Response, ...]:
        """Measure how far one pixel is felt: a map in 2-D, else a profile per axis.

        Empty if it is felt everywhere, or differently at every place.
        """
        if not self._audit.tileable or any(axis.reach is None for axis in self._audit.axes):
            return ()
        with quiet():
            if self._audit.ndim == 2:
                return (self._response((0, 1)),)
            return tuple(self._response((axis,)) for axis in range(self._audit.ndim))

    @cached_property
    def _precise(self) -> torch.dtype:
        return precision(self._local, tuple(size.small for size in self._sizes))

    @cached_property
    def _given(self) -> Subject:
        return self._local.copy(self._precise)

    @cached_property
    def _random(self) -> Subject:
        return weights.random(self._local, self._precise, seed=0)

    def _response(self, axes: tuple[int, ...]) -> Response:
        reaches = tuple(self._reach(axis) for axis in axes)
        size = list(line_along(self._sizes, axes[0]).across)
        for axis, reach in zip(axes, reaches, strict=True):
            own = self._sizes[axis]
            size[axis] = own.legal(own.context + 2 * (reach.halo + 2 * own.stride))
        felt = weights.positive(self._local)
        zeros = torch.zeros((1, felt.in_channels, *size), dtype=felt.dtype)
        noise = self._given.noise(tuple(size))
        return Response(
            axes,
            tuple(reach.before for reach in reaches),
            self._felt(felt, zeros, axes, reaches),
            self._felt(self._given, noise, axes, reaches),
        )

    def _reach(self, axis: int) -> Reach:
        reach = self._audit.axes[axis].reach
        assert reach is not None
        return reach

    def _felt(
        self, subject: Subject, image: Tensor, axes: tuple[int, ...], reaches: tuple[Reach, ...]
    ) -> NDArray[np.float64]:
        """Change one pixel at each phase of the period and keep the largest answer.

        Phases of all axes go together: each of an axis is met, though not with each of another.
        """
        felt = np.zeros([reach.before + reach.after + 1 for reach in reaches])
        base = subject(image)
        middles = [
            image.shape[2 + axis] // 2 // self._sizes[axis].stride * self._sizes[axis].stride
            for axis in axes
        ]
        strides = [self._sizes[axis].stride for axis in axes]
        longest = max(strides)
        for phase in sorted({*range(0, longest, ceil(longest / _POINTS)), longest - 1}):
            pixel = tuple(m + phase % s for m, s in zip(middles, strides, strict=True))
            changed = image.clone()
            part = [slice(None)] * changed.ndim
            for axis, place in zip(axes, pixel, strict=True):
                part[2 + axis] = slice(place, place + 1)
            changed[tuple(part)] += 1
            difference = (subject(changed) - base).abs()
            others = [a for a in range(base.ndim) if a - 2 not in axes]
            self._collect(felt, difference.amax(others), axes, pixel, reaches)
        return np.asarray(felt / max(felt.max(), np.finfo(float).tiny))

    def _collect(
        self,
        felt: NDArray[np.float64],
        difference: Tensor,
        axes: tuple[int, ...],
        pixel: tuple[int, ...],
        reaches: tuple[Reach, ...],
    ) -> None:
        """Enter what outputs feel of a pixel where it lies as seen from each of them."""
        places, kept = [], []
        for n, axis, at, reach in zip(difference.shape, axes, pixel, reaches, strict=True):
            seen = np.array([at - self._sizes[axis].input_at(o) + reach.before for o in range(n)])
            inside = (seen >= 0) & (seen <= reach.before + reach.after)
            places.append(seen[inside])
            kept.append(np.flatnonzero(inside))
        values = difference.double().numpy()[np.ix_(*kept)]
        np.maximum.at(felt, np.ix_(*places), values)
