"""Import a module in a thread, while the window answers."""

from __future__ import annotations

import ctypes
import gc
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

_LIBRARY = {"linux": "libtorch.so", "darwin": "libtorch.dylib"}
"""By platform; on Windows torch itself loads its libraries as this module does."""


def import_aside(name: str) -> ModuleType:
    """Import a module without keeping other threads from running for longer than a moment.

    For one that imports torch, call :func:`load_torch_libraries` before.
    """
    with _collecting_later():
        import_module("pandas")  # which napari would load with its first layer of labels
        return import_module(name)


def load_torch_libraries() -> None:
    """Have the libraries of torch in memory before ``import torch`` asks for them.

    ``import`` holds Python's lock while the system reads a library, and those of torch have
    hundreds of megabytes; even in a thread, nobody else could run meanwhile. A C function that
    is called through ctypes does not hold it. Where there is nothing to load, or it cannot be
    loaded, ``import torch`` goes on as ever, and says what is wrong.
    """
    if "torch" in sys.modules:
        return
    torch = find_spec("torch")
    if torch is None or torch.origin is None:
        return
    library = Path(torch.origin).parent / "lib" / _LIBRARY.get(sys.platform, "")
    if library.is_file():
        load = ctypes.CDLL(None).dlopen
        load.argtypes, load.restype = [ctypes.c_char_p, ctypes.c_int], ctypes.c_void_p
        load(os.fsencode(library), os.RTLD_NOW | os.RTLD_LOCAL)


@contextmanager
def _collecting_later() -> Iterator[None]:
    """Spare Python's collector what is imported: hundreds of thousands of objects that stay.

    While it looks through all objects nobody else runs, each time for a tenth of a second and
    more. What comes out of the freezer is as old as can be: it is looked at as rarely as all
    else that stays, and collected like it.
    """
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if not gc.get_freeze_count():  # else it would set free what others keep there
            gc.freeze()
            gc.unfreeze()
        if collects:
            gc.enable()
