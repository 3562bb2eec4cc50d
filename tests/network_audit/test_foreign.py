"""Networks from elsewhere: read without running anything, or refused in one line."""

import pickle
import sys
import warnings
import zipfile
from functools import partial

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from napari_shiftseg import ShiftSegError, audit
from napari_shiftseg.errors import UntrustedCode
from napari_shiftseg.image.intensity import Fixed, Intensity
from napari_shiftseg.network_audit import exported
from napari_shiftseg.network_audit.foreign import load_foreign
from napari_shiftseg.network_audit.operations import suspicious_operations
from zoo_description import SMALL

ZEROS = torch.zeros(1, 1, 32, 32)


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
        torch.jit.trace(module, ZEROS).save(file)


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


@pytest.mark.parametrize(
    "behind", [nn.Identity(), nn.ReLU(), nn.Sequential(nn.ReLU(), nn.MaxPool2d(2))]
)
def test_torchscript_names_the_operation_in_the_way(tmp_path, behind):
    file = tmp_path / "network.ts"
    record(nn.Sequential(normalised(), behind), file)
    found = audit(load_foreign(str(file)).module, ndim=2)
    assert found.non_local == ("aten::instance_norm",)
    assert not found.exact_tiling


@pytest.mark.parametrize("way", [torch.jit.script, partial(torch.jit.trace, example_inputs=ZEROS)])
@pytest.mark.parametrize(
    ("enlarge", "named"),
    [
        (nn.Upsample(scale_factor=2), False),
        (nn.Upsample(scale_factor=2, mode="bilinear"), False),
        (nn.Upsample(size=(32, 32)), True),
    ],
)
def test_enlarging_by_a_factor_is_in_nobodys_way(enlarge, named, way):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        recorded = way(nn.Sequential(normalised(), nn.MaxPool2d(2), enlarge))
    kinds = {part.kind for part in suspicious_operations(recorded)}
    assert "aten::instance_norm" in kinds
    assert any("upsample" in kind for kind in kinds) == named


@pytest.mark.skipif(not exported.known_here(), reason="needs torch 2.11")
@pytest.mark.parametrize("largest", [None, 2000])
def test_torch_export(tmp_path, largest):
    file = tmp_path / "network.pt2"
    free = torch.export.Dim.DYNAMIC(min=32, max=largest) if largest else torch.export.Dim.AUTO
    recorded = torch.export.export(
        network().eval(), (torch.zeros(1, 1, 64, 64),), dynamic_shapes=({2: free, 3: free},)
    )
    torch.export.save(recorded, file)
    found = audit(load_foreign(str(file)).module, ndim=2)
    assert found.period == (2, 2)
    assert found.exact_tiling


def test_torch_export_is_refused_by_a_torch_that_is_too_old_to_tell(tmp_path, monkeypatch):
    monkeypatch.setattr(torch, "__version__", "2.9.1+cpu")
    with zipfile.ZipFile(tmp_path / "network.pt2", "w") as archive:
        archive.writestr("network/archive_format", "pt2")
    with pytest.raises(UntrustedCode, match=r"torch 2\.11 or newer"):
        load_foreign(str(tmp_path / "network.pt2"))


def test_code_runs_only_for_those_who_trust_it():
    with pytest.raises(UntrustedCode):
        load_foreign(f"{__name__}:network")
    found = load_foreign(f"{__name__}:network", trust_code=True)
    assert not found.module.training


def test_a_factory_in_a_file(tmp_path):
    file = tmp_path / "my network.py"
    (tmp_path / "its_neighbour.py").write_text("FEATURES = 2\n")
    file.write_text(
        "from __future__ import annotations\n"
        "from dataclasses import dataclass\n"
        "from its_neighbour import FEATURES\n"
        "from torch.nn import Conv2d\n\n\n"
        "@dataclass\nclass Sizes:\n    kernel: int = 3\n\n\n"
        "def small():\n    return Conv2d(1, FEATURES, Sizes().kernel)\n"
    )
    with pytest.raises(UntrustedCode):
        load_foreign(f"{file}:small")
    assert load_foreign(f"{file}:small", trust_code=True).module.out_channels == 2


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


