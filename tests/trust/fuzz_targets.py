"""What is fuzzed: each target takes any bytes, and raises only if it has found a defect.

The coverage-guided fuzzer of ``fuzz.py`` chooses the bytes; it begins with the target's seeds.
"""

from __future__ import annotations

import contextlib
import functools
import io
import itertools
import json
import shutil
import struct
import tempfile
import warnings
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import imagecodecs
import numpy as np
import tifffile
import torch
import zarr
from capture import Capture
from corpus import PLANE
from networks import DESCRIPTION, save_tiny, tiny_network
from others_networks import ZOO, recorded, small, zoo_zip
from PIL import Image
from shell import call

from napari_shiftseg.embeddings.description import ModelDescription
from napari_shiftseg.embeddings.model_file import load_network
from napari_shiftseg.errors import ShiftSegError
from napari_shiftseg.image.files import open_images
from napari_shiftseg.image.packs import read_pack
from napari_shiftseg.image.png import decode_labels
from napari_shiftseg.network_audit.foreign import load_foreign
from napari_shiftseg.network_audit.weight_files import load_checkpoint
from napari_shiftseg.seams.parts import separate_parts
from napari_shiftseg.seams.repair import Repair, repair_labels, undo_repair
from napari_shiftseg.seams.straight import check_labels

MOST_PIXELS = 2**16
"""Of an image that a target reads whole."""

NAMES = ("a.tif", "l.tif", "t.safetensors")
"""The files that a command line finds: an image, labels, a model."""

COMMANDS = ("segment", "check", "repair", "predict", "compare", "certify", "models", "batch")
WORDS = (
    *COMMANDS, *NAMES, "o.tif", "o.ome.zarr", "no.tif", ".", "", "-", "--", "-m", "-o", "--json",
    "o.json", "--mode", "naive", "corrected", "whole", "blended", "--tile", "--offset", "--undo",
    "--overwrite", "--bandwidth", "--min-size", "--axes", "yx", "cyx", "xy", "--channel", "--frame",
    "--confidence", "--memory", "--workers", "--help", "--version", "--labels", "auto", "0", "1",
    "2", "4", "8", "20", "-1", "0.5", "1e9", "nan", "inf", "1.5G", "9" * 30, "é",
)  # fmt: skip
"""Of which a command line is made, a byte for a word."""

LITERAL = 240
"""Byte from which on the rest is a word of its own."""


@dataclass(frozen=True)
class Target:
    """One way for bytes into the program.

    Parameters
    ----------
    exact
        Takes the bytes, raising ``ShiftSegError`` if it refuses them.
    seeds
        Gives bytes to begin with, that are accepted.
    """

    exact: Callable[[bytes], None]
    seeds: Callable[[], Iterator[bytes]]

    def take(self, data: bytes) -> None:
        """Take any bytes; to refuse them with one line is always right."""
        with contextlib.suppress(ShiftSegError):
            self.exact(data)


TARGETS: dict[str, Target] = {}


def target(
    seeds: Callable[[], Iterator[bytes]],
) -> Callable[[Callable[[bytes], None]], Callable[[bytes], None]]:
    """Add a function as a target of its own name."""

    def add(function: Callable[[bytes], None]) -> Callable[[bytes], None]:
        @functools.wraps(function)
        def exact(data: bytes) -> None:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                function(data)

        TARGETS[function.__name__] = Target(exact, seeds)
        return exact

    return add


@functools.cache
def _folder() -> Path:
    memory = Path("/dev/shm")
    return Path(tempfile.mkdtemp(prefix="fuzz-", dir=memory if memory.is_dir() else None))


def _read(path: Path) -> None:
    """Read what can be opened, and see that it is as it was said to be."""
    for image in open_images(path):
        assert len(image.calibration.axes) == image.pixels.ndim
        if image.pixels.size <= MOST_PIXELS:
            assert np.asarray(image.pixels).shape == image.pixels.shape


# Images ----------------------------------------------------------------------------------------


def _read_file(name: str, data: bytes) -> Path:
    """Read a file of these bytes."""
    path = _folder() / name
    path.write_bytes(data)
    _read(path)
    return path


def _tiffs() -> Iterator[bytes]:
    small = PLANE[:6, :5]
    for words in (
        {},
        {"compression": "zlib", "predictor": True},
        {"compression": "lzw"},
        {"tile": (16, 16)},
        {"byteorder": ">", "bigtiff": True},
        {"imagej": True, "resolution": (3.0, 3.0), "metadata": {"unit": "um"}},
        {"ome": True, "metadata": {"axes": "YX", "PhysicalSizeX": 0.5}},
    ):
        buffer = io.BytesIO()
        tifffile.imwrite(buffer, small, **words)
        yield buffer.getvalue()


