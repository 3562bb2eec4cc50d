"""The map: image → tiles → embeddings → labels → seams, as one generator of events."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_shiftseg._version import __version__
from napari_shiftseg.embeddings.budget import memory_size, tile_within, without_waste
from napari_shiftseg.embeddings.cost import cost_of
from napari_shiftseg.embeddings.device import choose_device
from napari_shiftseg.embeddings.model import Model, load_model
from napari_shiftseg.embeddings.predict import Prediction, Stitcher, TileDone, predict_tiles
from napari_shiftseg.errors import ShiftSegError
from napari_shiftseg.image.axes import Frames
from napari_shiftseg.image.calibration import Calibration
from napari_shiftseg.image.intensity import Scaling
from napari_shiftseg.labels.cluster import cluster
from napari_shiftseg.settings import DEFAULT_MODEL, Clustering, StitchMode, refuse_no_clustering
from napari_shiftseg.tiles.geometry import Size
from napari_shiftseg.tiles.plan import TilePlan, corrected_tile, make_plan
from napari_shiftseg.tiles.tile import Region

_MOST_OBJECTS = 2**31 - 1
"""What int32 has labels for."""


@dataclass(frozen=True, eq=False)
class Segmentation:
    """The result of one run.

    Of a stack with loop axes (time points, channels, slices of a 2-D network) every frame
    is segmented alone, and no two frames share a label.

    Parameters
    ----------
    labels
        ``(*loops, *spatial)`` int32; 0 is background.
    prediction
        Embedding and foreground.
    plan
        How each frame was tiled.
    clustering
        The settings that were used.
    model
        The model that was used.

    References
    ----------
    Rumberger et al., ICCV 2021, Sec. 3.
    """

    labels: NDArray[np.int32]
    prediction: Prediction
    plan: TilePlan
    clustering: Clustering
    model: Model

    @property
    def objects(self) -> int:
        """Number of objects."""
        return int(self.labels.max(initial=0))

    @property
    def provenance(self) -> dict[str, Any]:
        """All that is needed to make the labels again."""
        return provenance_of(self.model, self.plan, self.clustering)


def provenance_of(model: Model, plan: TilePlan, clustering: Clustering) -> dict[str, Any]:
    """Return all that is needed to make labels again."""
    return {
        "version": __version__,
        "model": model.description.name,
        "model_sha256": model.sha256,
        "precision": model.precision,
        **({"compiled": True} if model.compiled else {}),
        "stitch": plan.mode,
        "tile": list(plan.tile_size),
        "period": list(plan.geometry.period),
        "context": list(plan.geometry.context),
        "origin": [0] * plan.geometry.ndim,
        "region": [[part.start, part.stop] for part in plan.region],
        "clustering": asdict(clustering),
    }


def plan_for(
    model: Model,
    image_size: Size,
    stitch: StitchMode = "corrected",
    tile: int | Size | None = None,
    region: Region | None = None,
) -> TilePlan:
    """Plan a run; without a tile size, naive tiles are those of the model's training.

    Corrected tiles are then the largest multiple of the period in that window, or larger: they
    may be of any size, and small ones would mostly compute their margins.
    """
    window = model.description.training_window
    if tile is None and window:
        tile = window
        if stitch == "corrected":
            tile = without_waste(
                model.description.architecture, corrected_tile(model.geometry, window)
            )
    return make_plan(model.geometry, image_size, stitch, tile=tile, region=region)


def tile_for_memory(
    frames: Frames, model: Model, memory: int, region: Region | None = None, *, count: int
) -> Size:
    """Return the fastest corrected tile whose run takes at most so many bytes.

    Parameters
    ----------
    frames, model
        What is segmented.
    memory
        Bytes.
    region
        The part that is wanted, None for all.
    count
        How many frames are.

    Raises
    ------
    ShiftSegError
        If the result alone takes more: then :func:`segment_file` goes block by block.
    """
    architecture = model.description.architecture
    one_period = plan_for(model, frames.spatial, "corrected", model.geometry.period, region)
    kept = cost_of(architecture, one_period, count).result_bytes
    return tile_within(architecture, one_period.result_size, memory, resident_bytes=kept)


def calibration_of_labels(
    frames: Frames, spatial: str, image: Calibration | None = None
) -> Calibration:
    """Return axes and voxel size of labels of an image, of whose axes a network sees some."""
    kept = frames.layout.kept
    # Loops of a stack whose axes are unknown are frames in time.
    letters = "tpqruvw"[: len(kept) - len(spatial)] + spatial
    if frames.axes is not None:
        letters = "".join(frames.axes[axis] for axis in kept)
    return Calibration.of(letters) if image is None else replace(image.picked(kept), axes=letters)


def scalings_of(
    frames: Frames, model: Model, indices: Iterable[tuple[int, ...]]
) -> Iterator[Scaling]:
    """Yield the intensity scaling of each frame; frames that share one are measured once."""
    measured: dict[tuple[int, ...], Scaling] = {}
    for index in indices:
        key, pixels = frames.alike(index)
        if key not in measured:
            measured[key] = model.description.intensity.measure(pixels)
        yield measured[key]


def predict_events(
    frames: Frames,
    model: Model,
    plan: TilePlan,
    *,
    frame: tuple[int, ...] | None = None,
    device: str | None = None,
) -> Iterator[TileDone | Prediction]:
    """Predict every frame, or one; yield an event per tile, then the :class:`Prediction`.

    Intensities are scaled by the whole image, whatever frame and region are wanted.
    """
    architecture = model.description.architecture
    where = choose_device(device)
    wanted = list(np.ndindex(*frames.loops)) if frame is None else [frame]
    loops = frames.loops if frame is None else (1,) * len(frame)
    whole = _Stack(architecture.embedding_dims, architecture.foreground, loops, plan)
    scalings = scalings_of(frames, model, wanted)
    for place, index, scaling in zip(np.ndindex(*loops), wanted, scalings, strict=True):
        stitcher = Stitcher(plan, architecture.out_channels)
        tiles = predict_tiles(model.network, frames.frame(index), scaling, plan, where)
        for event in tiles:
            stitcher.add(event)
            yield event if not index else replace(event, frame=index)
        whole.put(place, stitcher.result(foreground=architecture.foreground))
    yield whole.prediction


def cluster_frames(prediction: Prediction, loops: Size, settings: Clustering) -> NDArray[np.int32]:
    """Cluster each frame alone: ``(*loops, *spatial)`` labels that no two frames share.

    Raises
    ------
    ShiftSegError
        If there are more objects than int32 has labels.
    """
    labels = np.zeros(prediction.embedding.shape[1:], np.int32)
    found = 0
    for index in np.ndindex(*loops):
        frame = prediction.frame(index)
        here = cluster(frame.embedding, frame.foreground, settings)
        objects = int(here.max(initial=0))
        if found + objects > _MOST_OBJECTS:
            raise ShiftSegError(
                f"there are more than {_MOST_OBJECTS} objects; segment fewer frames at a time"
            )
        here[here > 0] += found
        labels[index] = here
        found += objects
    return labels


def segment_events(
    image: Any,
    model: str | Model,
    *,
    stitch: StitchMode = "corrected",
    tile: int | Size | None = None,
    clustering: Clustering | None = None,
    device: str | None = None,
    region: Region | None = None,
    frame: tuple[int, ...] | None = None,
    axes: str | None = None,
    memory: int | str | None = None,
) -> Iterator[TileDone | Segmentation]:
    """Segment an image; yield an event per tile, then the :class:`Segmentation`.

    Takes what :func:`segment` takes. Closing the generator cancels the run.
    """
    model = load_model(model)
    frames = model.frames(image, axes)
    if frame is not None:
        frame = _checked_frame(frame, frames.loops)
    if memory is not None and tile is None and stitch == "corrected":
        count = len(frames) if frame is None else 1
        tile = tile_for_memory(frames, model, memory_size(memory), region, count=count)
    plan = plan_for(model, frames.spatial, stitch, tile, region)
    refuse_no_clustering(clustering)
    settings = clustering or model.description.clustering
    for event in predict_events(frames, model, plan, frame=frame, device=device):
        if isinstance(event, TileDone):
            yield event
        else:
            loops = event.embedding.shape[1 : 1 + len(frames.loops)]
            labels = cluster_frames(event, loops, settings)
            yield Segmentation(labels, event, plan, settings, model)


def _checked_frame(frame: Any, loops: Size) -> tuple[int, ...]:
    """Return the index of a frame; raises ShiftSegError if there is none there."""
    legal = f"one of {loops}, counted from 0" if loops else "none, this is a single image"
    try:
        place = tuple(map(operator.index, frame if np.ndim(frame) else (frame,)))
    except TypeError:
        place = ()
    if len(place) != len(loops) or not all(0 <= i < n for i, n in zip(place, loops, strict=True)):
        raise ShiftSegError(f"the frame is {frame}; legal: {legal}")
    return place


def segment(
    image: Any,
    model: str | Model = DEFAULT_MODEL,
    *,
    stitch: StitchMode = "corrected",
    tile: int | Size | None = None,
    clustering: Clustering | None = None,
    device: str | None = None,
    region: Region | None = None,
    frame: tuple[int, ...] | None = None,
    axes: str | None = None,
    memory: int | str | None = None,
) -> Segmentation:
    """Segment an image into objects.

    Parameters
    ----------
    image
        ``(*spatial)``, or with a channel axis first or last, or a stack of such images;
        integers or floats. Lazy arrays (dask, zarr) are read tile by tile.
    model
        Name of a bundled model, path of a model file, or a loaded model.
    stitch
        ``"corrected"`` (tiles of n*P; equals whole-image inference, Corollary 4),
        ``"naive"``, ``"whole"`` or ``"blended"``.
    tile
        Output tile size in pixels, one number or one per axis; by default the model's training
        window, for corrected tiles a multiple of the period near it or larger.
    clustering
        Mean-shift settings; by default the model's own.
    device
        ``"cpu"``, ``"cuda"`` or ``"mps"``; by default the fastest one here.
    region
        Segment only this part, one slice per spatial axis in pixels. Its embedding is the
        same as cut from that of the whole image.
    frame
        Of a stack, segment only the frame at this index of the loop axes; they stay as
        axes of one pixel.
    axes
        One letter per axis of the image, as ``"tczyx"``; without it the last axes are
        space. Every other axis is looped over.
    memory
        What the run may take, in bytes or as ``"2GB"``: corrected tiles of no given size are
        then as large as is fastest within it. The labels are the same for any.

    Returns
    -------
    Segmentation
        Labels, embedding, foreground and plan.

    Raises
    ------
    ShiftSegError
        If image, model or settings do not fit each other.

    References
    ----------
    Rumberger et al., ICCV 2021, Sec. 3; Corollary 4.
    """
    *_, result = segment_events(
        image,
        model,
        stitch=stitch,
        tile=tile,
        clustering=clustering,
        device=device,
        region=region,
        frame=frame,
        axes=axes,
        memory=memory,
    )
    assert isinstance(result, Segmentation)
    return result


class _Stack:
    """Puts the predictions of frames into one array; a single frame's is passed through."""

    def __init__(self, dims: int, foreground: bool, loops: Size, plan: TilePlan) -> None:
        size = (*loops, *plan.result_size)
        self._single = not loops
        if loops:
            self.prediction = Prediction(
                np.zeros((dims, *size), np.float32),
                np.zeros(size, np.float32) if foreground else None,
            )

    def put(self, index: tuple[int, ...], frame: Prediction) -> None:
        """Take the prediction of one frame."""
        if self._single:
            self.prediction = frame
            return
        at: tuple[Any, ...] = (slice(None), *index)
        self.prediction.embedding[at] = frame.embedding
        if self.prediction.foreground is not None:
            self.prediction.foreground[index] = frame.foreground
