"""What a user does with the widget Check labels, through its own controls."""

import csv
import json
import threading

import dask.array as da
import numpy as np
import pytest
from check_scene import cut, discs, rings, rows
from qtpy.QtWidgets import QFileDialog
from window import PATIENCE

from napari_shiftseg import memory
from napari_shiftseg._napari.camera import camera_of
from napari_shiftseg._napari.check import job
from napari_shiftseg._napari.commands import check_active_layer
from napari_shiftseg._napari.layers import CURTAIN, FILE
from napari_shiftseg._napari.tags import tag
from napari_shiftseg.seams.repair import Repair, undo_repair


class TestFinding:
    def test_the_grid_is_found_said_and_drawn(self, viewer, dock, view, theirs, check):
        check()
        assert view.finding.text().startswith("“theirs”: tiles of 40 px found (p = ")
        grid = dock.control.overlay.grid
        starts = grid.data[:, 0]
        lines = starts[np.isin(starts[:, 0], -0.5), 1]
        np.testing.assert_array_equal(lines, np.arange(40, 230, 40) - 0.5)
        for layer in (grid, rings(viewer)):
            np.testing.assert_array_equal(layer.scale, theirs.scale)
            np.testing.assert_array_equal(layer.translate, theirs.translate)
        assert view.grid.kind.value == "auto"
        assert [box.value() for box in view.grid.sizes] == [40, 40]

    def test_of_good_labels_is_that_there_is_none(self, viewer, view, check):
        viewer.add_labels(discs(), name="good")
        check()
        assert view.finding.text() == "“good”: no tile grid found in 72 objects."
        assert not view.repair.repair.isEnabled()
        assert rows(view.table) == [] and rings(viewer) is None

    def test_replaces_the_one_before(self, viewer, dock, view, theirs, check):
        check()
        viewer.add_labels(discs(), name="good")
        view.layers.choose(viewer.layers["good"])
        check()
        assert dock.control.overlay.grid is None and rings(viewer) is None

    def test_a_known_grid_has_a_size_and_an_offset_per_axis(self, viewer, view, check):
        viewer.add_labels(cut(discs(), 50, 10), name="moved")
        view.grid.kind.choose("known")
        for boxes, value in ((view.grid.sizes, 50), (view.grid.offsets, 10)):
            for box in boxes:
                box.setValue(value)
        check()
        assert "tiles of 50 px from 10 (p = " in view.finding.text()
        assert "against other offsets" in view.finding.text()
        view.grid.sizes[0].setValue(0)
        check()
        assert "tiles of 50 px from 10 along x (p = " in view.finding.text()
        assert {row[1].split(", ")[1] for row in rows(view.table)} == {
            "10",
            "60",
            "110",
            "160",
            "210",
        }

    def test_an_impossible_grid_is_one_message(self, view, theirs, check, notifications):
        view.grid.kind.choose("known")
        view.grid.offsets[0].setValue(500)
        check()
        [(severity, message)] = notifications()
        assert severity == "error" and "the offset is 500 px; legal: 0 to 127" in message

    def test_that_is_refused_leaves_no_former_finding(self, dock, view, theirs, check):
        check()
        assert dock.control.found is not None and rows(view.table)
        view.grid.kind.choose("known")
        view.grid.offsets[0].setValue(500)
        check()
        assert view.finding.text().startswith("Not checked: the offset is 500 px")
        assert dock.control.found is None and not rows(view.table)
        assert not view.list.isEnabled()

    def test_of_a_mask_says_that_it_is_one(self, viewer, view, check):
        viewer.add_labels((discs() > 0).astype(int), name="mask")
        check()
        assert "“mask” has one label in" in view.finding.text()
        assert "separate parts: a mask, in which no cut shows" in view.finding.text()

    def test_of_negative_labels_is_refused(self, viewer, view, check, notifications):
        viewer.add_labels(np.where(cut(discs()) % 7 == 1, -1, cut(discs())), name="unknown")
        check()
        [(severity, message)] = notifications()
        assert severity == "error" and "unknown holds negative labels" in message

    def test_of_labels_that_do_not_fit_into_memory_is_refused(
        self, theirs, check, notifications, monkeypatch
    ):
        monkeypatch.setattr(memory, "free_memory", lambda: 2000)
        check()
        [(severity, message)] = notifications()
        assert (
            severity == "error"
            and "to check theirs takes" in message
            and "1 kB can be had" in message
        )

    def test_of_labels_that_are_painted_on_is_outdated(self, view, theirs, check):
        check()
        theirs.paint((3, 3), 9999)
        assert view.finding.is_warning and view.finding.text().endswith("check again.")
        assert not any(b.isEnabled() for b in (view.list, view.report, view.repair.repair))
        check()
        assert not view.finding.is_warning
        theirs.refresh()
        assert not view.finding.is_warning
        theirs.undo()
        assert view.finding.is_warning and not view.list.isEnabled()
        check()
        assert not view.finding.is_warning
        assert all(b.isEnabled() for b in (view.list, view.report, view.repair.repair))

    def test_without_labels_there_is_nothing_to_press(self, view):
        assert not view.run.run.isEnabled()


