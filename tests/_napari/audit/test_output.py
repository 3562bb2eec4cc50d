"""The output of any network as an image, and as labels."""

import numpy as np
import pytest
import torch
from qtpy.QtWidgets import QApplication
from torch import nn

from napari_shiftseg._napari.audit.output.layers import OUTPUT
from napari_shiftseg._napari.tags import own_layers


class TestOutput:
    """The page "Output": any network's output as an image, and as labels."""

    @pytest.fixture
    def page(self, view):
        return view.output

    @pytest.fixture
    def predict(self, page, rest):
        def press():
            page.run.run.click()
            rest()

        return press

    @pytest.fixture
    def squares(self, viewer, dock):
        """Two bright squares, of which the network below says where they are."""
        pixels = np.zeros((64, 70), np.float32)
        pixels[5:20, 8:30] = pixels[30:55, 20:60] = 1
        return viewer.add_image(pixels, name="squares", scale=(0.5, 0.5), translate=(10, -4))

    @pytest.fixture
    def blurring(self, recorded):
        """A network of two channels: the image, and its mean over 3 x 3 pixels."""
        layer = nn.Conv2d(1, 2, 3, padding=1)
        with torch.no_grad():
            layer.weight[:] = 0
            layer.weight[0, 0, 1, 1] = 1
            layer.weight[1] = 1 / 9
            layer.bias[:] = 0
        return recorded(layer)

    def test_is_one_layer_with_a_slider_for_its_channels(
        self, viewer, view, page, squares, blurring, audit, predict
    ):
        assert not page.run.run.isEnabled()
        audit(blurring)
        predict()
        (layer,) = own_layers(viewer, kind=OUTPUT)
        assert layer.name == "Output (recorded.pt)"
        assert layer.data.shape == (2, 64, 70)
        np.testing.assert_array_equal(layer.scale, (1, 0.5, 0.5))
        np.testing.assert_array_equal(layer.translate, (0, 10, -4))
        inside, outside = layer.data[0][squares.data == 1], layer.data[0][squares.data == 0]
        assert inside.min() > outside.max()
        assert page.said.text() == "2 channels of “squares” from 2 tiles."
        assert layer.metadata["shiftseg"]["provenance"]["halo"] == [1, 1]
        predict()
        assert own_layers(viewer, kind=OUTPUT) == [layer]

    def test_intensities_are_those_of_the_image_unless_one_says_otherwise(
        self, viewer, page, squares, blurring, audit, predict
    ):
        squares.data = squares.data * 900 + 100
        audit(blurring)
        predict()
        (layer,) = own_layers(viewer, kind=OUTPUT)
        np.testing.assert_allclose(layer.data[0], squares.data)
        page.intensity.setCurrentText("Percentiles")
        predict()
        (layer,) = own_layers(viewer, kind=OUTPUT)
        np.testing.assert_allclose(layer.data[0], (squares.data - 100) / 900, atol=1e-6)
        made = layer.metadata["shiftseg"]["provenance"]
        assert made["intensity"] == {"kind": "percentile", "low": 1.0, "high": 99.8}

    def test_channels_that_a_person_names_become_labels(
        self, viewer, page, squares, blurring, audit, predict, rest
    ):
        audit(blurring)
        assert not page.cluster.isEnabled()
        predict()
        page.embedding.setText("0, 1")
        page.foreground.setText("0")
        page.cluster.click()
        rest()
        (labels,) = (layer for layer in viewer.layers if layer.name == "Labels (recorded.pt)")
        np.testing.assert_array_equal(labels.data > 0, squares.data == 1)
        np.testing.assert_array_equal(labels.scale, squares.scale)
        assert "2 objects" in page.said.text()
        page.cluster.click()
        rest()
        assert sum("Labels" in layer.name for layer in viewer.layers) == 1

    @pytest.mark.parametrize(
        ("embedding", "foreground", "says"),
        [
            ("", "", "no channel of the embedding is named; legal: 0 to 1"),
            ("0-2", "", "the output has 0 to 1"),
            ("0-3000000", "", "'0-3000000' are no channels; legal: from a smaller number"),
            ("2-0", "", "'2-0' are no channels"),
            ("first", "", "'first' is no channel; write 2, or 0-3"),
            ("0", "0, 1", "one channel tells foreground"),
        ],
    )
    def test_what_names_no_channels_is_a_notification(
        self, page, squares, blurring, audit, predict, rest, notifications,
        embedding, foreground, says,
    ):  # fmt: skip
        audit(blurring)
        predict()
        page.embedding.setText(embedding)
        page.foreground.setText(foreground)
        page.cluster.click()
        rest()
        severity, message = notifications()[-1]
        assert severity == "error" and says in message

    def test_statistics_are_frozen_where_a_network_takes_them_from_the_tile(
        self, viewer, page, squares, recorded, audit, predict
    ):
        audit(recorded(nn.Conv2d(1, 2, 3, padding=1), nn.InstanceNorm2d(2)))
        assert page.run.run.isEnabled() == page.freeze.isChecked()
        if page.freeze.isChecked():
            predict()
            assert own_layers(viewer, kind=OUTPUT)

    def test_the_frame_on_screen_of_a_stack(self, viewer, page, blurring, audit, predict, dock):
        pixels = np.random.default_rng(0).normal(size=(3, 40, 44)).astype(np.float32)
        viewer.add_image(pixels, name="stack", scale=(2, 1, 1))
        viewer.dims.set_current_step(0, 1)
        audit(blurring)
        predict()
        (layer,) = own_layers(viewer, kind=OUTPUT)
        assert layer.data.shape == (2, 1, 40, 44)
        np.testing.assert_array_equal(layer.translate, (0, 2, 0, 0))

    def test_models_of_the_plugin_are_clustered_elsewhere(
        self, page, squares, on_offer, audit, predict, notifications
    ):
        audit(on_offer["bands"])
        predict()
        page.cluster.click()
        assert "is clustered in the widget Segment" in notifications()[-1][1]

    def test_an_image_that_goes_takes_its_output_s_clustering_along(
        self, viewer, page, squares, blurring, audit, predict
    ):
        audit(blurring)
        predict()
        viewer.layers.remove(squares)
        assert not page.cluster.isEnabled()
        assert "squares was removed" in page.said.text()

    @pytest.mark.parametrize("change", ["pixels", "place"])
    def test_an_image_that_changes_is_predicted_anew(
        self, page, squares, blurring, audit, predict, change
    ):
        audit(blurring)
        predict()
        if change == "pixels":
            squares.data = squares.data[::-1].copy()
        else:
            squares.scale = (3, 3)
        QApplication.processEvents()
        assert not page.cluster.isEnabled()
        assert "squares was changed: predict again" in page.said.text()
