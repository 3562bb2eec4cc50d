"""From file to file: the labels of the whole image, whatever the blocks, stops and workers."""

import json
import os
import subprocess
import sys
from signal import SIGKILL

import dask.array as da
import numpy as np
import pytest
from filelock import FileLock

from napari_shiftseg.blockwise import fingerprint, job, prepare, run
from napari_shiftseg.blockwise.file_settings import FileSettings
from napari_shiftseg.blockwise.run import BlocksDone
from napari_shiftseg.blockwise.segment_file import segment_file, segment_file_events
from napari_shiftseg.embeddings.model import load_model
from napari_shiftseg.embeddings.model_file import save_model
from napari_shiftseg.errors import ShiftSegError
from napari_shiftseg.image.calibration import Calibration
from napari_shiftseg.image.files import open_image, write_image
from napari_shiftseg.pipeline import segment
from napari_shiftseg.samples.discs import disc_image
from napari_shiftseg.settings import Clustering

IMAGE, _ = disc_image(90)
SMALL = {"block_pixels": 30 * 30}


@pytest.fixture(scope="module")
def model_file(tmp_path_factory, sensitive_model):
    path = tmp_path_factory.mktemp("model") / "discs.safetensors"
    save_model(path, sensitive_model.network, sensitive_model.description)
    return str(path)


@pytest.fixture(scope="module")
def image_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("image") / "discs.tif"
    write_image(path, IMAGE, axes=Calibration.of("yx", [0.5, 0.25], ["micrometer"] * 2))
    return path


@pytest.fixture(scope="module")
def whole(model_file):
    """The labels of all in one."""
    labels = segment(IMAGE, load_model(model_file)).labels
    assert labels.max() > 20
    return labels


def pixels(path):
    return np.asarray(open_image(path).pixels)


def content(path):
    """All bytes of a file, or of the files in a folder."""
    files = [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.is_file())
    return [(str(file.relative_to(path)), file.read_bytes()) for file in files]


@pytest.mark.parametrize("ending", ["tif", "ome.zarr"])
@pytest.mark.parametrize(
    ("block", "tile"), [(12 * 12, None), (30 * 30, 8), (70 * 70, 20), (10**6, 4)]
)
def test_labels_are_those_of_the_whole_image(
    image_file, model_file, whole, tmp_path, ending, block, tile
):
    output = tmp_path / f"labels.{ending}"
    result = segment_file(image_file, output, model=model_file, tile=tile, block_pixels=block)
    np.testing.assert_array_equal(pixels(output), whole)
    assert result.objects == whole.max()
    assert list(tmp_path.iterdir()) == [output]


def test_memory_decides_on_blocks_and_tiles_and_not_on_labels(
    image_file, model_file, whole, tmp_path
):
    blocks = set()
    for kilobytes in (400, 1200, 10**6):
        output = tmp_path / f"{kilobytes}.tif"
        result = segment_file(image_file, output, model=model_file, memory=f"{kilobytes} kB")
        np.testing.assert_array_equal(pixels(output), whole)
        blocks.add(result.blocks)
    assert len(blocks) > 1


def test_voxel_size_and_provenance_are_kept(image_file, model_file, tmp_path):
    result = segment_file(image_file, tmp_path / "labels.tif", model=model_file, **SMALL)
    opened = open_image(tmp_path / "labels.tif")
    assert opened.calibration.scale == (0.5, 0.25)
    assert opened.kind == "labels"
    assert opened.provenance == result.provenance
    assert opened.provenance["model_sha256"] == load_model(model_file).sha256


