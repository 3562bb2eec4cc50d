"""Audit of a network: measure, read, compare, and say whether it can be tiled exactly."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import cached_property
from math import lcm, prod
from typing import Any, Literal

from torch import nn

from napari_shiftseg.embeddings.model import Model
from napari_shiftseg.errors import ShiftSegError
from napari_shiftseg.network_audit.axis_audit import AxisAudit, at_its_level, axis_audits
from napari_shiftseg.network_audit.freeze import frozen_subject
from napari_shiftseg.network_audit.line import LARGEST, line_along
from napari_shiftseg.network_audit.locality import Part, non_local_blocks, non_local_layers
from napari_shiftseg.network_audit.operations import suspicious_operations
from napari_shiftseg.network_audit.sizes import axis_sizes
from napari_shiftseg.network_audit.subject import Layout, Subject, is_whole, quiet
from napari_shiftseg.tiles.geometry import Size
from napari_shiftseg.tiles.measured import MeasuredGeometry
from napari_shiftseg.tiles.plan import by
from napari_shiftseg.tiles.tile import whole_numbers

_HALOS_PER_TILE = {1: 8, 2: 4, 3: 2}
"""Edge of the recommended tile in halos: reads 2.25 times its pixels in 2-D, 8 times in 3-D."""

_POINTWISE = 64
"""Edge of the recommended tile in pixels where there is no halo, and any would do."""


@dataclass(frozen=True)
class Audit:
    """What :func:`audit` returns.

    Parameters
    ----------
    name
        The network's class.
    in_channels, out_channels
        Of the network.
    axes
        What was found along each axis, with the parts in ``non_local`` frozen.
    parts
        Parts of the network that see the whole image.
    stuck
        Those of them that cannot be frozen.
    seconds
        Duration of the audit.
    layout
        What the network is made of; plans of the audit are for this network alone.

    References
    ----------
    Rumberger et al., ICCV 2021, Lemma 1, Sec. 2.2 (padding).
    """

    name: str
    in_channels: int
    out_channels: int
    axes: tuple[AxisAudit, ...]
    parts: tuple[Part, ...]
    stuck: tuple[Part, ...]
    seconds: float
    layout: Layout

    @property
    def ndim(self) -> int:
        """Number of spatial axes."""
        return len(self.axes)

    @property
    def period(self) -> tuple[int | None, ...]:
        """Period of the architecture per axis in pixels; None where there is none."""
        return tuple(axis.period for axis in self.axes)

    @property
    def given_period(self) -> tuple[int | None, ...]:
        """Period of the given weights per axis in pixels: a divisor of :attr:`period`."""
        return tuple(axis.given_period for axis in self.axes)

    @property
    def receptive_field(self) -> tuple[tuple[int, int] | None, ...]:
        """Per axis the farthest input pixels that count, before and after an output pixel."""
        return tuple(
            None if a.reach is None else (a.reach.before, a.reach.after) for a in self.axes
        )

    @property
    def context(self) -> Size:
        """Input size minus output size per axis, in input pixels."""
        return tuple(axis.sizes.context for axis in self.axes)

    @property
    def output_scale(self) -> tuple[float, ...]:
        """Output pixels per input pixel, per axis."""
        return tuple(float(axis.sizes.scale) for axis in self.axes)

    @property
    def padding(self) -> Literal["valid", "same"]:
        """``"valid"``, or ``"same"`` if the network pads in any way."""
        return "same" if any(axis.padded for axis in self.axes) else "valid"

    @property
    def non_local(self) -> tuple[str, ...]:
        """Names of the parts that see the whole image."""
        return tuple(str(part) for part in self.parts)

    @property
    def exact_tiling(self) -> bool:
        """Whether tiles of n*P with the halo equal whole-image inference as it is."""
        return not self.parts and self.tileable

    @property
    def tileable(self) -> bool:
        """Whether that holds once :attr:`non_local` parts are frozen."""
        steady = all(axis.step is not None for axis in self.axes)
        whole = self.padding == "valid" or not any(self.context)
        return not self.stuck and None not in self.period and steady and whole

    @property
    def halo(self) -> Size | None:
        """Pixels to read beyond each side of a tile per axis; None if no halo suffices."""
        return self.geometry.halo if self.tileable else None

    @property
    def recommended_tile(self) -> Size | None:
        """A multiple of the period per axis, in pixels, large enough for a halo if there is one."""
        if self.halo is None:
            return None
        halos = _HALOS_PER_TILE[self.ndim]
        return tuple(
            -(-(halos * halo or _POINTWISE) // period) * period
            for halo, period in zip(self.halo, self.geometry.period, strict=True)
        )

    @property
    def cost(self) -> float | None:
        """Pixels read per pixel kept at the recommended tile."""
        if self.halo is None or self.recommended_tile is None:
            return None
        geometry = self.geometry
        more = geometry.context if geometry.padding == "valid" else [2 * n for n in self.halo]
        return prod(
            geometry.next_input_size(axis, tile + read) / tile
            for axis, (tile, read) in enumerate(zip(self.recommended_tile, more, strict=True))
        )

    @cached_property
    def geometry(self) -> MeasuredGeometry:
        """What plans are made from.

        Raises
        ------
        ShiftSegError
            If the network has no period or sees the whole image even when frozen.
        """
        if not self.tileable:
            raise ShiftSegError(f"{self.name}: {self.verdict}")
        periods = tuple(p for p in self.period if p is not None)
        reaches = tuple(axis.reach.halo for axis in self.axes if axis.reach is not None)
        valid = self.padding == "valid"
        # A padded network's last window ends where the image does: in step and in phase.
        steps = tuple(
            lcm(axis.step or 1, 1 if valid else period)
            for axis, period in zip(self.axes, periods, strict=True)
        )
        return MeasuredGeometry(
            period=periods,
            context=self.context,
            receptive_field=reaches,
            min_input_size=tuple(
                axis.sizes.legal(1) if valid else -(-axis.sizes.smallest // step) * step
                for axis, step in zip(self.axes, steps, strict=True)
            ),
            input_step=steps,
            padding=self.padding,
        )

    @property
    def disagreements(self) -> tuple[str, ...]:
        """Where measurement and layers, or weights and architecture, say different things."""
        from napari_shiftseg.network_audit.verdict import disagreements

        return disagreements(self)

    @property
    def verdict(self) -> str:
        """Say in words whether the network can be tiled exactly, how, and what else helps."""
        from napari_shiftseg.network_audit.verdict import verdict

        return verdict(self)

    def to_dict(self) -> dict[str, Any]:
        """Return the audit as plain JSON values."""
        return {
            "network": self.name,
            "period": list(self.period),
            "period_of_given_weights": list(self.given_period),
            "period_of_layers": [axis.sizes.resolution for axis in self.axes],
            "receptive_field": [r and list(r) for r in self.receptive_field],
            "felt_by_given_weights": [
                axis.felt and [axis.felt.before, axis.felt.after] for axis in self.axes
            ],
            "context": list(self.context),
            "padding": self.padding,
            "output_scale": list(self.output_scale),
            "smallest_input": [axis.sizes.smallest for axis in self.axes],
            "input_step": [axis.sizes.step for axis in self.axes],
            "non_local": list(self.non_local),
            "freezable": not self.stuck,
            "exact_tiling": self.exact_tiling,
            "recommended_tile": self.recommended_tile and list(self.recommended_tile),
            "halo": self.halo and list(self.halo),
            "pixels_read_per_pixel": self.cost,
            "disagreements": list(self.disagreements),
            "verdict": self.verdict,
            "seconds": round(self.seconds, 1),
        }


def audit(
    module: nn.Module | Model,
    *,
    ndim: int,
    in_channels: int = 1,
    input_size: int | Size | None = None,
) -> Audit:
    """Find out whether a network can be tiled exactly, and with which tiles.

    The network is copied and never changed. It is audited in the mode that it is in: call
    ``.eval()`` first if that is how it predicts.

    Parameters
    ----------
    module
        Any network that maps ``(B, C, *spatial)`` to ``(B, K, *output)``; of several outputs
        the first is audited.
    ndim
        Spatial axes of its input, 1 to 3.
    in_channels
        Channels of its input.
    input_size
        A legal input size in pixels; by default one is looked for.

    Returns
    -------
    Audit
        Period (Lemma 1), receptive field, non-local parts, verdict.

    Raises
    ------
    ShiftSegError
        If the network takes no image of these axes and channels, has no output per pixel,
        or answers at random.

    References
    ----------
    Rumberger et al., ICCV 2021, Lemma 1, Sec. 2.2 (padding).
    """
    if not is_whole(ndim) or ndim not in LARGEST:
        raise ShiftSegError(f"ndim is {ndim!r}; legal: 1 to 3")
    ndim = int(ndim)
    if input_size is not None:
        input_size = whole_numbers(input_size, ndim, "the input size")
        if min(input_size) < 1:
            raise ShiftSegError(f"the input size is {by(input_size)} px; legal: from 1 px on")
    began = time.monotonic()
    with quiet():
        given = Subject.of(module, ndim, in_channels)
        layout, subject = Layout.of(given.module), given.copy()
        module = subject.module
        sizes = axis_sizes(subject, input_size)
        small = tuple(axis.small for axis in sizes)
        subject.refuse_unmeasurable(small)
        subject = at_its_level(subject, sizes)
        longer = tuple(axis.legal(2 * own) for axis, own in zip(sizes, small, strict=True))
        layers = non_local_layers(subject, small, longer[0])
        local, stuck = frozen_subject(subject, layers, subject.noise(small))
        axes = axis_audits(local, sizes)
        if not stuck and any(axis.reach is None and not axis.unmeasured for axis in axes):
            stuck = suspicious_operations(module) or non_local_blocks(
                local,
                [line_along(sizes, axis).image_size(own) for axis, own in enumerate(small)],
                longer,
            )
            layers = (*layers, *stuck)
        out_channels = subject(subject.noise(small)).shape[1]
    return Audit(
        getattr(module, "original_name", type(module).__name__),  # of a recorded network, its own
        in_channels,
        out_channels,
        axes,
        layers,
        stuck,
        time.monotonic() - began,
        layout,
    )
