"""Calibration: what the axes of an array are, how large a voxel is, where the first one lies."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from napari_shiftseg.errors import ShiftSegError
from napari_shiftseg.image.units import PIXEL, length_in, unit_name

_KNOWN = "tczyxs"


@dataclass(frozen=True)
class Calibration:
    """One value per axis of an array.

    Parameters
    ----------
    axes
        One small letter per axis: t, c, z, y, x, and s for the samples of RGB; any other
        letter is an axis of unknown kind.
    scale
        Distance of neighbouring pixels, in ``units``.
    units
        Full names as ``"micrometer"``; ``"pixel"`` where unknown.
    translate
        Position of the first pixel, in ``units``.
    channels
        Names along the axis ``c``; none where they are not known.
    """

    axes: str
    scale: tuple[float, ...]
    units: tuple[str, ...]
    translate: tuple[float, ...]
    channels: tuple[str, ...] = ()

    @classmethod
    def of(
        cls,
        axes: str,
        scale: Sequence[float] | None = None,
        units: Sequence[str] | None = None,
        translate: Sequence[float] | None = None,
    ) -> Calibration:
        """Make a calibration; what is not given is 1 pixel, and 0 for ``translate``.

        Raises
        ------
        ShiftSegError
            If a sequence has not one value per axis, or a scale is not positive.
        """
        count = len(axes)
        scale = [1.0] * count if scale is None else scale
        units = [PIXEL] * count if units is None else units
        translate = [0.0] * count if translate is None else translate
        for what, values in (("scale", scale), ("units", units), ("translate", translate)):
            if len(values) != count:
                raise ShiftSegError(
                    f"{what} is {tuple(values)}; legal: {count} values, one for each of {axes!r}"
                )
        if not all(math.isfinite(step) and step > 0 for step in scale):
            raise ShiftSegError(f"scale is {tuple(scale)}; legal: positive numbers")
        return cls(
            axes.lower(),
            tuple(float(step) for step in scale),
            tuple(unit_name(unit) for unit in units),
            tuple(float(start) for start in translate),
        )

    @classmethod
    def fitting(cls, axes: str | Calibration, ndim: int) -> Calibration:
        """Return what names the axes of an array of ``ndim`` axes.

        Raises
        ------
        ShiftSegError
            If it names more or fewer.
        """
        calibration = axes if isinstance(axes, Calibration) else cls.of(axes)
        if len(calibration.axes) != ndim:
            named = f"the axes {calibration.axes!r} do not name"
            raise ShiftSegError(f"{named} the {ndim} axes of the array")
        return calibration

    @property
    def known_axes(self) -> str | None:
        """The axes if the kind of each is known and none is there twice, else None.

        Beside colours, which are never space, axes of unknown kind are told apart: p, q, r.
        """
        seen = enumerate(self.axes)
        letters = [a if a in _KNOWN and a not in self.axes[:i] else "" for i, a in seen]
        if all(letters):
            return self.axes
        others = iter("pqruvw")
        return "".join(a or next(others) for a in letters) if "s" in self.axes else None

    def naming(self, channels: Sequence[str], shape: Sequence[int]) -> Calibration:
        """Name the channels, if there is an axis of them in this shape and a name for each."""
        axis = self.axes.find("c")
        fits = axis >= 0 and len(channels) == shape[axis] and any(channels)
        return replace(self, channels=tuple(channels) if fits else ())

    def with_channels(self) -> Calibration:
        """Put a channel axis in front; one that is there already becomes one of unknown kind."""
        other = next(letter for letter in "pqruvw" if letter not in self.axes)
        return Calibration(
            "c" + self.axes.replace("c", other),
            (1.0, *self.scale),
            (PIXEL, *self.units),
            (0.0, *self.translate),
        )

    def cropped(self, starts: Sequence[int]) -> Calibration:
        """Move to where the last axes begin at these pixels."""
        first = len(self.axes) - len(starts)
        moved = (
            place + start * step
            for place, start, step in zip(
                self.translate[first:], starts, self.scale[first:], strict=True
            )
        )
        return replace(self, translate=(*self.translate[:first], *moved))

    def renamed(self, letter: str, other: str) -> Calibration:
        """Call an axis something else."""
        channels = () if letter == "c" else self.channels
        return replace(self, axes=self.axes.replace(letter, other), channels=channels)

    def without(self, letter: str) -> Calibration:
        """Drop an axis; one that is not there is no error."""
        return self.picked([i for i, axis in enumerate(self.axes) if axis != letter])

    def in_one_unit(self) -> Calibration:
        """Measure all lengths in the unit of the last axis that has one."""
        lengths = [unit for unit in self.units if length_in(unit, unit)]
        if len(set(lengths)) < 2:
            return self
        unit = lengths[-1]
        factors = [length_in(own, unit) for own in self.units]
        return replace(
            self,
            scale=tuple(s * (f or 1.0) for s, f in zip(self.scale, factors, strict=True)),
            translate=tuple(t * (f or 1.0) for t, f in zip(self.translate, factors, strict=True)),
            units=tuple(
                unit if factor else own for own, factor in zip(self.units, factors, strict=True)
            ),
        )

    def called(self, axes: str) -> Calibration:
        """Call the axes otherwise; a length is forgotten of what is no space, and so are times."""
        fits = [
            letter in "zyx" if length_in(unit, unit) else unit == PIXEL or letter == "t"
            for letter, unit in zip(axes, self.units, strict=True)
        ]
        return Calibration(
            axes,
            tuple(step if fit else 1.0 for step, fit in zip(self.scale, fits, strict=True)),
            tuple(unit if fit else PIXEL for unit, fit in zip(self.units, fits, strict=True)),
            tuple(place if fit else 0.0 for place, fit in zip(self.translate, fits, strict=True)),
            self.channels if axes.find("c") == self.axes.find("c") else (),
        )

    def picked(self, order: Sequence[int]) -> Calibration:
        """Keep axes by their numbers, in this order."""
        return Calibration(
            "".join(self.axes[i] for i in order),
            tuple(self.scale[i] for i in order),
            tuple(self.units[i] for i in order),
            tuple(self.translate[i] for i in order),
            self.channels if "c" in (self.axes[i] for i in order) else (),
        )
