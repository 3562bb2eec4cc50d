"""What is known of an image after its TIFF was opened."""

import gc

import dask.array as da
import numpy as np
import pytest
import tifffile

from napari_shiftseg.errors import ShiftSegError, ShiftSegWarning
from napari_shiftseg.image import opened
from napari_shiftseg.image.calibration import Calibration
from napari_shiftseg.image.channel import Channel
from napari_shiftseg.image.tiff_series import open_tiff

MICRON, PIXEL = "micrometer", "pixel"


def numbers(*shape, dtype=np.uint16):
    return (np.arange(np.prod(shape)) % 251).reshape(shape).astype(dtype)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "Zellen 細胞 1.tif"


@pytest.fixture
def lazily(monkeypatch):
    """Every image counts as large."""
    monkeypatch.setattr(opened, "LAZY_BYTES", 1)


def only(path):
    (image,) = open_tiff(path)
    return image


def write_imagej(path, pixels, axes="TZCYX", **words):
    metadata = {"axes": axes, "unit": "um", "spacing": 2.5, "finterval": 30.0} | words
    tifffile.imwrite(path, pixels, imagej=True, resolution=(4, 2), metadata=metadata)


def test_an_imagej_hyperstack(path):
    pixels = numbers(2, 3, 4, 5, 6)
    write_imagej(path, pixels, Labels=["DAPI", "GFP", "RFP", "Cy5"])
    image = only(path)
    np.testing.assert_array_equal(image.pixels, pixels)
    assert (image.name, image.calibration.axes) == ("Zellen 細胞 1", "tzcyx")
    assert image.calibration.scale == (30, 2.5, 1, 0.5, 0.25)
    assert image.calibration.units == ("second", MICRON, PIXEL, MICRON, MICRON)
    assert [channel.name for channel in image.channels] == ["DAPI", "GFP", "RFP", "Cy5"]
    assert (image.kind, image.provenance) == ("image", {})


def test_labels_of_slices_are_no_names_of_channels(path):
    write_imagej(path, numbers(3, 2, 5, 6), "ZCYX", Labels=[f"plane {i}" for i in range(6)])
    assert only(path).channels == ()
    write_imagej(path, numbers(3, 2, 5, 6), "ZCYX", Labels=["DAPI", "GFP"] * 3)
    assert only(path).channels == (Channel("DAPI"), Channel("GFP"))


def ramp(*colour):
    return (np.arange(256)[None] * np.array(colour)[:, None]).astype(np.uint8)


def test_colours_and_display_ranges_of_imagej(path):
    fire = np.random.default_rng(0).integers(0, 256, (3, 256), np.uint8)
    tables = [ramp(0, 1, 0), ramp(1, 1, 1), fire]
    ranges = (10.0, 200.0, 5.0, 5.0, 0.0, 4095.0)
    write_imagej(path, numbers(3, 5, 6), "CYX", LUTs=tables, Ranges=ranges)
    green, grey, other = only(path).channels
    assert green == Channel("", "#00ff00", (10, 200))
    assert grey == Channel()
    assert other == Channel("", None, (0, 4095))


def test_the_display_range_of_a_single_channel_of_imagej(path):
    write_imagej(path, numbers(5, 6), "YX", min=3.0, max=20.0)
    assert only(path).channels == (Channel(shown=(3, 20)),)


@pytest.mark.parametrize("word", ["Ranges", "LUTs", "Labels"])
def test_words_of_imagej_that_mean_nothing_do_not_matter(path, word):
    description = f"ImageJ=1.53t\nimages=1\n{word}=5\n"
    tifffile.imwrite(path, numbers(5, 6), description=description, metadata=None)
    assert only(path).channels == ()


def test_without_a_unit_imagej_means_a_printers_resolution(path):
    tifffile.imwrite(path, numbers(5, 6), imagej=True, resolution=(72, 72), resolutionunit=2)
    assert only(path).calibration.scale == (1, 1)


