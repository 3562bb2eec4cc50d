import re
from itertools import islice

import numpy as np
import pytest
import torch

from napari_shiftseg.embeddings.unet import Architecture
from napari_shiftseg.errors import ShiftSegError
from napari_shiftseg.samples.discs import disc_image
from napari_shiftseg.tiles.geometry import NetworkGeometry
from napari_shiftseg.training.crops import Augmentation, Crops
from napari_shiftseg.training.fit import Schedule, Trainer, near_outlines
from napari_shiftseg.training.loss import DiscriminativeLoss
from napari_shiftseg.training.windows import Windows

ARCHITECTURE = Architecture(NetworkGeometry.regular(2, 1), maps=4, foreground=True)


def trainer(window=16, steps=8, checkpoint=None, architecture=ARCHITECTURE, mask=None, **options):
    image, discs = disc_image(60)
    windows = Windows(
        architecture.geometry,
        (window, window),
        options.pop("mosaic", 1),
        options.pop("across", True),
    )
    crops = Crops(
        [image[None].astype("float32")],
        [(discs if mask is None else mask).astype("int64")],
        windows.crop,
        architecture.geometry.context,
        Augmentation(zoom=1.1, intensity=0.2),
    )
    schedule = Schedule(
        steps=steps,
        learning_rate=options.pop("learning_rate", 3e-3),
        warmup=2,
        batch=options.pop("batch", 1),
        precision=options.pop("precision", "float32"),
        average=options.pop("average", 0.9),
        stop_at_zero=options.pop("stop_at_zero", False),
    )
    loss = options.pop("loss", DiscriminativeLoss())
    return Trainer(architecture, crops, windows, loss, schedule, checkpoint=checkpoint, **options)


def losses(events):
    return [(event.step, event.losses) for event in events]


class TestWindow:
    def test_up_to_the_period_is_refused_and_period_and_smallest_window_named(self):
        with pytest.raises(ShiftSegError) as caught:
            trainer(window=2)
        assert "does not exceed the period of 2 x 2 px" in str(caught.value)
        assert "smallest good window: 4 x 4 px" in str(caught.value)

    def test_can_be_allowed(self):
        assert len(list(trainer(window=2, steps=1, allow_small_window=True).run())) == 1


class TestResume:
    def test_gives_the_losses_and_weights_of_an_uninterrupted_run(self, tmp_path):
        straight = trainer()
        expected = losses(straight.run())

        file = tmp_path / "run.pt"
        killed = trainer(checkpoint=file).run(save_every=3)
        before = losses(islice(killed, 4))
        resumed = trainer(checkpoint=file)
        assert resumed.step == 3
        after = losses(resumed.run())

        assert before == expected[:4]
        assert after == expected[3:]
        for attribute in ("network", "trained"):
            one = getattr(straight, attribute).state_dict()
            other = getattr(resumed, attribute).state_dict()
            assert all(torch.equal(one[name], other[name]) for name in one)

    def test_a_finished_run_has_nothing_left_to_do(self, tmp_path):
        file = tmp_path / "run.pt"
        finished = trainer(checkpoint=file, steps=3)
        list(finished.run())
        again = trainer(checkpoint=file, steps=3)
        assert list(again.run()) == []
        assert again.step == 3

    def test_time_goes_on_where_it_stopped(self, tmp_path):
        file = tmp_path / "run.pt"
        *_, last = trainer(checkpoint=file, steps=3).run()
        first = next(trainer(checkpoint=file, steps=5).run())
        assert first.seconds > last.seconds

    @pytest.mark.parametrize("content", [b"", b"garbage", None], ids=["empty", "garbage", "other"])
    def test_from_what_is_no_checkpoint_is_refused(self, tmp_path, content):
        file = tmp_path / "run.pt"
        if content is None:
            torch.save({"weights": torch.zeros(1)}, file)
        else:
            file.write_bytes(content)
        with pytest.raises(ShiftSegError, match="no checkpoint of this training") as refused:
            trainer(checkpoint=file)
        assert str(refused.value).count("no checkpoint") == 1

    def test_of_another_network_is_refused(self, tmp_path):
        file = tmp_path / "run.pt"
        list(trainer(checkpoint=file, steps=1).run())
        wider = Architecture(NetworkGeometry.regular(2, 1), maps=5, foreground=True)
        with pytest.raises(ShiftSegError, match="no checkpoint of this training"):
            trainer(checkpoint=file, architecture=wider)

    def test_stopping_saves_so_that_nothing_is_lost(self, tmp_path):
        file = tmp_path / "run.pt"
        run = trainer(checkpoint=file).run()
        before = losses(islice(run, 3))
        run.close()
        resumed = trainer(checkpoint=file)
        assert resumed.step == 3
        assert before + losses(resumed.run()) == losses(trainer().run())

    def test_a_step_that_was_interrupted_is_not_saved(self, tmp_path, monkeypatch):
        file = tmp_path / "run.pt"
        stopped = trainer(checkpoint=file)
        run = stopped.run(save_every=2)
        expected = losses(islice(run, 3))
        update = stopped.optimiser.step

        def interrupted(*arguments, **options):
            update(*arguments, **options)
            raise KeyboardInterrupt

        monkeypatch.setattr(stopped.optimiser, "step", interrupted)
        with pytest.raises(KeyboardInterrupt):
            next(run)
        resumed = trainer(checkpoint=file)
        assert resumed.step == 2
        assert losses(islice(resumed.run(), 1)) == expected[2:]

    def test_only_the_checkpoint_is_left(self, tmp_path):
        list(trainer(checkpoint=tmp_path / "run.pt", steps=2).run(save_every=1))
        assert [f.name for f in tmp_path.iterdir()] == ["run.pt"]


