"""Time `ffltool lfd` and its memory as whole processes, against the paper authors' protocol and bare decoding.

python tests/benchmarks/bench_lfd.py [--rounds N] [--peer-rounds N] [--scale F] [--keep DIR] [--only SET]

Makes five sets of photograph-like pairs, runs the processes turn by turn and prints medians. Memory is the peak of the
proportional set size (PSS) of a process and its children, looked at every 20 ms in a run of its own; the largest
resident set (RSS) that the system saw the main process have stands beside it.

NumPy and Pillow are imported where pictures are made, which is in worker processes: Linux counts the size of the
process that starts a command into that command's largest RSS, so this one has to stay small.
"""

import argparse
import functools
import importlib.metadata
import json
import math
import multiprocessing
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import rows

HERE = Path(__file__).parent
FFLTOOL = [sys.executable, "-m", "ffltool"]
# as for most users: what a module compiles to is kept, and not made anew by every process
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
CANVASES, CANVAS_SIDE = 6, 2048
LEAVES = 20000  # discs on a canvas
LOOK_AGAIN = 0.02  # seconds between two looks at the memory
SHORT_ROUNDS = 11  # of the commands that take a fraction of a second


@dataclass(frozen=True)
class ImageSet:
    """Pairs of square images, and the bars to reach: times as fast as the authors, times the decoding."""

    name: str
    pairs: int
    side: int
    suffix: str
    peer_bar: float
    decode_bar: float | None = 1.3


SETS = [
    ImageSet("64-png", 2000, 64, "png", 9, None),
    ImageSet("256-png", 500, 256, "png", 9),
    ImageSet("256-jpg", 500, 256, "jpg", 25),
    ImageSet("1024-png", 60, 1024, "png", 12),
    ImageSet("1024-jpg", 60, 1024, "jpg", 40),
]
LFD_TOLERANCE = {"png": 1e-8, "jpg": 1e-3}  # OpenCV brings its own JPEG decoder
TOGETHER = ["psnr", "ssim", "lfd", "mse"]
TOGETHER_BAR, MEMORY_BAR, PAIR_BAR, HELP_BAR = 10, 60, 0.2, 0.25


def canvas(seed, side=CANVAS_SIDE):
    """Draw a photograph-like picture: leaves of all sizes over one another, with 1/f texture, light and some noise.

    Returns
    -------
    uint8 array, shape (side, side, 3)
    """
    import numpy as np

    random = np.random.default_rng(seed)
    colour, contrast = _leaves(random, side)
    texture = _one_over_f(random, side)
    light = 1 + 0.25 * _one_over_f(random, side, slope=2.0)
    picture = colour * light[..., None] + (contrast * texture)[..., None]
    picture = _lens(picture) + random.normal(0, 1.5, (side, side, 1)) + random.normal(0, 0.5, (side, side, 3))
    return np.rint(picture).clip(0, 255).astype(np.uint8)


