"""``shiftseg predict``: any network over an image, tiled exactly."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import numpy as np

from napari_shiftseg._version import __version__
from napari_shiftseg.cli.app import app
from napari_shiftseg.cli.console import (
    TEXT_ONLY,
    Axes,
    ChannelName,
    OutputFile,
    Reporting,
    note,
    progress_bar,
    warned_once,
)
from napari_shiftseg.cli.networks import (
    AS_NAMED,
    NetworkInput,
    NetworkName,
    frames_for,
    normalised,
)
from napari_shiftseg.embeddings.unet import UNet
from napari_shiftseg.errors import ShiftSegError
from napari_shiftseg.image.files import refuse_unwritable, write_image, write_labels
from napari_shiftseg.labels.channels import cluster_channels, refuse_channels
from napari_shiftseg.network_audit.audit import Audit
from napari_shiftseg.network_audit.audit import audit as audit_network
from napari_shiftseg.network_audit.foreign import is_shiftseg_model
from napari_shiftseg.network_audit.predict import (
    is_completed,
    plan_of,
    predict_exactly_events,
    provenance_of,
)
from napari_shiftseg.settings import Clustering
from napari_shiftseg.tiles.plan import TilePlan, by, make_plan
from napari_shiftseg.wording import counted


@app.command
def predict(
    network: NetworkName,
    image: Path,
    *,
    output: OutputFile,
    takes: NetworkInput = AS_NAMED,
    axes: Axes = None,
    channel: ChannelName = None,
    tile: int | None = None,
    freeze_statistics: bool = False,
    labels: Path | None = None,
    embedding: tuple[int, ...] = (),
    foreground_channel: int | None = None,
    logits: bool = False,
    bandwidth: float = Clustering.bandwidth,
    min_size: int = Clustering.min_size,
    ending: Reporting = TEXT_ONLY,
) -> None:
    """Run any network over an image from tiles that leave no seams, and write its output.

    Parameters
    ----------
    image
        TIFF, PNG, .npy or OME-Zarr to predict, with channels or without; of a stack each frame
        alone.
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
    bandwidth
        Mean-shift bandwidth.
    min_size
        Objects with fewer pixels are dropped.
    """
    ending.refuse_existing(output, labels, reads=[image, network])
    refuse_unwritable(output, labels)
    if labels is not None and is_shiftseg_model(network):
        raise ShiftSegError(f"{network} is clustered by shiftseg segment, which knows its channels")
    if labels is not None and not embedding:
        raise ShiftSegError("labels need to know which channels are the embedding: --embedding 0 1")
    settings = Clustering(bandwidth=bandwidth, min_size=min_size)
    clustering = embedding or foreground_channel is not None or logits or settings != Clustering()
    if labels is None and clustering:
        raise ShiftSegError(
            "--embedding and what else tells how to cluster it need a file of labels: add "
            "--labels FILE"
        )
    if logits and foreground_channel is None:
        raise ShiftSegError("--logits is of the foreground channel: add --foreground-channel")
    subject, foreign = takes.load(network)
    intensity = foreign.scaled(takes.intensity)
    frames, calibration = frames_for(image, subject, axes, channel)
    if "c" in calibration.axes:
        unsaid = foreign.in_channels is None and takes.channels is None
        raise ShiftSegError(
            f"{image} has several channels, the network takes {subject.in_channels}; choose one, "
            "as --channel 0"
            + (", or say how many it takes: --channels, as its file does not" if unsaid else "")
        )
    if isinstance(subject.module, UNet):  # its period is known without measuring
        make_plan(subject.module.architecture.geometry, frames.spatial, tile=tile)
    note("measuring the network ...")
    audit = audit_network(subject.module, ndim=subject.ndim, in_channels=subject.in_channels)
    if labels is not None:
        refuse_channels(audit.out_channels, embedding, foreground_channel)
    result = np.zeros((audit.out_channels, *frames.loops, *frames.spatial), np.float32)
    plan = plan_of(audit, frames.spatial, tile)
    completed = is_completed(subject.module, audit, frames.spatial)
    with warned_once(), progress_bar("predicting", len(plan) * len(frames)) as advance:
        for index in np.ndindex(*frames.loops):
            pixels = normalised(frames, index, intensity)
            for event in predict_exactly_events(
                subject.module, audit, pixels, tile=tile, freeze=freeze_statistics
            ):
                if isinstance(event, int):
                    advance(f"tile {event}")
                else:
                    result[(slice(None), *index)] = event
    provenance = provenance_of(subject.module, audit) | {
        "version": __version__,
        "tile": list(plan.tile_size),
        "axes": frames.axes,
        "intensity": asdict(intensity),
    }
    ending.refuse_existing(output, labels)  # others may have written them meanwhile
    write_image(output, result, axes=calibration.with_channels(), provenance=provenance)
    report = provenance | {"output": str(output)}
    text = f"{output}: {counted(len(result), 'channel')}. {_how(audit, plan, completed)}"
    if labels is not None:
        made = np.zeros(result.shape[1:], np.int64)
        for index in np.ndindex(*frames.loops):
            here = cluster_channels(
                result[(slice(None), *index)],
                embedding,
                foreground_channel,
                settings,
                logits=logits,
            )
            made[index] = np.where(here > 0, here + made.max(initial=0), 0)
        channels = {"embedding": list(embedding), "foreground_channel": foreground_channel}
        how = {"clustering": asdict(settings), "logits": logits} | channels
        write_labels(labels, made, axes=calibration, provenance=provenance | how)
        objects = int(made.max(initial=0))
        report |= how | {"labels": str(labels), "objects": objects}
        text += f"\n{labels}: {counted(objects, 'object')}"
    ending.report(report, text)


def _how(audit: Audit, plan: TilePlan, completed: bool) -> str:
    """Say what was done, and what it equals."""
    assert audit.halo is not None
    which = "the whole image" + (" completed at its end" if completed else "")
    whose = " by the network with its statistics frozen on the middle of it" if audit.parts else ""
    return (
        f"{counted(len(plan), 'tile')} of {by(plan.tile_size)} px, read with {by(audit.halo)} px "
        f"more on each side: they equal one pass over {which}{whose}."
    )
