import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from napari_shiftseg.training.loss import DiscriminativeLoss


def terms(embedding, labels, **options):
    """Unweighted terms of a row of pixels; scalars stand for 1-D embeddings."""
    vectors = torch.tensor(embedding, dtype=torch.float64)
    vectors = vectors[None] if vectors.ndim == 1 else vectors.T
    loss = DiscriminativeLoss(**{"regulariser_weight": 1.0} | options)
    return {name: float(term) for name, term in loss(vectors, torch.tensor(labels)).items()}


class TestPull:
    def test_is_the_squared_distance_to_the_mean_beyond_the_margin(self):
        found = terms([0, 2, 10, 14], [1, 1, 2, 2], pull_margin=0.5)
        assert found["pull"] == pytest.approx((0.5**2 + 1.5**2) / 2)

    def test_without_margin_it_is_the_variance(self):
        found = terms([0, 2, 10, 14], [1, 1, 2, 2], pull_margin=0)
        assert found["pull"] == pytest.approx((1 + 4) / 2)

    def test_within_the_margin_there_is_none(self):
        assert terms([0, 1, 10, 11], [1, 1, 2, 2], pull_margin=0.5)["pull"] < 1e-10

    def test_every_instance_weighs_the_same(self):
        found = terms([0, 2, *[9] * 50], [1, 1, *[2] * 50], pull_margin=0)
        assert found["pull"] == pytest.approx(1 / 2)


class TestPush:
    def test_is_the_squared_lack_of_distance_of_the_means(self):
        found = terms([0, 2, 2, 2], [1, 1, 2, 2], push_margin=1.5)
        assert found["push"] == pytest.approx((3 - 1) ** 2)

    @pytest.mark.parametrize(("distance", "pushed"), [(2.99, True), (3, False), (4, False)])
    def test_ends_at_twice_the_margin(self, distance, pushed):
        found = terms([0, distance], [1, 2], push_margin=1.5)
        assert (found["push"] > 1e-10) == pushed

    def test_is_the_mean_over_pairs(self):
        found = terms([0, 1, 9], [1, 2, 3], push_margin=1.5)
        assert found["push"] == pytest.approx(2**2 / 3)

    def test_distances_are_euclidean(self):
        found = terms([[0, 0], [0.6, 0.8]], [1, 2], push_margin=1.5)
        assert found["push"] == pytest.approx(2**2)

    def test_one_instance_is_not_pushed(self):
        assert terms([0, 1], [1, 1])["push"] == 0

    def test_equal_means_have_no_direction_and_are_left_out(self):
        found = terms([0, 0, 1], [1, 2, 3], push_margin=1.5)
        assert found["push"] == pytest.approx((2**2 + 2**2) / 3)

    def test_within_reach_alone(self):
        row = [1, 0, 0, 2, 0, 0, 0, 0, 3]
        embedding = [0, 0, 0, 1, 0, 0, 0, 0, 3]
        near = terms(embedding, row, push_margin=2.5, push_reach=3)
        every = terms(embedding, row, push_margin=2.5)
        assert near["push"] == pytest.approx((5 - 1) ** 2)
        assert every["push"] == pytest.approx((4**2 + 3**2 + 2**2) / 3)

    def test_reach_is_that_of_bounding_boxes(self):
        labels = torch.zeros(6, 6, dtype=torch.int64)
        labels[0, 0], labels[5, 0], labels[0, 5] = 1, 1, 2
        embedding = labels[None].double()
        reaches = {
            reach: float(DiscriminativeLoss(push_reach=reach)(embedding, labels)["push"])
            for reach in (4, 5)
        }
        assert reaches[4] == 0
        assert reaches[5] == pytest.approx(4)


class TestRegulariser:
    def test_is_the_mean_length_of_the_means(self):
        assert terms([[3, 4], [0, 1]], [1, 2])["regulariser"] == pytest.approx(3)

    def test_leaves_coordinates_out(self):
        found = terms([[100, 4], [200, 2]], [1, 2], free_dims=1)
        assert found["regulariser"] == pytest.approx(3)

    def test_is_0_where_every_dimension_is_a_coordinate(self):
        assert terms([[100, 4], [200, 2]], [1, 2], free_dims=2)["regulariser"] == 0


class TestLabels:
    def test_unknown_pixels_are_ignored(self):
        known = terms([0, 2, 10, 14], [1, 1, 2, 2])
        assert terms([0, 2, 10, 14, 99, -50], [1, 1, 2, 2, -1, -1]) == pytest.approx(known)

    def test_background_is_ignored_unless_it_is_an_instance(self):
        assert terms([5, 0], [0, 1])["push"] == 0
        assert terms([1, 0], [0, 1], background=True)["push"] == pytest.approx(4)

    @pytest.mark.parametrize("label", [0, -1])
    def test_without_objects_nothing_is_lost(self, label):
        assert set(terms([1, 2], [label, label]).values()) == {0}

    @given(st.permutations([1, 2, 3]))
    def test_numbers_do_not_matter(self, numbers):
        labels = [1, 1, 2, 3, 3]
        renamed = [numbers[n - 1] * 10 for n in labels]
        embedding = [0.0, 0.4, 1.0, 2.0, 2.6]
        assert terms(embedding, renamed) == pytest.approx(terms(embedding, labels))

    def test_terms_are_weighted(self):
        plain = terms([0, 2, 2, 2], [1, 1, 2, 2])
        heavy = terms(
            [0, 2, 2, 2], [1, 1, 2, 2], pull_weight=2, push_weight=3, regulariser_weight=4
        )
        expected = {
            "pull": 2 * plain["pull"],
            "push": 3 * plain["push"],
            "regulariser": 4 * plain["regulariser"],
        }
        assert heavy == pytest.approx(expected)


@pytest.mark.parametrize("pull_margin", [0, 0.5])
@pytest.mark.parametrize("value", [0.0, 1.0])
def test_gradients_are_finite_where_all_embeddings_are_equal(pull_margin, value):
    embedding = torch.full((3, 4, 4), value, requires_grad=True)
    labels = torch.arange(16).reshape(4, 4) // 4
    loss = DiscriminativeLoss(pull_margin=pull_margin, background=True)(embedding, labels)
    sum(loss.values()).backward()
    assert torch.isfinite(embedding.grad).all()


def test_a_step_against_the_gradient_pulls_and_pushes():
    embedding = torch.tensor([[0.0, 1.0, 1.5, 3.0]], requires_grad=True)
    labels = torch.tensor([1, 1, 2, 2])
    loss = DiscriminativeLoss(pull_margin=0, push_margin=3, regulariser_weight=0)
    sum(loss(embedding, labels).values()).backward()
    moved = (embedding - 0.05 * embedding.grad).detach()
    before, after = loss(embedding.detach(), labels), loss(moved, labels)
    assert after["pull"] < before["pull"]
    assert after["push"] < before["push"]