class TestImage:
    @pytest.fixture
    def pieces(self):
        """A square cut in two, and two squares that the image shows apart."""
        labels = np.zeros((80, 80), int)
        labels[30:50, 5:25], labels[30:50, 45:65] = 1, 3
        labels[40:] += labels[40:] > 0
        return labels

    @pytest.fixture
    def sure(self, view, check):
        def shares():
            view.grid.show_grid((40, 0), (0, 0))
            check()
            return {row[0]: row[3] for row in rows(view.table)}

        return shares

    brightness = np.array([5, 90, 95, 40, 200], np.uint8)

    def test_takes_confidence_from_pieces_of_different_brightness(self, viewer, view, pieces, sure):
        viewer.add_labels(pieces)
        assert sure() == {"1 | 2": "94%", "3 | 4": "94%"}
        view.image.choose(viewer.add_image(self.brightness[pieces]))
        assert sure() == {"1 | 2": "94%", "3 | 4": "46%"}

    def test_that_lies_elsewhere_is_told(self, viewer, view, pieces, check, notifications):
        viewer.add_labels(pieces, name="pieces")
        image = viewer.add_image(self.brightness[pieces], name="image", translate=(0, 30))
        view.image.choose(image)
        check()
        [(severity, message)] = notifications()
        assert severity == "info" and "pieces does not lie over image on screen" in message

    def test_in_colour_and_of_a_series(self, viewer, view, pieces, sure):
        series = np.stack([np.zeros_like(pieces), pieces])
        viewer.add_labels(series, axis_labels=("t", "y", "x"))
        viewer.dims.set_current_step(0, 1)
        colours = np.stack([self.brightness[series]] * 3, -1)
        view.image.choose(viewer.add_image(colours, rgb=True))
        assert sure() == {"1 | 2": "94%", "3 | 4": "46%"}
        view.image.choose(viewer.add_image(self.brightness[pieces]))
        assert sure() == {"1 | 2": "94%", "3 | 4": "46%"}

    def test_with_fewer_frames_is_one_message(self, viewer, view, pieces, check, notifications):
        viewer.add_labels(np.stack([pieces] * 3), axis_labels=("t", "y", "x"))
        viewer.dims.set_current_step(0, 2)
        view.image.choose(viewer.add_image(np.zeros((2, 80, 80))))
        check()
        [(_, message)] = notifications()
        assert "2 x 80 x 80 px has no frame 2" in message

    def test_of_another_shape_is_one_message(self, viewer, view, pieces, check, notifications):
        viewer.add_labels(pieces)
        view.image.choose(viewer.add_image(np.zeros((80, 70))))
        check()
        [(_, message)] = notifications()
        assert "(80, 70)" in message


