"""A training run as one flat, frozen value: what command line, form and card say of it."""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from napari_shiftseg.embeddings.description import ModelDescription
from napari_shiftseg.embeddings.model import load_model
from napari_shiftseg.embeddings.unet import Architecture, UNet
from napari_shiftseg.errors import ShiftSegError
from napari_shiftseg.image.axes import Frames
from napari_shiftseg.image.intensity import Intensity
from napari_shiftseg.image.packs import Pair, read_pack
from napari_shiftseg.samples.discs import DISC_IMAGE, disc_image
from napari_shiftseg.settings import Clustering
from napari_shiftseg.tiles.geometry import NetworkGeometry
from napari_shiftseg.training.crops import UNKNOWN, Augmentation, Crops
from napari_shiftseg.training.fit import Precision, Schedule, Trainer
from napari_shiftseg.training.legal import number, refuse_illegal
from napari_shiftseg.training.loss import DiscriminativeLoss
from napari_shiftseg.training.presets import PRESETS, PresetName
from napari_shiftseg.training.start import refuse_other_architecture
from napari_shiftseg.training.windows import Windows
from napari_shiftseg.wording import counted

DISCS = "discs:"

Given = TypeVar("Given")


@dataclass(frozen=True)
class TrainingRecipe:
    """What to train, on what, and how.

    Parameters
    ----------
    data
        A data pack (ZIP or folder with images/ and masks/), or discs:SPACING for the paper's
        synthetic image.
    preset
        A kind of network: sets axes, levels, maps and window where they are not given.
    ndim
        Spatial axes of the network: 2 or 3.
    levels
        How often the network halves the image (pooling levels); each doubles the period.
    flat_levels
        Of a 3-D network, how many of the finest levels neither pool nor convolve along z;
        for stacks whose slices are farther apart than their pixels.
    maps
        Feature maps of the finest level; more learn more, and take longer.
    convolutions
        Convolutions per level on the way down and on the way up; more see farther.
    channels
        Channels of the images.
    upsampling
        How the network enlarges: learnt (transposed convolutions), or nearest, which tells fewer
        same-looking objects apart.
    padding
        At the border of its input: valid computes only what it has context for; same fills in
        zeros, as most networks do.
    embedding_dims
        Numbers per pixel in the embedding.
    coordinates
        Add each pixel's position to the embedding (semi-convolutional), so that distant objects
        differ.
    coordinate_scale
        How many pixels of position make one unit of embedding.
    foreground
        Train a foreground output; without it the background is one more object.
    window
        Output window of training in pixels: one number for all axes, or one for each. It must
        exceed the period.
    mosaic
        Directly neighbouring windows per axis in a crop; their loss spans the borders. Zero
        padding needs at least 2, or neighbours across a border are never trained together.
    across
        Whether the loss spans the borders of a mosaic's windows.
    batch
        Crops that are looked at in a step.
    steps
        Steps of training in all.
    learning_rate
        How far a step goes (peak learning rate of AdamW).
    weight_decay
        How strongly weights are drawn to 0 (weight decay of AdamW).
    decay
        Last fraction of the steps, over which the learning rate falls to 0.
    average
        How long the exported weights are averaged over steps (decay); 0 for not at all.
    precision
        float32, or mixed: convolutions in bfloat16, faster where the hardware has it.
    pull_margin
        How near to their mean the pixels of an object are pulled (delta_v of the loss).
    push_margin
        How far the means of different objects are pushed apart (delta_d of the loss).
    regulariser_weight
        How strongly the objects' mean embeddings are drawn to 0.
    push_reach
        Push only objects apart whose bounding boxes are at most this many pixels apart.
    boundary_weight
        Extra weight of the foreground loss within 2 pixels of an object's outline.
    background_label
        Label of the background. If it is not 0, pixels of label 0 are unknown and take no
        part in the loss, as negative ones always do: so a few objects may be enough.
    by_area
        Draw crops from large images more often, instead of from each image as often.
    flips
        Mirror and turn crops.
    zoom
        Largest random magnification or reduction of crops.
    intensity
        Strength of random contrast, gamma, offset and noise.
    elastic
        Random bending: standard deviation in pixels of the moves of a grid of 20 pixels.
    noise
        Variance of Gaussian noise, drawn anew for each crop.
    validation
        A data pack to validate on, instead of images held out from the training data.
    hold_out
        Share of the images that is held out for validation, at most 16 of them.
    validate_every
        Steps between validations; the weights of the best one are exported.
    bandwidth
        How alike embeddings of one object are (radius of mean shift): in validation, and what the
        model file recommends.
    start
        Name or file of a model whose weights to begin with: of the same architecture, or of one
        with a half, a third ... of the maps.
    stop_at_zero
        Stop when a step's loss is 0.
    seed
        Seed of all that is random; the same one gives the same training.

    Raises
    ------
    ShiftSegError
        If a number is outside of its range, or settings do not fit each other.

    References
    ----------
    Rumberger et al., ICCV 2021, Sec. 3.2. De Brabandere et al., Semantic Instance
    Segmentation with a Discriminative Loss Function, 2017.
    """

    data: str
    preset: PresetName = "2d-small"
    ndim: Literal[2, 3] | None = None
    levels: int | None = number(None, at_least=0)
    flat_levels: int | None = number(None, at_least=0)
    maps: int | None = number(None, at_least=1)
    convolutions: int = number(2, at_least=1)
    channels: int = number(1, at_least=1)
    upsampling: Literal["learnt", "nearest"] = "learnt"
    padding: Literal["valid", "same"] = "valid"
    embedding_dims: int = number(4, at_least=1)
    coordinates: bool = True
    coordinate_scale: float = number(8.0, above=0, at_most=1e6)
    foreground: bool = True
    window: tuple[int, ...] | None = None
    mosaic: int = number(1, at_least=1)
    across: bool = True
    batch: int = number(1, at_least=1)
    steps: int = number(20_000, at_least=1)
    learning_rate: float = number(5e-4, above=0, at_most=1000)
    weight_decay: float = number(1e-4, at_least=0, at_most=1000)
    decay: float = number(0.3, above=0, at_most=1)
    average: float = number(0.999, at_least=0, below=1)
    precision: Precision = "float32"
    pull_margin: float = number(0.3, at_least=0, at_most=1e6)
    push_margin: float = number(1.5, above=0, at_most=1e6)
    regulariser_weight: float = number(0.001, at_least=0, at_most=1e6)
    push_reach: float | None = number(None, at_least=0, at_most=1e6)
    boundary_weight: float = number(0.0, at_least=0, at_most=1e6)
    background_label: int = 0
    by_area: bool = False
    flips: bool = True
    zoom: float = number(1.25, at_least=1, at_most=8)
    intensity: float = number(1.0, at_least=0, at_most=100)
    elastic: float = number(0.0, at_least=0, at_most=20)
    noise: float = number(0.0, at_least=0, at_most=100)
    validation: str | None = None
    hold_out: float = number(0.1, at_least=0, below=1)
    validate_every: int = number(1000, at_least=1)
    bandwidth: float = number(1.5, at_least=1e-3, at_most=1e3)
    start: str | None = None
    stop_at_zero: bool = False
    seed: int = number(0, at_least=0, at_most=2**63 - 1)

    def __post_init__(self) -> None:
        if self.preset not in PRESETS:
            raise ShiftSegError(f"preset is {self.preset!r}; legal: {', '.join(PRESETS)}")
        for name, value in PRESETS[self.preset].items():
            if getattr(self, name) is None:
                object.__setattr__(self, name, value)
        for field in dataclasses.fields(self):
            object.__setattr__(self, field.name, _plain(getattr(self, field.name)))
        sizes = tuple(np.atleast_1d(_given(self.window)).tolist())
        whole = sizes * _given(self.ndim) if len(sizes) == 1 else sizes
        object.__setattr__(self, "window", whole)
        refuse_illegal(self)
        if self.ndim == 2 and self.flat_levels:
            raise ShiftSegError("flat_levels are for 3-D networks; give ndim 3, or 0 flat levels")
        # What these are made of is checked where they are made: before any image is read.
        for part in ("architecture", "windows", "clustering"):
            getattr(self, part)

    @property
    def architecture(self) -> Architecture:
        """The network to train."""
        return Architecture(
            self.geometry,
            in_channels=self.channels,
            maps=_given(self.maps),
            upsampling=self.upsampling,
            embedding_dims=self.embedding_dims,
            coordinate_dims=self.geometry.ndim if self.coordinates else 0,
            coordinate_scale=self.coordinate_scale,
            foreground=self.foreground,
        )

    @property
    def geometry(self) -> NetworkGeometry:
        """Factors and kernels of the network."""
        ndim, levels, flat = _given(self.ndim), _given(self.levels), _given(self.flat_levels)
        regular = NetworkGeometry.regular(
            ndim, levels, convolutions=self.convolutions, padding=self.padding
        )
        return regular.flattened(flat) if flat else regular

    @property
    def windows(self) -> Windows:
        """The output windows of a step."""
        return Windows(self.geometry, _given(self.window), self.mosaic, self.across)

    @property
    def intensity_normalisation(self) -> Intensity:
        """Percentiles for real images; the synthetic ones are used as they are."""
        return Intensity("none" if self.is_synthetic else "percentile")

    @property
    def is_synthetic(self) -> bool:
        """Whether the data are the paper's discs."""
        return self.data.startswith(DISCS)

    @property
    def clustering(self) -> Clustering:
        """From the embeddings to labels."""
        return Clustering(bandwidth=self.bandwidth)

    @property
    def spacing(self) -> int:
        """Pixels from disc to disc of the synthetic data; raises ShiftSegError if there is none."""
        spacing = self.data.removeprefix(DISCS)
        if not spacing.isdecimal() or int(spacing) < 1:
            raise ShiftSegError(f"data is {self.data!r}; legal: discs:SPACING, as discs:13")
        return int(spacing)

    def pairs(self) -> list[Pair]:
        """Read the data, or draw the discs.

        Raises
        ------
        ShiftSegError
            If there are no such data.
        """
        if not self.is_synthetic:
            return self.pairs_of(self.data)
        spacing = self.spacing
        context = self.geometry.context
        needed = max(w + c for w, c in zip(self.windows.crop, context, strict=True))
        image, mask = disc_image(max(DISC_IMAGE, math.ceil(self.zoom * needed)), spacing)
        return [Pair("discs", image, mask.astype(np.int32))]

    def pairs_of(self, pack: str | Path, most: int | None = None) -> list[Pair]:
        """Read a pack as the network sees it, or its first pairs; raises as :func:`read_pack`."""
        return [
            pair.seen_by(self.channels, self.geometry.ndim)
            for pair in islice(read_pack(pack), most)
        ]

    def trainer(
        self,
        pairs: Sequence[Pair],
        *,
        checkpoint: Path | None = None,
        device: str | None = None,
        allow_small_window: bool = False,
    ) -> Trainer:
        """Set up the run on these images; resumes from the checkpoint if it exists.

        Raises
        ------
        ShiftSegError
            If data, architecture, windows, the checkpoint and the model to start from do not
            fit each other.
        """
        architecture, start = self.architecture, self._start()
        return Trainer(
            architecture,
            self._crops(pairs),
            self.windows,
            DiscriminativeLoss(
                pull_margin=self.pull_margin,
                push_margin=self.push_margin,
                regulariser_weight=self.regulariser_weight,
                push_reach=self.push_reach,
                background=not self.foreground,
                free_dims=architecture.coordinate_dims,
            ),
            Schedule(
                steps=self.steps,
                batch=self.batch,
                precision=self.precision,
                learning_rate=self.learning_rate,
                decay=self.decay,
                weight_decay=self.weight_decay,
                average=self.average,
                stop_at_zero=self.stop_at_zero,
            ),
            boundary_weight=self.boundary_weight,
            start=start,
            seed=self.seed,
            checkpoint=checkpoint,
            device=device,
            allow_small_window=allow_small_window,
        )

    def describe(
        self,
        step: int,
        seconds: float,
        *,
        name: str,
        command: str = "",
        summary: str = "",
        licence: str = "",
    ) -> ModelDescription:
        """Write the header of the trained model."""
        return ModelDescription(
            name=name,
            architecture=self.architecture,
            axes="zyx"[-self.geometry.ndim :],
            intensity=self.intensity_normalisation,
            training_window=self.windows.trained,
            clustering=self.clustering,
            summary=summary,
            licence=licence,
            training={
                "command": command,
                "date": time.strftime("%Y-%m-%d"),
                "steps_done": step,
                "seconds": round(seconds),
                "recipe": dataclasses.asdict(self),
            },
        )

    def _start(self) -> UNet | None:
        """Load the network whose weights to begin with."""
        if self.start is None:
            return None
        network = load_model(self.start).network
        refuse_other_architecture(self, network.architecture)
        return network

    def _crops(self, pairs: Sequence[Pair]) -> Crops:
        images, masks = [], []
        for pair in pairs:
            images.append(self.scaled(pair))
            masks.append(known_labels(pair.mask, self.background_label))
        return Crops(
            images,
            masks,
            window=self.windows.crop,
            context=self.geometry.context,
            augmentation=Augmentation(
                flips=self.flips,
                zoom=self.zoom,
                intensity=self.intensity,
                elastic=self.elastic,
                noise=self.noise,
            ),
            inside=self.is_synthetic,
            by_area=self.by_area,
        )

    def scaled(self, pair: Pair) -> NDArray[np.float32]:
        """Return an image as the network wants it; raises as :meth:`channels_first`."""
        pixels = self.channels_first(pair)
        scaling = pair.scaling or self.intensity_normalisation.measure(pixels)
        return scaling(pixels)

    def channels_first(self, pair: Pair) -> NDArray[Any]:
        """Return an image as the network reads it, ``(C, *spatial)``.

        Raises
        ------
        ShiftSegError
            If image, mask and network do not fit each other; it names the image.
        """
        ndim, shape = self.geometry.ndim, pair.image.shape
        channels = (pair.image.size // pair.mask.size) if pair.mask.size else 0
        if pair.mask.ndim == ndim and channels == self.channels:
            try:
                frames = Frames.of(pair.image, ndim=ndim, in_channels=self.channels)
                if not frames.loops and frames.spatial == pair.mask.shape:
                    return frames.frame().read()
            except ShiftSegError as error:
                raise ShiftSegError(f"{pair.name}: {error}") from None
        several = pair.mask.ndim == ndim and channels > 1
        hint = f"; a network of {channels} channels trains on all of them" if several else ""
        raise ShiftSegError(
            f"{pair.name} has an image of shape {shape} and a mask of {pair.mask.shape}; a "
            f"{ndim}-D network of {counted(self.channels, 'channel')} needs {ndim} axes in both, "
            f"and channels first or last in the image{hint}"
        )


def known_labels(mask: NDArray[Any], background: int) -> NDArray[Any]:
    """Give background the label 0, and what is unknown a negative one.

    Parameters
    ----------
    mask
        ``(*spatial)`` integers.
    background
        Its label for the background; if that is not 0, then 0 is unknown.
    """
    if background == 0:
        return mask
    labels = np.where(mask == 0, UNKNOWN, mask.astype(np.int64))
    labels[mask == background] = 0
    return labels


def _given(value: Given | None) -> Given:
    """Return what :meth:`TrainingRecipe.__post_init__` has filled in."""
    assert value is not None
    return value


def _plain(value: Any) -> Any:
    """Return numbers of numpy and paths as what checkpoints and cards hold."""
    if isinstance(value, np.generic):
        return value.item()
    return str(value) if isinstance(value, Path) else value
