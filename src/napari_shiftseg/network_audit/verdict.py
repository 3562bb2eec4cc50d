"""The audit in words: can it be tiled exactly, how, and if not, what helps."""

from __future__ import annotations

from collections import Counter
from math import ceil
from typing import TYPE_CHECKING

from napari_shiftseg.network_audit.line import LARGEST
from napari_shiftseg.network_audit.shifts import MULTIPLES, image_for, longest_for, margin_for
from napari_shiftseg.tiles.plan import by

if TYPE_CHECKING:
    from napari_shiftseg.network_audit.audit import Audit
    from napari_shiftseg.network_audit.axis_audit import AxisAudit


def verdict(audit: Audit) -> str:
    """Say whether a network can be tiled exactly, with which tiles, and which cure it needs."""
    if audit.exact_tiling:
        return f"Can be tiled exactly: {_tiles(audit)}"
    if audit.parts and audit.tileable:
        return (
            f"Cannot be tiled exactly as it is: statistics of the whole tile go into "
            f"{_parts(audit)}, so that neighbouring tiles are treated differently. Cure: freeze "
            "these statistics on one reference region; then "
            f"{_tiles(audit)} The frozen network has no seams; it equals the original on the "
            "reference region only. Without freezing, use one pass over the whole image."
        )
    if wide := [a for a, axis in enumerate(audit.axes) if axis.unmeasured]:
        spans = by(tuple(audit.axes[a].sizes.gaps for a in wide))
        return (
            f"Cannot be certified: along axis {_listed(wide)} kernels with gaps span {spans} px; "
            f"images of up to {LARGEST[audit.ndim]} px, which are probed, cannot show what they "
            "see. What helps: one pass over the whole image, or smaller gaps (dilation)."
        )
    if audit.stuck:
        return (
            f"Cannot be tiled exactly: the whole tile goes into {_named(audit.stuck)}, and this "
            f"cannot be frozen. What helps: one pass over the whole image, or {_instead(audit)}."
        )
    axes = [a for a, axis in enumerate(audit.axes) if axis.period is None]
    if not axes and audit.padding == "same" and any(audit.context):
        lost = by(audit.context)
        return (
            "Cannot be tiled exactly by ShiftSeg: the network pads its input, and its output is "
            f"{lost} px smaller all the same. What helps: to fill its output up, in Python by "
            "fill_output(network), or padding that keeps the size, or none."
        )
    if not axes:
        axes = [a for a, axis in enumerate(audit.axes) if axis.step is None]
        return (
            f"Cannot be tiled exactly: along axis {_listed(axes)} the border of the image is "
            "treated differently in images of other sizes (filled up to a size of the network's "
            "own, or joined with the other end). What helps: one pass over the whole image."
        )
    tried = _tried(audit)
    if tried is None:
        return (
            f"Cannot be certified: along axis {_listed(axes)} shifts would have to be tried on "
            f"images of more than {LARGEST[audit.ndim]} px, so far does an output pixel see. What "
            "helps: one pass over the whole image."
        )
    return (
        f"Cannot be tiled exactly: none of the shifts that were tried along axis {_listed(axes)}, "
        f"up to {tried} px, only shifts the output, so tiles are treated by functions of "
        "their own. What helps: one pass over the whole image, or a network whose layers resample "
        "by whole numbers, and which is not told where in the image it is (coordinates)."
    )


def _instead(audit: Audit) -> str:
    if all("_norm" in part.kind for part in audit.stuck):
        return (
            "the network as Python code (package.module:factory) instead of recorded: there the "
            "statistics can be frozen"
        )
    return (
        "a network without (means and normalisations as layers of their own, as "
        "nn.AdaptiveAvgPool2d, which can be frozen; resample by a fixed factor with "
        "align_corners=False, attention within windows, padding by zeros or by what is near)"
    )


def disagreements(audit: Audit) -> tuple[str, ...]:
    """Say where layers, architecture and weights differ."""
    found = []
    for number, axis in enumerate(audit.axes):
        own, reach = axis.sizes, axis.reach
        if own.resolution is not None and axis.period not in (None, own.resolution):
            found.append(
                f"axis {number}: the layers imply a period of {own.resolution} px, "
                f"measured is {axis.period} px"
            )
        if axis.given_period is not None and axis.given_period != axis.period:
            found.append(
                f"axis {number}: these weights have a period of {axis.given_period} px, "
                f"the architecture one of {axis.period} px"
            )
        if (
            reach
            and own.extent is not None
            and reach.before + reach.after > own.extent + own.stride
        ):
            found.append(
                f"axis {number}: the kernels span {own.extent} px, measured is a receptive "
                f"field of {reach.before + reach.after} px: something else looks around"
            )
    return tuple(found)


def _tiles(audit: Audit) -> str:
    assert audit.halo is not None and audit.recommended_tile is not None
    halo, tile, geometry = by(audit.halo), by(audit.recommended_tile), audit.geometry
    how = "which its valid convolutions use up" if audit.padding == "valid" else "cut off again"
    read = f"read with {halo} px more on each side ({how})" if any(audit.halo) else "read alone"
    steps, smallest, sizes = by(geometry.input_step), by(geometry.min_input_size), ""
    if any(s > p for s, p in zip(geometry.input_step, geometry.period, strict=True)):
        sizes = f"Windows have sizes that the network takes, {smallest} px and more by {steps} px. "
    return (
        f"output tiles of n * {by(geometry.period)} px, {read}, equal whole-image inference. "
        f"{sizes}Tiles of {tile} px read {audit.cost:.2g} times the pixels of the image."
        f"{_scaled(audit)}"
    )


def _scaled(audit: Audit) -> str:
    scale = other_scale(audit)
    if scale is None:
        return ""
    return f" The output has {scale}: shiftseg predict does not stitch that, your own code can."


def other_scale(audit: Audit) -> str | None:
    """Say how large the output is if it has not the image's scale."""
    if all(scale == 1 for scale in audit.output_scale):
        return None
    scales = dict.fromkeys(f"{scale:g}" for scale in audit.output_scale)
    return f"{' x '.join(scales)} times the size of the image"


def _parts(audit: Audit) -> str:
    kinds = Counter(part.kind for part in audit.parts)
    return ", ".join(f"{count} {kind}" for kind, count in kinds.most_common())


def _named(parts: tuple[object, ...]) -> str:
    shown = ", ".join(map(str, parts[:3]))
    return shown if len(parts) <= 3 else f"{shown} and {len(parts) - 3} more"


def _listed(axes: list[int]) -> str:
    return ", ".join(map(str, axes))


def _tried(audit: Audit) -> int | None:
    """Return the largest shift in pixels that was tried, None if all images were too long."""
    tried = [
        shift
        for axis in audit.axes
        if axis.period is None and axis.reach is not None
        for shift in (multiple * axis.sizes.stride for multiple in MULTIPLES)
        if _length(axis, axis.reach.halo, shift) <= longest_for(axis.sizes, shift, audit.ndim)
    ]
    return max(tried, default=None)


def _length(axis: AxisAudit, halo: int, shift: int) -> int:
    """Return the length in pixels of the image on which a shift is tried."""
    own = axis.sizes
    return image_for(own, margin_for(own, ceil(halo * own.scale), shift), shift)
