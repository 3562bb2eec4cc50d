"""The output windows of a step: their size, their neighbours, and where the loss ends."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product

import torch
from torch import Tensor

from napari_shiftseg.errors import ShiftSegError
from napari_shiftseg.tiles.geometry import NetworkGeometry, Size


@dataclass(frozen=True)
class Windows:
    """A block of directly neighbouring output windows.

    With one window per axis this is the paper's training: a crop, one output window, the
    loss on it. Several windows whose loss spans their borders are its remedy for
    zero-padded networks (Sec. 3.2); several whose loss ends at each window are a batch.

    Parameters
    ----------
    geometry
        The network's.
    window
        One output window in pixels per axis. Where the network has no output of that size
        its next larger one is cut to it, from its start.
    mosaic
        Directly neighbouring windows per axis.
    across
        Whether the loss spans their borders.

    Raises
    ------
    ShiftSegError
        If a size is below 1 pixel or names other axes than the network has.
    """

    geometry: NetworkGeometry
    window: Size
    mosaic: int = 1
    across: bool = True

    def __post_init__(self) -> None:
        if len(self.window) != self.geometry.ndim:
            raise ShiftSegError(
                f"the window is {self.window}, but the network has {self.geometry.ndim} axes"
            )
        if min(*self.window, self.mosaic) < 1:
            raise ShiftSegError(
                f"the window is {self.window} px, the mosaic {self.mosaic}; legal: at least 1"
            )

    @property
    def span(self) -> Size:
        """Pixels per axis that all windows cover."""
        return tuple(w * self.mosaic for w in self.window)

    @property
    def trained(self) -> Size:
        """Pixels per axis within which neighbours are trained together."""
        return self.span if self.across else self.window

    @property
    def in_one_pass(self) -> bool:
        """Whether one pass computes all windows, with the values of a pass for each."""
        aligned = all(w % p == 0 for w, p in zip(self.window, self.geometry.period, strict=True))
        return self.mosaic == 1 or (aligned and self.geometry.padding == "valid")

    @property
    def crop(self) -> Size:
        """Pixels per axis to cut from an image, beside the network's context."""
        if self.in_one_pass:
            return self.geometry.natural_output(self.span)
        natural = self.geometry.natural_output(self.window)
        return tuple(s + n - w for s, n, w in zip(self.span, natural, self.window, strict=True))

    def predict(self, network: Callable[[Tensor], Tensor], image: Tensor) -> Tensor:
        """Run the network.

        Parameters
        ----------
        network
            Maps ``(B, C, *input)`` to ``(B, K, *output)``.
        image
            ``(B, C, *crop + context)``.

        Returns
        -------
        Tensor
            ``(B, K, *span)``.
        """
        if self.in_one_pass:
            return _part(network(image), _from_start(self.span))
        count = len(image)
        inputs = torch.cat([_part(image, part) for part in self._inputs()])
        outputs = _part(network(inputs), _from_start(self.window))
        whole = outputs.new_empty(count, outputs.shape[1], *self.span)
        for place, output in zip(self._places(), torch.split(outputs, count), strict=True):
            _part(whole, place)[:] = output
        return whole

    def groups(self, device: torch.device | None = None) -> Tensor | None:
        """Give each pixel the number of its window, ``(*span)`` int64; None if all are one."""
        if self.across or self.mosaic == 1:
            return None
        number = torch.zeros(self.span, dtype=torch.int64, device=device)
        for index, place in enumerate(self._places()):
            number[place] = index
        return number

    def sentence(self) -> str:
        """Say whether the window exceeds the period, and what follows (Sec. 3.2)."""
        trained, period = _by(self.trained), _by(self.geometry.period)
        if self.exceeds_period:
            return (
                f"The output window of {trained} px exceeds the period of {period} px: all "
                "neighbours are trained together, and tiles of n x period will have no seams."
            )
        return (
            f"The output window of {trained} px does not exceed the period of {period} px: "
            "neighbours across the period's grid would never be trained together, and no "
            f"stitching could mend the seams; smallest good window: {_by(self._smallest())} px."
        )

    @property
    def exceeds_period(self) -> bool:
        """Whether neighbours on either side of any line of the period are trained together."""
        return all(t > p for t, p in zip(self.trained, self.geometry.period, strict=True))

    def _smallest(self) -> Size:
        return self.geometry.natural_output(tuple(p + 1 for p in self.geometry.period))

    def _places(self) -> Iterator[tuple[slice, ...]]:
        for index in product(range(self.mosaic), repeat=self.geometry.ndim):
            yield tuple(slice(i * w, (i + 1) * w) for i, w in zip(index, self.window, strict=True))

    def _inputs(self) -> Iterator[tuple[slice, ...]]:
        natural = self.geometry.natural_output(self.window)
        size = [n + c for n, c in zip(natural, self.geometry.context, strict=True)]
        for place in self._places():
            yield tuple(slice(p.start, p.start + n) for p, n in zip(place, size, strict=True))


def _from_start(size: Size) -> tuple[slice, ...]:
    return tuple(slice(0, n) for n in size)


def _part(values: Tensor, spatial: tuple[slice, ...]) -> Tensor:
    """View a part of ``(B, C, *spatial)``."""
    return values[(slice(None), slice(None), *spatial)]


def _by(size: Size) -> str:
    return " x ".join(str(n) for n in size)
