import dask.array as da
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_shiftseg.embeddings.predict import TileDone
from napari_shiftseg.errors import ShiftSegError
from napari_shiftseg.pipeline import Segmentation, plan_for, segment, segment_events
from napari_shiftseg.samples.discs import disc_image
from napari_shiftseg.seams.matching import average_precision
from napari_shiftseg.settings import Clustering

IMAGE, TRUTH = disc_image(70)


def test_discs_are_segmented(trained_model):
    result = segment(IMAGE, trained_model)
    assert result.labels.shape == IMAGE.shape
    assert result.labels.dtype == np.int32
    assert average_precision(TRUTH, result.labels) > 0.9
    assert result.objects == len(np.unique(result.labels)) - 1


@pytest.mark.parametrize("tile", [8, 20, (4, 12)])
def test_labels_do_not_depend_on_the_corrected_tile(sensitive_model, tile):
    one = segment(IMAGE, sensitive_model, tile=4)
    other = segment(IMAGE, sensitive_model, tile=tile)
    np.testing.assert_array_equal(other.labels, one.labels)
    assert other.objects > 20


def test_corrected_labels_are_those_of_the_whole_image_and_naive_ones_are_not(sensitive_model):
    corrected = segment(IMAGE, sensitive_model, tile=16)
    whole = segment(IMAGE, sensitive_model, stitch="whole")
    np.testing.assert_array_equal(corrected.labels, whole.labels)
    naive = segment(IMAGE, sensitive_model, stitch="naive", tile=17)
    assert np.count_nonzero(naive.labels != whole.labels) > 100


@settings(max_examples=10)
@given(st.integers(0, 2**31), st.sampled_from([4, 8, 20]))
def test_on_noise_too(sensitive_model, seed, tile):
    image = np.random.default_rng(seed).random((30, 37), np.float32)
    whole = segment(image, sensitive_model, stitch="whole")
    np.testing.assert_array_equal(segment(image, sensitive_model, tile=tile).labels, whole.labels)


def test_one_event_per_tile_and_the_result_last(random_model):
    *tiles, result = segment_events(IMAGE, random_model, tile=32)
    assert len(tiles) == 9
    assert all(isinstance(event, TileDone) for event in tiles)
    assert isinstance(result, Segmentation)


def test_tiles_follow_the_training_window(random_model):
    assert plan_for(random_model, (70, 70), "naive").tile_size == (20, 20)
    # Corrected ones of 20 px would mostly compute their margins.
    assert plan_for(random_model, (70, 70)).tile_size == (40, 40)
    assert plan_for(random_model, (70, 70), "corrected", 8).tile_size == (8, 8)


def test_settings_replace_those_of_the_model(trained_model):
    coarse = Clustering(bandwidth=0.5, min_size=60)
    result = segment(IMAGE, trained_model, clustering=coarse)
    assert result.clustering is coarse
    assert result.objects < segment(IMAGE, trained_model).objects


def test_provenance_says_how_to_do_it_again(random_model):
    result = segment(IMAGE, random_model, stitch="naive", tile=30)
    kept = result.provenance
    assert (kept["model"], kept["stitch"], kept["tile"]) == ("small", "naive", [30, 30])
    assert (kept["period"], kept["context"]) == ([4, 4], [40, 40])
    assert kept["clustering"]["bandwidth"] == 0.5


class TestStack:
    STACK = np.stack([IMAGE, np.zeros_like(IMAGE), IMAGE[::-1]])

    def test_frames_are_segmented_alone_and_share_no_label(self, trained_model):
        result = segment(self.STACK, trained_model)
        alone = segment(IMAGE, trained_model)
        assert result.labels.shape == self.STACK.shape
        np.testing.assert_array_equal(result.labels[0], alone.labels)
        assert not result.labels[1].any()
        assert result.labels[2][result.labels[2] > 0].min() == alone.objects + 1
        np.testing.assert_array_equal(result.prediction.embedding[:, 0], alone.prediction.embedding)

    def test_events_name_their_frame(self, random_model):
        *tiles, _ = segment_events(self.STACK, random_model, tile=72)
        assert [event.frame for event in tiles] == [(0,), (1,), (2,)]

    def test_one_frame_is_that_part_of_the_stack(self, trained_model):
        one = segment(self.STACK, trained_model, frame=(2,))
        whole = segment(self.STACK, trained_model)
        assert one.labels.shape == (1, *IMAGE.shape)
        np.testing.assert_array_equal(
            one.prediction.embedding[:, 0], whole.prediction.embedding[:, 2]
        )

    def test_axes_may_come_in_any_order(self, trained_model):
        result = segment(self.STACK, trained_model)
        moved = segment(np.moveaxis(self.STACK, 0, -1), trained_model, axes="yxt")
        np.testing.assert_array_equal(moved.labels, result.labels)

    def test_a_lazy_stack_gives_the_same(self, trained_model):
        lazy = da.from_array(self.STACK, chunks=(1, 33, 70))
        result = segment(lazy, trained_model)
        np.testing.assert_array_equal(result.labels, segment(self.STACK, trained_model).labels)


def test_a_region_has_the_embedding_that_it_has_in_the_whole(trained_model):
    region = (slice(11, 50), slice(3, 64))
    part, whole = segment(IMAGE, trained_model, region=region), segment(IMAGE, trained_model)
    np.testing.assert_allclose(
        part.prediction.embedding, whole.prediction.embedding[(slice(None), *region)], atol=1e-5
    )
    assert part.labels.shape == (39, 61)
    assert part.provenance["region"] == [[11, 50], [3, 64]]


def test_an_image_without_objects_has_none(trained_model):
    result = segment(np.zeros((40, 50)), trained_model)
    assert result.objects == 0
    assert not result.labels.any()


@pytest.mark.parametrize("shape", [(1, 1), (3, 50)])
def test_images_smaller_than_a_tile(random_model, shape):
    assert segment(np.ones(shape), random_model).labels.shape == shape


@pytest.mark.parametrize(
    ("image", "options", "message"),
    [
        (np.zeros((40, 50, 3)), {}, "looks like colour"),
        (np.zeros(40), {}, "needs 2 spatial axes"),
        (np.full((40, 50), np.nan), {}, "2000 pixels are not finite"),
        (np.zeros((40, 50)), {"tile": 10}, "nearest: 8 or 12"),
        (np.zeros((40, 50)), {"stitch": "magic"}, "stitch mode is 'magic'"),
        (np.zeros((40, 50)), {"device": "abacus"}, "no device 'abacus'"),
    ],
)
def test_bad_input_is_refused(random_model, image, options, message):
    with pytest.raises(ShiftSegError, match=message):
        segment(image, random_model, **options)


def test_the_memory_that_counts_is_that_of_the_region_and_the_frame(trained_model):
    image = np.zeros((3, 3000, 3000), np.uint8)
    image[1, 40:100, 40:100] = disc_image(60)[0]
    region = (slice(40, 100), slice(40, 100))
    options = {"axes": "tyx", "frame": (1,), "region": region}
    with pytest.raises(ShiftSegError, match="the memory is 4 MB"):
        segment(image, trained_model, axes="tyx", memory="4MB")
    labels = segment(image, trained_model, memory="4MB", **options).labels
    assert np.array_equal(labels, segment(image, trained_model, **options).labels)
