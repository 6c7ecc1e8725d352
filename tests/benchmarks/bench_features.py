"""Time features for FID and LPIPS alex over a folder, and the Frechet distance, turn by turn against their packages.

python tests/benchmarks/bench_features.py [--images N] [--rounds N] [--threads N] [--only features,lpips,distance]
python tests/benchmarks/bench_features.py --device cuda [--images N]

Every turn goes from files to numbers, in one process with stand-in weights: what a network computes does not change
its time. Networks are built before. The numbers of all are compared too. On a GPU there are no peers, see on_device.py.
"""

import argparse
import contextlib
import importlib.metadata
import io
import platform
import statistics
import tempfile
import time
import warnings
from functools import partial
from itertools import islice
from pathlib import Path

import numpy as np
import rows
import torch
from bench_lfd import CANVAS_SIDE, canvas, cores
from PIL import Image
from stand_in import stand_in

from ffltool.ahead import Ahead
from ffltool.images import read
from ffltool.metrics.fid import Gaussian, Moments, frechet_distance
from ffltool.metrics.inception import Inception, prepared
from ffltool.metrics.lpips import Lpips
from ffltool.stream import stream

SIDE, BATCH, WIDTH = 256, 8, 2048
FEATURES_BAR, LPIPS_BAR = 2, 1.5
DISTANCE_BARS = {3000: 8, 500: 80}  # images -> times as fast as sqrtm
OURS = "ffltool"


