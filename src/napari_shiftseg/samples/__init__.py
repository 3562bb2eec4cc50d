"""The images that are part of the package, each with its ground truth."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from napari_shiftseg.errors import ShiftSegError
from napari_shiftseg.experiments.discs import disc_image
from napari_shiftseg.image.tiff import read_tiff


@dataclass(frozen=True)
class Sample:
    """An image with ground truth.

    Parameters
    ----------
    name
        Short name.
    image
        ``(*spatial)`` pixels.
    truth
        ``(*spatial)`` labels; 0 is background.
    """

    name: str
    image: NDArray[Any]
    truth: NDArray[Any]


def load_sample(name: str) -> Sample:
    """Load ``"nuclei"`` (520 x 696, DSB2018) or ``"discs"`` (the paper's, spacing 13).

    Raises
    ------
    ShiftSegError
        If there is no such sample.
    """
    if name == "discs":
        return Sample(name, *disc_image())
    if name != "nuclei":
        raise ShiftSegError(f"there is no sample {name!r}; legal: nuclei, discs")
    folder = Path(str(resources.files(__name__)))
    return Sample(name, read_tiff(folder / "nuclei.tif"), read_tiff(folder / "nuclei_truth.tif"))
