"""What torch.compile makes of a network: the same outputs, and results that say so."""

import importlib
import shutil

import numpy as np
import pytest
import torch

from napari_shiftseg import certify, load_model, segment
from napari_shiftseg.embeddings.device import EMULATED
from napari_shiftseg.errors import DeviceError
from napari_shiftseg.samples.discs import disc_image

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning:torch"),
    pytest.mark.filterwarnings(f"ignore:{EMULATED}"),
]
IMAGE, _ = disc_image(60)
ANY_COMPILER = any(map(shutil.which, ("g++", "clang++")))


@pytest.fixture(scope="module")
def model(trained_model):
    return load_model(trained_model, compiled=True)


def test_tiles_equal_the_whole_image_by_the_layers_or_a_compiler_is_asked_for(model):
    if not ANY_COMPILER:
        with pytest.raises(DeviceError, match="Where a compiler is missing"):
            certify(model, IMAGE, tile=20, device="cpu")
        return
    found = certify(model, IMAGE, tile=20, device="cpu")
    assert found.compiled and found.equal
    assert ", compiled, corrected stitching" in str(found)


def test_without_a_compiler_it_says_what_is_missing(monkeypatch, trained_model):
    torch.compiler.reset()
    inductor = importlib.import_module("torch._inductor.config")
    monkeypatch.setattr(inductor.cpp, "cxx", (None, "no-such-compiler"))
    monkeypatch.setattr(inductor, "force_disable_caches", True)
    fresh = load_model(trained_model, compiled=True)
    with pytest.raises(DeviceError, match="legal: a run without compiled=True"):
        segment(IMAGE, fresh, stitch="whole", device="cpu")


def test_the_loaded_model_stays_as_it_is(model, trained_model):
    loaded = load_model(trained_model)
    assert loaded.as_compiled().compiled and not loaded.compiled
    assert load_model(model) is model and load_model(model, compiled=True) is model


def test_what_is_rounded_later_is_still_compiled(model):
    assert model.in_precision("bfloat16").compiled


def test_labels_say_that_it_was_compiled_and_others_do_not(model, trained_model):
    assert segment(IMAGE, model).provenance["compiled"] is True
    assert "compiled" not in segment(IMAGE, trained_model).provenance


def test_streams_are_the_same_without_the_compiler(model, trained_model):
    tall = np.concatenate([IMAGE] * 6)
    np.testing.assert_array_equal(
        segment(tall, model, device="cpu").prediction.embedding,
        segment(tall, trained_model, device="cpu").prediction.embedding,
    )
