"""What a model file says of its network, as one frozen value that travels as JSON."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass, field
from typing import Any

from napari_shiftseg.embeddings.unet import Architecture
from napari_shiftseg.errors import ShiftSegError
from napari_shiftseg.image.intensity import Intensity
from napari_shiftseg.settings import Clustering
from napari_shiftseg.tiles.geometry import NetworkGeometry

FORMAT = "shiftseg-model/1"


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
        try:
            values = json.loads(text)
        except json.JSONDecodeError as error:
            raise ShiftSegError(f"the model description is not JSON: {error}") from None
        if not isinstance(values, dict) or values.pop("format", None) != FORMAT:
            raise ShiftSegError(f"the model description is not of the format {FORMAT!r}")
        try:
            return cls(**_with_nested(values))
        except (TypeError, KeyError, AttributeError) as error:
            raise ShiftSegError(f"the model description is incomplete or wrong: {error}") from None


def _with_nested(values: dict[str, Any]) -> dict[str, Any]:
    architecture = dict(values["architecture"])
    geometry = {k: _tuples(v) for k, v in architecture["geometry"].items()}
    architecture["geometry"] = NetworkGeometry(**geometry)
    return values | {
        "architecture": Architecture(**architecture),
        "intensity": Intensity(**values["intensity"]),
        "clustering": Clustering(**values["clustering"]),
        "training_window": tuple(values["training_window"]),
    }


def _tuples(value: Any) -> Any:
    return tuple(_tuples(v) for v in value) if isinstance(value, list) else value
