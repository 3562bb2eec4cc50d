"""Model files are data: nothing in them runs, and what they claim is checked before it costs."""

from __future__ import annotations

import io
import json
import os
import pickle
import struct
import time
import warnings
import zipfile

import numpy as np
import pytest
import tifffile
import torch
from networks import DESCRIPTION, tiny_network
from others_networks import ZOO, recorded, small, zoo_zip
from safetensors.torch import save_file
from torch import nn

from napari_shiftseg import ShiftSegError
from napari_shiftseg.embeddings.description import ModelDescription
from napari_shiftseg.embeddings.model import file_hash, load_model
from napari_shiftseg.embeddings.model_file import load_network, read_description, save_model
from napari_shiftseg.embeddings.unet import Architecture, UNet
from napari_shiftseg.errors import UntrustedCode
from napari_shiftseg.network_audit import exported
from napari_shiftseg.network_audit.foreign import load_foreign
from napari_shiftseg.tiles.geometry import NetworkGeometry

pytestmark = pytest.mark.trust("model")


@pytest.fixture
def harm(tmp_path):
    return tmp_path / "harm"


@pytest.fixture
def image(tmp_path):
    path = tmp_path / "cells.tif"
    tifffile.imwrite(path, np.random.default_rng(0).integers(0, 255, (40, 50), np.uint8))
    return path


class Harmful:
    """Makes a folder when it is unpickled."""

    def __init__(self, proof):
        self.proof = proof

    def __reduce__(self):
        return os.mkdir, (str(self.proof),)


def described(path, **changes):
    """A checkpoint with a changed description beside it."""
    torch.save(tiny_network().state_dict(), path)
    values = json.loads(DESCRIPTION.to_json())
    path.with_suffix(".json").write_text(json.dumps(values | changes))
    return path


def architecture(**changes):
    return json.loads(DESCRIPTION.to_json())["architecture"] | changes


def geometry(**changes):
    known = architecture()
    return known | {"geometry": known["geometry"] | changes}


# Descriptions that lie -------------------------------------------------------------------------

LEVEL = [[[3, 3]]]
LIES = {
    "gigabytes of maps": {"architecture": architecture(maps=10**6)},
    "maps that grow without end": {"architecture": architecture(map_growth=200)},
    "a number that torch cannot hold": {"architecture": architecture(maps=2**70)},
    "half a map": {"architecture": architecture(maps=2.5)},
    "maps in words": {"architecture": architecture(maps="16")},
    "yes for a number": {"architecture": architecture(in_channels=True)},
    "an infinite scale": {"architecture": architecture(coordinate_scale=float("inf"))},
    "a scale that is no number": {"architecture": architecture(coordinate_scale=float("nan"))},
    "a kernel without end": {"architecture": geometry(head=[[10**12 + 1] * 2])},
    "a pool of a billion": {"architecture": geometry(factors=[[10**9, 10**9]] * 2)},
    "a period beyond images": {"architecture": geometry(factors=[[128, 128]] * 2)},
    "a thousand levels": {
        "architecture": geometry(factors=[[2, 2]] * 1000, down=LEVEL * 1001, up=LEVEL * 1000)
    },
    "fractions of pixels": {"architecture": geometry(factors=[[2.5, 2]] * 2)},
    "no kernels at all": {"architecture": geometry(down=[[], [], []], up=[[], []], head=[])},
    "factors that are no list": {"architecture": geometry(factors=3)},
    "a window in words": {"training_window": ["8", "8"]},
    "a window of nothing": {"training_window": [0, 0]},
    "a window that is none": {"training_window": 8},
    "axes that are none": {"axes": "ab"},
    "axes in a list": {"axes": ["y", "x"]},
    "a name that is none": {"name": ["tiny"]},
    "scores in a list": {"scores": [1, 2]},
    "training in words": {"training": "long"},
    "percentiles in words": {"intensity": {"low": "1"}},
    "a bandwidth that is no number": {"clustering": {"bandwidth": float("nan")}},
}


@pytest.mark.parametrize("lie", LIES)
def test_a_description_that_lies(tmp_path, lie):
    start = time.monotonic()
    with pytest.raises(ShiftSegError):
        load_network(described(tmp_path / "lie.pt", **LIES[lie]))
    assert time.monotonic() - start < 10


@pytest.mark.parametrize(
    "text", ["[" * 100_000, '{"format": ' + "9" * 5000 + "}"], ids=["deep", "long"]
)
def test_json_that_breaks_its_reader(text):
    with pytest.raises(ShiftSegError, match="not JSON"):
        ModelDescription.from_json(text)


