"""Arguments of the library as other libraries give them, and one clear message for wrong ones."""

import numpy as np
import pytest
import torch

import napari_shiftseg as ss
from napari_shiftseg import ShiftSegError
from napari_shiftseg.embeddings.budget import memory_size
from napari_shiftseg.samples.discs import disc_image

IMAGE = disc_image(70)[0][:60]
LABELS = np.zeros((60, 70), np.int32)
GEOMETRY = ss.NetworkGeometry.regular(2, 1)
LABELS[5:20, 5:20], LABELS[30:50, 20:60] = 1, 2


def test_tensors_and_lists_are_arrays(trained_model):
    expected = ss.segment(IMAGE, trained_model).labels
    assert expected.max() > 20
    for image in (torch.from_numpy(IMAGE), IMAGE.tolist()):
        np.testing.assert_array_equal(ss.segment(image, trained_model).labels, expected)
    for labels in (torch.from_numpy(LABELS), LABELS.tolist()):
        assert ss.check_labels(labels, 30).objects == 2
        repaired, repair = ss.repair_labels(labels, ss.check_labels(labels, 30))
        np.testing.assert_array_equal(ss.undo_repair(repaired.tolist(), repair), LABELS)


def test_whole_numbers_of_numpy(trained_model):
    tile = np.int64(trained_model.geometry.period[0])
    assert ss.segment(IMAGE, trained_model, tile=tile).plan.tile_size == (tile, tile)
    assert ss.segment(IMAGE, trained_model, tile=np.array([tile, tile])).plan.tile_size[1] == tile
    swept = ss.sweep(IMAGE, trained_model, tiles=np.array([20, 24]))
    assert [point.tile for point in swept.points] == [(20, 20), (24, 24)]
    swept = ss.sweep(IMAGE, trained_model, tiles=np.int64(20), truth=LABELS.tolist())
    assert swept.points[0].tile == (20, 20) and swept.scored
    assert ss.compare(IMAGE, trained_model, tile=np.int64(20)).results
    assert ss.check_labels(LABELS, np.int64(30)).tile == (30, 30)
    assert memory_size(2e9) == memory_size(np.int64(2 * 10**9)) == 2 * 10**9


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"tile": 40.7}, "the tile size is 40.7; legal: a whole number"),
        ({"tile": (8, 8, 8)}, "legal: a whole number, or 2"),
        ({"region": ((0, 8), (0, 8))}, "legal: a tuple of a slice per axis"),
        ({"region": slice(0, 8)}, "legal: a tuple of a slice per axis"),
        ({"frame": 0}, "the frame is 0; legal: none, this is a single image"),
        ({"region": (slice(0, 8.5), slice(0, 8))}, "a side of the region is .*; legal: a whole"),
        ({"axes": 5}, "axes are 5; legal: a letter each, as 'tyx'"),
        ({"clustering": {"bandwidth": 1}}, "legal: a Clustering"),
        ({"device": "tpu"}, "there is no device 'tpu' here"),
    ],
)
def test_wrong_arguments_of_segment(trained_model, wrong, message):
    with pytest.raises(ShiftSegError, match=message):
        ss.segment(IMAGE, trained_model, **wrong)


def test_frames_by_number(trained_model):
    stack = np.stack([IMAGE, IMAGE[::-1]])
    one = ss.segment(stack, trained_model, frame=1).labels
    np.testing.assert_array_equal(one[0], ss.segment(stack[1], trained_model).labels)
    assert np.any(one != ss.segment(stack, trained_model, frame=0).labels)
    np.testing.assert_array_equal(one, ss.segment(stack, trained_model, frame=(1,)).labels)
    np.testing.assert_array_equal(one, ss.segment(stack, trained_model, frame=np.int64(1)).labels)
    for wrong in ((5,), 1.0, "a", (0, 0)):
        with pytest.raises(ShiftSegError, match=r"the frame is .*; legal: one of .*\(2,\)"):
            ss.segment(stack, trained_model, frame=wrong)


@pytest.mark.parametrize("value", [None, float("nan"), "wide"])
def test_settings_that_are_no_numbers(value):
    with pytest.raises(ShiftSegError, match=f"bandwidth is {value}; legal: 0.001 to 1000"):
        ss.Clustering(bandwidth=value)


def test_what_is_scored_is_pairs(trained_model):
    with pytest.raises(ShiftSegError, match="there are no images to score"):
        ss.evaluate(trained_model, [])
    with pytest.raises(ShiftSegError, match=r"legal: a pack, or pairs \(image, truth\)"):
        ss.evaluate(trained_model, (IMAGE, LABELS))
    with pytest.raises(ShiftSegError, match="no stitch mode"):
        ss.compare(IMAGE, trained_model, modes=())


def test_of_stacks_each_frame_is_scored(trained_model):
    stack, truth = np.stack([IMAGE, IMAGE[::-1]]), np.stack([LABELS, LABELS[::-1]])
    settings = {"stitch": "naive", "tile": 20}
    together = ss.evaluate(trained_model, [(stack, truth)], **settings)
    apart = ss.evaluate(trained_model, list(zip(stack, truth, strict=True)), **settings)
    one, two = together.to_dict(), apart.to_dict()
    assert {k: v for k, v in one.items() if "interval" not in k}.items() <= two.items()
    assert one["mean_ap_interval"] is None  # one stack says nothing of others
    with pytest.raises(ShiftSegError, match="ground truth has the shape"):
        ss.evaluate(trained_model, [(stack, truth[0])])


