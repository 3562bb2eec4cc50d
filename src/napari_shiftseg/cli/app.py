"""The application that the commands register with, and how it ends."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from cyclopts import App, CycloptsError

from napari_shiftseg.cli.console import note
from napari_shiftseg.errors import ShiftSegError

app = App(
    name="shiftseg",
    help="Instance segmentation by metric learning, and the diagnosis of tile-and-stitch seams.",
)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command; bad input ends with one line on stderr and exit code 2."""
    try:
        app(arguments, exit_on_error=False, print_error=False)
    except (ShiftSegError, CycloptsError) as error:
        note(f"shiftseg: {' '.join(str(error).split())}")
        sys.exit(2)
    except KeyboardInterrupt:
        note("shiftseg: interrupted")
        sys.exit(130)
