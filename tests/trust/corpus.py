"""Everything that users drop: each case is a file, and what is to come of it.

What is to come is a shape and a type, or words of the one line that says why not. Three ways lead
into the program: ``open_image`` of the library, ``shiftseg segment`` and ``shiftseg check``.
"""

from __future__ import annotations

import io
import json
import os
import struct
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import tifffile
import zarr

SHAPE = (24, 20)
PLANE = np.random.default_rng(0).integers(1, 200, SHAPE).astype(np.uint8)


@dataclass(frozen=True)
class Result:
    """A shape, and for images a type."""

    shape: tuple[int, ...]
    dtype: str = ""


@dataclass(frozen=True)
class Message:
    """Words of the one line."""

    words: tuple[str, ...]


Expected = Result | Message | None


@dataclass(frozen=True)
class Case:
    """A file that somebody has, and what is to come of it; None where there is nothing to try."""

    name: str
    make: Callable[[Path], Path]
    opened: Expected
    segmented: Expected
    checked: Expected


CASES: list[Case] = []
LABELLED = Result(SHAPE)


def says(*words: str) -> Message:
    """Expect one line with these words."""
    return Message(words)


def case(
    name: str,
    opened: Expected,
    segmented: Expected = LABELLED,
    checked: Expected = None,
) -> Callable[[Callable[[Path], Path]], Callable[[Path], Path]]:
    """Add a case; what cannot be opened cannot be segmented nor checked."""
    if isinstance(opened, Message):
        segmented, checked = opened, opened

    def add(make: Callable[[Path], Path]) -> Callable[[Path], Path]:
        CASES.append(Case(name, make, opened, segmented, checked))
        return make

    return add


def saved(folder: Path, pixels: Any, name: str = "image.tif", **words: Any) -> Path:
    """Write a TIFF as others do."""
    path = folder / name
    tifffile.imwrite(path, pixels, **words)
    return path


def add_saved(
    name: str,
    pixels: Any,
    opened: Expected,
    segmented: Expected = LABELLED,
    checked: Expected = None,
    **words: Any,
) -> None:
    """Add a case that is one call of tifffile."""
    case(name, opened, segmented, checked)(lambda folder: saved(folder, pixels, **words))


# Axes ------------------------------------------------------------------------------------------

add_saved("1 axis", PLANE[0], Result((20,), "uint8"), says("(20,)", "2 spatial axes"))
for ndim in range(2, 7):
    shape = (2, 2, 2, 2, *SHAPE)[-ndim:]
    add_saved(
        f"{ndim} axes, none named",
        np.broadcast_to(PLANE, shape).copy(),
        Result(shape, "uint8"),
        Result(shape),
        Result(()) if ndim == 2 else None,
        photometric="minisblack",
    )
stack = np.stack([PLANE] * 3)
add_saved(
    "a time series", stack, Result((3, *SHAPE), "uint8"), Result((3, *SHAPE)),
    Result(()), metadata={"axes": "TYX"}, photometric="minisblack",
)  # fmt: skip
add_saved(
    "an OME stack of channels", stack, Result((3, *SHAPE), "uint8"), Result((3, *SHAPE)),
    Result(()), ome=True, metadata={"axes": "CYX"}, photometric="minisblack",
)  # fmt: skip
add_saved(
    "axes that name fewer than there are", stack, Result((3, *SHAPE), "uint8"),
    Result((3, *SHAPE)), description='{"shape": [3, 24, 20], "axes": "YX"}',
    metadata=None, photometric="minisblack",
)  # fmt: skip
add_saved(
    "axes with a letter twice", stack, Result((3, *SHAPE), "uint8"), Result((3, *SHAPE)),
    description='{"shape": [3, 24, 20], "axes": "YYX"}', metadata=None, photometric="minisblack",
)  # fmt: skip
add_saved(
    "axes that are a number", stack, says("image.tif", "not a TIFF"), None, None,
    description='{"shape": [3, 24, 20], "axes": 7}', metadata=None, photometric="minisblack",
)  # fmt: skip
add_saved(
    "a described shape that is another", PLANE, Result(SHAPE, "uint8"),
    description='{"shape": [999, 999]}', metadata=None,
)  # fmt: skip
add_saved(
    "a described shape that is negative", PLANE, Result(SHAPE, "uint8"),
    description='{"shape": [-24, -20]}', metadata=None,
)  # fmt: skip