class TestDivergence:
    """A loss that is not finite ends the training before it can spoil what is kept."""

    def test_ends_it_with_what_to_try_and_keeps_the_last_checkpoint(self, tmp_path):
        file = tmp_path / "run.pt"
        begun = trainer(checkpoint=file).run()
        expected = losses(islice(begun, 3))
        begun.close()
        good = file.read_bytes()
        with pytest.raises(ShiftSegError) as caught:
            list(trainer(checkpoint=file, learning_rate=1e30).run())
        assert re.fullmatch(
            r"the loss or its gradient is not finite at step \d \(pull .*\), so the training has "
            r"ended; try a learning rate below 1e\+30; the checkpoint of step 3 is kept, and can "
            r"be resumed",
            str(caught.value),
        )
        assert file.read_bytes() == good
        resumed = trainer(checkpoint=file)
        assert expected + losses(resumed.run()) == losses(trainer().run())

    def test_of_a_gradient_alone_leaves_the_weights(self, tmp_path, monkeypatch):
        run = trainer(checkpoint=tmp_path / "run.pt")
        before = {k: v.clone() for k, v in run.network.state_dict().items()}
        hook = lambda gradient: gradient * torch.inf  # noqa: E731
        next(run.network.parameters()).register_hook(hook)
        with pytest.raises(ShiftSegError, match="nothing was saved before it"):
            list(run.run())
        assert all(torch.equal(v, before[k]) for k, v in run.network.state_dict().items())
        assert list(tmp_path.iterdir()) == []

    def test_from_pixels_that_are_not_finite_says_so(self):
        run = trainer()
        run.crops.images[0][:] = np.nan
        with pytest.raises(ShiftSegError, match="try images without infinite pixels or NaN"):
            list(run.run())


class TestRun:
    def test_the_same_seed_trains_the_same_network(self):
        assert losses(trainer(steps=3).run()) == losses(trainer(steps=3).run())
        assert losses(trainer(steps=3, seed=1).run()) != losses(trainer(steps=3).run())

    def test_a_few_steps_reduce_the_loss(self):
        totals = [sum(event.losses.values()) for event in trainer(steps=60).run()]
        assert sum(totals[-10:]) < 0.7 * sum(totals[:10])

    def test_every_term_is_reported(self):
        event = next(trainer().run())
        assert set(event.losses) == {"pull", "push", "regulariser", "foreground"}

    def test_without_average_the_last_weights_are_exported(self):
        last = trainer(steps=2, average=0)
        averaged = trainer(steps=2)
        list(last.run()), list(averaged.run())
        assert last.trained is last.network
        assert averaged.trained is not averaged.network

    def test_little_of_the_start_is_left_in_the_weights_of_a_short_training(self):
        short = trainer(steps=30, average=0.999)
        begun = [weights.detach().clone() for weights in short.network.parameters()]
        list(short.run())
        moved = [
            (exported - start).norm() / (last - start).norm()
            for exported, last, start in zip(
                short.trained.parameters(), short.network.parameters(), begun, strict=True
            )
            if not torch.equal(last, start)
        ]
        assert min(moved) > 0.5

    def test_stops_when_nothing_is_lost(self):
        plain = Architecture(NetworkGeometry.regular(2, 1), maps=4)
        nothing = DiscriminativeLoss(pull_weight=0, push_weight=0, regulariser_weight=0)
        run = trainer(architecture=plain, loss=nothing, stop_at_zero=True)
        assert [event.step for event in run.run()] == [1]

    def test_coordinates_take_part_in_the_loss(self):
        located = Architecture(
            ARCHITECTURE.geometry, maps=4, coordinate_dims=2, coordinate_scale=1.0, foreground=True
        )
        near = next(trainer().run()).losses
        far = next(trainer(architecture=located).run()).losses
        assert far["push"] < near["push"]
        assert far["foreground"] == pytest.approx(near["foreground"])


