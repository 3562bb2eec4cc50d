"""Images and labels as the commands read them: with axes and voxel size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_shiftseg.cli.console import note
from napari_shiftseg.image.calibration import Calibration
from napari_shiftseg.image.files import open_image, open_labels
from napari_shiftseg.image.label_pixels import (
    looks_like_an_image,
    parts_of_the_only_label,
    refuse_no_labels,
    seem_one_object,
)
from napari_shiftseg.image.ome_zarr import is_zarr_group

if TYPE_CHECKING:
    from napari_shiftseg.embeddings.model import Model
    from napari_shiftseg.image.axes import Frames


@dataclass(frozen=True)
class NamedImage:
    """Pixels, and what their axes are.

    Parameters
    ----------
    pixels
        A numpy array, or a lazy one.
    calibration
        As the file says.
    axes
        One letter per axis; None if they are unknown.
    provenance
        How labels were made, as far as their file says.
    order
        Which axis of its file each axis is; None if they are those of the file.
    """

    pixels: Any
    calibration: Calibration
    axes: str | None
    provenance: dict[str, Any] = field(default_factory=dict)
    order: tuple[int, ...] | None = None

    @classmethod
    def read(
        cls,
        path: Path,
        axes: str | None = None,
        channel: str | None = None,
        *,
        in_channels: int = 1,
    ) -> NamedImage:
        """Open an image, or one channel of it; ``axes`` overrule the file's.

        A network of three ``in_channels`` is given colours also where they are all alike.

        Raises
        ------
        ShiftSegError
            As :func:`open_image`, or if the axes do not fit or there is no such channel.
        """
        opened, axes, _ = open_image(path).narrowed(axes, channel, in_channels=in_channels)
        return cls(opened.pixels, opened.calibration, axes)

    @classmethod
    def read_labels(cls, path: Path, *, unknown: bool = False) -> NamedImage:
        """Read labels, also those that lie in the OME-Zarr folder of their image.

        Parameters
        ----------
        path
            The file or folder.
        unknown
            Negative labels say that nobody knows what is there, as in ground truth.

        Raises
        ------
        ShiftSegError
            As :func:`open_image`, or if the pixels are not integers, or negative.
        """
        opened = cls.open_labels(path, unknown=unknown)
        return replace(opened, pixels=np.asarray(opened.pixels).astype(np.int64))

    @classmethod
    def open_labels(
        cls, path: Path, axes: str | None = None, *, unknown: bool = False
    ) -> NamedImage:
        """Open labels as :meth:`read_labels`, in their own type; large ones stay in the file."""
        opened = open_labels(path)
        refuse_no_labels(opened.pixels, path, unknown=unknown)
        if opened.pixels.size and not opened.rgb and looks_like_an_image(opened.pixels):
            note(f"shiftseg: {path} looks like an image: most of its neighbouring pixels differ")
        if opened.kind != "labels" and is_zarr_group(path):
            note(
                f"shiftseg: {path} holds no labels, as it says itself: its image is taken for them"
            )
        if seem_one_object([parts := parts_of_the_only_label(opened.pixels)]):
            note(
                f"shiftseg: {path} has one label in {parts} separate parts: a mask, where each "
                "object needs a label of its own, as skimage.measure.label gives"
            )
        opened, axes, _ = opened.narrowed(axes, None)
        return cls(opened.pixels, opened.calibration, axes, opened.provenance)

    def squeezed(self, spatial: str) -> NamedImage:
        """Drop the axes of one pixel, as the time of a single image, unless they are space."""
        sizes = zip(self.calibration.axes, self.pixels.shape, strict=True)
        kept = [i for i, (letter, size) in enumerate(sizes) if size > 1 or letter in spatial]
        part = tuple(slice(None) if i in kept else 0 for i in range(self.pixels.ndim))
        return self._picked(kept, self.pixels[part])

    def arranged(self, order: Sequence[int]) -> NamedImage:
        """Bring the axes into an order."""
        return self._picked(order, self.pixels.transpose(order))

    def _picked(self, axes: Sequence[int], pixels: Any) -> NamedImage:
        before = self.order or range(len(self.calibration.axes))
        return replace(
            self,
            pixels=pixels,
            calibration=self.calibration.picked(axes),
            axes=None if self.axes is None else "".join(self.axes[i] for i in axes),
            order=tuple(before[i] for i in axes),
        )

    def in_order(self, axes: str | None) -> NamedImage:
        """Bring the axes into the order of others, if these are the same ones."""
        if axes is None or self.axes is None or sorted(axes) != sorted(self.axes):
            return self
        return self.arranged([self.axes.index(letter) for letter in axes])

    def frames_first(self, model: Model) -> Any:
        """Return the pixels as ``([*loops], [C], *spatial)``: what needs no axes to be told."""
        layout = self._frames(model).layout
        channel = () if layout.channel is None else (layout.channel,)
        return self.pixels.transpose(layout.loops + channel + layout.spatial)

    def calibration_of_labels(self, model: Model) -> Calibration:
        """Return axes and voxel size of the labels that a model makes of this image."""
        from napari_shiftseg.pipeline import calibration_of_labels

        return calibration_of_labels(self._frames(model), model.description.axes, self.calibration)

    def _frames(self, model: Model) -> Frames:
        # Here, so that commands that need no network do not load torch.
        return model.frames(self.pixels, self.axes)


def read_truth(path: Path | None, model: Model) -> Any | None:
    """Read ground truth for a model's images, if there is any."""
    if path is None:
        return None
    return NamedImage.read_labels(path, unknown=True).squeezed(model.description.axes).pixels


def files_in(folder: Path, image: Path, *endings: str) -> tuple[Path, ...]:
    """Name files after an image in a folder."""
    stem = image.stem.removesuffix(".ome")
    return tuple(folder / f"{stem}-{ending}" for ending in endings)
