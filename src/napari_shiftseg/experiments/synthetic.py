"""The paper's synthetic trainings: image, network and course of each, as one table."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from napari_shiftseg.embeddings.description import ModelDescription
from napari_shiftseg.embeddings.model import Model, load_model
from napari_shiftseg.embeddings.model_file import save_model
from napari_shiftseg.embeddings.unet import Architecture
from napari_shiftseg.image.intensity import Intensity
from napari_shiftseg.samples.discs import disc_image
from napari_shiftseg.settings import Clustering
from napari_shiftseg.tiles.geometry import NetworkGeometry
from napari_shiftseg.training.crops import Augmentation, Crops
from napari_shiftseg.training.fit import Schedule, StepDone, Trainer
from napari_shiftseg.training.loss import DiscriminativeLoss
from napari_shiftseg.training.windows import Windows

Preset = Literal["quick", "paper"]

BANDWIDTH = 2.0
"""Means are pushed 6 apart; the paper's notebooks cluster with another kernel."""


@dataclass(frozen=True)
class Course:
    """Length and peak learning rate of a training."""

    steps: int
    rate: float


@dataclass(frozen=True)
class Synthetic:
    """One training of the paper's synthetic experiments.

    Parameters
    ----------
    name
        Of the model file.
    about
        One sentence for its card.
    size
        Edge length of the image in pixels.
    window
        Output window in pixels; the network's next larger output is cut to it.
    quick, paper
        The training's course by preset; the paper's is that of its notebooks.
    spacing
        Distance of the discs in pixels; None for a constant image, each pixel of which is
        an instance.
    levels, upsampling, padding, maps
        Of the network.
    slim
        One convolution per pass on the way up and a 3x3 head, as in the notebooks' small
        networks.
    noise, elastic
        Drawn anew at each step.
    mosaic
        Directly neighbouring windows per axis whose loss spans their borders.
    """

    name: str
    about: str
    size: int
    window: int
    quick: Course
    paper: Course
    spacing: int | None = None
    levels: int = 4
    upsampling: Literal["learnt", "nearest"] = "learnt"
    padding: Literal["valid", "same"] = "valid"
    maps: int = 16
    slim: bool = False
    noise: float = 0.0
    elastic: float = 0.0
    mosaic: int = 1

    @property
    def architecture(self) -> Architecture:
        """The network, with an embedding of 3 dimensions and nothing else."""
        geometry = NetworkGeometry.regular(2, self.levels, padding=self.padding)
        if self.slim:
            block = ((3, 3),)
            geometry = NetworkGeometry(
                geometry.factors,
                geometry.down,
                (block,) * self.levels,
                head=block,
                padding=self.padding,
            )
        return Architecture(geometry, maps=self.maps, upsampling=self.upsampling, embedding_dims=3)

    def image(
        self, size: int | None = None, start: int = 5
    ) -> tuple[NDArray[np.uint8], NDArray[np.int32]]:
        """Draw image and instances, ``(size, size)`` each; the first disc's centre is ``start``."""
        size = size or self.size
        if self.spacing is not None:
            return disc_image(size, self.spacing, start=start)
        pixels = np.arange(1, size * size + 1, dtype=np.int32).reshape(size, size)
        return np.ones((size, size), np.uint8), pixels

    def disturbed(
        self, size: int, rng: np.random.Generator, start: int = 5
    ) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
        """Draw image and instances with noise and bending, ``(size, size)`` each."""
        image, labels = self.image(size, start)
        whole = Crops(
            [image[None].astype(np.float32)], [labels], (size, size), (0, 0), self.augmentation
        )
        drawn, bent = whole.sample(rng)
        return drawn[0, 0].numpy(), bent.numpy().astype(np.int32)

    @property
    def augmentation(self) -> Augmentation:
        """Noise and bending."""
        return Augmentation(
            flips=False, zoom=1, intensity=0, elastic=self.elastic, noise=self.noise
        )

    def course(self, preset: Preset) -> Course:
        """Return length and learning rate of a preset."""
        return self.quick if preset == "quick" else self.paper

    def trainer(self, preset: Preset, checkpoint: Path | None, seed: int = 0) -> Trainer:
        """Set up the training; resumes from the checkpoint if it exists."""
        architecture, course = self.architecture, self.course(preset)
        windows = Windows(architecture.geometry, (self.window,) * 2, self.mosaic)
        image, labels = self.image()
        return Trainer(
            architecture,
            Crops(
                [image[None].astype(np.float32)],
                [labels],
                windows.crop,
                architecture.geometry.context,
                self.augmentation,
                inside=True,
            ),
            windows,
            DiscriminativeLoss(
                pull_margin=0, push_margin=3, regulariser_weight=1e-4, background=True
            ),
            Schedule(
                course.steps,
                learning_rate=course.rate,
                weight_decay=0,
                average=0,
                stop_at_zero=True,
            ),
            seed=seed,
            checkpoint=checkpoint,
            allow_small_window=True,
        )

    def train(self, preset: Preset, folder: Path) -> Generator[StepDone, None, Model]:
        """Train, or load what was trained; an interrupted training goes on."""
        file = folder / f"{self.name}-{preset}.safetensors"
        if not file.exists():
            trainer = self.trainer(preset, file.with_suffix(".checkpoint"))
            yield from trainer.run()
            save_model(file, trainer.trained, self._describe(trainer, preset))
        return load_model(file)

    def _describe(self, trainer: Trainer, preset: Preset) -> ModelDescription:
        course: dict[str, Any] = {"steps_done": trainer.step, "seconds": round(trainer.seconds)}
        return ModelDescription(
            name=self.name,
            architecture=self.architecture,
            intensity=Intensity("none"),
            training_window=trainer.windows.trained,
            clustering=Clustering(bandwidth=BANDWIDTH),
            summary=self.about,
            training={"command": f"shiftseg reproduce --preset {preset}", **course},
        )


