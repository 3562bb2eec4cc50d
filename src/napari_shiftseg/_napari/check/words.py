"""What was found and mended, in words."""

from __future__ import annotations

from napari_shiftseg._napari.check.job import Found, Repaired
from napari_shiftseg.seams.repair import merges_of
from napari_shiftseg.wording import counted, p_value

_LISTED = 3
"""Groups that are named one by one."""


def finding(found: Found) -> str:
    """Say which grid was found and what it cut."""
    check, name = found.check, f"“{found.part.title}”"
    if found.parts:
        return (
            f"{name} has one label in {found.parts} separate parts: a mask, in which no cut shows. "
            "Give each object a label of its own, as skimage.measure.label does."
        )
    if not check.found:
        return f"{name}: no tile grid found in {counted(check.objects, 'object')}."
    cuts = _cuts(len(check.splits), len(check.one_sided))
    if check.renumbered:
        cuts += ". Labels are used anew in each tile; each connected part is taken for an object"
    p = p_value(check.p_value, 1)
    if found.asked.tile == "auto":
        return f"{name}: {check.grid} found ({p}). {cuts}."
    return f"{name}: {check.grid} ({p} against other offsets). {cuts}."


def proposal(found: Found, confidence: float) -> str:
    """Say what a repair would do."""
    pairs = sum(cut.confidence >= confidence for cut in found.check.splits)
    if not found.check.splits:
        return "There are no pairs to merge."
    merges = merges_of(found.check, confidence)
    groups = [group for groups in merges.values() for group in groups]
    total = counted(len(found.check.splits), "pair")
    if not pairs:
        return f"None of {total} is that sure."
    pieces = sum(len(group) for group in groups)
    return (
        f"Merges {pairs} of {total}: {counted(pieces, 'piece')} become "
        f"{counted(len(groups), 'object')}."
    )


def mended(done: Repaired, name: str) -> str:
    """Say what a repair did."""
    groups = done.repair.groups
    if not groups:
        return "Nothing was merged: no pair is that sure."
    pieces = sum(len(group) for group in groups)
    named = ", ".join(" + ".join(map(str, group)) for group in groups[:_LISTED])
    more = f" and {len(groups) - _LISTED} more" if len(groups) > _LISTED else ""
    return (
        f"{counted(pieces, 'piece')} became {counted(len(groups), 'object')} in “{name}”: "
        f"{named}{more}. Your layer is as it was."
    )


def _cuts(pairs: int, single: int) -> str:
    if not pairs and not single:
        return "No object is cut"
    parts = []
    if pairs:
        parts.append(
            f"{counted(pairs, 'pair')} of pieces {'is' if pairs == 1 else 'are'} cut apart"
        )
    if single:
        verb = "ends" if single == 1 else "end"
        parts.append(f"{counted(single, 'object')} {verb} on a line with no piece beyond")
    return "; ".join(parts)
