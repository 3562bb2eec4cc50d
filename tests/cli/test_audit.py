"""``shiftseg audit``: what a network needs to be tiled, and what tilers make of it."""

import json
import warnings

import numpy as np
import pytest
import tifffile
import torch
from torch import nn

from napari_shiftseg.image.files import open_image
from napari_shiftseg.network_audit.foreign import load_foreign


def recorded(path, *more):
    torch.manual_seed(0)
    network = nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1),
        *more,
        nn.MaxPool2d(2),
        nn.ConvTranspose2d(4, 2, 2, stride=2),
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # TorchScript is on its way out
        torch.jit.trace(network, torch.zeros(1, 1, 32, 32)).save(path)
    return path


def test_a_bundled_model(shiftseg):
    answer = shiftseg("audit", "nuclei-2d")
    assert answer.code == 0
    assert "period            8 px" in answer.out
    assert "weights           SHA-256 " in answer.out
    assert "Can be tiled exactly: output tiles of n * 8 px" in answer.out


def test_a_recorded_network_on_an_image(shiftseg, tmp_path):
    file = recorded(tmp_path / "network.pt")
    image = np.random.default_rng(0).integers(0, 4000, (90, 90), np.uint16)
    tifffile.imwrite(tmp_path / "image.tif", image)
    answer = shiftseg("audit", file, "--image", tmp_path / "image.tif", "--window", 20)
    assert answer.code == 0
    assert "Corrected tiling equals one pass over the whole image." in answer.out
    assert "linspace, tapered (Cellpose)" in answer.out
    report = shiftseg(
        "audit", file, "--image", tmp_path / "image.tif", "--window", 20, "--json", "-"
    )
    values = json.loads(report.out)
    assert values["period"] == [2, 2]
    assert values["tilings"]["certified"] is True
    assert len(values["weights_sha256"]) == 64
    assert values["tilings"]["sha256"] == values["weights_sha256"]
    assert values["tilings"]["corrected"]["misaligned"] == 0


def test_a_network_that_cannot_be_tiled_is_named_all_the_same(shiftseg, tmp_path):
    file = recorded(tmp_path / "network.pt", nn.InstanceNorm2d(4))
    tifffile.imwrite(tmp_path / "image.tif", np.zeros((90, 90), np.uint16))
    answer = shiftseg("audit", file, "--image", tmp_path / "image.tif")
    assert answer.code == 2
    assert "network           Sequential, 2-D" in answer.out
    assert "the whole tile goes into aten::instance_norm, and this cannot be frozen" in answer.out
    assert "image.tif was not tiled" in answer.err


def test_other_numbers_than_the_models(shiftseg):
    answer = shiftseg("audit", "nuclei-2d", "--ndim", 3)
    assert answer.code == 2
    assert "the model takes 2 axes, not 3" in answer.err


def test_code_needs_consent(shiftseg):
    answer = shiftseg("audit", "monai.networks.nets:UNet")
    assert answer.code == 2
    assert "--trust-code" in answer.err


def test_a_networks_output_as_an_image(shiftseg, tmp_path):
    file = recorded(tmp_path / "network.pt")
    image = np.random.default_rng(0).integers(0, 4000, (62, 90), np.uint16)
    tifffile.imwrite(tmp_path / "image.tif", image)
    output, labels = tmp_path / "output.tif", tmp_path / "labels.tif"
    arguments = ("predict", file, tmp_path / "image.tif", "-o", output)
    answer = shiftseg(*arguments, "--labels", labels, "--embedding", 0, 1, "--bandwidth", 0.1)
    assert answer.code == 0
    assert "px more on each side: they equal one pass over the whole image." in answer.out
    assert tifffile.imread(output).shape == (2, 62, 90)
    assert tifffile.imread(labels).shape == (62, 90)
    assert shiftseg(*arguments).code == 2  # the file exists
    assert open_image(labels).provenance["clustering"]["bandwidth"] == 0.1
    output.unlink()
    wrong = shiftseg(*arguments, "--overwrite", "--labels", labels, "--embedding", 2)
    assert "the output has 0 to 1" in wrong.err
    assert not output.exists()