class TestTable:
    def test_lists_pairs_by_confidence_and_single_pieces_last(self, viewer, view, check):
        labels = cut(discs())
        labels[:80, 40:80] = 0  # what is cut at column 40 is now alone
        viewer.add_labels(labels, name="lossy")
        check()
        sure = [row[3] for row in rows(view.table)]
        numbers = [int(text[:-1]) for text in sure if text != "–"]
        assert numbers == sorted(numbers, reverse=True)
        sides = [row[4] for row in rows(view.table)]
        single = sides.index("one")
        assert set(sides[:single]) == {"both"} and set(sides[single:]) == {"one"}
        assert all("|" not in row[0] for row in rows(view.table)[single:])
        assert "end on a line with no piece beyond" in view.finding.text()

    def test_a_row_takes_the_camera_there(self, viewer, view, theirs, check):
        check()
        view.table.selectRow(3)
        y, x = (float(v) for v in rows(view.table)[3][1].split(", "))
        np.testing.assert_allclose(
            camera_of(viewer).center[-2:], (2 * y + 100, 2 * x - 30), atol=1.01
        )
        assert len(np.unique(rings(viewer).border_color, axis=0)) == 2

    def test_a_click_on_an_object_chooses_its_row(self, viewer, dock, view, theirs, check):
        check()
        label = int(rows(view.table)[5][0].split(" | ")[0])
        pixel = np.argwhere(theirs.data == label)[0]
        dock.control._clicks.clicked.emit(tuple(theirs.data_to_world(pixel)))
        assert str(label) in rows(view.table)[view.table.chosen][0].split(" | ")

    def test_of_tiles_that_each_count_from_1(self, viewer, dock, view, check, repair):
        """Labels name objects all over the image: rows and clicks mean their connected parts."""
        whole, tile = discs(), 40
        pixels = np.zeros(whole.shape, np.uint8)
        for y, x in np.ndindex(5, 6):
            part = slice(tile * y, tile * (y + 1)), slice(tile * x, tile * (x + 1))
            pixels[part] = np.unique(whole[part], return_inverse=True)[1].reshape(whole[part].shape)
        layer = viewer.add_labels(pixels, name="tiles")
        check()
        assert "tiles of 40 px found" in view.finding.text()
        assert "Labels are used anew in each tile" in view.finding.text()
        row = dock.control.found.rows[3]
        inside = np.argwhere(dock.control.found.objects == row.labels[0])[0]
        dock.control._clicks.clicked.emit(tuple(layer.data_to_world(inside)))
        assert row.labels[0] in dock.control.found.rows[view.table.chosen].labels
        repair()
        mended = viewer.layers["tiles, repaired"].data
        pairs = np.unique(np.stack([mended[whole > 0], whole[whole > 0]]), axis=1)
        assert len(pairs[0]) <= len(np.unique(whole)) + 3
        np.testing.assert_array_equal(layer.data, pixels)
        view.repair.slider.setValue(0)
        repair()
        assert "tiles, repaired [1]" not in viewer.layers
        view.repair.undo.click()
        assert "tiles, repaired" not in viewer.layers and layer.visible

    def test_clicks_elsewhere_choose_nothing(self, dock, view, theirs, check):
        check()
        for place in ((-1e4, 0), theirs.data_to_world((0, 0))):
            dock.control._clicks.clicked.emit(tuple(place))
        assert view.table.chosen is None


