"""What a user does in the tab Compare, through its own controls."""

import csv

import numpy as np
import pytest
from compare_dock import PATIENCE, Dock, compare, sweep
from napari.layers import Points
from qtpy.QtCore import Qt
from qtpy.QtGui import QGuiApplication
from qtpy.QtWidgets import QFileDialog, QMessageBox
from window import Gate, open_form

from napari_shiftseg._napari import job
from napari_shiftseg._napari.camera import camera_of
from napari_shiftseg._napari.compare import control as compare_control
from napari_shiftseg.embeddings.model import load_model
from napari_shiftseg.settings import Stitching


@pytest.fixture
def dock(viewer, bundled, qtbot):
    dock = Dock(viewer, load_model(bundled["bands"]))
    yield dock
    dock.control.close()


@pytest.fixture
def image(viewer, dock):
    return viewer.add_image(np.zeros((48, 40), np.uint8), name="field", scale=(0.5, 0.5))


@pytest.fixture
def truth(viewer, image, dock):
    """What the bands are where no tile disturbs them."""
    bands = np.repeat(np.arange(1, 13), 4)[:, None] * np.ones(40, int)
    return viewer.add_labels(bands, name="bands", scale=(0.5, 0.5))


@pytest.fixture
def compared(qtbot, dock, image):
    dock.tab.rows[0].tile.setValue(14)
    compare(qtbot, dock)
    return dock


def cells(table):
    return [
        [table.item(row, column).text() for column in range(table.columnCount())]
        for row in range(table.rowCount())
    ]


def test_naive_and_corrected_are_offered_with_the_models_tile_sizes(dock):
    assert dock.tab.stitchings == (Stitching("naive"), Stitching("corrected"))
    assert [row.tile.value() for row in dock.tab.rows] == [12, 8]


def test_corrected_tiles_snap_to_the_period_and_the_whole_image_has_none(dock):
    row = dock.tab.rows[1]
    row.tile.setValue(30)
    assert row.tile.value() == 32 and row.stitching == Stitching("corrected", (32, 32))
    row.mode.setCurrentText("Naive")
    assert row.tile.value() == 32 and row.stitching == Stitching("naive", 32)
    row.tile.setValue(30)
    assert row.stitching == Stitching("naive", 30)
    row.mode.setCurrentText("Corrected")
    assert row.tile.value() == 24
    row.mode.setCurrentText("Whole")
    assert not row.tile.isEnabled() and row.stitching == Stitching("whole")


def test_without_an_image_there_is_a_word_and_no_run(dock, notifications):
    dock.tab.run.run.click()
    [(severity, message)] = notifications()
    assert severity == "info" and "Open an image" in message


def test_totals_and_every_split_are_listed_the_severest_first(compared):
    naive, corrected = cells(compared.tab.totals)
    assert corrected == ["B corrected 8", "12", "–", "–", "–", "0"]
    rows = cells(compared.tab.cuts.table)
    assert len(rows) == int(naive[-1]) > 1
    severities = [float(row[4]) for row in rows]
    assert severities == sorted(severities, reverse=True)
    assert {row[5] for row in rows} == {"phase"}
    assert all(row[0].startswith("A ") for row in rows)


def test_with_ground_truth_both_are_scored(qtbot, dock, truth):
    dock.tab.truth.choose(truth)
    dock.tab.rows[0].tile.setValue(14)
    compare(qtbot, dock)
    naive, corrected = cells(dock.tab.totals)
    assert corrected[2:5] == ["1.000", "0", "0"]
    assert float(naive[2]) < 1


def test_one_mode_may_be_compared_with_itself_at_another_tile_size(qtbot, dock, truth):
    dock.tab.truth.choose(truth)
    dock.tab.rows[1].mode.setCurrentText("Naive")
    for row, tile in zip(dock.tab.rows, (6, 14), strict=True):
        row.tile.setValue(tile)
    compare(qtbot, dock)
    assert [row[0] for row in cells(dock.tab.totals)] == ["A naive 6", "B naive 14"]
    assert {row[0][0] for row in cells(dock.tab.cuts.table)} == {"A", "B"}


