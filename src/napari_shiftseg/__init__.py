"""Instance segmentation by metric learning, and the diagnosis of tile-and-stitch seams.

Importing this package loads neither torch nor Qt; each name below does so when it is first used.

Segment
    segment : an image into labels, by any stitching (Segmentation).
    segment_file : from file to file, of any size, on several processes (SegmentedFile).
    load_model, bundled_models : networks with their descriptions (Model).
    Stitching, Clustering : settings.
Tiles
    NetworkGeometry : period, context and legal sizes of a U-Net.
    make_plan : how an image is cut into tiles (TilePlan).
Seams
    compare : stitchings of one image, and what their seams cut (Comparison, SeamReport).
    sweep : false splits and AP against tile size (Sweep).
    certify : the largest difference between tiled and whole-image inference (Certificate).
    check_labels, repair_labels, undo_repair : cuts of an unknown grid in finished labels
        (LabelCheck, Repair).
Any network
    audit : period, receptive field, what sees the whole tile (Audit).
    diagnose : errors of tiling on an image, by cause (Diagnosis).
    predict_exactly : its output over an image of any size, from tiles that leave no seams.
    freeze_statistics : make normalisation the same in every tile.
    fill_output : let a network that pads keep the size of its input.
Train and score
    TrainingRecipe, TrainingRun : what to train and how, and its course.
    evaluate : AP, false splits and merges over a data pack (Evaluation).
Errors
    ShiftSegError : bad input, in one line.
    ShiftSegWarning : what works, but not as one might hope.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from napari_shiftseg._version import __version__

if TYPE_CHECKING:
    from napari_shiftseg.blockwise.run import SegmentedFile as SegmentedFile
    from napari_shiftseg.blockwise.segment_file import segment_file as segment_file
    from napari_shiftseg.certificate import Certificate as Certificate
    from napari_shiftseg.certificate import certify as certify
    from napari_shiftseg.comparison import Comparison as Comparison
    from napari_shiftseg.comparison import compare as compare
    from napari_shiftseg.embeddings.model import Model as Model
    from napari_shiftseg.embeddings.model import bundled_models as bundled_models
    from napari_shiftseg.embeddings.model import load_model as load_model
    from napari_shiftseg.errors import ShiftSegError as ShiftSegError
    from napari_shiftseg.errors import ShiftSegWarning as ShiftSegWarning
    from napari_shiftseg.evaluation import Evaluation as Evaluation
    from napari_shiftseg.evaluation import evaluate as evaluate
    from napari_shiftseg.network_audit.audit import Audit as Audit
    from napari_shiftseg.network_audit.audit import audit as audit
    from napari_shiftseg.network_audit.causes import Diagnosis as Diagnosis
    from napari_shiftseg.network_audit.causes import diagnose as diagnose
    from napari_shiftseg.network_audit.filled import fill_output as fill_output
    from napari_shiftseg.network_audit.freeze import freeze_statistics as freeze_statistics
    from napari_shiftseg.network_audit.predict import predict_exactly as predict_exactly
    from napari_shiftseg.pipeline import Segmentation as Segmentation
    from napari_shiftseg.pipeline import segment as segment
    from napari_shiftseg.seams.repair import Repair as Repair
    from napari_shiftseg.seams.repair import repair_labels as repair_labels
    from napari_shiftseg.seams.repair import undo_repair as undo_repair
    from napari_shiftseg.seams.report import SeamReport as SeamReport
    from napari_shiftseg.seams.straight import LabelCheck as LabelCheck
    from napari_shiftseg.seams.straight import check_labels as check_labels
    from napari_shiftseg.settings import Clustering as Clustering
    from napari_shiftseg.settings import Stitching as Stitching
    from napari_shiftseg.tile_sweep import Sweep as Sweep
    from napari_shiftseg.tile_sweep import sweep as sweep
    from napari_shiftseg.tiles.geometry import NetworkGeometry as NetworkGeometry
    from napari_shiftseg.tiles.plan import TilePlan as TilePlan
    from napari_shiftseg.tiles.plan import make_plan as make_plan
    from napari_shiftseg.training.recipe import TrainingRecipe as TrainingRecipe
    from napari_shiftseg.training.run import TrainingRun as TrainingRun

_HOME = {
    "Audit": "network_audit.audit",
    "Certificate": "certificate",
    "Clustering": "settings",
    "Comparison": "comparison",
    "Diagnosis": "network_audit.causes",
    "Evaluation": "evaluation",
    "LabelCheck": "seams.straight",
    "Model": "embeddings.model",
    "NetworkGeometry": "tiles.geometry",
    "Repair": "seams.repair",
    "SeamReport": "seams.report",
    "Segmentation": "pipeline",
    "SegmentedFile": "blockwise.run",
    "ShiftSegError": "errors",
    "ShiftSegWarning": "errors",
    "Stitching": "settings",
    "Sweep": "tile_sweep",
    "TilePlan": "tiles.plan",
    "TrainingRecipe": "training.recipe",
    "TrainingRun": "training.run",
    "audit": "network_audit.audit",
    "bundled_models": "embeddings.model",
    "certify": "certificate",
    "check_labels": "seams.straight",
    "compare": "comparison",
    "diagnose": "network_audit.causes",
    "evaluate": "evaluation",
    "fill_output": "network_audit.filled",
    "freeze_statistics": "network_audit.freeze",
    "load_model": "embeddings.model",
    "make_plan": "tiles.plan",
    "predict_exactly": "network_audit.predict",
    "repair_labels": "seams.repair",
    "undo_repair": "seams.repair",
    "segment": "pipeline",
    "segment_file": "blockwise.segment_file",
    "sweep": "tile_sweep",
}

__all__ = [
    "Audit",
    "Certificate",
    "Clustering",
    "Comparison",
    "Diagnosis",
    "Evaluation",
    "LabelCheck",
    "Model",
    "NetworkGeometry",
    "Repair",
    "SeamReport",
    "Segmentation",
    "SegmentedFile",
    "ShiftSegError",
    "ShiftSegWarning",
    "Stitching",
    "Sweep",
    "TilePlan",
    "TrainingRecipe",
    "TrainingRun",
    "__version__",
    "audit",
    "bundled_models",
    "certify",
    "check_labels",
    "compare",
    "diagnose",
    "evaluate",
    "fill_output",
    "freeze_statistics",
    "load_model",
    "make_plan",
    "predict_exactly",
    "repair_labels",
    "segment",
    "segment_file",
    "sweep",
    "undo_repair",
]


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