class TestPlaces:
    @pytest.fixture
    def series(self, viewer, view):
        """Three frames, of which the second is not cut, and their layer."""
        frames = np.stack([cut(discs()), discs(), cut(discs())])
        placed = {"scale": (5, 0.5, 0.5), "translate": (10, 20, 30)}
        layer = viewer.add_labels(frames, name="series", axis_labels=("t", "y", "x"), **placed)
        return frames, layer

    def test_turned_layers_have_their_overlays_turned(self, viewer, dock, view, check):
        layer = viewer.add_labels(cut(discs()), rotate=30, scale=(3, 2), translate=(5, 6))
        check()
        circles = rings(viewer)
        for point in ((0, 0), (40, 7)):
            np.testing.assert_allclose(circles.data_to_world(point), layer.data_to_world(point))
        view.table.selectRow(0)
        cut_at = dock.control.found.rows[0].position
        np.testing.assert_allclose(camera_of(viewer).center[-2:], layer.data_to_world(cut_at))

    def test_of_a_series_the_frame_on_screen_is_checked(self, viewer, dock, view, check, repair):
        frames = np.stack([discs(), cut(discs())])
        placed = {"scale": (5, 0.5, 0.5), "translate": (10, 20, 30)}
        layer = viewer.add_labels(frames, name="series", axis_labels=("t", "y", "x"), **placed)
        assert view.axes.value == "frame"
        viewer.dims.set_current_step(0, 0)
        check()
        assert view.finding.text() == "“series, frame 0”: no tile grid found in 72 objects."
        viewer.dims.set_current_step(0, 1)
        check()
        assert "“series, frame 1”: tiles of 40 px found" in view.finding.text()
        assert set(rings(viewer).data[:, 0]) == {1}
        repair()
        mended = viewer.layers["series, frame 1, repaired"]
        assert mended.data.shape == (1, 200, 230)
        np.testing.assert_allclose(mended.data_to_world((0, 3, 4)), layer.data_to_world((1, 3, 4)))
        viewer.dims.set_current_step(0, 0)
        view.table.selectRow(0)
        assert viewer.dims.current_step[0] == 1

    def test_of_a_series_every_frame_is_checked(self, viewer, dock, view, check, repair, series):
        frames, layer = series
        view.frames.choose("every")
        check()
        assert view.finding.text().startswith("“series”: tiles of 40 px found")
        circles, table = rings(viewer), view.table
        assert set(circles.data[:, 0]) == {0, 2}
        row = next(i for i, row in enumerate(dock.control.found.rows) if row.position[0] == 2)
        table.selectRow(row)
        assert viewer.dims.current_step[0] == 2
        place = dock.control.found.rows[row].position
        np.testing.assert_allclose(
            camera_of(viewer).center[-2:], layer.data_to_world(place)[1:], atol=1e-6
        )
        label = dock.control.found.rows[row].labels[0]
        for frame in (0, 2):
            place = np.argwhere(frames[frame] == label)[0]
            dock.control._clicks.clicked.emit(tuple(layer.data_to_world((frame, *place))))
            found = dock.control.found.rows[table.chosen]
            assert found.position[0] == frame and label in found.labels
        repair()
        mended = viewer.layers["series, repaired"]
        assert (mended.data[1] == frames[1]).all() and not layer.visible
        assert (mended.data[0] == mended.data[2]).all()
        assert len(np.unique(mended.data[2])) < len(np.unique(frames[2])) - 20
        undone = undo_repair(mended.data, dock.control.repaired.repaired.repair)
        np.testing.assert_array_equal(undone, frames)

    @pytest.mark.parametrize("channels", [(), (2,)])
    def test_every_frame_beside_an_image_that_has_them_or_not(
        self, viewer, dock, view, check, series, channels
    ):
        frames, _ = series
        view.frames.choose("every")
        bright = np.random.default_rng(0).random(frames.shape[1:])
        of_each = viewer.add_image(
            np.broadcast_to(bright, (*channels, *frames.shape)), name="of each"
        )
        of_all = viewer.add_image(np.stack([bright] * 3, axis=-1), name="of all", rgb=True)
        findings = []
        for layer in (of_each, of_all):
            view.image.choose(layer)
            check()
            findings.append(dock.control.found.check)
            assert dock.control.found.image == layer.name
        assert findings[0] == findings[1]
        view.image.choose(None)
        check()
        assert dock.control.found.check != findings[0]

    def test_every_frame_beside_an_image_of_another_size(
        self, viewer, view, check, series, notifications
    ):
        view.frames.choose("every")
        view.image.choose(viewer.add_image(np.ones((80, 70)), name="small"))
        check()
        [(_, message)] = notifications()
        assert "'small' has 80 x 70 px, a frame of the labels has 200 x 230 px" in message

    def test_the_choice_of_frames_is_there_where_there_are_some(self, viewer, view, series):
        assert view.frames.isVisibleTo(view) and view.axes.isVisibleTo(view)
        view.axes.choose("volume")
        assert not view.frames.isVisibleTo(view)
        viewer.add_labels(cut(discs()), name="plane")
        view.layers.choose(viewer.layers["plane"])
        assert not (view.frames.isVisibleTo(view) or view.axes.isVisibleTo(view))

    def test_volumes(self, viewer, dock, view, check):
        volume, pieces = np.zeros((40, 200, 230), int), cut(discs())
        z = np.random.default_rng(0).integers(3, 25, pieces.max() + 1)
        for depth in range(40):
            seen = (z <= depth) & (depth < z + 14)
            volume[depth] = np.where(seen[pieces], pieces, 0)
        layer = viewer.add_labels(volume, name="volume", scale=(4, 1, 1))
        assert view.axes.value == "volume"
        view.grid.kind.choose("known")
        for box, value in zip(view.grid.sizes, (0, 40, 40), strict=True):
            box.setValue(value)
        check()
        assert "tiles of 40 px along y and x (p = " in view.finding.text()
        grid, circles = dock.control.overlay.grid, rings(viewer)
        for depth in (20, 14):
            viewer.dims.set_current_step(0, depth)
            assert set(grid.data[:, 0, 0]) == {depth}
            near = circles.data[:, 0] == depth
            assert 0 < near.sum() < len(near)
        viewer.dims.ndisplay = 3
        assert len(np.unique(grid.data[:, 0, 0])) > 1
        np.testing.assert_array_equal(grid.scale, layer.scale)
        view.axes.choose("frame")
        assert len(view.grid.sizes) == 2

    def test_lazy_and_multiscale_layers(self, viewer, view, check):
        array = pytest.importorskip("dask.array")
        lazy = array.from_array(cut(discs()))
        viewer.add_labels([lazy, lazy[::2, ::2]], name="pyramid")
        check()
        assert "“pyramid”: tiles of 40 px found" in view.finding.text()


