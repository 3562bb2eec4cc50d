"""``shiftseg predict``: any network over an image, tiled exactly."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import numpy as np
from cyclopts import Parameter

from napari_shiftseg.cli.app import app
from napari_shiftseg.cli.console import (
    TEXT_ONLY,
    Bandwidth,
    MinSize,
    OutputFile,
    Reporting,
    note,
    progress_bar,
)
from napari_shiftseg.cli.networks import AS_NAMED, NetworkInput, NetworkName, normalised
from napari_shiftseg.embeddings.model import bundled_models
from napari_shiftseg.errors import ShiftSegError
from napari_shiftseg.image.files import refuse_unwritable, write_image, write_labels
from napari_shiftseg.labels.channels import cluster_channels
from napari_shiftseg.network_audit.audit import audit as audit_network
from napari_shiftseg.network_audit.predict import predict_exactly, provenance_of, tiles_of
from napari_shiftseg.settings import Clustering


@app.command
def predict(
    network: NetworkName,
    image: Path,
    *,
    output: OutputFile,
    takes: NetworkInput = AS_NAMED,
    tile: int | None = None,
    freeze_statistics: bool = False,
    labels: Path | None = None,
    embedding: Annotated[tuple[int, ...], Parameter(consume_multiple=True)] = (),
    foreground_channel: int | None = None,
    logits: bool = False,
    bandwidth: Bandwidth = None,
    min_size: MinSize = None,
    ending: Reporting = TEXT_ONLY,
) -> None:
    """Run any network over an image from tiles that leave no seams, and write its output.

    Parameters
    ----------
    image
        TIFF, PNG or OME-Zarr to predict; one image, with channels or without.
    output
        Image to write, .tif or .ome.zarr, channels first.
    tile
        Output tile size in pixels, a multiple of the network's period.
    freeze_statistics
        Freeze normalisations that take statistics from the tile on the middle of the image.
    labels
        Also cluster the output and write labels to this .tif or .ome.zarr.
    embedding
        Output channels, from 0, that are the embedding to cluster.
    foreground_channel
        Output channel that tells foreground; without it the largest cluster is background.
    logits
        The foreground channel holds logits, not probabilities.
    """
    ending.refuse_existing(output, labels, reads=[image, network])
    refuse_unwritable(output, labels)
    if labels is not None and not embedding:
        ours = network in bundled_models() or Path(network).suffix == ".safetensors"
        raise ShiftSegError(
            f"{network} is clustered by shiftseg segment, which knows its channels"
            if ours
            else "labels need to know which channels are the embedding: --embedding 0 1"
        )
    subject, intensity = takes.load(network)
    pixels, calibration = normalised(image, subject, intensity)
    note("measuring the network ...")
    audit = audit_network(subject.module, ndim=subject.ndim, in_channels=subject.in_channels)
    events = predict_exactly(subject.module, audit, pixels, tile=tile, freeze=freeze_statistics)
    result = _follow(events, tiles_of(audit, pixels.shape[1:], tile) if audit.tileable else 1)
    provenance = provenance_of(subject.module, audit)
    write_image(output, result, axes=calibration.with_channels(), provenance=provenance)
    text = f"{output}: {len(result)} channels. {audit.verdict}"
    if labels is not None:
        settings = Clustering().replaced(bandwidth=bandwidth, min_size=min_size)
        made = cluster_channels(result, embedding, foreground_channel, settings, logits=logits)
        write_labels(labels, made, axes=calibration, provenance=provenance)
        text += f"\n{labels}: {int(made.max(initial=0))} objects"
    ending.report(provenance | {"output": str(output)}, text)


def _follow(events: Any, total: int) -> np.ndarray:
    with progress_bar("predicting", total) as advance:
        for event in events:
            if isinstance(event, int):
                advance(f"tile {event}")
    assert isinstance(event, np.ndarray)
    return event
