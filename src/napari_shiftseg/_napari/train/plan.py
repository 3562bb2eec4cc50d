"""From the form to an order: the snapshot that a training works on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from napari_shiftseg._napari.train.checkpoint import checkpoint_of
from napari_shiftseg._napari.train.draft import without_weights
from napari_shiftseg._napari.train.job import Order
from napari_shiftseg._napari.train.output_section import SUFFIX
from napari_shiftseg._napari.train.sources import Source, source_of
from napari_shiftseg._napari.train.view import TrainView
from napari_shiftseg.errors import ShiftSegError
from napari_shiftseg.files import refuse_no_name
from napari_shiftseg.image.packs import pack_size
from napari_shiftseg.training.recipe import TrainingRecipe

LAYERS = "layers: "
"""What the name of data begins with that are in the viewer."""


@dataclass(frozen=True)
class Data:
    """What to learn from.

    Parameters
    ----------
    sources
        Layers; empty for a pack.
    title
        What a person calls it.
    """

    sources: tuple[Source, ...]
    title: str


class Plan:
    """Reads the form; raises ShiftSegError where it makes no sense.

    Parameters
    ----------
    view
        The form.
    """

    def __init__(self, view: TrainView) -> None:
        self._view = view

    def recipe(self) -> TrainingRecipe:
        """Return what the settings say."""
        settings = self._view.settings
        values = settings.values()
        try:
            return TrainingRecipe(**values, data=self._data_name())
        except ShiftSegError as error:
            raise ShiftSegError(settings.in_words(str(error))) from None

    def data(self, recipe: TrainingRecipe) -> Data:
        """Return what to learn from."""
        if self._view.data.kind.value == "pack":
            return self._pack(recipe)
        pairs = self._view.data.pairs
        if not pairs:
            raise ShiftSegError("choose an image layer and a labels layer with its objects")
        if len({str(image.unique_id) for image, _ in pairs}) < len(pairs):
            raise ShiftSegError(
                "two rows have the same image; it would be trained on and validated on: choose "
                "another image in one of them, or remove it"
            )
        if len({str(labels.unique_id) for _, labels in pairs}) < len(pairs):
            raise ShiftSegError(
                "two rows have the same labels, which are the objects of one image: choose those "
                "of the other image in one of them, or remove it"
            )
        model = without_weights(recipe)
        sources = tuple(source_of(image, labels, model) for image, labels in pairs)
        return Data(sources, ", ".join(source.name for source in sources))

    def output(self) -> Path:
        """Return the model file to write."""
        output = self._view.output.output.absolute()
        if output.suffix != SUFFIX:
            raise ShiftSegError(f"the model file is {str(output)!r}; its name must end in {SUFFIX}")
        refuse_no_name(checkpoint_of(output))  # the longer name
        if output.is_dir():
            raise ShiftSegError(f"the model file is {str(output)!r}, a folder; name a file")
        if not output.parent.is_dir():
            raise ShiftSegError(f"no such folder for the model file: {output.parent}")
        return output

    def order(self) -> tuple[Order, str]:
        """Take the snapshot of a training, and its title."""
        recipe = self.recipe()
        data = self.data(recipe)
        insists = self._view.settings.anyway.isChecked()
        if not recipe.windows.exceeds_period and not insists:
            raise ShiftSegError(f"{recipe.windows.sentence()} Tick 'Train anyway' to do it.")
        return Order(recipe, data.sources, checkpoint_of(self.output()), insists), data.title

    def _data_name(self) -> str:
        """Return what the model's card will say it was trained on."""
        data = self._view.data
        if data.kind.value == "pack":
            return data.pack.text().strip()
        return LAYERS + ", ".join(image.name for image, _ in data.pairs)

    def _pack(self, recipe: TrainingRecipe) -> Data:
        path = self._data_name()
        if not path:
            raise ShiftSegError("choose a data pack: a ZIP or a folder with images/ and masks/")
        title = f"discs {recipe.spacing} px apart" if recipe.is_synthetic else Path(path).name
        if not recipe.is_synthetic:
            pack_size(path)
        return Data((), title)