class TestExport:
    @pytest.fixture
    def save_as(self, tmp_path, monkeypatch):
        def choose(name):
            path = tmp_path / name
            monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(path), ""))
            return path

        return choose

    def test_of_the_list(self, view, theirs, check, save_as):
        check()
        path = save_as("cuts.csv")
        view.list.click()
        lines = list(csv.DictReader(path.read_text().splitlines()))
        assert len(lines) == view.table.rowCount()
        y, x = map(float, lines[0]["position_px"].split())
        assert lines[0]["position_world"] == f"{2 * y + 100:g} {2 * x - 30:g}"
        path = save_as("cuts.json")
        view.list.click()
        assert len(json.loads(path.read_text())) == len(lines)

    def test_of_the_report_with_which_the_repair_can_be_undone(
        self, viewer, view, theirs, check, repair, save_as
    ):
        check()
        repair()
        path = save_as("report.json")
        view.report.click()
        report = json.loads(path.read_text())
        assert report["tile"] == [40, 40] and "tiles of 40 px found" in report["finding"]
        assert report["layer"] == "theirs" and report["image"] is None
        mended = viewer.layers["theirs, repaired"].data
        np.testing.assert_array_equal(undo_repair(mended, Repair.from_dict(report)), theirs.data)

    def test_that_fails_is_one_message(self, view, theirs, check, save_as, notifications):
        check()
        save_as("no folder/cuts.csv")
        view.list.click()
        assert notifications()[-1][0] == "error" and "no such folder" in notifications()[-1][1]

    def test_is_off_without_a_finding(self, view):
        assert not view.list.isEnabled() and not view.report.isEnabled()


