"""An image as its file holds it: pixels, calibration, channels, and who made it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Literal, cast, get_args

import numpy as np

from napari_shiftseg.errors import ShiftSegError
from napari_shiftseg.image.calibration import Calibration
from napari_shiftseg.image.channel import Channel, channel_axis, channel_number, names_of

Kind = Literal["image", "labels", "embedding"]

LAZY_BYTES = 2**28
"""Decoded bytes (256 MiB) from which on pixels are left in the file until they are needed."""

COLOURS = 3
"""Red, green and blue."""

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
    order
        Which axis of the file each axis is, if its colours were moved to the end.
    alike
        Its file holds three colours that are all the same, of which ``yx`` is one.
    """

    name: str
    levels: tuple[Any, ...]
    calibration: Calibration
    channels: tuple[Channel, ...] = ()
    kind: Kind = "image"
    provenance: dict[str, Any] = field(default_factory=dict)
    order: tuple[int, ...] = ()
    alike: bool = False

    @property
    def pixels(self) -> Any:
        """The image at full resolution."""
        return self.levels[0]

    @property
    def rgb(self) -> bool:
        """Whether the last axis is red, green, blue."""
        return self.calibration.axes.endswith("s")

    def named(self, axes: str) -> OpenedImage:
        """Call the axes otherwise than the file; raises ShiftSegError if they do not fit.

        Colours were moved to the end: letters that end with space name the axes as the file has
        them, others as they are shown.
        """
        Calibration.fitting(axes, len(self.pixels.shape))
        as_filed = self._as_filed() if axes.lower().endswith(("x", "y", "z")) else self
        return replace(as_filed, calibration=as_filed.calibration.called(axes.lower()))

    def _as_filed(self) -> OpenedImage:
        if not self.order:
            return self
        back = tuple(np.argsort(self.order).tolist())
        levels = tuple(level.transpose(back) for level in self.levels)
        return replace(self, levels=levels, calibration=self.calibration.picked(back), order=())

    def only_channel(self, which: int | str) -> tuple[OpenedImage, int | None]:
        """Return one channel, or one colour of RGB, and its number; None of an only one.

        Parameters
        ----------
        which
            Its number, or its name as the file says.

        Raises
        ------
        ShiftSegError
            If there is no such channel, or the file does not say which axis the channels are.
        """
        axes = self.calibration.axes
        axis = channel_axis(axes)
        if axis is not None:
            names = names_of(self.channels, self.pixels.shape[axis], colours=axes[axis] == "s")
            number = channel_number(which, names)
            return self._channel(axis, number), number
        if self.calibration.known_axes is None and len(self.pixels.shape) > 2:
            raise ShiftSegError(
                f"the image has the shape {tuple(self.pixels.shape)}, and it is not known which "
                "axis its channels are: name the axes, as cyx"
            )
        channel_number(which, names_of(self.channels, 1))
        return self, None

    def narrowed(
        self, axes: str | None, channel: int | str | None, *, in_channels: int = 1
    ) -> tuple[OpenedImage, str | None, int | None]:
        """Call the axes otherwise, if that is wanted, and take one channel.

        Parameters
        ----------
        axes
            One letter per axis; None for those of the file.
        channel
            As for :meth:`only_channel`; None for all.
        in_channels
            Of the network that reads it: of an image whose colours are all alike one reads
            one, and three read three.

        Returns
        -------
        image : OpenedImage
            What is left.
        axes : str or None
            Its axes: those that were given, or those of the file if it knows them.
        number : int or None
            Of the channel; None for all, and for an only one.

        Raises
        ------
        ShiftSegError
            As :meth:`named` and :meth:`only_channel`.
        """
        coloured = self.alike and (channel is not None or in_channels == COLOURS)
        image = self._in_colours() if coloured else self
        if axes is not None:
            image = image.named(axes)
        number = None
        if channel is not None:
            image, number = image.only_channel(channel)
        own = image.calibration
        return image, own.known_axes if axes is None else own.axes, number

    def _in_colours(self) -> OpenedImage:
        levels = tuple(np.broadcast_to(p[..., None], (*p.shape, COLOURS)) for p in self.levels)
        calibration = Calibration.of(f"{self.calibration.axes}s")
        return replace(self, levels=levels, calibration=calibration, alike=False)

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
            calibration=self.calibration.without(self.calibration.axes[axis]),
            channels=(channel,),
            order=(),
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
