"""The training loop: a generator of one event per step, resumable from its checkpoint."""

from __future__ import annotations

import math
import time
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor
from torch.optim.swa_utils import AveragedModel

from napari_shiftseg.embeddings.coordinates import coordinate_ramp
from napari_shiftseg.embeddings.device import choose_device, fast_layout, out_of_memory
from napari_shiftseg.embeddings.transfer import to_device
from napari_shiftseg.embeddings.unet import Architecture, UNet
from napari_shiftseg.errors import ShiftSegError, first_line
from napari_shiftseg.files import file_beside, refuse_closed
from napari_shiftseg.training.ahead import ahead
from napari_shiftseg.training.checkpoint import NO_CHECKPOINT
from napari_shiftseg.training.crops import Crops
from napari_shiftseg.training.loss import DiscriminativeLoss
from napari_shiftseg.training.widen import is_wider, widened
from napari_shiftseg.training.windows import Windows

Precision = Literal["float32", "mixed"]


@dataclass(frozen=True)
class Schedule:
    """Optimiser and its course.

    Parameters
    ----------
    steps
        Steps in all.
    batch
        Crops per step; the loss is the mean of theirs.
    precision
        ``"mixed"`` computes convolutions in bfloat16 and the loss in float32.
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
    batch: int = 1
    precision: Precision = "float32"
    learning_rate: float = 5e-4
    warmup: int = 200
    decay: float = 0.3
    weight_decay: float = 1e-4
    average: float = 0.999
    clip: float = 1.0
    stop_at_zero: bool = False

    def __post_init__(self) -> None:
        if self.steps < 1 or self.batch < 1:
            raise ShiftSegError(
                f"steps are {self.steps}, the batch {self.batch}; legal: at least 1"
            )
        if self.precision not in ("float32", "mixed"):
            raise ShiftSegError(f"precision is {self.precision!r}; legal: 'float32' or 'mixed'")

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
        Where the crops come from; their window is ``windows.crop``.
    windows
        The output windows of a crop, and where the loss ends.
    loss
        The loss on the embedding.
    schedule
        The optimiser's course.
    boundary_weight
        Extra weight of the foreground loss at the outlines of objects.
    start
        Network whose weights to begin with, of the same architecture or of one with fewer maps,
        see :func:`~napari_shiftseg.training.widen.is_wider`; by default they are random.
    seed
        Seeds the weights and every crop; step ``i`` sees the same crop in any run.
    checkpoint
        File to resume from and to write to; None to keep nothing.
    device
        As for :func:`napari_shiftseg.embeddings.device.choose_device`.
    allow_small_window
        Train although the output window does not exceed the period.

    Raises
    ------
    ShiftSegError
        If the output window is <= period on an axis and that is not allowed, or the
        checkpoint is of another training.
    """

    def __init__(
        self,
        architecture: Architecture,
        crops: Crops,
        windows: Windows,
        loss: DiscriminativeLoss,
        schedule: Schedule,
        *,
        boundary_weight: float = 0.0,
        start: UNet | None = None,
        seed: int = 0,
        checkpoint: Path | None = None,
        device: str | None = None,
        allow_small_window: bool = False,
    ) -> None:
        if not windows.exceeds_period and not allow_small_window:
            raise ShiftSegError(windows.sentence())
        self.device = choose_device(device)
        self._saved: int | None = None
        torch.manual_seed(seed)
        with self._enough_memory():
            network = UNet(architecture) if start is None else _begun_with(start, architecture)
            self.network = fast_layout(network.to(self.device))
            average = partial(_average, schedule.average)
            self.average = AveragedModel(self.network, multi_avg_fn=average)
        self.optimiser = torch.optim.AdamW(
            self.network.parameters(), lr=schedule.learning_rate, weight_decay=schedule.weight_decay
        )
        self.crops, self.windows, self.loss, self.schedule = crops, windows, loss, schedule
        self.boundary_weight = boundary_weight
        self.seed, self.checkpoint = seed, checkpoint
        refuse_closed(checkpoint)
        self.step, self.seconds = 0, 0.0
        self.kept: dict[str, Any] = {}
        self._in_step = False
        self._groups = windows.groups(self.device)
        if checkpoint is not None and checkpoint.exists():
            self._restore(checkpoint)

    @property
    def trained(self) -> UNet:
        """The network to export: the averaged weights, or the last ones without average."""
        averaged: UNet = self.average.module  # type: ignore[assignment]
        return averaged if self.schedule.average else self.network

    def run(self, *, save_every: int = 500) -> Generator[StepDone]:
        """Train on until the last step; yield after each. Closing it saves the checkpoint.

        What is kept beside a step is saved with it, so saving waits until the step was heard of.

        Raises
        ------
        ShiftSegError
            If a loss or its gradient is not finite; the last checkpoint stays as it is.
        """
        steps = range(0) if self.ended else range(self.step, self.schedule.steps)
        batches = ahead(self._draw, steps)
        try:
            with closing(batches), self._enough_memory():
                yield from self._steps(batches, save_every)
        finally:
            if self.step and not self._in_step:
                self.save()

    def _steps(
        self, batches: Iterator[tuple[Tensor, Tensor]], save_every: int
    ) -> Iterator[StepDone]:
        started = time.perf_counter()
        for image, labels in batches:
            self._in_step = True  # weights that are half updated must never be saved
            losses = self._one_step(to_device(image, self.device), to_device(labels, self.device))
            self.step += 1
            self._in_step = False
            self.seconds += time.perf_counter() - started
            if sum(losses.values()) == 0:
                self.kept["zero_at"] = self.step
            yield StepDone(self.step, losses, self.seconds)
            if self.step % save_every == 0:
                self.save()
            if self.ended:
                return
            started = time.perf_counter()

    @property
    def ended(self) -> bool:
        """Whether all steps are done, or the last one reached the loss that is to be the end."""
        at_zero = self.schedule.stop_at_zero and self.kept.get("zero_at") == self.step > 0
        return self.step >= self.schedule.steps or at_zero

    def save(self) -> None:
        """Write the checkpoint in one step, if there is one to write."""
        if self.checkpoint is None:
            return
        state = {
            "network": self.network.state_dict(),
            "average": self.average.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "progress": torch.tensor([self.step, self.seconds], dtype=torch.float64),
            "kept": self.kept,
        }
        with file_beside(self.checkpoint) as partial, partial.open("wb") as file:
            torch.save(state, file)
        self._saved = self.step

    def _restore(self, path: Path) -> None:
        state = _loaded(path, self.device)
        try:
            self.network.load_state_dict(state["network"])
            self.average.load_state_dict(state["average"])
            self.optimiser.load_state_dict(state["optimiser"])
            self.kept = dict(state["kept"])
        except (RuntimeError, KeyError, TypeError, ValueError) as error:
            reason = str(error).partition("\n")[0]
            raise ShiftSegError(f"{path} is no checkpoint of this training: {reason}") from None
        self.step, self.seconds = int(state["progress"][0]), float(state["progress"][1])
        self._saved = self.step

    def _draw(self, step: int) -> tuple[Tensor, Tensor]:
        """Draw the crops of a step: ``(B, C, *crop + context)`` and ``(B, *span)``."""
        rng = np.random.default_rng((self.seed, step))
        drawn = [self.crops.sample(rng) for _ in range(self.schedule.batch)]
        span = tuple(slice(0, size) for size in self.windows.span)
        return torch.cat([i for i, _ in drawn]), torch.stack([labels[span] for _, labels in drawn])

    def _one_step(self, image: Tensor, labels: Tensor) -> dict[str, float]:
        for group in self.optimiser.param_groups:
            group["lr"] = self.schedule.rate(self.step)
        with torch.autocast(
            self.device.type, torch.bfloat16, enabled=self.schedule.precision == "mixed"
        ):
            outputs = self.windows.predict(self.network, fast_layout(image))
        each = [self._terms(o.float(), truth) for o, truth in zip(outputs, labels, strict=True)]
        terms = {name: torch.stack([t[name] for t in each]).mean() for name in each[0]}
        self.optimiser.zero_grad(set_to_none=True)
        torch.stack(list(terms.values())).sum().backward()  # type: ignore[no-untyped-call]
        limit = self.schedule.clip or math.inf
        norm = torch.nn.utils.clip_grad_norm_(self.network.parameters(), limit)
        losses = {name: float(term.detach()) for name, term in terms.items()}
        if not all(map(math.isfinite, [*losses.values(), float(norm)])):
            raise ShiftSegError(self._diverged(losses, bool(image.isfinite().all())))
        self.optimiser.step()
        self.average.update_parameters(self.network)
        return losses

    def _diverged(self, losses: dict[str, float], image_is_finite: bool) -> str:
        """Say what happened, what to try, and from where to go on."""
        terms = ", ".join(f"{name} {value:.3g}" for name, value in losses.items())
        tried = f"a learning rate below {self.schedule.learning_rate:g}"
        if not image_is_finite:
            tried = "images without infinite pixels or NaN"
        return (
            f"the loss or its gradient is not finite at step {self.step + 1} ({terms}), so the "
            f"training has ended; try {tried}; {self._what_is_kept()}"
        )

    @contextmanager
    def _enough_memory(self) -> Iterator[None]:
        try:
            yield
        except (RuntimeError, MemoryError) as error:
            if not out_of_memory(error):
                raise
            raise ShiftSegError(
                f"there is not enough memory for a step of this training ({first_line(error)}); "
                f"try a smaller window, batch or number of maps; {self._what_is_kept()}"
            ) from None

    def _what_is_kept(self) -> str:
        if self._saved is None:
            return "nothing was saved before it"
        return f"the checkpoint of step {self._saved} is kept, and can be resumed"

    def _terms(self, output: Tensor, labels: Tensor) -> dict[str, Tensor]:
        """Weighted loss terms of one crop."""
        architecture = self.network.architecture
        embedding = output[: architecture.embedding_dims]
        if architecture.coordinate_dims:
            ramp = coordinate_ramp(tuple(slice(0, n) for n in labels.shape), architecture)
            embedding = embedding + ramp.to(embedding)
        terms = self.loss(embedding, labels, self._groups)
        if architecture.foreground:
            terms["foreground"] = self._foreground(output[-1], labels)
        return terms

    def _foreground(self, logits: Tensor, labels: Tensor) -> Tensor:
        known = labels >= 0
        if not bool(known.any()):
            return logits.sum() * 0
        weight = 1 + self.boundary_weight * near_outlines(labels)[known]
        truth = (labels[known] > 0).to(logits.dtype)
        return F.binary_cross_entropy_with_logits(logits[known], truth, weight / weight.mean())


