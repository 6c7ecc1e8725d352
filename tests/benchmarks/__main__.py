"""Run all benchmarks and print one table of what they say, in Markdown.

python tests/benchmarks [SCRIPT...]

Each script runs as a process of its own, one after another, on the CPU; what it prints goes to standard error. The
machine should have nothing else to do. All of them take half an hour.
"""

import argparse
import datetime
import importlib.metadata
import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path

from rows import FILE, kept

HERE = Path(__file__).parent
SCRIPTS = {
    "bench_lfd": ["--rounds", "7", "--peer-rounds", "2"],
    "bench_ssim": [],
    "bench_loss": [],
    "bench_features": ["--images", "60"],
    "bench_spectrum": [],
    "bench_train": [],
    "bench_page": [],
}
PACKAGES = ("ffltool", "torch", "numpy", "scipy", "pillow", "opencv-python-headless")
HEADS = ("work", "ffltool", "peer", "its time", "ratio", "bar", "limit", "memory")


def rows_of(script):
    """Run one script and return what it kept."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows"
        command = [sys.executable, HERE / f"{script}.py", *SCRIPTS[script]]
        done = subprocess.run(command, env=os.environ | {FILE: str(path)}, stdout=sys.stderr)
        if done.returncode:
            print(f"{script} ended with status {done.returncode}", file=sys.stderr)
        return kept(path)


def cells(row):
    """Return a row as texts; a bar that is missed has a mark."""
    ratio = None if row.theirs is None else row.theirs / row.ours
    bar = ""
    if row.bar is not None:
        reached = row.ours <= row.bar if ratio is None else ratio >= row.bar
        bar = f"{'≤' if ratio is None else '≥'} {row.bar:g}" + ("" if reached else " (missed)")
    theirs = "" if row.theirs is None else f"{digits(row.theirs)} {row.unit}"
    shown = "" if ratio is None else digits(ratio)
    return [row.work, f"{digits(row.ours)} {row.unit}", row.peer, theirs, shown, bar, row.limit, row.memory]


def digits(number):
    """Return three digits of a number, or all before its point."""
    return f"{number:.0f}" if number >= 1000 else f"{number:.3g}"


def environment():
    """Name what the numbers depend on."""
    versions = ", ".join(f"{package} {importlib.metadata.version(package)}" for package in PACKAGES)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    where = f"{cores} cores of {platform.machine()}, load {os.getloadavg()[0]:.1f}"
    return f"{datetime.date.today()}; Python {platform.python_version()}, {where}; {versions}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("scripts", nargs="*", metavar="SCRIPT", help=f"of {', '.join(SCRIPTS)}; default all")
    wanted = parser.parse_args().scripts or list(SCRIPTS)
    if unknown := set(wanted) - set(SCRIPTS):
        parser.error(f"{', '.join(sorted(unknown))}: known are {', '.join(SCRIPTS)}")
    print(f"{environment()}\n\n| {' | '.join(HEADS)} |\n|{'---|' * len(HEADS)}", flush=True)
    for script in wanted:
        for row in rows_of(script):
            print(f"| {' | '.join(cells(row))} |", flush=True)


if __name__ == "__main__":
    main()
