"""The page that puts every re-run figure beside what the paper says of it."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from napari_shiftseg.errors import ShiftSegError
from napari_shiftseg.experiments.reproduce import FIGURES

_NEEDED = {"figure", "claim", "found", "holds"}


def results_page(folder: Path, beside: Path) -> str:
    """Write the page as Markdown.

    Parameters
    ----------
    folder
        Where ``shiftseg reproduce`` has put its files; figures without any are left out.
    beside
        Folder that the page will be in, for its links to the pictures.

    Raises
    ------
    ShiftSegError
        If no figure is there, or a file is none of ``shiftseg reproduce``.
    """
    results = [_read(path) for name in FIGURES if (path := folder / f"{name}.json").is_file()]
    if not results:
        raise ShiftSegError(f"{folder} has no results of shiftseg reproduce")
    holding = sum(result["holds"] for result in results)
    parts = [
        "# The paper, re-run",
        "Rumberger et al., *How Shift Equivariance Impacts Metric Learning for Instance "
        "Segmentation*, ICCV 2021. Every figure was made, measured and judged by "
        "`shiftseg reproduce`; this page was written by it, from the JSON files beside the "
        f"pictures. Of {len(results)} figures {holding} show what the paper says.",
        _table(results),
        *(_section(result, folder, beside) for result in results),
    ]
    return "\n\n".join(parts) + "\n"


def _read(path: Path) -> dict[str, Any]:
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        if values.keys() >= _NEEDED:
            return dict(values)
    except (OSError, ValueError, AttributeError):
        pass
    raise ShiftSegError(f"{path} is no result of shiftseg reproduce, or is damaged: remove it")


def _table(results: list[dict[str, Any]]) -> str:
    rows = ["| figure | the paper says | measured here | |", "|-|-|-|-|"]
    for result in results:
        mark = "holds" if result["holds"] else "**not reproduced**"
        rows.append(f"| {result['figure']} | {result['claim']} | {result['found']} | {mark} |")
    return "\n".join(rows)


def _section(result: dict[str, Any], folder: Path, beside: Path) -> str:
    name = result["figure"]
    picture = _relative(folder / f"{name}.png", beside)
    numbers = _relative(folder / f"{name}.json", beside)
    options = f" --preset {result['preset']}" if "preset" in result else ""
    options = " --pretrained" if result.get("pretrained") else options
    return "\n\n".join(
        [
            f"## {name}",
            f"The paper: {result['claim']}",
            f"Here: {result['found']}.",
            f"![{name}]({picture})",
            f"`shiftseg reproduce {name}{options} -o FOLDER`, [numbers]({numbers})",
        ]
    )


def _relative(path: Path, folder: Path) -> str:
    return Path(os.path.relpath(path, folder)).as_posix()
