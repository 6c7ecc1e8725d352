"""Time what a page costs beyond the metrics, with its size and the memory of the process that makes it.

python tests/benchmarks/bench_page.py [--rounds N]

Makes sets of pairs, runs `ffltool metrics` with and without `--html` turn by turn as whole processes, and prints
medians. Memory is the largest resident set that the system saw the process have.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import rows
from PIL import Image

SETS = ((500, 32), (5000, 32), (500, 256), (60, 1024))  # pairs, pixels of a side
COMMAND = [sys.executable, "-m", "ffltool", "metrics", "--quiet", "-m", "psnr,ssim,lfd,mse"]


def make(folder, pairs, side):
    """Save pairs of smoothed noise and the same with noise of another strength each."""
    random = np.random.default_rng(0)
    for name in ("real", "fake"):
        (folder / name).mkdir()
    for number in range(pairs):
        coarse = random.integers(0, 256, (side // 4, side // 4, 3), dtype=np.uint8)
        real = np.asarray(Image.fromarray(coarse).resize((side, side), Image.Resampling.BICUBIC))
        fake = np.rint(real + random.normal(0, random.uniform(1, 30), real.shape)).clip(0, 255).astype(np.uint8)
        for name, pixels in (("real", real), ("fake", fake)):
            Image.fromarray(pixels).save(folder / name / f"{number:05}.png")


def run(*arguments):
    """Run a process; return its seconds and the MB that it had at most."""
    start = time.perf_counter()
    process = subprocess.Popen([*COMMAND, *map(str, arguments)], stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    return time.perf_counter() - start, usage.ru_maxrss / 1024


def measured(pairs, side, rounds):
    """Return a row of the table."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make(folder, pairs, side)
        page = folder / "page.html"
        alone, with_page = [], []
        for _ in range(rounds):
            alone.append(run(folder / "real", folder / "fake"))
            with_page.append(run(folder / "real", folder / "fake", "--html", page))
        size = page.stat().st_size / 1e6
    alone, beyond, memory = (
        statistics.median(each)
        for each in (
            [seconds for seconds, _ in alone],
            [more - less for (more, _), (less, _) in zip(with_page, alone, strict=True)],
            [megabytes for _, megabytes in with_page],
        )
    )
    work = f"`--html`, {pairs} pairs {side}², beyond the metrics"
    rows.keep(work=work, unit="s", ours=beyond, memory=f"{memory:.0f} MB; {size:.2f} MB file")
    return f"| {pairs} pairs {side}² | {alone:.2f} s | {beyond:.2f} s | {memory:.0f} MB | {size:.2f} MB |"


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    print("| set | metrics | the page, beyond them | memory | size of the page |\n|---|---|---|---|---|", flush=True)
    for pairs, side in SETS:
        print(measured(pairs, side, rounds), flush=True)


if __name__ == "__main__":
    main()
