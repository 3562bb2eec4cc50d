"""TIFF in and out; a file is written beside its name and moved there in one step."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray

from napari_shiftseg.errors import ShiftSegError


def read_tiff(path: str | Path) -> NDArray[Any]:
    """Read the first series of a TIFF file.

    Raises
    ------
    ShiftSegError
        If the file is missing, is not a TIFF, or is damaged.
    """
    path = Path(path)
    if path.is_dir():
        raise ShiftSegError(f"{path} is a folder, not a TIFF file")
    if not path.exists():
        raise ShiftSegError(f"no such file: {path}")
    try:
        return np.asarray(tifffile.imread(path))
    except PermissionError:
        raise ShiftSegError(f"{path} may not be read") from None
    except Exception as error:
        # tifffile and its codecs raise many types for damaged files; each means the same
        # to the user.
        raise ShiftSegError(f"{path} is not a TIFF file that can be read: {error}") from None


def read_labels(path: str | Path) -> NDArray[np.int64]:
    """Read a TIFF of integer labels, 0 for background.

    Raises
    ------
    ShiftSegError
        As :func:`read_tiff`, or if the pixels are not integers of at least 0.
    """
    labels = read_tiff(path)
    if labels.dtype.kind not in "bui":
        raise ShiftSegError(f"{path} holds {labels.dtype} pixels; labels are integers")
    if labels.size and labels.min() < 0:
        raise ShiftSegError(f"{path} holds negative labels; 0 is background, objects are from 1 on")
    return labels.astype(np.int64)


def write_tiff(
    path: str | Path, array: NDArray[Any], *, axes: str, provenance: dict[str, Any] | None = None
) -> None:
    """Write a compressed TIFF.

    Parameters
    ----------
    path
        Where to; an existing file is replaced.
    array
        Pixels.
    axes
        One letter per axis, as ``"YX"`` or ``"CYX"``.
    provenance
        Kept in the image description under the key ``shiftseg``.
    """
    path = Path(path)
    if not path.parent.is_dir():
        raise ShiftSegError(f"no such folder: {path.parent}")
    partial = path.with_name(f".{path.name}.part")
    metadata = {"axes": axes, "shiftseg": json.dumps(provenance or {})}
    try:
        tifffile.imwrite(
            partial, array, metadata=metadata, compression="zlib", photometric="minisblack"
        )
        os.replace(partial, path)
    except OSError as error:
        raise ShiftSegError(f"{path} cannot be written: {error.strerror or error}") from None
    finally:
        partial.unlink(missing_ok=True)


def smallest_label_type(labels: NDArray[Any]) -> NDArray[Any]:
    """Return labels as uint16 if they fit, else as uint32."""
    largest = int(labels.max(initial=0))
    return labels.astype(np.uint16 if largest < 2**16 else np.uint32)
