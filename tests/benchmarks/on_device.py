"""Networks on a GPU: how many images a second, how near its numbers are to the CPU's, and what half precision costs.

Called by bench_features.py --device cuda. Weights are stand-ins, but for the features of AlexNet where these lie in
../shared/weights.
"""

import tempfile
import time
from functools import partial
from pathlib import Path

import torch
from stand_in import stand_in

from ffltool import checkpoints, ranks
from ffltool.ahead import Ahead
from ffltool.evaluate import evaluate_pairs
from ffltool.images import read
from ffltool.looking import Computing, Looking, Sources
from ffltool.metrics.inception import LAYERS, Inception, prepared
from ffltool.metrics.lpips import Lpips
from ffltool.pairing import pair

BATCH, SECONDS, COMPARED, WIDTH = 64, 3, 48, 2048
BAR = 1e-4
LAYERS_COMPARED = tuple(layer for layer in LAYERS if layer.isdecimal())
ALEXNET = Path(__file__).parents[3] / "shared" / "weights" / "alexnet_features.pth"


def networks(folder):
    """Return the tensors of both networks, which are saved in the folder, and what to say of them."""
    told = "stand-in weights"
    tensors = {name: stand_in(name) for name in ("inception", "alexnet")}
    if ALEXNET.exists():
        tensors["alexnet"], told = checkpoints.read(ALEXNET, "alexnet"), f"{told}, but AlexNet's own features"
    for name, each in tensors.items():
        torch.save(each, folder / f"{name}.pth")
    return tensors, told


class Features:
    """Inception features of real images; `look` returns those of each layer asked for."""

    title, own, absolute = "features", "inception", False

    def __init__(self, sides):
        self.items = sides[0]

    def make(self, tensors):
        return Inception(tensors)

    def look(self, network, tensor, images, layers=(str(WIDTH),)):
        return network(prepared(tensor(images)), layers=layers)


class Distances:
    """LPIPS alex of pairs."""

    title, own, absolute = "LPIPS alex", "alexnet", True

    def __init__(self, sides):
        self.items = list(zip(*sides, strict=True))

    def make(self, tensors):
        return Lpips("alex", tensors)

    def look(self, network, tensor, pairs):
        return {"": network(*map(tensor, zip(*pairs, strict=True)))}


def run(kind, network, device, items, **settings):
    """Return what a network finds in items, by layer, in batches under way."""

    def work(batch):
        with torch.inference_mode():
            return kind.look(network, ahead.tensor, batch, **settings)

    with Ahead(device) as ahead:
        size = BATCH if ahead.on_gpu else 8
        under_way = [ahead.start(partial(work, items[at : at + size])) for at in range(0, len(items), size)]
        found = [each() for each in under_way]
    return {layer: torch.cat([each[layer] for each in found]) for layer in found[0]}


def check_that_nothing_waits(kind, network, device):
    """Raise an error if something waits for the device between the start of a batch and the taking of its results."""
    with Ahead(device) as ahead:
        torch.cuda.set_sync_debug_mode("error")
        try:
            with torch.inference_mode():
                results = ahead.start(lambda: kind.look(network, ahead.tensor, kind.items[:BATCH]))
        finally:
            torch.cuda.set_sync_debug_mode("default")
        results()


def rate(work, items):
    """Return how many items a second: repeated for some seconds, after one turn that does not count."""
    work()
    start, turns, taken = time.perf_counter(), 0, 0
    while taken < SECONDS:
        work()
        turns += 1
        taken = time.perf_counter() - start
    return turns * items / taken


def farthest(found, expected):
    """Return the largest difference over the largest value."""
    return ((found - expected).abs().max() / expected.abs().max()).item()


def row(what, *cells):
    print(f"{what:44}" + "".join(f"{cell:>14}" for cell in cells), flush=True)


def measure(kind, tensors, device):
    """Print the speed of a network from arrays in memory, in both precisions, and how far it is from the CPU's."""
    layers = {"layers": LAYERS_COMPARED} if kind.own == "inception" else {}
    some, found, speeds = kind.items[:COMPARED], [], []
    expected = run(kind, kind.make(tensors), "cpu", some, **layers)
    for half in (False, True):
        network = kind.make(tensors)
        network = (network.halve() if half else network).to(device)
        found.append(run(kind, network, device, some, **layers))
        if device.type == "cuda":
            check_that_nothing_waits(kind, network, device)
        speeds.append(rate(lambda network=network: run(kind, network, device, kind.items), len(kind.items)))
    row(f"{kind.title}, from memory", *(f"{speed:.0f}" for speed in speeds))
    for layer, values in expected.items():
        row(
            f"  {layer or 'over the largest value'}",
            "",
            "",
            *(f"{farthest(each[layer], values):.1e}" for each in found),
        )
        if kind.absolute:
            row("  absolute", "", "", *(f"{(each[layer] - values).abs().max():.1e}" for each in found))


def whole_runs(folder, device, count):
    """Print what runs from files to scores take, and how far the scores of half precision are."""
    sources = Sources(own={name: folder / f"{name}.pth" for name in ("inception", "alexnet")}, cached=False)
    for metrics in (["fid"], ["lpips"], ["lpips", "fid", "kid", "is"]):
        scores, taken = [], []
        for half in (False, True):
            looking = Looking(computing=Computing(device=device, half=half), sources=sources)
            start = time.perf_counter()
            report = evaluate_pairs(pair(folder / "real", folder / "fake"), metrics, looking=looking)
            taken.append(time.perf_counter() - start)
            scores.append([score.value for score in report.scores])
        speeds = (f"{2 * count / seconds:.0f}" for seconds in taken)
        apart = max(abs(one - other) / abs(one) for one, other in zip(*scores, strict=True))
        row(f"files to {','.join(metrics)}, with loading", *speeds, "", f"{apart:.1e}")


def main(device, count, make_images):
    device = torch.device(device)
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else device.type
    torch.set_num_threads(1)  # each core takes a batch of its own
    with tempfile.TemporaryDirectory() as path:
        folder = Path(path)
        make_images(folder, count)
        tensors, told = networks(folder)
        print(f"{name}, {ranks.cores()} cores, torch {torch.__version__}; {told}; {count} pairs of 256x256")
        row("", "images/s", "in half", "difference", "in half")
        sides = [[read(path).planes() for path in sorted((folder / side).iterdir())] for side in ("real", "fake")]
        for kind in (Features(sides), Distances(sides)):
            measure(kind, tensors[kind.own], device)
        print(f"differences are from the CPU, those of {COMPARED} images; of features they should be below {BAR:.0e}")
        whole_runs(folder, device, count)
