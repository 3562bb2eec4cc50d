"""Several processes: the same labels, and none the worse for one that dies."""

import os
import socket
import subprocess
import sys
import warnings
from dataclasses import replace
from functools import partial
from pathlib import Path
from signal import SIGINT, SIGKILL, default_int_handler, signal

import numpy as np
import pytest

from napari_shiftseg.blockwise import run
from napari_shiftseg.blockwise.file_settings import FileSettings
from napari_shiftseg.blockwise.job import Job
from napari_shiftseg.blockwise.predict import predict_block
from napari_shiftseg.blockwise.prepare import prepare
from napari_shiftseg.blockwise.segment_file import segment_file
from napari_shiftseg.blockwise.source import Source
from napari_shiftseg.blockwise.work_folder import WorkFolder
from napari_shiftseg.blockwise.workers import workers_of
from napari_shiftseg.embeddings.model import load_model
from napari_shiftseg.embeddings.model_file import save_model
from napari_shiftseg.errors import ShiftSegError, ShiftSegWarning
from napari_shiftseg.image.files import open_image, write_image
from napari_shiftseg.pipeline import segment
from napari_shiftseg.samples.discs import disc_image

distributed = pytest.importorskip("distributed")
pytestmark = [
    pytest.mark.enable_socket,
    # Of a worker that was killed, its connections are left over.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]

IMAGE, _ = disc_image(90)


def deadly_at_first(graves, job, number):
    """Kill the processes that first come to block 4, one for each of these names."""
    for grave in graves if number == 4 else ():
        if not os.path.exists(grave):
            open(grave, "x").close()
            os.kill(os.getpid(), SIGKILL)
    predict_block(job, number)


def deadly(job, number):
    if number == 4:
        os.kill(os.getpid(), SIGKILL)
    predict_block(job, number)


@pytest.fixture(scope="module")
def files(tmp_path_factory, sensitive_model):
    folder = tmp_path_factory.mktemp("files")
    model, image = folder / "discs.safetensors", folder / "discs.ome.zarr"
    save_model(model, sensitive_model.network, sensitive_model.description)
    write_image(image, IMAGE, axes="yx")
    return image, str(model)


def test_a_region_is_shared_out_too(files, tmp_path):
    image, model = files
    region = (slice(13, 71), slice(5, 88))
    output = tmp_path / "labels.tif"
    segment_file(image, output, model=model, region=region, workers=2, block_pixels=900)
    expected = segment(IMAGE, load_model(model), region=region).labels
    np.testing.assert_array_equal(np.asarray(open_image(output).pixels), expected)


def test_every_worker_reads_the_same_channel(files, tmp_path):
    image, output = tmp_path / "two.ome.zarr", tmp_path / "labels.tif"
    write_image(image, np.stack([IMAGE[::-1], IMAGE]), axes="cyx")
    segment_file(image, output, model=files[1], channel=1, workers=2, block_pixels=900)
    expected = segment(IMAGE, load_model(files[1])).labels
    np.testing.assert_array_equal(np.asarray(open_image(output).pixels), expected)


def test_workers_keep_freed_memory_for_the_next_layer_of_a_network(monkeypatch):
    monkeypatch.delenv("MALLOC_TRIM_THRESHOLD_", raising=False)
    with workers_of(2) as workers:
        assert list(workers.each(os.environ.get, ["MALLOC_TRIM_THRESHOLD_"])) == [None]


@pytest.mark.parametrize("count", [1, 2])
def test_lost_workers_are_survived(files, tmp_path, monkeypatch, count):
    image, model = files
    graves = [tmp_path / f"died-{number}" for number in range(count)]
    monkeypatch.setattr(run, "predict_block", partial(deadly_at_first, list(map(str, graves))))
    output = tmp_path / "labels.tif"
    segment_file(image, output, model=model, workers=2, block_pixels=900)
    assert all(grave.exists() for grave in graves)
    expected = segment(IMAGE, load_model(model)).labels
    np.testing.assert_array_equal(np.asarray(open_image(output).pixels), expected)


def test_a_block_that_kills_every_worker_ends_the_run_in_one_message(files, tmp_path, monkeypatch):
    image, model = files
    monkeypatch.setattr(run, "predict_block", deadly)
    with pytest.raises(ShiftSegError, match="workers were lost over the same"):
        segment_file(image, tmp_path / "labels.tif", model=model, workers=2, block_pixels=900)
    assert not (tmp_path / "labels.tif").exists()


def test_a_running_scheduler_is_joined(files, tmp_path):
    image, model = files
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=1, processes=False, dashboard_address=None
    ) as cluster:
        output = tmp_path / "labels.tif"
        address = cluster.scheduler_address
        segment_file(image, output, model=model, scheduler=address, block_pixels=900)
    expected = segment(IMAGE, load_model(model)).labels
    np.testing.assert_array_equal(np.asarray(open_image(output).pixels), expected)


