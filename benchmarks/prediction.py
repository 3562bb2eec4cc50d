"""How fast tiled and streamed prediction are, and in how much memory; always as ratios.

Usage: python benchmarks/prediction.py [--size N] [--volume N] [--part NAME ...] [--json FILE]

Parts: ``executors`` (tiles and streams against one pass over the whole image), ``monai`` (against
MONAI's sliding windows), ``rounded`` (bfloat16 against float32), ``compiled`` (what torch.compile
makes against fused layers), ``peak`` (against this machine's own convolutions), ``redundant``
(arithmetic that margins cost, counted), ``volume`` (a 3-D stream against cubic tiles in the same
memory), ``model`` (predicted against measured memory). Each run is a process of its own: its
memory is what it held at most beyond what it had with network and image loaded. The plain network
is the reference: eager torch, channels last. Seconds are CPU seconds, so that with one thread a
busy machine gives much the same ratios as an idle one.
"""

from __future__ import annotations

import argparse
import copy
import importlib
import json
import subprocess
import sys
import time
from math import inf
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

from napari_shiftseg.embeddings.budget import rows_at_once, stream_rows, streamed_cost, tile_within
from napari_shiftseg.embeddings.cost import cost_of
from napari_shiftseg.embeddings.device import fast_layout
from napari_shiftseg.embeddings.execute import Execution
from napari_shiftseg.embeddings.model import load_model
from napari_shiftseg.embeddings.predict import predict_tiles
from napari_shiftseg.embeddings.unet import Architecture, UNet
from napari_shiftseg.image.border import read_reflected
from napari_shiftseg.image.intensity import Scaling
from napari_shiftseg.settings import StitchMode
from napari_shiftseg.tiles.geometry import NetworkGeometry, Size
from napari_shiftseg.tiles.plan import by, corrected_tile, make_plan

CPU = torch.device("cpu")
UNSCALED = Scaling((0.0,), (1.0,))
PARTS = ("executors", "monai", "rounded", "compiled", "peak", "redundant", "volume", "model")
Values = dict[str, Any]