def test_an_illegal_tile_of_a_known_network_is_refused_unmeasured(shiftseg, image_file, tmp_path):
    wrong = shiftseg("predict", "nuclei-2d", image_file, "-o", tmp_path / "o.tif", "--tile", 100)
    assert wrong.code == 2 and "nearest: 96 or 104" in wrong.err
    assert "measuring" not in wrong.err


@pytest.mark.parametrize("scaled", [None, "none", "standard", "percentile"])
def test_a_network_sees_the_pixels_as_they_are_or_as_one_says(shiftseg, tmp_path, scaled):
    file = recorded(tmp_path / "network.pt")
    image = np.random.default_rng(0).integers(0, 4000, (60, 90), np.uint16)
    tifffile.imwrite(tmp_path / "image.tif", image)
    output = tmp_path / "output.tif"
    words = () if scaled is None else ("--intensity", scaled)
    arguments = ("predict", file, tmp_path / "image.tif", "-o", output)
    assert shiftseg(*arguments, *words).code == 0
    low, high = np.percentile(image, (1, 99.8))
    expected = {
        "standard": (image - image.mean()) / image.std(),
        "percentile": (image - low) / (high - low),
    }.get(scaled, image)
    pixels = torch.from_numpy(np.ascontiguousarray(expected, np.float32))[None, None]
    with torch.no_grad():
        seen = load_foreign(str(file)).module(pixels)[0].numpy()
    # The border is the image's reflection here, and zeros in one pass.
    np.testing.assert_allclose(
        tifffile.imread(output)[:, 2:-2, 2:-2], seen[:, 2:-2, 2:-2], rtol=1e-3, atol=1e-3
    )
    assert open_image(output).provenance["intensity"]["kind"] == (scaled or "none")


def test_labels_of_a_bundled_model_are_those_of_segment_alone(shiftseg, tmp_path):
    tifffile.imwrite(tmp_path / "image.tif", np.zeros((40, 40), np.uint8))
    words = ("predict", "nuclei-2d", tmp_path / "image.tif", "-o", tmp_path / "output.tif")
    answer = shiftseg(*words, "--labels", tmp_path / "labels.tif", "--embedding", 0, 1)
    assert answer.code == 2 and "clustered by shiftseg segment" in answer.err


def test_seams_that_need_consent_to_be_removed(shiftseg, tmp_path):
    tifffile.imwrite(tmp_path / "image.tif", np.zeros((96, 96), np.uint8))
    arguments = ("predict", "monai.networks.nets:BasicUNet", tmp_path / "image.tif")
    answer = shiftseg(*arguments, "-o", tmp_path / "output.tif", "--trust-code", "--ndim", 3)
    assert answer.code == 2
    assert not (tmp_path / "output.tif").exists()


def test_frames_of_a_stack_are_predicted_each_alone(shiftseg, tmp_path):
    file = recorded(tmp_path / "network.pt")
    stack = np.random.default_rng(0).integers(0, 4000, (3, 61, 50), np.uint16)
    tifffile.imwrite(tmp_path / "stack.tif", stack, imagej=True, metadata={"axes": "TYX"})
    tifffile.imwrite(tmp_path / "last.tif", stack[2])
    words = ("--embedding", 0, 1, "--bandwidth", 0.02, "--min-size", 1)
    for name in ("stack", "last"):
        output, labels = tmp_path / f"{name}-output.tif", tmp_path / f"{name}-labels.tif"
        source = tmp_path / f"{name}.tif"
        answer = shiftseg("predict", file, source, "-o", output, "--labels", labels, *words)
        assert answer.code == 0, answer.err
    output, labels = (tifffile.imread(tmp_path / f"stack-{n}.tif") for n in ("output", "labels"))
    assert output.shape == (2, 3, 61, 50) and labels.shape == stack.shape
    np.testing.assert_array_equal(output[:, 2], tifffile.imread(tmp_path / "last-output.tif"))
    last = tifffile.imread(tmp_path / "last-labels.tif")
    assert last.max() > 0
    np.testing.assert_array_equal(labels[2] > 0, last > 0)
    assert labels[2][last > 0].min() > labels[:2].max()