class Harmful:
    """Writes a file when it is unpickled."""

    def __init__(self, file):
        self.file = file

    def __reduce__(self):
        return (open, (str(self.file), "w"))


def test_a_pickle_is_never_opened(tmp_path):
    file = tmp_path / "weights.pt"
    torch.save({"weights": Harmful(tmp_path / "harm")}, file)
    with pytest.raises(ShiftSegError, match="nothing was loaded"):
        load_foreign(f"{__name__}:network", weights=file, trust_code=True)
    with pytest.raises(ShiftSegError):
        load_foreign(str(file))
    plain = tmp_path / "plain.pth"
    plain.write_bytes(pickle.dumps(Harmful(tmp_path / "harm")))
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
        ("no_such_file.py:network", "no_such_file.py"),
        (r"C:\\gone.pt", "there is no network"),
    ],
)
def test_what_is_no_network(source, message):
    with pytest.raises(ShiftSegError, match=message):
        load_foreign(source, trust_code=True)


@pytest.mark.parametrize(("name", "program"), [("net.onnx", "ONNX"), ("net.keras", "Keras")])
def test_networks_of_other_programs_have_a_way_in(tmp_path, name, program):
    (tmp_path / name).write_bytes(b"of another program")
    with pytest.raises(ShiftSegError, match=f"a network of {program}.*as file.py:factory"):
        load_foreign(str(tmp_path / name))


def test_a_slip_of_the_pen_is_told():
    with pytest.raises(ShiftSegError, match=r"did you mean nuclei-2d\?"):
        load_foreign("nuclei-2")


def test_code_that_ends_itself_is_refused_as_what_fails(tmp_path):
    (tmp_path / "script.py").write_text("import sys\nsys.exit('usage: script.py DATA')\n")
    with pytest.raises(ShiftSegError, match=r"fails: SystemExit: usage: script\.py DATA"):
        load_foreign(f"{tmp_path / 'script.py'}:network", trust_code=True)


def test_neighbours_are_found_when_the_factory_runs_and_in_this_folder(tmp_path, monkeypatch):
    (tmp_path / "late_neighbour.py").write_text("from torch import nn\nmade = nn.Conv2d(1, 2, 3)\n")
    (tmp_path / "late_factory.py").write_text(
        "def network():\n    from late_neighbour import made\n    return made\n"
    )
    assert load_foreign(f"{tmp_path / 'late_factory.py'}:network", trust_code=True)
    monkeypatch.chdir(tmp_path)
    assert load_foreign("late_neighbour:made", trust_code=True).module.out_channels == 2
    assert str(tmp_path) not in sys.path