def test_a_click_on_a_header_sorts_and_rows_keep_their_object(compared, viewer):
    table = compared.tab.cuts.table
    table.sortByColumn(1, Qt.SortOrder.AscendingOrder)
    rows = cells(table)
    tops = [float(row[1].split(", ")[0]) for row in rows]
    assert tops == sorted(tops)
    table.selectRow(len(rows) - 1)
    assert camera_of(viewer).center[-2] == pytest.approx(tops[-1] * 0.5, abs=0.5)


def test_a_table_is_copied_as_spreadsheets_take_it(compared, qtbot):
    table = compared.tab.cuts.table
    qtbot.keyClick(table, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    lines = QGuiApplication.clipboard().text().split("\n")
    assert [line.split("\t") for line in lines[1:]] == cells(table)
    assert lines[0].startswith("Object\tPosition")


def test_a_row_takes_the_camera_to_the_split_and_shows_its_result(compared, viewer):
    compared.tab.show_as.switch.choose("B")
    table = compared.tab.cuts.table
    table.selectRow(0)
    place = [float(v) * 0.5 for v in cells(table)[0][1].split(", ")]
    assert camera_of(viewer).center[-2:] == pytest.approx(place, abs=0.5)
    assert compared.control.arrangement.way == "A"
    assert compared.tab.show_as.switch.value == "A"
    assert viewer.layers["Labels (naive, 14 px)"].visible


def test_next_and_previous_go_around_the_table(compared):
    table, chosen = compared.tab.cuts.table, []
    table.row_chosen.connect(chosen.append)
    last = table.rowCount() - 1
    compared.control.next_split()
    assert table.currentRow() == 0
    compared.control.previous_split()
    assert table.currentRow() == last
    compared.control.next_split()
    assert table.currentRow() == 0 and len(chosen) == 3


def test_a_click_on_an_object_selects_its_row(compared, viewer):
    pair, table = compared.control.pair, compared.tab.cuts.table
    number = len(pair.cuts) - 1
    position = pair.cuts[number].split.position
    centre = camera_of(viewer).center
    compared.control._clicks.clicked.emit(tuple(v * 0.5 for v in position))
    assert table.chosen == number
    assert camera_of(viewer).center == centre
    compared.control._clicks.clicked.emit((-50.0, 3.0))
    assert table.chosen == number


def test_a_run_that_is_cancelled_leaves_nothing(qtbot, dock, image, viewer, gate_of_compare):
    dock.tab.run.run.click()
    gate_of_compare.let_through(2)
    qtbot.waitUntil(lambda: dock.tab.run.bar.value() > 0, timeout=PATIENCE)
    dock.tab.run.cancel.click()
    gate_of_compare.open()
    assert not dock.runner.running and not dock.tab.run.cancel.isEnabled()
    assert [layer.name for layer in viewer.layers] == ["field"]


def test_deleting_the_image_cancels_with_a_word(
    qtbot, dock, image, viewer, gate_of_compare, notifications
):
    dock.tab.run.run.click()
    gate_of_compare.let_through(2)
    qtbot.waitUntil(lambda: dock.tab.run.bar.value() > 0, timeout=PATIENCE)
    viewer.layers.remove(image)
    gate_of_compare.open()
    [(_, message)] = notifications()
    assert "field, was removed" in message


@pytest.fixture
def gate_of_compare(monkeypatch):
    gate, events = Gate(), job.compare_events

    def held(*arguments, **keywords):
        for event in events(*arguments, **keywords):
            gate.wait()
            yield event

    monkeypatch.setattr(job, "compare_events", held)
    yield gate
    gate.open()


def test_a_truth_of_another_size_is_one_notification(qtbot, dock, image, viewer, notifications):
    dock.tab.truth.choose(viewer.add_labels(np.ones((7, 7), int)))
    with qtbot.waitSignal(dock.runner.failed, timeout=PATIENCE):
        dock.tab.run.run.click()
    [(severity, message)] = notifications()
    assert severity == "error" and "(7, 7)" in message


@pytest.mark.parametrize("moved", [{"translate": (0, 4)}, {"scale": (1, 1)}])
def test_a_truth_that_lies_elsewhere_is_told(
    qtbot, dock, image, truth, viewer, notifications, moved
):
    dock.tab.truth.set_image(image)
    dock.tab.truth.choose(truth)
    compare(qtbot, dock)
    assert notifications() == []
    for key, value in moved.items():
        setattr(truth, key, value)
    compare(qtbot, dock)
    [(severity, message)] = notifications()
    assert severity == "info" and "bands does not lie over field on screen" in message


def test_the_truth_of_a_sample_comes_with_its_image(dock, image, viewer):
    image.metadata = {"shiftseg": {"sample": "Bands"}}
    tagged = {"shiftseg": {"truth_of": "Bands"}}
    bands = viewer.add_labels(np.ones((48, 40), int), metadata=tagged)
    dock.tab.truth.set_image(image)
    assert dock.tab.truth.layer is bands
    image.name = "mine"
    viewer.add_labels(np.ones((48, 40), int))
    assert dock.tab.truth.layer is bands
    dock.tab.truth.set_image(viewer.add_image(np.zeros((5, 5)), name="other"))
    assert dock.tab.truth.layer is None


def test_the_truth_of_an_image_that_was_there_first_is_chosen_and_another_choice_stays(
    viewer, qtbot
):
    viewer.open_sample("napari-shiftseg", "nuclei")
    own = viewer.add_labels(np.ones((520, 696), int), name="my own")
    truth = open_form(viewer, qtbot, "Segment").compare.truth
    assert truth.layer == viewer.layers["Nuclei: ground truth"]
    for chosen in (own, None):
        truth.choose(chosen)
        viewer.add_points([[1, 1]])
        assert truth.layer == chosen


def test_a_table_whose_image_is_gone_says_so_and_leads_nowhere(compared, viewer, notifications):
    rows = compared.tab.cuts.table.rowCount()
    viewer.layers.clear()
    viewer.add_image(np.zeros((9, 9)))
    assert compared.tab.cuts.caption.text().endswith("Their image, field, was removed.")
    assert compared.tab.cuts.table.rowCount() == rows
    centre = camera_of(viewer).center
    compared.tab.cuts.table.selectRow(0)
    assert camera_of(viewer).center == centre
    [(severity, message)] = notifications()
    assert severity == "info" and "field, which was compared, is no longer open" in message


def test_running_again_replaces_the_layers(qtbot, compared, viewer):
    before = [layer.name for layer in viewer.layers]
    compare(qtbot, compared)
    assert sorted(layer.name for layer in viewer.layers) == sorted(before)
    assert sum(isinstance(layer, Points) for layer in viewer.layers) == 1


def test_tile_sizes_are_plotted_with_progress_and_in_the_themes_colours(qtbot, dock, truth, viewer):
    dock.tab.truth.choose(truth)
    dock.tab.show_page("plot")
    seen = []
    dock.runner.progressed.connect(lambda progress: seen.append(progress.text))
    sweep(qtbot, dock)
    assert seen[0] == "Corrected (1 of 10)" and seen[-1] == "Tiles of 24 px (10 of 10)"
    figure = dock.tab.plot.canvas.figure
    assert len(figure.axes) == 2
    assert dock.tab.plot.caption.text() == "field: bands, counted against ground truth."
    viewer.theme = "light"
    assert sum(figure.get_facecolor()[:3]) > 2


def test_a_sweep_without_a_seam_says_so(qtbot, dock, viewer):
    viewer.add_image(np.zeros((8, 8), np.uint8), name="field")
    sweep(qtbot, dock)
    assert dock.tab.plot.caption.is_warning
    assert "No tile of these sizes has a seam" in dock.tab.plot.caption.text()


def test_a_truth_without_objects_is_told(qtbot, dock, image, viewer, notifications):
    dock.tab.truth.choose(
        viewer.add_labels(np.zeros((48, 40), int), name="empty", scale=(0.5, 0.5))
    )
    compare(qtbot, dock)
    [(severity, message)] = notifications()
    assert severity == "info" and message == "empty has no objects: none can be found."


@pytest.fixture
def chosen_file(monkeypatch, tmp_path):
    """Answer the file dialog with a name."""

    def answer(name):
        path = tmp_path / name
        monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *a, **k: (str(path), ""))
        return path

    return answer