def test_an_image_of_several_channels_is_not_taken_for_a_stack(shiftseg, tmp_path):
    file = recorded(tmp_path / "network.pt")
    pixels = np.zeros((2, 61, 50), np.uint16)
    tifffile.imwrite(tmp_path / "image.tif", pixels, imagej=True, metadata={"axes": "CYX"})
    answer = shiftseg("predict", file, tmp_path / "image.tif", "-o", tmp_path / "output.tif")
    assert answer.code == 2
    assert "has several channels, the network takes 1" in answer.err
    assert not (tmp_path / "output.tif").exists()


def test_one_of_several_channels_is_predicted_and_tiled(shiftseg, tmp_path):
    file = recorded(tmp_path / "network.pt")
    pixels = np.random.default_rng(0).integers(0, 4000, (2, 90, 90), np.uint16)
    tifffile.imwrite(tmp_path / "two.tif", pixels, imagej=True, metadata={"axes": "CYX"})
    tifffile.imwrite(tmp_path / "one.tif", pixels[1])
    expected, output = tmp_path / "expected.tif", tmp_path / "output.tif"
    assert shiftseg("predict", file, tmp_path / "one.tif", "-o", expected).code == 0
    answer = shiftseg("predict", file, tmp_path / "two.tif", "-o", output, "--channel", 1)
    assert answer.code == 0, answer.err
    np.testing.assert_array_equal(tifffile.imread(output), tifffile.imread(expected))
    on_image = ("audit", file, "--window", 20, "--json", "-", "--image")
    one, two = (
        json.loads(shiftseg(*on_image, *words).out)["tilings"]
        for words in ((tmp_path / "one.tif",), (tmp_path / "two.tif", "--channel", 1))
    )
    assert one == two


def test_what_would_change_nothing_is_refused(shiftseg, tmp_path):
    file = recorded(tmp_path / "network.pt")
    tifffile.imwrite(tmp_path / "image.tif", np.ones((40, 40), np.uint8))
    words = ("predict", file, tmp_path / "image.tif", "-o", tmp_path / "output.tif")
    for option in (("--embedding", 0, 1), ("--bandwidth", 2), ("--min-size", 3), ("--logits",)):
        answer = shiftseg(*words, *option)
        assert answer.code == 2 and "add --labels FILE" in answer.err
    assert not (tmp_path / "output.tif").exists()


def test_logits_are_those_of_a_channel(shiftseg, tmp_path):
    file = recorded(tmp_path / "network.pt")
    tifffile.imwrite(tmp_path / "image.tif", np.ones((40, 40), np.uint8))
    words = ("predict", file, tmp_path / "image.tif", "-o", tmp_path / "output.tif", "--logits")
    answer = shiftseg(*words, "--labels", tmp_path / "labels.tif", "--embedding", 0)
    assert answer.code == 2 and "add --foreground-channel" in answer.err


def test_settings_of_labels_are_refused_before_the_output_is_computed(shiftseg, tmp_path):
    file = recorded(tmp_path / "network.pt")
    tifffile.imwrite(tmp_path / "image.tif", np.ones((40, 40), np.uint8))
    words = ("predict", file, tmp_path / "image.tif", "-o", tmp_path / "output.tif")
    wrong = shiftseg(*words, "--labels", tmp_path / "l.tif", "--embedding", 0, "--bandwidth", -1)
    assert wrong.code == 2 and "bandwidth is -1.0; legal" in wrong.err
    assert not (tmp_path / "output.tif").exists()


def test_what_another_run_has_written_meanwhile_stays(shiftseg, tmp_path, monkeypatch):
    from napari_shiftseg.cli import predict

    file, output = recorded(tmp_path / "network.pt"), tmp_path / "output.tif"
    tifffile.imwrite(tmp_path / "image.tif", np.ones((40, 40), np.uint8))

    def computed(*arguments, **words):
        output.write_text("another's")
        return predict_exactly_events(*arguments, **words)

    predict_exactly_events = predict.predict_exactly_events
    monkeypatch.setattr(predict, "predict_exactly_events", computed)
    answer = shiftseg("predict", file, tmp_path / "image.tif", "-o", output)
    assert answer.code == 2 and "output.tif exists" in answer.err
    assert output.read_text() == "another's"


