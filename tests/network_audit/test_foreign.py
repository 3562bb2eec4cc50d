"""Networks from elsewhere: read without running anything, or refused in one line."""

import pickle
import warnings

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from napari_shiftseg import ShiftSegError, audit
from napari_shiftseg.network_audit.foreign import load_foreign


def network():
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(4, 4, 3, padding=1),
        nn.ConvTranspose2d(4, 2, 2, stride=2),
    )


def normalised():
    return nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.InstanceNorm2d(4))


def record(module, file):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # TorchScript is on its way out
        torch.jit.trace(module, torch.zeros(1, 1, 32, 32)).save(file)


def not_a_network():
    return 3


def fails():
    raise RuntimeError("no such weights")


def test_torchscript(tmp_path):
    file = tmp_path / "network.pt"
    record(network(), file)
    found = audit(load_foreign(str(file)).module, ndim=2)
    assert found.period == (2, 2)
    assert found.exact_tiling


def test_torchscript_names_the_operation_in_the_way(tmp_path):
    file = tmp_path / "network.ts"
    record(normalised(), file)
    found = audit(load_foreign(str(file)).module, ndim=2)
    assert found.non_local == ("aten::instance_norm",)
    assert not found.exact_tiling


def test_torch_export(tmp_path):
    file = tmp_path / "network.pt2"
    free = torch.export.Dim.AUTO
    recorded = torch.export.export(
        network().eval(), (torch.zeros(1, 1, 64, 64),), dynamic_shapes=({2: free, 3: free},)
    )
    torch.export.save(recorded, file)
    found = audit(load_foreign(str(file)).module, ndim=2)
    assert found.period == (2, 2)
    assert found.exact_tiling


def test_code_runs_only_for_those_who_trust_it():
    with pytest.raises(ShiftSegError, match="--trust-code"):
        load_foreign(f"{__name__}:network")
    found = load_foreign(f"{__name__}:network", trust_code=True)
    assert not found.module.training


@pytest.mark.parametrize("kind", ["safetensors", "pt"])
def test_weights_for_a_factory(tmp_path, kind):
    weights = {name: value + 1 for name, value in network().state_dict().items()}
    file = tmp_path / f"weights.{kind}"
    if kind == "pt":
        torch.save(weights, file)
    else:
        save_file(weights, file)
    filled = load_foreign(f"{__name__}:network", weights=file, trust_code=True).module
    assert all(torch.equal(filled.state_dict()[name], value) for name, value in weights.items())


def test_a_pickle_is_never_opened(tmp_path):
    class Harmful:
        def __reduce__(self):
            return (open, (str(tmp_path / "harm"), "w"))

    file = tmp_path / "weights.pt"
    torch.save({"weights": Harmful()}, file)
    with pytest.raises(ShiftSegError, match="nothing was loaded"):
        load_foreign(f"{__name__}:network", weights=file, trust_code=True)
    with pytest.raises(ShiftSegError):
        load_foreign(str(file))
    plain = tmp_path / "plain.pth"
    plain.write_bytes(pickle.dumps(Harmful()))
    with pytest.raises(ShiftSegError, match="is not a network"):
        load_foreign(str(plain))
    assert not (tmp_path / "harm").exists()


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("nowhere.pt", "there is no network 'nowhere.pt'"),
        (f"{__name__}:not_a_network", "returns int; a torch.nn.Module is needed"),
        (f"{__name__}:fails", "no such weights"),
        (f"{__name__}:missing", "missing"),
        ("no_such_package:network", "no_such_package"),
    ],
)
def test_what_is_no_network(source, message):
    with pytest.raises(ShiftSegError, match=message):
        load_foreign(source, trust_code=True)


def test_weights_of_another_network(tmp_path):
    file = tmp_path / "weights.safetensors"
    save_file(normalised().state_dict(), file)
    with pytest.raises(ShiftSegError, match="do not fit the network"):
        load_foreign(f"{__name__}:network", weights=file, trust_code=True)
