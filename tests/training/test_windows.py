import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from napari_shiftseg.embeddings.unet import Architecture, UNet
from napari_shiftseg.errors import ShiftSegError
from napari_shiftseg.tiles.geometry import NetworkGeometry
from napari_shiftseg.training.loss import DiscriminativeLoss
from napari_shiftseg.training.windows import Windows

PAPER = NetworkGeometry.regular(2, 4)


def windows(window, mosaic=1, across=True, geometry=PAPER):
    return Windows(geometry, (window,) * geometry.ndim, mosaic, across)


class TestAgainstThePeriod:
    """Sec. 3.2: the output window must be larger than the period."""

    @pytest.mark.parametrize(("window", "good"), [(4, False), (16, False), (17, True), (20, True)])
    def test_the_papers_windows(self, window, good):
        assert windows(window).exceeds_period == good

    def test_the_sentence_names_both_and_what_follows(self):
        bad, good = windows(16).sentence(), windows(20).sentence()
        assert "16 x 16 px does not exceed the period of 16 x 16 px" in bad
        assert "no stitching could mend the seams; smallest good window: 20 x 20 px" in bad
        assert "20 x 20 px exceeds the period of 16 x 16 px" in good

    def test_every_axis_counts(self):
        assert not Windows(PAPER, (16, 20)).exceeds_period

    def test_windows_whose_loss_spans_their_borders_count_together(self):
        assert windows(16, mosaic=2).exceeds_period
        assert not windows(16, mosaic=2, across=False).exceeds_period


class TestMosaic:
    """What a mosaic computes is what the network computes of each window alone."""

    @given(
        st.sampled_from(["valid", "same"]),
        st.integers(1, 3),
        st.integers(1, 9),
        st.integers(1, 2),
        st.integers(0, 99),
    )
    def test_is_each_window_alone(self, padding, mosaic, window, ndim, seed):
        geometry = NetworkGeometry.regular(ndim, 1, convolutions=1, padding=padding)
        block = windows(window, mosaic, geometry=geometry)
        torch.manual_seed(seed)
        network = UNet(Architecture(geometry, maps=2, embedding_dims=2)).double()
        size = [c + k for c, k in zip(block.crop, geometry.context, strict=True)]
        image = torch.randn(2, 1, *size, dtype=torch.float64)
        whole = block.predict(network, image)
        assert whole.shape == (2, 2, *block.span)
        single = windows(window, geometry=geometry)
        edge = [c + k for c, k in zip(single.crop, geometry.context, strict=True)]
        for index in torch.cartesian_prod(*[torch.arange(mosaic)] * ndim).reshape(-1, ndim):
            starts = [int(i) * window for i in index]
            cut = tuple(slice(s, s + n) for s, n in zip(starts, edge, strict=True))
            alone = single.predict(network, image[(..., *cut)])
            place = tuple(slice(s, s + window) for s in starts)
            torch.testing.assert_close(whole[(..., *place)], alone)

    def test_of_windows_of_n_periods_takes_one_pass(self):
        assert windows(32, 3).in_one_pass
        assert not windows(20, 3).in_one_pass
        assert not windows(
            32, 3, geometry=NetworkGeometry.regular(2, 4, padding="same")
        ).in_one_pass

    def test_cuts_no_more_than_it_needs(self):
        assert windows(16).crop == (20, 20)
        assert windows(16, 3).crop == (52, 52)


class TestLossOfABatch:
    def test_is_that_of_its_windows_where_it_ends_at_them(self):
        block = windows(4, 2, across=False, geometry=NetworkGeometry.regular(2, 1))
        generator = torch.Generator().manual_seed(0)
        embedding = torch.randn(3, 8, 8, generator=generator, dtype=torch.float64)
        labels = torch.randint(0, 3, (8, 8), generator=generator)
        loss = DiscriminativeLoss(background=True, push_margin=3)
        together = loss(embedding, labels, block.groups())
        parts = [
            loss(embedding[:, r : r + 4, c : c + 4], labels[r : r + 4, c : c + 4])
            for r in (0, 4)
            for c in (0, 4)
        ]
        # Each window holds all three instances, so that means of means are means.
        for name, value in together.items():
            assert float(value) == pytest.approx(sum(float(p[name]) for p in parts) / 4)

    def test_spans_the_borders_by_default(self):
        assert windows(4, 2).groups() is None


@pytest.mark.parametrize("arguments", [((0, 4),), ((4, 4), 0), ((4,),)])
def test_impossible_windows_are_refused(arguments):
    with pytest.raises(ShiftSegError):
        Windows(PAPER, *arguments)