class TestCropsOfAllKinds:
    """Sparse, partly labelled, empty, and objects cut to slivers by the crop."""

    @pytest.mark.parametrize("background", [False, True])
    @pytest.mark.parametrize(
        "mask",
        [
            np.zeros((60, 60)),
            np.full((60, 60), -1),
            np.ones((60, 60)),
            np.where(np.arange(3600).reshape(60, 60) % 97 == 0, 5, -1),
            np.arange(3600).reshape(60, 60) // 7,
        ],
        ids=["background alone", "unknown alone", "one object", "single pixels", "slivers"],
    )
    def test_give_finite_losses_and_weights(self, mask, background):
        run = trainer(mask=mask, loss=DiscriminativeLoss(background=background), steps=3)
        assert all(np.isfinite(sum(event.losses.values())) for event in run.run())
        assert all(bool(w.isfinite().all()) for w in run.network.parameters())

    def test_what_is_unknown_does_not_matter(self):
        run, numbers = trainer(), torch.Generator().manual_seed(0)
        labels = torch.tensor([[0, -1, 3, 3], [-1, -1, 3, 7], [0, 0, -1, 7]])
        output = torch.randn(run.network.architecture.out_channels, 3, 4, generator=numbers)
        other = torch.where(labels < 0, output + 5, output)
        assert run._foreground(other[-1], labels) == run._foreground(output[-1], labels)
        assert run.loss(other[:-1], labels) == run.loss(output[:-1], labels)


class TestBatch:
    def test_loss_is_the_mean_of_its_crops(self):
        every = [trainer(batch=2), trainer(batch=1), trainer(batch=1)]
        generator = np.random.default_rng((0, 0))
        crops = [every[0].crops.sample(generator) for _ in range(2)]
        for single, crop in zip(every[1:], crops, strict=True):
            single._draw = lambda step, crop=crop: (crop[0], crop[1][None])
        both, first, second = (next(one.run()).losses for one in every)
        for name, value in both.items():
            assert value == pytest.approx((first[name] + second[name]) / 2, rel=1e-5, abs=1e-8)


def test_mixed_precision_trains_as_well():
    totals = [sum(event.losses.values()) for event in trainer(steps=60, precision="mixed").run()]
    assert sum(totals[-10:]) < 0.7 * sum(totals[:10])


@pytest.mark.parametrize("options", [{"steps": 0}, {"batch": 0}, {"precision": "float16"}])
def test_impossible_schedules_are_refused(options):
    with pytest.raises(ShiftSegError, match="legal"):
        trainer(**options)


def test_the_learning_rate_rises_stays_and_falls():
    schedule = Schedule(steps=100, learning_rate=1.0, warmup=10, decay=0.2)
    rates = [schedule.rate(step) for step in range(100)]
    assert rates[0] == 0.1
    assert rates[9:81] == [1.0] * 72
    assert rates[90] == pytest.approx(0.5)
    assert 0 < rates[99] < 0.1
    assert rates[:10] == sorted(rates[:10])
    assert rates[80:] == sorted(rates[80:], reverse=True)


class TestOutlines:
    def test_are_where_labels_change_within_two_pixels(self):
        labels = torch.tensor([[0, 0, 0, 0, 5, 5, 5, 7, 7, 7, 7]])
        assert near_outlines(labels).int().tolist() == [[0, 0, 1, 1, 1, 1, 1, 1, 1, 0, 0]]

    def test_can_weigh_more_than_the_rest(self):
        labels = torch.tensor([[0] * 8 + [5] * 8])
        outlines = near_outlines(labels).bool()
        right = torch.where(labels > 0, 4.0, -4.0)
        for wrong, sign in ((outlines, 1), (~outlines, -1)):
            logits = torch.where(wrong, -right, right)
            plain, weighted = (
                trainer(boundary_weight=w)._foreground(logits, labels) for w in (0, 5)
            )
            assert sign * (weighted - plain) > 0.1
