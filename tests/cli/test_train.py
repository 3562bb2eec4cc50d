"""What a person who trains on the command line may do, and is told."""

import os
import signal

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
    ended = shiftseg(*more, "--overwrite", "--learning-rate", 1e30)
    assert ended.code == 2 and "Traceback" not in ended.err
    assert "try a learning rate below 1e+30; the checkpoint of step 4 is kept" in ended.err
    assert steps_done(tmp_path / "m.checkpoint") == 4


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
