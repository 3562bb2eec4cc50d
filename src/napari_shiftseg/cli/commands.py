"""Every command of ``shiftseg``, registered by being imported."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module

from napari_shiftseg.cli import app

COMMANDS = (
    "audit",
    "batch",
    "certify",
    "check",
    "compare",
    "demo",
    "evaluate",
    "models",
    "predict",
    "reproduce",
    "segment",
    "sweep",
    "train",
)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command. They are imported here, for Ctrl-C may come while torch is loaded."""
    with app.ended():
        for name in COMMANDS:
            import_module(f"napari_shiftseg.cli.{name}")
        app.app(arguments, exit_on_error=False, print_error=False)
