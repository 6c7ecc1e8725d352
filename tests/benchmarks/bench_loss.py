"""Time the focal frequency loss and its memory against the package `focal-frequency-loss`, turn by turn in one process.

python tests/benchmarks/bench_loss.py [--device cpu|cuda] [--threads 1,2] [--rounds N]

Forward runs under no_grad; forward + backward returns the gradient with respect to `pred`. Both are float32 and stand
beside the bare rfft2 + irfft2 of one image tensor, the limit. The bars are those of the CPU.

Extra memory is the peak of what torch holds during forward + backward beyond what it held before, in image tensors: the
gradient that is returned counts, `pred` and `target` do not. On the CPU it is the largest running sum of the
allocations and frees that torch's profiler reports (to the byte, but for what MKL allocates by itself); on CUDA it is
`max_memory_allocated`.

glibc gives large freed blocks back to the system, and every new one costs page faults. The last table of the CPU, from
processes of their own, tells how much of the ratio that is: in "kept" glibc is told to keep all memory.
"""

import argparse
import functools
import importlib.metadata
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import focal_frequency_loss
import rows
import torch
from bench_lfd import beside, cores
from torch.autograd import DeviceType
from torch.profiler import ProfilerActivity, profile

from ffltool.loss import FocalFrequencyLoss

OURS, PEER, LIMIT, BYTES = "ffltool", "package", "rfft2 + irfft2", "bytes at copy speed"
FORWARD, BOTH = "forward", "forward + backward"
SAMPLE = 100.0  # milliseconds that a sample takes at least, by repeating short calls: a burst of load meets all alike
FAULT_TURNS = 3
BUSY_TURNS = 10
MEMORY_BAR = 3
KEEP_MEMORY = {"MALLOC_MMAP_THRESHOLD_": str(2**40), "MALLOC_TRIM_THRESHOLD_": str(2**40)}


@dataclass(frozen=True)
class Case:
    """A shape, and the bars of forward + backward: times as fast as the package, times the limit."""

    shape: tuple[int, ...]
    peer_bar: float
    limit_bar: float | None = 2.5

    def __str__(self):
        return "x".join(map(str, self.shape))


CASES = [
    Case((16, 3, 64, 64), 3, None),
    Case((16, 3, 256, 256), 7),
    Case((1, 3, 512, 512), 4.5),
    Case((4, 3, 1024, 1024), 9),
]


# --- what is timed ---


def inputs(case, device):
    """Return the same uniform `pred` and `target` every time."""
    random = torch.Generator().manual_seed(0)
    pred, target = (torch.rand(case.shape, generator=random).to(device) for _ in range(2))
    return pred.requires_grad_(), target


def make_losses(*, compiled=False):
    """Return the losses by name, if `compiled` also through torch.compile."""
    losses = {OURS: FocalFrequencyLoss(), PEER: focal_frequency_loss.FocalFrequencyLoss()}
    if compiled:
        torch.compiler.reset()  # or else it would compile for shapes in general from the second shape on
        losses |= {f"{name}, compiled": torch.compile(loss) for name, loss in losses.items()}
    return losses


@torch.no_grad()
def value(loss, pred, target):
    return loss(pred, target)


def gradient(loss, pred, target):
    return torch.autograd.grad(loss(pred, target), pred)[0]


def there_and_back(images):
    return torch.fft.irfft2(torch.fft.rfft2(images), s=images.shape[-2:])


def functions_of(losses, pred, target):
    """Return a function without arguments for each name and kind of work."""
    functions = {}
    for name, loss in losses.items():
        functions[name, FORWARD] = functools.partial(value, loss, pred, target)
        functions[name, BOTH] = functools.partial(gradient, loss, pred, target)
    functions[LIMIT, BOTH] = functools.partial(there_and_back, pred.detach())
    return functions


def differences(losses, pred, target):
    """Return how far value and gradient of each loss are from the package's, relative to (the norm of) those."""
    expected = value(losses[PEER], pred, target), gradient(losses[PEER], pred, target)
    return {
        name: (_relative(value(loss, pred, target), expected[0]), _relative(gradient(loss, pred, target), expected[1]))
        for name, loss in losses.items()
    }


def _relative(tensor, expected):
    return float((tensor.double() - expected.double()).norm() / expected.double().norm())