def write_ome(path, pixels, axes, **words):
    tifffile.imwrite(path, pixels, ome=True, metadata={"axes": axes} | words)


def test_an_ome_tiff(path):
    pixels = numbers(2, 3, 5, 6)
    write_ome(
        path,
        pixels,
        "CZYX",
        PhysicalSizeX=0.25,
        PhysicalSizeXUnit="µm",
        PhysicalSizeY=250,
        PhysicalSizeYUnit="nm",
        PhysicalSizeZ=2,
        Channel={"Name": ["DAPI", "GFP"]},
    )
    image = only(path)
    np.testing.assert_array_equal(image.pixels, pixels)
    assert image.calibration.axes == "czyx"
    assert image.calibration.scale == (1, 2, 250, 0.25)
    assert image.calibration.units == (PIXEL, MICRON, "nanometer", MICRON)
    assert image.channels == (Channel("DAPI"), Channel("GFP"))


@pytest.mark.parametrize(
    ("number", "colour"),
    [(-16776961, "#ff0000"), (16711935, "#00ff00"), (0x00FFFFFF, "#00ffff"), (-1, None)],
)
def test_colours_of_an_ome_tiff(path, number, colour):
    write_ome(path, numbers(2, 5, 6), "CYX", Channel={"Name": ["a", "b"], "Color": [number, -1]})
    assert only(path).channels == (Channel("a", colour), Channel("b"))


def test_each_series_of_an_ome_tiff_is_an_image(path):
    with tifffile.TiffWriter(path, ome=True) as file:
        for name, size in (("left", 5), ("right", 7)):
            metadata = {"axes": "YX", "Name": name, "PhysicalSizeX": size, "PhysicalSizeY": size}
            file.write(numbers(size, 6), metadata=metadata)
    images = open_tiff(path)
    assert [image.name.split(": ")[1] for image in images] == ["left", "right"]
    assert [image.pixels.shape for image in images] == [(5, 6), (7, 6)]
    assert [image.calibration.scale[0] for image in images] == [5, 7]


def write_pyramid(path):
    full = numbers(128, 96)
    with tifffile.TiffWriter(path, bigtiff=True) as file:
        file.write(full, subifds=2, tile=(16, 16), metadata={"axes": "YX"})
        for step in (2, 4):
            file.write(full[::step, ::step], subfiletype=1, tile=(16, 16))
    return full


def test_a_pyramid_keeps_its_levels(path):
    full = write_pyramid(path)
    image = only(path)
    for level, step in zip(image.levels, (1, 2, 4), strict=True):
        np.testing.assert_array_equal(level, full[::step, ::step])


@pytest.mark.parametrize("bigtiff", [False, True])
def test_plain_pages_are_an_axis_of_unknown_kind(path, bigtiff):
    pixels = numbers(7, 5, 6)
    with tifffile.TiffWriter(path, bigtiff=bigtiff) as file:
        for page in pixels:
            file.write(page, metadata=None, contiguous=False)
    image = only(path)
    np.testing.assert_array_equal(image.pixels, pixels)
    assert image.calibration.known_axes is None
    assert image.calibration.scale == (1, 1, 1)


def test_a_resolution_in_centimetres_is_a_voxel_size(path):
    tifffile.imwrite(path, numbers(5, 6), resolution=(20000, 10000), resolutionunit="CENTIMETER")
    calibration = only(path).calibration
    assert calibration.scale == (1, 0.5)
    assert calibration.units == (MICRON, MICRON)


@pytest.mark.parametrize("unit", ["CENTIMETER", "INCH", "NONE"])
def test_a_resolution_that_means_nothing_is_passed_over(path, unit):
    resolution = (0, 0) if unit == "CENTIMETER" else (300, 300)
    tifffile.imwrite(path, numbers(5, 6), resolution=resolution, resolutionunit=unit)
    assert only(path).calibration == Calibration.of("yx")


def test_words_of_others_are_not_taken_for_ours(path):
    tifffile.imwrite(path, numbers(5, 6), metadata={"scale": 3, "units": None, "translate": "x"})
    assert only(path).calibration.scale == (1, 1)