# Types of pixels -------------------------------------------------------------------------------

for kind in ("uint8", "uint16", "uint32", "uint64", "int8", "int16", "int32", "int64"):
    whole = (PLANE // 2).astype(kind)
    add_saved(kind, whole, Result(SHAPE, kind), LABELLED, Result(()))
    if kind.endswith(("16", "32", "64")):
        add_saved(
            f"{kind}, big-endian", whole.astype(np.dtype(kind).newbyteorder(">")),
            Result(SHAPE, kind), LABELLED, Result(()), byteorder=">",
        )  # fmt: skip
for kind in ("float16", "float32", "float64"):
    add_saved(kind, PLANE.astype(kind), Result(SHAPE, kind), LABELLED, says(kind, "integers"))
    half = np.linspace(-1, 1, 480).reshape(SHAPE)
    add_saved(
        f"{kind}, its whole range", (half * (0.99 * float(np.finfo(kind).max))).astype(kind),
        Result(SHAPE, kind), LABELLED if kind != "float64" else says("difference"), says(kind),
    )  # fmt: skip
add_saved(
    "float32, big-endian", PLANE.astype(">f4"), Result(SHAPE, "float32"), LABELLED,
    says("integers"), byteorder=">",
)  # fmt: skip
for kind in ("complex64", "complex128"):
    add_saved(
        kind, PLANE.astype(kind), Result(SHAPE, kind), says(kind, "integers and floats"),
        says("integers"),
    )  # fmt: skip
add_saved("true and false", PLANE > 90, Result(SHAPE, "bool"), LABELLED, Result(()))
add_saved(
    "integers over 2^53", PLANE.astype(np.int64) + 2**60, Result(SHAPE, "int64"), LABELLED, None
)

# Values ----------------------------------------------------------------------------------------


def with_value(value: float, kind: str = "float32") -> Any:
    """One pixel of a plane is something else."""
    pixels = PLANE.astype(kind)
    pixels[3, 4] = value
    return pixels


for value in (np.nan, np.inf, -np.inf):
    add_saved(
        f"a pixel of {value}", with_value(value), Result(SHAPE, "float32"),
        says("1 pixel is", "not finite"), says("float32"),
    )  # fmt: skip
add_saved(
    "nothing but NaN", np.full(SHAPE, np.nan, np.float32), Result(SHAPE, "float32"),
    says("480 pixels", "not finite"), says("float32"),
)  # fmt: skip
for value in (0, 7, 255):
    add_saved(f"a constant {value}", np.full(SHAPE, value, np.uint8), Result(SHAPE, "uint8"))
add_saved("negative floats", -PLANE.astype(np.float32), Result(SHAPE, "float32"))
add_saved("one pixel beyond all others", with_value(3e38), Result(SHAPE, "float32"), LABELLED, None)
add_saved(
    "one pixel beyond float32", with_value(1e300, "float64"), Result(SHAPE, "float64"),
    LABELLED, None,
)  # fmt: skip
add_saved(
    "denormals", PLANE * np.float32(1e-45), Result(SHAPE, "float32"), LABELLED, says("float32")
)
add_saved("float64 denormals", PLANE * np.float64(5e-324), Result(SHAPE, "float64"), LABELLED, None)
negative = np.ones(SHAPE, np.int16)
negative[2, 3] = -5
add_saved("negative labels", negative, Result(SHAPE, "int16"), LABELLED, says("negative labels"))
for value in (2**16, 2**31 + 5, 2**40, 2**62):
    many = np.ones(SHAPE, np.uint64)
    many[2:9, 3:9] = value
    add_saved(f"a label of {value}", many, Result(SHAPE, "uint64"), LABELLED, Result(()))
beyond = np.ones(SHAPE, np.uint64)
beyond[2, 3] = 2**63 + 1
add_saved(
    f"a label of {2**63 + 1}", beyond, Result(SHAPE, "uint64"), LABELLED,
    says("labels", str(2**63 + 1)),
)  # fmt: skip

# Colours ---------------------------------------------------------------------------------------

rgb = np.stack([PLANE, PLANE // 2, PLANE // 3], -1)
add_saved(
    "RGB", rgb, Result((*SHAPE, 3), "uint8"), says("RGB", "channel"), says("colours"),
    photometric="rgb",
)  # fmt: skip
add_saved(
    "RGBA", np.dstack([rgb, PLANE]), Result((*SHAPE, 4), "uint8"), says("RGB", "channel"),
    says("colours"), photometric="rgb", extrasamples=["unassalpha"],
)  # fmt: skip
add_saved(
    "a palette", PLANE, Result(SHAPE, "uint8"), LABELLED, None,
    photometric="palette", colormap=np.zeros((3, 256), np.uint16),
)  # fmt: skip
add_saved("white is zero", PLANE, Result(SHAPE, "uint8"), photometric="miniswhite")
add_saved(
    "two samples per pixel", np.dstack([PLANE, PLANE]), Result((*SHAPE, 2), "uint8"),
    Result((2, *SHAPE)), Result(()),
    photometric="minisblack", planarconfig="contig", metadata=None,
)  # fmt: skip

# Compression, size, damage ---------------------------------------------------------------------

for codec in ("zlib", "lzw", "zstd", "packbits", "lzma", "jpegxl", "webp", "png"):
    smooth = rgb if codec == "webp" else PLANE
    shape = smooth.shape
    add_saved(
        f"{codec} compression", smooth, Result(shape, "uint8"),
        says("RGB") if codec == "webp" else LABELLED, None, compression=codec,
        photometric="rgb" if codec == "webp" else "minisblack",
        **({"compressionargs": {"lossless": True}} if codec == "webp" else {}),
    )  # fmt: skip
add_saved("a codec and a predictor", PLANE, Result(SHAPE, "uint8"), compression="lzw",
          predictor=True)  # fmt: skip
add_saved("one pixel", PLANE[:1, :1], Result((1, 1), "uint8"), Result((1, 1)), Result(()))
add_saved("one row", PLANE[:1], Result((1, 20), "uint8"), Result((1, 20)), Result(()))
add_saved("tiles that reach over the border", PLANE, Result(SHAPE, "uint8"), tile=(16, 16))


@case("no rows at all", says("image.tif"))
def _(folder: Path) -> Path:
    with warnings.catch_warnings(action="ignore"):
        return saved(folder, PLANE[:0])


@case("an empty file", says("image.tif", "not a TIFF"))
def _(folder: Path) -> Path:
    path = folder / "image.tif"
    path.write_bytes(b"")
    return path


@case("a text called .tif", says("image.tif", "not a TIFF"))
def _(folder: Path) -> Path:
    path = folder / "image.tif"
    path.write_text("these are no pixels")
    return path


@case("a PNG called .tif", says("image.tif", "not a TIFF"))
def _(folder: Path) -> Path:
    path = folder / "image.tif"
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(100))
    return path


for kept in (8, 100, 300, 450):

    @case(f"the first {kept} bytes of a TIFF", says("image.tif"))
    def _(folder: Path, kept: int = kept) -> Path:
        path = saved(folder, PLANE)
        path.write_bytes(path.read_bytes()[:kept])
        return path


@case("damage inside of compressed pixels", says("image.tif", "not a TIFF"))
def _(folder: Path) -> Path:
    path = saved(folder, PLANE, compression="zlib")
    with tifffile.TiffFile(path) as file:
        offset = file.pages[0].dataoffsets[0]
    content = bytearray(path.read_bytes())
    content[offset : offset + 60] = bytes(60)
    path.write_bytes(content)
    return path


def in_a_circle(folder: Path, pages: int) -> Path:
    """Write a TIFF whose last page is followed by its first."""
    path = saved(folder, np.stack([PLANE] * pages), metadata=None, photometric="minisblack")
    content = bytearray(path.read_bytes())
    offset = at = first = struct.unpack("<I", content[4:8])[0]
    while offset:
        count = struct.unpack("<H", content[offset : offset + 2])[0]
        at = offset + 2 + 12 * count
        offset = struct.unpack("<I", content[at : at + 4])[0]
    content[at : at + 4] = struct.pack("<I", first)
    path.write_bytes(content)
    return path


for pages in (1, 2, 150):
    case(f"a circle of {pages} pages", says("in a circle"))(
        lambda folder, pages=pages: in_a_circle(folder, pages)
    )


def claiming(path: Path, **tags: int) -> Path:
    """Change numbers that a TIFF says of itself."""
    with tifffile.TiffFile(path, mode="r+") as file:
        for name, value in tags.items():
            file.pages[0].tags[name].overwrite(value)
    return path


HUGE = 10**6


@case("a bomb: a million by a million in strips", says("image.tif"))
def _(folder: Path) -> Path:
    path = saved(folder, PLANE, metadata=None)
    return claiming(path, ImageWidth=HUGE, ImageLength=HUGE)


@case(
    "a bomb: a million by a million in tiles",
    says("image.tif", "claims"),
)
def _(folder: Path) -> Path:
    path = saved(folder, PLANE, metadata=None, tile=(16, 16), compression="zlib")
    return claiming(path, ImageWidth=HUGE, ImageLength=HUGE)


@case("a bomb: a million samples per pixel", says("image.tif"))
def _(folder: Path) -> Path:
    path = saved(folder, PLANE, metadata=None)
    return claiming(path, SamplesPerPixel=60000)


@case(
    "a bomb: one tile of gigapixels",
    says("image.tif", "GB"),
)
def _(folder: Path) -> Path:
    path = saved(folder, PLANE, metadata=None, tile=(16, 16), compression="zlib")
    return claiming(path, ImageWidth=HUGE, ImageLength=HUGE, TileWidth=HUGE, TileLength=HUGE)


LAUGHS = "".join(f'<!ENTITY l{i} "{"".join([f"&l{i - 1};"] * 10)}">' for i in range(1, 10))


@case("a bomb: XML that laughs a billion times", Result(SHAPE, "uint8"), LABELLED, Result(()))
def _(folder: Path) -> Path:
    xml = f'<?xml version="1.0"?><!DOCTYPE OME [<!ENTITY l0 "ha">{LAUGHS}]><OME>&l9;</OME>'
    return saved(folder, PLANE, metadata=None, description=xml)


# Series and metadata ---------------------------------------------------------------------------


@case("two series of an OME-TIFF: the first counts", Result(SHAPE, "uint8"))
def _(folder: Path) -> Path:
    path = folder / "image.tif"
    with tifffile.TiffWriter(path, ome=True) as file:
        file.write(PLANE, metadata={"axes": "YX", "Name": "left"})
        file.write(PLANE[:7], metadata={"axes": "YX", "Name": "right"})
    return path


@case("an ImageJ hyperstack", Result((2, 3, *SHAPE), "uint8"), Result((2, 3, *SHAPE)))
def _(folder: Path) -> Path:
    return saved(folder, np.stack([stack] * 2), imagej=True, metadata={"axes": "TCYX"})


@case("an ImageJ stack that claims more slices", Result(SHAPE, "uint8"))
def _(folder: Path) -> Path:
    text = "ImageJ=1.54f\nimages=900\nslices=900\n"
    return saved(folder, PLANE, metadata=None, description=text)


OME = (
    '<?xml version="1.0" encoding="UTF-8"?><OME xmlns='
    '"http://www.openmicroscopy.org/Schemas/OME/2016-06"><Image ID="Image:0"><Pixels ID="Pixels:0" '
    'DimensionOrder="XYCZT" Type="uint8" SizeX="20" SizeY="24" SizeC="1" SizeZ="1" SizeT="1" '
    'MORE><TiffData IFD="0" PlaneCount="1"/></Pixels></Image></OME>'
)


def ome(folder: Path, text: str) -> Path:
    """Write a TIFF with this as its description, byte by byte."""
    return saved(folder, PLANE, metadata=None, description=text.encode("utf-8"))


for size in ("0", "-3", "nan", "inf", "1e-300", "1e300", "1e-12", "1e12", "large", ""):

    @case(f"a pixel size of {size!r} (OME)", Result(SHAPE, "uint8"))
    def _(folder: Path, size: str = size) -> Path:
        return ome(folder, OME.replace("MORE", f'PhysicalSizeX="{size}" PhysicalSizeY="{size}"'))


@case("a pixel size in furlongs (OME)", Result(SHAPE, "uint8"))
def _(folder: Path) -> Path:
    return ome(folder, OME.replace("MORE", 'PhysicalSizeX="3" PhysicalSizeXUnit="furlong"'))


@case("OME that breaks off", Result(SHAPE, "uint8"))
def _(folder: Path) -> Path:
    return ome(folder, OME[:200])


@case("OME that claims more planes", says("lacks 39 of its planes"))
def _(folder: Path) -> Path:
    return ome(folder, OME.replace('SizeT="1"', 'SizeT="40"').replace("MORE", ""))


@case("a bomb: OME that claims a billion planes", says("claims 1000000000 planes", "1048576"))
def _(folder: Path) -> Path:
    text = OME.replace('SizeT="1"', 'SizeT="1000000000"')
    return ome(folder, text.replace("MORE", ""))


@case("OME that names another file, which is absent", Result(SHAPE, "uint8"))
def _(folder: Path) -> Path:
    elsewhere = '<TiffData IFD="0"><UUID FileName="gone.tif">urn:uuid:1</UUID></TiffData>'
    text = OME.replace('<TiffData IFD="0" PlaneCount="1"/>', elsewhere)
    return ome(folder, text.replace("MORE", ""))


for key, value in (
    ("scale", [0, 0]), ("scale", [-1, 2]), ("scale", ["a", 1]), ("scale", 3), ("scale", [1]),
    ("scale", [1e-300, 1e300]), ("units", 3), ("units", [None, 7]), ("translate", ["x", None]),
    ("translate", [float("nan"), float("inf")]), ("shiftseg_kind", ["labels"]),
):  # fmt: skip

    @case(f"our own description with {key} {value}", Result(SHAPE, "uint8"))
    def _(folder: Path, key: str = key, value: Any = value) -> Path:
        said = {"scale": [1, 1], "units": ["pixel", "pixel"], "translate": [0, 0]} | {key: value}
        text = json.dumps({"shape": SHAPE, "axes": "YX", "shiftseg": "{}"} | said)
        return saved(folder, PLANE, metadata=None, description=text)


@case("a resolution of nought over nought", Result(SHAPE, "uint8"))
def _(folder: Path) -> Path:
    path = saved(folder, PLANE, resolution=(100, 100), resolutionunit="CENTIMETER")
    with tifffile.TiffFile(path, mode="r+") as file:
        for axis in "XY":
            file.pages[0].tags[f"{axis}Resolution"].overwrite((0, 0))
    return path


# Names, links, folders -------------------------------------------------------------------------

for name in (
    "Zellen mit Leerzeichen.tif",
    "細胞 ядро 🔬.tif",
    "-o.tif",
    "[a]{b}$c;&.tif",
    "x.TIFF",
):

    @case(f"a file called {name}", Result(SHAPE, "uint8"))
    def _(folder: Path, name: str = name) -> Path:
        return saved(folder, PLANE, name)


@case("a name that is no UTF-8", Result(SHAPE, "uint8"))
def _(folder: Path) -> Path:
    return saved(folder, PLANE, os.fsdecode(b"caf\xe9.tif"))


@case("a name of 250 bytes", Result(SHAPE, "uint8"))
def _(folder: Path) -> Path:
    return saved(folder, PLANE, "n" * 246 + ".tif")


@case("a name that is too long to be one", says("no such file"))
def _(folder: Path) -> Path:
    return folder / ("n" * 300 + ".tif")


@case("a file that is not there", says("no such file", "gone.tif"))
def _(folder: Path) -> Path:
    return folder / "gone.tif"


@case("a folder called .tif", says("is a folder"))
def _(folder: Path) -> Path:
    (folder / "image.tif").mkdir()
    return folder / "image.tif"


@case("a link to a TIFF", Result(SHAPE, "uint8"))
def _(folder: Path) -> Path:
    saved(folder, PLANE, "real.tif")
    (folder / "image.tif").symlink_to(folder / "real.tif")
    return folder / "image.tif"


@case("a link that leads nowhere", says("no such file"))
def _(folder: Path) -> Path:
    (folder / "image.tif").symlink_to(folder / "gone.tif")
    return folder / "image.tif"


@case("a link that leads back to itself", says("no such file"))
def _(folder: Path) -> Path:
    (folder / "image.tif").symlink_to(folder / "image.tif")
    return folder / "image.tif"


@case("a pipe called .tif", says("image.tif", "is not a file"))
def _(folder: Path) -> Path:
    os.mkfifo(folder / "image.tif")
    return folder / "image.tif"


for suffix in (".jpg", ".czi", ".nd2", ".lif", ".h5", ""):

    @case(f"a file with the suffix {suffix or 'of none'}", says("legal: .tif", ".zarr"))
    def _(folder: Path, suffix: str = suffix) -> Path:
        path = folder / f"image{suffix}"
        path.write_bytes(b"\x89PNG\r\n\x1a\n")
        return path


# PNG -------------------------------------------------------------------------------------------


def png(pixels: Any = PLANE) -> bytes:
    """Return a PNG as others write it."""
    return bytes(imagecodecs.png_encode(np.ascontiguousarray(pixels)))


def add_file(
    file: str,
    name: str,
    content: bytes,
    opened: Expected,
    segmented: Expected = LABELLED,
    checked: Expected = None,
) -> None:
    """Add a case that is a file of this name with this content."""

    @case(name, opened, segmented, checked)
    def _(folder: Path) -> Path:
        path = folder / file
        path.write_bytes(content)
        return path


add_png = partial(add_file, "image.png")
GREY = Result(SHAPE, "uint8")
add_png("a PNG", png(), GREY, checked=Result(()))
add_png(
    "a PNG of 16 bits", png(PLANE.astype(np.uint16) * 300), Result(SHAPE, "uint16"),
    checked=Result(()),
)  # fmt: skip
add_png("a grey PNG in colours", png(np.dstack([PLANE] * 3)), GREY)
add_png("a grey PNG with transparency", png(np.dstack([PLANE, PLANE // 2])), GREY)
add_png("a screenshot in grey", png(np.dstack([PLANE] * 3 + [PLANE // 2])), GREY)
add_png(
    "a PNG in colours", png(np.dstack([PLANE, PLANE // 2, PLANE])), Result((*SHAPE, 3), "uint8"),
    says("RGB", "channel"), says("colours"),
)  # fmt: skip
NO_PNG = says("image.png", "not a PNG")
add_png("an empty PNG", b"", NO_PNG)
add_png("a PNG without pixels", png()[:40], NO_PNG)
add_png("a PNG that is cut off", png()[:200], NO_PNG)
add_png("a PNG with a wrong checksum", png()[:90] + b"\0\0" + png()[92:], NO_PNG)
add_png("text that is called .png", b"these are not pixels, but words of a friend", NO_PNG)
add_png(
    "a PNG that claims 4 gigapixels", png()[:16] + b"\0\1\0\0" * 2 + png()[24:],
    says("65536 x 65536", "legal: up to 2.1"),
)  # fmt: skip


# NumPy -----------------------------------------------------------------------------------------


def npy(pixels: Any = PLANE) -> bytes:
    """Return what numpy.save writes."""
    content = io.BytesIO()
    np.save(content, pixels, allow_pickle=True)
    return content.getvalue()


def npy_header(shape: tuple[int, ...]) -> bytes:
    """Return what a NumPy file begins with that says that it has a shape."""
    content = io.BytesIO()
    said = {"descr": "|u1", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(content, said)
    return content.getvalue()


add_npy = partial(add_file, "image.npy")
add_npy("a NumPy file", npy(), GREY, checked=Result(()))
add_npy("a NumPy file, big-endian", npy(PLANE.astype(">u2")), Result(SHAPE, "uint16"),
        checked=Result(()))  # fmt: skip
add_npy("a NumPy file, columns first", npy(np.asfortranarray(PLANE)), GREY, checked=Result(()))
add_npy("a NumPy file of a pickle", npy(np.array({"masks": PLANE})), says("Python objects", "TIFF"))
add_npy("a NumPy file of text", npy(np.array(["a"])), says("image.npy", "legal: an array"))
add_npy("a NumPy file of one number", npy(np.uint8(3)), says("one number"))
add_npy("a NumPy file without pixels", npy(PLANE[:0]), Result((0, 20), "uint8"), says("empty"))
NO_NPY = says("image.npy", "not a NumPy file")
add_npy("a NumPy file that is cut off", npy()[:-1], NO_NPY)
add_npy("text that is called .npy", b"these are not pixels, but words of a friend", NO_NPY)
add_npy("a NumPy file that claims 4 gigapixels", npy_header((2**16, 2**16)) + npy(), NO_NPY)


# OME-Zarr --------------------------------------------------------------------------------------


def group(folder: Path, pixels: Any = PLANE, **changes: Any) -> Path:
    """Write an OME-Zarr image as others do; changes go into its multiscale."""
    path = folder / "image.ome.zarr"
    root = zarr.open_group(str(path), mode="w", zarr_format=2)
    root.create_array("0", data=pixels)
    axes = [{"name": letter, "type": "space"} for letter in "tczyx"[-np.ndim(pixels) :]]
    described = {"version": "0.4", "axes": axes, "datasets": [{"path": "0"}]} | changes
    root.attrs.put({"multiscales": [described]})
    return path


def metadata(path: Path, **changes: Any) -> Path:
    """Change what an array says of itself, and leave its pixels as they are."""
    file = path / "0" / ".zarray"
    file.write_text(json.dumps(json.loads(file.read_text()) | changes))
    return path


def add_group(
    name: str, expected: Expected, segmented: Expected = LABELLED, **changes: Any
) -> None:
    """Add a case that is one OME-Zarr image."""
    case(name, expected, segmented)(lambda folder: group(folder, **changes))


add_group("an OME-Zarr image", Result(SHAPE, "uint8"))
add_group("a Zarr of text", says("image"), pixels=np.full(SHAPE, "a", "<U3"))
add_group("a Zarr of complex numbers", Result(SHAPE, "complex64"),
          says("complex64"), pixels=PLANE.astype("c8"))  # fmt: skip
add_group("a Zarr of half floats", Result(SHAPE, "float16"), pixels=PLANE.astype("f2"))
add_group("a Zarr, big-endian", Result(SHAPE, ">u2"), pixels=PLANE.astype(">u2"))
add_group("a Zarr of one number", says("image"), pixels=np.uint8(3))
add_group("a Zarr without levels", says("image", "level"), datasets=[])
add_group("a Zarr whose levels are no list", says("image"), datasets=7)
add_group("a Zarr whose level is not there", says("image", "level"), datasets=[{"path": "9"}])
add_group("a Zarr whose level is outside", says("image"), datasets=[{"path": "../../etc"}])
add_group("a Zarr whose level is itself", says("image"), datasets=[{"path": ""}])
add_group("a Zarr with too many axes", says("image", "axes"), axes=["t", "y", "x"])
add_group("a Zarr with axes that are numbers", says("image"), axes=[1, 2])
for scale in ([0, 0], [-1, 1], ["a", "b"], [1], 7):
    add_group(
        f"a Zarr with the scale {scale}", says("image"),
        datasets=[{"path": "0", "coordinateTransformations": [{"type": "scale", "scale": scale}]}],
    )  # fmt: skip
add_group("a Zarr of no pixels", Result((0, 20), "uint8"), says("empty"), pixels=PLANE[:0])


@case(
    "a bomb: a Zarr of a million by a million",
    # Segmented it would be, block by block: what Zarr does not keep is 0 and no damage.
    Result((HUGE, HUGE), "uint8"),
    None,
    says("memory"),
)
def _(folder: Path) -> Path:
    return metadata(group(folder), shape=[HUGE, HUGE])


@case(
    "a bomb: a Zarr of one chunk of terabytes",
    says("image", "GB"),
)
def _(folder: Path) -> Path:
    return metadata(group(folder), shape=[HUGE, HUGE], chunks=[HUGE, HUGE])


@case("a Zarr with a damaged chunk", Result(SHAPE, "uint8"), says("image", "cannot be read"),
      says("image", "cannot be read"))  # fmt: skip
def _(folder: Path) -> Path:
    path = group(folder)
    chunk = next(p for p in (path / "0").rglob("*") if p.is_file() and not p.name.startswith("."))
    chunk.write_bytes(b"damaged")
    return path


@case("a Zarr of pickles", says("image"))
def _(folder: Path) -> Path:
    return metadata(
        group(folder), dtype="|O", fill_value="", compressor=None,
        filters=[{"id": "vlen-utf8"}, {"id": "pickle"}],
    )  # fmt: skip


@case("a Zarr with attributes that are no JSON", says("image"))
def _(folder: Path) -> Path:
    path = group(folder)
    (path / ".zattrs").write_text("{")
    return path


@case("an empty folder called .zarr", says("image", "not an OME-Zarr"))
def _(folder: Path) -> Path:
    (folder / "image.zarr").mkdir()
    return folder / "image.zarr"


@case("a file called .zarr", says("image", "not an OME-Zarr"))
def _(folder: Path) -> Path:
    (folder / "image.zarr").write_text("no folder")
    return folder / "image.zarr"


@case("a TIFF called .zarr", says("image", "not an OME-Zarr"))
def _(folder: Path) -> Path:
    return saved(folder, PLANE, "real.tif").rename(folder / "image.zarr")
