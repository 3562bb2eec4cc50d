"""Whatever happens meanwhile: no half file has the final name, nothing of the user's goes."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
import tifffile
from networks import save_tiny

from napari_shiftseg import files
from napari_shiftseg.blockwise.segment_file import segment_file
from napari_shiftseg.embeddings.model import load_model
from napari_shiftseg.errors import ShiftSegError
from napari_shiftseg.files import file_beside, folder_beside
from napari_shiftseg.image.calibration import Calibration
from napari_shiftseg.image.files import open_image, write_labels
from napari_shiftseg.pipeline import segment

pytestmark = pytest.mark.trust("fault")

FORMER = b"the user's own"


@pytest.fixture
def image(tmp_path):
    path = tmp_path / "cells.tif"
    pixels = np.random.default_rng(0).integers(0, 255, (400, 400), np.uint8)
    tifffile.imwrite(path, pixels)
    return path


def started(*words):
    command = [sys.executable, "-m", "napari_shiftseg", *map(str, words)]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )  # fmt: skip


SIGNALS = {  # the negative ones while Python itself is not up yet, or no more
    signal.SIGINT: {130, -signal.SIGINT, 0},
    signal.SIGTERM: {143, -signal.SIGTERM, 0},
    signal.SIGKILL: {-signal.SIGKILL, 0},
}
MOMENTS = [0.05, 0.3, 0.6, 0.8, 0.9, 0.95, 1.0]
"""Fractions of the time that the command takes undisturbed."""


@pytest.fixture(scope="session")
def duration(tmp_path_factory):
    folder = tmp_path_factory.mktemp("undisturbed")
    model = save_tiny(folder / "tiny.safetensors")
    tifffile.imwrite(folder / "cells.tif", np.ones((400, 400), np.uint8))
    start = time.monotonic()
    done = started("segment", folder / "cells.tif", "-m", model, "-o", folder / "labels.tif")
    done.communicate(timeout=240)
    return time.monotonic() - start


@pytest.mark.slow_trust
@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("number", SIGNALS, ids=lambda number: number.name)
def test_stopped_at_any_moment(tmp_path, model, image, lost, duration, number, moment):
    output = tmp_path / "labels.tif"
    output.write_bytes(FORMER)
    original = image.read_bytes()
    process = started("segment", image, "-m", model, "-o", output, "--overwrite")
    time.sleep(moment * duration)
    process.send_signal(number)
    _, said = process.communicate(timeout=240)
    assert process.returncode in SIGNALS[number], said
    assert "Traceback" not in said
    kept = output.read_bytes()
    if kept != FORMER:
        assert open_image(output).pixels.shape == (400, 400)
    lost(len(original) if image.read_bytes() != original else 0)


@pytest.mark.slow_trust
def test_after_a_kill_the_same_command_goes_through(tmp_path, model, image, lost):
    output = tmp_path / "labels.tif"
    (tmp_path / ".labels.tif.part").write_bytes(b"half")
    process = started("segment", image, "-m", model, "-o", output)
    _, said = process.communicate(timeout=240)
    assert process.returncode == 0, said
    assert not (tmp_path / ".labels.tif.part").exists()
    lost(0 if open_image(output).pixels.shape == (400, 400) else 1)


def test_terminating_removes_what_is_half_written(tmp_path, monkeypatch, shiftseg, model, image):
    """In process: the signal comes while the file is being written."""

    def slow(path, *_, **__):
        path.write_bytes(b"II*\0half")
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(5)

    monkeypatch.setattr(tifffile, "imwrite", slow)
    before = sorted(tmp_path.iterdir())
    answer = shiftseg("segment", image, "-m", model, "-o", tmp_path / "labels.tif")
    assert answer.code == 143
    assert answer.err.strip().splitlines()[-1] == "shiftseg: terminated"
    assert sorted(tmp_path.iterdir()) == before
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL


def test_outside_of_the_main_thread_commands_run_too(tmp_path, model, shiftseg):
    answers = []
    thread = threading.Thread(target=lambda: answers.append(shiftseg("models", model)))
    thread.start()
    thread.join()
    assert answers[0].code == 0, answers[0].err


def full_after(monkeypatch, room):
    """Have the disk take so many bytes more, and then none."""
    written = 0
    real = os.fsync

    def fsync(number):
        nonlocal written
        written += os.fstat(number).st_size
        if written > room:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(number)

    monkeypatch.setattr(files.os, "fsync", fsync)


def test_a_disk_that_is_full_only_when_it_is_asked(tmp_path, monkeypatch, shiftseg, model, image):
    output = tmp_path / "labels.tif"
    output.write_bytes(FORMER)
    full_after(monkeypatch, 0)
    before = sorted(tmp_path.iterdir())
    answer = shiftseg("segment", image, "-m", model, "-o", output, "--overwrite")
    assert answer.refused, answer.err
    assert "No space left on device" in answer.err
    assert output.read_bytes() == FORMER
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize("room", [3_000, 30_000, 300_000])
def test_a_disk_that_fills_up_between_blocks(tmp_path, monkeypatch, lost, model, image, room):
    """What was finished counts when there is room again."""
    output = tmp_path / "labels.tif"
    how = {"model": str(model), "block_pixels": 100 * 100}
    full_after(monkeypatch, room)
    with pytest.raises(ShiftSegError, match="No space left on device"):
        segment_file(image, output, **how)
    assert not output.exists()
    kept = set((tmp_path / "labels.tif.unfinished").glob("*"))
    assert not [path for path in kept if path.name.endswith(".part")]
    monkeypatch.undo()
    segment_file(image, output, **how)
    whole = segment(tifffile.imread(image), load_model(model)).labels
    lost(int((open_image(output).pixels != whole).sum()))
    assert not (tmp_path / "labels.tif.unfinished").exists()


@pytest.fixture
def plate(tmp_path):
    """Three images in a folder."""
    folder = tmp_path / "plate"
    folder.mkdir()
    for number in range(3):
        pixels = np.random.default_rng(number).integers(0, 255, (200, 200), np.uint8)
        tifffile.imwrite(folder / f"{number}.tif", pixels)
    return folder


def test_a_disk_that_is_full_for_one_of_a_batch(tmp_path, monkeypatch, shiftseg, model, plate):
    real, out = os.fsync, tmp_path / "out"

    def fsync(number):
        if (out / ".1.tif.part").exists():
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(number)

    monkeypatch.setattr(files.os, "fsync", fsync)
    shiftseg("batch", plate, "-m", model, "-o", out)
    assert sorted(p.name for p in out.iterdir()) == ["0.tif", "2.tif", "report.csv"]
    rows = (out / "report.csv").read_text().splitlines()
    assert "No space left on device" in rows[2]
    monkeypatch.undo()
    assert shiftseg("batch", plate, "-m", model, "-o", out, "--overwrite").code == 0
    assert (out / "1.tif").exists()


@pytest.mark.slow_trust
def test_a_batch_that_is_killed_goes_on_where_it_was(tmp_path, shiftseg, lost, model, plate):
    out = tmp_path / "out"
    process = started("batch", plate, "-m", model, "-o", out)
    while not (out / "0.tif").exists():
        assert process.poll() is None
    process.kill()
    process.communicate(timeout=240)
    before = {path: path.read_bytes() for path in out.glob("[0-9].tif")}
    assert shiftseg("batch", plate, "-m", model, "-o", out, "--overwrite").code == 0
    lost(sum(len(old) for path, old in before.items() if path.read_bytes() != old))
    for image in plate.iterdir():
        whole = segment(tifffile.imread(image), load_model(model)).labels
        np.testing.assert_array_equal(open_image(out / image.name).pixels, whole)


@pytest.mark.parametrize("room", [100, 4000])
@pytest.mark.parametrize("suffix", [".tif", ".ome.zarr"])
def test_a_disk_that_is_full_after_some_bytes(tmp_path, monkeypatch, lost, room, suffix):
    """Every write of Python's counts, also those of the threads of Zarr."""
    path = tmp_path / f"labels{suffix}"
    labels = np.random.default_rng(0).integers(0, 9, (300, 300))
    write_labels(path, np.ones_like(labels), axes="yx")
    monkeypatch.setattr("builtins.open", limited(open, room))
    monkeypatch.setattr("io.open", limited(open, room))
    with pytest.raises(ShiftSegError, match="cannot be written: No space left"):
        write_labels(path, labels, axes="yx")
    monkeypatch.undo()
    lost(int((open_image(path).pixels != 1).sum()))
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def limited(real, room):
    """Open files that share so many bytes of room."""
    left = [room]

    def opened(file, mode="r", *args, **kwargs):
        handle = real(file, mode, *args, **kwargs)
        return Full(handle, left) if set(mode) & set("wax+") else handle

    return opened