def main() -> None:
    """Print and write what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=2048, help="edge of the image in pixels")
    parser.add_argument("--volume", type=int, default=256, help="edge of the volume in pixels")
    parser.add_argument(
        "--tile",
        type=int,
        help="corrected tile; by default the largest in the model's training window, and of "
        "executors and peak the one that a run chooses",
    )
    parser.add_argument("--part", choices=PARTS, nargs="+", default=PARTS)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--run", help=argparse.SUPPRESS)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    if options.run:
        print(json.dumps(run_here(json.loads(options.run))))
        return
    tile = options.tile or corrected_default()
    parts = {
        "executors": lambda: executors(options.size, options.tile, options.threads),
        "monai": lambda: monai(options.size, tile, options.threads),
        "rounded": lambda: rounded(options.size, tile, options.threads),
        "compiled": lambda: compiled(options.size, tile, options.threads),
        "peak": lambda: peak(options.size, options.tile),
        "redundant": lambda: redundant(options.size, options.volume),
        "volume": lambda: volume(options.volume, options.threads),
        "model": lambda: memory_model(options.threads),
    }
    results: Values = {"threads": options.threads, "size": options.size, "tile": tile}
    for name in options.part:
        print(f"\n{name}")
        results[name] = parts[name]()
        if options.json:
            options.json.write_text(json.dumps(results, indent=2))


def corrected_default() -> int:
    """Return the largest corrected tile in the window that nuclei-2d was trained with."""
    model = load_model("nuclei-2d")
    return corrected_tile(model.geometry, model.description.training_window)[0]


def tile_of_a_run(size: int) -> Size:
    """Return the tile that a run chooses within an eighth of the memory of one whole pass."""
    architecture = load_model("nuclei-2d").description.architecture
    whole = make_plan(architecture.geometry, (size, size), "whole")
    return tile_within(architecture, (size, size), cost_of(architecture, whole).tile_bytes // 8)


def executors(size: int, tile: int | None, threads: int) -> Values:
    """Time and memory of tiles and streams, as shares of one pass over the whole image.

    Tiles are those that a run chooses by itself within an eighth of the memory of that pass.
    """
    chosen = (tile, tile) if tile else tile_of_a_run(size)
    print(f"  tiles of {by(chosen)} px")
    measured = in_turn(
        threads,
        {
            how: {"how": how, "shape": [size, size], "tile": chosen}
            for how in ("whole", "tiled", "streamed", "streamed whole")
        },
    )
    whole = measured["whole"]
    for how, values in measured.items():
        values["time"] = values["seconds"] / whole["seconds"]
        values["memory"] = values["bytes"] / whole["bytes"]
        print(
            f"  {how:15s} {values['seconds']:7.2f} s ({values['time']:.2f} x)  "
            f"{values['bytes'] / 1e6:7.0f} MB (1/{1 / values['memory']:.1f})  "
            f"{values['flops'] / values['seconds'] / 1e9:5.0f} GFLOP/s"
        )
    best = min((measured["tiled"], measured["streamed"]), key=lambda v: v["time"])
    goal("time of the better one", best["time"], 0.80, "x whole")
    goal("its memory", best["memory"], 1 / 8, "x whole")
    return measured


def monai(size: int, tile: int, threads: int) -> Values:
    """Time and largest error of sliding windows, against what this program does by itself."""
    measured = in_turn(
        threads,
        {
            how: {"how": how, "shape": [size, size], "tile": [tile, tile], "check": True}
            for how in ("automatic", "monai 0.25", "monai 0.5")
        },
    )
    ours = measured["automatic"]
    for how, values in measured.items():
        values["faster"] = values["seconds"] / ours["seconds"]
        print(
            f"  {how:12s} {values['seconds']:7.2f} s, {values['faster']:.2f} x our time, "
            f"largest error inside {values['error']:.1e} of {values['largest']:.1f}"
        )
    print(
        "  (the image is noise; around a window a valid network needs pixels, which MONAI does\n"
        "  not give it: it gets the window's own, mirrored. The errors are those of such borders.)"
    )
    goal("faster than overlap 0.5", measured["monai 0.5"]["faster"], 2.0, "x", at_least=True)
    goal("faster than overlap 0.25", measured["monai 0.25"]["faster"], 1.3, "x", at_least=True)
    goal("our relative error", ours["error"] / ours["largest"], 1e-5, "")
    return measured


def rounded(size: int, tile: int, threads: int) -> Values:
    """Time of bfloat16, and its largest difference from one pass in float32."""
    common = {"how": "automatic", "shape": [size, size], "tile": [tile, tile], "check": True}
    measured = in_turn(threads, {kind: common | {"type": kind} for kind in ("float32", "bfloat16")})
    for kind, values in measured.items():
        values["time"] = values["seconds"] / measured["float32"]["seconds"]
        print(
            f"  {kind:10s} {values['seconds']:7.2f} s ({values['time']:.2f} x), "
            f"largest error {values['error'] / values['largest']:.1e} of the largest output"
        )
    return measured


def compiled(size: int, tile: int, threads: int) -> Values:
    """Time of tiles by what torch.compile makes of the network, once it is made."""
    common = {"shape": [size, size], "tile": [tile, tile], "check": True}
    measured = in_turn(
        threads, {how: common | {"how": how} for how in ("tiled", "automatic", "compiled")}
    )
    for how, values in measured.items():
        values["time"] = values["seconds"] / measured["tiled"]["seconds"]
        made = f", after {values['made']:.0f} s of making it" if "made" in values else ""
        print(
            f"  {how:10s} {values['seconds']:7.2f} s ({values['time']:.2f} x), "
            f"largest error {values['error'] / values['largest']:.1e} of the largest output{made}"
        )
    return measured


def peak(size: int, tile: int | None) -> Values:
    """Rate of whole tiles, as a share of the fastest single convolution here.

    Of the tiles that a run chooses, and of the largest in the training window. All are timed in
    turn, again and again, and the fastest time of each counts: a busy machine is slow for a while.
    """
    model = load_model("nuclei-2d")
    trained = corrected_default()
    tiles = [(tile, tile)] if tile else [(trained, trained), tile_of_a_run(size)]
    convolutions = {
        f"{maps} maps, {edge} px": convolution(maps, edge)
        for maps, edge in ((16, 194), (32, 194), (64, 130), (64, 194), (128, 66))
    }
    columns = {
        (edges, how): column(model.network, model.description.architecture, edges, how)
        for edges in tiles
        for how in ("plain", "tiled", "streamed")
    }
    every = {**convolutions, **columns}
    seconds = fastest_of([work for work, _ in every.values()], 15)
    rates = {n: flops / s for (n, (_, flops)), s in zip(every.items(), seconds, strict=True)}
    found: Values = {"convolutions": {name: rates[name] for name in convolutions}}
    found["peak"] = max(found["convolutions"].values())
    print(f"  convolutions: at most {found['peak'] / 1e9:.0f} GFLOP/s")
    for edges, how in columns:
        rate = rates[edges, how]
        found[f"{how}, {by(edges)} px"] = {"rate": rate, "share": rate / found["peak"]}
        share = 100 * rate / found["peak"]
        print(f"  {how:9s} {by(edges):>9s} px {rate / 1e9:5.0f} GFLOP/s, {share:.0f} %")
    better = max(rates[tiles[-1], how] for how in ("tiled", "streamed")) / found["peak"]
    goal("share of the peak in the last tiles", better, 0.75, "", at_least=True)
    return found


def convolution(maps: int, edge: int) -> tuple[Any, int]:
    """Return one convolution as work to do, and its floating-point operations."""
    image = fast_layout(torch.rand(1, maps, edge, edge))
    weight = fast_layout(torch.rand(maps, maps, 3, 3))

    def work() -> None:
        with torch.inference_mode():
            F.conv2d(image, weight)

    return work, 2 * 9 * maps * maps * (edge - 2) ** 2


def column(network: UNet, architecture: Architecture, tile: Size, how: str) -> tuple[Any, int]:
    """Return a column of three tiles as work to do, and its floating-point operations."""
    plan = make_plan(architecture.geometry, (3 * tile[0], tile[1]), "corrected", tile=tile)
    image = np.random.default_rng(0).random((1, *plan.image_size), np.float32)
    flops = cost_of(architecture, plan).flops
    if how == "streamed":
        flops = streamed_cost(architecture, plan).flops
    network = network.eval().requires_grad_(False)

    def work() -> None:
        if how == "plain":
            plain_tiles(network, image, plan)
        else:
            list(predict_tiles(network, image, UNSCALED, plan, CPU, streamed=how == "streamed"))

    return work, flops


def plain_tiles(network: UNet, image: Any, plan: Any) -> None:
    """Run each tile through the network as torch runs it."""
    network = fast_layout(network)
    with torch.inference_mode():
        for tile in plan:
            network(fast_layout(torch.from_numpy(read_reflected(image, tile.outer))[None]))


def redundant(size: int, volume_size: int) -> Values:
    """Arithmetic of tiles and streams over that of one pass, counted."""
    flat = load_model("nuclei-2d").description.architecture
    deep = three_dimensional()
    found: Values = {}
    for architecture, edge, tiles in (
        (flat, size, (64, 104, 200, 400, 800)),
        (deep, volume_size, (16, 32, 64, 128, 256)),
    ):
        ndim = architecture.geometry.ndim
        whole = cost_of(architecture, make_plan(architecture.geometry, (edge,) * ndim, "whole"))
        for tile in (t for t in tiles if t <= edge):
            plan = make_plan(architecture.geometry, (edge,) * ndim, "corrected", tile=tile)
            tiled = cost_of(architecture, plan).flops / whole.flops
            streamed = streamed_cost(architecture, plan).flops / whole.flops
            found[f"{ndim}-D, {tile} px"] = {"tiled": tiled, "streamed": streamed}
            print(f"  {ndim}-D tile {tile:4d} px: tiled {tiled:6.2f} x, streamed {streamed:5.2f} x")
    return found


def three_dimensional() -> Architecture:
    """Return the paper's network in 3-D: three poolings, two convolutions on each level."""
    return Architecture(NetworkGeometry.regular(3, 3), maps=16)


