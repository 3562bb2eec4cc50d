"""``--channel``: the labels of one channel of an image are those of that channel alone."""

import json

import imagecodecs
import numpy as np
import pytest
import tifffile

from napari_shiftseg.image.files import open_image, write_image


@pytest.fixture
def pixels(image_file):
    return tifffile.imread(image_file)


@pytest.fixture
def stained(pixels, tmp_path):
    """Two channels with names, of which the second is the image of all other tests."""
    path = tmp_path / "stained.ome.tif"
    channels = {"axes": "CYX", "Channel": {"Name": ["GFP", "DAPI"]}}
    tifffile.imwrite(path, np.stack([pixels[::-1], pixels]), metadata=channels)
    return path


@pytest.fixture
def segmented(shiftseg, model_file, tmp_path):
    def call(image, *words):
        output = tmp_path / f"labels{len(list(tmp_path.glob('labels*')))}.tif"
        answer = shiftseg("segment", image, "-m", model_file, "-o", output, *words)
        assert answer.code == 0, answer.err
        return open_image(output)

    return call


@pytest.mark.parametrize("channel", ["1", "DAPI", "dapi"])
@pytest.mark.parametrize("how", [(), ("--workers", "1")], ids=["at once", "in blocks"])
def test_a_channel_is_segmented_alone(segmented, stained, image_file, channel, how):
    labels = segmented(stained, "--channel", channel, *how)
    assert np.array_equal(labels.pixels, segmented(image_file).pixels)
    assert labels.calibration.axes == "yx"
    assert labels.provenance["channel"] == 1


def test_a_colour_is_a_channel(segmented, pixels, image_file, tmp_path):
    colours = np.stack([pixels[::-1], pixels, pixels[:, ::-1]], axis=-1)
    path = tmp_path / "colours.png"
    path.write_bytes(imagecodecs.png_encode(colours))
    labels = segmented(path, "--channel", "green")
    assert np.array_equal(labels.pixels, segmented(image_file).pixels)


def test_axes_that_the_file_does_not_know_can_be_named(segmented, pixels, image_file, tmp_path):
    path = tmp_path / "stack.tif"
    tifffile.imwrite(path, np.stack([pixels[::-1], pixels], axis=1), photometric="minisblack")
    labels = segmented(path, "--axes", "ycx", "--channel", "1")
    assert np.array_equal(labels.pixels, segmented(image_file).pixels)


def test_an_image_of_one_channel_has_channel_0(shiftseg, image_file, model_file, tmp_path):
    common = ("batch", tmp_path, "--pattern", "cells*", "-m", model_file, "-o", tmp_path / "out")
    assert shiftseg(*common).code == 0
    assert "1 kept" in shiftseg(*common, "--channel", "0").out


@pytest.mark.parametrize("command", ["compare", "sweep"])
def test_modes_and_tile_sizes_are_compared_on_a_channel(
    shiftseg, stained, image_file, model_file, tmp_path, command
):
    common = (command, "-m", model_file, "--tile", 10, "--json", "-", "-o")
    whole = shiftseg(*common, tmp_path / "a", image_file)
    answer = shiftseg(*common, tmp_path / "b", stained, "--channel", "DAPI")
    assert answer.code == 0, answer.err
    assert json.loads(answer.out) == json.loads(whole.out)


def test_certify_measures_on_a_channel(shiftseg, stained, model_file):
    answer = shiftseg("certify", stained, "-m", model_file, "--channel", "GFP")
    assert answer.code == 0, answer.err
    assert "equal to whole-image inference" in answer.out


def test_a_batch_keeps_no_labels_of_another_channel(shiftseg, stained, model_file, tmp_path):
    common = ("batch", tmp_path, "--pattern", "stained*", "-m", model_file, "-o", tmp_path / "out")
    assert shiftseg(*common, "--channel", "GFP").code == 0
    assert "1 kept" in shiftseg(*common, "--channel", "0").out
    outcome = shiftseg(*common, "--channel", "DAPI")
    assert outcome.code == 2 and "channel" in outcome.err


def test_names_are_compared_without_the_blanks_around_them(segmented, pixels, tmp_path):
    path = tmp_path / "blanks.ome.tif"
    names = {"axes": "CYX", "Channel": {"Name": [" GFP ", "DAPI ", "dapi"]}}
    tifffile.imwrite(path, np.stack([pixels] * 3), metadata=names)
    assert segmented(path, "--channel", "gfp").provenance["channel"] == 0


def test_of_two_channels_of_one_name_the_number_is_wanted(shiftseg, pixels, model_file, tmp_path):
    path = tmp_path / "twice.ome.tif"
    names = {"axes": "CYX", "Channel": {"Name": ["GFP", "DAPI", "DAPI"]}}
    tifffile.imwrite(path, np.stack([pixels] * 3), metadata=names)
    words = ("segment", path, "-m", model_file, "-o", tmp_path / "labels.tif", "--channel", "DAPI")
    answer = shiftseg(*words)
    assert answer.code == 2 and "give the number of one: 1 or 2" in answer.err