def test_a_description_that_is_no_text(tmp_path):
    path = described(tmp_path / "lie.pt")
    path.with_suffix(".json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ShiftSegError, match="no description of a model"):
        load_network(path)


def test_a_terminal_is_not_told_what_to_do(tmp_path, shiftseg):
    path = tmp_path / "loud.safetensors"
    values = json.loads(DESCRIPTION.to_json()) | {
        "summary": "\x1b]0;owned\x07",
        "scores": {"test \x1b[2J": 0.5},
        "training": {"note": "\x1b[31mred", "seconds": "many"},
    }
    save_file(dict(tiny_network().state_dict()), path, metadata={"shiftseg": json.dumps(values)})
    answer = shiftseg("models", path)
    assert answer.code == 0, answer.err
    assert "\x1b" not in answer.out and "\x07" not in answer.out


# Weights that lie ------------------------------------------------------------------------------


def header(path, entries, size=0):
    """A safetensors file of any claim; what it lacks in bytes is a hole in the file."""
    text = json.dumps(entries).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text)
    if size:
        os.truncate(path, 8 + len(text) + size)
    return path


META = {"__metadata__": {"shiftseg": DESCRIPTION.to_json()}}
GIGABYTES = 2**32
HEADERS = {
    "longer than the file": {"a": {"dtype": "F32", "shape": [9], "data_offsets": [0, 36]}},
    "negative": {"a": {"dtype": "F32", "shape": [-1], "data_offsets": [0, 4]}},
    "backwards": {"a": {"dtype": "F32", "shape": [1], "data_offsets": [4, 0]}},
    "more than 64 bits": {"a": {"dtype": "F32", "shape": [2**62, 2**62], "data_offsets": [0, 4]}},
    "of no type": {"a": {"dtype": "X7", "shape": [1], "data_offsets": [0, 4]}},
    "of no size": {"a": {"dtype": "F32", "shape": [1], "data_offsets": "all"}},
}


@pytest.mark.parametrize("lie", HEADERS)
def test_a_header_that_lies(tmp_path, lie):
    path = header(tmp_path / "lie.safetensors", META | HEADERS[lie])
    with pytest.raises(ShiftSegError, match="not a safetensors file"):
        load_network(path)


def test_a_header_as_long_as_memory(tmp_path):
    path = tmp_path / "lie.safetensors"
    path.write_bytes(struct.pack("<Q", 2**60) + b"{}")
    with pytest.raises(ShiftSegError, match="not a safetensors file"):
        load_network(path)


