"""Put a trained model into the package: measured scores in its header, and its card.

Usage: python scripts/bundle_model.py TRAINED.safetensors EVALUATION.json...
    [--note TEXT] [--summary TEXT] [--licence ID] [--bandwidth B] [--min-size N] [--half]

Each EVALUATION.json is the ``--json`` output of ``shiftseg evaluate`` or ``shiftseg compare``;
its stem names the score. Paths below SHIFTSEG_DATA are written as $SHIFTSEG_DATA/...
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
from pathlib import Path
from typing import Any

from napari_shiftseg import models
from napari_shiftseg.cli.models import card_text
from napari_shiftseg.embeddings.description import ModelDescription
from napari_shiftseg.embeddings.model_file import load_network, save_model

MODELS = Path(models.__file__).parent


def main() -> None:
    """Bundle one model."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("trained", type=Path)
    parser.add_argument("evaluations", type=Path, nargs="*")
    parser.add_argument("--note", default="")
    parser.add_argument("--summary")
    parser.add_argument("--licence")
    parser.add_argument("--bandwidth", type=float)
    parser.add_argument("--min-size", type=int)
    parser.add_argument("--half", action="store_true")
    options = parser.parse_args()
    network, description = load_network(options.trained)
    description = _portable(description)
    training = description.training | ({"note": options.note} if options.note else {})
    description = dataclasses.replace(
        description,
        training=training,
        summary=options.summary or description.summary,
        licence=options.licence or description.licence,
        scores={path.stem: _scores(path) for path in options.evaluations},
        clustering=description.clustering.replaced(
            bandwidth=options.bandwidth, min_size=options.min_size
        ),
    )
    target = MODELS / f"{description.name}.safetensors"
    save_model(target, network, description, half=options.half)
    card = f"# {description.name}\n\n```text\n{card_text(description)}\n```\n"
    target.with_suffix(".md").write_text(card, encoding="utf-8")
    print(f"{target}: {target.stat().st_size / 1e6:.1f} MB")


def _portable(description: ModelDescription) -> ModelDescription:
    """Name the data by the variable, not by where this machine keeps it."""
    data = os.environ.get("SHIFTSEG_DATA", "")
    text = description.to_json()
    if data:
        text = text.replace(data.rstrip("/"), "$SHIFTSEG_DATA")
    return ModelDescription.from_json(text)


def _scores(path: Path) -> dict[str, Any]:
    values = json.loads(path.read_text())
    if "modes" not in values:
        return values
    for mode in values["modes"].values():
        mode.pop("splits", None)
    return values


if __name__ == "__main__":
    main()