def test_an_image_whose_small_values_are_bright_is_named(path):
    tifffile.imwrite(path, numbers(5, 6), photometric="miniswhite")
    with pytest.warns(ShiftSegWarning, match="small values are bright; they are taken as they"):
        image = only(path)
    np.testing.assert_array_equal(image.pixels, numbers(5, 6))


@pytest.mark.parametrize("planar", ["CONTIG", "SEPARATE"])
def test_colours_come_last(path, planar):
    pixels = numbers(5, 6, 3, dtype=np.uint8)
    stored = pixels if planar == "CONTIG" else np.moveaxis(pixels, -1, 0)
    tifffile.imwrite(path, stored, photometric="rgb", planarconfig=planar, metadata=None)
    image = only(path)
    assert image.rgb and image.calibration.axes == "yxs"
    np.testing.assert_array_equal(image.pixels, pixels)


def test_two_samples_are_two_channels(path):
    tifffile.imwrite(path, numbers(5, 6, 2), photometric="minisblack", planarconfig="CONTIG")
    image = only(path)
    assert not image.rgb and image.calibration.axes == "yxc"
    assert [part.pixels.shape for part in image.split()] == [(5, 6)] * 2


@pytest.mark.parametrize("compression", [None, "zlib"])
def test_a_large_image_is_read_when_it_is_needed(path, lazily, compression):
    pixels = numbers(5, 50, 60)
    tifffile.imwrite(path, pixels, compression=compression, metadata={"axes": "ZYX"})
    image = only(path)
    assert isinstance(image.pixels, da.Array)
    np.testing.assert_array_equal(image.pixels[2, 10:20].compute(), pixels[2, 10:20])
    np.testing.assert_array_equal(image.pixels, pixels)


def test_strips_are_read_by_pages(path, lazily):
    pixels = numbers(5, 50, 60)
    tifffile.imwrite(path, pixels, rowsperstrip=5, metadata={"axes": "ZYX"})
    assert only(path).pixels.chunksize == (1, 50, 60)


def test_levels_of_a_large_pyramid_are_lazy(path, lazily):
    full = write_pyramid(path)
    levels = only(path).levels
    np.testing.assert_array_equal(levels[2], full[::4, ::4])
    assert levels[0].chunksize == (16, 16)


def test_a_large_image_closes_its_file(path, lazily):
    tifffile.imwrite(path, numbers(5, 50, 60))
    image = only(path)
    image.pixels.compute()
    del image
    gc.collect()
    path.unlink()


def test_an_image_of_gigabytes_opens_at_once(path):
    """Its 4 GB are a hole in the file."""
    tifffile.memmap(path, shape=(16, 16384, 8192), dtype=np.uint16, bigtiff=True)
    image = only(path)
    assert isinstance(image.pixels, da.Array)
    assert image.pixels[15, -2:, -2:].compute().tolist() == [[0, 0], [0, 0]]


@pytest.mark.parametrize("content", [b"", b"not a TIFF", b"II*\0", b"II*\0\x08\0\0\0\0\0"])
def test_what_is_no_tiff_is_refused(path, content):
    path.write_bytes(content)
    with pytest.raises(ShiftSegError, match=r"細胞.* (is not a TIFF file|holds no image)"):
        open_tiff(path)


@pytest.mark.parametrize("compression", [None, "zlib"])
@pytest.mark.parametrize("limit", [1, 2**28])
def test_a_file_that_is_cut_off_is_refused(path, monkeypatch, compression, limit):
    monkeypatch.setattr(opened, "LAZY_BYTES", limit)
    noise = np.random.default_rng(0).integers(0, 2**16, (64, 64), np.uint16)
    tifffile.imwrite(path, noise, compression=compression)
    path.write_bytes(path.read_bytes()[:-500])
    with pytest.raises(ShiftSegError, match="cut off"):
        open_tiff(path)


