"""File ▸ Open Sample ▸ ShiftSeg. Loads neither torch nor Qt."""

from __future__ import annotations

from typing import Any

from napari_shiftseg._napari.tags import tag
from napari_shiftseg.samples import Sample, load_sample

LayerData = tuple[Any, dict[str, Any], str]


def nuclei() -> list[LayerData]:
    """Return a field of fluorescent nuclei and its ground truth."""
    return sample_layers(load_sample("nuclei"))


def nuclei_3d() -> list[LayerData]:
    """Return the nuclei of a mouse embryo in 3-D and their ground truth."""
    return sample_layers(load_sample("nuclei-3d"))


def discs() -> list[LayerData]:
    """Return the paper's discs at spacing 13 and their ground truth."""
    return sample_layers(load_sample("discs"))


def discs_15() -> list[LayerData]:
    """Return the paper's discs at spacing 15 and their ground truth."""
    return sample_layers(load_sample("discs-15"))


def discs_16() -> list[LayerData]:
    """Return the paper's discs at spacing 16 and their ground truth."""
    return sample_layers(load_sample("discs-16"))


def discs_noise() -> list[LayerData]:
    """Return the paper's discs at spacing 13 with noise, and their ground truth."""
    return sample_layers(load_sample("discs-13-noise"))


def sample_layers(sample: Sample) -> list[LayerData]:
    """Return a sample's image and, hidden, its ground truth."""
    calibration = sample.calibration
    place = {
        "scale": calibration.scale,
        "units": calibration.units,
        "axis_labels": tuple(calibration.axes),
    }
    suited = {} if sample.suits is None else {"suits": sample.suits}
    image = {
        "name": sample.title,
        "metadata": tag(sample=sample.title, **suited),
        "contrast_limits": (float(sample.image.min()), float(sample.image.max())),
    }
    # Hidden, or it would cover the image that a person opens the sample to see.
    truth = {
        "name": f"{sample.title}: ground truth",
        "metadata": tag(truth_of=sample.title),
        "visible": False,
    }
    return [(sample.image, image | place, "image"), (sample.truth, truth | place, "labels")]
