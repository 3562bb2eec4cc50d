"""``shiftseg audit``: whether a network can be tiled exactly, and what tilers make of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from napari_shiftseg.cli.app import app
from napari_shiftseg.cli.console import (
    TEXT_ONLY,
    UNEQUAL,
    Axes,
    ChannelName,
    Reporting,
    Strict,
    note,
)
from napari_shiftseg.cli.networks import AS_NAMED, NetworkInput, NetworkName, frames_for, normalised
from napari_shiftseg.cli.run import follow
from napari_shiftseg.errors import ShiftSegError
from napari_shiftseg.network_audit.audit import Audit
from napari_shiftseg.network_audit.audit import audit as audit_network
from napari_shiftseg.network_audit.causes import Diagnosis, TilingError, diagnose_events, sha256_of
from napari_shiftseg.network_audit.given import rescaled
from napari_shiftseg.network_audit.trained_window import has_enough_periods, trained_window
from napari_shiftseg.tiles.plan import by
from napari_shiftseg.wording import counted

_PARTS = 8


@app.command
def audit(
    network: NetworkName,
    *,
    takes: NetworkInput = AS_NAMED,
    input_size: tuple[int, ...] | None = None,
    image: Path | None = None,
    axes: Axes = None,
    channel: ChannelName = None,
    window: int | None = None,
    strict: Strict = False,
    ending: Reporting = TEXT_ONLY,
) -> None:
    """Measure period, receptive field and non-local parts of any network.

    Parameters
    ----------
    input_size
        A size in pixels that it takes, one number for all axes or one for each; by default
        one is looked for.
    image
        TIFF, PNG, .npy or OME-Zarr to tile in every way: the error of each, and its cause.
    window
        What the other programs put out at a time, in pixels, rounded up to what the network
        puts out; by default the recommended tile, or as much as makes six windows along an
        axis if that is more.
    """
    ending.refuse_existing(reads=[network, image])
    of_image = {"axes": axes, "channel": channel, "window": window, "intensity": takes.intensity}
    if image is None and (alone := next((k for k, v in of_image.items() if v is not None), None)):
        raise ShiftSegError(f"--{alone} is for an image, and no image is named: add --image FILE")
    if window is not None and window < 1:
        raise ShiftSegError(f"the window is {window} px; legal: from 1 px on")
    subject, foreign = takes.load(network)
    frames = None if image is None else frames_for(image, subject, axes, channel)[0]
    if frames is not None and frames.loops:
        raise ShiftSegError(f"{image} is a stack of {len(frames)} images; give one of them")
    note("measuring the network ...")
    result = audit_network(
        subject.module,
        ndim=subject.ndim,
        in_channels=subject.in_channels,
        input_size=input_size[0] if input_size and len(input_size) == 1 else input_size,
    )
    weights = sha256_of(subject.module)
    values: dict[str, Any] = result.to_dict() | {"weights_sha256": weights}
    text = _table(result, weights)
    untiled = None if frames is None else _why_untiled(result)
    equal = result.exact_tiling
    if frames is not None and untiled is None:
        pixels = normalised(frames, (), foreign.scaled(takes.intensity))
        note(f"tiling an image of {by(pixels.shape[1:])} px in every way ...")
        events = diagnose_events(subject.module, result, pixels, window=window)
        diagnosis = follow(events, Diagnosis)
        values["tilings"] = diagnosis.to_dict()
        text += f"\n\n{_tilings(diagnosis)}\n{_certificate(diagnosis, result)}"
        equal = equal and diagnosis.corrected.exact
        period = result.geometry.period
        if not has_enough_periods(diagnosis.whole.shape[1:], period):
            text += (
                "\nThe image is too small to show the window that the network was trained with: "
                f"four periods of {by(period)} px are needed."
            )
        elif max(period) > 1:
            window_test = trained_window(diagnosis.whole, period)
            values["trained_window"] = window_test.to_dict()
            text += "\n" + window_test.sentence
    ending.report(values, text)
    unequal = strict and not equal
    if untiled is not None and not unequal:
        raise ShiftSegError(f"{image} was not tiled: {untiled}")
    if untiled is not None:
        note(f"{image} was not tiled: {untiled}")
    if unequal:
        raise SystemExit(UNEQUAL)


def _why_untiled(audit: Audit) -> str | None:
    """Say why an image cannot be tiled in every way; None if it can."""
    if not audit.tileable:
        return "the network cannot be tiled exactly (see above)"
    return rescaled(audit)


def _table(result: Audit, weights: str) -> str:
    rows = {
        "network": f"{result.name}, {result.ndim}-D, {result.in_channels} to "
        f"{counted(result.out_channels, 'channel')}",
        "weights": f"SHA-256 {weights[:16]}... (whole in --json)",
        "period": _px(result.period),
        "receptive field": "; ".join(
            "the whole image" if r is None else f"{r[0]} px before, {r[1]} px after"
            for r in dict.fromkeys(result.receptive_field)
        ),
        "padding": f"{result.padding}; {by(result.context)} px lost from input to output",
        "input sizes": "; ".join(
            dict.fromkeys(
                f"{axis.sizes.smallest} px and on in steps of {axis.sizes.step}"
                for axis in result.axes
            )
        ),
        "see all of a tile": "nothing" if not result.parts else "",
    }
    lines = [f"{name:<18}{value}" for name, value in rows.items()]
    lines += [f"  {part}" for part in result.non_local[:_PARTS]]
    if len(result.parts) > _PARTS:
        lines.append(f"  and {len(result.parts) - _PARTS} more (all in --json)")
    lines += [f"note: {line}" for line in result.disagreements]
    return "\n".join([*lines, "", result.verdict])


def _px(period: tuple[int | None, ...]) -> str:
    named = ["none" if p is None else f"{p}" for p in period]
    size = named[0] if len(set(named)) == 1 else " x ".join(named)
    return size if set(period) == {None} else f"{size} px"


def _tilings(diagnosis: Diagnosis) -> str:
    head = (
        f"Largest error against one pass over {by(diagnosis.image_size)} px, relative to the "
        "spread of its channel;\n"
        f"windows of {_windows(diagnosis)}, off: how many are out of phase"
    )
    names = ("windows", "off", "total", "phase", "context", "statistics")
    rows = [f"{'':<32}{names[0]:>8}{names[1]:>5}" + "".join(f"{n:>11}" for n in names[2:])]
    rows.append(_tiling("corrected (shiftseg)", diagnosis.corrected))
    if diagnosis.frozen is not None:
        rows.append(_tiling("corrected, statistics frozen", diagnosis.frozen))
    rows += [_tiling(f"{e.strategy} ({e.typical_of})", e) for e in diagnosis.others]
    return "\n".join([head, *rows])


def _windows(diagnosis: Diagnosis) -> str:
    tile, laid = by(diagnosis.window), by(diagnosis.others_window)
    return f"{tile} px" if tile == laid else f"{tile} px corrected, {laid} px in other programs"


def _certificate(diagnosis: Diagnosis, audit: Audit) -> str:
    """Say whether corrected tiling equals one pass over this image, and of which network."""
    off = f"it is off by {diagnosis.corrected.total:.1e}"
    if diagnosis.corrected.exact:
        return "Corrected tiling equals one pass over the whole image."
    if diagnosis.frozen is None:
        trust = ", though probes of noise say it can: trust the image" if audit.exact_tiling else ""
        return f"Corrected tiling does NOT equal one pass over the whole image{trust}; {off}."
    if not diagnosis.frozen.exact:
        return f"Corrected tiling does NOT equal one pass, with statistics frozen or not; {off}."
    return (
        f"Corrected tiling does not equal one pass of the network as it is ({off}), but one of the "
        "network with its statistics frozen on this whole image. shiftseg predict "
        "--freeze-statistics freezes them on the middle of it: without seams, and not this output."
    )


def _tiling(name: str, error: TilingError) -> str:
    figures = (error.total, error.phase, error.context, error.statistics)
    cells = "".join(f"{figure:>11.1e}" for figure in figures)
    return f"{name:<32}{error.windows:>8}{error.misaligned:>5}{cells}"
