"""Receptive fields that one raised pixel does not show: minima, medians and thresholds."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from napari_shiftseg import audit, predict_exactly


class Function(nn.Module):
    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, x):
        return self.function(x)


def smallest(x, size):
    pool = F.max_pool1d if x.ndim == 3 else F.max_pool2d
    return -pool(-x, size, 1, size // 2)


def opened(x):
    return F.max_pool2d(smallest(x, 9), 9, 1, 4)


def median(x):
    return F.unfold(F.pad(x, (2,) * 4), 5).median(1, keepdim=True)[0].reshape(x.shape)


CASES = {
    "erosion of a row": (1, 9, lambda x: smallest(x, 9), 4),
    "erosion": (2, 21, lambda x: smallest(x, 21), 10),
    "opening": (2, 9, opened, 8),
    "median": (2, 5, median, 2),
    "threshold": (2, 11, lambda x: x * (F.avg_pool2d(x, 11, 1, 5) > 0.3), 5),
    "threshold in a row": (1, 11, lambda x: x * (F.avg_pool1d(x, 11, 1, 5) > 0.3), 5),
}


@pytest.mark.parametrize("name", CASES)
def test_all_of_it_is_found(name):
    ndim, _, function, reach = CASES[name]
    module = Function(function).eval()
    found = audit(module, ndim=ndim)
    assert found.receptive_field == ((reach, reach),) * ndim
    assert found.period == (1,) * ndim and found.padding == "same"
    pixels = np.random.default_rng(0).normal(size=(1, *(90,) * ndim)).astype(np.float32)
    tiled = predict_exactly(module, found, pixels, tile=30)
    np.testing.assert_allclose(tiled, module(torch.from_numpy(pixels)[None])[0], atol=1e-6)
