"""Legal input sizes and the output's size and scale, by trying on shapes alone."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from math import floor, lcm
from typing import Any

import torch
from torch import Tensor, nn

from napari_shiftseg.errors import ShiftSegError
from napari_shiftseg.network_audit.subject import NetworkFailedError, Subject, copy_of, hooked
from napari_shiftseg.tiles.geometry import Size
from napari_shiftseg.tiles.plan import by
from napari_shiftseg.wording import counted

_LARGEST = 400
"""Largest size in pixels at which a first legal one is looked for."""

_FINE = 8
"""Strides below this say little of the layers: they are doubled to be on the safe side."""

_COARSEST = 512
"""Coarser layers than this many pixels are no layers of an image."""

_GROWTH, _REAL_GROWTH = 2**8 * 3**3 * 5 * 7, 2**5 * 3**2
"""Pixels by which an input grows to read resolutions; shapes alone cost nothing at any size."""


@dataclass(frozen=True)
class AxisSizes:
    """What one axis of the input may be.

    Parameters
    ----------
    smallest
        Smallest legal input in pixels.
    step
        Legal and regular inputs go on from there in this step, in pixels.
    scale
        Output pixels per input pixel.
    context
        Input pixels that are lost from input to output, both sides together.
    resolution
        Input pixels per pixel of the coarsest layer: the period that the layers imply. None
        of a network without readable layers.
    extent
        Input pixels that the kernels would see if all layers stood in a row: more than any
        output pixel can see.
    gaps
        Of these the pixels that kernels with gaps (dilated ones) span: what such a kernel sees
        need not lie beside what it sees else.
    regular
        Sizes that differ by so many pixels are treated alike by all layers: a multiple of the
        stride, larger than it in networks that fill up their input.
    """

    smallest: int
    step: int
    scale: Fraction
    context: int
    resolution: int | None
    extent: int | None
    gaps: int
    regular: int

    @property
    def small(self) -> int:
        """A size that leaves at least two pixels in the coarsest layer."""
        return self.legal(self.smallest + max(self.stride, _FINE // 2))

    @property
    def stride(self) -> int:
        """Common multiple of step and resolution: a period, if the layers tell the truth."""
        return lcm(self.step, self.resolution or 1)

    def legal(self, at_least: int) -> int:
        """Return the next legal size in which the network behaves regularly."""
        if self.context == 0:
            # Resampling to the size of another layer is by a whole factor at even sizes only.
            even = self.stride * (2 if self.stride < _FINE else 1)
            return max(1, -(-max(at_least, self.smallest) // even)) * even
        steps = -(-(at_least - self.smallest) // self.stride)
        return self.smallest + max(0, steps) * self.stride

    def within(self, length: int) -> int | None:
        """Return a large legal size of at most a length; None if all are larger."""
        if self.legal(1) > length:
            return None
        size = self.legal(length)
        return size - self.stride * max(0, -(-(size - length) // self.stride))

    def input_at(self, output_pixel: int) -> int:
        """Return the input pixel at the place of an output pixel."""
        return floor(output_pixel / self.scale) + self.context // 2


class Shapes:
    """Runs a network on shapes: meta tensors, which hold no numbers.

    Recorded networks (TorchScript) cannot, nor can those that look at numbers: they are run on
    images of zeros.

    Parameters
    ----------
    subject
        The network.
    real
        Whether to run it on images.
    """

    def __init__(self, subject: Subject, *, real: bool = False) -> None:
        self._device, self.growth, module = "meta", _GROWTH, copy_of(subject.module)
        recorded = any(isinstance(part, torch.jit.ScriptModule) for part in module.modules())
        if real or recorded:
            self._device, self.growth = "cpu", _REAL_GROWTH
        elif any(isinstance(part, nn.RNNBase) for part in module.modules()):
            self.growth = _REAL_GROWTH  # shapes too go through it step by step
        self._subject = Subject(module.to(self._device), subject.ndim, subject.in_channels)
        self._sizes: dict[Size, Size | None] = {}
        self._refusal = ""

    @property
    def refusal(self) -> str:
        """What the network said of the last size that it refused, in brackets behind a space."""
        return f" ({self._refusal})" if self._refusal else ""

    @property
    def is_real(self) -> bool:
        """Whether it is run on images."""
        return self._device != "meta"

    def output(self, size: Size) -> Size | None:
        """Return the output size of an input size, or None if the network refuses it."""
        if size not in self._sizes:
            self._sizes[size] = self._tried(size)
        return self._sizes[size]

    def resolutions(self, axis: int, size: Size) -> dict[str, Fraction]:
        """Input pixels per output pixel along one axis, by layer; of those with space axes."""
        before = self._layers(size)
        larger = list(size)
        larger[axis] += self.growth
        after = self._layers(tuple(larger))
        found = {}
        for name, shape in before.items():
            grown = after.get(name, shape)[axis] - shape[axis]
            if grown > 0 and (each := Fraction(self.growth, grown)).numerator <= _COARSEST:
                found[name] = each
        return found

    def layer_sizes(self, axis: int, size: Size, more: int) -> dict[str, int]:
        """Return the output size of each layer along an axis that is longer by some pixels."""
        larger = (*size[:axis], size[axis] + more, *size[axis + 1 :])
        return {name: shape[axis] for name, shape in self._layers(larger).items()}

    def layer(self, name: str) -> nn.Module:
        """Return a layer by its path."""
        return self._subject.module.get_submodule(name)

    def _tried(self, size: Size) -> Size | None:
        shape, dtype = (1, self._subject.in_channels, *size), self._subject.dtype
        try:
            output = self._subject(torch.zeros(shape, dtype=dtype, device=self._device))
        except NetworkFailedError as error:
            self._refusal = str(error)
            return None
        return tuple(output.shape[2:])

    def _layers(self, size: Size) -> dict[str, Size]:
        """Spatial output size of every layer."""
        found: dict[str, Size] = {}
        dims = self._subject.ndim + 2
        layers = {
            name: module
            for name, module in self._subject.module.named_modules()
            if all(child == "parametrizations" for child, _ in module.named_children())
            and ".parametrizations" not in name
            and not isinstance(module, torch.jit.ScriptModule)
        }
        with hooked(
            layer.register_forward_hook(_recorder(name, dims, found))
            for name, layer in layers.items()
        ):
            self._tried(size)
        return found


def axis_sizes(subject: Subject, example: Size | None = None) -> tuple[AxisSizes, ...]:
    """Find legal sizes per axis.

    Parameters
    ----------
    subject
        The network.
    example
        A size that the network takes; by default one is looked for.

    Raises
    ------
    ShiftSegError
        If the network takes no size up to 400 px, or not the example.
    """
    shapes = Shapes(subject)
    try:
        base = _base(shapes, subject, example)
    except ShiftSegError:
        shapes = Shapes(subject, real=True)
        base = _base(shapes, subject, example)
    return tuple(_axis(shapes, base, axis) for axis in range(subject.ndim))


def _base(shapes: Shapes, subject: Subject, example: Size | None) -> Size:
    if example is not None:
        if len(example) != subject.ndim or shapes.output(tuple(example)) is None:
            raise ShiftSegError(
                f"the network does not take an input of {by(tuple(example))} px{shapes.refusal}"
            )
        return tuple(example)
    usual = [64, 96, 128, 160, 192, 224, 256]
    # Volumes of all sizes would take minutes where they are no shapes alone.
    slow = shapes.is_real and subject.ndim == 3
    for size in usual[:3] if slow else [*usual, *range(1, _LARGEST + 1)]:
        if shapes.output((size,) * subject.ndim) is not None:
            return (size,) * subject.ndim
    raise ShiftSegError(
        f"the network takes no image of {counted(subject.in_channels, 'channel')} and 1 to "
        f"{_LARGEST} px on each of {subject.ndim} axes; name a size that it takes, or mend "
        f"channels and axes{shapes.refusal}"
    )


def _axis(shapes: Shapes, base: Size, axis: int) -> AxisSizes:
    def out(size: int) -> int | None:
        output = shapes.output((*base[:axis], size, *base[axis + 1 :]))
        return None if output is None else output[axis]

    start, here = base[axis], out(base[axis])
    if out(start + shapes.growth) is None:  # recorded networks may have bounds for their sizes
        shapes.growth = _REAL_GROWTH
    far = out(start + shapes.growth)
    if far is None or here is None or far <= here:
        raise ShiftSegError(
            f"the network takes {start} px on axis {axis}, but not {start + shapes.growth} px with "
            f"the other axes as they are: it cannot be tiled and compared with whole "
            f"images{shapes.refusal}"
        )
    found = shapes.resolutions(axis, base)
    resolution = lcm(*(each.numerator for each in found.values())) if found else None
    spans = {n: _extent(shapes.layer(n), axis) * each for n, each in found.items()}
    seen = sum(spans.values())
    gaps = sum(span for n, span in spans.items() if _of(shapes.layer(n), "dilation", axis) > 1)
    scale = Fraction(far - here, shapes.growth)
    step = next(
        step
        for step in range(1, shapes.growth + 1)
        if shapes.growth % step == 0
        and all(out(start + k * step) == here + k * step * scale for k in range(1, 5))
    )
    stride = lcm(step, resolution or 1)
    whole = -(-start // stride) * stride
    if here != start * scale and out(whole) == whole * scale:
        start, here = whole, int(whole * scale)
    if here < start * scale:
        # A pool that does not divide drops pixels at the end: of the sizes with this output
        # only the smallest is seen whole.
        start = next(
            size for size in range(max(1, start - step + 1), start + 1) if out(size) == here
        )
    regular = [
        size
        for size in range(start % step or step, start, step)
        if here - (start - size) * scale >= 1
    ]
    smallest_at = bisect_left(
        regular, True, key=lambda size: out(size) == here - (start - size) * scale
    )
    smallest = [*regular, start][smallest_at]
    extent = int(seen) if found else None
    return AxisSizes(
        smallest,
        step,
        scale,
        int(start - here / scale),
        resolution,
        extent,
        int(gaps),
        _regular(shapes, axis, base, found, stride),
    )


def _regular(
    shapes: Shapes, axis: int, base: Size, layers: dict[str, Fraction], stride: int
) -> int:
    """Return the multiple of the stride by which all layers grow as the input does."""

    def grow(step: int) -> bool:
        sizes = [shapes.layer_sizes(axis, base, k * step) for k in range(3)]
        return all(
            larger.get(name, 0) - smaller.get(name, 0) == step / each
            for smaller, larger in pairwise(sizes)
            for name, each in layers.items()
        )

    steps = range(stride, _COARSEST + 1, stride)
    return next((step for step in steps if grow(step)), stride)


def _extent(layer: nn.Module, axis: int) -> Fraction:
    """Pixels of the layer's output that its kernel spans, less one."""

    def of(name: str) -> int:
        return _of(layer, name, axis)

    if isinstance(layer, nn.modules.conv._ConvTransposeNd):
        return Fraction((of("kernel_size") - 1) * of("dilation"))
    if isinstance(layer, nn.Upsample):
        return Fraction(2 * max(1, round(float(of("scale_factor")))))
    if hasattr(layer, "kernel_size"):
        return Fraction((of("kernel_size") - 1) * of("dilation"), of("stride"))
    return Fraction(0)


def _of(layer: nn.Module, setting: str, axis: int) -> int:
    """Return a setting of a layer along an axis, 1 if it has none."""
    value: Any = getattr(layer, setting, 1)
    if value is None:  # pools step by their kernel
        value = layer.kernel_size
    return int(value[axis] if isinstance(value, tuple) else value)


def _recorder(
    name: str, dims: int, found: dict[str, Size]
) -> Callable[[nn.Module, tuple[object, ...], object], None]:
    def record(module: nn.Module, inputs: tuple[object, ...], output: object) -> None:
        if isinstance(output, Tensor) and output.ndim == dims:
            found[name] = tuple(output.shape[2:])

    return record
