from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import tifffile
import torch
from filelock import FileLock

from napari_shiftseg.embeddings.model import load_model
from napari_shiftseg.embeddings.unet import UNet
from napari_shiftseg.errors import ShiftSegError, ShiftSegWarning
from napari_shiftseg.evaluation import evaluate, evaluate_events
from napari_shiftseg.image.intensity import Scaling
from napari_shiftseg.image.packs import Pair
from napari_shiftseg.samples.discs import disc_image
from napari_shiftseg.seams.matching import MatchCounts
from napari_shiftseg.training.checkpoint import read_summary, steps_done
from napari_shiftseg.training.fit import StepDone
from napari_shiftseg.training.kept import KeptTraining
from napari_shiftseg.training.recipe import TrainingRecipe, known_labels
from napari_shiftseg.training.run import TrainingRun, Validated, Validating, held_out

RECIPE = TrainingRecipe(
    "layers", window=12, levels=1, maps=4, steps=60, validate_every=20, learning_rate=3e-3
)


def pairs(count=4):
    drawn = [disc_image(60, spacing) for spacing in range(12, 12 + count)]
    return [
        Pair(f"discs {i}", image, mask.astype(np.int32)) for i, (image, mask) in enumerate(drawn)
    ]


def split(events):
    events = list(events)
    return (
        [e for e in events if isinstance(e, StepDone)],
        [e for e in events if isinstance(e, Validated)],
    )


class TestHeldOut:
    def test_images_are_not_trained_on(self):
        trained, held = held_out(pairs(10), TrainingRecipe("layers", hold_out=0.3))
        assert len(held) == 3
        assert {p.name for p in trained} | {p.name for p in held} == {p.name for p in pairs(10)}
        assert not {p.name for p in trained} & {p.name for p in held}

    def test_are_at_least_one_and_at_most_sixteen(self):
        assert len(held_out(pairs(2), RECIPE)[1]) == 1
        many = pairs(1) * 400
        trained, held = held_out(many, RECIPE)
        assert (len(trained), len(held)) == (384, 16)

    def test_leave_one_to_train_on(self):
        trained, held = held_out(pairs(4), TrainingRecipe("layers", hold_out=0.99))
        assert (len(trained), len(held)) == (1, 3)

    def test_a_single_image_is_trained_on(self):
        assert held_out(pairs(1), RECIPE)[1] == []

    @pytest.mark.parametrize("seed", range(5))
    @pytest.mark.parametrize("hold_out", [0.1, 0.5, 0.9])
    def test_are_not_all_empty_nor_have_all_objects(self, seed, hold_out):
        full = [Pair(f"full {i}", p.image, p.mask) for i, p in enumerate(pairs(2))]
        empty = [Pair(f"empty {i}", p.image, 0 * p.mask) for i, p in enumerate(pairs(4))]
        recipe = TrainingRecipe("layers", hold_out=hold_out, seed=seed)
        parts = held_out([*full, *empty], recipe)
        assert sorted(p.name for part in parts for p in part) == sorted(
            p.name for p in [*full, *empty]
        )
        for part in parts:
            assert any(p.mask.any() for p in part)

    def test_none_where_only_one_image_has_objects(self):
        alone = [
            *pairs(1),
            *(Pair(f"empty {i}", p.image, 0 * p.mask) for i, p in enumerate(pairs(4))),
        ]
        assert held_out(alone, RECIPE) == (alone, [])

    def test_the_discs_are_trained_on(self):
        assert TrainingRun(TrainingRecipe("discs:13", window=12, levels=1)).validated_on == []

    def test_none_if_not_wanted(self):
        assert len(held_out(pairs(), TrainingRecipe("layers", hold_out=0))[0]) == 4


