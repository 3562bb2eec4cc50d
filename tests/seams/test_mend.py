from dataclasses import replace

import numpy as np
import pytest
import torch

from napari_shiftseg.pipeline import segment
from napari_shiftseg.samples import load_sample
from napari_shiftseg.seams.jumps import JumpSums
from napari_shiftseg.seams.mend import mend, propose_merges, unmended
from napari_shiftseg.seams.report import SeamReport
from napari_shiftseg.seams.splits import SeamSplit

SPLIT = SeamSplit(1, (1, 2), 0, 9, (9.0, 9.0), 5, 1.0, "phase")


def report(*pieces):
    splits = tuple(replace(SPLIT, object_id=i, pieces=each) for i, each in enumerate(pieces))
    return SeamReport("naive", (9, 9), 9, None, None, None, splits, JumpSums())


def test_each_split_is_a_group():
    assert propose_merges(report((5, 7), (1, 2, 3))) == ((1, 2, 3), (5, 7))


def test_splits_that_share_pieces_are_one_group():
    assert propose_merges(report((1, 2), (5, 6), (3, 4), (2, 3), (6, 9))) == (
        (1, 2, 3, 4),
        (5, 6, 9),
    )


def test_nothing_is_proposed_where_nothing_is_split():
    assert propose_merges(report()) == ()


@pytest.mark.parametrize("dtype", [np.uint8, np.int32, np.uint64])
def test_each_group_is_merged_into_its_first_label(dtype):
    labels = np.array([[0, 1, 2], [9, 4, 7]], dtype)
    mended = mend(labels, ((2, 9), (1, 7)))
    assert mended.tolist() == [[0, 1, 2], [2, 4, 1]]
    assert mended.dtype == dtype
    assert labels[1, 0] == 9


def test_no_groups_no_change():
    labels = np.arange(6).reshape(2, 3)
    assert (mend(labels, ()) == labels).all()


def test_groups_of_which_less_than_two_pieces_are_left_need_no_mending():
    labels = np.array([1, 2, 5, 8])
    groups = ((1, 2, 3), (5, 6), (9, 10))
    assert unmended(labels, groups) == ((1, 2),)
    assert unmended(mend(labels, groups), groups) == ()
    assert unmended(labels, ()) == ()


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.mark.parametrize(
    ("name", "model", "tile", "at_least"),
    [("discs", "discs-l4", 20, 10), ("nuclei", "nuclei-2d-plain", 90, 1)],
)
def test_mended_labels_have_no_seam_splits(name, model, tile, at_least):
    sample, part = load_sample(name), np.s_[:300, :150] if name == "discs" else ...
    truth = sample.truth[part]
    naive = segment(sample.image[part], model, stitch="naive", tile=tile)
    embedding = naive.prediction.embedding
    before = SeamReport.of(naive.labels, embedding, naive.plan, truth=truth)
    groups = propose_merges(before)
    after = SeamReport.of(mend(naive.labels, groups), embedding, naive.plan, truth=truth)
    assert before.seam_splits >= at_least
    assert after.seam_splits == 0
    assert after.objects == before.objects - sum(len(group) - 1 for group in groups)