class Full:
    """A file on a disk that fills up."""

    def __init__(self, handle, left):
        self._handle, self._left = handle, left

    def __getattr__(self, name):
        return getattr(self._handle, name)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._handle.close()

    def write(self, content):
        self._left[0] -= memoryview(content).nbytes if not isinstance(content, str) else 1
        if self._left[0] < 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return self._handle.write(content)


def test_a_folder_that_may_not_be_written(tmp_path, monkeypatch, shiftseg, model, image):
    """Injected: who runs the tests may be root."""

    def refuse(*_, **__):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(tifffile, "imwrite", refuse)
    answer = shiftseg("segment", image, "-m", model, "-o", tmp_path / "labels.tif")
    assert answer.refused, answer.err
    assert "labels.tif cannot be written: Permission denied" in answer.err
    assert not (tmp_path / "labels.tif").exists()


def test_a_link_stays_a_link(tmp_path, lost):
    real, link = tmp_path / "real.tif", tmp_path / "link.tif"
    real.write_bytes(FORMER)
    link.symlink_to(real)
    write_labels(link, np.ones((5, 6), int), axes="yx")
    assert link.is_symlink()
    assert open_image(real).pixels.shape == (5, 6)
    lost(0)


def test_a_link_to_a_folder_stays_a_link(tmp_path):
    real, link = tmp_path / "disk" / "real.zarr", tmp_path / "link.zarr"
    real.parent.mkdir()
    for value in (1, 2):
        if value == 2:
            link.symlink_to(real)
        write_labels(real if value == 1 else link, np.full((5, 6), value), axes="yx")
    assert link.is_symlink()
    assert open_image(real).pixels.max() == 2
    assert sorted(p.name for p in tmp_path.rglob("*.zarr")) == ["link.zarr", "real.zarr"]
    assert [p.name for p in real.parent.iterdir()] == ["real.zarr"]