def test_gigabytes_of_weights_that_do_not_fit_are_not_read(tmp_path):
    weight = {"dtype": "F32", "shape": [GIGABYTES // 4], "data_offsets": [0, GIGABYTES]}
    path = header(tmp_path / "lie.safetensors", META | {"head.0.weight": weight}, GIGABYTES)
    start = time.monotonic()
    with pytest.raises(ShiftSegError, match="do not fit the description"):
        load_network(path)
    assert time.monotonic() - start < 5


def test_a_tensor_larger_than_its_storage_is_not_spread_out(tmp_path):
    weights = dict(tiny_network().state_dict())
    name = next(iter(weights))
    weights[name] = torch.zeros(1).expand(2**36)
    path = described(tmp_path / "lie.pt")
    torch.save(weights, path)
    with pytest.raises(ShiftSegError, match="do not fit the description"):
        load_network(path)


@pytest.mark.parametrize("dtype", [torch.int64, torch.bool, torch.complex64])
def test_weights_that_are_no_floats(tmp_path, dtype):
    weights = {k: torch.zeros(v.shape, dtype=dtype) for k, v in tiny_network().state_dict().items()}
    path = tmp_path / "whole.safetensors"
    save_file(weights, path, metadata={"shiftseg": DESCRIPTION.to_json()})
    with pytest.raises(ShiftSegError, match="weights are dense floats"):
        load_network(path)


def test_weights_that_overflow_float32(tmp_path):
    weights = {k: v.double() * 1e300 for k, v in tiny_network().state_dict().items()}
    path = tmp_path / "large.safetensors"
    save_file(weights, path, metadata={"shiftseg": DESCRIPTION.to_json()})
    with pytest.raises(ShiftSegError, match="not finite"):
        load_network(path)


def test_a_damaged_checkpoint_is_refused_whatever_was_hit(tmp_path):
    path = described(tmp_path / "hit.pt")
    whole, rng, refused = path.read_bytes(), np.random.default_rng(0), 0
    for _ in range(60):
        hit = bytearray(whole)
        for place in rng.integers(0, len(whole), 8):
            hit[place] = rng.integers(0, 256)
        path.write_bytes(hit)
        try:
            load_network(path)
        except ShiftSegError as error:
            refused += 1
            assert "hit.pt" in str(error)
            assert "\n" not in str(error)
    assert refused > 20


def test_a_damaged_model_file_is_refused_whatever_was_hit(model):
    whole, rng, refused = model.read_bytes(), np.random.default_rng(0), 0
    for _ in range(60):
        hit = bytearray(whole)
        for place in rng.integers(0, min(len(whole), 3000), 4):
            hit[place] = rng.integers(0, 256)
        model.write_bytes(hit)
        try:
            load_network(model)
        except ShiftSegError as error:
            refused += 1
            assert len(str(error)) < 2000
    assert refused > 20


# What is legal, and strange --------------------------------------------------------------------


def test_a_period_of_1_works(tmp_path, shiftseg, image):
    one = Architecture(NetworkGeometry.regular(2, 0), maps=2, embedding_dims=2, foreground=True)
    path = tmp_path / "one.safetensors"
    save_model(path, UNet(one), ModelDescription("one", one, training_window=(8, 8)))
    answer = shiftseg("segment", image, "-m", path, "-o", tmp_path / "l.tif", "--json", "-")
    assert answer.code == 0, answer.err
    assert json.loads(answer.out)["period"] == [1, 1]


def test_more_channels_than_the_image(tmp_path, shiftseg, image):
    many = Architecture(NetworkGeometry.regular(2, 1), in_channels=7, maps=2)
    path = tmp_path / "many.safetensors"
    save_model(path, UNet(many), ModelDescription("many", many))
    answer = shiftseg("segment", image, "-m", path, "-o", tmp_path / "l.tif")
    assert answer.refused, answer.err
    assert "7 channel(s)" in answer.err and "(40, 50)" in answer.err
    assert not (tmp_path / "l.tif").exists()


def test_the_hash_is_shown(model, image, tmp_path, shiftseg):
    answer = shiftseg("segment", image, "-m", model, "-o", tmp_path / "l.tif", "--json", "-")
    assert json.loads(answer.out)["model_sha256"] == load_model(model).sha256 == file_hash(model)
    assert file_hash(model) in shiftseg("models", model).out


FIRST_FORMAT = (
    '{"format": "shiftseg-model/1", "name": "tiny", "architecture": {"geometry": {"factors": '
    '[[2, 2]], "down": [[[3, 3]], [[3, 3]]], "up": [[[3, 3]]], "head": [], "padding": "valid"}, '
    '"in_channels": 1, "maps": 2, "map_growth": 2, "upsampling": "learnt", "embedding_dims": 3, '
    '"coordinate_dims": 0, "coordinate_scale": 8.0, "foreground": false}}'
)
"""The least that a file of the first format says. It never changes: such files are out there."""


def test_the_first_format_still_loads(tmp_path):
    known = ModelDescription.from_json(FIRST_FORMAT)
    path = tmp_path / "first.safetensors"
    weights = dict(UNet(known.architecture).state_dict())
    save_file(weights, path, metadata={"shiftseg": FIRST_FORMAT})
    network, found = load_network(path)
    assert found == known == read_description(path)
    assert network(torch.zeros(1, 1, 24, 24)).shape[1] == 3


def test_a_later_format_names_both_versions(tmp_path):
    path = described(tmp_path / "later.pt", format="shiftseg-model/12")
    with pytest.raises(ShiftSegError, match=r"'shiftseg-model/1', but of 'shiftseg-model/12'"):
        load_network(path)


# Networks from elsewhere -----------------------------------------------------------------------


class Writes(nn.Module):
    """Writes a file when it is loaded: that is TorchScript, not Python."""

    def __init__(self, proof):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(1))
        self.proof: str = str(proof)

    def forward(self, image):
        return image * self.weight

    @torch.jit.export
    def __getstate__(self):
        return (self.weight, self.proof, self.training)

    @torch.jit.export
    def __setstate__(self, state: tuple[torch.Tensor, str, bool]):
        self.weight = state[0]
        self.proof = state[1]
        self.training = state[2]
        torch.save(state[0], state[1])


def test_a_recording_that_writes_files_is_not_loaded(tmp_path, harm):
    path = recorded(tmp_path / "writes.pt", Writes(harm))
    with pytest.raises(ShiftSegError, match="calls save"):
        load_foreign(str(path))
    assert not harm.exists()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.load(path)
    assert harm.exists(), "the recording is harmful, or nothing was tested"


def repacked(path, change, compression=zipfile.ZIP_STORED):
    """Write the archive's members anew, each as the function returns it."""
    with zipfile.ZipFile(path) as archive:
        members = [(name, archive.read(name)) for name in archive.namelist()]
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in members:
            archive.writestr(*change(name, content))
    return path


DISGUISES = {
    "capitals": lambda name, code: (name.removesuffix(".py") + ".PY", code),
    "an encoding": lambda name, code: (name, b"# coding: utf-7\n" + code),
    "an encoding that is none": lambda name, code: (name, b"# coding: none\n" + code),
    "an end of file": lambda name, code: (name, b"#\x1a\x00\n" + code),
}


@pytest.mark.parametrize("disguise", DISGUISES)
def test_a_recording_that_hides_what_it_writes_is_not_loaded(tmp_path, harm, disguise):
    def change(name, content):
        return DISGUISES[disguise](name, content) if name.endswith(".py") else (name, content)

    path = repacked(recorded(tmp_path / "writes.pt", Writes(harm)), change)
    with pytest.raises(ShiftSegError, match="calls save"):
        load_foreign(str(path))
    assert not harm.exists()


def test_a_recording_with_a_second_file_in_capitals_is_not_loaded(tmp_path):
    path = recorded(tmp_path / "twins.pt", small())
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("TWINS/DATA.PKL", b"")
    with pytest.raises(ShiftSegError, match="twice"):
        load_foreign(str(path))


def test_a_recording_that_unfolds_to_gigabytes_is_not_read(tmp_path):
    path = recorded(tmp_path / "bomb.pt", small())
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb/code/large.py", bytes(2**27))
    with pytest.raises(ShiftSegError, match=r"claims 0\.1 GB"):
        load_foreign(str(path))


@pytest.fixture(scope="session")
def plain_export(tmp_path_factory):
    if not exported.known_here():
        pytest.skip("needs torch 2.11")
    path = tmp_path_factory.mktemp("pt2") / "plain.pt2"
    free = torch.export.Dim.DYNAMIC(min=8)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = torch.export.export(
            small(), (torch.zeros(1, 1, 32, 32),), dynamic_shapes=({2: free, 3: free},)
        )
        torch.export.save(program, path)
    return path


def rewritten(source, target, change):
    """A ZIP whose members went through ``change(name, content)``."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            new.writestr(name, change(name, old.read(name)))
    return target


def pickled_inputs(harm):
    buffer = io.BytesIO()
    torch.save((Harmful(harm),), buffer)
    return lambda name, old: buffer.getvalue() if "sample_inputs" in name else old


def pickled_weights(harm):
    buffer = io.BytesIO()
    torch.save(Harmful(harm), buffer)

    def change(name, old):
        if name.endswith("weight_0"):
            return buffer.getvalue()
        return old.replace(b'"use_pickle": false', b'"use_pickle": true')

    return change


def in_graph(old, new):
    def change(name, content):
        if not name.endswith("models/model.json"):
            return content
        assert old in content, "the file's format has changed: nothing was tested"
        return content.replace(old, new)

    return change


def python_call(harm):
    call = f"open('{harm}', 'w')".encode()
    return in_graph(b'"guards_code": [', b'"guards_code": ["' + call + b' is not None", ')


def python_formula(harm):
    call = f"__import__('pathlib').Path('{harm}').touch()".encode()
    return in_graph(b'"expr_str": "', b'"expr_str": "' + call + b" or ")


def python_function(_):
    return in_graph(b"torch.ops.aten.relu.default", b"torch.os.getpid")


ATTACKS = [pickled_inputs, pickled_weights, python_call, python_formula, python_function]


@pytest.mark.parametrize("attack", ATTACKS)
def test_an_exported_program_that_runs_code_is_not_loaded(tmp_path, plain_export, harm, attack):
    path = rewritten(plain_export, tmp_path / "evil.pt2", attack(harm))
    with pytest.raises(UntrustedCode):
        load_foreign(str(path))
    assert not harm.exists()


def test_the_attack_on_exported_programs_is_real(tmp_path, plain_export, harm):
    path = rewritten(plain_export, tmp_path / "evil.pt2", pickled_inputs(harm))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(Exception):  # noqa: B017 - torch then stumbles over what it got
            torch.export.load(path)
    assert harm.exists()


@pytest.mark.parametrize("library", ["data/aotinductor/model/x.so", "extra/evil.py"])
def test_an_exported_program_with_more_in_it_is_not_loaded(tmp_path, plain_export, library):
    path = rewritten(plain_export, tmp_path / "evil.pt2", lambda _, content: content)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(f"plain/{library}", b"")
    with pytest.raises(UntrustedCode):
        load_foreign(str(path))


def test_a_plain_exported_program_is_loaded(plain_export):
    network = load_foreign(str(plain_export)).module
    image = torch.randn(1, 1, 16, 24)
    assert torch.equal(network(image), small()(image))


# Packages of the model zoo ---------------------------------------------------------------------


@pytest.mark.parametrize("name", ["../outside.pt", "a/../../outside.pt", "/tmp/outside.pt"])
def test_a_package_cannot_name_files_outside_of_itself(tmp_path, name):
    recorded(tmp_path / "outside.pt", small())
    content = (tmp_path / "outside.pt").read_bytes()
    folder = tmp_path / "package"
    folder.mkdir()
    path = zoo_zip(folder / "evil.zip", name, {name: content})
    with pytest.raises(ShiftSegError):
        load_foreign(str(path))
    assert sorted(p.name for p in tmp_path.iterdir()) == ["outside.pt", "package"]
    assert [p.name for p in folder.iterdir()] == ["evil.zip"]


LAUGHS = "a0: &a0 [x, x, x]\n" + "".join(
    f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 30)
)
HOSTILE_TEXTS = {
    "laughs a billion times": (ZOO + LAUGHS, "unfolds to"),
    "contains itself": (ZOO + "config: &a [*a]\n", "unfolds to inf"),
    "never opens what it closes": (ZOO + "config: ]\n", "is no package"),
    "is nested without end": (ZOO + "config: " + "[" * 20_000, "is no package"),
    "is long": (ZOO + "#" * 2**23, "has 8 MB"),
}


@pytest.mark.parametrize("kind", ["folder", "zip"])
@pytest.mark.parametrize("hostile", HOSTILE_TEXTS)
def test_a_package_whose_description_is_hostile_is_refused_before_it_is_understood(
    tmp_path, hostile, kind
):
    text, said = HOSTILE_TEXTS[hostile]
    (tmp_path / "rdf.yaml").write_text(text)
    path = tmp_path
    if kind == "zip":
        path = tmp_path / "package.zip"
        with zipfile.ZipFile(path, "w") as archive:
            archive.write(tmp_path / "rdf.yaml", "rdf.yaml")
    with pytest.raises(ShiftSegError, match=said):
        load_foreign(str(path))


def test_a_link_out_of_a_package_is_not_followed(tmp_path):
    outside = recorded(tmp_path / "outside.pt", small())
    folder = tmp_path / "package"
    with zipfile.ZipFile(zoo_zip(tmp_path / "a.zip", "network.pt", {})) as archive:
        archive.extractall(folder)
    (folder / "network.pt").symlink_to(outside)
    with pytest.raises(ShiftSegError, match="link out of the package"):
        load_foreign(str(folder))


def test_a_package_that_unfolds_to_gigabytes_is_not_read(tmp_path):
    path = zoo_zip(tmp_path / "bomb.zip", "network.pt", {"network.pt": bytes(2**27)})
    assert path.stat().st_size < 2**20
    with pytest.raises(ShiftSegError, match="which no weights do"):
        load_foreign(str(path))


def test_a_recording_in_a_package_that_writes_files_is_not_loaded(tmp_path, harm):
    evil = recorded(tmp_path / "evil.pt", Writes(harm)).read_bytes()
    path = zoo_zip(tmp_path / "evil.zip", "network.pt", {"network.pt": evil})
    with pytest.raises(ShiftSegError, match="calls save"):
        load_foreign(str(path))
    assert not harm.exists()


@pytest.mark.parametrize(
    "content",
    [[1, 2], torch.zeros(3), {"state_dict": [1]}, {"epoch": 3}, {1: torch.zeros(1)}],
    ids=["list", "tensor", "nested", "number", "numbered"],
)
def test_weights_for_a_factory_that_are_none(tmp_path, content):
    path = tmp_path / "weights.pt"
    torch.save(content, path)
    with pytest.raises(ShiftSegError, match="holds no state dict"):
        load_foreign(f"{__name__}:small", weights=path, trust_code=True)


def test_a_pickle_in_a_checkpoint_for_a_factory_does_not_run(tmp_path, harm):
    path = tmp_path / "weights.pth"
    path.write_bytes(pickle.dumps({"state_dict": Harmful(harm)}))
    with pytest.raises(ShiftSegError, match="nothing was loaded"):
        load_foreign(f"{__name__}:small", weights=path, trust_code=True)
    assert not harm.exists()
