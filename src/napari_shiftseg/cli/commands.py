"""Every command of ``shiftseg``, registered by being imported; a call imports its own alone."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module

from napari_shiftseg.cli import app

COMMANDS = (
    "audit",
    "average",
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


_ELSEWHERE = {"repair": "check"}
"""Commands in the module of another one."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command. It is imported here, for Ctrl-C may come while torch is loaded."""
    with app.ended():
        register(_needed(sys.argv[1:] if arguments is None else arguments))
        app.app(arguments, exit_on_error=False, print_error=False)


def register(modules: Sequence[str] = COMMANDS) -> None:
    """Make commands known to the application."""
    for name in modules:
        import_module(f"napari_shiftseg.cli.{name}")


def _needed(arguments: Sequence[str]) -> tuple[str, ...]:
    """Return the modules that a call needs: its command's, or all where help may be asked for."""
    first = arguments[0] if arguments else ""
    if first == "--version":
        return ()
    name = _ELSEWHERE.get(first, first)
    return (name,) if name in COMMANDS else COMMANDS
