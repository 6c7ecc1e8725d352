"""Time training steps without FFL, with ffltool's, and with that of the package `focal-frequency-loss`, turn by turn.

python tests/benchmarks/bench_train.py [--device cpu|cuda] [--models ae,vae] [--threads N] [--rounds N]

The loop is the one that `ffltool train` runs, on random images of 64x64, with all that belongs to a step: the batch
taken out of 8-bit pixels, forward, loss, backward, Adam, and losses looked at. What differs is the loss alone. Overhead
is the time that FFL adds, as a share of the step without it; the paper has 0.064 s and 0.067 s on a V100, which is 5 %.
pix2pix is not among them: its images are pairs of 256x256, and a step has one of them.
"""

import argparse
import importlib.metadata
import os
import platform
import statistics
import sys
import time
from functools import cached_property

import focal_frequency_loss
import rows
import torch
from bench_lfd import cores

from ffltool.objective import Objective
from ffltool.train import Plan, Training

WITHOUT, OURS, PEER = "without FFL", "ffltool", "package"
MODELS = ("ae", "vae")
BATCH, BATCHES = 128, 50  # on a GPU losses are looked at after 50 steps
COLUMNS = ["model", "loss", "ms per step", "steps/s", "images/s", "overhead", "package / ffltool"]


class PeerObjective(Objective):
    """The same objective with the package's loss."""

    @cached_property
    def frequency_loss(self):
        return focal_frequency_loss.FocalFrequencyLoss(alpha=self.alpha)


def trainings(model, device):
    """Return what yields steps for ever, by the name of the loss."""
    objectives = {WITHOUT: Objective(ffl_weight=0), OURS: Objective(), PEER: PeerObjective()}
    generator = torch.Generator().manual_seed(1)
    pixels = torch.randint(256, (BATCH * BATCHES, 3, 64, 64), dtype=torch.uint8, generator=generator)
    plans = {name: Plan(model=model, steps=10**9, objective=objective) for name, objective in objectives.items()}
    return {name: Training(plan, device).run(pixels) for name, plan in plans.items()}


def milliseconds(news, looks):
    """Return the time of a step, over so many looks at the losses."""
    start, steps = time.perf_counter(), sum(len(next(news)) for _ in range(looks))
    return 1000 * (time.perf_counter() - start) / steps


def measure(model, device, rounds):
    """Return the median time of a step in milliseconds, by the name of the loss."""
    running = trainings(model, device)
    looks = 1 if device == "cuda" else 3
    for news in running.values():
        milliseconds(news, looks)
    turns = [{name: milliseconds(news, looks) for name, news in running.items()} for _ in range(rounds)]
    return {name: statistics.median(turn[name] for turn in turns) for name in running}


def show(model, measured):
    """Print a row for each loss."""
    for name, value in measured.items():
        overhead = "" if name == WITHOUT else f"{value / measured[WITHOUT] - 1:.1%}"
        ratio = f"{(measured[PEER] - measured[WITHOUT]) / (measured[OURS] - measured[WITHOUT]):.2f}"
        cells = [model, name, f"{value:.2f}", f"{1000 / value:.1f}", f"{1000 * BATCH / value:.0f}", overhead]
        print(f"| {' | '.join([*cells, ratio if name == OURS else ''])} |", flush=True)
    ours, peer, bare = measured[OURS], measured[PEER], measured[WITHOUT]
    overheads = f"{ours / bare - 1:.1%} over a step without FFL; the package {peer / bare - 1:.1%}"
    work = f"step of `ffltool train {model}`, batch of {BATCH}"
    rows.keep(work=work, unit="ms", ours=ours, peer="with focal-frequency-loss", theirs=peer, limit=overheads)


def environment(options):
    """Name what the numbers depend on."""
    packages = ("ffltool", "focal-frequency-loss", "torch")
    versions = ", ".join(f"{package} {importlib.metadata.version(package)}" for package in packages)
    name = torch.cuda.get_device_name() if options.device == "cuda" else torch.backends.cpu.get_cpu_capability()
    where = f"{options.device} ({name}), {cores()} cores, {torch.get_num_threads()} threads"
    load = f"load {os.getloadavg()[0]:.1f}, {options.rounds} rounds"
    return f"Python {platform.python_version()} on {platform.machine()}; {versions}; {where}; {load}"


def models(text):
    """Return the models of an option."""
    names = text.split(",")
    if others := [name for name in names if name not in MODELS]:
        raise argparse.ArgumentTypeError(f"{', '.join(others)}: known are {', '.join(MODELS)}")
    return names


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--models", type=models, default=["ae"], help=f"of {', '.join(MODELS)} (ae)")
    parser.add_argument("--threads", type=int, help="of torch, on the CPU")
    parser.add_argument("--rounds", type=int, default=9)
    options = parser.parse_args()
    if options.device == "cuda" and not torch.cuda.is_available():
        sys.exit("--device cuda: torch finds no CUDA device here")
    if options.threads:
        torch.set_num_threads(options.threads)
    print(f"{environment(options)}; batches of {BATCH}\n\n| {' | '.join(COLUMNS)} |\n|{'---|' * len(COLUMNS)}")
    for model in options.models:
        show(model, measure(model, options.device, options.rounds))


if __name__ == "__main__":
    main()
