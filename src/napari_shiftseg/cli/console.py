"""What the commands share: progress, notes, JSON, files in and out."""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Iterator, Sequence, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from napari_shiftseg.errors import ShiftSegError, ShiftSegWarning
from napari_shiftseg.files import refuse_closed, refuse_to_replace, write_text
from napari_shiftseg.image.ome_zarr import is_zarr_group
from napari_shiftseg.settings import Precision

stderr = Console(stderr=True, highlight=False, soft_wrap=True)

ModelName = Annotated[
    str,
    Parameter(
        alias="-m",
        name="--model",
        help="Name of a bundled model (see shiftseg models) or a model file.",
    ),
]
OutputFile = Annotated[Path, Parameter(alias="-o", name="--output")]
Device = Annotated[str | None, Parameter(help="cpu, cuda or mps; by default the fastest one here.")]
Numbers = Annotated[
    Precision,
    Parameter(
        help="Number type that the network computes in. bfloat16 is faster on processors that have "
        "it, and rounds: labels at the rims of objects may then depend on the tile size."
    ),
]
Compiled = Annotated[
    bool,
    Parameter(
        name="--compile",
        negative="",
        help="Compute tiles by what torch.compile makes of the network: for graphics cards, and "
        "many tiles: it takes half a minute for each tile size, and a C++ compiler or triton.",
    ),
]
Bandwidth = Annotated[
    float | None, Parameter(help="Mean-shift bandwidth; by default the model's own.")
]
MinSize = Annotated[
    int | None,
    Parameter(help="Objects with fewer pixels are dropped; by default the model's own."),
]
Foreground = Annotated[
    float | None,
    Parameter(help="Foreground probability from which on a pixel belongs to an object."),
]
Axes = Annotated[
    str | None,
    Parameter(
        help="One letter per axis of the image, as tczyx, where its file names them wrong; an "
        "axis that the network does not see is looped over."
    ),
]
ChannelName = Annotated[
    str | None,
    Parameter(
        help="Only this channel of the image, by its number from 0 or its name in the file; by "
        "default each, or as many as the network takes; a network of one channel that is not "
        "ShiftSeg's needs to be told which."
    ),
]
JsonFile = Annotated[
    str | None,
    Parameter(
        name="--json",
        allow_leading_hyphen=True,
        help="Write the report as JSON to this file, or to stdout with -.",
    ),
]
Overwrite = Annotated[bool, Parameter(help="Replace existing files.")]
Strict = Annotated[
    bool,
    Parameter(help="End with exit code 3 where tiled does not equal whole-image inference."),
]

UNEQUAL = 3
"""Exit code of a command that was asked to be strict."""


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Reporting:
    """How a command ends: a report as text or JSON, beside the files that it wrote."""

    json: JsonFile = None
    overwrite: Overwrite = False

    def refuse_existing(
        self,
        *files: Path | None,
        reads: Sequence[str | Path | None] = (),
        renews: Callable[[Path], bool] = lambda document: False,
    ) -> None:
        """Check these files and the report's before any work is done; none may be an input.

        A report that ``renews`` knows as one of the same command is replaced.
        """
        document = None if self.json in (None, "-") else Path(str(self.json))
        for source in reads:
            # A string names a model: if it is no file, one of the package, whatever lies here.
            if isinstance(source, Path) or (source is not None and Path(source).is_file()):
                refuse_to_replace(source, *files, document)
        if document is not None and renews(document):
            refuse_closed(document)
            document = None
        refuse_existing(*files, document, overwrite=self.overwrite)

    def report(self, values: dict[str, Any], text: str, *files: Path) -> None:
        """Print a report and the files that belong to it; or JSON alone, if to stdout."""
        document = json.dumps(values, indent=2, allow_nan=False) + "\n"
        if self.json == "-":
            sys.stdout.write(document)
            return
        print("\n".join([text, *([""] if files else []), *map(str, files)]))
        if self.json is not None:
            write_text(Path(self.json), document)


TEXT_ONLY = Reporting()


def is_report(document: Path, keys: Set[str]) -> bool:
    """Tell whether JSON is what a command has written before, by the keys that it writes."""
    try:
        values = json.loads(document.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(values, dict) and values.keys() == keys


def note(message: str) -> None:
    """Tell the user something that is no result; results go to stdout."""
    stderr.print(message, markup=False)


@contextlib.contextmanager
def warned_once() -> Iterator[None]:
    """Say each of our own warnings once, however many frames it is of."""
    said: set[str] = set()
    with warnings.catch_warnings():
        show = warnings.showwarning

        def say(message: Warning | str, category: type[Warning], *where: Any, **more: Any) -> None:
            if str(message) not in said or not issubclass(category, ShiftSegWarning):
                show(message, category, *where, **more)
            if issubclass(category, ShiftSegWarning):
                said.add(str(message))

        warnings.showwarning = say
        yield


@contextlib.contextmanager
def progress_bar(title: str, total: int, *, done: int = 0) -> Iterator[Callable[[str], None]]:
    """Show progress on stderr; where that is no terminal, a line at first and every twentieth."""
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
        if status and (count % every == 0 or count in (done + 1, total)):
            note(f"{title} {count}/{total} {status}")

    yield advance


@contextlib.contextmanager
def first_interrupt() -> Iterator[threading.Event]:
    """Set an event at the first Ctrl-C, so that no step is cut off; a second one is as ever."""
    interrupted = threading.Event()
    former = signal.getsignal(signal.SIGINT)
    # Only the main thread hears signals; a shell has its background jobs ignore them.
    if threading.current_thread() is not threading.main_thread() or former == signal.SIG_IGN:
        yield interrupted
        return

    def hear(*_: object) -> None:
        interrupted.set()
        signal.signal(signal.SIGINT, former)

    signal.signal(signal.SIGINT, hear)
    try:
        yield interrupted
    finally:
        signal.signal(signal.SIGINT, former)


def refuse_model_output(path: Path, *, overwrite: bool) -> None:
    """Check the model file that a command writes, before any work is done."""
    if path.suffix != ".safetensors":
        raise ShiftSegError(f"{path} should end in .safetensors")
    refuse_existing(path, overwrite=overwrite)


def this_command() -> str:
    """Return what a person typed, for the card of a model."""
    return shlex.join(["shiftseg", *sys.argv[1:]])


def use_threads(threads: int | None) -> None:
    """Compute with so many processor threads; None is as many as torch likes."""
    if threads is None:
        return
    if threads < 1:
        raise ShiftSegError(f"threads is {threads}; legal: from 1 on")
    import torch

    torch.set_num_threads(threads)


def refuse_idle_tile(stitch: str, tile: int | None) -> None:
    """Raise ShiftSegError if a tile size is given that would change nothing."""
    if stitch == "whole" and tile is not None:
        raise ShiftSegError("--stitch whole is one pass over the image, without tiles: no --tile")


def refuse_existing(*paths: Path | None, overwrite: bool) -> None:
    """Never replace a file of the user's unasked, nor find out late that it cannot be written."""
    named = [os.path.realpath(path) for path in paths if path is not None]
    if twice := sorted({name for name in named if named.count(name) > 1}):
        raise ShiftSegError(f"two outputs have the same name, {twice[0]}; give each its own")
    for path in paths:
        if path is None:
            continue
        foreign = path.is_dir() and not is_zarr_group(path)
        if path.exists() and (foreign or not overwrite):
            hint = "it is a folder" if foreign else "add --overwrite to replace it"
            raise ShiftSegError(f"{path} exists; {hint}")
        refuse_closed(path)
