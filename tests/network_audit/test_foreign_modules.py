"""Modules of others change their input, insist on a type, share layers or look at numbers."""

import threading
import warnings

import numpy as np
import pytest
import torch
import torch.nn.functional as F
import zarr
from torch import nn

from napari_shiftseg import ShiftSegError, audit, diagnose, fill_output, predict_exactly
from napari_shiftseg.network_audit.freeze import freeze_statistics


class Around(nn.Module):
    """A network with a step of one's own before or behind it."""

    def __init__(self, *, before=None, after=None, layers=()):
        super().__init__()
        torch.manual_seed(0)
        self.layers = nn.Sequential(nn.Conv2d(1, 3, 3, padding=1), *layers)
        self.before, self.after = before or nn.Identity(), after or nn.Identity()

    def forward(self, x):
        return self.after(self.layers(self.before(x)))


def step(function):
    module = nn.Identity()
    module.forward = function
    return module


def pixels(*size, seed=0):
    return np.random.default_rng(seed).normal(size=(1, *size)).astype(np.float32)


@pytest.mark.parametrize("first", [nn.ReLU(inplace=True), step(lambda x: x.add_(1))])
def test_an_image_stays_as_it_is(first):
    module, given = Around(before=first).eval(), pixels(70, 70)
    before = given.copy()
    found = audit(module, ndim=2)
    predict_exactly(module, found, given)
    diagnose(module, found, given)
    np.testing.assert_array_equal(given, before)


def insisting(x):
    assert x.dtype == torch.float32
    return x


@pytest.mark.parametrize(
    "before",
    [
        lambda x: x.float(),
        insisting,
        lambda x: x * torch.tensor(2.0),  # on no device but its own
        lambda x: x + torch.from_numpy(np.zeros(1, np.float32) + x.numpy() * 0),
    ],
    ids=["turns all into float32", "insists on float32", "a constant", "numpy"],
)
def test_what_runs_on_images_is_measured(before):
    found = audit(Around(before=step(before)).eval(), ndim=2)
    assert (found.period, found.halo) == ((1, 1), (1, 1))