def test_how_many_channels_a_recorded_network_takes_can_be_said(shiftseg, tmp_path):
    file = recorded(tmp_path / "network.pt")
    channels = np.ones((3, 40, 40), np.uint8)
    tifffile.imwrite(tmp_path / "image.ome.tif", channels, metadata={"axes": "CYX"})
    answer = shiftseg("predict", file, tmp_path / "image.ome.tif", "-o", tmp_path / "o.tif")
    assert answer.code == 2 and "--channel 0" in answer.err and "--channels" in answer.err


def test_a_rest_that_the_network_drops_is_said_once(shiftseg, tmp_path):
    file = recorded(tmp_path / "network.pt")
    stack = np.random.default_rng(0).integers(0, 4000, (3, 61, 90), np.uint16)
    tifffile.imwrite(tmp_path / "stack.tif", stack, imagej=True, metadata={"axes": "TYX"})
    answer = shiftseg("predict", file, tmp_path / "stack.tif", "-o", tmp_path / "output.tif")
    assert answer.code == 0
    assert answer.err.count("axis 0 the network treats the end of 61 px") == 1
    assert "they equal one pass over the whole image completed at its end." in answer.out


@pytest.mark.parametrize(("more", "code"), [((), 0), ((nn.InstanceNorm2d(4),), 3)])
def test_strict_ends_with_a_code_of_its_own(shiftseg, tmp_path, more, code):
    file = recorded(tmp_path / "network.pt", *more)
    tifffile.imwrite(tmp_path / "image.tif", np.random.default_rng(0).random((90, 90), np.float32))
    assert shiftseg("audit", file, "--strict").code == code
    assert shiftseg("audit", file, "--strict", "--image", tmp_path / "image.tif").code == code
    assert shiftseg("audit", file).code == 0


def test_an_output_of_another_scale_is_reported_before_it_is_refused(shiftseg, tmp_path):
    network = nn.Sequential(nn.Conv2d(1, 4, 3, stride=2, padding=1), nn.ReLU())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.trace(network, torch.zeros(1, 1, 32, 32)).save(tmp_path / "half.pt")
    tifffile.imwrite(tmp_path / "image.tif", np.zeros((90, 90), np.uint16))
    answer = shiftseg("audit", tmp_path / "half.pt", "--image", tmp_path / "image.tif")
    assert answer.code == 2
    assert "The output has 0.5 times the size of the image" in answer.out
    assert "image.tif was not tiled" in answer.err


def test_a_network_that_only_frozen_equals_one_pass_says_which(shiftseg, tmp_path):
    (tmp_path / "normed.py").write_text(
        "from torch import nn\n"
        "def network():\n"
        "    return nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.InstanceNorm2d(4)).eval()\n"
    )
    pixels = np.random.default_rng(0).integers(0, 4000, (90, 90), np.uint16)
    tifffile.imwrite(tmp_path / "image.tif", pixels)
    words = ("audit", f"{tmp_path / 'normed.py'}:network", "--trust-code", "--strict")
    answer = shiftseg(*words, "--image", tmp_path / "image.tif")
    assert answer.code == 3
    assert "Corrected tiling does not equal one pass of the network as it is" in answer.out


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--window", 32), "--window is for an image, and no image is named"),
        (("--channel", "0"), "--channel is for an image"),
        (("--intensity", "none"), "--intensity is for an image"),
        (("--channels", 0), "channels is 0; legal: from 1 on"),
        (("--ndim", 0), "ndim is 0; legal: 1, 2 or 3"),
    ],
)
def test_numbers_that_say_nothing_are_refused(shiftseg, tmp_path, words, says):
    answer = shiftseg("audit", recorded(tmp_path / "network.pt"), *words)
    assert answer.code == 2 and says in answer.err


def test_one_input_size_is_that_of_all_axes(shiftseg, tmp_path):
    file = recorded(tmp_path / "network.pt")
    answers = [shiftseg("audit", file, "--input-size", *size) for size in ((32,), (32, 32))]
    assert answers[0].code == 0 and answers[0].out == answers[1].out