SYNTHETIC = {
    setting.name: setting
    for setting in (
        Synthetic(
            "spacing-16-l3",
            "Discs at spacing 2 * 8 px: all the same to a network of period 8 (Fig. 2a).",
            size=220,
            spacing=16,
            levels=3,
            window=128,
            quick=Course(1500, 3e-4),
            paper=Course(200_000, 5e-5),
        ),
        Synthetic(
            "spacing-15-l3",
            "Discs at spacing 15, co-prime to the period of 8 px (Fig. 2b).",
            size=220,
            spacing=15,
            levels=3,
            window=128,
            quick=Course(12_000, 3e-4),
            paper=Course(200_000, 5e-5),
        ),
        Synthetic(
            "spacing-15-l3-nearest",
            "Discs at spacing 15, nearest-neighbour upsampling (Fig. 2c).",
            size=220,
            spacing=15,
            levels=3,
            window=128,
            upsampling="nearest",
            quick=Course(12_000, 3e-4),
            paper=Course(200_000, 5e-5),
        ),
        Synthetic(
            "window-16",
            "Discs at spacing 13, trained with an output window of one period (Fig. 4a).",
            size=284,
            spacing=13,
            window=16,
            quick=Course(8000, 3e-4),
            paper=Course(20_000, 1e-4),
        ),
        Synthetic(
            "window-20",
            "Discs at spacing 13, trained with an output window above the period (Fig. 4b, c).",
            size=284,
            spacing=13,
            window=20,
            quick=Course(8000, 3e-4),
            paper=Course(33_000, 1e-4),
        ),
        Synthetic(
            "constant",
            "A constant image, each pixel an instance (Fig. 5).",
            size=236,
            window=32,
            quick=Course(2000, 1e-4),
            paper=Course(2000, 1e-4),
        ),
        Synthetic(
            "constant-nearest",
            "A constant image, nearest-neighbour upsampling (control of Fig. 5).",
            size=48,
            levels=2,
            window=12,
            upsampling="nearest",
            maps=3,
            slim=True,
            quick=Course(1000, 1e-4),
            paper=Course(1000, 1e-4),
        ),
        Synthetic(
            "constant-same",
            "A constant image, zero padding (Fig. S2).",
            size=40,
            levels=2,
            window=40,
            upsampling="nearest",
            padding="same",
            maps=3,
            slim=True,
            quick=Course(20_000, 1e-3),
            paper=Course(120_000, 1e-4),
        ),
        Synthetic(
            "padding-alone",
            "Discs at spacing 13, zero padding, each window trained alone (Sec. 3.2).",
            size=96,
            spacing=13,
            levels=2,
            window=24,
            padding="same",
            quick=Course(6000, 3e-4),
            paper=Course(20_000, 1e-4),
        ),
        Synthetic(
            "padding-neighbours",
            "The same, trained on windows that are direct neighbours (Sec. 3.2).",
            size=96,
            spacing=13,
            levels=2,
            window=24,
            padding="same",
            mosaic=2,
            quick=Course(6000, 3e-4),
            paper=Course(20_000, 1e-4),
        ),
        Synthetic(
            "spacing-16",
            "Discs at spacing 16, one period (control of Fig. S3).",
            size=284,
            spacing=16,
            window=52,
            quick=Course(1000, 1e-4),
            paper=Course(60_000, 1e-4),
        ),
        Synthetic(
            "spacing-16-noise",
            "Discs at spacing 16 under noise (Fig. S3a, c).",
            size=292,
            spacing=16,
            window=52,
            noise=0.01,
            quick=Course(8000, 3e-4),
            paper=Course(100_000, 1e-4),
        ),
        Synthetic(
            "spacing-16-elastic",
            "Discs at spacing 16, bent a little (Fig. S3b, d).",
            size=284,
            spacing=16,
            window=52,
            elastic=0.2,
            quick=Course(8000, 3e-4),
            paper=Course(400_000, 5e-5),
        ),
    )
}
"""The trainings by name. Figures that differ in stitching alone share one."""