class TestValidation:
    def test_comes_as_often_as_asked_and_at_the_end(self):
        recipe = TrainingRecipe("layers", window=12, levels=1, maps=2, steps=5, validate_every=2)
        _, validations = split(TrainingRun(recipe, pairs()).events())
        assert [v.step for v in validations] == [2, 4, 5]
        assert all(v.true_objects > 0 for v in validations)

    def test_scores_what_is_outlined_alone(self):
        recipe = replace(RECIPE, steps=2, validate_every=2, background_label=1)
        sparse = [replace(p, mask=np.where(p.mask > 3, 0, p.mask + 1)) for p in pairs()]
        _, (validation,) = split(TrainingRun(recipe, sparse).events())
        (held,) = held_out(sparse, recipe)[1]
        assert validation.true_objects == len(np.unique(held.mask)) - 2

    def test_takes_images_with_their_labels_as_they_are(self):
        plain = [(pair.image, pair.mask.tolist()) for pair in pairs()]
        first, second = (
            [step.losses for step in split(TrainingRun(replace(RECIPE, steps=2), each).events())[0]]
            for each in (plain, pairs())
        )
        assert first == second
        with pytest.raises(ShiftSegError, match="no images to train on"):
            TrainingRun(RECIPE, [])

    def test_keeps_the_weights_of_the_best(self, monkeypatch):
        aps = iter((0.2, 0.9, 0.4))
        monkeypatch.setattr(MatchCounts, "average_precision", lambda *_: next(aps))
        run = TrainingRun(RECIPE, pairs())
        seen = {}
        for event in run.events():
            if isinstance(event, Validated):
                seen[event.step] = {
                    k: v.clone() for k, v in run.trainer.trained.state_dict().items()
                }
        assert run.best is not None and run.best.ap == 0.9
        assert [done.best for done in run.validations] == [True, True, False]
        exported = run.best_model("m").network.state_dict()
        assert all(torch.equal(exported[k], v) for k, v in seen[run.best.step].items())

    def test_is_done_again_with_another_bandwidth(self, tmp_path):
        checkpoint = tmp_path / "run.checkpoint"
        recipe = replace(RECIPE, steps=4, validate_every=2, bandwidth=1.5)
        first = TrainingRun(recipe, pairs(), checkpoint=checkpoint)
        list(first.events())
        other = replace(recipe, bandwidth=0.01)
        again = TrainingRun(other, pairs(), checkpoint=checkpoint, command="again")
        assert not again.finished
        _, (validated,) = split(again.events())
        model = again.best_model("m")
        held = [(pair.image, pair.mask) for pair in again.validated_on]
        measured = evaluate(model, held)
        assert validated.step == first.best.step
        assert again.validations == [validated]
        assert validated.objects == measured.counts.predicted_objects
        assert model.description.training["command"] == "again"
        assert model.description.training["recipe"]["bandwidth"] == 0.01
        weights = first.best_model("m").network.state_dict()
        assert all(torch.equal(model.network.state_dict()[k], v) for k, v in weights.items())
        assert TrainingRun(other, pairs(), checkpoint=checkpoint).finished

    def test_on_a_pack_without_objects_is_refused(self, tmp_path):
        for kind in ("images", "masks"):
            (tmp_path / "empty" / kind).mkdir(parents=True)
            tifffile.imwrite(tmp_path / "empty" / kind / "a.tif", np.zeros((60, 60), np.uint8))
        recipe = replace(RECIPE, validation=str(tmp_path / "empty"))
        with pytest.raises(ShiftSegError, match="empty: there is no object in 1 mask"):
            TrainingRun(recipe, pairs())

    def test_sees_a_slice_as_the_whole_stack_is_scaled(self, monkeypatch):
        dark = [replace(pair, scaling=Scaling((0.0,), (50.0,))) for pair in pairs()]
        run = TrainingRun(replace(RECIPE, steps=1, validate_every=1), dark)
        seen = []

        def evaluated(model, given, **options):
            seen.extend((model.description.intensity.kind, image) for image, _ in given)
            return evaluate_events(model, given, **options)

        monkeypatch.setattr("napari_shiftseg.training.run.evaluate_events", evaluated)
        list(run.events())
        ((kind, image),) = seen
        assert kind == "none"
        assert image.max() == run.trainer.crops.images[0].max() == np.float32(1 / 50)

    def test_comes_where_the_loss_reached_zero(self, tmp_path):
        checkpoint = tmp_path / "run.checkpoint"
        recipe = replace(
            RECIPE, steps=50, validate_every=40, stop_at_zero=True, pull_margin=1e3,
            push_margin=1e-9, regulariser_weight=0, foreground=False, embedding_dims=2,
        )  # fmt: skip
        steps, validated = split(TrainingRun(recipe, pairs(), checkpoint=checkpoint).events())
        assert len(steps) == len(validated) == 1
        assert TrainingRun(recipe, pairs(), checkpoint=checkpoint).finished

    def test_can_be_stopped_between_two_images(self, tmp_path):
        recipe = replace(RECIPE, hold_out=0.5, steps=2, validate_every=1)
        run = TrainingRun(recipe, pairs(), checkpoint=tmp_path / "run.checkpoint")
        events = run.events()
        said = list(islice(events, 3))
        assert said[1:] == [Validating(1, 0, 2), Validating(1, 1, 2)]
        events.close()
        resumed = TrainingRun(recipe, pairs(), checkpoint=tmp_path / "run.checkpoint")
        assert resumed.trainer.step == 1
        steps, _ = split(resumed.events())
        straight, _ = split(TrainingRun(recipe, pairs()).events())
        assert steps[-1].losses == straight[-1].losses


