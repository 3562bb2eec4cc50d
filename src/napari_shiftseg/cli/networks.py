"""Networks of any origin as the commands name them, and images as these want them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
from cyclopts import Parameter

from napari_shiftseg.cli.images import NamedImage
from napari_shiftseg.errors import ShiftSegError
from napari_shiftseg.image.axes import Frames
from napari_shiftseg.image.calibration import Calibration
from napari_shiftseg.image.intensity import Fixed, Intensity, Kind
from napari_shiftseg.network_audit.foreign import Foreign, load_foreign
from napari_shiftseg.network_audit.subject import Subject
from napari_shiftseg.pipeline import calibration_of_labels

NetworkName = Annotated[
    str,
    Parameter(
        help="A bundled model, a shiftseg model file, TorchScript (.pt, .pth, .ts), torch.export "
        "(.pt2), a package of the BioImage Model Zoo (.zip or folder), or package.module:factory "
        "or file.py:factory with --trust-code."
    ),
]


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class NetworkInput:
    """What a network's name does not say."""

    ndim: Annotated[
        int | None,
        Parameter(help="Spatial axes of the network's input; 2 where the file does not say."),
    ] = None
    channels: Annotated[
        int | None, Parameter(help="Channels of its input; 1 where the file does not say.")
    ] = None
    weights: Annotated[Path | None, Parameter(help="State dict for the factory's network.")] = None
    trust_code: Annotated[
        bool,
        Parameter(
            help="Import and run the factory, or the package's code. Only for code that you trust."
        ),
    ] = False

    intensity: Annotated[
        Kind | None,
        Parameter(
            help="How intensities are scaled, over the whole image: percentile makes the 1 % and "
            "the 99.8 % ones 0 and 1, standard the mean 0 and the deviation 1, none leaves them. "
            "By default as a model was trained or its package says; of other files none."
        ),
    ] = None

    def load(self, name: str) -> tuple[Subject, Foreign]:
        """Load a network; raises ShiftSegError as :func:`load_foreign` or if it contradicts."""
        if self.ndim not in (None, 1, 2, 3):
            raise ShiftSegError(f"ndim is {self.ndim}; legal: 1, 2 or 3")
        if self.channels is not None and self.channels < 1:
            raise ShiftSegError(f"channels is {self.channels}; legal: from 1 on")
        found = load_foreign(name, weights=self.weights, trust_code=self.trust_code)
        for given, known, what in (
            (self.ndim, found.ndim, "axes"),
            (self.channels, found.in_channels, "channels"),
        ):
            if None not in (given, known) and given != known:
                raise ShiftSegError(f"the model takes {known} {what}, not {given}")
        subject = Subject(
            found.module,
            found.ndim or self.ndim or 2,
            found.in_channels or self.channels or 1,
        )
        return subject, found


AS_NAMED = NetworkInput()


def frames_for(
    path: Path, subject: Subject, axes: str | None = None, channel: str | None = None
) -> tuple[Frames, Calibration]:
    """Read the images that a network sees one by one, and their axes without channels.

    Raises
    ------
    ShiftSegError
        If the file cannot be read, has not those axes or no such channel, or does not fit the
        network.
    """
    spatial = "zyx"[-subject.ndim :]
    image = NamedImage.read(path, axes, channel, in_channels=subject.in_channels).squeezed(spatial)
    frames = Frames.of(
        image.pixels, ndim=subject.ndim, in_channels=subject.in_channels, axes=image.axes
    )
    return frames, calibration_of_labels(frames, spatial, image.calibration)


def normalised(frames: Frames, index: tuple[int, ...], intensity: Intensity | Fixed) -> np.ndarray:
    """Return ``(C, *spatial)`` float32 of one image, as its network wants it."""
    scaling = intensity.measure(frames.alike(index)[1])
    frame = frames.frame(index)
    return scaling(np.asarray(frame[(slice(None),) * len(frame.shape)]))
