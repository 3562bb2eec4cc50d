"""Networks of which layers, or the inside of an image, tell only half."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from napari_shiftseg import ShiftSegError, ShiftSegWarning, audit, diagnose, predict_exactly


class WindowAttention(nn.Module):
    """Attention within windows, which fill up the image; rolled first if they are shifted."""

    def __init__(self, window, shift=0, channels=4):
        super().__init__()
        self.window, self.shift = window, shift
        self.attend = nn.MultiheadAttention(channels, 1, batch_first=True)

    def forward(self, x):
        size, w = x.shape[2:], self.window
        x = F.pad(x, (0, -size[1] % w, 0, -size[0] % w)).roll((-self.shift,) * 2, (2, 3))
        b, c, rows, columns = x.shape
        cells = x.reshape(b, c, rows // w, w, columns // w, w).permute(0, 2, 4, 3, 5, 1)
        cells = cells.reshape(-1, w * w, c)
        done = cells + 4 * self.attend(cells, cells, cells)[0]
        done = done.reshape(b, rows // w, columns // w, w, w, c).permute(0, 5, 1, 3, 2, 4)
        done = done.reshape(b, c, rows, columns).roll((self.shift,) * 2, (2, 3))
        return done[:, :, : size[0], : size[1]]


class FilledUp(nn.Module):
    """A network that fills up its input to a multiple and cuts its output."""

    def __init__(self, network, multiple, *, centred):
        super().__init__()
        self.network, self.multiple, self.centred = network, multiple, centred

    def forward(self, x):
        rows, columns = x.shape[2:]
        more = [-n % self.multiple for n in (columns, rows)]
        before = [n // 2 if self.centred else 0 for n in more]
        filled = F.pad(x, (before[0], more[0] - before[0], before[1], more[1] - before[1]))
        done = self.network(filled)
        return done[:, :, before[1] : before[1] + rows, before[0] : before[0] + columns]


def network(*bottom):
    torch.manual_seed(3)
    return nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1),
        nn.LeakyReLU(),
        nn.MaxPool2d(2),
        *bottom,
        nn.Conv2d(4, 4, 3, padding=1),
        nn.ConvTranspose2d(4, 2, 2, stride=2),
    ).eval()


def tiled_error(module, found, size):
    """Largest difference of tiles of one period from one pass, relative to the spread."""
    pixels = np.random.default_rng(0).normal(size=(1, size, size)).astype(np.float32)
    tiled = predict_exactly(module, found, pixels, tile=found.period)
    with torch.no_grad():
        whole = module(torch.from_numpy(pixels)[None])[0].numpy()
    return np.abs(tiled - whole).max() / np.abs(whole - whole.mean()).max()


@pytest.mark.parametrize("window", [7, 11, 14, 24])
def test_windows_of_attention_of_any_usual_size(window):
    module = network(WindowAttention(window))
    found = audit(module, ndim=2)
    assert found.period == found.given_period == (2 * window,) * 2
    assert found.exact_tiling
    assert tiled_error(module, found, 6 * window) < 1e-5


def test_weights_without_a_period_are_not_taken_for_exact():
    """The network of random weights may hardly feel its attention."""
    module = network(WindowAttention(23))
    found = audit(module, ndim=2)
    assert found.given_period == found.period == (None, None)
    assert not found.exact_tiling
    assert "none of the shifts that were tried" in found.verdict


@pytest.mark.parametrize(("multiple", "centred"), [(32, False), (32, True), (160, False)])
def test_networks_that_fill_up_their_input_get_windows_of_such_sizes(multiple, centred):
    module = FilledUp(network(), multiple, centred=centred)
    found = audit(module, ndim=2)
    assert found.period == (2, 2) and found.geometry.input_step == (multiple, multiple)
    for size in (160, 161) if multiple == 160 else (128, 109, 47):
        assert tiled_error(module, found, size) < 1e-5
    pixels = np.random.default_rng(0).normal(size=(1, 500, 500)).astype(np.float32)
    assert diagnose(module, found, pixels).certified


class ToItsSize(nn.Module):
    """Enlarges to the size of its input, so by another factor for each odd one."""

    def __init__(self):
        super().__init__()
        self.first, self.last = nn.Conv2d(1, 2, 3, padding=1), nn.Conv2d(3, 2, 3, padding=1)

    def forward(self, x):
        coarse = F.max_pool2d(self.first(x), 2, ceil_mode=True)
        there = F.interpolate(coarse, size=x.shape[2:], mode="bilinear")
        return self.last(torch.cat([x, there], 1))


def test_an_end_as_of_no_other_size_is_said():
    module = ToItsSize().eval()
    found = audit(module, ndim=2)
    pixels = np.random.default_rng(0).normal(size=(1, 64, 61)).astype(np.float32)
    with pytest.warns(ShiftSegWarning, match="along axis 1 .* the end of 61 px .* to 62 px"):
        tiled = predict_exactly(module, found, pixels)
    completed = torch.from_numpy(np.pad(pixels, ((0, 0), (0, 0), (0, 1)), "reflect"))
    with torch.no_grad():
        np.testing.assert_allclose(tiled, module(completed[None])[0, ..., :61], atol=1e-5)


def test_windows_that_are_rolled_join_the_ends_of_the_image():
    found = audit(network(WindowAttention(4, shift=2)), ndim=2)
    assert not found.exact_tiling and found.halo is None


class ScaledAtTheEnd(nn.Module):
    """Treats the last pixel by how many there are."""

    def forward(self, x):
        *_, columns = x.shape
        return torch.cat([x[..., :-1], x[..., -1:] * (1 + columns % 5)], -1)


def test_a_border_that_depends_on_the_size_of_the_image():
    found = audit(network(ScaledAtTheEnd()), ndim=2)
    assert not found.exact_tiling and found.halo is None
    assert "the border of the image is treated differently" in found.verdict


def filled(x, kernel):
    """Fill an image up with zeros, as wide as windows of a size look beyond it."""
    return F.pad(x, (kernel // 2,) * 2 * (x.ndim - 2))


class Median(nn.Module):
    """The median of windows that are filled up with zeros: in a thin image it is always 0."""

    def __init__(self, kernel):
        super().__init__()
        self.kernel = kernel

    def forward(self, x):
        windows = filled(x, self.kernel)
        for axis in range(2, x.ndim):
            windows = windows.unfold(axis, self.kernel, 1)
        return windows.flatten(x.ndim).median(-1)[0]


class Opening(nn.Module):
    """The largest of the smallest pixels: of noise that a ReLU has cut it is always 0."""

    def __init__(self, kernel):
        super().__init__()
        self.largest = nn.MaxPool2d(kernel, 1, kernel // 2)
        self.kernel = kernel

    def forward(self, x):
        return self.largest(-F.max_pool2d(-filled(x, self.kernel), self.kernel, 1))


class Dense(nn.Module):
    """Pixels where enough of those around are positive."""

    def forward(self, x):
        return x * (F.avg_pool2d((x > 0).to(x.dtype), 15, 1, 7) > 0.45)


@pytest.mark.parametrize(
    ("inner", "ndim", "reach"),
    [
        ((Median(11),), 2, 6),
        ((Median(3),), 3, 2),
        ((nn.ReLU(), Opening(9)), 2, 9),
        ((Dense(),), 2, 8),
    ],
)
def test_what_thin_images_and_noise_do_not_show(inner, ndim, reach):
    torch.manual_seed(0)
    convolution = (nn.Conv2d, nn.Conv3d)[ndim - 2]
    module = nn.Sequential(*inner, convolution(1, 2, 3, padding=1)).eval()
    found = audit(module, ndim=ndim)
    assert found.receptive_field == ((reach, reach),) * ndim
    assert found.exact_tiling and found.period == (1,) * ndim
    if ndim == 2:
        assert tiled_error(nn.Sequential(module), audit(nn.Sequential(module), ndim=2), 40) < 1e-5


@pytest.mark.parametrize(
    "layer", [nn.MaxPool2d(31, 1, 15), nn.AvgPool2d(51, 1, 25, count_include_pad=False)]
)
def test_a_layer_that_looks_far_does_not_see_everything(layer):
    module = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), layer, nn.Conv2d(4, 2, 3, padding=1))
    found = audit(module.eval(), ndim=2)
    assert found.non_local == () and found.exact_tiling
    assert found.halo == (layer.padding + 2,) * 2


@pytest.mark.parametrize("pool", [1, 4])
def test_attention_is_not_taken_for_what_looks_far(pool):
    class Attention(nn.Module):
        def __init__(self):
            super().__init__()
            self.query, self.key = (nn.Conv2d(4, 2, 1) for _ in range(2))

        def forward(self, x):
            query, key = (layer(x).flatten(2) for layer in (self.query, self.key))
            weights = (query.transpose(1, 2) @ key).softmax(-1)
            return x + (x.flatten(2) @ weights.transpose(1, 2)).reshape(x.shape)

    torch.manual_seed(0)
    module = nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1),
        nn.MaxPool2d(pool),
        Attention(),
        nn.Upsample(scale_factor=pool),
        nn.Conv2d(4, 2, 3, padding=1),
    )
    found = audit(module.eval(), ndim=2)
    assert found.non_local == ("2 (Attention)",) and not found.tileable


@pytest.mark.parametrize("as_dict", [True, False])
def test_what_only_another_output_needs_is_in_nobodys_way(as_dict):
    class Twofold(nn.Module):
        def __init__(self):
            super().__init__()
            self.main, self.other = network(), nn.InstanceNorm2d(1)

        def forward(self, x):
            main, other = self.main(x), self.other(x)
            return {"main": main, "other": other} if as_dict else (main, other)

    found = audit(Twofold().eval(), ndim=2)
    assert found.non_local == () and found.exact_tiling
    assert audit(nn.Sequential(nn.InstanceNorm2d(1), network()).eval(), ndim=2).non_local == (
        "0 (InstanceNorm2d)",
    )


@pytest.mark.parametrize("seed", range(4))
def test_a_gate_that_breaks_the_graph_is_needed_all_the_same(seed):
    class Gate(nn.Module):
        def __init__(self):
            super().__init__()
            self.mean = nn.AdaptiveAvgPool2d(1)

        def forward(self, x):
            return x * (1 + (self.mean(x).abs() > 20))

    module = nn.Sequential(network(), Gate()).eval()
    torch.manual_seed(seed)
    state = torch.get_rng_state()
    found = audit(module, ndim=2)
    assert not found.exact_tiling and "1.mean (AdaptiveAvgPool2d)" in found.non_local
    assert torch.equal(torch.get_rng_state(), state)  # the caller's numbers stay the caller's


def test_a_part_whose_answer_is_an_index_is_needed():
    class Table(nn.Module):
        def __init__(self):
            super().__init__()
            self.rows, self.table = nn.Softmax(2), nn.Parameter(torch.arange(8.0))

        def forward(self, x):
            index = (self.rows(x).detach() * 7).long()
            return x * self.table[index]

    found = audit(nn.Sequential(nn.Conv2d(1, 1, 3, padding=1), Table()).eval(), ndim=2)
    assert not found.exact_tiling


def test_an_odd_context_is_read_on_one_side():
    torch.manual_seed(3)
    module = nn.Sequential(
        nn.Conv2d(1, 4, 3),
        nn.LeakyReLU(),
        nn.MaxPool2d(3, 2),
        nn.Conv2d(4, 4, 3),
        nn.ConvTranspose2d(4, 2, 2, stride=2),
    ).eval()
    found = audit(module, ndim=2)
    assert found.context == (7, 7) and found.halo == (4, 4)
    pixels = np.random.default_rng(0).normal(size=(1, 61, 61)).astype(np.float32)
    tiled = predict_exactly(module, found, pixels, tile=8)
    around = (3, found.geometry.next_input_size(0, 61 + 7) - 61 - 3)
    with torch.no_grad():
        mirrored = np.pad(pixels, [(0, 0), around, around], "reflect")
        whole = module(torch.from_numpy(mirrored)[None])[0].numpy()
    np.testing.assert_allclose(tiled, whole[:, :61, :61], atol=1e-5)
    assert diagnose(module, found, pixels).certified


class Last(nn.Module):
    def __init__(self, network, step):
        super().__init__()
        self.network, self.step = network, step

    def forward(self, x):
        return self.step(self.network(x))


@pytest.mark.parametrize(
    ("step", "message"),
    [
        (lambda y: y.argmax(1, keepdim=True), "without its last step"),
        (lambda y: (y > 0).float(), "without its last step"),
        (lambda y: y / 0 * 0, "answers NaN"),
    ],
)
def test_outputs_that_cannot_be_measured_are_refused(step, message):
    with pytest.raises(ShiftSegError, match=message):
        audit(Last(network(), step), ndim=2)


def test_a_small_answer_upon_a_large_constant_is_measured():
    found = audit(Last(network(), lambda y: 1000 + y), ndim=2)
    assert found.period == audit(network(), ndim=2).period


class Recurrent(nn.Module):
    """A layer that goes through a row pixel by pixel."""

    def __init__(self):
        super().__init__()
        self.first, self.last = nn.Conv2d(1, 4, 3, padding=1), nn.Conv2d(8, 2, 1)
        self.along = nn.GRU(4, 4, batch_first=True, bidirectional=True)

    def forward(self, x):
        y = self.first(x)
        b, c, rows, columns = y.shape
        y = self.along(y.permute(0, 2, 3, 1).reshape(b * rows, columns, c))[0]
        return self.last(y.reshape(b, rows, columns, 8).permute(0, 3, 1, 2))


def test_a_recurrent_network_is_measured_in_seconds():
    found = audit(Recurrent().eval(), ndim=2)
    assert found.seconds < 120
    assert found.exact_tiling == (found.halo is not None)
