import dataclasses
import json

import numpy as np
import pytest
import tifffile

from napari_shiftseg.embeddings.model import load_model
from napari_shiftseg.errors import ShiftSegError
from napari_shiftseg.experiments import fig6, fig7, real_data, reproduce, synthetic
from napari_shiftseg.experiments.outcome import Outcome
from napari_shiftseg.experiments.real_data import DataSet
from napari_shiftseg.experiments.reproduce import FIGURES, Progress, reproduce_events
from napari_shiftseg.experiments.results_page import results_page
from napari_shiftseg.experiments.synthetic import SYNTHETIC, Course
from napari_shiftseg.samples.discs import disc_image


def outcomes(*names, folder, **options):
    return [e for e in reproduce_events(names, folder, **options) if isinstance(e, Outcome)]


@pytest.fixture
def short(monkeypatch):
    """Trainings of three steps."""
    table = {
        name: dataclasses.replace(setting, quick=Course(3, 1e-4))
        for name, setting in SYNTHETIC.items()
    }
    for module in (synthetic, reproduce):
        monkeypatch.setattr(module, "SYNTHETIC", table)


@pytest.fixture
def packs(tmp_path, monkeypatch):
    """Discs as if they were real images."""
    for kind, pixels in zip(("images", "masks"), disc_image(72), strict=True):
        folder = tmp_path / "data" / "discs" / kind
        folder.mkdir(parents=True)
        tifffile.imwrite(folder / "a.tif", pixels)
    monkeypatch.setenv(real_data.DATA_VARIABLE, str(tmp_path / "data"))
    sets = tuple(DataSet(name, "discs", "discs-l4", (16, 20)) for name in ("one", "two"))
    for module in (fig6, fig7, reproduce):
        monkeypatch.setattr(module, "DATA_SETS", sets)
    return sets


class TestFig4:
    """With the network that ships: what it shows is not left to chance."""

    def test_naive_tiles_split_discs_and_corrected_ones_do_not(self, tmp_path):
        naive, corrected = outcomes("fig4b", "fig4c", folder=tmp_path, pretrained=True)
        assert naive.holds and corrected.holds
        numbers = json.loads((tmp_path / "fig4c.json").read_text())["numbers"]
        assert numbers["naive"]["false_splits"] >= 10 * numbers["corrected"]["false_splits"]
        assert numbers["corrected"]["seam_jump_ratio"] <= 1.2
        assert numbers["difference_to_whole"] < 1e-4

    def test_files(self, tmp_path):
        outcomes("fig4c", folder=tmp_path, pretrained=True)
        assert {f.name for f in tmp_path.iterdir()} == {"fig4c.json", "fig4c.png", "fig4c.svg"}


class TestTraining:
    def test_is_done_once_and_kept(self, tmp_path, short):
        first = list(reproduce_events(["fig5"], tmp_path))
        again = list(reproduce_events(["fig5"], tmp_path))
        trained = {e.text for e in first if isinstance(e, Progress) and e.total}
        assert trained == {"training constant", "training constant-nearest"}
        assert not [e for e in again if isinstance(e, Progress) and e.total]
        assert first[-1].numbers == again[-1].numbers

    def test_goes_on_after_an_interruption(self, tmp_path, short):
        events = reproduce_events(["s2"], tmp_path)
        next(events)
        events.close()
        steps = [e.done for e in reproduce_events(["s2"], tmp_path) if getattr(e, "total", 0)]
        assert steps == [2, 3]

    def test_too_short_a_one_is_not_called_a_success(self, tmp_path, short):
        (outcome,) = outcomes("fig2b", folder=tmp_path)
        assert not outcome.holds
        assert "NOT REPRODUCED" in outcome.verdict

    @pytest.mark.parametrize("name", ["fig2a", "fig4a", "fig4b", "s3a", "s3d"])
    def test_every_kind_of_figure_is_measured_and_drawn(self, tmp_path, short, name):
        (outcome,) = outcomes(name, folder=tmp_path)
        written = json.loads((tmp_path / f"{name}.json").read_text())
        assert written == outcome.to_dict() | {"preset": "quick"}
        assert (tmp_path / f"{name}.png").stat().st_size > 1000