class TestResume:
    def test_gives_the_events_of_an_uninterrupted_run(self, tmp_path):
        steps, validations = split(TrainingRun(RECIPE, pairs()).events())
        file = tmp_path / "run.checkpoint"
        stopped = TrainingRun(RECIPE, pairs(), checkpoint=file).events()
        list(islice(stopped, 33))
        stopped.close()
        resumed = TrainingRun(RECIPE, pairs(), checkpoint=file)
        again, _ = split(resumed.events())
        assert [s.losses for s in again] == [s.losses for s in steps[again[0].step - 1 :]]
        assert resumed.validations == validations
        assert [entry.step for entry in resumed.losses][-1] == 60

    def test_after_a_kill_in_a_validation_loses_no_step_and_makes_up_for_it(self, tmp_path):
        straight = TrainingRun(RECIPE, pairs())
        expected, validations = split(straight.events())
        file, left = tmp_path / "run.checkpoint", tmp_path / "left.checkpoint"
        for event in TrainingRun(RECIPE, pairs(), checkpoint=file).events():
            if isinstance(event, Validating) and event.step == 40:
                left.write_bytes(file.read_bytes())
        resumed = TrainingRun(RECIPE, pairs(), checkpoint=left)
        assert resumed.trainer.step == 40 and resumed.recipe.validate_every == 20
        events = list(resumed.events())
        assert isinstance(events[0], Validating)
        steps, again = split(events)
        assert [s.losses for s in steps] == [s.losses for s in expected[40:]]
        assert again == validations[1:]
        assert (resumed.losses, resumed.validations) == (straight.losses, straight.validations)

    def test_a_run_stopped_in_its_last_validation_is_not_finished(self, tmp_path):
        file = tmp_path / "run.checkpoint"
        run = TrainingRun(replace(RECIPE, steps=2), pairs(), checkpoint=file)
        events = run.events()
        list(islice(events, 3))
        events.close()
        assert not run.finished
        resumed = TrainingRun(replace(RECIPE, steps=2), pairs(), checkpoint=file)
        assert split(resumed.events())[1] == resumed.validations and resumed.finished
        assert list(TrainingRun(run.recipe, pairs(), checkpoint=file).events()) == []

    def test_stopped_between_two_points_its_curves_are_those_of_an_uninterrupted_run(
        self, tmp_path
    ):
        recipe = replace(RECIPE, steps=2000, validate_every=2000)
        file = tmp_path / "run.checkpoint"
        straight = TrainingRun(recipe, pairs())
        list(islice(straight.events(), 12))
        for steps in (3, 4, 5):
            stopped = TrainingRun(recipe, pairs(), checkpoint=file)
            events = stopped.events()
            list(islice(events, steps))
            events.close()
        assert [entry.step for entry in straight.losses] == [5, 10]
        assert stopped.losses == straight.losses
        assert len(straight.recent) == 2 and stopped.recent == straight.recent

    def test_knows_the_course_so_far(self, tmp_path):
        file = tmp_path / "run.checkpoint"
        first = TrainingRun(RECIPE, pairs(), checkpoint=file)
        list(first.events())
        second = TrainingRun(RECIPE, pairs(), checkpoint=file)
        assert second.losses == first.losses
        assert second.best == first.best
        assert set(second.losses[0].terms) == {"pull", "push", "regulariser", "foreground"}


