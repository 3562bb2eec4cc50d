"""A training run as one flat, frozen value: what the command line says and the card keeps."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from napari_shiftseg.embeddings.description import ModelDescription
from napari_shiftseg.embeddings.model import load_model
from napari_shiftseg.embeddings.unet import Architecture
from napari_shiftseg.errors import ShiftSegError
from napari_shiftseg.image.intensity import Intensity
from napari_shiftseg.image.packs import Pair, read_pack
from napari_shiftseg.samples.discs import disc_image
from napari_shiftseg.settings import Clustering
from napari_shiftseg.tiles.geometry import NetworkGeometry
from napari_shiftseg.training.crops import Augmentation, Crops
from napari_shiftseg.training.fit import Schedule, Trainer
from napari_shiftseg.training.loss import DiscriminativeLoss

DISCS = "discs:"


@dataclass(frozen=True)
class TrainingRecipe:
    """What to train, on what, and how.

    Parameters
    ----------
    data
        A data pack (ZIP or folder with images/ and masks/), or discs:SPACING for the paper's
        synthetic image.
    window
        Output window in pixels; must exceed the period.
    ndim
        Spatial axes of the network: 2 or 3.
    levels
        Pooling levels.
    maps
        Feature maps of the finest level.
    upsampling
        learnt (transposed convolutions) or nearest.
    padding
        valid or same (zero padding).
    embedding_dims
        Length of the embedding.
    coordinates
        Add pixel coordinates to the first embedding dimensions (semi-convolutional).
    coordinate_scale
        Pixels per embedding unit of these coordinates.
    foreground
        Train a foreground output; without it the background is one more instance.
    steps
        Steps of one crop each.
    learning_rate
        Peak learning rate of AdamW.
    weight_decay
        Weight decay of AdamW.
    decay
        Last fraction of the steps, over which the learning rate falls to 0.
    average
        Decay of the exported moving average of the weights; 0 for none.
    pull_margin
        delta_v of the discriminative loss.
    push_margin
        delta_d of the discriminative loss.
    regulariser_weight
        Weight of the length of the mean embeddings.
    push_reach
        Push only instances whose bounding boxes are at most this many pixels apart.
    flips
        Mirror and turn crops.
    zoom
        Largest random magnification or reduction.
    intensity
        Strength of random contrast, gamma, offset and noise.
    boundary_weight
        Extra weight of the foreground loss within 2 pixels of an object's outline.
    start
        Name or file of a model of the same architecture whose weights to begin with.
    stop_at_zero
        Stop when a step's loss is 0.
    seed
        Seed of weights and crops.
    """

    data: str
    window: int
    ndim: Literal[2, 3] = 2
    levels: int = 3
    maps: int = 16
    upsampling: Literal["learnt", "nearest"] = "learnt"
    padding: Literal["valid", "same"] = "valid"
    embedding_dims: int = 4
    coordinates: bool = True
    coordinate_scale: float = 8.0
    foreground: bool = True
    steps: int = 20_000
    learning_rate: float = 5e-4
    weight_decay: float = 1e-4
    decay: float = 0.3
    average: float = 0.999
    pull_margin: float = 0.3
    push_margin: float = 1.5
    regulariser_weight: float = 0.001
    push_reach: float | None = None
    flips: bool = True
    zoom: float = 1.25
    intensity: float = 1.0
    boundary_weight: float = 0.0
    start: str | None = None
    stop_at_zero: bool = False
    seed: int = 0

    @property
    def architecture(self) -> Architecture:
        """The network to train."""
        return Architecture(
            NetworkGeometry.regular(self.ndim, self.levels, padding=self.padding),
            maps=self.maps,
            upsampling=self.upsampling,
            embedding_dims=self.embedding_dims,
            coordinate_dims=self.ndim if self.coordinates else 0,
            coordinate_scale=self.coordinate_scale,
            foreground=self.foreground,
        )

    @property
    def intensity_normalisation(self) -> Intensity:
        """Percentiles for real images; the synthetic ones are used as they are."""
        return Intensity("none" if self.data.startswith(DISCS) else "percentile")

    def trainer(self, *, checkpoint: Path | None, allow_small_window: bool) -> Trainer:
        """Read the data and set up the run; resumes from the checkpoint if it exists."""
        architecture = self.architecture
        return Trainer(
            architecture,
            self._crops(architecture),
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
                learning_rate=self.learning_rate,
                decay=self.decay,
                weight_decay=self.weight_decay,
                average=self.average,
                stop_at_zero=self.stop_at_zero,
            ),
            boundary_weight=self.boundary_weight,
            start=None if self.start is None else load_model(self.start).network,
            seed=self.seed,
            checkpoint=checkpoint,
            allow_small_window=allow_small_window,
        )

    def describe(
        self,
        trainer: Trainer,
        *,
        name: str,
        command: str,
        summary: str,
        licence: str,
        bandwidth: float,
    ) -> ModelDescription:
        """Write the header of the trained model."""
        return ModelDescription(
            name=name,
            architecture=trainer.network.architecture,
            axes="zyx"[-self.ndim :],
            intensity=self.intensity_normalisation,
            training_window=trainer.crops.window,
            clustering=Clustering(bandwidth=bandwidth),
            summary=summary,
            licence=licence,
            training={
                "command": command,
                "date": time.strftime("%Y-%m-%d"),
                "steps_done": trainer.step,
                "seconds": round(trainer.seconds),
                "recipe": dataclasses.asdict(self),
            },
        )

    def _crops(self, architecture: Architecture) -> Crops:
        images, masks = [], []
        for pair in self._pairs():
            if pair.mask.ndim != self.ndim or pair.image.ndim != self.ndim:
                raise ShiftSegError(
                    f"{pair.name} has an image of shape {pair.image.shape} and a mask of "
                    f"{pair.mask.shape}; a {self.ndim}-D network needs {self.ndim} axes in both"
                )
            channels = pair.image[None]
            images.append(self.intensity_normalisation.measure(channels)(channels))
            masks.append(pair.mask)
        synthetic = self.data.startswith(DISCS)
        return Crops(
            images,
            masks,
            window=(self.window,) * self.ndim,
            context=architecture.geometry.context,
            augmentation=Augmentation(flips=self.flips, zoom=self.zoom, intensity=self.intensity),
            inside=synthetic,
        )

    def _pairs(self) -> Iterator[Pair]:
        if not self.data.startswith(DISCS):
            yield from read_pack(self.data)
            return
        spacing = self.data.removeprefix(DISCS)
        if not spacing.isdigit() or int(spacing) < 1:
            raise ShiftSegError(f"data is {self.data!r}; legal: discs:SPACING, as discs:13")
        image, mask = disc_image(spacing=int(spacing))
        yield Pair("discs", image, mask.astype(np.int32))