def near_outlines(labels: Tensor, *, reach: int = 2) -> Tensor:
    """Mark the pixels within ``reach`` of a change of label: ``(*spatial)`` of 0 and 1."""
    pool = {1: F.max_pool1d, 2: F.max_pool2d, 3: F.max_pool3d}[labels.ndim]
    values = labels[None, None].double()
    size = 2 * reach + 1
    highest = pool(values, size, stride=1, padding=reach)
    lowest = -pool(-values, size, stride=1, padding=reach)
    return (highest != lowest)[0, 0].float()


def _begun_with(start: UNet, architecture: Architecture) -> UNet:
    if is_wider(architecture, start.architecture):
        return widened(start, architecture)
    if start.architecture != architecture:
        raise ShiftSegError("the model to start from has another architecture")
    network = UNet(architecture)
    network.load_state_dict(start.state_dict())
    return network


def _average(
    most: float, averaged: list[Tensor], current: list[Tensor], updates: Tensor | int
) -> None:
    """Average weights over steps: at first over a tenth of them, or the start would stay in."""
    done = float(updates)
    decay = min(most, (1 + done) / (10 + done))
    with torch.no_grad():
        torch._foreach_lerp_(averaged, current, 1 - decay)


def _loaded(path: Path, device: torch.device) -> dict[str, Any]:
    """Read a checkpoint; raises ShiftSegError if it is none."""
    try:
        return dict(torch.load(path, map_location=device, weights_only=True))
    except NO_CHECKPOINT:
        raise ShiftSegError(f"{path} is no checkpoint of this training") from None
    except RuntimeError as error:  # as of a device without memory
        raise ShiftSegError(
            f"{path} is no checkpoint of this training: {first_line(error)}"
        ) from None
