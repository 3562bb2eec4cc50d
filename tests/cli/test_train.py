"""What a person who trains on the command line may do, and is told."""

import os
import signal

import imagecodecs
import numpy as np
import pytest
import tifffile

from napari_shiftseg.samples.discs import disc_image
from napari_shiftseg.training import run as training_run
from napari_shiftseg.training.checkpoint import steps_done


@pytest.fixture
def words(tmp_path):
    """A command that trains on two of four images and validates after two steps of four."""
    for kind, index in (("images", 0), ("masks", 1)):
        (tmp_path / "pack" / kind).mkdir(parents=True)
        for spacing in (12, 13, 14, 15):
            pixels = disc_image(40, spacing)[index].astype(np.uint8)
            tifffile.imwrite(tmp_path / "pack" / kind / f"{spacing}.tif", pixels)
    return [
        "train", "--data", tmp_path / "pack", "-o", tmp_path / "m.safetensors", "--levels", 1,
        "--maps", 2, "--window", 8, "--steps", 4, "--validate-every", 2, "--hold-out", 0.5,
    ]  # fmt: skip


class TestResume:
    def test_with_other_settings_is_refused_in_one_line(self, shiftseg, words, tmp_path):
        assert shiftseg(*words).code == 0
        refused = shiftseg(*words, "--overwrite", "--elastic", 1)
        assert refused.code == 2
        assert "m.checkpoint holds a training with other settings" in refused.err
        assert "elastic was 0.0, is 1.0." in refused.err
        assert len(refused.err.splitlines()) == 1

    def test_for_more_steps_is_not(self, shiftseg, words, tmp_path):
        assert shiftseg(*words).code == 0
        more = [6 if word == 4 else word for word in words]
        assert shiftseg(*more, "--overwrite", "--device", "cpu").code == 0
        assert steps_done(tmp_path / "m.checkpoint") == 6


def test_a_learning_rate_that_is_too_high_ends_in_one_line(shiftseg, words, tmp_path):
    assert shiftseg(*words).code == 0
    more = [500 if word == 4 else word for word in words]
    ended = shiftseg(*more, "--overwrite", "--learning-rate", 1000)
    assert ended.code == 2 and "Traceback" not in ended.err
    assert "try a learning rate below 1000; the checkpoint of step 4 is kept" in ended.err
    assert steps_done(tmp_path / "m.checkpoint") == 4


def test_too_little_memory_ends_in_one_line(shiftseg, words, tmp_path, monkeypatch):
    assert shiftseg(*words).code == 0

    def fails(*_):
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory: 40000000000 bytes\nmore")

    monkeypatch.setattr("napari_shiftseg.training.windows.Windows.predict", fails)
    ended = shiftseg(*[8 if word == 4 else word for word in words], "--overwrite")
    assert ended.code == 2 and "Traceback" not in ended.err
    assert "try a smaller window, batch or number of maps; the checkpoint of step 4" in ended.err


def test_what_has_trained_no_step_stands_in_no_way(shiftseg, words, tmp_path, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr("napari_shiftseg.training.crops._turned", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            shiftseg(*words)
    assert not (tmp_path / "m.checkpoint").exists()


@pytest.mark.parametrize("window", [240, 204])
def test_the_discs_fill_an_image_that_holds_the_window(shiftseg, tmp_path, window):
    words = ("--data", "discs:13", "--maps", 2, "--steps", 1, "--convolutions", 1)
    answer = shiftseg("train", *words, "--window", window, "-o", tmp_path / "m.safetensors")
    assert answer.code == 0, answer.err


class TestColours:
    """A pack of PNGs in colours, of which one is a grey picture."""

    @pytest.fixture
    def pack(self, tmp_path):
        image, mask = disc_image(40, 12)
        for kind in ("images", "masks"):
            (tmp_path / "colours" / kind).mkdir(parents=True)
        colours = np.stack([200 * image, 100 * image, 50 * image], -1).astype(np.uint8)
        for name, pixels in (("a", colours), ("b", np.repeat(colours[..., :1], 3, axis=-1))):
            png = imagecodecs.png_encode(pixels)
            (tmp_path / "colours" / "images" / f"{name}.png").write_bytes(png)
            png = imagecodecs.png_encode(mask.astype(np.uint8))
            (tmp_path / "colours" / "masks" / f"{name}.png").write_bytes(png)
        return tmp_path / "colours"

    def test_is_trained_on_and_evaluated(self, shiftseg, words, pack, tmp_path):
        words = [pack if word == tmp_path / "pack" else word for word in words]
        answer = shiftseg(*words, "--channels", 3)
        assert answer.code == 0, answer.err
        model = tmp_path / "m.safetensors"
        assert shiftseg("evaluate", "-m", model, "--data", pack).code == 0

    def test_fits_no_network_of_one_channel(self, shiftseg, words, pack, tmp_path):
        answer = shiftseg(*[pack if word == tmp_path / "pack" else word for word in words])
        assert answer.code == 2
        assert "a has an image of shape (40, 40, 3)" in answer.err


class TestInterruption:
    def test_in_a_validation_waits_for_one_image_and_goes_on_later(
        self, shiftseg, words, tmp_path, monkeypatch
    ):
        seen, evaluate_events = [], training_run.evaluate_events
        # A shell has its background jobs ignore Ctrl-C; this test may be one.
        signal.signal(signal.SIGINT, signal.default_int_handler)

        def interrupted(model, pairs, **options):
            for scores in evaluate_events(model, pairs, **options):
                seen.append(scores.images)
                os.kill(os.getpid(), signal.SIGINT)
                yield scores

        with monkeypatch.context() as patched:
            patched.setattr(training_run, "evaluate_events", interrupted)
            stopped = shiftseg(*words)
        assert stopped.code == 130 and seen == [1]
        assert "stopped after step 2; the same command goes on from" in stopped.err
        assert steps_done(tmp_path / "m.checkpoint") == 2
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
        assert shiftseg(*words).code == 0
        assert steps_done(tmp_path / "m.checkpoint") == 4
