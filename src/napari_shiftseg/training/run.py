"""A training run for people: validation, the best weights kept, a model at any time."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Generator, Sequence
from contextlib import closing, nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from napari_shiftseg.embeddings.device import EMULATED, choose_device, emulates_bfloat16
from napari_shiftseg.embeddings.model import Model
from napari_shiftseg.embeddings.model_file import save_model
from napari_shiftseg.errors import ShiftSegError, ShiftSegWarning
from napari_shiftseg.evaluation import evaluate_events
from napari_shiftseg.files import alone
from napari_shiftseg.image.array import hash_of
from napari_shiftseg.image.packs import Pair
from napari_shiftseg.seams.matching import MatchCounts
from napari_shiftseg.training.checkpoint import refuse_other_settings
from napari_shiftseg.training.fit import StepDone, Trainer
from napari_shiftseg.training.kept import KeptTraining
from napari_shiftseg.training.recipe import TrainingRecipe, known_labels
from napari_shiftseg.training.truth import has_objects, refuse_no_truth, warn_of_seen
from napari_shiftseg.wording import counted

MOST_VALIDATED = 16
"""Images of a validation at most."""

_REPORTS = 400

_ALONE = (
    "zero padding, and each window is trained alone: neighbours across its border are never "
    "trained together, and no stitching mends that (Sec. 3.2); a mosaic "
    "of 2 windows per axis whose loss spans their borders (across) trains them together"
)


@dataclass(frozen=True)
class Validating:
    """A validation between two of its images, where it can be stopped.

    Parameters
    ----------
    step
        Number of steps done so far.
    images
        How many images it has seen.
    total
        How many there are.
    """

    step: int
    images: int
    total: int


@dataclass(frozen=True)
class Validated:
    """Scores of the current weights on the images that are not trained on.

    Parameters
    ----------
    step
        Number of steps done so far.
    ap
        AP at IoU 0.5, pooled over the images.
    false_splits, false_merges
        Numbers of objects.
    objects, true_objects
        Numbers of objects.
    best
        Whether no earlier validation of this run had a higher AP.
    """

    step: int
    ap: float
    false_splits: int
    false_merges: int
    objects: int
    true_objects: int
    best: bool


@dataclass(frozen=True)
class Losses:
    """Mean loss terms of some steps: a point of the run's curves.

    Parameters
    ----------
    step
        Number of steps done after them.
    terms
        Weighted mean loss by term.
    """

    step: int
    terms: dict[str, float]


Event = StepDone | Validating | Validated
"""What a run says of itself while it goes on."""


class TrainingRun:
    """A recipe in training.

    Parameters
    ----------
    recipe
        What to train, and how.
    pairs
        Images with ground truth, as ``(image, labels)`` or :class:`.packs.Pair`; by default the
        recipe's own data.
    checkpoint
        File to resume from and to write to; None to keep nothing.
    device
        As for :func:`napari_shiftseg.embeddings.device.choose_device`.
    allow_small_window
        Train although the output window does not exceed the period.
    command
        What a person typed to train, for the card.

    Raises
    ------
    ShiftSegError
        If data, architecture and windows do not fit each other, or the checkpoint is of a
        training with other settings; steps, learning rate and how often it validates may
        change.

    Warns
    -----
    ShiftSegWarning
        If mixed precision is slower on the device, the masks look as if all objects had one
        label, or a network with zero padding is trained in single windows.

    References
    ----------
    Rumberger et al., ICCV 2021, Sec. 3.2.
    """

    def __init__(
        self,
        recipe: TrainingRecipe,
        pairs: Sequence[Pair | tuple[Any, Any]] | None = None,
        *,
        checkpoint: Path | None = None,
        device: str | None = None,
        allow_small_window: bool = False,
        command: str = "",
    ) -> None:
        self.recipe, self.device, self.command = recipe, device, command
        self._settings = asdict(recipe)
        if recipe.precision == "mixed" and emulates_bfloat16(choose_device(device)):
            warnings.warn(EMULATED, ShiftSegWarning, stacklevel=2)
        if checkpoint is not None:  # asked first: to read the images may take a while
            refuse_other_settings(self._settings, checkpoint)
        every = recipe.pairs() if pairs is None else _named(pairs)
        refuse_no_truth(every, recipe.background_label)
        trained, self.validated_on = held_out(every, recipe)
        if recipe.validation is not None:
            try:
                refuse_no_truth(self.validated_on, recipe.background_label)
            except ShiftSegError as error:
                raise ShiftSegError(f"{recipe.validation}: {error}") from None
            warn_of_seen(trained, self.validated_on)
        self.trained_on = len(trained)
        for pair in self.validated_on:  # to find out now what the first validation would
            recipe.channels_first(pair)
        if recipe.padding == "same" and not (recipe.across and recipe.mosaic > 1):
            warnings.warn(_ALONE, ShiftSegWarning, stacklevel=2)
        self.trainer: Trainer = recipe.trainer(
            trained, checkpoint=checkpoint, device=device, allow_small_window=allow_small_window
        )
        own = {"content": _hash(every)}
        if recipe.validation is not None:
            own["validation"] = _hash(self.validated_on)
        if any(self.trainer.kept.get(name, value) != value for name, value in own.items()):
            assert checkpoint is not None
            raise ShiftSegError(
                f"{checkpoint.name} holds a training on other images or labels: what was measured "
                "on those would be compared with these; give it the former ones, or begin another "
                "training under another name, which may start from the model of this one"
            )
        self.trainer.kept = {"recipe": self._settings, **self.trainer.kept, **own}

    @property
    def parts(self) -> str:
        """How many images are trained on, and how many are held out, in words."""
        held = f", {len(self.validated_on)} held out" if self.validated_on else ""
        return f"training on {counted(self.trained_on, 'image')}{held}"

    @property
    def losses(self) -> list[Losses]:
        """The course of the loss so far, earlier sittings included."""
        return [Losses(**values) for values in self.trainer.kept.get("losses", [])]

    @property
    def recent(self) -> list[dict[str, float]]:
        """Loss terms of each step since the last point of the course."""
        return [dict(terms) for terms in self.trainer.kept.get("recent", [])]

    @property
    def finished(self) -> bool:
        """Whether nothing is left to train or to validate."""
        again = self._other_bandwidth and bool(self.validations)
        return self.trainer.ended and not self._validates_now() and not again

    @property
    def validations(self) -> list[Validated]:
        """All validations so far, earlier sittings included."""
        return [Validated(**values) for values in self.trainer.kept.get("validations", [])]

    @property
    def best(self) -> Validated | None:
        """The validation whose weights are exported."""
        return next((done for done in reversed(self.validations) if done.best), None)

    def events(self) -> Generator[Event]:
        """Train on until the last step; closing it stops, and saves what there is.

        Raises
        ------
        ShiftSegError
            If a loss is not finite, or another process writes the checkpoint.
        """
        file = self.trainer.checkpoint
        with alone(file) if file else nullcontext(), closing(self.trainer.run()) as steps:
            if self._other_bandwidth:
                yield from self._validate_again()
            if self._validates_now():  # it was cut off when the run ended last
                yield from self._validate()
            for done in steps:
                self._report(done)
                yield done
                if self._validates_now():
                    self.trainer.save()  # it may be killed, validations take their time
                    yield from self._validate()

    def model(self, name: str = "training", **description: Any) -> Model:
        """Return the network as it is now; training on does not change it.

        Parameters
        ----------
        name
            Short name.
        description
            ``command``, ``summary`` and ``licence``, for the model's header.
        """
        now = self._now()
        return now.model(now.weights, name, **description)

    def best_model(self, name: str, **description: Any) -> Model:
        """Return the network with the weights of the best validation, else of the last step."""
        return self._now().best_model(name, **description)

    def export(self, path: Path, *, half: bool = False, **description: Any) -> Model:
        """Write the best weights as a model file, replacing an existing one.

        Parameters
        ----------
        path
            A name that ends in ``.safetensors``.
        half
            Store the weights as float16.
        description
            ``name``, ``command``, ``summary`` and ``licence``, for the model's header.
        """
        model = self.best_model(**({"name": path.stem} | description))
        save_model(path, model.network, model.description, half=half)
        return model

    def _now(self) -> KeptTraining:
        trainer = self.trainer
        return KeptTraining(
            self.recipe, trainer.step, trainer.seconds, trainer.kept, trainer.trained.state_dict()
        )

    def _report(self, done: StepDone) -> None:
        self._keep_settings(done.step)
        recent = self.trainer.kept.setdefault("recent", [])
        recent.append(done.losses)
        if ends_report(done.step, self.recipe.steps):
            self._keep("losses", Losses(done.step, mean_terms(recent)))
            recent.clear()

    def _keep_settings(self, step: int) -> None:
        """Keep with which settings, and by which command, the steps were trained."""
        kept, settings = self.trainer.kept, self._settings
        former = kept["recipe"]
        changed = {n: value for n, value in former.items() if settings.get(n, value) != value}
        if changed:
            kept.setdefault("changes", []).append({"before_step": step, **changed})
        kept |= {"recipe": settings, "command": self.command or kept.get("command", "")}

    def _validates_now(self) -> bool:
        step, every = self.trainer.step, self.recipe.validate_every
        if not self.validated_on or step == 0 or (step % every and not self.trainer.ended):
            return False
        return all(done["step"] < step for done in self.trainer.kept.get("validations", [])[-1:])

    @property
    def _other_bandwidth(self) -> bool:
        """Whether what was validated was clustered otherwise than it is now."""
        former: float = self.trainer.kept["recipe"].get("bandwidth", self.recipe.bandwidth)
        return former != self.recipe.bandwidth

    def _validate_again(self) -> Generator[Validating | Validated]:
        """Score the best weights as they are clustered now; other scores do not compare."""
        if self.best is not None:
            yield from self._validate(self.trainer.kept["best"], self.best.step)
            self.trainer.kept["validations"] = self.trainer.kept["validations"][-1:]
        self._keep_settings(self.trainer.step)
        self.trainer.save()

    def _validate(
        self, weights: dict[str, Tensor] | None = None, step: int | None = None
    ) -> Generator[Validating | Validated]:
        """Score the network as it is now, or the best weights of an earlier step again."""
        again, step = weights is not None, step or self.trainer.step
        background = self.recipe.background_label
        pairs = [
            (self.recipe.scaled(pair), known_labels(pair.mask, background))
            for pair in self.validated_on
        ]
        model = self._now().model(weights or self.trainer.trained.state_dict(), "training")
        yield Validating(step, 0, len(pairs))
        for scores in evaluate_events(model.of_scaled, pairs, device=self.device):
            if scores.images < len(pairs):
                yield Validating(step, scores.images, len(pairs))
        yield self._validated(scores.counts, step, again)

    def _validated(self, scores: MatchCounts, step: int, again: bool) -> Validated:
        ap = scores.average_precision(0.5)
        best = again or self.best is None or ap >= self.best.ap
        done = Validated(
            step,
            ap,
            scores.false_splits,
            scores.false_merges,
            scores.predicted_objects,
            scores.truth_objects,
            best,
        )
        self._keep("validations", done)
        if best and not again:
            self.trainer.kept["best"] = copy.deepcopy(self.trainer.trained.state_dict())
        return done

    def _keep(self, kind: str, event: Losses | Validated) -> None:
        self.trainer.kept.setdefault(kind, []).append(asdict(event))


def _named(pairs: Sequence[Pair | tuple[Any, Any]]) -> list[Pair]:
    """Give numbers to the pairs that have no name."""
    if not pairs:
        raise ShiftSegError("there are no images to train on")
    return [
        pair
        if isinstance(pair, Pair)
        else Pair(str(number), np.asarray(pair[0]), np.asarray(pair[1]))
        for number, pair in enumerate(pairs)
    ]


def held_out(pairs: list[Pair], recipe: TrainingRecipe) -> tuple[list[Pair], list[Pair]]:
    """Divide the images into those to train on and those to validate on.

    The paper's discs are not divided: they are one image. Of real images at least one is
    held out where there are two. Among those of either part is one with objects, or nothing is
    held out: an average precision without any says nothing.
    """
    if recipe.validation is not None:
        return pairs, recipe.pairs_of(recipe.validation, MOST_VALIDATED)
    if recipe.is_synthetic or recipe.hold_out == 0 or len(pairs) < 2:
        return pairs, []
    wanted = max(1, round(recipe.hold_out * len(pairs)))
    count = min(MOST_VALIDATED, len(pairs) - 1, wanted)
    with_objects = [has_objects(pair.mask, recipe.background_label) for pair in pairs]
    if sum(with_objects) < 2:
        return pairs, []
    order = np.random.default_rng(recipe.seed).permutation(len(pairs)).tolist()
    held = _with_one_of_each(order[:count], order[count:], with_objects)
    return (
        [pair for index, pair in enumerate(pairs) if index not in held],
        [pair for index, pair in enumerate(pairs) if index in held],
    )


def _with_one_of_each(held: list[int], kept: list[int], with_objects: list[bool]) -> set[int]:
    """Exchange one of those held out, if the objects are all in one part."""
    for lacking, other in ((held, kept), (kept, held)):
        if not any(with_objects[index] for index in lacking):
            found = next(place for place, index in enumerate(other) if with_objects[index])
            lacking[-1], other[found] = other[found], lacking[-1]
    return set(held)


def ends_report(step: int, steps: int) -> bool:
    """Whether a point of the curves ends with this step: a few hundred, however many steps."""
    return step % max(1, steps // _REPORTS) == 0 or step == steps


def mean_terms(rows: list[dict[str, float]]) -> dict[str, float]:
    """Return the mean of each loss term."""
    return {name: float(np.mean([row[name] for row in rows])) for name in rows[0]}


def _hash(pairs: Sequence[Pair]) -> str:
    return hash_of(array for pair in pairs for array in (pair.image, pair.mask))