def _leaves(random, side):
    """Return the colour, shape (side, side, 3), and contrast of the texture, shape (side, side), of covering discs."""
    import numpy as np

    colour = np.full((side, side, 3), 110, np.float32)
    contrast = np.full((side, side), 16, np.float32)
    # the number of discs falls with the cube of the radius, which makes the picture look alike at all scales
    radii = (4**-2 - random.random(LEAVES * side**2 // CANVAS_SIDE**2) * (4**-2 - (side / 3) ** -2)) ** -0.5
    for radius in radii:
        y, x = random.uniform(-radius / 2, side + radius / 2, 2)
        top, left = max(0, int(y - radius)), max(0, int(x - radius))
        rows, columns = np.ogrid[top : min(side, int(y + radius) + 1), left : min(side, int(x + radius) + 1)]
        inside = (rows - y) ** 2 + (columns - x) ** 2 < radius**2
        window = np.s_[top : top + inside.shape[0], left : left + inside.shape[1]]
        colour[window][inside] = random.normal(115, 45) + random.normal(0, 14, 3)
        contrast[window][inside] = 16 * random.gamma(2.0, 0.5)
    return colour, contrast


def _one_over_f(random, side, slope=1.0):
    """Return noise of mean 0 and deviation 1 whose amplitude falls as 1/f^slope, shape (side, side)."""
    import numpy as np

    spectrum = np.fft.rfft2(random.standard_normal((side, side)))
    frequency = np.hypot(np.fft.fftfreq(side)[:, None], np.fft.rfftfreq(side))
    frequency[0, 0] = np.inf
    noise = np.fft.irfft2(spectrum / frequency**slope, s=(side, side))
    return (noise / noise.std()).astype(np.float32)


def _lens(picture):
    """Blur edges by about a pixel, as optics and demosaicing do."""
    import numpy as np

    for axis in (0, 1):
        picture = 0.6 * picture + 0.2 * (np.roll(picture, 1, axis) + np.roll(picture, -1, axis))
    return picture


def _save_canvas(path, seed):
    import numpy as np

    np.save(path, canvas(seed))


@functools.cache
def _load_canvas(path):
    import numpy as np

    return np.load(path, mmap_mode="r")


def _write_pair(folder, name, *, side, suffix, seed, canvases):
    """Write a crop of a canvas, turned and lit anew, and the same with the fine detail lost."""
    import numpy as np
    from PIL import Image

    random = np.random.default_rng(seed)
    whole = _load_canvas(canvases[random.integers(len(canvases))])
    top, left = random.integers(0, len(whole) - side + 1, 2)
    crop = np.rot90(whole[top : top + side, left : left + side, :], random.integers(4))
    lit = (crop[:, :: random.choice([-1, 1])] * random.uniform(0.8, 1.2)).clip(0, 255).astype(np.uint8)

    real = Image.fromarray(np.ascontiguousarray(lit))
    bilinear = Image.Resampling.BILINEAR
    fake = real.resize((side // 2, side // 2), bilinear).resize((side, side), bilinear)
    settings = {"quality": 90} if suffix == "jpg" else {}
    real.save(folder / "real" / f"{name}.{suffix}", **settings)
    fake.save(folder / "fake" / f"{name}.{suffix}", **settings)


def make_sets(root, sets, scale):
    """Return the folder of each set under `root`, having made those that are not there."""
    folders = {image_set: root / f"{image_set.name}-{_pairs(image_set, scale)}" for image_set in sets}
    missing = {image_set: folder for image_set, folder in folders.items() if not folder.exists()}
    if missing:
        with tempfile.TemporaryDirectory() as scratch, multiprocessing.Pool(cores()) as pool:
            canvases = [Path(scratch) / f"{seed}.npy" for seed in range(CANVASES)]
            pool.starmap(_save_canvas, [(path, seed) for seed, path in enumerate(canvases)])
            for image_set, folder in missing.items():
                _make_set(pool, image_set, folder, pairs=_pairs(image_set, scale), canvases=canvases)
    return folders


def _make_set(pool, image_set, folder, *, pairs, canvases):
    unfinished = folder.with_suffix(".unfinished")
    for half in ("real", "fake"):
        (unfinished / half).mkdir(parents=True, exist_ok=True)
    write = functools.partial(_write_pair, side=image_set.side, suffix=image_set.suffix, canvases=canvases)
    jobs = [
        pool.apply_async(write, (unfinished, f"{number:05}"), {"seed": [image_set.side, number]})
        for number in range(pairs)
    ]
    for job in jobs:
        job.get()
    unfinished.rename(folder)


def _pairs(image_set, scale):
    return max(1, round(scale * image_set.pairs))


@dataclass(frozen=True)
class Run:
    """What a command took: seconds, in MB the largest RSS of its main process and the peak PSS of all; its output.

    The PSS is 0 of a command that was not watched, and NaN where the system does not tell it.
    """

    seconds: float
    rss: float
    pss: float
    output: str


def run(command, *, watched=False):
    """Run a command to its end; watch the memory of its processes and keep what it prints if `watched`."""
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        start = time.perf_counter()
        out = output if watched else subprocess.DEVNULL
        process = subprocess.Popen(command, stdout=out, stderr=errors, env=ENVIRONMENT)
        peak = _watch(process.pid) if watched else 0.0
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            errors.seek(0)
            sys.exit(f"{' '.join(map(str, command))} failed:\n{errors.read().decode(errors='replace')}")
        output.seek(0)
        unit = 1e6 if sys.platform == "darwin" else 1e6 / 1024
        return Run(seconds, usage.ru_maxrss / unit, peak, output.read().decode())


def _watch(pid):
    """Return the peak PSS in MB of a process and its descendants, looking until the process has ended."""
    if not Path("/proc/self/smaps_rollup").exists():
        return math.nan
    peak = 0
    while os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
        peak = max(peak, sum(map(_pss, _tree(pid))))
        time.sleep(LOOK_AGAIN)
    return peak / 1e6


def _tree(pid):
    """Return the ids of a process and its descendants; of processes that end meanwhile some may be missing."""
    parents = {}
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(status.parent.name)] = int(status.read_text(errors="replace").rpartition(")")[2].split()[1])
        except OSError:
            continue
    tree = [pid]
    for member in tree:
        tree += [child for child, parent in parents.items() if parent == member]
    return tree


def _pss(pid):
    """Return the PSS of one process in bytes, 0 if it has ended."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:")), 0)


def in_turns(commands, rounds):
    """Return the median seconds of each command, run one after the other for its number of rounds."""
    seconds = {name: [] for name in commands}
    for turn in range(max(rounds.values())):
        for name, command in commands.items():
            if turn < rounds[name]:
                seconds[name].append(run(command).seconds)
    return {name: statistics.median(taken) for name, taken in seconds.items()}


def cores():
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


# --- tables ---

COLUMNS = {
    "set": 21,
    "ffltool s": 11,
    "authors' s": 12,
    "ratio": 15,
    "decode s": 10,
    "ratio to it": 16,
    "ffltool MB": 14,
    "RSS": 7,
    "authors' MB": 13,
    "RSS ": 7,
    "LFD differs by": 14,
}


def print_row(cells):
    """Print strings in columns."""
    print("".join(cell.ljust(width) for cell, width in zip(cells, COLUMNS.values(), strict=True)).rstrip(), flush=True)


def beside(value, bar, *, least=False):
    """Write a number beside the bar it has to reach, at least or at most, with a mark where it does not."""
    if bar is None:
        return f"{value:.3g}"
    reached = value >= bar if least else value <= bar
    return f"{value:.3g} ({'>=' if least else '<='} {bar:g})" + ("" if reached else " !")


def compare(label, folder, *, command, metrics, rounds, bars, tolerance):
    """Run ffltool, the authors' protocol and the decoding on one set, and print their row."""
    halves = [folder / "real", folder / "fake"]
    ours = [*FFLTOOL, *command, *halves]
    authors = [sys.executable, HERE / "peer.py", folder, *metrics]
    decode = [sys.executable, HERE / "decode_only.py", *halves]

    ours_watched, authors_watched = run(ours, watched=True), run(authors, watched=True)
    difference = abs(_our_lfd(run([*ours, "--json", "-"], watched=True)) - _authors_lfd(authors_watched))
    seconds = in_turns({"ffltool": ours, "authors": authors, "decode": decode}, rounds)

    cells = [label, f"{seconds['ffltool']:.3f}", f"{seconds['authors']:.2f}"]
    cells += [beside(seconds["authors"] / seconds["ffltool"], bars[0], least=True), f"{seconds['decode']:.3f}"]
    cells += [beside(seconds["ffltool"] / seconds["decode"], bars[1])]
    memory_bar = MEMORY_BAR if metrics == ["lfd"] else None
    rows.keep(
        work=f"`ffltool {' '.join(command)}`, {label.partition(',')[0]}",
        unit="s",
        ours=seconds["ffltool"],
        peer="authors' script",
        theirs=seconds["authors"],
        bar=bars[0],
        limit=f"{beside(seconds['ffltool'] / seconds['decode'], bars[1])} × decoding",
        memory=f"{beside(ours_watched.pss, memory_bar)} MB; {authors_watched.pss:.0f} MB",
    )
    cells += [beside(ours_watched.pss, memory_bar), f"{ours_watched.rss:.0f}"]
    cells += [f"{authors_watched.pss:.0f}", f"{authors_watched.rss:.0f}"]
    print_row([*cells, f"{difference:.1e}" + ("" if difference <= tolerance else " !")])


def _our_lfd(run):
    return next(score["value"] for score in json.loads(run.output)["scores"] if score["metric"] == "lfd")


def _authors_lfd(run):
    return next(float(line.split()[1]) for line in run.output.splitlines() if line.startswith("lfd "))


def compare_sets(folders, rounds):
    """Print the table: LFD of every set, and four metrics together on one."""
    print_row(COLUMNS)
    for image_set, folder in folders.items():
        settings = {"rounds": rounds, "tolerance": LFD_TOLERANCE[image_set.suffix]}
        bars = image_set.peer_bar, image_set.decode_bar
        compare(folder.name, folder, command=["lfd"], metrics=["lfd"], bars=bars, **settings)
        if image_set.name == "256-png":
            command, metrics = ["metrics", "-m", ",".join(TOGETHER)], TOGETHER
            bars = TOGETHER_BAR, None
            compare(f"{folder.name}, four", folder, command=command, metrics=metrics, bars=bars, **settings)


def show_memory(folders):
    """Print the memory of a hundred pairs and of all."""
    for image_set, folder in folders.items():
        if image_set.name == "64-png":
            command = [*FFLTOOL, "lfd", folder / "real", folder / "fake"]
            few, all_pairs = run([*command, "--limit", "100"], watched=True), run(command, watched=True)
            print(f"memory of {folder.name}, MB (RSS): ", end="")
            print(f"100 pairs {few.pss:.1f} ({few.rss:.1f}), all {all_pairs.pss:.1f} ({all_pairs.rss:.1f})")
            told = f"{few.pss:.1f} MB with 100 pairs"
            rows.keep(work=f"memory, {folder.name}", unit="MB", ours=all_pairs.pss, bar=MEMORY_BAR, limit=told)


def show_short_commands(folders):
    """Print what one pair and the help take."""
    bars = {"--help": HELP_BAR, "bare python": None}
    commands = {"--help": [*FFLTOOL, "--help"], "bare python": [sys.executable, "-c", ""]}
    for image_set, folder in folders.items():
        pair = [next(iter(sorted((folder / half).iterdir()))) for half in ("real", "fake")]
        name = f"one pair {image_set.name}"
        commands[name], bars[name] = [*FFLTOOL, "lfd", *pair], PAIR_BAR
    for name, seconds in in_turns(commands, dict.fromkeys(commands, SHORT_ROUNDS)).items():
        print(f"{name:19} {beside(seconds, bars[name])} s")
        rows.keep(work=f"`ffltool {name}`" if name == "--help" else name, unit="s", ours=seconds, bar=bars[name])


def environment(rounds):
    """Name what the numbers depend on."""
    packages = ("ffltool", "pillow", "numpy", "opencv-python-headless", "torch", "torchvision", "lpips")
    versions = ", ".join(f"{package} {importlib.metadata.version(package)}" for package in packages)
    turns = ", ".join(f"{name} {number}" for name, number in rounds.items())
    return f"Python {platform.python_version()} on {platform.machine()}, {cores()} cores; {versions}; rounds: {turns}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5, help="runs of ffltool and of the decoding")
    parser.add_argument("--peer-rounds", type=int, default=2, help="runs of the authors' protocol")
    parser.add_argument("--scale", type=float, default=1.0, help="fraction of the number of pairs")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="make the sets here, and use those that are here")
    parser.add_argument("--only", choices=[image_set.name for image_set in SETS], metavar="SET")
    options = parser.parse_args()

    rounds = {"ffltool": options.rounds, "authors": options.peer_rounds, "decode": options.rounds}
    sets = [image_set for image_set in SETS if options.only in (None, image_set.name)]
    print(environment(rounds), flush=True)
    with tempfile.TemporaryDirectory() as scratch:
        folders = make_sets(options.keep or Path(scratch), sets, options.scale)
        compare_sets(folders, rounds)
        show_memory(folders)
        show_short_commands(folders)


if __name__ == "__main__":
    main()