def test_predict_takes_the_axes_that_a_file_does_not_name(
    shiftseg, pixels, image_file, model_file, tmp_path
):
    stack = tmp_path / "stack.tif"
    tifffile.imwrite(stack, np.stack([pixels[::-1], pixels], axis=1), photometric="minisblack")
    outputs = [tmp_path / "alone.tif", tmp_path / "named.tif"]
    for image, output, words in (
        (image_file, outputs[0], ()),
        (stack, outputs[1], ("--axes", "ycx", "--channel", "1")),
    ):
        answer = shiftseg("predict", model_file, image, "-o", output, *words)
        assert answer.code == 0, answer.err
    alone, named = map(tifffile.imread, outputs)
    assert np.array_equal(alone, named)


def test_a_channel_needs_an_image(shiftseg, model_file):
    answer = shiftseg("certify", "-m", model_file, "--channel", "DAPI")
    assert answer.code == 2 and "no image is named" in answer.err


@pytest.mark.parametrize(
    ("name", "words", "message"),
    [
        ("stained.ome.tif", ("--channel", "Cy5"), "the channel is Cy5; legal: 0 or GFP, 1 or DAPI"),
        ("stained.ome.tif", ("--channel", "2"), "the channel is 2; legal: 0 or GFP, 1 or DAPI"),
        ("cells.tif", ("--channel", "1"), "the channel is 1; legal: 0"),
        ("stack.tif", ("--channel", "1"), "name the axes, as cyx"),
        ("stack.tif", ("--axes", "yx", "--channel", "1"), "do not name the 3 axes"),
    ],
)
def test_what_is_no_channel_is_one_message(
    shiftseg, stained, pixels, image_file, model_file, tmp_path, name, words, message
):
    tifffile.imwrite(tmp_path / "stack.tif", np.stack([pixels, pixels]), photometric="minisblack")
    output = tmp_path / "labels.tif"
    answer = shiftseg("segment", tmp_path / name, "-m", model_file, "-o", output, *words)
    assert answer.code == 2 and not output.exists()
    assert message in " ".join(answer.err.split())


@pytest.mark.parametrize("suffix", [".tif", ".ome.tif", ".ome.zarr"])
@pytest.mark.parametrize("how", [(), ("--workers", "1")], ids=["at once", "in blocks"])
@pytest.mark.parametrize("names", [("GFP", "DAPI", ""), ("red", "green", "blue")])
def test_labels_of_channels_keep_their_names(
    shiftseg, pixels, model_file, tmp_path, suffix, how, names
):
    stained, output = tmp_path / "stained.ome.tif", tmp_path / f"labels{suffix}"
    channels = {"axes": "CYX", "Channel": {"Name": list(names)}}
    tifffile.imwrite(stained, np.stack([pixels] * 3), metadata=channels, photometric="minisblack")
    answer = shiftseg("segment", stained, "-m", model_file, "-o", output, *how)
    assert answer.code == 0, answer.err
    labels = open_image(output)
    assert labels.kind == "labels" and labels.calibration.axes == "cyx"
    assert labels.calibration.channels == names


@pytest.mark.parametrize("suffix", [".tif", ".ome.zarr"])
def test_axes_are_named_as_the_file_has_them_though_colours_are_shown_last(
    segmented, pixels, image_file, tmp_path, suffix
):
    """Three planes are written as red, green and blue by default; what they are can be said."""
    stack = tmp_path / f"stack{suffix}"
    planes = np.stack([pixels, pixels[::-1], pixels[:, ::-1]])
    if suffix == ".tif":
        tifffile.imwrite(stack, planes, photometric="rgb", planarconfig="separate")
    else:
        write_image(stack, np.moveaxis(planes, 0, -1), axes="yxs")
    assert open_image(stack).calibration.axes == "yxs"
    first = segmented(image_file).pixels
    for axes in ("tyx", "cyx"):
        labels = segmented(stack, "--axes", axes)
        assert labels.calibration.axes == axes
        np.testing.assert_array_equal(labels.pixels[0], first)
    labels = segmented(stack, "--axes", "yxt")
    assert labels.pixels.shape == (3, *pixels.shape)


BLANK = np.full((20, 24, 3), 250, np.uint8)


@pytest.fixture
def blank_file(tmp_path):
    """A tile of a stained slide on which there is nothing: its colours are all alike."""
    path = tmp_path / "blank.png"
    path.write_bytes(imagecodecs.png_encode(BLANK))
    return path


@pytest.mark.parametrize("words", [(), ("--axes", "yxc")])
def test_colours_that_are_all_alike_are_colours_to_a_network_of_three_channels(
    shiftseg, blank_file, colour_model_file, tmp_path, words
):
    output = tmp_path / "labels.tif"
    answer = shiftseg("segment", blank_file, "-m", colour_model_file, "-o", output, *words)
    assert answer.code == 0, answer.err
    assert open_image(output).pixels.shape == BLANK.shape[:2]
    for command in ("compare", "sweep"):
        common = (command, blank_file, "-m", colour_model_file, "--tile", 10)
        answer = shiftseg(*common, "-o", tmp_path / command)
        assert answer.code == 0, answer.err
    assert shiftseg("certify", blank_file, "-m", colour_model_file).code == 0


def test_one_of_colours_that_are_all_alike_is_a_channel(segmented, blank_file):
    assert segmented(blank_file, "--channel", "blue").provenance["channel"] == 2


def test_a_grey_image_is_no_image_of_three_channels(
    shiftseg, image_file, colour_model_file, tmp_path
):
    words = ("-m", colour_model_file, "-o", tmp_path / "labels.tif")
    answer = shiftseg("segment", image_file, *words)
    assert answer.code == 2 and "the model needs 2 spatial axes and 3 channel(s)" in answer.err