def test_missing_files_and_folders_are_refused(tmp_path):
    with pytest.raises(ShiftSegError, match="no such file"):
        open_tiff(tmp_path / "absent.tif")
    (tmp_path / "folder.tif").mkdir()
    with pytest.raises(ShiftSegError, match="is a folder"):
        open_tiff(tmp_path / "folder.tif")


class TestCutOff:
    """Files that end too early, of which tifffile reads what is left."""

    stack = np.random.default_rng(0).integers(0, 255, (5, 40, 50), np.uint8)

    def cut(self, file, share=0.6):
        file.write_bytes(file.read_bytes()[: int(share * file.stat().st_size)])
        with pytest.raises(ShiftSegError, match="it is cut"):
            open_tiff(file)

    @pytest.mark.parametrize(
        "how",
        [
            {"metadata": None, "photometric": "minisblack", "compression": "zlib"},
            {"metadata": None, "photometric": "minisblack"},
            {"imagej": True, "metadata": {"axes": "ZYX"}},
            {"metadata": {"axes": "ZYX"}},
            {"ome": True, "metadata": {"axes": "ZYX"}},
            {"ome": True, "metadata": {"axes": "ZYX"}, "compression": "zlib"},
        ],
    )
    def test_stacks_are_refused(self, tmp_path, how):
        name = "stack.ome.tif" if how.get("ome") else "stack.tif"
        tifffile.imwrite(tmp_path / name, self.stack, **how)
        assert open_tiff(tmp_path / name)[0].pixels.shape == self.stack.shape
        self.cut(tmp_path / name)

    @pytest.mark.parametrize("gone", [(), ("s0.ome.tif",), ("s1.ome.tif",)])
    @pytest.mark.parametrize("compression", [None, "zlib"])
    def test_an_image_of_a_set_of_ome_tiffs_is_that_of_its_file(self, tmp_path, compression, gone):
        """As exported one image a file, where each file tells of them all."""
        uuids = [f"urn:uuid:00000000-0000-0000-0000-00000000000{i}" for i in (1, 2)]
        images = [numbers(5, 6), numbers(7, 8) + 1]
        parts = "".join(
            f'<Image ID="Image:{i}" Name="{name}"><Pixels ID="Pixels:{i}" DimensionOrder="XYZCT" '
            f'Type="uint16" SizeX="{width}" SizeY="{height}" SizeZ="1" SizeC="1" SizeT="1" '
            f'PhysicalSizeX="{i + 1}" PhysicalSizeY="{i + 1}"><Channel ID="Channel:{i}:0" '
            f'Name="{name}" /><TiffData IFD="0" PlaneCount="1"><UUID FileName="s{i}.ome.tif">'
            f"{uuid}</UUID></TiffData></Pixels></Image>"
            for i, (uuid, name, (height, width)) in enumerate(
                zip(uuids, "ab", [image.shape for image in images], strict=True)
            )
        )
        for i, (uuid, pixels) in enumerate(zip(uuids, images, strict=True)):
            namespace = "http://www.openmicroscopy.org/Schemas/OME/2016-06"
            ome = f'<OME xmlns="{namespace}" UUID="{uuid}">{parts}</OME>'
            tifffile.imwrite(
                tmp_path / f"s{i}.ome.tif",
                pixels.astype(np.uint16),
                description=ome,
                metadata=None,
                compression=compression,
            )
        for name in gone:
            (tmp_path / name).unlink()
        for i, pixels in enumerate(images):
            if (path := tmp_path / f"s{i}.ome.tif").exists():
                (image,) = open_tiff(path)
                np.testing.assert_array_equal(image.pixels, pixels)
                assert image.calibration.scale == (i + 1, i + 1)
                assert [channel.name for channel in image.channels] == ["ab"[i]]

    def test_an_ome_tiff_one_of_whose_files_is_gone(self, tmp_path):
        uuids = [f"urn:uuid:00000000-0000-0000-0000-00000000000{i}" for i in (1, 2)]
        parts = "".join(
            f'<TiffData FirstC="{i}" IFD="0" PlaneCount="1">'
            f'<UUID FileName="c{i}.ome.tif">{uuid}</UUID></TiffData>'
            for i, uuid in enumerate(uuids)
        )
        for i, uuid in enumerate(uuids):
            ome = (
                f'<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06" UUID="{uuid}">'
                '<Image ID="Image:0"><Pixels ID="Pixels:0" DimensionOrder="XYZCT" Type="uint8" '
                f'SizeX="50" SizeY="40" SizeZ="1" SizeC="2" SizeT="1">{parts}'
                "</Pixels></Image></OME>"
            )
            tifffile.imwrite(
                tmp_path / f"c{i}.ome.tif", self.stack[i], description=ome, metadata=None
            )
        assert open_tiff(tmp_path / "c0.ome.tif")[0].pixels.shape == (2, 40, 50)
        (tmp_path / "c1.ome.tif").unlink()
        with pytest.raises(ShiftSegError, match="lacks 1 of its planes"):
            open_tiff(tmp_path / "c0.ome.tif")