class TestKept:
    """A model without the images: of what a checkpoint holds."""

    @pytest.mark.parametrize("recipe", [RECIPE, replace(RECIPE, average=0, hold_out=0)])
    def test_is_the_one_that_the_run_would_export(self, tmp_path, recipe):
        file = tmp_path / "run.checkpoint"
        run = TrainingRun(replace(recipe, validate_every=5), pairs(), checkpoint=file)
        events = run.events()
        list(islice(events, 8))
        events.close()
        model, expected = KeptTraining.read(file).best_model("m"), run.best_model("m")
        assert model.description.to_json() == expected.description.to_json()
        for name, weights in expected.network.state_dict().items():
            assert torch.equal(model.network.state_dict()[name], weights)

    @pytest.mark.parametrize("content", [b"", b"no checkpoint"])
    def test_of_another_file_there_is_none(self, tmp_path, content):
        (tmp_path / "m.checkpoint").write_bytes(content)
        with pytest.raises(ShiftSegError, match="no checkpoint of a training"):
            KeptTraining.read(tmp_path / "m.checkpoint")


class TestSettings:
    """A resumed training goes on as it was begun, or is refused."""

    @pytest.fixture
    def begun(self, tmp_path):
        file = tmp_path / "run.checkpoint"
        events = TrainingRun(RECIPE, pairs(), checkpoint=file).events()
        list(islice(events, 3))
        events.close()
        return file

    def test_that_differ_are_named_with_what_they_were(self, begun):
        other = replace(RECIPE, maps=5, seed=2, data="others", hold_out=0.5)
        with pytest.raises(ShiftSegError) as caught:
            TrainingRun(other, checkpoint=begun)  # before it looks for the data
        assert str(caught.value) == (
            "run.checkpoint holds a training with other settings: "
            "maps was 4, is 5; hold_out was 0.1, is 0.5; seed was 0, is 2. "
            "Give the former ones, begin another training under another name, or remove that "
            "file to begin this one afresh"
        )

    def test_may_change_where_the_training_can_go_on(self, begun):
        other = replace(
            RECIPE, preset="2d", steps=5, validate_every=2, learning_rate=1e-4, data="/moved/layers"
        )
        run = TrainingRun(other, pairs(), checkpoint=begun)
        assert [s.step for s in split(run.events())[0]] == [4, 5]

    def test_data_are_known_by_what_they_hold_and_not_by_their_name(self, begun):
        TrainingRun(replace(RECIPE, data="renamed"), pairs(), checkpoint=begun)
        corrected = pairs()
        corrected[-1].mask[corrected[-1].mask == 1] = 0
        with pytest.raises(ShiftSegError, match="a training on other images or labels"):
            TrainingRun(RECIPE, corrected, checkpoint=begun)

    def test_that_were_changed_on_the_way_are_in_the_card(self, begun):
        other = replace(RECIPE, steps=5, learning_rate=1e-4)
        run = TrainingRun(other, pairs(), checkpoint=begun, command="shiftseg train --steps 5")
        list(run.events())
        training = run.best_model("new").description.training
        assert training["changes"] == [{"before_step": 4, "steps": 60, "learning_rate": 3e-3}]
        assert training["recipe"]["learning_rate"] == 1e-4
        again = TrainingRun(
            replace(other, steps=2, learning_rate=0.5), pairs(), checkpoint=begun, command="again"
        )
        assert again.finished and not list(again.events())
        assert again.best_model("new").description.training == training

    def test_of_validation_are_known_by_what_they_hold(self, tmp_path):
        for kind, name in (("images", "image"), ("masks", "mask")):
            (tmp_path / "held" / kind).mkdir(parents=True)
            tifffile.imwrite(tmp_path / "held" / kind / "a.tif", getattr(pairs()[0], name))
        recipe = replace(RECIPE, validation=str(tmp_path / "held"), steps=2)
        file = tmp_path / "run.checkpoint"
        with pytest.warns(ShiftSegWarning, match="a is validated on and trained on"):
            run = TrainingRun(recipe, pairs(), checkpoint=file)
        list(run.events())
        tifffile.imwrite(tmp_path / "held" / "masks" / "a.tif", pairs()[1].mask)
        with (
            pytest.warns(ShiftSegWarning),
            pytest.raises(ShiftSegError, match="a training on other images or labels"),
        ):
            TrainingRun(replace(recipe, steps=4), pairs(), checkpoint=file)

    def test_another_run_that_writes_the_checkpoint_is_waited_for(self, begun):
        with (
            FileLock(begun.with_name(f".{begun.name}.lock")),
            pytest.raises(ShiftSegError, match="being written by another run"),
        ):
            list(TrainingRun(RECIPE, pairs(), checkpoint=begun).events())

    def test_data_have_their_name_alone_in_checkpoints_of_before(self, begun):
        state = torch.load(begun, weights_only=True)
        del state["kept"]["content"]
        torch.save(state, begun)
        with pytest.raises(ShiftSegError, match="data was 'layers', is 'others'"):
            TrainingRun(replace(RECIPE, data="others"), pairs(), checkpoint=begun)

    def test_a_checkpoint_that_cannot_be_written_is_refused_before_any_step(self, tmp_path):
        with pytest.raises(ShiftSegError, match="no such folder"):
            TrainingRun(RECIPE, pairs(), checkpoint=tmp_path / "none" / "run.checkpoint")
        with pytest.raises(ShiftSegError, match="cannot be written"):
            TrainingRun(RECIPE, pairs(), checkpoint=Path("/proc/run.checkpoint"))

    def test_of_a_checkpoint_without_them_are_taken_as_given(self, begun):
        state = torch.load(begun, weights_only=True)
        del state["kept"]["recipe"]
        torch.save(state, begun)
        list(TrainingRun(replace(RECIPE, seed=2, steps=4), pairs(), checkpoint=begun).events())
        with pytest.raises(ShiftSegError, match="seed was 2, is 0"):
            TrainingRun(RECIPE, pairs(), checkpoint=begun)

    def test_and_steps_are_read_without_a_network(self, begun, monkeypatch):
        monkeypatch.setattr(UNet, "__init__", None)
        assert steps_done(begun) == 3
        assert TrainingRecipe(**read_summary(begun).settings) == RECIPE

    @pytest.mark.parametrize("content", [b"", b"garbage", None])
    def test_of_no_checkpoint_are_none(self, tmp_path, content):
        if content is not None:
            (tmp_path / "run.checkpoint").write_bytes(content)
        assert steps_done(tmp_path / "run.checkpoint") is None


