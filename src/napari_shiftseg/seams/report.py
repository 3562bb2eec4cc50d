"""The seam report of one stitched result: as a table for people, as JSON for programs."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_shiftseg.errors import ShiftSegError
from napari_shiftseg.seams.jumps import JumpSums, measure_jumps
from napari_shiftseg.seams.matching import MatchCounts, Overlap
from napari_shiftseg.seams.splits import SeamSplit, find_seam_splits
from napari_shiftseg.tiles.plan import TilePlan, by


@dataclass(frozen=True)
class SeamReport:
    """What the seams of one stitched result did.

    Parameters
    ----------
    mode
        Stitch mode.
    tile_size
        Tile size in pixels per axis.
    objects
        Number of objects.
    false_splits, false_merges, ap50
        Against ground truth; None without it.
    splits
        Objects cut by a seam, the severest first. The reference is the ground
        truth, or the labels that the result is compared with.
    jumps
        Embedding jumps across and beside the seams.
    compared
        Whether there was a ground truth, or other labels, to tell what a seam has cut.

    References
    ----------
    Rumberger et al., ICCV 2021, Sec. 3.2, Fig. 3 (why), Sec. 4.2 (scores).
    """

    mode: str
    tile_size: tuple[int, ...]
    objects: int
    false_splits: int | None
    false_merges: int | None
    ap50: float | None
    splits: tuple[SeamSplit, ...]
    jumps: JumpSums
    compared: bool = True

    @classmethod
    def of(
        cls,
        labels: NDArray[Any],
        embedding: NDArray[Any],
        plan: TilePlan,
        *,
        truth: NDArray[Any] | None = None,
        reference: NDArray[Any] | None = None,
    ) -> SeamReport:
        """Measure a result.

        Parameters
        ----------
        labels
            ``(*loops, *spatial)`` integers; the frames of a stack are measured one by one.
        embedding
            ``(E, *loops, *spatial)``.
        plan
            The plan that made each frame.
        truth
            Ground truth, of the labels' shape or without the loops.
        reference
            Without truth: labels of the same image to compare with, as the corrected ones.

        Raises
        ------
        ShiftSegError
            If the ground truth has another shape.
        """
        compared = truth if truth is not None else reference
        objects = labels if compared is None else _fitted(compared, labels.shape)
        counts, splits, jumps = MatchCounts((0.5,)), [], JumpSums()
        for index in np.ndindex(labels.shape[: labels.ndim - len(plan.image_size)]):
            here, its_objects = labels[index], objects[index]
            vectors = embedding[(slice(None), *index)]
            if truth is not None:
                counts.add(Overlap.of(its_objects, here))
            if compared is not None:
                found = find_seam_splits(here, its_objects, plan, vectors)
                splits += [
                    replace(
                        split,
                        position=(*index, *split.position),
                        axis=len(index) + split.axis,
                    )
                    for split in found
                ]
            jumps += measure_jumps(vectors, its_objects, plan.seams)
        return cls(
            mode=plan.mode,
            tile_size=plan.tile_size,
            objects=_count(labels),
            false_splits=counts.false_splits if truth is not None else None,
            false_merges=counts.false_merges if truth is not None else None,
            ap50=counts.average_precision(0.5) if truth is not None else None,
            splits=tuple(sorted(splits, key=lambda split: (-split.severity, split.object_id))),
            jumps=jumps,
            compared=compared is not None,
        )

    @property
    def seam_splits(self) -> int | None:
        """Number of objects cut by a seam; None where nothing was compared."""
        return len(self.splits) if self.compared else None

    def to_dict(self) -> dict[str, Any]:
        """Return the report as plain JSON values; what is not defined is None."""
        return {
            "tile": list(self.tile_size),
            "objects": self.objects,
            "false_splits": self.false_splits,
            "false_merges": self.false_merges,
            "seam_splits": self.seam_splits,
            "ap50": self.ap50,
            "seam_jump": finite(self.jumps.at_seams),
            "beside_jump": finite(self.jumps.beside_seams),
            "seam_jump_ratio": finite(self.jumps.ratio),
            "splits": [_plain(asdict(split)) for split in self.splits],
        }

    def __str__(self) -> str:
        lines = [
            f"{self.mode} stitching, tiles of {by(self.tile_size)} px",
            *(f"  {title:<24}{value}" for title, value in self._rows()),
        ]
        if self.splits:
            lines.append("  worst seams (object: position, contact, jump, cause)")
            lines += [f"    {describe_split(split)}" for split in self.splits[:5]]
        return "\n".join(lines)

    def _rows(self) -> list[tuple[str, str]]:
        return [
            ("objects", str(self.objects)),
            ("AP 0.5", number(self.ap50)),
            ("false splits", number(self.false_splits)),
            ("false merges", number(self.false_merges)),
            ("caused by seams", number(self.seam_splits)),
            ("jump across seams", number(self.jumps.at_seams)),
            ("jump beside seams", number(self.jumps.beside_seams)),
        ]


def _count(labels: NDArray[Any]) -> int:
    """Count objects part by part: sorting a large image at once would take its memory twice."""
    found: set[int] = set()
    for part in np.array_split(labels, min(len(labels), 64)):
        found.update(np.unique(part).tolist())
    return len(found - {0})


def _fitted(objects: NDArray[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    """Let one ground truth serve every frame of a stack."""
    if objects.shape != shape[-objects.ndim :]:
        raise ShiftSegError(
            f"the ground truth has the shape {objects.shape}, the labels have {shape}"
        )
    return np.broadcast_to(objects, shape)


def describe_split(split: SeamSplit) -> str:
    """Say in one line which object was cut, where and why."""
    place = ", ".join(f"{v:.0f}" for v in split.position)
    return f"{split.object_id}: ({place}), {split.length} px, {number(split.jump)}, {split.cause}"


def number(value: float | None) -> str:
    """Write a figure for a table; a dash where there is none."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "–"
    return str(value) if isinstance(value, int) else f"{value:.3f}"


def finite(value: float) -> float | None:
    """Return None for what JSON cannot say."""
    return value if math.isfinite(value) else None


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    return {k: finite(v) if isinstance(v, float) else v for k, v in values.items()}