def test_a_network_that_takes_gradients_is_predicted():
    class Graded(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Conv2d(1, 1, 3, padding=1)

        @torch.enable_grad()
        def forward(self, x):
            return self.layer(x)

    module = Graded().eval()
    found = audit(module, ndim=2)
    assert predict_exactly(module, found, pixels(40, 40)).shape == (1, 40, 40)


@pytest.mark.parametrize(
    ("after", "message"),
    [
        (lambda y: torch.complex(y, y), "complex numbers"),
        (lambda y: y.bfloat16(), "computes in bfloat16"),
    ],
)
def test_outputs_that_cannot_be_compared_are_named(after, message):
    with pytest.raises(ShiftSegError, match=message):
        audit(Around(after=step(after)).eval(), ndim=2)


def limited(x):
    if max(x.shape[2:]) > 256:
        raise ValueError("at most 256 px")
    return x


def test_a_limit_of_the_size_is_said_as_the_network_says_it():
    with pytest.raises(ShiftSegError, match="at most 256 px"):
        audit(Around(before=step(limited)).eval(), ndim=2)
    with pytest.raises(ShiftSegError, match="at most 256 px"):
        audit(Around(before=step(limited)).eval(), ndim=2, input_size=300)


def test_kernels_of_parametrised_convolutions_are_read():
    normed = nn.utils.parametrizations.weight_norm(nn.Conv2d(3, 3, 5, padding=2))
    found = audit(Around(layers=[normed]).eval(), ndim=2)
    assert found.receptive_field == ((3, 3), (3, 3)) and not found.disagreements


def test_a_partly_padded_network_is_not_called_exact():
    found = audit(nn.Sequential(nn.Conv2d(1, 2, 5, padding=1)).eval(), ndim=2)
    assert not found.exact_tiling and found.halo is None
    assert "its output is 2 px smaller all the same" in found.verdict


def test_a_valid_network_whose_upsampling_looks_beyond_the_border_is_partly_padded():
    torch.manual_seed(0)
    layers = [
        nn.Conv2d(1, 2, 3),
        nn.MaxPool2d(2),
        nn.Conv2d(2, 2, 3),
        nn.Upsample(scale_factor=2, mode="bilinear"),
        nn.Conv2d(2, 1, 3),
    ]
    network = nn.Sequential(*layers).eval()
    found = audit(network, ndim=2)
    assert not found.exact_tiling and found.period == (2, 2)
    assert "its output is 8 px smaller all the same" in found.verdict
    filled = fill_output(network)
    found, image = audit(filled, ndim=2), pixels(90, 80)
    assert found.exact_tiling and diagnose(filled, found, image).certified
    with torch.no_grad():
        own = network(torch.from_numpy(image)[None])[0].numpy()
    output = predict_exactly(filled, found, image)
    np.testing.assert_allclose(output[:, 4:-4, 4:-4], own, atol=1e-5)
    output[:, 4:-4, 4:-4] = 0
    assert not output.any()


def test_a_network_that_is_filled_up_stays_as_it_is():
    mixed = nn.Sequential(nn.Conv2d(1, 2, 3), nn.Dropout(0.5), nn.BatchNorm2d(2)).train()
    mixed[2].eval()
    fill_output(mixed)
    assert [layer.training for layer in mixed] == [True, True, False]


@pytest.mark.parametrize("freeze", [False, True])
@pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")
def test_recorded_networks_are_filled_up(freeze):
    layers = [nn.Conv2d(1, 2, 3), nn.MaxPool2d(2), nn.Upsample(scale_factor=2, mode="bilinear")]
    script = torch.jit.script(nn.Sequential(*layers).eval())
    filled = fill_output(torch.jit.freeze(script) if freeze else script)
    found, image = audit(filled, ndim=2), pixels(40, 50)
    assert found.exact_tiling
    output = predict_exactly(filled, found, image)
    whole = script(torch.from_numpy(image)[None])[0].detach().numpy()
    np.testing.assert_allclose(output[:, 1:-1, 1:-1], whole, atol=1e-5)


def test_statistics_are_frozen_beside_convolutions_of_other_axes():
    """Attention over channels convolves along them alone."""

    class OverChannels(nn.Module):
        def __init__(self):
            super().__init__()
            self.norm, self.over = nn.InstanceNorm2d(4), nn.Conv1d(1, 1, 3, padding=1)

        def forward(self, x):
            x = self.norm(x)
            rows = x.permute(0, 2, 3, 1).reshape(-1, 1, x.shape[1])
            weights = self.over(rows).reshape(x.shape[0], *x.shape[2:], -1)
            return x * weights.permute(0, 3, 1, 2).sigmoid()

    torch.manual_seed(0)
    found = audit(nn.Sequential(nn.Conv2d(1, 4, 1), OverChannels()).eval(), ndim=2)
    assert [part.kind for part in found.parts] == ["InstanceNorm2d"] and found.tileable


def test_pools_that_step_by_their_kernel_unsaid():
    layers = [nn.Conv2d(1, 2, 3, padding=1), nn.LPPool2d(2, 2), nn.Upsample(scale_factor=2)]
    found = audit(nn.Sequential(*layers).eval(), ndim=2)
    assert found.period == (2, 2) and found.exact_tiling


def test_lazy_layers_are_refused_until_they_have_weights():
    lazy = nn.Sequential(nn.LazyConv2d(2, 3, padding=1)).eval()
    with pytest.raises(ShiftSegError, match="run it on one first"):
        audit(lazy, ndim=2)
    lazy(torch.zeros(1, 1, 9, 9))
    assert audit(lazy, ndim=2).halo == (1, 1)


class Twice(nn.Module):
    """One normalisation at two places."""

    def __init__(self):
        super().__init__()
        self.norm = nn.InstanceNorm2d(1)

    def forward(self, x):
        return self.norm(F.relu(self.norm(x * 3 + 2)) + 5)


class Renamed(nn.Module):
    """One normalisation under two names."""

    def __init__(self):
        super().__init__()
        self.norm = nn.InstanceNorm2d(1)
        self.all = nn.Sequential(nn.Conv2d(1, 1, 3, padding=1), self.norm)

    def forward(self, x):
        return self.all(x)


def test_a_normalisation_at_two_places_cannot_be_frozen():
    found = audit(Twice().eval(), ndim=2)
    assert found.stuck and not found.tileable


def test_a_normalisation_with_two_names_is_frozen_under_both():
    module, reference = Renamed().eval(), torch.from_numpy(pixels(32, 32))[None]
    found = audit(module, ndim=2)
    assert found.parts and not found.stuck
    frozen, left = freeze_statistics(module, found.parts, reference)
    assert not left
    torch.testing.assert_close(frozen(reference), module(reference))
    part = frozen(reference[..., 4:20])
    torch.testing.assert_close(frozen(reference)[..., 8:16], part[..., 4:12])


def test_another_network_or_mode_than_the_audited_one_is_refused():
    module = Around(layers=[nn.BatchNorm2d(3), nn.Conv2d(3, 1, 3, padding=1)]).eval()
    found = audit(module, ndim=2)
    for run in (predict_exactly, diagnose):
        with pytest.raises(ShiftSegError, match="other layers than the Around"):
            run(Around().eval(), found, pixels(40, 40))
        with pytest.raises(ShiftSegError, match=r"call \.eval"):
            run(module.train(), found, pixels(40, 40))
        module.eval()
        with pytest.raises(ShiftSegError, match="the audit is a NoneType"):
            run(module, None, pixels(40, 40))
    with torch.no_grad():  # of other weights, after more training, an audit stays true
        module.layers[0].weight.mul_(2)
    predict_exactly(module, found, pixels(40, 40))


def test_anything_that_holds_numbers_is_an_image():
    module, given = Around().eval(), pixels(40, 40)
    found = audit(module, ndim=2)
    expected = predict_exactly(module, found, given)
    tensor = torch.from_numpy(given).requires_grad_()
    for same in (zarr.array(given), given.astype(">f4"), given.tolist(), tensor):
        np.testing.assert_array_equal(predict_exactly(module, found, same), expected)
        assert diagnose(module, found, same).certified


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda p: p + 1j, "complex128|complex64; legal: real numbers"),
        (lambda p: p.astype(object), "object; legal: real numbers"),
        (lambda p: np.where(p > 0, np.nan, p), "not finite"),
        (lambda p: np.ma.masked_greater(p, 1), "some pixels are masked"),
        (lambda p: torch.from_numpy(p).to("meta"), "no array of numbers"),
        (lambda p: p[0], "takes 1 channels, first, and 2 axes"),
    ],
)
def test_what_holds_none_is_refused(change, message):
    module = Around().eval()
    found = audit(module, ndim=2)
    for run in (predict_exactly, diagnose):
        with pytest.raises(ShiftSegError, match=message):
            run(module, found, change(pixels(40, 40)))


def test_audits_in_threads_leave_warnings_and_random_numbers_alone():
    filters = list(warnings.filters)
    torch.manual_seed(1)
    expected = torch.rand(100)
    torch.manual_seed(1)
    threads = [
        threading.Thread(target=audit, args=(Around().eval(),), kwargs={"ndim": 2})
        for _ in range(2)
    ]
    # A module is drawn by the generator of the process: made before it is set.
    torch.manual_seed(1)
    for thread in threads:
        thread.start()
    drawn = [torch.rand(10) for _ in range(5)]
    for thread in threads:
        thread.join()
    drawn += [torch.rand(10) for _ in range(5)]
    assert warnings.filters == filters
    torch.testing.assert_close(torch.cat(drawn), expected)
