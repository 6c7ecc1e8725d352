"""Time the mean power spectrum of 500 images of 256x256 pixels against NumPy in complex float64, and its memory.

python tests/benchmarks/bench_spectrum.py [--rounds N] [--threads 1,2] [--images N]

Turn by turn in one process. "in memory" is the arithmetic alone: 8-bit colour to grey, Hann window, power, sum. "from
PNG files" decodes as well. The peer does one image at a time with Pillow and NumPy, with and without the radial
profile; ffltool always has the radial profile, the angular one and their deviations. The limits are the bare rfft2 of
the same images in float32, and decoding on all cores. The memory of 100 and of all files comes from processes of their
own, and from Linux.

The bar is that of one thread for each core. On a busy machine two threads wait for one another at each of torch's
steps, many times longer than they work.
"""

import argparse
import functools
import importlib.metadata
import multiprocessing
import os
import platform
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import rows
import torch
from bench_lfd import beside, canvas, cores
from decode_only import decode
from PIL import Image

from ffltool.average import average
from ffltool.loading import Loading
from ffltool.mean_spectrum import MeanSpectrum
from ffltool.recipes import Recipe

SIDE, BATCH, FEW = 256, 32, 100
OURS, PLAIN, PROFILED, LIMIT = "ffltool", "NumPy", "NumPy with profile", "limit"
PEER_BAR, MEMORY_BAR = 4, 20  # times as fast in memory; MB that 400 more files may cost


def photographs(count):
    """Return crops of photograph-like pictures, uint8, shape (count, SIDE, SIDE, 3)."""
    random, whole = np.random.default_rng(0), canvas(0)
    corners = random.integers(0, len(whole) - SIDE + 1, (count, 2))
    return np.stack([whole[top : top + SIDE, left : left + SIDE] for top, left in corners])


# --- the peer ---


class Peer:
    """The mean power spectrum by complex transforms in float64, one image after the other."""

    def __init__(self, *, profiled):
        hann = np.hanning(SIDE + 1)[:-1]
        self.window = np.outer(hann, hann) / (hann**2).mean()
        frequencies = np.fft.fftshift(np.fft.fftfreq(SIDE))
        self.ring = np.rint(np.hypot(frequencies[:, None], frequencies) * SIDE).astype(int).ravel()
        self.counts = np.bincount(self.ring)
        self.map, self.profile, self.profiled = np.zeros((SIDE, SIDE)), np.zeros(len(self.counts)), profiled

    def update(self, image):
        """Take in an image, shape (H, W, 3)."""
        red, green, blue = np.moveaxis(image.astype(np.float64), -1, 0)
        grey = 0.299 * red + 0.587 * green + 0.114 * blue
        power = np.abs(np.fft.fftshift(np.fft.fft2(grey * self.window))) ** 2
        self.map += power
        if self.profiled:
            self.profile += np.bincount(self.ring, power.ravel()) / self.counts


def peer_in_memory(images, *, profiled):
    peer = Peer(profiled=profiled)
    for image in images:
        peer.update(image)
    return peer.map / len(images)


def peer_from_files(files, *, profiled):
    peer = Peer(profiled=profiled)
    for path in files:
        peer.update(np.asarray(Image.open(path).convert("RGB")))
    return peer.map / len(files)


# --- ours, and the limits ---


def ours_in_memory(planes):
    mean = MeanSpectrum(Recipe(), SIDE, SIDE)
    for batch in planes.split(BATCH):
        mean.update(batch)
    return mean.compute().map.numpy()


def ours_from_files(files):
    return average(files, Recipe(), Loading(), size=(SIDE, SIDE))[0].map.numpy()


def bare_transform(images):
    for batch in images.split(BATCH):
        torch.fft.rfft2(batch)


def in_memory(images):
    """Return a function without arguments for each implementation, on the images as it would hold them."""
    planes = torch.from_numpy(np.ascontiguousarray(np.moveaxis(images, -1, 1)))
    floats = planes.float().mean(1)
    return {
        OURS: functools.partial(ours_in_memory, planes),
        PLAIN: functools.partial(peer_in_memory, images, profiled=False),
        PROFILED: functools.partial(peer_in_memory, images, profiled=True),
        LIMIT: functools.partial(bare_transform, floats),
    }


def from_files(files, pool):
    return {
        OURS: functools.partial(ours_from_files, files),
        PLAIN: functools.partial(peer_from_files, files, profiled=False),
        PROFILED: functools.partial(peer_from_files, files, profiled=True),
        LIMIT: functools.partial(pool.map, decode, files),
    }