@target(_tiffs)
def tiff(data: bytes) -> None:
    """A TIFF file of these bytes."""
    _read_file("image.tif", data)


def _pngs() -> Iterator[bytes]:
    small = PLANE[:6, :5]
    for pixels in (small, small.astype(np.uint16), np.dstack([small] * 3), np.dstack([small] * 2)):
        yield bytes(imagecodecs.png_encode(np.ascontiguousarray(pixels)))
    indexed, file = Image.fromarray(small.astype(np.uint8) % 4), io.BytesIO()
    indexed.putpalette([0, 0, 0, 9, 9, 9, 200, 0, 0, 0, 200, 0])
    indexed.save(file, "png")
    yield file.getvalue()


@target(_pngs)
def png(data: bytes) -> None:
    """A PNG file of these bytes."""
    path = _read_file("image.png", data)
    with contextlib.suppress(ShiftSegError):
        assert decode_labels(data, path).ndim in (2, 3)


def _npys() -> Iterator[bytes]:
    small = PLANE[:6, :5]
    for pixels in (small, small.astype(">u2"), np.asfortranarray(small), small.astype(float)):
        content = io.BytesIO()
        np.save(content, pixels)
        yield content.getvalue()


@target(_npys)
def npy(data: bytes) -> None:
    """A NumPy file of these bytes."""
    _read_file("image.npy", data)


def _descriptions() -> Iterator[bytes]:
    for file in _tiffs():
        with tifffile.TiffFile(io.BytesIO(file)) as opened:
            yield opened.pages[0].description.encode()
    yield b"ImageJ=1.54\nimages=1\nchannels=1\nslices=1\nunit=\\u00B5m\nspacing=2.0\n"
    yield b'{"shape": [6, 5], "axes": "YX"}'


@target(_descriptions)
def tiff_description(data: bytes) -> None:
    """A TIFF file that describes itself with these bytes: OME-XML, ImageJ's or JSON."""
    path = _folder() / "described.tif"
    tifffile.imwrite(path, PLANE[:6, :5], description=data.replace(b"\0", b" "), metadata=None)
    _read(path)


@functools.cache
def _zarr() -> Path:
    path = _folder() / "image.zarr"
    group = zarr.open_group(path, mode="w")
    scales = [{"type": "scale", "scale": [0.5, 0.5]}]
    group.attrs["ome"] = {
        "version": "0.5",
        "multiscales": [
            {
                "axes": [{"name": n, "type": "space", "unit": "micrometer"} for n in "yx"],
                "datasets": [{"path": "0", "coordinateTransformations": scales}],
            }
        ],
    }
    group.create_array("0", data=PLANE[:6, :5])
    return path


def _zarr_texts() -> Iterator[bytes]:
    yield (_zarr() / "zarr.json").read_bytes()


@target(_zarr_texts)
def ome_zarr(data: bytes) -> None:
    """An OME-Zarr image that describes itself with these bytes."""
    (_zarr() / "zarr.json").write_bytes(data)
    _read(_zarr())


def _packs() -> Iterator[bytes]:
    (plain, packed, *_) = _tiffs()
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("images/a.tif", plain)
        archive.writestr("masks/a.tif", packed)
    yield buffer.getvalue()


@target(_packs)
def data_pack(data: bytes) -> None:
    """A data pack: a ZIP with images and masks."""
    path = _folder() / "pack.zip"
    path.write_bytes(data)
    for pair in read_pack(path):
        assert pair.name


# Models ----------------------------------------------------------------------------------------


@functools.cache
def _model() -> tuple[bytes, bytes]:
    """Return the header and the weights of a small model file."""
    content = save_tiny(_folder() / "seed.safetensors").read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    return content[8 : 8 + length], content[8 + length :]


@target(lambda: iter([_model()[0]]))
def model_header(data: bytes) -> None:
    """A model file with the weights of a real one, and these bytes as its header."""
    path = _folder() / "model.safetensors"
    path.write_bytes(struct.pack("<Q", len(data)) + data + _model()[1])
    load_network(path)


@target(lambda: iter([DESCRIPTION.to_json().encode()]))
def model_description(data: bytes) -> None:
    """The description in a model file; what is accepted comes back the same."""
    described = ModelDescription.from_json(data.decode("utf-8", "replace"))
    assert ModelDescription.from_json(described.to_json()) == described


def _checkpoints() -> Iterator[bytes]:
    buffer = io.BytesIO()
    torch.save(tiny_network().head.state_dict(), buffer)
    yield buffer.getvalue()


@target(_checkpoints)
def checkpoint(data: bytes) -> None:
    """A checkpoint of PyTorch."""
    load_checkpoint(io.BytesIO(data), "weights.pt")