def test_torchscript_says_why_it_fails(tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.script(nn.Conv2d(3, 2, 3, padding=1)).save(tmp_path / "colours.pt")
    with pytest.raises(ShiftSegError, match="to have 3 channels"):
        audit(load_foreign(str(tmp_path / "colours.pt")).module, ndim=2)


def test_weights_of_another_network(tmp_path):
    file = tmp_path / "weights.safetensors"
    save_file(normalised().state_dict(), file)
    with pytest.raises(ShiftSegError, match="do not fit the network"):
        load_foreign(f"{__name__}:network", weights=file, trust_code=True)


RECORDED = "  torchscript: {source: network.pt, pytorch_version: 2.13.0}"
CODE = f"""  pytorch_state_dict:
    source: weights.pt
    pytorch_version: 2.13.0
    architecture: {{callable: network, import_from: {__name__}}}"""


@pytest.fixture
def package(tmp_path):
    """A folder to which only the weights' description has to be added."""
    np.save(tmp_path / "input.npy", np.zeros((1, 1, 32, 32), np.float32))
    np.save(tmp_path / "output.npy", np.zeros((1, 2, 32, 32), np.float32))
    (tmp_path / "readme.md").write_text("# A small network")
    record(network(), tmp_path / "network.pt")
    torch.save(network().state_dict(), tmp_path / "weights.pt")
    return tmp_path


def described(package, weights):
    (package / "rdf.yaml").write_text(SMALL + weights)
    return package


def test_a_package_of_the_model_zoo(package):
    found = load_foreign(str(described(package, RECORDED)))
    assert (found.ndim, found.in_channels) == (2, 1)
    assert audit(found.module, ndim=2).period == (2, 2)


def test_the_same_as_a_zip(package):
    described(package, RECORDED)
    with zipfile.ZipFile(package / "small.zip", "w") as archive:
        for file in package.iterdir():
            if file.suffix != ".zip":
                archive.write(file, file.name)
    assert audit(load_foreign(str(package / "small.zip")).module, ndim=2).exact_tiling


def test_code_of_a_package_runs_only_for_those_who_trust_it(package):
    source = str(described(package, CODE))
    with pytest.raises(UntrustedCode):
        load_foreign(source)
    state = load_foreign(source, trust_code=True).module.state_dict()
    assert all(torch.equal(state[name], value) for name, value in network().state_dict().items())


STEPS = {
    "": Intensity("none"),
    "ensure_dtype: {dtype: float32}": Intensity("none"),
    "scale_linear: {gain: 0.5, offset: 2.0}": Fixed(-4.0, 2.0),
    "fixed_zero_mean_unit_variance: {mean: 3.0, std: 4.0}": Fixed(3.0, 4.0),
    "zero_mean_unit_variance: {}": Intensity("standard"),
    "scale_range: {min_percentile: 2.0, max_percentile: 99.0, axes: [y, x]}": Intensity(
        "percentile", 2.0, 99.0
    ),
    "clip: {min: 0.0, max: 1.0}": None,
    "zero_mean_unit_variance: {}; scale_linear: {gain: 2.0}": None,
}
"""Preprocessing of packages, and what does the same here."""


@pytest.mark.parametrize("steps", STEPS)
def test_how_a_package_prepares_its_input(package, steps):
    named = [step.partition(": ") for step in filter(None, steps.split("; "))]
    lines = [f"  - {{id: {name}, kwargs: {options}}}" for name, _, options in named]
    told = "\n".join(["  preprocessing:", *lines]) if lines else ""
    text = SMALL.replace("\noutputs:", f"\n{told}\noutputs:") + RECORDED
    (package / "rdf.yaml").write_text(text)
    found = load_foreign(str(package))
    assert found.intensity == STEPS[steps]
    if STEPS[steps] is None:
        with pytest.raises(ShiftSegError, match=rf"prepares images by {named[0][0]}"):
            found.scaled()
    assert found.scaled("percentile") == Intensity("percentile")


def test_files_that_say_nothing_take_pixels_as_they_are(tmp_path):
    record(network(), tmp_path / "network.pt")
    assert load_foreign(str(tmp_path / "network.pt")).scaled() == Intensity("none")
    assert load_foreign("nuclei-2d").scaled() == Intensity("percentile")


def test_weights_alone_are_no_network(tmp_path):
    torch.save(network().state_dict(), tmp_path / "weights.pt")
    with pytest.raises(
        ShiftSegError, match=r"not a recorded network \(it holds no code\); a state"
    ):
        load_foreign(str(tmp_path / "weights.pt"))


def test_weights_of_a_package_that_are_no_weights(package):
    (package / "network.pt").write_bytes(b"damaged")
    with pytest.raises(ShiftSegError, match=r"network\.pt is not a recorded network"):
        load_foreign(str(described(package, RECORDED)))
    torch.save({"weights": Harmful(package / "harm")}, package / "weights.pt")
    with pytest.raises(ShiftSegError, match=r"weights\.pt holds no plain state dict"):
        load_foreign(str(described(package, CODE)), trust_code=True)
    assert not (package / "harm").exists()


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ("  torchscript: {source: missing.pt, pytorch_version: 2.13.0}", "missing.pt"),
        ("  torchscript: {source: ../../etc/passwd, pytorch_version: 2.13.0}", "passwd"),
        (
            "  torchscript: {source: https://example.com/network.pt, pytorch_version: 2.13.0}",
            "example.com",
        ),
        ("  nothing: {}", "not a valid model"),
    ],
    ids=["missing", "outside", "elsewhere", "none"],
)
def test_packages_that_are_refused(package, weights, message):
    with pytest.raises(ShiftSegError, match=message):
        load_foreign(str(described(package, weights)))
