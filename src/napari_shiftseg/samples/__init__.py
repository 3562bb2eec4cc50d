"""The images that are part of the package, each with its ground truth."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from napari_shiftseg.errors import ShiftSegError
from napari_shiftseg.image.calibration import Calibration
from napari_shiftseg.image.tiff_series import open_tiff
from napari_shiftseg.samples.discs import disc_image, with_noise

SPACINGS = range(8, 65)
"""Spacings of discs that can be drawn, in pixels."""

SIZES = range(32, 4097)
"""Edge lengths of images of discs that can be drawn, in pixels."""

_UNKNOWN = Calibration.of("yx")


@dataclass(frozen=True)
class Sample:
    """An image with ground truth.

    Parameters
    ----------
    name
        Short name, as it may be part of a file name.
    title
        For people.
    image
        ``(*spatial)`` pixels.
    truth
        ``(*spatial)`` labels; 0 is background.
    calibration
        Voxel size and its unit.
    suits
        The bundled model that was made for such images, None if there is none.
    """

    name: str
    title: str
    image: NDArray[Any]
    truth: NDArray[Any]
    calibration: Calibration = _UNKNOWN
    suits: str | None = None


def load_sample(name: str) -> Sample:
    """Load a sample by its name.

    ======================  ===================================================
    ``"nuclei"``            520 x 696 pixels, DSB2018
    ``"nuclei-3d"``         a mouse embryo of 16 cells, QCANet
    ``"discs"``             the paper's discs at spacing 13
    ``"discs-15"``          at spacing 15
    ``"discs-16"``          at spacing 16, which a period of 16 pixels divides
    ``"discs-13-noise"``    at spacing 13, with noise of variance 0.01
    ======================  ===================================================

    Raises
    ------
    ShiftSegError
        If there is no such sample.
    """
    if name not in _SAMPLES:
        raise ShiftSegError(f"there is no sample {name!r}; legal: {', '.join(_SAMPLES)}")
    return _SAMPLES[name]()


def draw_discs(spacing: int = 13, *, noise: bool = False, size: int = 284) -> Sample:
    """Draw the paper's discs at any spacing.

    Parameters
    ----------
    spacing
        Distance between neighbouring centres, 8 to 64 pixels.
    noise
        Whether Gaussian noise of variance 0.01 is added; it is the same at every call.
    size
        Edge length of the image, 32 to 4096 pixels.

    Raises
    ------
    ShiftSegError
        If spacing or size is out of its range.
    """
    _refuse_outside("spacing", spacing, SPACINGS)
    _refuse_outside("size", size, SIZES)
    image, truth = disc_image(size, spacing)
    pixels = with_noise(image) if noise else image
    if spacing == 13 and not noise:
        return Sample("discs", "Discs", pixels, truth, suits="discs-l4")
    name = f"discs-{spacing}{'-noise' * noise}"
    return Sample(name, f"Discs, spacing {spacing}{', noise' * noise}", pixels, truth)


def _refuse_outside(what: str, value: int, legal: range) -> None:
    if value not in legal:
        raise ShiftSegError(f"{what} is {value}; legal: {legal[0]} to {legal[-1]}")


def _bundled(name: str, title: str, suits: str | None = None) -> Sample:
    folder, stem = Path(str(resources.files(__name__))), name.replace("-", "_")
    (image,), (truth,) = open_tiff(folder / f"{stem}.tif"), open_tiff(folder / f"{stem}_truth.tif")
    return Sample(name, title, image.pixels, truth.pixels, image.calibration, suits)


_SAMPLES: dict[str, Callable[[], Sample]] = {
    "nuclei": lambda: _bundled("nuclei", "Nuclei", "nuclei-2d"),
    "nuclei-3d": lambda: _bundled("nuclei-3d", "Nuclei, 3-D", "nuclei-3d"),
    "discs": draw_discs,
    "discs-15": lambda: draw_discs(15),
    "discs-16": lambda: draw_discs(16),
    "discs-13-noise": lambda: draw_discs(noise=True),
}