def make_images(folder, count):
    """Write photograph-like images and softer ones beside them."""
    bilinear = Image.Resampling.BILINEAR
    tiles = CANVAS_SIDE // SIDE
    for number in range(count):
        if number % tiles**2 == 0:
            picture = Image.fromarray(canvas(number // tiles**2))
        left, top = SIDE * (number % tiles), SIDE * (number // tiles % tiles)
        real = picture.crop((left, top, left + SIDE, top + SIDE))
        fake = real.resize((SIDE // 2, SIDE // 2), bilinear).resize((SIDE, SIDE), bilinear)
        for kind, image in (("real", real), ("fake", fake)):
            path = folder / kind / f"{number:04d}.png"
            path.parent.mkdir(exist_ok=True)
            image.save(path)


def in_batches(items, work):
    """Return what `work` makes of a few items at a time, as the commands do: workers decode, cores take batches."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with Ahead("cpu") as ahead:
            decoded, under_way = stream(items, planes, workers=threads), []
            while batch := list(islice(decoded, BATCH)):
                under_way.append(ahead.start(partial(work, batch, ahead.tensor)))
            return torch.cat([each()["found"] for each in under_way]).numpy()
    finally:
        torch.set_num_threads(threads)


def planes(paths):
    """Return a decoded image, or both of a pair."""
    return [read(path).planes() for path in paths] if isinstance(paths, tuple) else read(paths).planes()


def feature_makers(paths, folder):
    """Return a function without arguments for each pipeline of features, and ours in the way of torch-fidelity."""
    import pytorch_fid.fid_score
    import pytorch_fid.inception
    import torch_fidelity.utils
    from torch_fidelity.datasets import ImagesPathDataset, TransformPILtoRGBTensor

    tensors = stand_in("inception")
    torch.save(tensors, folder / "inception.pth")
    network = Inception(tensors)

    def ours(batch, tensor, *, preset):
        with torch.inference_mode():
            return {"found": network(prepared(tensor(batch), preset=preset))["2048"]}

    pytorch_fid.inception.load_state_dict_from_url = lambda *_, **__: tensors
    theirs = pytorch_fid.inception.InceptionV3([3])
    extractor = torch_fidelity.utils.create_feature_extractor(
        "inception-v3-compat",
        ["2048"],
        cuda=False,
        verbose=False,
        feature_extractor_weights_path=folder / "inception.pth",
    )

    def fidelity():
        data = ImagesPathDataset(list(map(str, paths)), TransformPILtoRGBTensor())
        found = torch_fidelity.utils.get_featuresdict_from_dataset(data, extractor, 64, False, False, False)
        return found["2048"].numpy()

    functions = {
        OURS: partial(in_batches, paths, partial(ours, preset="pytorch-fid")),
        "pytorch-fid": lambda: pytorch_fid.fid_score.get_activations(paths, theirs, num_workers=min(cores(), 8)),
        "torch-fidelity": fidelity,
    }
    return functions, partial(in_batches, paths, partial(ours, preset="torch-fidelity"))


def lpips_makers(pairs):
    """Return a function without arguments for each pipeline of LPIPS alex."""
    import lpips as lpips_package

    tensors = stand_in("alexnet")
    network = Lpips("alex", tensors)
    package = lpips_package.LPIPS(net="alex", pnet_rand=True, verbose=False)
    package.net.load_state_dict(dict(zip(package.net.state_dict(), tensors.values(), strict=True)))

    def ours(batch, tensor):
        with torch.inference_mode():
            return {"found": network(*map(tensor, zip(*batch, strict=True)))}

    def theirs():
        images = ((lpips_package.im2tensor(lpips_package.load_image(str(path))) for path in pair) for pair in pairs)
        with torch.inference_mode():
            return np.array([package(*pair).item() for pair in images])

    return {OURS: partial(in_batches, pairs, ours), "lpips": theirs}


def distance_makers(count):
    """Return functions without arguments that compute a Frechet distance of Gaussians of so many images."""
    generator = torch.Generator().manual_seed(count)
    mix = torch.randn(WIDTH, WIDTH, generator=generator) * torch.logspace(0, -2, WIDTH) / 40
    sets = []
    for shift in (0, 0.02):
        moments = Moments(WIDTH)
        moments.update(torch.randn(count, WIDTH, generator=generator) @ mix.T + shift)
        sets.append(moments.compute())
    return {OURS: lambda: frechet_distance(*sets), "scipy sqrtm": lambda: by_sqrtm(*sets)}


def by_sqrtm(real: Gaussian, fake: Gaussian):
    import scipy.linalg

    root = scipy.linalg.sqrtm((real.covariance @ fake.covariance).numpy()).real
    traces = real.covariance.trace() + fake.covariance.trace() - 2 * np.trace(root)
    return ((real.mean - fake.mean).square().sum() + traces).item()


def in_turns(functions, rounds, *, warm=True):
    """Return the median seconds of each, called in turn, and what each returned."""
    taken, found = {name: [] for name in functions}, {}
    for _ in range(rounds + warm):
        for name, function in functions.items():
            start = time.perf_counter()
            with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
                found[name] = function()
            taken[name].append(time.perf_counter() - start)
    return {name: statistics.median(times[warm:]) for name, times in taken.items()}, found


def show(title, seconds, found, *, count, bar):
    """Print a row for each: its time, images a second, how many times ours it takes, and how far its numbers are."""
    fastest_peer = min(taken for name, taken in seconds.items() if name != OURS)
    for name, taken in seconds.items():
        difference = np.abs(np.asarray(found[name]) - found[OURS]).max()
        row = f"{title:24}{name:16}{taken:9.2f} s{count / taken:9.2f}/s{taken / seconds[OURS]:8.2f}{difference:12.1e}"
        wanted = f"   ratio >= {bar}" + ("" if fastest_peer / seconds[OURS] >= bar else " !")
        print(row + (wanted if taken == fastest_peer else ""))
        if name != OURS:
            least = bar if taken == fastest_peer else None
            rows.keep(work=title, unit="s", ours=seconds[OURS], peer=name, theirs=taken, bar=least)


def environment(options):
    """Name what the numbers depend on."""
    packages = ("ffltool", "torch", "torchvision", "pytorch-fid", "torch-fidelity", "lpips", "scipy")
    versions = ", ".join(f"{package} {importlib.metadata.version(package)}" for package in packages)
    return (
        f"Python {platform.python_version()}, {cores()} cores, torch {torch.get_num_threads()} threads; {versions}; "
        f"{options.images} images {SIDE}x{SIDE}, {options.rounds} rounds"
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--images", type=int)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=cores())
    parser.add_argument("--only", default="features,lpips,distance")
    parser.add_argument("--device", default="cpu")
    options = parser.parse_args()
    if options.device != "cpu":
        import on_device

        on_device.main(options.device, options.images or 512, make_images)
        return
    options.images = options.images or 100
    warnings.simplefilter("ignore")  # the packages', of calls that torchvision and scipy would like otherwise
    torch.set_num_threads(options.threads)
    print(environment(options))
    print(f"{'':40}{'median':>11}{'rate':>11}{'ratio':>8}{'difference':>12}   bar")

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_images(folder, options.images)
        real, fake = (sorted((folder / kind).iterdir()) for kind in ("real", "fake"))
        if "features" in options.only:
            functions, as_fidelity = feature_makers(real, folder)
            seconds, found = in_turns(functions, options.rounds)
            found["torch-fidelity"] = found[OURS] + (found["torch-fidelity"] - as_fidelity())
            show(f"features {WIDTH}", seconds, found, count=len(real), bar=FEATURES_BAR)
        if "lpips" in options.only:
            seconds, found = in_turns(lpips_makers(list(zip(real, fake, strict=True))), options.rounds)
            show("LPIPS alex", seconds, found, count=len(real), bar=LPIPS_BAR)
    if "distance" in options.only:
        for count, bar in DISTANCE_BARS.items():
            seconds, found = in_turns(distance_makers(count), options.rounds, warm=False)
            show(f"distance, n = {count}", seconds, found, count=1, bar=bar)


if __name__ == "__main__":
    main()