def test_a_link_that_leads_back_to_itself_is_not_replaced(tmp_path):
    link = tmp_path / "link.tif"
    link.symlink_to(link)
    with pytest.raises(ShiftSegError, match="leads back to itself"):
        write_labels(link, np.ones((5, 6), int), axes="yx")
    assert link.is_symlink()


@pytest.mark.parametrize("beside", [file_beside, folder_beside])
def test_a_name_as_long_as_there_are(tmp_path, beside):
    path = tmp_path / ("n" * 255)
    with beside(path) as partial:
        partial.mkdir() if beside is folder_beside else partial.write_text("new")
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("size", [1e-300, 1e-12, 1e-9, 1e12, 1e300])
def test_sizes_of_pixels_that_tiff_has_no_numbers_for_are_kept(tmp_path, size):
    calibration = Calibration.of("yx", (size, size), ("micrometer",) * 2)
    write_labels(tmp_path / "a.tif", np.ones((5, 6), int), axes=calibration)
    assert open_image(tmp_path / "a.tif").calibration == calibration


@pytest.mark.slow_trust
@pytest.mark.parametrize("words", [("models", "--json", "-"), ("segment", "--help")])
def test_an_output_that_nobody_reads(words):
    process = started(*words)
    process.stdout.close()
    said = process.stderr.read()
    assert process.wait(timeout=240) == 141, said
    assert said == ""
    process.stderr.close()


@pytest.mark.slow_trust
@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("words", [("models",), ("models", "--json", "-"), ("--help",)])
def test_an_output_on_a_full_disk(unbuffered, words):
    """With little to print, Python tries only at its end; ``--json`` prints more at once."""
    with open("/dev/full", "w") as full:
        command = [sys.executable, "-m", "napari_shiftseg", *words]
        env = os.environ | {"PYTHONUNBUFFERED": unbuffered}
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, env=env)
    assert (done.returncode, done.stderr) == (2, "shiftseg: No space left on device\n")


@pytest.mark.slow_trust
def test_names_that_the_terminal_has_no_letters_for(tmp_path, model):
    path = tmp_path / "細胞.tif"
    tifffile.imwrite(path, np.ones((24, 20), np.uint8))
    command = [sys.executable, "-m", "napari_shiftseg", "segment", str(path), "-m", str(model)]
    done = subprocess.run(
        [*command, "-o", str(tmp_path / "ядро.tif")], capture_output=True, text=True,
        env=os.environ | {"PYTHONIOENCODING": "ascii"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "ядро.tif").exists()


def test_two_outputs_of_one_name_are_refused(tmp_path, shiftseg, model, image):
    same = tmp_path / "labels.tif"
    for other in (same, tmp_path / "." / "labels.tif"):
        answer = shiftseg(
            "segment", image, "-m", model, "-o", same, "--embeddings", other, "--overwrite"
        )
        assert answer.refused, answer.err
        assert "two outputs have the same name" in answer.err
        assert not same.exists()