def test_splits_and_totals_are_exported(compared, chosen_file, notifications):
    page = compared.tab.cuts
    path = chosen_file("mine")
    page.splits.click()
    rows = list(csv.DictReader(path.with_suffix(".csv").read_text().splitlines()))
    cut = compared.control.pair.cuts[0]
    assert len(rows) == len(compared.control.pair.cuts)
    assert rows[0]["pieces"] == " ".join(map(str, cut.split.pieces))
    assert rows[0]["position_world"].split() == [f"{v * 0.5:g}" for v in cut.split.position]
    assert float(rows[0]["severity"]) == cut.split.severity
    path = chosen_file("totals.csv")
    page.totals.click()
    naive, corrected = csv.DictReader(path.read_text().splitlines())
    assert (naive["tile"], corrected["seam_splits"]) == ("14 14", "0")
    assert [severity for severity, _ in notifications()] == ["info", "info"]


def test_the_plot_is_exported_as_picture_and_as_numbers(qtbot, dock, image, chosen_file):
    sweep(qtbot, dock)
    picture, numbers = chosen_file("plot"), None
    dock.tab.plot.export.click()
    assert picture.with_suffix(".png").read_bytes().startswith(b"\x89PNG")
    numbers = chosen_file("plot.csv")
    dock.tab.plot.export.click()
    assert numbers.read_text().startswith("stitching,tile,")


