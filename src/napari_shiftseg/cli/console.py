"""What the commands share: progress, notes, JSON, files in and out."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from napari_shiftseg.errors import ShiftSegError
from napari_shiftseg.files import write_text
from napari_shiftseg.image.ome_zarr import is_zarr_group

stderr = Console(stderr=True, highlight=False, soft_wrap=True)

ModelName = Annotated[str, Parameter(alias="-m", name="--model")]
OutputFile = Annotated[Path, Parameter(alias="-o", name="--output")]
JsonFile = Annotated[str | None, Parameter(name="--json", allow_leading_hyphen=True)]


def note(message: str) -> None:
    """Tell the user something that is no result; results go to stdout."""
    stderr.print(message, markup=False)


@contextlib.contextmanager
def progress_bar(title: str, total: int, *, done: int = 0) -> Iterator[Callable[[str], None]]:
    """Show progress on stderr; where that is no terminal, a line every twentieth."""
    if sys.stderr.isatty():
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[status]}"),
        )
        with Progress(*columns, console=stderr, transient=True) as bar:
            task = bar.add_task(title, total=total, completed=done, status="")
            yield lambda status: bar.update(task, advance=1, status=status)
        return
    count = done
    every = max(1, total // 20)

    def advance(status: str) -> None:
        nonlocal count
        count += 1
        if status and (count % every == 0 or count == total):
            note(f"{title} {count}/{total} {status}")

    yield advance


def refuse_existing(*paths: Path | None, overwrite: bool) -> None:
    """Never replace a file of the user's unasked, nor find out late that it cannot be written."""
    for path in paths:
        if path is None:
            continue
        foreign = path.is_dir() and not is_zarr_group(path)
        if path.exists() and (foreign or not overwrite):
            hint = "it is a folder" if foreign else "add --overwrite to replace it"
            raise ShiftSegError(f"{path} exists; {hint}")
        if not path.parent.is_dir():
            raise ShiftSegError(f"no such folder: {path.parent}")


def report(values: dict[str, Any], text: str, destination: str | None) -> None:
    """Print a report as text, or as JSON to a file or (``-``) to stdout alone."""
    document = json.dumps(values, indent=2, allow_nan=False) + "\n"
    if destination == "-":
        sys.stdout.write(document)
        return
    print(text)
    if destination is not None:
        write_text(Path(destination), document)


def refuse_json(destination: str | None, *, overwrite: bool) -> None:
    """Check the target of ``--json`` before any work is done."""
    if destination not in (None, "-"):
        refuse_existing(Path(destination), overwrite=overwrite)
