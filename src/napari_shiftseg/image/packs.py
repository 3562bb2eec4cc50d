"""Data packs: a ZIP or a folder with ``images/`` and ``masks/`` of equal file names."""

from __future__ import annotations

import io
import warnings
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path, PurePath, PurePosixPath
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray

from napari_shiftseg.errors import ShiftSegError, ShiftSegWarning
from napari_shiftseg.image.calibration import Calibration
from napari_shiftseg.image.files import PNG_SUFFIX, TIFF_SUFFIXES
from napari_shiftseg.image.intensity import Scaling
from napari_shiftseg.image.label_pixels import whole_labels
from napari_shiftseg.image.opened import COLOURS
from napari_shiftseg.image.png import decode_labels, decode_png, greyed
from napari_shiftseg.image.readable import undamaged
from napari_shiftseg.image.tiff import KIND, first_series, refuse_endless

_SUFFIXES = (*TIFF_SUFFIXES, PNG_SUFFIX)

_Member = Callable[[], io.BytesIO]
_Decoder = Callable[[bytes, str], NDArray[Any]]


@dataclass(frozen=True)
class Pair:
    """One image with its ground truth.

    Parameters
    ----------
    name
        File name without suffix.
    image
        Pixels, ``(*spatial)`` or with a channel axis; a PNG in colours has three, all alike or
        not.
    mask
        Integer labels, ``(*spatial)``; 0 is background.
    scaling
        Of the intensities of the stack that this is a slice of; None for an image by itself,
        whose own are measured.
    axes
        One letter per axis of the image, if its file names them all.
    """

    name: str
    image: NDArray[Any]
    mask: NDArray[Any]
    scaling: Scaling | None = None
    axes: str | None = None

    def seen_by(self, in_channels: int, ndim: int) -> Pair:
        """Bring channels between the axes of space to the front, and make alike colours grey.

        One plane, or volume, is no stack of one.
        """
        mask = _without_lone_axes(self.mask, ndim)
        if mask.ndim == ndim < self.mask.ndim:
            image = _without_lone_axes(self.image, ndim + 1)
            return replace(self, image=image, mask=mask, axes=None).seen_by(in_channels, ndim)
        image, axis = self.image, self._channel_axis
        if ndim == self.mask.ndim and axis is not None:
            return replace(self, image=np.moveaxis(image, axis, 0), axes=None)
        if in_channels == 1 and image.ndim > self.mask.ndim and image.shape[-1] == COLOURS:
            image = greyed(image)
        return replace(self, image=image, axes=self.axes if image is self.image else None)

    @property
    def fits(self) -> bool:
        """Whether the image has the axes of the mask, and maybe others around or between them."""
        ndim, shape = self.mask.ndim, self.image.shape
        around = self.mask.shape in (shape[:ndim], shape[-ndim:])
        return around or self._channel_axis is not None

    @property
    def _channel_axis(self) -> int | None:
        """The only axis that the mask lacks, if it is neither the first nor the last."""
        shape = self.image.shape
        lacking = [n for n in range(len(shape)) if shape[:n] + shape[n + 1 :] == self.mask.shape]
        between = lacking and 0 not in lacking and len(shape) - 1 not in lacking
        return lacking[0] if between else None


def read_pack(path: str | Path) -> Iterator[Pair]:
    """Yield the pairs of a pack in the order of their names.

    Parameters
    ----------
    path
        A ZIP file or a folder that holds ``images/`` and ``masks/``.

    Raises
    ------
    ShiftSegError
        If there is no such pack, an image has no mask, a file is damaged, the shapes of a pair
        differ, or a mask has other than whole numbers.

    Warns
    -----
    ShiftSegWarning
        If a mask has no image.
    """
    images, masks = _members(Path(path))
    if alone := sorted(masks.keys() - images.keys()):
        warnings.warn(
            f"{path}: images/ has no TIFF or PNG called {alone[0]} ({len(alone)} such masks in "
            "all); they are passed over",
            ShiftSegWarning,
            stacklevel=2,
        )
    for name in sorted(images):
        image, axes = _pixels(images[name], f"{path}: images/{name}")
        mask, _ = _pixels(masks[name], f"{path}: masks/{name}", decode_labels)
        mask = whole_labels(_without_lone_axes(mask, image.ndim), f"{path}: masks/{name}")
        pair = Pair(PurePosixPath(name).stem, image, mask, axes=axes)
        if not pair.fits:
            colours = mask.ndim == image.ndim + 1 and mask.shape[-1] == COLOURS
            hint = "; a mask holds one number for each object, not colours" if colours else ""
            raise ShiftSegError(
                f"{path}: {name} has an image of shape {image.shape} and a mask of "
                f"{mask.shape}{hint}"
            )
        yield pair


