"""What was found, in words."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from napari_shiftseg._napari.audit.job import Audited, Tiled
from napari_shiftseg.network_audit.audit import Audit
from napari_shiftseg.network_audit.causes import TilingError
from napari_shiftseg.tiles.plan import by
from napari_shiftseg.wording import counted

_PARTS = 4

CAUSES = {
    "phase": "windows start out of phase",
    "context": "windows see too little around them",
    "statistics": "each window is normalised by its own statistics",
}
"""The causes of seams."""


def headline(audit: Audit) -> tuple[str, bool]:
    """Return the verdict's first sentence in bold and the rest, and whether it is a warning."""
    first, mark, rest = audit.verdict.partition(": ")
    return f"<b>{escape(first)}{mark.strip()}</b> {escape(rest)}", not audit.exact_tiling


def card(audited: Audited) -> dict[str, str]:
    """Return the facts by name."""
    audit = audited.audit
    return {
        "Network": f"{audited.asked.name}: {audit.name}, {audit.ndim}-D, {audit.in_channels} to "
        f"{counted(audit.out_channels, 'channel')}",
        "Period": _period(audit.period),
        "Receptive field": _each(
            "the whole image" if r is None else f"{r[0]} px before, {r[1]} px after"
            for r in audit.receptive_field
        ),
        "Padding": f"{audit.padding}; {by(audit.context)} px lost from input to output",
        "Input sizes": _each(
            f"{axis.sizes.smallest} px, and on in steps of {axis.sizes.step}" for axis in audit.axes
        ),
        "Tile and halo": _tile(audit),
        "Sees all of a tile": _parts(audit.non_local),
    }


def notes(audit: Audit) -> str:
    """Return where layers, architecture and weights say different things."""
    return "<br>".join(escape(f"Note: {line}.") for line in audit.disagreements)


def cause(error: TilingError) -> str | None:
    """Return the name of the cause that alone makes the largest error."""
    if error.exact:
        return None
    return max(CAUSES, key=lambda name: float(getattr(error, name)))


def finding(tiled: Tiled) -> str:
    """Say which way of tiling is worst, and through what."""
    found = tiled.diagnosis
    bad = [error for error in found.others if not error.exact]
    where = f"“{tiled.scene.title}”, windows of {by(found.others_window)} px: "
    if not bad:
        return f"{where}every way of tiling equals one pass."
    worst = max(bad, key=lambda error: error.total)
    return (
        f"{where}{len(bad)} of {len(found.others)} ways that other programs tile differ from one "
        f"pass. Worst: {describe(worst)}"
    )


def describe(error: TilingError) -> str:
    """Say what a way of tiling does to the output."""
    name = f"{error.strategy} ({error.typical_of})"
    why = cause(error)
    if why is None:
        return f"{name} equals one pass over the image; what is left is rounding."
    return f"{name}, off by up to {number(error.total)} of its channel's spread: {CAUSES[why]}."


def certified(tiled: Tiled) -> str:
    """Say whether there is a certificate, and why not."""
    found = tiled.diagnosis
    best = found.frozen or found.corrected
    once = " once statistics are frozen" if found.frozen else ""
    if found.certified:
        return (
            f"Certified: corrected tiling equals one pass over {by(found.image_size)} px{once} "
            f"(largest difference {number(best.total)})."
        )
    why = cause(best)
    return (
        f"No certificate: corrected tiling{once} is off by {number(best.total)}"
        f"{'' if why is None else f', because {CAUSES[why]}'}."
    )


def number(value: float) -> str:
    """Write a share: in percent if it can be seen, else as a power of ten."""
    if value >= 0.001:
        return f"{value:.0%}" if value >= 0.1 else f"{value:.1%}"
    mantissa, _, power = f"{value:.0e}".partition("e")
    return "0" if value == 0 else f"{mantissa}e{int(power)}"


def _tile(audit: Audit) -> str:
    if audit.recommended_tile is None or audit.halo is None:
        return "none is exact"
    return (
        f"{by(audit.recommended_tile)} px and {by(audit.halo)} px; reads {audit.cost:.2g} times "
        "the image"
    )


def _parts(names: tuple[str, ...]) -> str:
    if not names:
        return "nothing"
    more = f" and {len(names) - _PARTS} more" if len(names) > _PARTS else ""
    return ", ".join(names[:_PARTS]) + more


def _period(period: tuple[int | None, ...]) -> str:
    if None not in period:
        return f"{by(tuple(p for p in period if p is not None))} px"
    if set(period) == {None}:
        return "none"
    return " x ".join("none" if p is None else f"{p} px" for p in period)


def _each(texts: Iterable[str]) -> str:
    return "; ".join(dict.fromkeys(texts))
