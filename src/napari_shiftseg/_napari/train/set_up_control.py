"""Keeps the page "Set up" in step with what is typed and chosen: sentences, and what is offered."""

from __future__ import annotations

import dataclasses
import os

from qtpy.QtCore import QObject, Signal

from napari_shiftseg._napari.sentence import as_sentence
from napari_shiftseg._napari.train.checkpoint import checkpoint_of, summary_of
from napari_shiftseg._napari.train.model_name import proposed
from napari_shiftseg._napari.train.plan import LAYERS, Plan
from napari_shiftseg._napari.train.sources import sentence_of
from napari_shiftseg._napari.train.view import TrainView
from napari_shiftseg.embeddings.device import EMULATED, choose_device, emulates_bfloat16
from napari_shiftseg.errors import ShiftSegError
from napari_shiftseg.image.packs import pack_size
from napari_shiftseg.training.checkpoint import Summary
from napari_shiftseg.training.recipe import TrainingRecipe
from napari_shiftseg.wording import counted


class SetUpControl(QObject):
    """Says what the settings mean while they are given.

    Parameters
    ----------
    view
        The form.
    plan
        Reads the form.
    """

    output_said = Signal()

    def __init__(self, view: TrainView, plan: Plan, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._view, self._plan = view, plan
        self._proposed = ""
        view.data.changed.connect(self._on_data)
        view.settings.changed.connect(self.say_all)
        view.output.changed.connect(self.say_output)
        view.output.settings_requested.connect(self._take_settings)
        self._on_data()

    def _on_data(self) -> None:
        self._propose()
        self.say_all()

    def say_all(self) -> None:
        """Say what settings, data and model file mean as they are now."""
        settings = self._view.settings
        try:
            recipe = self._plan.recipe()
        except ShiftSegError as error:
            settings.say(as_sentence(error), warning=True)
            self._view.data.say("")  # what it says depends on the settings
            self.say_output()
            return
        windows = recipe.windows
        good = windows.exceeds_period
        slower = recipe.precision == "mixed" and emulates_bfloat16(choose_device())
        text = f"{windows.sentence()} {EMULATED}" if slower else windows.sentence()
        settings.say(text, warning=slower or not good, may_insist=not good)
        self._say_data(recipe)
        self.say_output()

    def _say_data(self, recipe: TrainingRecipe) -> None:
        try:
            sources = self._plan.data(recipe).sources
            text = sentence_of(sources) if sources else self._pack_sentence(recipe)
            doubt = next((source.doubt for source in sources if source.doubt), "")
        except ShiftSegError as error:
            data = self._view.data
            chosen = data.pack.text().strip() if data.kind.value == "pack" else data.pairs
            data.say(as_sentence(error), warning=bool(chosen))
            return
        self._view.data.say(f"{text} {doubt}" if doubt else text, warning=bool(doubt))

    def _pack_sentence(self, recipe: TrainingRecipe) -> str:
        if recipe.is_synthetic:
            return f"The paper's synthetic image, discs {recipe.spacing} px apart."
        return f"{counted(pack_size(self._view.data.pack.text().strip()), 'image')} with masks."

    def say_output(self) -> None:
        """Say what is there already, and offer to resume."""
        self._say_output()
        self.output_said.emit()

    def _say_output(self) -> None:
        output, run = self._view.output, self._view.run
        run.offer(None)
        try:
            path = self._plan.output()
        except ShiftSegError as error:
            output.say(as_sentence(error), warning=True)
            return
        kept = summary_of(checkpoint_of(path))
        run.offer(None if kept is None else kept.steps)
        if kept is not None:
            self._say_kept(kept)
        elif os.path.lexists(checkpoint_of(path)):
            output.say(
                f"{checkpoint_of(path).name}, where the training would be kept, is there and holds "
                "none; give another name, or remove it.",
                warning=True,
            )
        elif path.exists():
            output.say(f"{path.name} exists; an export will ask before it replaces it.")
        else:
            output.say("Nothing is there yet; Export model will write it.")

    def _say_kept(self, kept: Summary) -> None:
        begun = f"A training of {kept.steps} steps is kept beside it"
        try:
            recipe = self._plan.recipe()
        except ShiftSegError:  # said beside the settings
            self._view.output.say(f"{begun}.")
            return
        different = kept.differences(dataclasses.asdict(recipe))
        if kept.steps >= recipe.steps and not different:
            self._view.output.say(f"{begun}, with all its steps done; more Steps let it go on.")
            return
        text = f", with other settings: {'; '.join(different)}." if different else ""
        self._view.output.say(
            begun + (text or "; Resume goes on with it, on the same images and labels."),
            warning=bool(text),
            offers_settings=bool(text),
        )

    def _take_settings(self) -> None:
        """Set the form to the training that is kept beside the model file."""
        kept = summary_of(checkpoint_of(self._plan.output()))
        if kept is None:
            return
        self._view.settings.show_values(kept.settings)
        data = str(kept.settings.get("data", LAYERS))
        if data.startswith(LAYERS):
            self._view.data.kind.choose("layers")  # which of them is for the person to say
        else:
            self._view.data.show_pack(data)

    def _propose(self) -> None:
        """Propose a name until a person has given one."""
        line = self._view.output.path
        if line.text() != self._proposed:
            return
        pairs = self._view.data.pairs
        self._proposed = str(proposed(f"{pairs[0][0].name}-model" if pairs else "model"))
        line.setText(self._proposed)
        self.say_output()