def _pixels(
    member: _Member, name: str, decode: _Decoder = decode_png
) -> tuple[NDArray[Any], str | None]:
    """Read pixels, and their axes if the file names them."""
    with undamaged(name, KIND):
        content = member()
        if name.lower().endswith(PNG_SUFFIX):
            return decode(content.getvalue(), name), None
        with tifffile.TiffFile(content) as file:
            refuse_endless(file)
            pixels = first_series(file)
            axes = Calibration.of(file.series[0].axes.lower()).known_axes
        if axes is None or len(axes) != pixels.ndim:
            return pixels, None
        if (colours := axes.find("s")) >= 0:
            pixels, axes = np.moveaxis(pixels, colours, -1), axes.replace("s", "") + "s"
        return pixels, axes


def _without_lone_axes(pixels: NDArray[Any], ndim: int) -> NDArray[Any]:
    """Leave out leading axes of one pixel, as some programs write them, down to ``ndim`` axes."""
    while pixels.ndim > ndim and len(pixels) == 1:
        pixels = pixels[0]
    return pixels


def pack_size(path: str | Path) -> int:
    """Count the pairs of a pack; raises as :func:`read_pack`."""
    return len(_members(Path(path))[0])


def pack_sources(path: str | Path) -> list[Path]:
    """Return the files that a data pack is read from."""
    pack = Path(path)
    return [*pack.glob("images/*"), *pack.glob("masks/*")] if pack.is_dir() else [pack]


def _members(path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Readers of the images and of the masks by file name."""
    if not path.exists():
        raise ShiftSegError(f"no such data pack: {path}")
    images, masks = _zip_members(path) if path.is_file() else _folder_members(path)
    if not images:
        raise ShiftSegError(f"{path} is not a data pack: it has no TIFF or PNG files in images/")
    missing = sorted(images.keys() - masks.keys())
    if missing:
        raise ShiftSegError(f"{path}: masks/ lacks {missing[0]} ({len(missing)} missing in all)")
    return images, masks


def _folder_members(path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    def members(kind: str) -> dict[str, Any]:
        files = (f for f in (path / kind).glob("*") if _is_member(f))
        return {f.name: lambda f=f: io.BytesIO(f.read_bytes()) for f in files}

    return members("images"), members("masks")


def _is_member(path: PurePath) -> bool:
    """Tell a picture from what systems put beside it, as a Mac's ``._name.tif``."""
    return path.suffix.lower() in _SUFFIXES and not path.name.startswith(".")


def _zip_members(path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    with undamaged(path, "a folder or a ZIP file"), zipfile.ZipFile(path) as archive:
        names = [n for n in map(PurePosixPath, archive.namelist()) if _is_member(n)]

    def read(name: PurePosixPath) -> io.BytesIO:
        with zipfile.ZipFile(path) as archive:
            return io.BytesIO(archive.read(str(name)))

    def members(kind: str) -> dict[str, Any]:
        inside = [n for n in names if n.parent.name == kind]
        if len({n.parent for n in inside}) > 1:
            folders = ", ".join(sorted({str(n.parent) for n in inside}))
            raise ShiftSegError(
                f"{path} has several folders {kind}/ ({folders}); legal: one, a pack for each part"
            )
        return {n.name: lambda n=n: read(n) for n in inside}

    return members("images"), members("masks")
