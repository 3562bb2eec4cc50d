"""File ▸ Open Sample ▸ ShiftSeg. Loads neither torch nor Qt."""

from __future__ import annotations

from typing import Any

from napari_shiftseg.samples import load_sample

LayerData = tuple[Any, dict[str, Any], str]


def nuclei() -> list[LayerData]:
    """Return a field of fluorescent nuclei and its ground truth."""
    return _layers("nuclei", model="nuclei-2d")


def discs() -> list[LayerData]:
    """Return the paper's discs at spacing 13 and their ground truth."""
    return _layers("discs", model="discs-l4")


def _layers(name: str, *, model: str) -> list[LayerData]:
    sample = load_sample(name)
    title = name.capitalize()
    image = {
        "name": title,
        "metadata": {"shiftseg": {"suits": model}},
        "contrast_limits": (int(sample.image.min()), int(sample.image.max())),
    }
    # Hidden, or it would cover the image that a person opens the sample to see.
    truth = {
        "name": f"{title}: ground truth",
        "metadata": {"shiftseg": {"truth_of": title}},
        "visible": False,
    }
    return [(sample.image, image, "image"), (sample.truth, truth, "labels")]