def test_what_is_audited_is_a_network(trained_model):
    assert ss.audit(trained_model, ndim=2).period == trained_model.geometry.period
    with pytest.raises(ShiftSegError, match=r"the network is a str; legal: a torch\.nn\.Module"):
        ss.audit("nuclei-2d", ndim=2)
    network = torch.nn.Conv2d(1, 2, 3, padding=1)
    for wrong, message in (
        ({"ndim": 2.0}, "ndim is 2.0; legal: 1 to 3"),
        ({"ndim": "2"}, "ndim is '2'; legal: 1 to 3"),
        ({"ndim": 2, "in_channels": -1}, "in_channels is -1"),
    ):
        with pytest.raises(ShiftSegError, match=message):
            ss.audit(network, **wrong)
    assert ss.audit(network, ndim=2, input_size=32).exact_tiling
    found = ss.audit(network, ndim=2)
    with pytest.raises(ShiftSegError, match="not finite"):
        ss.diagnose(network, found, np.full((1, 64, 64), np.nan))
    with pytest.raises(ShiftSegError, match="the network takes 1 channels, first, and 2 axes"):
        ss.predict_exactly(network, found, IMAGE)


class Several(torch.nn.Module):
    """No loss without a truth, as networks of some libraries have it."""

    def __init__(self):
        super().__init__()
        self.inner = torch.nn.Conv2d(1, 2, 3, padding=1)

    def forward(self, x):
        return {"loss": None, "out": self.inner(x)}


def test_outputs_that_are_none_are_passed_over():
    assert ss.audit(Several(), ndim=2).out_channels == 2


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"min_size": 1.5}, "min_size is 1.5; legal: whole numbers, nearest: 2"),
        ({"split_components": "no"}, "split_components is 'no'; legal: True or False"),
    ],
)
def test_settings_of_another_kind_are_refused(given, message):
    with pytest.raises(ShiftSegError, match=message):
        ss.Clustering(**given)
    assert ss.Clustering(min_size=np.int64(3)).min_size == 3


def test_results_can_be_told_apart(trained_model):
    first, second = ss.segment(IMAGE, trained_model), ss.segment(IMAGE, trained_model)
    assert len({first, second}) == 2 and first != second


def test_truth_may_be_a_list(trained_model):
    found, same = (
        ss.compare(IMAGE, trained_model, truth=truth).to_dict()
        for truth in (LABELS, LABELS.tolist())
    )
    assert found == same


@pytest.mark.parametrize(
    "change",
    [
        lambda t: t.float().requires_grad_(),
        lambda t: t.bfloat16(),
        lambda t: t.to(torch.float64)[:, ::2].repeat_interleave(2, 1),
    ],
)
def test_tensors_of_any_kind_are_images(trained_model, change):
    tensor = change(torch.from_numpy(IMAGE))
    expected = ss.segment(tensor.detach().float().numpy(), trained_model).labels
    assert expected.max() > 5
    np.testing.assert_array_equal(ss.segment(tensor, trained_model).labels, expected)


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (torch.from_numpy(IMAGE).to("meta"), "no array of numbers can be made of this Tensor"),
        (torch.from_numpy(IMAGE).to_sparse(), "no array of numbers can be made of this Tensor"),
        (np.ma.masked_greater(IMAGE, 0), "some pixels are masked; legal: all filled"),
    ],
)
def test_what_holds_no_pixels_is_refused(trained_model, image, message):
    with pytest.raises(ShiftSegError, match=message):
        ss.segment(image, trained_model)
    with pytest.raises(ShiftSegError, match=message):
        ss.check_labels(image)


def test_labels_without_axes_are_refused():
    with pytest.raises(ShiftSegError, match=r"labels of shape \(\) have no pixels"):
        ss.check_labels(np.array(3))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: ss.check_labels(LABELS, offset=5), "the offset 5 is that of a grid"),
        (lambda: ss.check_labels(LABELS, frames=0.5), "frames is 0.5, of 2 axes; legal: 0 to 1"),
        (
            lambda: ss.repair_labels(LABELS, ss.check_labels(LABELS), confidence="high"),
            "the confidence is high; legal: 0 to 1",
        ),
        (
            lambda: ss.repair_labels(LABELS / 1, ss.check_labels(LABELS)),
            "labels are integers, these are float64",
        ),
        (lambda: ss.repair_labels(LABELS, None), "check is a NoneType; legal: what check_labels"),
        (lambda: ss.undo_repair(LABELS, None), "repair is a NoneType; legal: what repair_labels"),
        (lambda: ss.compare(IMAGE, "discs-l4", modes="naive"), "modes is 'naive'; legal: several"),
        (lambda: ss.sweep(IMAGE, "discs-l4", tiles=[]), "tiles is empty; legal: one size or more"),
        (
            lambda: ss.make_plan(GEOMETRY, (60, 70), mode="blended", overlap="a"),
            "overlap is 'a'; legal: 0 <= overlap < 1",
        ),
        (lambda: ss.NetworkGeometry.regular(2.5, 1), "ndim is 2.5; legal: whole numbers from 1 on"),
        (lambda: ss.NetworkGeometry.regular(0, 1), "ndim is 0; legal: whole numbers from 1 on"),
        (lambda: ss.NetworkGeometry.regular(2, -1), "levels is -1; legal: whole numbers from 0 on"),
        (lambda: ss.Stitching("tiled"), "stitch mode is 'tiled'; legal: naive"),
        (
            lambda: ss.segment_file(IMAGE, "labels.tif", block_pixels=0),
            "block_pixels is 0; legal: from 1 on",
        ),
        (
            lambda: ss.segment_file(IMAGE, "labels.tif", workers="2"),
            "the number of workers is '2'; legal: from 1 on",
        ),
    ],
)
def test_wrong_arguments_of_others(call, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ShiftSegError, match=message):
        call()
