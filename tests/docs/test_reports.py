"""What ``--json`` writes is what the documentation's schema says."""

from __future__ import annotations

import json
import shlex

import jsonschema
import pytest
from pages import ROOT, run

from napari_shiftseg.cli.app import app
from napari_shiftseg.cli.commands import COMMANDS, register

SCHEMA = json.loads((ROOT / "docs/reference/reports.schema.json").read_text())
REPORTS = (
    "segment image.tif -o labels.tif",
    "compare image.tif -o comparison --tile 50",
    "compare image.tif -o comparison --tile 50 --truth masks.tif",
    "sweep image.tif -o sweep --tile 60 --tile 64",
    "evaluate --data pack",
    "evaluate --data pack --baseline --stitch naive --tile 50",
    "certify",
    "audit discs-l4",
    "audit network.pt",
    "predict discs-l4 image.tif -o output.tif",
    "predict network.pt image.tif -o output.tif --labels found.tif --embedding 0",
    "check masks.tif",
    "check masks.tif --tile 50",
    "repair masks.tif -o mended.tif --tile 50",
    "batch plate -o plate-labels",
    "models",
    "models nuclei-2d",
    "demo --no-napari -o demo",
)


def test_an_undone_repair_is_of_the_schema_too(desk):
    words = ["repair", "masks.tif", "-o", "mended.tif", "--tile", "50", "--json", "report.json"]
    assert run(words) == 0
    undo = ["repair", "mended.tif", "-o", "before.tif", "--undo", "report.json"]
    assert run([*undo, "--json", "undone.json"]) == 0
    report = json.loads((desk / "undone.json").read_text())
    jsonschema.validate(report, SCHEMA | {"$ref": "#/$defs/repair"})


def test_the_scores_of_a_single_image_have_no_interval(desk):
    for kind in ("images", "masks"):
        (desk / "one" / kind).mkdir(parents=True)
        first = min((desk / "pack" / kind).iterdir())
        (desk / "one" / kind / first.name).write_bytes(first.read_bytes())
    words = ["evaluate", "--data", "one", "--baseline", "--json", "report.json"]
    assert run(words) == 0
    report = json.loads((desk / "report.json").read_text())
    assert report["mean_ap_interval"] is None
    jsonschema.validate(report, SCHEMA | {"$ref": "#/$defs/evaluate"})


@pytest.mark.parametrize("line", REPORTS)
def test_a_report_is_of_the_schema(line, desk):
    assert run([*shlex.split(line), "--json", "report.json"]) == 0
    report = json.loads((desk / "report.json").read_text())
    command = line.split()[0]
    jsonschema.validate(report, SCHEMA | {"$ref": f"#/$defs/{command}"})


def test_each_command_that_reports_has_a_schema():
    register()
    reporting = {
        command
        for command in (*COMMANDS, "repair")
        if any("--json" in each.names for each in app[command].assemble_argument_collection())
    }
    assert reporting == {line.split()[0] for line in REPORTS}
    assert reporting == set(SCHEMA["$defs"]) - {"clustering", "scores"}