class TestRegion:
    """A part of each frame: the labels of that part alone, which lie where it lies."""

    REGION = (slice(13, 71), slice(5, 88))

    @pytest.mark.parametrize("block", [12 * 12, 30 * 30, None])
    def test_labels_are_those_of_the_region_in_memory(
        self, image_file, model_file, tmp_path, block
    ):
        expected = segment(IMAGE, load_model(model_file), region=self.REGION)
        output = tmp_path / "labels.tif"
        segment_file(image_file, output, model=model_file, region=self.REGION, block_pixels=block)
        opened = open_image(output)
        np.testing.assert_array_equal(np.asarray(opened.pixels), expected.labels)
        assert opened.provenance["region"] == [[13, 71], [5, 88]]

    def test_its_place_is_kept_where_the_format_can(self, image_file, model_file, tmp_path):
        output = tmp_path / "labels.ome.zarr"
        segment_file(image_file, output, model=model_file, region=self.REGION, **SMALL)
        assert open_image(output).calibration.translate == (13 * 0.5, 5 * 0.25)

    def test_of_each_frame(self, model_file, tmp_path):
        stack = np.stack([IMAGE, IMAGE[::-1]])
        expected = segment(stack, load_model(model_file), axes="tyx", region=self.REGION).labels
        output = tmp_path / "labels.tif"
        segment_file(stack, output, model=model_file, axes="tyx", region=self.REGION, **SMALL)
        np.testing.assert_array_equal(pixels(output), expected)

    def test_another_one_does_not_go_on_with_this_ones_blocks(
        self, image_file, model_file, tmp_path
    ):
        settings = FileSettings(model=model_file, region=self.REGION, **SMALL)
        events = segment_file_events(image_file, tmp_path / "labels.tif", settings)
        next(event for event in events if isinstance(event, BlocksDone) and event.done)
        events.close()
        other = (slice(0, 58), slice(0, 83))
        with pytest.raises(ShiftSegError, match="region"):
            segment_file(
                image_file, tmp_path / "labels.tif", model=model_file, region=other, **SMALL
            )


def test_a_loaded_model_serves_in_this_process(image_file, model_file, whole, tmp_path):
    model = load_model(model_file)
    segment_file(image_file, tmp_path / "labels.tif", model=model, **SMALL)
    np.testing.assert_array_equal(pixels(tmp_path / "labels.tif"), whole)
    with pytest.raises(ShiftSegError, match="workers need its name or its file"):
        segment_file(image_file, tmp_path / "again.tif", model=model, workers=2)


def test_lazy_arrays_are_read_block_by_block(model_file, whole, tmp_path):
    lazy = da.from_array(IMAGE, chunks=17)
    segment_file(lazy, tmp_path / "labels.tif", model=model_file, **SMALL)
    np.testing.assert_array_equal(pixels(tmp_path / "labels.tif"), whole)


def test_frames_of_a_stack_share_no_label(model_file, tmp_path):
    stack = np.stack([IMAGE, IMAGE[::-1], IMAGE.T])[:, None]
    expected = segment(stack, load_model(model_file), axes="tzyx").labels
    write_image(tmp_path / "stack.ome.zarr", stack, axes="tzyx")
    segment_file(
        tmp_path / "stack.ome.zarr", tmp_path / "labels.ome.zarr", model=model_file, **SMALL
    )
    np.testing.assert_array_equal(pixels(tmp_path / "labels.ome.zarr"), expected)


def test_an_image_without_objects(model_file, tmp_path):
    result = segment_file(
        np.zeros((64, 64), np.uint8),
        tmp_path / "labels.tif",
        model=model_file,
        clustering=Clustering(min_size=10**6),
        **SMALL,
    )
    assert result.objects == 0 and not pixels(tmp_path / "labels.tif").any()


