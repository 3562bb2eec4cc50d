"""Axes: which of an array a network sees, which are its channels, which are looped over."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_shiftseg.errors import ShiftSegError
from napari_shiftseg.image.array import as_array
from napari_shiftseg.image.channel import channel_axis

_SPATIAL = "zyx"


@dataclass(frozen=True)
class Layout:
    """The part that each axis of an array plays, by its number.

    Parameters
    ----------
    loops
        Axes of which every index is an image of its own: time points, channels of a
        network with one channel, slices of a 2-D network.
    channel
        The channel axis, None if there is none.
    spatial
        The axes that the network sees.
    """

    loops: tuple[int, ...]
    channel: int | None
    spatial: tuple[int, ...]

    @property
    def kept(self) -> tuple[int, ...]:
        """The axes of a result: loops first, then space."""
        return self.loops + self.spatial


_FEW = (2, 3, 4)
"""Pixels of a last axis that are channels: no image is as narrow, if nobody says that it is."""


def find_layout(
    shape: tuple[int, ...], *, ndim: int, in_channels: int, axes: str | None = None
) -> Layout:
    """Tell what the axes of an array are.

    Parameters
    ----------
    shape
        Of the array.
    ndim
        Spatial axes that the network needs.
    in_channels
        Channels that the network needs.
    axes
        One letter per axis, as ``"tczyx"``; without it the last axes are space, and a
        first or last axis of the right size is the channels.

    Raises
    ------
    ShiftSegError
        If axes or channels do not fit.
    """
    if axes is not None:
        return _named(shape, ndim, in_channels, axes)
    extra = len(shape) - ndim
    everything = tuple(range(len(shape)))
    if extra == 1 and shape[0] == in_channels:
        return Layout((), 0, everything[1:])
    if extra >= 1 and shape[-1] == in_channels and (extra == 1 or in_channels > 1):
        return Layout(everything[: extra - 1], len(shape) - 1, everything[extra - 1 : -1])
    if extra > 1 and in_channels > 1 and shape[extra - 1] == in_channels:
        return Layout(everything[: extra - 1], extra - 1, everything[extra:])
    colour = extra >= 1 and shape[-1] in _FEW
    if extra < 0 or in_channels > 1 or colour:
        raise ShiftSegError(_misfit(shape, ndim, in_channels))
    return Layout(everything[:extra], None, everything[extra:])


def _named(shape: tuple[int, ...], ndim: int, in_channels: int, axes: str) -> Layout:
    if len(axes) != len(shape) or len(set(axes)) != len(axes):
        raise ShiftSegError(f"the axes {axes!r} do not name the {len(shape)} axes of the image")
    wanted = _SPATIAL[-ndim:]
    spatial = tuple(axes.find(letter) for letter in wanted)
    channel = channel_axis(axes)
    fits = min(spatial) >= 0 and list(spatial) == sorted(spatial)
    if in_channels > 1:
        fits = fits and channel is not None and shape[channel] == in_channels
    if not fits or ("s" in axes and in_channels == 1):
        raise ShiftSegError(_misfit(shape, ndim, in_channels, axes))
    if in_channels == 1:
        channel = None
    loops = tuple(i for i in range(len(shape)) if i not in spatial and i != channel)
    return Layout(loops, channel, spatial)


def _misfit(shape: tuple[int, ...], ndim: int, in_channels: int, axes: str | None = None) -> str:
    named = f" and the axes {axes}" if axes else ""
    given = f"the image has the shape {shape}{named}"
    need = f"the model needs {ndim} spatial axes and {in_channels} channel(s)"
    loops = len(shape) - ndim - 1
    colour = loops >= 0 and shape[-1] in _FEW
    if in_channels == 1 and (colour or (axes and "s" in axes)):
        channels = axes.replace("s", "c") if axes else f"{'tpqr'[:loops]}{_SPATIAL[-ndim:]}c"
        likely = "two channels" if shape[-1] == 2 else "colour (RGB)"
        return (
            f"{given}, which looks like {likely}; {need}: choose one channel, or say that the "
            f"axes are {channels} to segment each"
        )
    order = f"; space is {_SPATIAL[-ndim:]}, in this order" if axes else ""
    return f"{given}; {need}{order}"


class Frame:
    """One image as a network reads it, ``(C, *spatial)``; only what is sliced is read.

    Parameters
    ----------
    source
        Anything that slices like an array.
    layout
        What its axes are.
    index
        Where on the loop axes this frame lies.
    """

    def __init__(self, source: Any, layout: Layout, index: tuple[int, ...] = ()) -> None:
        self._source, self._layout = source, layout
        self._at = dict(zip(layout.loops, index, strict=True))
        channels = 1 if layout.channel is None else source.shape[layout.channel]
        self.shape: tuple[int, ...] = (channels, *(source.shape[a] for a in layout.spatial))
        self.dtype = source.dtype

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, part: tuple[slice, ...]) -> NDArray[Any]:
        """Read ``[channels, *spatial]``, one slice each.

        Raises
        ------
        ShiftSegError
            If a pixel is not finite.
        """
        channels, *spatial = part
        chosen: dict[int, Any] = {
            **self._at,
            **dict(zip(self._layout.spatial, spatial, strict=True)),
        }
        if self._layout.channel is not None:
            chosen[self._layout.channel] = channels
        pixels = np.asarray(self._source[tuple(chosen[a] for a in range(len(chosen)))])
        return _finite(self._channels_first(pixels))

    def read(self) -> NDArray[Any]:
        """Read all of it."""
        return self[(slice(None),) * len(self.shape)]

    def _channels_first(self, pixels: NDArray[Any]) -> NDArray[Any]:
        channel = self._layout.channel
        if channel is None:
            return pixels[None]
        return np.moveaxis(pixels, channel - sum(axis < channel for axis in self._at), 0)


@dataclass(frozen=True)
class Frames:
    """An image of any number of axes as the images that a network sees one by one.

    Parameters
    ----------
    source
        Anything with a shape, a dtype and slicing: numpy, dask, zarr.
    layout
        What its axes are.
    axes
        Their letters, if they are known.
    """

    source: Any
    layout: Layout
    axes: str | None = None

    @classmethod
    def of(cls, image: Any, *, ndim: int, in_channels: int, axes: str | None = None) -> Frames:
        """Wrap an image for a network; nothing of a lazy image is read.

        Parameters
        ----------
        image
            Integers, floats or booleans.
        ndim, in_channels, axes
            As for :func:`find_layout`.

        Raises
        ------
        ShiftSegError
            If axes, channels or the type of pixels do not fit, the image is empty, or a
            pixel of an array in memory is not finite.
        """
        source = as_array(image)
        kind = np.dtype(source.dtype).kind
        if kind not in "buif":
            hint = "; a path is opened by open_image, or segmented by segment_file"
            hint = hint if kind == "U" else ""
            raise ShiftSegError(
                f"pixels are of type {source.dtype}; legal: integers and floats{hint}"
            )
        if 0 in source.shape:
            raise ShiftSegError(f"the image is empty: its shape is {tuple(source.shape)}")
        try:
            axes = None if axes is None else "".join(axes).lower()
        except TypeError:
            raise ShiftSegError(f"axes are {axes!r}; legal: a letter each, as 'tyx'") from None
        layout = find_layout(tuple(source.shape), ndim=ndim, in_channels=in_channels, axes=axes)
        if isinstance(source, np.ndarray):
            source = _finite(source)
        return cls(source, layout, axes)

    @property
    def loops(self) -> tuple[int, ...]:
        """How many frames there are along each loop axis."""
        return tuple(int(self.source.shape[axis]) for axis in self.layout.loops)

    @property
    def spatial(self) -> tuple[int, ...]:
        """Pixels per spatial axis."""
        return tuple(int(self.source.shape[axis]) for axis in self.layout.spatial)

    def __len__(self) -> int:
        return int(np.prod(self.loops))

    def __iter__(self) -> Iterator[tuple[tuple[int, ...], Frame]]:
        """Yield index and frame, the last loop axis fastest."""
        return ((index, self.frame(index)) for index in np.ndindex(*self.loops))

    def frame(self, index: tuple[int, ...] = ()) -> Frame:
        """Return the frame at an index of the loop axes."""
        return Frame(self.source, self.layout, index)

    def alike(self, index: tuple[int, ...]) -> tuple[tuple[int, ...], Frame]:
        """Return the pixels that share one intensity scaling with a frame.

        Slices of a stack that is known to be one, by an axis ``z``, are scaled together;
        time points, channels and frames of unknown kind each alone.

        Returns
        -------
        key : tuple of int
            The same for all frames that share.
        pixels : Frame
            ``(C, *shared axes, *spatial)``.
        """
        names = self.axes or "?" * len(self.source.shape)
        shared = tuple(a for a in self.layout.loops if names[a] == "z")
        own = tuple(a for a in self.layout.loops if a not in shared)
        place = dict(zip(self.layout.loops, index, strict=True))
        key = tuple(place[a] for a in own)
        joined = Layout(own, self.layout.channel, shared + self.layout.spatial)
        return key, Frame(self.source, joined, key)

    def first_channel(self) -> NDArray[Any]:
        """Read the first channel of everything: ``(*loops, *spatial)``."""
        part: list[Any] = [slice(None)] * len(self.source.shape)
        if self.layout.channel is not None:
            part[self.layout.channel] = 0
        return np.asarray(self.source[tuple(part)])


@dataclass(frozen=True)
class Reads:
    """What a network reads of an image.

    Parameters
    ----------
    axes
        Its spatial axes, ``"yx"`` or ``"zyx"``.
    channels
        Its channels.
    """

    axes: str
    channels: int

    def frames(self, image: Any, axes: str | None = None) -> Frames:
        """Wrap an image for the network, without reading it; see :meth:`Frames.of`."""
        return Frames.of(image, ndim=len(self.axes), in_channels=self.channels, axes=axes)


def _finite(pixels: NDArray[Any]) -> NDArray[Any]:
    if pixels.dtype == bool:
        return pixels.astype(np.uint8)
    if pixels.dtype.kind == "f" and not np.isfinite(pixels).all():
        bad = int(pixels.size - np.isfinite(pixels).sum())
        what = "1 pixel is" if bad == 1 else f"{bad} pixels are"
        raise ShiftSegError(f"{what} not finite (NaN or infinite); replace them first")
    return pixels