# --- time ---


def cpu_milliseconds(function, repeats):
    start = time.perf_counter()
    for _ in range(repeats):
        function()
    return 1000 * (time.perf_counter() - start) / repeats


def cuda_milliseconds(function, repeats):
    start, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
    torch.cuda.synchronize()
    start.record()
    for _ in range(repeats):
        function()
    end.record()
    end.synchronize()
    return start.elapsed_time(end) / repeats


def in_turns(functions, rounds, clock):
    """Return the median milliseconds of a call of each, sampled in turn after a round to warm up."""
    for function in functions.values():
        function()
    repeats = {name: max(1, round(SAMPLE / clock(function, 1))) for name, function in functions.items()}
    turns = [{name: clock(function, repeats[name]) for name, function in functions.items()} for _ in range(rounds)]
    return _medians(turns)


def _medians(turns):
    return {name: statistics.median(turn[name] for turn in turns) for name in turns[0]}


def copied_bytes_per_millisecond(rounds):
    """Return how many bytes the device reads and writes in a millisecond when it copies 1 GiB."""
    source = torch.ones(2**28, device="cuda")
    copy = functools.partial(torch.empty_like(source).copy_, source)
    return 2 * source.nbytes / in_turns({"copy": copy}, rounds, cuda_milliseconds)["copy"]


# --- memory ---


def cpu_peak_bytes(function):
    """Return the largest running sum of what torch allocates and frees during a second call, its result kept."""
    os.environ.setdefault("KINETO_LOG_LEVEL", "99")  # the profiler announces itself on standard error
    function()
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as recorded:
        kept = function()
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "trace.json"
        recorded.export_chrome_trace(str(path))
        events = [event for event in json.loads(path.read_text())["traceEvents"] if event["name"] == "[memory]"]
    held = peak = 0
    for event in sorted(events, key=lambda event: event["ts"]):
        held += event["args"]["Bytes"]
        peak = max(peak, held)
    assert held >= kept.nbytes, "the profiler missed an allocation"
    return peak


def cuda_peak_bytes(function):
    """Return how far the memory that torch holds on the device rises in a second call."""
    function()
    torch.cuda.synchronize()
    torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated()
    function()
    return torch.cuda.max_memory_allocated() - before


def on_device(function):
    """Return how many kernels a call starts, and the milliseconds that the device is busy with them."""
    function()
    torch.cuda.synchronize()
    with profile(activities=[ProfilerActivity.CPU, ProfilerActivity.CUDA]) as recorded:
        for _ in range(BUSY_TURNS):
            function()
        torch.cuda.synchronize()
    kernels = [event.device_time_total for event in recorded.events() if event.device_type == DeviceType.CUDA]
    return len(kernels) / BUSY_TURNS, sum(kernels) / 1000 / BUSY_TURNS