@functools.cache
def _recording() -> bytes:
    return recorded(_folder() / "network.pt", small()).read_bytes()


@target(lambda: iter([ZOO.replace("SOURCE", "network.pt").encode()]))
def zoo_package(data: bytes) -> None:
    """A package of the BioImage Model Zoo with these bytes as its description."""
    path = _folder() / "package.zip"
    load_foreign(str(zoo_zip(path, "", {"rdf.yaml": data, "network.pt": _recording()})))


# Labels ----------------------------------------------------------------------------------------

TYPES = (np.uint8, np.int8, np.uint16, np.int32, np.int64, np.uint64, bool)


def _labellings() -> Iterator[bytes]:
    for head in (b"\x00\x08\x08\x04\x00", b"\x02\x10\x06\x00\x00", b"\x85\x04\x04\x02\x01"):
        yield head + bytes(n // 2 for n in range(64))


@target(_labellings)
def label_check(data: bytes) -> None:
    """Labels of any type and shape are checked and repaired; to undo it gives them back."""
    if len(data) < 6:
        return
    kind, rows, columns, tile, offset = data[:5]
    shape = (rows % 24, columns % 24) if kind < 128 else (3, rows % 12, columns % 12)
    dtype = np.dtype(TYPES[kind % len(TYPES)])
    size = int(np.prod(shape))
    values = np.fromiter(itertools.islice(itertools.cycle(data[5:]), size), np.uint8, size)
    labels = np.repeat(values, 1).astype(dtype).reshape(shape)
    check = check_labels(labels, tile if tile else "auto", offset if tile else 0)
    objects = separate_parts(labels) if check.renumbered else labels
    assert check.objects == len(np.unique(objects[objects != 0]))
    repaired, report = repair_labels(labels, check, confidence=0.0)
    assert np.array_equal(repaired != 0, labels != 0)
    again = Repair.from_dict(json.loads(json.dumps(report.to_dict())))
    assert np.array_equal(undo_repair(repaired, again), labels)


def _reports() -> Iterator[bytes]:
    labels = np.repeat(np.repeat(np.array([[1, 2], [3, 4]]), 8, 0), 8, 1)
    _, report = repair_labels(labels, check_labels(labels, 8), confidence=0.0)
    yield json.dumps(report.to_dict()).encode()


@target(_reports)
def repair_report(data: bytes) -> None:
    """The report with which a repair is undone; labels of the wrong shape are refused."""
    with contextlib.suppress(ValueError, RecursionError):
        values = json.loads(data)
        undo_repair(np.ones((16, 16), np.uint8), Repair.from_dict(values))


# The command line ------------------------------------------------------------------------------


@functools.cache
def _desk() -> dict[Path, bytes]:
    """Return the files that a command line finds, with their contents."""
    folder = _folder() / "desk"
    folder.mkdir()
    image, labels, model = (folder / name for name in NAMES)
    tifffile.imwrite(image, PLANE)
    tifffile.imwrite(labels, np.arange(480, dtype=np.uint16).reshape(24, 20) // 100)
    save_tiny(model)
    return {path: path.read_bytes() for path in (image, labels, model)}


def words_of(data: bytes) -> list[str]:
    """Read bytes as words of a command line."""
    head = bytes(itertools.takewhile(lambda byte: byte < LITERAL, data))
    words = [WORDS[byte % len(WORDS)] for byte in head[:16]]
    rest = data[len(head) + 1 :].decode("utf-8", "replace").replace("\0", "")
    return [*words, rest[:40]] if rest and "/" not in rest else words


def _command_lines() -> Iterator[bytes]:
    for line in (
        "segment a.tif -m t.safetensors -o o.tif --mode naive --tile 20",
        "segment a.tif -m t.safetensors -o o.ome.zarr --bandwidth 0.5 --json o.json",
        "check l.tif --tile 8 --offset 1",
        "repair l.tif -o o.tif --confidence 0.5 --json o.json",
        "compare a.tif -m t.safetensors --tile 20",
        "models nuclei-2d",
    ):
        yield bytes(WORDS.index(word) for word in line.split() if word in WORDS)


@target(_command_lines)
def command_line(data: bytes) -> None:
    """Any words: the command does it, or says in one line why not; its inputs stay as they are."""
    files = _desk()
    (folder,) = {path.parent for path in files}
    with contextlib.chdir(folder), Capture().taken() as capture:
        answer = call(capture, *words_of(data))
    assert answer.code == 0 or answer.explained, f"{words_of(data)}: {answer}"
    changed = [path.name for path, content in files.items() if path.read_bytes() != content]
    assert not changed, f"{words_of(data)} changes {changed}"
    for path in set(folder.iterdir()) - files.keys():
        shutil.rmtree(path) if path.is_dir() else path.unlink()