def test_a_name_of_another_kind_gets_the_suffix_of_this_one(compared, chosen_file):
    path = chosen_file("totals.txt")
    compared.tab.cuts.totals.click()
    assert not path.exists()
    assert path.with_name("totals.txt.csv").read_text().startswith("result,stitching,")


def test_what_the_dialog_did_not_ask_about_is_not_replaced_unasked(
    compared, chosen_file, monkeypatch
):
    theirs = chosen_file("totals").with_suffix(".csv")
    theirs.write_text("mine")
    answers = [QMessageBox.StandardButton.No, QMessageBox.StandardButton.Yes]
    monkeypatch.setattr(QMessageBox, "question", lambda *_: answers.pop(0))
    compared.tab.cuts.totals.click()
    assert theirs.read_text() == "mine"
    compared.tab.cuts.totals.click()
    assert theirs.read_text().startswith("result,stitching,")


def test_a_file_that_cannot_be_written_is_one_notification(compared, chosen_file, notifications):
    chosen_file("no/such/folder.csv")
    compared.tab.cuts.splits.click()
    [(severity, message)] = notifications()
    assert severity == "error" and "no such folder" in message


def test_a_dialog_that_is_closed_writes_nothing(compared, monkeypatch, tmp_path, notifications):
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *a, **k: ("", ""))
    compared.tab.cuts.splits.click()
    assert notifications() == []


def test_the_core_does_the_work(monkeypatch, qtbot, dock, image):
    """The tab's plot is the core's sweep, nothing else."""
    calls = []
    events = compare_control.sweep_events

    def watched(*arguments, **keywords):
        calls.append(keywords)
        return events(*arguments, tiles=(8, 12), **keywords)

    monkeypatch.setattr(compare_control, "sweep_events", watched)
    sweep(qtbot, dock)
    [keywords] = calls
    assert keywords["clustering"] == dock.model.description.clustering
