"""The training loop: a generator of one event per step, resumable from its checkpoint."""

from __future__ import annotations

import pickle
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from napari_shiftseg.embeddings.coordinates import coordinate_ramp
from napari_shiftseg.embeddings.unet import Architecture, UNet
from napari_shiftseg.errors import ShiftSegError
from napari_shiftseg.files import file_beside
from napari_shiftseg.tiles.geometry import Size
from napari_shiftseg.training.crops import Crops
from napari_shiftseg.training.loss import DiscriminativeLoss


@dataclass(frozen=True)
class Schedule:
    """Optimiser and its course.

    Parameters
    ----------
    steps
        Steps in all, each of one crop.
    learning_rate
        Peak of the learning rate.
    warmup
        Steps of linear increase.
    decay
        Last fraction of the steps, over which the learning rate falls linearly to 0.
    weight_decay
        AdamW's.
    average
        Decay of the moving average of the weights that is exported; 0 for none.
    clip
        Largest norm of a step's gradient; 0 for no limit.
    stop_at_zero
        Stop as soon as a step's loss is 0.
    """

    steps: int = 10_000
    learning_rate: float = 5e-4
    warmup: int = 200
    decay: float = 0.3
    weight_decay: float = 1e-4
    average: float = 0.999
    clip: float = 1.0
    stop_at_zero: bool = False

    def rate(self, step: int) -> float:
        """Learning rate of a step, counted from 0."""
        rise = min(1.0, (step + 1) / max(1, self.warmup))
        fall = (self.steps - step) / max(1.0, self.decay * self.steps)
        return self.learning_rate * min(rise, fall, 1.0)


@dataclass(frozen=True)
class StepDone:
    """One finished step.

    Parameters
    ----------
    step
        Number of steps done so far.
    losses
        Weighted loss terms of this step.
    seconds
        Training time so far, interruptions left out.
    """

    step: int
    losses: dict[str, float]
    seconds: float