def volume(edge: int, threads: int) -> Values:
    """Run streams against the best cubic tiles that need no more memory.

    Of the streams whose arithmetic is at most 1.15 times that of the whole volume, the one
    that needs least memory.
    """
    architecture = three_dimensional()
    geometry = architecture.geometry
    shape = (edge,) * 3
    whole = cost_of(architecture, make_plan(geometry, shape, "whole"))
    columns = [(edge, edge, edge), (edge, edge // 2, edge), (edge, edge // 2, edge // 2)]
    streams = [
        (streamed_cost(architecture, make_plan(geometry, shape, "corrected", tile=tile)), tile)
        for tile in columns
    ]
    lean = [stream for stream in streams if stream[0].flops <= 1.15 * whole.flops]
    streamed, column = min(lean, key=lambda stream: stream[0].tile_bytes)
    cubes = [
        (cost_of(architecture, make_plan(geometry, shape, "corrected", tile=t)), t)
        for t in range(geometry.period[0], edge + 1, geometry.period[0])
    ]
    fitting = [(cost.flops, t) for cost, t in cubes if cost.tile_bytes <= streamed.tile_bytes]
    flops, cube = min(fitting)
    found: Values = {
        "streamed flops": streamed.flops / whole.flops,
        "streamed memory": streamed.tile_bytes / whole.tile_bytes,
        "cube": cube,
        "cube flops": flops / whole.flops,
    }
    print(f"  counted: whole {whole.flops / 1e12:.2f} TFLOP, {whole.tile_bytes / 1e9:.1f} GB")
    goal("arithmetic of the stream", found["streamed flops"], 1.15, "x whole")
    goal("memory of the stream (counted)", found["streamed memory"], 0.25, "x whole")
    print(
        f"  streams of {by(column)} px; best cubes in the same memory: {cube} px, "
        f"{found['cube flops']:.2f} x whole"
    )
    runs = {
        how: elsewhere(threads, how=how, shape=shape, tile=tile, three=True)
        for how, tile in (("streamed", column), ("tiled", (cube,) * 3))
    }
    found |= {"runs": runs, "faster": runs["tiled"]["seconds"] / runs["streamed"]["seconds"]}
    for how, values in runs.items():
        print(f"  {how:9s} {values['seconds']:7.1f} s, {values['bytes'] / 1e6:6.0f} MB measured")
    goal("faster than these cubes", found["faster"], 2.0, "x", at_least=True)
    return found


def memory_model(threads: int) -> Values:
    """Predicted memory of tiles and streams against what processes took."""
    found: Values = {}
    for how, shape, three in (
        ("tiled", [400, 400], False),
        ("tiled", [1000, 1000], False),
        ("streamed", [1600, 400], False),
        ("streamed", [1600, 1600], False),
        ("tiled", [64, 64, 64], True),
        ("streamed", [96, 128, 128], True),
    ):
        values = elsewhere(threads, how=how, shape=shape, tile=shape, three=three)
        ratio = values["bytes"] / values["predicted"]
        found[f"{how} {shape}"] = values | {"ratio": ratio}
        print(
            f"  {how:9s} {shape!s:16s} predicted {values['predicted'] / 1e6:6.0f} MB, "
            f"measured {values['bytes'] / 1e6:6.0f} MB: {ratio:.2f} x"
        )
    return found


def in_turn(threads: int, tasks: dict[str, Values]) -> dict[str, Values]:
    """Run tasks one after the other, three times over, and keep the fastest run of each.

    The machine is not ours alone: a neighbour's work would count for one task and not the next.
    """
    rounds = [{name: elsewhere(threads, **task) for name, task in tasks.items()} for _ in range(3)]
    return {name: min((r[name] for r in rounds), key=lambda v: v["seconds"]) for name in tasks}


def elsewhere(threads: int, **task: Any) -> Values:
    """Run a task in a process of its own, after a small one that loads and warms all."""
    command = [sys.executable, __file__, "--threads", str(threads), "--run", json.dumps(task)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    values: Values = json.loads(done.stdout.splitlines()[-1])
    return values


def run_here(task: Values) -> Values:
    """Measure one task: seconds, growth of the peak memory, and what was predicted."""
    network, architecture = network_for(task.get("three", False))
    shape, tile, how = tuple(task["shape"]), tuple(task["tile"]), task["how"]
    mode: StitchMode = "whole" if "whole" in how else "corrected"
    size = None if mode == "whole" else tile
    plan = make_plan(architecture.geometry, shape, mode, tile=size)
    image = np.random.default_rng(0).random((1, *shape), np.float32)
    small = np.zeros((1, *architecture.geometry.period), np.float32)
    one = make_plan(architecture.geometry, architecture.geometry.period, "whole")
    predicted(network, small, one, "tiled")
    result = np.zeros((architecture.out_channels, *shape), np.float32) + 0
    if how.startswith("monai"):
        import monai.inferers  # noqa: F401  (its import takes seconds, which are not its own)
    before = peak_from_now()
    start = time.process_time()
    computing = copy.deepcopy(network).to(getattr(torch, task.get("type", "float32")))
    making: Values = {}
    if how == "compiled":
        importlib.import_module("torch._inductor.config").force_disable_caches = True
        computing.compile(dynamic=False)
        began = time.perf_counter()  # other processes compile, too
        predicted(computing, image, plan, how)
        making = {"made": time.perf_counter() - began}
        start = time.process_time()
    if how.startswith("monai"):
        result = slid(computing, image, tile, float(how.split()[1]))
    else:
        predicted(computing, image, plan, how, result)
    values = {
        "seconds": time.process_time() - start,
        "bytes": peak_memory() - before,
    }
    streams = stream_rows(architecture, plan) if how == "automatic" else "streamed" in how
    cost = streamed_cost(architecture, plan) if streams else cost_of(architecture, plan)
    values |= {"flops": cost.flops, "predicted": cost.tile_bytes}
    return values | making | (errors(network, image, result) if task.get("check") else {})


def peak_from_now() -> int:
    """Forget how much memory was held at most; return the bytes that are held now."""
    Path("/proc/self/clear_refs").write_text("5")
    return peak_memory()


def peak_memory() -> int:
    """Return the bytes that were held at most.

    Not ``ru_maxrss``: a process inherits that of the one that started it.
    """
    lines = Path("/proc/self/status").read_text().splitlines()
    (peak,) = (line.split()[1] for line in lines if line.startswith("VmHWM:"))
    return 1024 * int(peak)


def network_for(three: bool) -> tuple[UNet, Architecture]:
    """Return the bundled 2-D network, or a 3-D one with random weights."""
    if three:
        torch.manual_seed(0)
        return UNet(three_dimensional()).eval().requires_grad_(False), three_dimensional()
    model = load_model("nuclei-2d")
    return model.network.eval().requires_grad_(False), model.description.architecture


def predicted(network: UNet, image: Any, plan: Any, how: str, result: Any = None) -> None:
    """Run a plan: ``"whole"`` by the plain network, or by the executor of that name."""
    if how == "whole":
        network = fast_layout(network)
        (tile,) = plan
        with torch.inference_mode():
            pixels = fast_layout(torch.from_numpy(read_reflected(image, tile.outer))[None])
            result[...] = network(pixels)[0][(slice(None), *tile.local)].numpy()
        return
    streamed = None if how == "automatic" else "streamed" in how
    # Without the coordinates: MONAI would blend those of windows.
    run = Execution(network, image, UNSCALED, plan, CPU)
    rows = stream_rows(network.architecture, plan)
    if streamed is not None:
        rows = rows_at_once(network.architecture, plan) if streamed else None
    for tile, output in run.column_by_column(rows) if rows else run.tile_by_tile():
        if result is not None:
            result[(slice(None), *plan.place(tile))] = output


def slid(network: UNet, image: Any, tile: Any, overlap: float) -> Any:
    """Blend windows by MONAI, Gaussian weights, with as large windows as our tiles need.

    A window's output has to be as large as its input, so the context of valid convolutions is
    reflected at each window's own border, as it is where MONAI is used with such networks.
    """
    from monai.inferers import sliding_window_inference

    geometry = network.architecture.geometry
    network = fast_layout(network)
    window = geometry.natural_output(tuple(tile))
    margins = [geometry.halo[0]] * 4

    def inside(pixels: torch.Tensor) -> torch.Tensor:
        return network(fast_layout(F.pad(pixels, margins, mode="reflect")))

    with torch.inference_mode():
        pixels = torch.from_numpy(image)[None]
        whole = sliding_window_inference(pixels, window, 1, inside, overlap, mode="gaussian")
    return whole[0].numpy()


def errors(network: UNet, image: Any, result: Any) -> Values:
    """Largest difference from one pass over a part inside, away from every border."""
    geometry = network.architecture.geometry
    edge = image.shape[1]
    margin = min(200, edge // 4)
    part = tuple(slice(margin, edge - margin) for _ in range(2))
    plan = make_plan(geometry, image.shape[1:], "whole", region=part)
    expected = np.zeros((len(result), *plan.result_size), np.float32)
    predicted(network, image, plan, "whole", expected)
    difference = np.abs(result[(slice(None), *part)] - expected).max()
    return {"error": float(difference), "largest": float(np.abs(expected).max())}


def fastest_of(works: list[Any], rounds: int) -> list[float]:
    """Seconds of the fastest run of each, timed in turn, after a round that warms up."""
    best = [inf] * len(works)
    for warm in range(rounds + 1):
        for index, work in enumerate(works):
            start = time.process_time()
            work()
            if warm:
                best[index] = min(best[index], time.process_time() - start)
    return best


def goal(what: str, reached: float, wanted: float, unit: str, at_least: bool = False) -> None:
    """Print a number beside its goal."""
    met = reached >= wanted if at_least else reached <= wanted
    sign = ">=" if at_least else "<="
    print(
        f"  {what}: {reached:.3g} {unit} (goal {sign} {wanted:.3g}: {'met' if met else 'NOT met'})"
    )


if __name__ == "__main__":
    main()
