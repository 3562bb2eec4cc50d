"""Every command of ``shiftseg``, registered by being imported."""

from napari_shiftseg.cli import (
    audit,
    certify,
    check,
    compare,
    demo,
    evaluate,
    models,
    predict,
    reproduce,
    segment,
    sweep,
    train,
)
from napari_shiftseg.cli.app import main

__all__ = [
    "audit",
    "certify",
    "check",
    "compare",
    "demo",
    "evaluate",
    "main",
    "models",
    "predict",
    "reproduce",
    "segment",
    "sweep",
    "train",
]