class TestInTheMiddle:
    @pytest.fixture
    def hold(self, monkeypatch, qtbot, view):
        """Start a check that waits."""
        go_on, events = threading.Event(), job.check_events

        def held(*arguments, **keywords):
            for event in events(*arguments, **keywords):
                yield event
                go_on.wait(20)

        monkeypatch.setattr(job, "check_events", held)

        def start():
            view.run.run.click()
            qtbot.waitUntil(lambda: view.run.bar.format() not in ("", "Starting"))

        yield start
        go_on.set()

    def test_progress_is_said_and_cancel_ends_it(self, dock, view, theirs, hold):
        hold()
        assert view.run.bar.format() in ("Reading the labels", "Looking where labels touch")
        view.run.cancel.click()
        assert not dock.control.runner.running and dock.control.found is None

    def test_the_layer_may_be_deleted(self, viewer, dock, view, theirs, hold, notifications):
        hold()
        viewer.layers.remove(theirs)
        assert not dock.control.runner.running
        assert notifications()[-1] == ("info", "The check was cancelled: theirs was removed.")

    def test_the_dock_may_be_closed(self, viewer, dock, theirs, hold, delete, close_dock):
        hold()
        close_dock(dock)
        assert not dock.control.runner.running
        delete(dock)

    def test_a_layer_deleted_afterwards_takes_its_finding_along(
        self, viewer, dock, view, theirs, check, repair, rest
    ):
        check()
        repair()
        viewer.layers.remove(theirs)
        rest()
        assert [layer.name for layer in viewer.layers] == ["theirs, repaired"]
        assert rows(view.table) == [] and not view.repair.repair.isEnabled()
        view.repair.undo.click()
        assert list(viewer.layers) == []


def test_the_layers_menu_opens_the_widget_and_checks(qtbot, viewer, open_dock):
    viewer.add_labels(discs(), name="one")
    check_active_layer(viewer)
    widget = open_dock("Check labels")
    qtbot.waitUntil(lambda: widget.control.found is not None, timeout=PATIENCE)
    assert "“one”: no tile grid found" in widget.view.finding.text()
    qtbot.waitUntil(lambda: not widget.control.turns.busy)


def test_the_layers_menu_without_labels_has_a_word(qtbot, viewer, notifications):
    viewer.add_image(np.zeros((30, 30)))
    check_active_layer(viewer)
    qtbot.waitUntil(lambda: bool(notifications()))
    [(severity, message)] = notifications()
    assert severity == "info" and "Select a labels layer" in message


def test_labels_that_lie_in_a_file_are_checked_too(qtbot, viewer, open_dock):
    pixels = da.from_array(discs(), chunks=16)
    in_file = tag(kind=FILE, image="", path="one.ome.zarr", name="one")
    viewer.add_labels(pixels, name="one", metadata=in_file)
    check_active_layer(viewer)
    widget = open_dock("Check labels")
    qtbot.waitUntil(lambda: widget.control.found is not None, timeout=PATIENCE)
    assert "“one”: no tile grid found" in widget.view.finding.text()
    qtbot.waitUntil(lambda: not widget.control.turns.busy)


def test_passing_labels_are_refused_with_a_word(qtbot, viewer, open_dock, notifications):
    viewer.add_labels(discs(), name="Curtain (A | B)", metadata=tag(kind=CURTAIN))
    check_active_layer(viewer)
    open_dock("Check labels")
    qtbot.waitUntil(lambda: bool(notifications()))
    [(severity, message)] = notifications()
    assert severity == "info" and "only in passing" in message


def test_own_labels_offer_the_grid_that_they_were_made_with(qtbot, viewer, widget, image, dock):
    widget.segment.stitch.switch.choose("naive")
    with qtbot.waitSignal(widget.runner.succeeded, timeout=PATIENCE):
        widget.segment.run.run.click()
    qtbot.waitUntil(lambda: not widget.turns.busy)
    dock.view.layers.choose(viewer.layers["Labels (naive, 12 px)"])
    assert dock.view.grid.kind.value == "known"
    assert [box.value() for box in dock.view.grid.sizes] == [12, 12]
