"""Small networks as other programs keep them: TorchScript and a package of the model zoo."""

from __future__ import annotations

import io
import warnings
import zipfile

import numpy as np
import torch
from torch import nn

from zoo_description import SMALL

ZOO = SMALL + "  torchscript: {source: SOURCE, pytorch_version: 2.13.0}\n"


def small():
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(1, 2, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)).eval()


def recorded(path, module):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.script(module).save(path)
    return path


def zoo_zip(path, source, extra):
    text = ZOO.replace("SOURCE", source)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in {"rdf.yaml": text, "readme.md": "# small", **extra}.items():
            archive.writestr(name, content)
        for name, shape in (("input.npy", (1, 1, 32, 32)), ("output.npy", (1, 2, 32, 32))):
            buffer = io.BytesIO()
            np.save(buffer, np.zeros(shape, np.float32))
            archive.writestr(name, buffer.getvalue())
    return path
