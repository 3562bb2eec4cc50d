"""Settings that a person may change, each said once: default, legal range, help.

The command line and the forms of the napari widgets are made from these classes.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any, Literal, Self

from napari_shiftseg.errors import ShiftSegError

StitchMode = Literal["naive", "corrected", "whole", "blended"]
Precision = Literal["float32", "bfloat16"]
PRECISIONS: tuple[Precision, ...] = ("float32", "bfloat16")
STITCH_MODES: tuple[StitchMode, ...] = ("naive", "corrected", "whole", "blended")

DEFAULT_MODEL = "nuclei-2d"
"""The bundled model that is used where none is named."""


def refuse_unknown_mode(mode: object) -> None:
    """Raise ShiftSegError if there is no such stitch mode."""
    if mode not in STITCH_MODES:
        raise ShiftSegError(f"stitch mode is {mode!r}; legal: {', '.join(STITCH_MODES)}")


@dataclass(frozen=True)
class Stitching:
    """How an image is cut into tiles.

    Parameters
    ----------
    mode
        ``"naive"``, ``"corrected"``, ``"whole"`` or ``"blended"``.
    tile
        Output tile size in pixels, one number or one per axis; None is the model's training
        window, for corrected tiles a multiple of the period near it or larger.

    References
    ----------
    Rumberger et al., ICCV 2021, Sec. 2.1; Corollary 4.
    """

    mode: StitchMode = "corrected"
    tile: int | tuple[int, ...] | None = None

    def __post_init__(self) -> None:
        refuse_unknown_mode(self.mode)


def setting(
    default: Any,
    title: str,
    help: str,
    low: float,
    high: float,
    usual: tuple[float, float] | None = None,
) -> Any:
    """Declare a dataclass field with its legal range, both ends included.

    ``usual`` is the part of it that a slider offers.
    """
    legal = {"title": title, "help": help, "low": low, "high": high, "usual": usual or (low, high)}
    return dataclasses.field(default=default, metadata=legal)


class Checked:
    """Base of settings classes: refuses values outside of the declared ranges."""

    def replaced(self, **changes: Any) -> Self:
        """Return a copy with the given fields changed; None leaves a field as it is."""
        given = {name: value for name, value in changes.items() if value is not None}
        return dataclasses.replace(self, **given)  # type: ignore[type-var]

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):  # type: ignore[arg-type]
            value, legal = getattr(self, field.name), field.metadata
            if isinstance(field.default, bool) and not isinstance(value, bool):
                raise ShiftSegError(f"{field.name} is {value!r}; legal: True or False")
            if not legal or (value is None and field.default is None):
                continue
            if not isinstance(value, Real) or value != value:  # NaN differs from itself
                raise ShiftSegError(
                    f"{field.name} is {value}; legal: {legal['low']:g} to {legal['high']:g}"
                )
            if not legal["low"] <= value <= legal["high"]:
                nearest = min(max(value, legal["low"]), legal["high"])
                raise ShiftSegError(
                    f"{field.name} is {value}; legal: {legal['low']:g} to {legal['high']:g}; "
                    f"nearest: {nearest:g}"
                )
            if isinstance(field.default, int) and not isinstance(value, Integral):
                raise ShiftSegError(
                    f"{field.name} is {value}; legal: whole numbers, nearest: {round(value)}"
                )


@dataclass(frozen=True)
class Clustering(Checked):
    """From embeddings to labels.

    Parameters
    ----------
    bandwidth
        Radius of the flat mean-shift kernel, in units of the embedding.
    min_size
        Objects with fewer pixels are dropped.
    foreground_threshold
        Foreground probability from which on a pixel belongs to an object.
    split_components
        Give the connected components of one cluster labels of their own.

    References
    ----------
    Rumberger et al., ICCV 2021, Sec. 3 (mean shift), Sec. 4.2.
    """

    bandwidth: float = setting(
        1.5,
        "Bandwidth",
        "How alike embeddings of one object are (mean-shift radius): larger joins, smaller splits.",
        1e-3,
        1e3,
        usual=(0.1, 5.0),
    )
    min_size: int = setting(
        20,
        "Minimum size",
        "Objects with fewer pixels are dropped.",
        0,
        10**9,
        usual=(0, 500),
    )
    foreground_threshold: float = setting(
        0.5, "Foreground", "How probable it must be that a pixel belongs to an object.", 0.0, 1.0
    )
    split_components: bool = True


def refuse_no_clustering(given: object) -> None:
    """Raise ShiftSegError if something is neither a :class:`Clustering` nor None."""
    if not (given is None or isinstance(given, Clustering)):
        raise ShiftSegError(f"clustering is {given!r}; legal: a Clustering, as Clustering(1.5)")