class TestModel:
    def test_of_now_is_not_changed_by_training_on(self):
        run = TrainingRun(RECIPE, pairs())
        events = run.events()
        list(islice(events, 3))
        model = run.model()
        before = {k: v.clone() for k, v in model.network.state_dict().items()}
        list(islice(events, 3))
        assert all(torch.equal(v, before[k]) for k, v in model.network.state_dict().items())

    def test_file_has_its_card(self, tmp_path):
        run = TrainingRun(RECIPE, pairs())
        list(run.events())
        run.export(tmp_path / "mine.safetensors", summary="Mine.", licence="MIT", command="train")
        loaded = load_model(tmp_path / "mine.safetensors").description
        assert (loaded.name, loaded.summary, loaded.licence) == ("mine", "Mine.", "MIT")
        assert loaded.training_window == (12, 12)
        assert loaded.scores["validation"]["ap"] == run.best.ap
        assert loaded.training["command"] == "train"
        assert TrainingRecipe(**loaded.training["recipe"]) == RECIPE


@pytest.mark.parametrize(
    ("background", "expected"), [(0, [-2, 0, 1, 2]), (1, [-2, -1, 0, 2]), (2, [-2, -1, 1, 0])]
)
def test_the_background_may_have_any_label(background, expected):
    assert known_labels(np.array([-2, 0, 1, 2]), background).tolist() == expected


@pytest.mark.parametrize("image", [(2, 60, 60), (60, 60, 2)])
def test_channels_come_first_or_last(image):
    mask = disc_image(60)[1].astype(np.int32)
    recipe = TrainingRecipe("layers", window=12, levels=1, maps=2, channels=2, steps=1)
    pair = Pair("two", np.random.default_rng(0).random(image), mask)
    assert len(list(TrainingRun(recipe, [pair]).events())) == 1


def test_anisotropic_stacks():
    mask = np.zeros((12, 50, 50), np.int32)
    mask[4:8, 10:30, 10:30] = 1
    recipe = TrainingRecipe(
        "layers", preset="3d-anisotropic", levels=2, maps=2, window=(4, 8, 8), steps=1
    )
    run = TrainingRun(recipe, [Pair("stack", mask.astype(np.float32), mask)])
    assert recipe.geometry.period == (2, 4, 4)
    assert len(list(run.events())) == 1
