"""Promise 4: labels never depend on tile size, executor, memory, workers or order of tiles."""

import numpy as np
import pytest

from napari_shiftseg.blockwise.segment_file import segment_file
from napari_shiftseg.embeddings import predict
from napari_shiftseg.embeddings.execute import Execution
from napari_shiftseg.embeddings.model_file import save_model
from napari_shiftseg.image.files import open_image, write_image
from napari_shiftseg.pipeline import segment
from napari_shiftseg.samples.discs import disc_image

IMAGE, _ = disc_image(100)
PERIOD = 4


@pytest.fixture(scope="module")
def whole(sensitive_model):
    labels = segment(IMAGE, sensitive_model, stitch="whole").labels
    assert labels.max() > 20
    return labels


@pytest.mark.parametrize("tile", [17, 18, 19])
def test_a_tile_out_of_phase_would_be_seen(sensitive_model, whole, tile):
    labels = segment(IMAGE, sensitive_model, stitch="naive", tile=tile).labels
    assert np.count_nonzero(labels != whole) > 100


@pytest.mark.parametrize("rows", [None, 4, 12])
@pytest.mark.parametrize("periods", [1, 2, 5])
def test_tiled_and_streamed(sensitive_model, whole, monkeypatch, periods, rows):
    monkeypatch.setattr(predict, "stream_rows", lambda *_: rows)
    labels = segment(IMAGE, sensitive_model, tile=periods * PERIOD).labels
    np.testing.assert_array_equal(labels, whole)


@pytest.mark.parametrize("seed", range(4))
def test_out_of_memory_at_random_tiles(sensitive_model, whole, monkeypatch, seed):
    rng, at_once, failed = np.random.default_rng(seed), Execution._at_once, []

    def sometimes(self, tile):
        size = [inner.stop - inner.start for inner in tile.inner]
        if max(size) > PERIOD and rng.random() < 0.2:
            failed.append(size)
            self.largest = self._halved(tile)
            return None
        return at_once(self, tile)

    monkeypatch.setattr(Execution, "_at_once", sometimes)
    monkeypatch.setattr(predict, "stream_rows", lambda *_: None)
    labels = segment(IMAGE, sensitive_model, tile=5 * PERIOD).labels
    assert failed
    np.testing.assert_array_equal(labels, whole)


@pytest.mark.parametrize("memory", [10**6, 10**8])
def test_any_memory(sensitive_model, whole, memory):
    labels = segment(IMAGE, sensitive_model, memory=memory).labels
    np.testing.assert_array_equal(labels, whole)


@pytest.mark.parametrize("ending", ["tif", "ome.zarr"])
@pytest.mark.parametrize("block", [20 * 20, 45 * 45])
def test_file_to_file_in_blocks(sensitive_model, whole, tmp_path, ending, block):
    model, image = tmp_path / "discs.safetensors", tmp_path / f"image.{ending}"
    save_model(model, sensitive_model.network, sensitive_model.description)
    write_image(image, IMAGE, axes="yx")
    output = tmp_path / f"labels.{ending}"
    segment_file(image, output, model=str(model), block_pixels=block)
    np.testing.assert_array_equal(np.asarray(open_image(output).pixels), whole)
