"""Where the examples put their pictures."""

from __future__ import annotations

import argparse
from pathlib import Path


def folder_of_pictures(about: str | None) -> Path:
    """Return the folder that the command line names, made if it is not there."""
    parser = argparse.ArgumentParser(description=(about or "").splitlines()[0])
    parser.add_argument("folder", type=Path, nargs="?", default=Path("docs/images"))
    folder: Path = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    return folder.absolute()