def in_turns(functions, rounds):
    """Return the median seconds of each, called in turn after a round to warm up."""
    taken = {name: [] for name in functions}
    for _ in range(1 + rounds):
        for name, function in functions.items():
            start = time.perf_counter()
            function()
            taken[name].append(time.perf_counter() - start)
    return {name: statistics.median(seconds[1:]) for name, seconds in taken.items()}


def difference(functions):
    """Return how far our map is from the peer's, relative to it, but for the middle, into which its mean leaks."""
    ours, peer = functions[OURS](), functions[PLAIN]()
    away = np.hypot(*np.meshgrid(*[np.arange(SIDE) - SIDE // 2] * 2)) > 2
    return float(np.abs(ours / peer - 1)[away].max())


# --- memory ---


def peak_megabytes():
    """Return the largest resident set since this process began; what getrusage has is its parent's, if larger."""
    return int(re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())[1]) / 2**10


def peak_elsewhere(folder, count):
    """Return the largest resident set of a process that averages so many of the files."""
    command = [sys.executable, __file__, "--only-memory", str(folder), "--images", str(count)]
    return float(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)


def show_memory(folder, count):
    few, every = (peak_elsewhere(folder, number) for number in (min(FEW, count), count))
    print(f"\nmemory of {min(FEW, count)} files {few:.0f} MB, of {count} {every:.0f} MB, ", end="")
    print(f"growth {beside(every - few, MEMORY_BAR)} MB")


# --- tables ---

COLUMNS = {
    "images": 16,
    "threads": 9,
    "ffltool s": 11,
    "NumPy s": 10,
    "ratio": 14,
    "with profile s": 16,
    "ratio ": 14,
    "limit s": 9,
    "ffltool/limit": 15,
    "differs by": 10,
}


def print_row(cells):
    """Print strings in columns."""
    print("".join(cell.ljust(width) for cell, width in zip(cells, COLUMNS.values(), strict=True)).rstrip(), flush=True)


def show(label, threads, functions, rounds, bar):
    torch.set_num_threads(threads)
    seconds = in_turns(functions, rounds)
    cells = [label, str(threads), f"{seconds[OURS]:.3f}"]
    for name in (PLAIN, PROFILED):
        cells += [f"{seconds[name]:.3f}", beside(seconds[name] / seconds[OURS], bar, least=True)]
    cells += [f"{seconds[LIMIT]:.3f}", f"{seconds[OURS] / seconds[LIMIT]:.3g}", f"{difference(functions):.0e}"]
    print_row(cells)
    for name in (PLAIN, PROFILED):
        rows.keep(
            work=f"mean spectrum {label}, {threads} thread{'s' * (threads > 1)}",
            unit="s",
            ours=seconds[OURS],
            peer=f"NumPy{', with profile' * (name == PROFILED)}",
            theirs=seconds[name],
            bar=bar,
            limit=f"{seconds[OURS] / seconds[LIMIT]:.3g} × the limit",
        )


def environment(options):
    """Name what the numbers depend on."""
    packages = ("ffltool", "numpy", "pillow", "torch")
    versions = ", ".join(f"{package} {importlib.metadata.version(package)}" for package in packages)
    where = f"{cores()} cores, load {os.getloadavg()[0]:.1f}"
    return f"Python {platform.python_version()} on {platform.machine()}, {where}; {versions}; {options.rounds} rounds"


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--threads", type=numbers, default="1,2", help="numbers of torch's threads (%(default)s)")
    parser.add_argument("--images", type=int, default=500)
    parser.add_argument("--only-memory", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.only_memory:
        ours_from_files(sorted(options.only_memory.iterdir())[: options.images])
        print(peak_megabytes())
        return

    pool = multiprocessing.get_context("fork").Pool(cores())  # before torch has threads
    print(environment(options), flush=True)
    images = photographs(options.images)
    with tempfile.TemporaryDirectory() as scratch, pool:
        files = [Path(scratch) / f"{number:05}.png" for number in range(len(images))]
        for path, image in zip(files, images, strict=True):
            Image.fromarray(image).save(path)
        print_row(COLUMNS)
        for threads in options.threads:
            bar = PEER_BAR if threads == cores() else None
            show("in memory", threads, in_memory(images), options.rounds, bar)
        for threads in options.threads:
            show("from PNG files", threads, from_files(files, pool), options.rounds, None)
        show_memory(scratch, len(files))


def numbers(text):
    return [int(part) for part in text.split(",")]


if __name__ == "__main__":
    main()