class Trainer:
    """A network in training.

    Parameters
    ----------
    architecture
        What to train.
    crops
        Where the crops come from.
    loss
        The loss on the embedding.
    schedule
        The optimiser's course.
    boundary_weight
        Extra weight of the foreground loss at the outlines of objects.
    start
        Network whose weights to begin with; by default they are random.
    seed
        Seeds the weights and every crop; step ``i`` sees the same crop in any run.
    checkpoint
        File to resume from and to write to; None to keep nothing.
    allow_small_window
        Train although the output window does not exceed the period.

    Raises
    ------
    ShiftSegError
        If the output window is <= period on an axis and that is not allowed.
    """

    def __init__(
        self,
        architecture: Architecture,
        crops: Crops,
        loss: DiscriminativeLoss,
        schedule: Schedule,
        *,
        boundary_weight: float = 0.0,
        start: UNet | None = None,
        seed: int = 0,
        checkpoint: Path | None = None,
        allow_small_window: bool = False,
    ) -> None:
        check_window(architecture, crops.window, allow_small=allow_small_window)
        torch.manual_seed(seed)
        self.network = UNet(architecture)
        if start is not None:
            _begin_with(self.network, start)
        if architecture.geometry.ndim == 2:
            self.network = self.network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.average = AveragedModel(
            self.network,
            multi_avg_fn=get_ema_multi_avg_fn(schedule.average),  # type: ignore[no-untyped-call]
        )
        self.optimiser = torch.optim.AdamW(
            self.network.parameters(), lr=schedule.learning_rate, weight_decay=schedule.weight_decay
        )
        self.crops, self.loss, self.schedule = crops, loss, schedule
        self.boundary_weight = boundary_weight
        self.seed, self.checkpoint = seed, checkpoint
        self.step, self.seconds = 0, 0.0
        if checkpoint is not None and checkpoint.exists():
            self._restore(checkpoint)

    @property
    def trained(self) -> UNet:
        """The network to export: the averaged weights, or the last ones without average."""
        averaged: UNet = self.average.module  # type: ignore[assignment]
        return averaged if self.schedule.average else self.network

    def run(self, *, save_every: int = 500) -> Iterator[StepDone]:
        """Train on until the last step; yield after each."""
        while self.step < self.schedule.steps:
            started = time.perf_counter()
            losses = self._one_step()
            self.step += 1
            self.seconds += time.perf_counter() - started
            finished = self.schedule.stop_at_zero and sum(losses.values()) == 0
            if self.step % save_every == 0 or self.step == self.schedule.steps or finished:
                self.save()
            yield StepDone(self.step, losses, self.seconds)
            if finished:
                return

    def save(self) -> None:
        """Write the checkpoint in one step, if there is one to write."""
        if self.checkpoint is None:
            return
        state = {
            "network": self.network.state_dict(),
            "average": self.average.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "progress": torch.tensor([self.step, self.seconds], dtype=torch.float64),
        }
        with file_beside(self.checkpoint) as partial:
            torch.save(state, partial)

    def _restore(self, path: Path) -> None:
        try:
            state = torch.load(path, map_location="cpu", weights_only=True)
            self.network.load_state_dict(state["network"])
            self.average.load_state_dict(state["average"])
            self.optimiser.load_state_dict(state["optimiser"])
        except (pickle.UnpicklingError, EOFError, OSError):
            raise ShiftSegError(f"{path} is no checkpoint of this training") from None
        except (RuntimeError, KeyError, TypeError, ValueError) as error:
            reason = str(error).partition("\n")[0]
            raise ShiftSegError(f"{path} is no checkpoint of this training: {reason}") from None
        self.step, self.seconds = int(state["progress"][0]), float(state["progress"][1])

    def _one_step(self) -> dict[str, float]:
        for group in self.optimiser.param_groups:
            group["lr"] = self.schedule.rate(self.step)
        image, labels = self.crops.sample(np.random.default_rng((self.seed, self.step)))
        if image.ndim == 4:
            image = image.contiguous(memory_format=torch.channels_last)
        output = self.network(image)[0]
        terms = self._terms(output, labels)
        self.optimiser.zero_grad(set_to_none=True)
        torch.stack(list(terms.values())).sum().backward()  # type: ignore[no-untyped-call]
        if self.schedule.clip:
            torch.nn.utils.clip_grad_norm_(self.network.parameters(), self.schedule.clip)
        self.optimiser.step()
        self.average.update_parameters(self.network)
        return {name: float(term.detach()) for name, term in terms.items()}

    def _terms(self, output: Tensor, labels: Tensor) -> dict[str, Tensor]:
        architecture = self.network.architecture
        embedding = output[: architecture.embedding_dims]
        if architecture.coordinate_dims:
            ramp = coordinate_ramp(tuple(slice(0, n) for n in labels.shape), architecture)
            embedding = embedding + ramp
        terms = self.loss(embedding, labels)
        if architecture.foreground:
            known = labels >= 0
            truth = (labels[known] > 0).to(output.dtype)
            weight = 1 + self.boundary_weight * near_outlines(labels)[known]
            terms["foreground"] = F.binary_cross_entropy_with_logits(
                output[-1][known], truth, weight / weight.mean()
            )
        return terms


def near_outlines(labels: Tensor, *, reach: int = 2) -> Tensor:
    """Mark the pixels within ``reach`` of a change of label: ``(*spatial)`` of 0 and 1."""
    pool = {1: F.max_pool1d, 2: F.max_pool2d, 3: F.max_pool3d}[labels.ndim]
    values = labels[None, None].double()
    size = 2 * reach + 1
    highest = pool(values, size, stride=1, padding=reach)
    lowest = -pool(-values, size, stride=1, padding=reach)
    return (highest != lowest)[0, 0].float()


def _begin_with(network: UNet, start: UNet) -> None:
    if start.architecture != network.architecture:
        raise ShiftSegError(
            "the model to start from has another architecture: "
            f"{start.architecture}, not {network.architecture}"
        )
    network.load_state_dict(start.state_dict())


def check_window(architecture: Architecture, window: Size, *, allow_small: bool = False) -> None:
    """Refuse an output window that trains some neighbours never together (Sec. 3.2)."""
    geometry = architecture.geometry
    natural = geometry.natural_output(window)
    if natural != tuple(window):
        below = tuple(
            n - p if n > m else n
            for n, p, m in zip(natural, geometry.period, geometry.min_output_size, strict=True)
        )
        raise ShiftSegError(
            f"the network has no output window of {window} px; nearest: {below} or {natural} px"
        )
    if not allow_small and any(w <= p for w, p in zip(window, geometry.period, strict=True)):
        larger = geometry.natural_output(tuple(p + 1 for p in geometry.period))
        raise ShiftSegError(
            f"the output window of {window} px does not exceed the period of {geometry.period} px: "
            "neighbours across the period's grid would never be trained together, and no "
            f"stitching could mend the seams; smallest legal window: {larger} px"
        )