def minor_faults(function):
    """Return how often the system had to find a page of memory during a call."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    function()
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before


def measure_faults(case, rounds):
    """Return median milliseconds and page faults of forward + backward of both."""
    images = inputs(case, "cpu")
    functions = {name: functools.partial(gradient, loss, *images) for name, loss in make_losses().items()}
    milliseconds = in_turns(functions, rounds, cpu_milliseconds)
    turns = [{name: minor_faults(function) for name, function in functions.items()} for _ in range(FAULT_TURNS)]
    return {"milliseconds": milliseconds, "faults": _medians(turns)}


def measure_faults_elsewhere(environment, *, threads, rounds):
    """Return what `measure_faults` does in a process of its own, with additions to the environment."""
    command = [sys.executable, __file__, "--only-faults", "--threads", str(threads), "--rounds", str(rounds)]
    done = subprocess.run(command, env=os.environ | environment, stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout)


# --- tables ---

CPU_COLUMNS = {
    "shape": 16,
    "threads": 9,
    "ffltool ms": 12,
    "package ms": 12,
    "ratio": 16,
    "limit ms": 10,
    "ffltool/limit": 17,
    "ffltool ms ": 12,
    "package ms ": 12,
    "ratio ": 8,
    "value": 8,
    "gradient": 8,
}
MEMORY_COLUMNS = {"shape": 16, "image tensor MB": 17, "ffltool": 16, "package": 7}
FAULT_COLUMNS = {
    "memory": 16,
    "threads": 9,
    "ffltool ms": 12,
    "package ms": 12,
    "ratio": 8,
    "package faster by": 19,
    "page faults: ffltool": 22,
    "package": 7,
}
CUDA_COLUMNS = {
    "shape": 16,
    "": 21,
    "forward ms": 12,
    "forward + backward ms": 23,
    "package/it": 12,
    "kernels": 9,
    "busy ms": 9,
    "package/it ": 12,
    "it/limit": 10,
    "it/bytes": 10,
    "extra tensors": 15,
    "value differs": 15,
    "gradient differs": 16,
}


def print_row(cells, columns):
    """Print strings in columns."""
    print("".join(cell.ljust(width) for cell, width in zip(cells, columns.values(), strict=True)).rstrip(), flush=True)


def show_cpu(cases, *, threads, rounds):
    """Print the times of every case with each number of threads, and how far the values are apart."""
    print(f"\n{'':25}{BOTH:67}{FORWARD:32}differ by")
    print_row(CPU_COLUMNS, CPU_COLUMNS)
    for case in cases:
        losses, images = make_losses(), inputs(case, "cpu")
        for number in threads:
            torch.set_num_threads(number)
            milliseconds = in_turns(functions_of(losses, *images), rounds, cpu_milliseconds)
            differ = differences(losses, *images)[OURS]
            print_row([str(case), str(number), *cpu_cells(case, milliseconds, differ)], CPU_COLUMNS)
            keep_row(case, number, {name: milliseconds[name, BOTH] for name in (OURS, PEER, LIMIT)})


def keep_row(case, threads, milliseconds):
    rows.keep(
        work=f"loss and gradient, {case}, {threads} thread{'s' * (threads > 1)}",
        unit="ms",
        ours=milliseconds[OURS],
        peer="focal-frequency-loss",
        theirs=milliseconds[PEER],
        bar=case.peer_bar,
        limit=f"{beside(milliseconds[OURS] / milliseconds[LIMIT], case.limit_bar)} × rfft2 + irfft2",
    )


def cpu_cells(case, milliseconds, differ):
    ours, peer, limit = (milliseconds[name, BOTH] for name in (OURS, PEER, LIMIT))
    ours_forward, peer_forward = (milliseconds[name, FORWARD] for name in (OURS, PEER))
    cells = [f"{ours:.2f}", f"{peer:.2f}", beside(peer / ours, case.peer_bar, least=True)]
    cells += [f"{limit:.2f}", beside(ours / limit, case.limit_bar)]
    cells += [f"{ours_forward:.2f}", f"{peer_forward:.2f}", f"{peer_forward / ours_forward:.3g}"]
    return [*cells, *(f"{difference:.0e}" for difference in differ)]


def show_memory(cases):
    """Print the extra memory of forward + backward in image tensors."""
    print(f"\nextra memory of {BOTH}, in image tensors")
    print_row(MEMORY_COLUMNS, MEMORY_COLUMNS)
    for case in cases:
        pred, target = inputs(case, "cpu")
        tensors = {
            name: cpu_peak_bytes(functools.partial(gradient, loss, pred, target)) / pred.nbytes
            for name, loss in make_losses().items()
        }
        cells = [f"{pred.nbytes / 1e6:.2f}", beside(tensors[OURS], MEMORY_BAR), f"{tensors[PEER]:.3g}"]
        print_row([str(case), *cells], MEMORY_COLUMNS)
        rows.keep(
            work=f"extra memory of loss and gradient, {case}",
            unit="images",
            ours=tensors[OURS],
            peer="focal-frequency-loss",
            theirs=tensors[PEER],
            limit=f"{beside(tensors[OURS], MEMORY_BAR)} images",
        )


def show_faults(*, threads, rounds):
    """Print the ratio with memory given back to the system, as usual, and with memory kept."""
    print(f"\n{CASES[-1]}, {BOTH}, with memory that is freed given back to the system as usual, and kept")
    print_row(FAULT_COLUMNS, FAULT_COLUMNS)
    for number in threads:
        usual = None
        for memory, environment in {"as usual": {}, "kept": KEEP_MEMORY}.items():
            measured = measure_faults_elsewhere(environment, threads=number, rounds=rounds)
            milliseconds, faults = measured["milliseconds"], measured["faults"]
            usual = usual or milliseconds[PEER]
            cells = [memory, str(number), f"{milliseconds[OURS]:.2f}", f"{milliseconds[PEER]:.2f}"]
            cells += [f"{milliseconds[PEER] / milliseconds[OURS]:.3g}", f"{usual / milliseconds[PEER]:.3g}"]
            print_row([*cells, f"{faults[OURS]:.0f}", f"{faults[PEER]:.0f}"], FAULT_COLUMNS)


def show_cuda(cases, rounds):
    """Print times, memory and differences of every case, eager and compiled."""
    os.environ.setdefault("KINETO_LOG_LEVEL", "99")
    speed = copied_bytes_per_millisecond(rounds)
    print(f"copies read and write {speed / 1e6:.0f} GB/s; the least bytes: pred and target read, the gradient written")
    print("forward ms, forward + backward ms: until the next call can start, which the host may be the limit of;")
    print("busy ms: what the device works on forward + backward, to which limit and bytes are compared")
    print()
    print_row(CUDA_COLUMNS, CUDA_COLUMNS)
    for case in cases:
        losses, images = make_losses(compiled=True), inputs(case, "cuda")
        functions = functions_of(losses, *images)
        milliseconds = in_turns(functions, rounds, cuda_milliseconds)
        busy = {name: on_device(functions[name, BOTH]) for name in (*losses, LIMIT)}
        busy[BYTES] = None, 3 * images[0].nbytes / speed
        differ = differences(losses, *images)
        for name, loss in losses.items():
            peak = cuda_peak_bytes(functools.partial(gradient, loss, *images)) / images[0].nbytes
            cells = [f"{peak:.3g}", *(f"{difference:.0e}" for difference in differ[name])]
            print_row([str(case), name, *cuda_cells(name, milliseconds, busy), *cells], CUDA_COLUMNS)
        for name in (LIMIT, BYTES):
            print_row([str(case), name, *cuda_cells(name, milliseconds, busy), "", "", ""], CUDA_COLUMNS)


def cuda_cells(name, milliseconds, busy):
    forward, both, peer = (milliseconds.get(key) for key in ((name, FORWARD), (name, BOTH), (PEER, BOTH)))
    kernels, mine = busy[name]
    cells = ["" if taken is None else f"{taken:.3f}" for taken in (forward, both)]
    cells += ["" if both is None else f"{peer / both:.3g}", "" if kernels is None else f"{kernels:.0f}", f"{mine:.4f}"]
    return [*cells, *(f"{ratio:.3g}" for ratio in (busy[PEER][1] / mine, mine / busy[LIMIT][1], mine / busy[BYTES][1]))]


def environment(options):
    """Name what the numbers depend on."""
    packages = ("ffltool", "focal-frequency-loss", "torch")
    versions = ", ".join(f"{package} {importlib.metadata.version(package)}" for package in packages)
    device = torch.cuda.get_device_name() if options.device == "cuda" else torch.backends.cpu.get_cpu_capability()
    threads = f", threads {','.join(map(str, options.threads))}" if options.device == "cpu" else ""
    where = f"{options.device} ({device}), {cores()} cores, load {os.getloadavg()[0]:.1f}{threads}"
    return f"Python {platform.python_version()} on {platform.machine()}; {versions}; {where}; {options.rounds} rounds"


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--threads", type=numbers, default="1,2", help="numbers of threads on the CPU (%(default)s)")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--only-faults", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.device == "cuda" and not torch.cuda.is_available():
        sys.exit("--device cuda: torch finds no CUDA device here")

    if options.only_faults:
        torch.set_num_threads(*options.threads)
        print(json.dumps(measure_faults(CASES[-1], options.rounds)))
        return
    print(environment(options), flush=True)
    if options.device == "cuda":
        show_cuda(CASES, options.rounds)
        return
    show_cpu(CASES, threads=options.threads, rounds=options.rounds)
    show_memory(CASES)
    show_faults(threads=options.threads, rounds=options.rounds)


def numbers(text):
    return [int(part) for part in text.split(",")]


if __name__ == "__main__":
    main()