@pytest.mark.parametrize("imagej", [False, True])
@pytest.mark.parametrize(
    ("unit", "step"), [("CENTIMETER", 2500), ("MILLIMETER", 250), ("MICROMETER", 0.25)]
)
def test_lengths_that_tags_say_count_but_for_inches(path, imagej, unit, step):
    how = {"resolution": (4, 4), "photometric": "minisblack", "imagej": imagej}
    tifffile.imwrite(path, numbers(5, 6).astype(np.uint16), resolutionunit=unit, **how)
    assert open_tiff(path)[0].calibration == Calibration.of("yx", (step, step), (MICRON,) * 2)
    tifffile.imwrite(path, numbers(5, 6).astype(np.uint16), resolutionunit="INCH", **how)
    assert open_tiff(path)[0].calibration == Calibration.of("yx")


@pytest.mark.parametrize("compression", [None, "zlib"])
def test_an_acquisition_that_was_stopped_is_told(path, compression):
    """Four planes of two times three; compressed ones tifffile would take for six."""
    words = "ImageJ=1.53t\nimages=6\nslices=3\nframes=2\nhyperstack=true\n"
    how = {"photometric": "minisblack", "metadata": None, "compression": compression}
    tifffile.imwrite(path, np.zeros((4, 64, 128), np.uint16), description=words, **how)
    if compression:
        with pytest.raises(ShiftSegError, match="it lacks 2 of its planes"):
            open_tiff(path)
        return
    with pytest.warns(ShiftSegWarning, match="says that it has 6 planes, and has 4"):
        (image,) = open_tiff(path)
    assert image.pixels.shape == (4, 64, 128) and image.calibration.known_axes is None


def test_an_image_that_was_cut_out_of_several_keeps_what_its_ome_says(path):
    image = (
        '<Image ID="Image:{0}"><Pixels ID="Pixels:{0}" DimensionOrder="XYZCT" Type="uint16" '
        'SizeX="6" SizeY="5" SizeZ="1" SizeC="1" SizeT="1" PhysicalSizeX="0.5" PhysicalSizeY="0.5">'
        '<TiffData IFD="{0}" PlaneCount="1"/></Pixels></Image>'
    )
    namespace = "http://www.openmicroscopy.org/Schemas/OME/2016-06"
    ome = f'<OME xmlns="{namespace}">{image.format(0)}{image.format(1)}</OME>'
    tifffile.imwrite(path, numbers(5, 6).astype(np.uint16), metadata=None, description=ome)
    (opened_image,) = open_tiff(path)
    assert opened_image.calibration.scale == (0.5, 0.5)


def test_a_plane_that_was_made_of_a_stack_is_not_said_to_be_cut_off(path):
    words = "ImageJ=1.53t\nimages=6\nslices=6\n"
    tifffile.imwrite(path, numbers(5, 6).astype(np.uint16), metadata=None, description=words)
    assert open_tiff(path)[0].calibration.known_axes == "yx"
