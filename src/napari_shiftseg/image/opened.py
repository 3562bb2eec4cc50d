"""An image as its file holds it: pixels, calibration, channels, and who made it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Literal, cast, get_args

import numpy as np

from napari_shiftseg.image.calibration import Calibration
from napari_shiftseg.image.channel import Channel

Kind = Literal["image", "labels", "embedding"]

LAZY_BYTES = 2**28
"""Decoded bytes (256 MiB) from which on pixels are left in the file until they are needed."""

KIND_KEY, PROVENANCE_KEY = "shiftseg_kind", "shiftseg"
"""Under which names files of this package keep what they are and how they were made."""


@dataclass(frozen=True)
class OpenedImage:
    """One image of a file.

    Parameters
    ----------
    name
        For people: the file's name, and the image's own if there are several.
    levels
        The same image at falling resolution, full resolution first; numpy arrays, or dask
        arrays that read when they are computed.
    calibration
        Of the first level.
    channels
        What the file says of those along the axis ``c``, or of the only one; may be too few.
    kind
        ``"labels"`` and ``"embedding"`` are results; all else is an ``"image"``.
    provenance
        How a result was made; empty if the file does not say.
    """

    name: str
    levels: tuple[Any, ...]
    calibration: Calibration
    channels: tuple[Channel, ...] = ()
    kind: Kind = "image"
    provenance: dict[str, Any] = field(default_factory=dict)

    @property
    def pixels(self) -> Any:
        """The image at full resolution."""
        return self.levels[0]

    @property
    def rgb(self) -> bool:
        """Whether the last axis is red, green, blue."""
        return self.calibration.axes.endswith("s")

    def split(self) -> tuple[OpenedImage, ...]:
        """Return one image per channel; a result, or what has no channels, stays whole."""
        axis = self.calibration.axes.find("c")
        if axis < 0 or self.kind != "image":
            return (self,)
        return tuple(self._channel(axis, i) for i in range(self.pixels.shape[axis]))

    def _channel(self, axis: int, index: int) -> OpenedImage:
        channel = self.channels[index] if index < len(self.channels) else Channel()
        return replace(
            self,
            name=channel.name or f"{self.name}: channel {index + 1}",
            levels=tuple(level[(slice(None),) * axis + (index,)] for level in self.levels),
            calibration=self.calibration.without("c"),
            channels=(channel,),
        )


def kind_of(stated: object, provenance: dict[str, Any], dtype: Any) -> Kind:
    """Tell what an image is; labels of older versions only state how they were made.

    Parameters
    ----------
    stated
        What the file says under ``KIND_KEY``.
    provenance
        What it says under ``PROVENANCE_KEY``.
    dtype
        Of its pixels; only integers are labels.
    """
    integers = np.dtype(dtype).kind in "bui"
    if stated in get_args(Kind) and (integers or stated != "labels"):
        return cast("Kind", stated)
    return "labels" if stated is None and provenance and integers else "image"