class TestRealImages:
    def test_fig6_compares_multiples_of_the_period_with_other_sizes(self, tmp_path, packs):
        (outcome,) = outcomes("fig6", folder=tmp_path)
        rows = outcome.numbers["one"]["tiles"]
        assert [(row["tile"], row["multiple_of_period"]) for row in rows] == [
            (16, True), (20, False),
        ]  # fmt: skip
        assert rows[0]["false_splits"] == outcome.numbers["one"]["whole"]["false_splits"]
        assert rows[1]["false_splits"] > rows[0]["false_splits"]
        assert outcome.holds

    def test_fig7_compares_merged_objects_with_random_pairs(self, tmp_path, packs, monkeypatch):
        whole = list(fig7._crops(*disc_image(72)))
        monkeypatch.setattr(fig7, "distant_pairs", lambda *_: [tuple(whole[:2])])
        (outcome,) = outcomes("fig7", folder=tmp_path)
        numbers = outcome.numbers["one"]
        assert numbers["objects"] == len(np.unique(disc_image(72)[1])) - 1
        assert numbers["merged_pairs_compared"] == 1
        assert numbers["merged_objects"] == 2
        assert numbers["correlation_of_random"] > 0.3

    def test_fig7_takes_every_distant_pair_of_a_cluster_and_no_near_one(self):
        truth = np.zeros((3, 60), np.int32)
        for number, start in enumerate((0, 8, 40, 52), start=1):
            truth[:, start : start + 4] = number
        labels = np.where(truth == 4, 2, np.minimum(truth, 1))
        # Two of the three lie 4 px apart; both are distant from the third.
        assert fig7.distant_pairs(labels, truth) == [(1, 3), (2, 3)]

    def test_fig7_has_nothing_to_compare_where_nothing_is_merged(self, tmp_path, packs):
        (outcome,) = outcomes("fig7", folder=tmp_path)
        assert outcome.numbers["one"]["correlation_of_random"] is None
        assert not outcome.holds

    def test_scores_of_other_images_are_not_taken_for_these(self, tmp_path, packs):
        (first,) = outcomes("fig6", folder=tmp_path)
        mask = tmp_path / "data" / "discs" / "masks" / "a.tif"
        tifffile.imwrite(mask, np.minimum(disc_image(72)[1], 9))
        (other,) = outcomes("fig6", folder=tmp_path)
        assert other.numbers["one"]["whole"]["ap50"] < first.numbers["one"]["whole"]["ap50"]

    def test_missing_data_are_told_before_any_training(self, tmp_path, monkeypatch):
        monkeypatch.delenv(real_data.DATA_VARIABLE, raising=False)
        with pytest.raises(ShiftSegError, match="set SHIFTSEG_DATA"):
            next(reproduce_events(["fig5", "fig6"], tmp_path))

    def test_without_the_data_is_refused(self, tmp_path, monkeypatch):
        monkeypatch.delenv(real_data.DATA_VARIABLE, raising=False)
        with pytest.raises(ShiftSegError, match=r"set SHIFTSEG_DATA to a folder that has"):
            list(real_data.DATA_SETS[0].pairs())


def test_held_out_parts_are_the_end_of_the_last_axis(tmp_path, monkeypatch):
    for kind in ("images", "masks"):
        (tmp_path / "p" / kind).mkdir(parents=True)
        tifffile.imwrite(
            tmp_path / "p" / kind / "a.tif", np.arange(40, dtype=np.uint8).reshape(4, 10)
        )
    monkeypatch.setenv(real_data.DATA_VARIABLE, str(tmp_path))
    ((image, truth),) = DataSet("a", "p", "m", (1,), tested=0.4).pairs()
    assert image.shape == truth.shape == (4, 4)
    assert image[0].tolist() == [6, 7, 8, 9]

    data = DataSet("a", "p", "m", (1,), tested=0.4, placements=3)
    images = [image for image, _ in data.pairs()]
    assert [image.shape for image in images] == [(4, 4), (3, 3), (2, 2)]
    assert [image[0, 0] for image in images] == [6, 17, 28]
    assert data.title == "a at 3 places of the grid"


def test_unknown_figures_are_refused_with_the_legal_ones(tmp_path):
    with pytest.raises(ShiftSegError, match=r"no figure 'fig9'; legal: all, fig2a, fig2b"):
        list(reproduce_events(["fig9"], tmp_path))


class TestPage:
    def test_puts_every_figure_beside_the_papers_claim(self, tmp_path):
        (outcome,) = outcomes("fig4c", folder=tmp_path, pretrained=True)
        page = results_page(tmp_path, tmp_path.parent)
        assert f"| fig4c | {outcome.claim} | {outcome.found} | holds |" in page
        assert f"![fig4c]({tmp_path.name}/fig4c.png)" in page
        assert "`shiftseg reproduce fig4c --pretrained -o FOLDER`" in page

    def test_names_the_preset_of_what_was_trained(self, tmp_path):
        outcomes("fig3", folder=tmp_path, pretrained=True)
        assert "`shiftseg reproduce fig3 --preset quick -o" in results_page(tmp_path, tmp_path)

    @pytest.mark.parametrize("text", ["{}", "[]", '{"figure', "\xff"])
    def test_names_a_file_that_is_no_result(self, tmp_path, text):
        (tmp_path / "fig3.json").write_text(text, encoding="latin-1")
        with pytest.raises(ShiftSegError, match=r"fig3\.json is no result"):
            results_page(tmp_path, tmp_path)

    def test_of_nothing_is_refused(self, tmp_path):
        with pytest.raises(ShiftSegError, match="no results"):
            results_page(tmp_path, tmp_path)


def test_every_training_has_a_figure_and_every_shipped_model_exists():
    used = {t for figure in reproduce._SYNTHETIC_FIGURES.values() for t in figure.trainings}
    assert used == set(SYNTHETIC)
    assert all(load_model(model) for model in reproduce.SHIPPED.values())
    assert len(set(FIGURES)) == len(FIGURES)
