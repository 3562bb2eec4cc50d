"""What a model file says of its network, as one frozen value that travels as JSON."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass, field
from math import prod
from typing import Any

from napari_shiftseg.embeddings.unet import Architecture
from napari_shiftseg.errors import ShiftSegError
from napari_shiftseg.image.intensity import Intensity
from napari_shiftseg.settings import Clustering
from napari_shiftseg.tiles.geometry import NetworkGeometry

FORMAT = "shiftseg-model/1"

_MOST = {"in_channels": 2**12, "maps": 2**14, "map_growth": 2**8, "embedding_dims": 2**12}
"""Of a network that a file describes; beyond are lies that would only cost time and memory."""

_UNPRINTABLE = "\N{REPLACEMENT CHARACTER}"

_MOST_LEVELS, _WIDEST, _LARGEST_PERIOD, _LARGEST_KERNEL, _MOST_KERNELS = 16, 2**20, 2**12, 255, 256


@dataclass(frozen=True)
class ModelDescription:
    """The header of a model file.

    Parameters
    ----------
    name
        Short name.
    architecture
        The network.
    axes
        Spatial axes of the input, ``"yx"`` or ``"zyx"``.
    intensity
        Normalisation of the whole image before the network.
    training_window
        Output window in training per axis, in pixels; empty if unknown.
    clustering
        Settings that suit this model.
    summary
        One sentence for people.
    licence
        SPDX identifier of the weights' licence.
    training
        How it was made: command, data, seed, steps, seconds.
    scores
        Measured scores, each with the command that measured it.
    """

    name: str
    architecture: Architecture
    axes: str = "yx"
    intensity: Intensity = field(default_factory=Intensity)
    training_window: tuple[int, ...] = ()
    clustering: Clustering = field(default_factory=Clustering)
    summary: str = ""
    licence: str = ""
    training: dict[str, Any] = field(default_factory=dict)
    scores: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        ndim = self.architecture.geometry.ndim
        if len(self.axes) != ndim:
            raise ShiftSegError(f"axes are {self.axes!r}, but the network has {ndim} axes")
        if self.training_window and len(self.training_window) != ndim:
            raise ShiftSegError(
                f"training_window is {self.training_window}, but the network has {ndim} axes"
            )

    @property
    def window_exceeds_period(self) -> bool | None:
        """Whether the training window is larger than the period on every axis (Sec. 3.2).

        None if the training window is unknown.
        """
        if not self.training_window:
            return None
        period = self.architecture.geometry.period
        return all(w > p for w, p in zip(self.training_window, period, strict=True))

    def to_json(self) -> str:
        """Serialise, the format's version first."""
        return json.dumps({"format": FORMAT, **dataclasses.asdict(self)})

    @classmethod
    def from_json(cls, text: str) -> ModelDescription:
        """Read what :meth:`to_json` wrote.

        Raises
        ------
        ShiftSegError
            If the text is not a description of a known format.
        """
        values = _parsed(text)
        found = values.pop("format", None)
        if found != FORMAT:
            raise ShiftSegError(
                f"the model description is not of the format {FORMAT!r}{_but(found)}"
            )
        try:
            return cls(**_with_nested(values))
        except (TypeError, KeyError, AttributeError, IndexError, OverflowError) as error:
            raise ShiftSegError(f"the model description is incomplete or wrong: {error}") from None


def _parsed(text: str) -> dict[str, Any]:
    try:
        values = json.loads(text)
    except (ValueError, RecursionError) as error:  # numbers too long, brackets too deep
        raise ShiftSegError(f"the model description is not JSON: {error}") from None
    if not isinstance(values, dict):
        raise ShiftSegError(f"the model description is not of the format {FORMAT!r}")
    return values


def _but(found: object) -> str:
    """Say what to do about a file of a later version."""
    family, _, version = str(found).partition("/")
    if family != FORMAT.partition("/")[0] or not version.isdecimal():
        return ""
    return f", but of {found!r}: it needs another version of napari-shiftseg"


def _with_nested(values: dict[str, Any]) -> dict[str, Any]:
    values = {key: _printable(value) for key, value in values.items()}
    for key, kind in (("name", str), ("axes", str), ("summary", str), ("licence", str)):
        _refuse_other(values, key, kind)
    for key in ("architecture", "intensity", "clustering", "training", "scores"):
        _refuse_other(values, key, dict)
    architecture = dict(values["architecture"])
    geometry = {k: _tuples(v) for k, v in architecture["geometry"].items()}
    architecture["geometry"] = NetworkGeometry(**geometry)
    built = Architecture(**architecture)
    _refuse_absurd(built)
    axes = "zyx"[-built.geometry.ndim :]
    if values.get("axes", axes) != axes:
        raise ShiftSegError(
            f"axes are {values['axes']!r}, but the network has {len(axes)} axes; legal: {axes!r}"
        )
    window = _tuples(values.get("training_window", []))
    if any(n < 1 for n in window):
        raise ShiftSegError(f"training_window is {window}; legal: at least 1 px per axis")
    return values | {
        "architecture": built,
        "intensity": Intensity(**values.get("intensity", {})),
        "clustering": Clustering(**values.get("clustering", {})),
        "training_window": window,
    }


def _refuse_other(values: dict[str, Any], key: str, kind: type) -> None:
    if not isinstance(values.get(key, kind()), kind):
        raise TypeError(f"{key} is {values[key]!r}, which is no {kind.__name__}")


def _refuse_absurd(architecture: Architecture) -> None:
    """Refuse what no network is, before anything is computed of it or allocated for it."""
    geometry = architecture.geometry
    for name, most in _MOST.items():
        value = getattr(architecture, name)
        if not _is_whole(value) or value > most:
            raise ShiftSegError(f"the model's {name} is {value}; legal: whole numbers to {most}")
    if not 0 < architecture.coordinate_scale < float("inf"):
        raise ShiftSegError(
            f"the model's coordinate_scale is {architecture.coordinate_scale}; legal: above 0"
        )
    kernels = [k for group in (*geometry.down, *geometry.up, geometry.head) for k in group]
    periods = [prod(factor[a] for factor in geometry.factors) for a in range(geometry.ndim)]
    for what, value, most in (
        ("pooling levels", geometry.levels, _MOST_LEVELS),
        ("convolutions", len(kernels), _MOST_KERNELS),
        ("largest kernel", max(map(max, kernels)), _LARGEST_KERNEL),
        ("period", max(periods), _LARGEST_PERIOD),
    ):
        if value > most:
            raise ShiftSegError(f"the model's {what}: {value}; legal: up to {most}")
    widest = architecture.maps * architecture.map_growth**geometry.levels
    if widest > _WIDEST:
        raise ShiftSegError(f"the model's feature maps: {widest}; legal: up to {_WIDEST}")


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _printable(value: Any) -> Any:
    """Replace what a terminal would obey instead of print."""
    if isinstance(value, str):
        return "".join(
            c if c.isprintable() or c in "\n\t" else "\N{REPLACEMENT CHARACTER}" for c in value
        )
    if isinstance(value, dict):
        return {_printable(k): _printable(v) for k, v in value.items()}
    return [_printable(v) for v in value] if isinstance(value, list) else value


def _tuples(value: Any) -> Any:
    """Turn lists of whole numbers into tuples; words stay words."""
    if isinstance(value, list):
        return tuple(_tuples(v) for v in value)
    if not (_is_whole(value) or isinstance(value, str)):
        raise TypeError(f"{value!r} is no whole number")
    return value
