"""Network geometry by arithmetic: period, context, legal sizes, receptive field.

Nothing here runs a network. An encoder-decoder of ``l`` levels is described by its
pooling factors and convolution kernels; every size that tile-and-stitch needs
follows from these integers (Rumberger et al., ICCV 2021, Sec. 2).
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from itertools import chain
from math import prod
from numbers import Integral
from typing import TYPE_CHECKING, Literal

from napari_shiftseg.errors import ShiftSegError

Size = tuple[int, ...]
"""One integer per spatial axis, in the order of the axes."""

Kernels = tuple[Size, ...]
"""The kernel sizes of consecutive convolutions, first to last."""


class TilingGeometry:
    """What tile-and-stitch needs to know of a network, per spatial axis.

    Subclasses say ``period`` (P), ``context`` (input size minus output size, 0 for same
    padding), ``receptive_field`` (the farthest input pixel that any output pixel can depend
    on), ``min_input_size`` (the smallest legal one) and ``input_step`` (the distance of legal
    ones; of padded networks a multiple of P), one integer per axis in pixels, and ``padding``.
    """

    padding: Literal["valid", "same"]

    if TYPE_CHECKING:  # properties here, so that a subclass may have fields or properties

        @property
        def period(self) -> Size: ...  # noqa: D102

        @property
        def context(self) -> Size: ...  # noqa: D102

        @property
        def receptive_field(self) -> Size: ...  # noqa: D102

        @property
        def min_input_size(self) -> Size: ...  # noqa: D102

        @property
        def input_step(self) -> Size: ...  # noqa: D102

    @property
    def ndim(self) -> int:
        """Number of spatial axes."""
        return len(self.period)

    @property
    def halo(self) -> Size:
        """Pixels to read beyond each side of a tile so that it equals whole-image inference.

        Half the context of valid convolutions, which they use up; of padded networks the
        receptive field in whole periods, which is cut off again (Corollary 4).
        """
        if self.padding == "valid":
            return tuple(-(-n // 2) for n in self.context)
        return tuple(-(-r // p) * p for r, p in zip(self.receptive_field, self.period, strict=True))

    def output_size(self, input_size: Size) -> Size:
        """Return the output size for an input size.

        Raises
        ------
        ShiftSegError
            If the network cannot take that size; the nearest legal ones are named.
        """
        result = []
        for axis, size in enumerate(self._checked(input_size)):
            legal = self.next_input_size(axis, size)
            if legal != size:
                below = legal - self.input_step[axis]
                near = f"{below} or {legal}" if below >= self.min_input_size[axis] else f"{legal}"
                raise ShiftSegError(
                    f"the network cannot take {size} px on axis {axis}; nearest legal: {near} px"
                )
            result.append(size - self.context[axis])
        return tuple(result)

    @property
    def min_output_size(self) -> Size:
        """Smallest natural output size per axis in pixels."""
        return tuple(n - c for n, c in zip(self.min_input_size, self.context, strict=True))

    def next_input_size(self, axis: int, size: int) -> int:
        """Return the smallest legal input size that is at least ``size`` on one axis."""
        smallest, step = self.min_input_size[axis], self.input_step[axis]
        return smallest + max(0, -(-(size - smallest) // step)) * step

    def next_output_size(self, axis: int, size: int) -> int:
        """Return the smallest natural output size that is at least ``size`` on one axis."""
        return self.next_input_size(axis, size + self.context[axis]) - self.context[axis]

    def natural_output(self, at_least: Size) -> Size:
        """Return the smallest natural output size that covers ``at_least`` on every axis."""
        return tuple(self.next_output_size(a, n) for a, n in enumerate(self._checked(at_least)))

    def enlarged(self, axis: int, size: int, start: int, stop: int) -> tuple[int, int]:
        """Enlarge a padded network's window to a size that it takes, inside of the image if it can.

        Its phase is kept: it starts whole periods earlier where it would end behind ``size``.
        """
        period, length = self.period[axis], self.next_input_size(axis, stop - start)
        beyond = max(0, start + length - size)
        start -= min(-(-beyond // period), start // period) * period
        return start, start + length

    def _checked(self, size: Size) -> Size:
        if len(size) != self.ndim:
            raise ShiftSegError(f"the network has {self.ndim} axes, got the size {size}")
        return size


def read_for(start: int, stop: int, context: int) -> tuple[int, int]:
    """Return what a network of some context reads for an output window, in pixels."""
    return start - context // 2, stop + context - context // 2


@dataclass(frozen=True)
class NetworkGeometry(TilingGeometry):
    """Sizes of a U-Net style network, per spatial axis.

    Parameters
    ----------
    factors
        Pooling factor per level and axis, from the finest level down; ``l`` entries.
    down
        Kernels of the contracting path per level; ``l + 1`` entries, the last one is
        the bottleneck.
    up
        Kernels of the expanding path per level, index 0 is the finest; ``l`` entries.
    head
        Kernels after the last expanding level.
    padding
        ``"valid"`` or ``"same"`` (zero padding).

    Raises
    ------
    ShiftSegError
        If the numbers of levels or axes disagree, a factor is below 1, a kernel is even or
        below 1, or there is none.

    References
    ----------
    Rumberger et al., ICCV 2021, Sec. 2, Lemma 1; Corollary 2 (capacity).
    """

    factors: tuple[Size, ...]
    down: tuple[Kernels, ...]
    up: tuple[Kernels, ...]
    head: Kernels = ()
    padding: Literal["valid", "same"] = "valid"

    def __post_init__(self) -> None:
        levels = len(self.factors)
        if len(self.down) != levels + 1 or len(self.up) != levels:
            raise ShiftSegError(
                f"{levels} pooling levels need {levels + 1} contracting and {levels} "
                f"expanding passes, got {len(self.down)} and {len(self.up)}"
            )
        if self.padding not in ("valid", "same"):
            raise ShiftSegError(f"padding is {self.padding!r}; legal: 'valid' or 'same'")
        kernels = [k for group in (*self.down, *self.up, self.head) for k in group]
        if not kernels:
            raise ShiftSegError("there is no kernel at all; legal: at least one convolution")
        axes = {len(size) for size in (*self.factors, *kernels)}
        if len(axes) != 1:
            raise ShiftSegError(f"factors and kernels name different numbers of axes: {axes}")
        if any(f < 1 for factor in self.factors for f in factor):
            raise ShiftSegError(f"pooling factors are {self.factors}; each must be at least 1")
        if any(k < 1 or k % 2 == 0 for kernel in kernels for k in kernel):
            raise ShiftSegError("kernel sizes must be odd (1, 3, 5, ...), or skips would not align")

    @classmethod
    def regular(
        cls,
        ndim: int,
        levels: int,
        *,
        factor: int = 2,
        kernel: int = 3,
        convolutions: int = 2,
        padding: Literal["valid", "same"] = "valid",
    ) -> NetworkGeometry:
        """Build the geometry of the paper's U-Net: the same at every level and axis.

        Raises
        ------
        ShiftSegError
            If there are fewer than 1 axis, 0 levels or 0 convolutions, or as of the class.
        """
        counts = (("ndim", ndim, 1), ("levels", levels, 0), ("convolutions", convolutions, 0))
        for name, number, least in counts:
            if not isinstance(number, Integral) or number < least:
                raise ShiftSegError(f"{name} is {number!r}; legal: whole numbers from {least} on")
        block: Kernels = ((kernel,) * ndim,) * convolutions
        return cls(
            factors=((factor,) * ndim,) * levels,
            down=(block,) * (levels + 1),
            up=(block,) * levels,
            head=((1,) * ndim,),
            padding=padding,
        )

    def flattened(self, levels: int) -> NetworkGeometry:
        """Return a geometry whose finest levels neither pool nor convolve along the first axis.

        Parameters
        ----------
        levels
            How many; for stacks whose slices are farther apart than their pixels.

        Raises
        ------
        ShiftSegError
            If there are not that many levels.
        """
        if not 0 <= levels <= self.levels:
            raise ShiftSegError(f"{levels} flat levels; legal: 0 to {self.levels}")

        def flat(kernels: tuple[Size, ...]) -> tuple[Size, ...]:
            return tuple((1, *kernel[1:]) for kernel in kernels)

        return dataclasses.replace(
            self,
            factors=flat(self.factors[:levels]) + self.factors[levels:],
            down=tuple(map(flat, self.down[:levels])) + self.down[levels:],
            up=tuple(map(flat, self.up[:levels])) + self.up[levels:],
        )

    @property
    def ndim(self) -> int:
        """Number of spatial axes."""
        return len(next(chain(self.factors, *self.down, *self.up, self.head)))

    @property
    def levels(self) -> int:
        """Number of pooling levels ``l``."""
        return len(self.factors)

    @property
    def period(self) -> Size:
        """Period P per axis in pixels: the product of the pooling factors (Lemma 1)."""
        return tuple(prod(f[a] for f in self.factors) for a in range(self.ndim))

    @property
    def capacity(self) -> int:
        """Number of same-looking objects that can be told apart, f^(dl) (Corollary 2)."""
        return prod(self.period)

    @property
    def context(self) -> Size:
        """Input size minus output size per axis in pixels; 0 for same padding."""
        if self.padding == "same":
            return (0,) * self.ndim
        return tuple(self._valid_input(a, 1) - self._valid_output(a, 1) for a in range(self.ndim))

    @property
    def receptive_field(self) -> Size:
        """Farthest input pixel that any output pixel can depend on, per axis, in pixels.

        The larger of both sides, over all phases: a pixel at the far end of a pooled block
        reaches farther than half the context.
        """
        return tuple(
            max(
                max(phase - low, high - phase)
                for phase in range(self.period[axis])
                for low, high in [self._seen(axis, 0, phase, phase)]
            )
            for axis in range(self.ndim)
        )

    @property
    def min_input_size(self) -> Size:
        """Smallest legal input size per axis in pixels."""
        if self.padding == "same":
            return self.period
        return tuple(self._valid_input(a, self._min_bottleneck(a)) for a in range(self.ndim))

    @property
    def input_step(self) -> Size:
        """Distance of legal input sizes per axis in pixels: P."""
        return self.period

    def _seen(self, axis: int, level: int, low: int, high: int) -> tuple[int, int]:
        """Pixels that enter a level and are seen from ``low..high`` where they leave it."""
        if level == 0:
            reach = self._shrink(self.head, axis) // 2
            low, high = low - reach, high + reach
        if level < self.levels:
            factor, reach = self.factors[level][axis], self._shrink(self.up[level], axis) // 2
            low, high = low - reach, high + reach
            coarse = self._seen(axis, level + 1, low // factor, high // factor)
            low, high = min(low, coarse[0] * factor), max(high, (coarse[1] + 1) * factor - 1)
        reach = self._shrink(self.down[level], axis) // 2
        return low - reach, high + reach

    def _shrink(self, kernels: Kernels, axis: int) -> int:
        return sum(kernel[axis] - 1 for kernel in kernels)

    def _valid_input(self, axis: int, bottleneck: int) -> int:
        """Input size that leaves ``bottleneck`` pixels after the bottleneck's convolutions."""
        size = bottleneck + self._shrink(self.down[-1], axis)
        for factor, kernels in zip(reversed(self.factors), reversed(self.down[:-1]), strict=True):
            size = size * factor[axis] + self._shrink(kernels, axis)
        return size

    def _valid_output(self, axis: int, bottleneck: int) -> int:
        size = bottleneck
        for factor, kernels in zip(reversed(self.factors), reversed(self.up), strict=True):
            size = size * factor[axis] - self._shrink(kernels, axis)
        return size - self._shrink(self.head, axis)

    def _min_bottleneck(self, axis: int) -> int:
        """Fewest bottleneck pixels that leave at least one pixel at every later layer."""
        bottleneck = 1
        while not self._stays_positive(axis, bottleneck):
            bottleneck += 1
        return bottleneck

    def _stays_positive(self, axis: int, bottleneck: int) -> bool:
        size = bottleneck
        for factor, kernels in zip(reversed(self.factors), reversed(self.up), strict=True):
            size = size * factor[axis] - self._shrink(kernels, axis)
            if size < 1:
                return False
        return size - self._shrink(self.head, axis) >= 1