class TestResuming:
    @pytest.mark.parametrize("stop", [1, 4, 9, 11, 15, 21])
    def test_a_stopped_run_goes_on_and_ends_with_the_same_bytes(
        self, image_file, model_file, tmp_path, stop
    ):
        once, again = tmp_path / "once" / "l.ome.zarr", tmp_path / "again" / "l.ome.zarr"
        once.parent.mkdir()
        again.parent.mkdir()
        segment_file(image_file, once, model=model_file, **SMALL)
        events = segment_file_events(image_file, again, FileSettings(model=model_file, **SMALL))
        for _ in range(stop):
            next(events)
        events.close()
        assert not again.exists()
        segment_file(image_file, again, model=model_file, **SMALL)
        assert content(again) == content(once)

    def test_finished_blocks_are_not_predicted_again(
        self, image_file, model_file, tmp_path, monkeypatch
    ):
        predicted, predict = [], run.predict_block

        def counted(job, number):
            predicted.append(number)
            predict(job, number)

        monkeypatch.setattr(run, "predict_block", counted)
        output = tmp_path / "labels.tif"
        events = segment_file_events(image_file, output, FileSettings(model=model_file, **SMALL))
        while next(events) != BlocksDone("predicting", 5, 9):
            pass
        events.close()
        # Less memory would mean other blocks; those that are there count.
        segment_file(image_file, output, model=model_file, memory=10**6)
        assert sorted(predicted) == list(range(9))

    def test_killed_in_mid_run_nothing_is_lost(self, image_file, model_file, whole, tmp_path):
        output = tmp_path / "labels.tif"
        script = f"""
import os, signal
from napari_shiftseg.blockwise import run
from napari_shiftseg.blockwise.segment_file import segment_file
predict = run.predict_block
def deadly(job, number):
    if number == 6:
        os.kill(os.getpid(), signal.SIGKILL)
    predict(job, number)
run.predict_block = deadly
segment_file({str(image_file)!r}, {str(output)!r}, model={model_file!r}, block_pixels=900)
"""
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        ended = subprocess.run([sys.executable, "-c", script], env=environment)
        assert ended.returncode == -SIGKILL
        assert not output.exists()
        kept = tmp_path / "labels.tif.unfinished"
        assert len(list(kept.glob("predicted-*.npz"))) == 6
        segment_file(image_file, output, model=model_file, **SMALL)
        np.testing.assert_array_equal(pixels(output), whole)

    @pytest.fixture
    def unfinished(self, image_file, model_file, tmp_path):
        output = tmp_path / "labels.tif"
        events = segment_file_events(image_file, output, FileSettings(model=model_file, **SMALL))
        next(events), next(events)
        events.close()
        return output

    def test_other_settings_are_refused_and_named(self, unfinished, image_file, model_file):
        other = Clustering(bandwidth=0.7)
        with pytest.raises(ShiftSegError, match=r"another bandwidth \(.*, now 0\.7\)"):
            segment_file(image_file, unfinished, model=model_file, clustering=other, **SMALL)
        assert not unfinished.exists()

    @pytest.mark.parametrize(
        ("other", "named"),
        [
            (IMAGE[:50], "image shape"),
            (IMAGE // 2, "content of the image"),
            (IMAGE + (np.indices(IMAGE.shape).sum(0) == 61), "content of the image"),
        ],
    )
    def test_another_image_is_refused(self, unfinished, model_file, tmp_path, other, named):
        write_image(tmp_path / "other.tif", other, axes="yx")
        with pytest.raises(ShiftSegError, match=f"another {named}"):
            segment_file(tmp_path / "other.tif", unfinished, model=model_file, **SMALL)

    @pytest.mark.parametrize(
        ("field", "value", "named"),
        [
            ("__version__", "0.0.1", "version"),
            ("date_of", lambda source: "2001-01-01", "date of the image"),
        ],
    )
    def test_another_version_or_date_is_refused(
        self, unfinished, image_file, model_file, monkeypatch, field, value, named
    ):
        monkeypatch.setattr(job if field == "__version__" else prepare, field, value)
        with pytest.raises(ShiftSegError, match=f"another {named}"):
            segment_file(image_file, unfinished, model=model_file, **SMALL)

    def test_a_large_image_is_known_by_parts_of_it_and_by_its_date(
        self, image_file, model_file, tmp_path, monkeypatch
    ):
        monkeypatch.setattr(fingerprint, "_ALL", 100)
        output, image = tmp_path / "labels.tif", tmp_path / "image.tif"
        write_image(image, IMAGE, axes="yx")
        events = segment_file_events(image, output, FileSettings(model=model_file, **SMALL))
        next(events), next(events)
        events.close()
        written = image.stat().st_mtime
        os.utime(image, (written + 5, written + 5))
        with pytest.raises(ShiftSegError, match="another date of the image"):
            segment_file(image, output, model=model_file, **SMALL)
        write_image(image, IMAGE + (np.indices(IMAGE.shape).sum(0) == 0), axes="yx")
        os.utime(image, (written, written))
        with pytest.raises(ShiftSegError, match="another content of the image"):
            segment_file(image, output, model=model_file, **SMALL)
        write_image(image, IMAGE, axes="yx")
        os.utime(image, (written, written))
        segment_file(image, output, model=model_file, **SMALL)
        assert output.exists()

    def test_the_same_stack_with_other_axes_is_refused(self, model_file, tmp_path):
        output, stack = tmp_path / "labels.tif", tmp_path / "stack.tif"
        write_image(stack, np.stack([IMAGE, IMAGE]), axes="zyx")
        settings = FileSettings(model=model_file, **SMALL)
        events = segment_file_events(stack, output, settings)
        next(events), next(events)
        events.close()
        with pytest.raises(ShiftSegError, match="another axes"):
            segment_file(stack, output, model=model_file, axes="tyx", **SMALL)

    def test_another_run_into_the_same_file_is_refused_and_spoils_nothing(
        self, unfinished, image_file, model_file, whole
    ):
        kept = unfinished.with_name(f"{unfinished.name}.unfinished")
        before = sorted(kept.iterdir())
        lock = unfinished.with_name(f".{unfinished.name}.lock")
        with FileLock(lock), pytest.raises(ShiftSegError, match="being written by another run"):
            segment_file(image_file, unfinished, model=model_file, **SMALL)
        assert sorted(kept.iterdir()) == before
        segment_file(image_file, unfinished, model=model_file, **SMALL)
        np.testing.assert_array_equal(pixels(unfinished), whole)
        assert not lock.exists()

    def test_overwrite_starts_afresh(self, unfinished, image_file, model_file):
        other = Clustering(bandwidth=0.7)
        segment_file(
            image_file, unfinished, model=model_file, clustering=other, overwrite=True, **SMALL
        )
        expected = segment(IMAGE, load_model(model_file), clustering=other).labels
        np.testing.assert_array_equal(pixels(unfinished), expected)

    def test_a_folder_of_somebody_else_is_left_alone(self, image_file, model_file, tmp_path):
        theirs = tmp_path / "labels.tif.unfinished" / "thesis.txt"
        theirs.parent.mkdir()
        theirs.write_text("years")
        with pytest.raises(ShiftSegError, match="move it away"):
            segment_file(
                image_file, tmp_path / "labels.tif", model=model_file, overwrite=True, **SMALL
            )
        assert theirs.read_text() == "years"

    def test_nor_is_it_where_the_whole_image_is_wanted_at_once(
        self, image_file, model_file, tmp_path
    ):
        theirs = tmp_path / "labels.tif.unfinished" / "thesis.txt"
        theirs.parent.mkdir()
        theirs.write_text("years")
        options = {"model": model_file, "stitch": "whole", "overwrite": True}
        with pytest.raises(ShiftSegError, match="move it away"):
            segment_file(image_file, tmp_path / "labels.tif", **options)
        assert theirs.read_text() == "years"

    def test_the_whole_image_at_once_goes_on_with_no_blocks(
        self, unfinished, image_file, model_file, whole
    ):
        options = {"model": model_file, "stitch": "whole"}
        with pytest.raises(ShiftSegError, match=r"unfinished run in blocks.*--overwrite"):
            segment_file(image_file, unfinished, **options)
        segment_file(image_file, unfinished, overwrite=True, **options)
        np.testing.assert_array_equal(pixels(unfinished), whole)
        assert not unfinished.with_name("labels.tif.unfinished").exists()

    def test_a_run_with_another_number_of_axes_is_another_run(
        self, unfinished, image_file, model_file
    ):
        record = unfinished.with_name("labels.tif.unfinished") / "run.json"
        begun = json.loads(record.read_text())
        record.write_text(json.dumps(begun | {"block": [2, *begun["block"]]}))
        with pytest.raises(ShiftSegError, match="unfinished run with another block"):
            segment_file(image_file, unfinished, model=model_file, **SMALL)
        segment_file(image_file, unfinished, model=model_file, overwrite=True, **SMALL)
        assert unfinished.exists()

    def test_less_memory_than_its_blocks_need_is_said(self, unfinished, image_file, model_file):
        with pytest.raises(ShiftSegError, match=r"in blocks of .* px, which need .*--overwrite"):
            segment_file(image_file, unfinished, model=model_file, memory="30kB")

    def test_smaller_blocks_are_begun_with_where_that_is_asked_for(
        self, image_file, model_file, whole, tmp_path
    ):
        output = tmp_path / "labels.tif"
        large = FileSettings(model=model_file, block_pixels=10**6, workers=None, memory="1MB")
        events = segment_file_events(image_file, output, large)
        next(events), next(events)
        events.close()
        options = {"model": model_file, "memory": "400kB"}
        if output.exists():
            output.unlink()
        segment_file(image_file, output, overwrite=True, **options)
        np.testing.assert_array_equal(pixels(output), whole)


class TestRefusing:
    @pytest.mark.parametrize("linked", [False, True])
    def test_to_replace_what_is_read_even_on_request(
        self, image_file, model_file, tmp_path, linked
    ):
        image = tmp_path / "image.tif"
        image.write_bytes(image_file.read_bytes())
        output = tmp_path / "link.tif" if linked else image
        if linked:
            output.symlink_to(image)
        for names in ({}, {"embeddings": output}):
            with pytest.raises(ShiftSegError, match="is or holds what is read"):
                segment_file(
                    image,
                    tmp_path / "labels.tif" if names else output,
                    model=model_file,
                    overwrite=True,
                    **names,
                )
        assert image.read_bytes() == image_file.read_bytes()

    def test_an_existing_output(self, image_file, model_file, tmp_path):
        output = tmp_path / "labels.tif"
        output.write_text("mine")
        with pytest.raises(ShiftSegError, match="exists"):
            segment_file(image_file, output, model=model_file)
        assert output.read_text() == "mine"

    def test_whole_image_inference(self, image_file, model_file, tmp_path):
        with pytest.raises(ShiftSegError, match="corrected"):
            segment_file(image_file, tmp_path / "l.tif", model=model_file, stitch="whole", **SMALL)

    def test_workers_for_an_array(self, model_file, tmp_path):
        with pytest.raises(ShiftSegError, match="workers need a file"):
            segment_file(IMAGE, tmp_path / "l.tif", model=model_file, workers=2)

    def test_an_impossible_number_of_workers(self, image_file, model_file, tmp_path):
        with pytest.raises(ShiftSegError, match="number of workers is 0"):
            segment_file(image_file, tmp_path / "l.tif", model=model_file, workers=0)
        assert not list(tmp_path.iterdir())

    def test_an_unknown_suffix_before_any_work(self, image_file, model_file, tmp_path):
        with pytest.raises(ShiftSegError, match=r"\.jpg"):
            segment_file(image_file, tmp_path / "l.jpg", model=model_file)
        assert not list(tmp_path.iterdir())

    def test_a_missing_folder(self, image_file, model_file, tmp_path):
        with pytest.raises(ShiftSegError, match="no such folder"):
            segment_file(image_file, tmp_path / "no" / "l.tif", model=model_file)

    @pytest.mark.parametrize("name", ["labels.ome.zarr", "labels.tif"])
    def test_axes_that_the_format_cannot_say_before_any_work(self, model_file, tmp_path, name):
        write_image(tmp_path / "two.tif", np.zeros((2, 20, 20), np.uint8), axes="cyx")
        output = tmp_path / name
        events = segment_file_events(
            tmp_path / "two.tif",
            output,
            FileSettings(
                model=model_file,
                axes="pyx" if name.endswith("zarr") else None,
                embeddings=tmp_path / "e.ome.zarr",
            ),
        )
        with pytest.raises(ShiftSegError, match="OME-Zarr takes"):
            next(events)

    def test_an_output_that_holds_the_image(self, model_file, tmp_path):
        image = tmp_path / "plate.zarr" / "0.ome.zarr"
        image.parent.mkdir()
        write_image(image, IMAGE, axes="yx")
        with pytest.raises(ShiftSegError, match="is or holds what is read"):
            segment_file(image, image.parent, model=model_file, overwrite=True)
        assert image.is_dir()


def test_what_is_refused_leaves_no_unfinished_run(image_file, model_file, tmp_path):
    for wrong, why in (
        ({"device": "tpu"}, "no device"),
        ({"clustering": {"bandwidth": 1}}, "legal"),
    ):
        with pytest.raises(ShiftSegError, match=why):
            segment_file(image_file, tmp_path / "o.tif", model=model_file, **SMALL, **wrong)
    assert not list(tmp_path.glob("*.unfinished"))
