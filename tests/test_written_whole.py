import os
from threading import Thread

import pytest

from napari_shiftseg import files
from napari_shiftseg.errors import ShiftSegError
from napari_shiftseg.files import alone, file_beside, folder_beside, refuse_closed


def test_nothing_is_there_before_the_end(tmp_path):
    path = tmp_path / "a.txt"
    with file_beside(path) as partial:
        partial.write_text("new")
        assert not path.exists()
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_any_failure_leaves_the_former_file(tmp_path, error):
    path = tmp_path / "a.txt"
    path.write_text("former")
    with pytest.raises(error), file_beside(path) as partial:
        partial.write_text("new")
        raise error
    assert path.read_text() == "former"
    assert list(tmp_path.iterdir()) == [path]


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "a"
    path.mkdir()
    (path / "former").touch()
    return path


def replace_by_new(folder):
    with folder_beside(folder) as partial:
        partial.mkdir()
        (partial / "new").touch()


def test_a_folder_is_exchanged_as_a_whole(folder):
    replace_by_new(folder)
    assert [file.name for file in folder.iterdir()] == ["new"]
    assert list(folder.parent.iterdir()) == [folder]


@pytest.mark.parametrize("failing", [1, 2])
def test_a_folder_that_cannot_be_exchanged_comes_back(folder, monkeypatch, failing):
    calls, replace = [], os.replace

    def sometimes(source, target):
        calls.append(source)
        if len(calls) == failing:
            raise PermissionError(13, "Permission denied")
        replace(source, target)

    monkeypatch.setattr(files.os, "replace", sometimes)
    with pytest.raises(ShiftSegError, match="a cannot be written: Permission denied"):
        replace_by_new(folder)
    assert [file.name for file in folder.iterdir()] == ["former"]
    assert list(folder.parent.iterdir()) == [folder]


def test_a_folder_that_was_about_to_be_replaced_comes_back(tmp_path):
    target = tmp_path / "labels.ome.zarr"
    former = tmp_path / ".labels.ome.zarr.former"
    former.mkdir()
    (former / "old").touch()
    refuse_closed(target)  # as the next run does
    assert (target / "old").exists() and not former.exists()


def test_two_threads_do_not_write_one_output(tmp_path):
    target, refused = tmp_path / "labels.tif", []

    def second():
        try:
            with alone(target):
                pass
        except ShiftSegError as error:
            refused.append(str(error))

    with alone(target), alone(target):
        thread = Thread(target=second)
        thread.start()
        thread.join()
    assert "is being written by another run" in refused[0]


def test_two_that_write_one_file_each_write_a_whole_one(tmp_path):
    target = tmp_path / "block.npz"
    with file_beside(target, shared=True) as first, file_beside(target, shared=True) as second:
        first.write_text("first")
        second.write_text("second")
        assert first != second
    assert target.read_text() == "first"
    assert [path.name for path in tmp_path.iterdir()] == ["block.npz"]