def test_a_model_is_named_so_that_workers_in_other_folders_find_it(files, tmp_path, monkeypatch):
    image, model = files
    monkeypatch.chdir(Path(model).parent)
    job = prepare_job(image, Path(model).name, tmp_path)
    monkeypatch.chdir(tmp_path)
    assert Job.open(job.order).model.sha256 == job.model.sha256


@pytest.mark.parametrize("changed", ["model", "image"])
def test_a_worker_that_finds_another_file_refuses_it(files, tmp_path, changed, sensitive_model):
    model, image = tmp_path / "discs.safetensors", tmp_path / "discs.tif"
    save_model(model, sensitive_model.network, sensitive_model.description)
    write_image(image, IMAGE, axes="yx")
    order = prepare_job(image, model, tmp_path).order
    if changed == "model":
        save_model(
            model, sensitive_model.network, replace(sensitive_model.description, name="other")
        )
    else:
        write_image(image, IMAGE[::-1], axes="yx")
    with pytest.raises(ShiftSegError, match="has changed since the run began, or a worker sees"):
        Job.open(order)


def prepare_job(image, model, folder):
    settings = FileSettings(model=model)
    loaded = settings.load()
    source = Source.open(image, loaded, None)
    return prepare(source, WorkFolder.beside(folder / "labels.tif"), loaded, settings)


def last_work(scheduler, job, number):
    """End the scheduler in the midst of the work."""
    if number == 4:
        os.kill(scheduler, SIGKILL)
    predict_block(job, number)


def test_a_scheduler_that_dies_is_one_message(files, tmp_path, monkeypatch, capfd, port):
    image, model = files
    address = f"tcp://127.0.0.1:{port}"
    finds_this_file = {**os.environ, "PYTHONPATH": str(Path(__file__).parent)}
    start = partial(subprocess.Popen, stderr=subprocess.DEVNULL, env=finds_this_file)
    python = [sys.executable, "-m"]
    scheduler = start([*python, "distributed.cli.dask_scheduler", "--port", port, "--no-dashboard"])
    with pytest.warns(ShiftSegWarning, match="has no workers yet"), workers_of(scheduler=address):
        pass
    worker = start([*python, "distributed.cli.dask_worker", address, "--no-dashboard"])
    monkeypatch.setattr(run, "predict_block", partial(last_work, scheduler.pid))
    output = tmp_path / "labels.tif"
    with warnings.catch_warnings(), pytest.raises(ShiftSegError, match="the scheduler was lost"):
        warnings.simplefilter("ignore", ShiftSegWarning)  # of a worker that is not there yet
        segment_file(image, output, model=model, scheduler=address, block_pixels=900)
    for process in (worker, scheduler):
        process.kill()
        process.wait()
    assert "Traceback" not in capfd.readouterr().err


@pytest.fixture
def port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return str(free.getsockname()[1])


def test_an_empty_address_is_refused(files, tmp_path):
    image, model = files
    with pytest.raises(ShiftSegError, match="address is empty"):
        segment_file(image, tmp_path / "l.tif", model=model, scheduler="")


def test_a_scheduler_that_is_not_there_is_one_message(files, tmp_path):
    image, model = files
    with pytest.raises(ShiftSegError, match="no scheduler answers at tcp://127"):
        segment_file(image, tmp_path / "l.tif", model=model, scheduler="tcp://127.0.0.1:9")
    assert not list(tmp_path.iterdir())


@pytest.fixture
def run_script(files, tmp_path):
    """Start a script as a user writes it, without a guard around what it does."""
    image, model = files
    script = tmp_path / "script.py"
    script.write_text(
        "import napari_shiftseg as ss\n"
        "print('begins', flush=True)\n"
        f"ss.segment_file({str(image)!r}, {str(tmp_path / 'labels.tif')!r}, "
        f"model={model!r}, workers=2, block_pixels=900)\n"
        "print('ends')\n"
    )
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        [sys.executable, str(script)],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def test_a_script_is_run_once_and_nothing_else_is_said(run_script):
    out, err = run_script.communicate(timeout=120)
    assert (run_script.returncode, out, err) == (0, "begins\nends\n", "")


def test_ctrl_c_in_a_terminal_ends_all_of_it_in_one_line(files, tmp_path):
    image, model = tmp_path / "large.ome.zarr", files[1]
    write_image(image, disc_image(700)[0], axes="yx")  # it would go on for some seconds
    words = ["segment", image, "-o", tmp_path / "l.tif", "-m", model, "--workers", 2]
    words += ["--memory", "400kB"]
    # A shell has its background jobs ignore Ctrl-C, and so would what this test starts.
    signal(SIGINT, default_int_handler)
    process = subprocess.Popen(
        [sys.executable, "-m", "napari_shiftseg", *map(str, words)],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    for line in process.stderr:
        if line.startswith("predicting") and not line.startswith("predicting 0/"):
            break
    os.killpg(process.pid, SIGINT)
    rest = process.communicate(timeout=60)[1].splitlines()
    said = [line for line in rest if not line.startswith(("predicting", "clustering", "labelling"))]
    assert said == ["the same command goes on with what is finished", "shiftseg: interrupted"]
    assert process.returncode == 130
    assert not (tmp_path / "l.tif").exists()
