"""Time SSIM of one 256x256 colour pair, turn by turn in one process, against four other implementations.

python tests/benchmarks/bench_ssim.py [--rounds N] [--threads N]
"""

import argparse
import importlib.metadata
import platform
import statistics
import time

import cv2
import numpy as np
import peer
import piq
import rows
import torch
from bench_lfd import canvas, cores
from PIL import Image
from skimage.metrics import structural_similarity
from torchmetrics.functional.image import structural_similarity_index_measure

from ffltool.metrics.ssim import ssim, ssim_of_planes

SIDE = 256
PEER_BAR, ERROR_BAR = 6, 1e-6
OURS, PEER = "ffltool, numpy", "authors' protocol, cv2"


def pair():
    """Return a photograph-like image and a softer one, uint8 arrays of shape (H, W, 3)."""
    real = Image.fromarray(canvas(0)[:SIDE, :SIDE])
    bilinear = Image.Resampling.BILINEAR
    fake = real.resize((SIDE // 2, SIDE // 2), bilinear).resize((SIDE, SIDE), bilinear)
    return np.asarray(real), np.asarray(fake)


def candidates(real, fake):
    """Return a function without arguments for each implementation, on the kind of input it is documented for."""
    planes = [np.ascontiguousarray(np.moveaxis(image, -1, 0)) for image in (real, fake)]
    floats = [image.astype(np.float64) for image in (real, fake)]
    tensors = [torch.from_numpy(image).double()[None] for image in planes]
    gaussian = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}
    return {
        OURS: lambda: ssim_of_planes(*planes),
        "ffltool, torch": lambda: ssim(*tensors),
        PEER: lambda: peer.ssim(*floats),
        "scikit-image": lambda: structural_similarity(real, fake, **gaussian, data_range=255, channel_axis=-1),
        "torchmetrics": lambda: structural_similarity_index_measure(*tensors, data_range=255),
        "piq": lambda: piq.ssim(*tensors, data_range=255, downsample=False),
    }


def in_turns(functions, rounds):
    """Return the median milliseconds and processor milliseconds of each, called in turn after a round to warm up."""
    taken = {name: [] for name in functions}
    for _ in range(1 + rounds):
        for name, function in functions.items():
            wall, processor = time.perf_counter(), time.process_time()
            function()
            taken[name].append((time.perf_counter() - wall, time.process_time() - processor))
    return {
        name: [1000 * statistics.median(column) for column in zip(*rows[1:], strict=True)]
        for name, rows in taken.items()
    }


def environment(rounds):
    """Name what the numbers depend on."""
    packages = ("ffltool", "numpy", "opencv-python-headless", "scikit-image", "torch", "torchmetrics", "piq")
    versions = ", ".join(f"{package} {importlib.metadata.version(package)}" for package in packages)
    threads = f"torch {torch.get_num_threads()} threads, cv2 {cv2.getNumThreads()}, the others choose (CPU ms tells)"
    return f"Python {platform.python_version()}, {cores()} cores; {threads}; {versions}; {rounds} rounds"


def show(functions, milliseconds):
    """Print a row for each implementation: its times, how many times ours that is, how far from cv2's its value."""
    expected = functions[PEER]()
    print(f"{'SSIM 256x256x3':24}{'ms':>9}{'CPU ms':>9}{'ratio':>9}{'|difference|':>15}   bar")
    for name, (wall, processor) in milliseconds.items():
        ratio, difference = wall / milliseconds[OURS][0], abs(float(functions[name]()) - expected)
        if not name.startswith("ffltool"):
            least, ours = PEER_BAR if name == PEER else 1, milliseconds[OURS][0]
            rows.keep(work="SSIM 256²×3, one thread", unit="ms", ours=ours, peer=name, theirs=wall, bar=least)
        row = f"{name:24}{wall:9.2f}{processor:9.2f}{ratio:9.2f}{difference:15.1e}"
        print(f"{row}   {bar(name, ratio, difference)}")


def bar(name, ratio, difference):
    """Return what is asked of an implementation's numbers, with a mark where they miss it."""
    if name.startswith("ffltool"):
        return f"difference <= {ERROR_BAR:g}" + ("" if difference <= ERROR_BAR else " !")
    least = PEER_BAR if name == PEER else 1
    return f"ratio >= {least}" + ("" if ratio >= least else " !")


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--threads", type=int, default=1, help="threads of torch and OpenCV; ours, in NumPy, uses one")
    options = parser.parse_args()

    torch.set_num_threads(options.threads)
    cv2.setNumThreads(options.threads)
    functions = candidates(*pair())
    print(environment(options.rounds))
    show(functions, in_turns(functions, options.rounds))


if __name__ == "__main__":
    main()
