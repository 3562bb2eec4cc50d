"""What a run has finished so far: files beside the output, each whole or not there."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_shiftseg.errors import ShiftSegError
from napari_shiftseg.files import file_beside, make_folder, short_name, write_text

_RECORD = "run.json"


class WorkFolder:
    """Arrays under a name and a number, and a record of the run that they belong to.

    Parameters
    ----------
    path
        The folder.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def beside(cls, output: Path) -> WorkFolder:
        """Return the folder of the run that writes ``output``."""
        return cls(output.with_name(short_name(f"{output.name}.unfinished")))

    def begin(self, record: Mapping[str, Any], *, afresh: bool = False) -> bool:
        """Start a run, or go on with the one that was begun here; say whether it goes on.

        Parameters
        ----------
        record
            All that the result depends on.
        afresh
            Throw away a run with another record, instead of refusing.

        Raises
        ------
        ShiftSegError
            If the folder holds a run with another record, or something else.
        """
        if self._is_begun():
            changed = changes(self.record(), json.loads(json.dumps(record)))
            if not changed:
                return True
            if not afresh:
                raise ShiftSegError(
                    f"{self.path} holds an unfinished run with {', '.join(changed)}; repeat its "
                    "settings to go on with it, or add --overwrite to start afresh"
                )
            self.remove()
        make_folder(self.path)
        write_text(self.path / _RECORD, json.dumps(record, indent=2) + "\n")
        return False

    def begun_with(self, name: str) -> Any:
        """Return a value of the record of an unfinished run, None if there is none."""
        return self.record().get(name) if self._is_begun() else None

    def record(self) -> dict[str, Any]:
        """Return the record of the run."""
        try:
            known = json.loads((self.path / _RECORD).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            known = None
        if not isinstance(known, dict):
            raise ShiftSegError(f"{self.path} is not the folder of an unfinished run; move it away")
        return known

    def _is_begun(self) -> bool:
        return self.path.exists() and any(self.path.glob("[!.]*"))

    def has(self, name: str, number: int) -> bool:
        """Tell whether arrays are there."""
        return self._file(name, number).is_file()

    def save(self, name: str, number: int, **arrays: NDArray[Any]) -> None:
        """Keep arrays; raises ShiftSegError where they cannot be written."""
        path = self._file(name, number)
        # Of a worker that is given up for lost, one may still be at the same block.
        with file_beside(path, shared=True) as partial, partial.open("wb") as file:
            np.savez(file, allow_pickle=False, **arrays)

    def load(self, name: str, number: int) -> Any:
        """Return arrays by name; each is read when it is asked for. To be used in ``with``."""
        return np.load(self._file(name, number), allow_pickle=False)

    def remove(self) -> None:
        """Throw everything away, the record last, so that what is left is still known."""
        for file in self.path.glob("*.npz"):
            file.unlink(missing_ok=True)
        shutil.rmtree(self.path, ignore_errors=True)

    def discard(self) -> None:
        """Throw an unfinished run away; raises ShiftSegError if it is something else."""
        if self._is_begun():
            self.record()
        self.remove()

    def _file(self, name: str, number: int) -> Path:
        return self.path / f"{name}-{number:06d}.npz"


def changes(known: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Name what differs, as ``another bandwidth (1.5, now 2.0)``."""
    names = [name for name in {**known, **now} if known.get(name) != now.get(name)]
    return [f"another {name} ({known.get(name)}, now {now.get(name)})" for name in names]
