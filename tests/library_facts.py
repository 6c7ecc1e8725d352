"""How the numbers of learned metrics relate to those of the libraries that people cite.

python tests/library_facts.py

Prints the table in README. The libraries' numbers are those of ../shared/reference, made of the same images with the
same weights: stand-ins for Inception, whose trained file was not at hand, and the real ones of AlexNet and SqueezeNet.
"""

import json
import runpy
import tempfile
import warnings
from dataclasses import dataclass
from pathlib import Path

import torch

from ffltool.evaluate import evaluate_pairs
from ffltool.looking import Looking, Sources
from ffltool.pairing import pair

SHARED = Path(__file__).parents[2] / "shared"
REFERENCE = SHARED / "reference"


@dataclass(frozen=True)
class Fact:
    """A library's number, by which option ours is computed, and why they differ."""

    metric: str
    library: str
    theirs: float
    option: str
    why: str = ""


def facts():
    """Return what the libraries say."""
    of = json.loads((REFERENCE / "fid_seeded_network.json").read_text())
    mean = json.loads((REFERENCE / "pairs.json").read_text())["mean_over_pairs"]
    pytorch_fid, fidelity = of["pytorch_fid_0.3.0"], of["torch_fidelity_0.4.0"]
    clean, metrics = of["clean_fid_0.1.35_with_this_network"], of["torchmetrics_1.9.0"]
    piq = of["piq_0.8.0_fid_on_pytorch_fid_features"]
    default, as_fidelity, alex = "--preset pytorch-fid", "--preset torch-fidelity", "--lpips alex"
    few, antialias = "few images, see below", "it resizes with antialias"
    return [
        Fact("fid", "pytorch-fid 0.3.0", pytorch_fid["dims2048_bs50"], default, few),
        Fact("fid", "the same, dims 64", pytorch_fid["dims64_bs50"], "--layer 64", few),
        Fact("fid", "torch-fidelity 0.4.0", fidelity["fid_2048"], as_fidelity, few),
        Fact("fid", "clean-fid 0.1.35", clean["clean"], "--preset clean", few),
        Fact("fid", "the same, legacy_pytorch", clean["legacy_pytorch"], default, few),
        Fact("fid", "the same, legacy_tensorflow", clean["legacy_tensorflow_resize_inside"], as_fidelity, few),
        Fact("fid", "torchmetrics 1.9.0", metrics["fid_2048_default_float64"], as_fidelity, antialias),
        Fact("fid", "the same, antialias=False", metrics["fid_2048_{'antialias': False}_float64"], as_fidelity, few),
        Fact("fid", "piq 0.8.0, of pytorch-fid's features", piq["2048"], default, "a root by iteration"),
        Fact("is", "torch-fidelity 0.4.0", fidelity["isc_fake_splits10_shuffleTrue"][0], as_fidelity),
        Fact("lpips", "lpips 0.1.4, alex", mean["lpips_alex_v0.1"], alex),
        Fact("lpips", "the same, squeeze", mean["lpips_squeeze_v0.1"], "--lpips squeeze"),
        Fact("lpips", "the same, alex, version 0.0", mean["lpips_alex_v0.0"], alex, "other heads"),
        Fact("lpips", "torchmetrics 1.9.0, alex", mean["torchmetrics_lpips_alex"], alex),
    ]


def ours(asked, metric, folder):
    """Return our number with an option and its value."""
    option, value = asked.split()
    own = {
        "inception": folder / "inception.pth",
        "alexnet": SHARED / "weights" / "alexnet_features.pth",
        "squeezenet": SHARED / "weights" / "squeeze.backbone.pth",
    }
    name = {"--preset": "preset", "--layer": "layer", "--lpips": "backbone"}[option]
    looking = Looking(**{name: value}, sources=Sources(own=own, cached=False))
    by = "stem" if metric == "lpips" else "none"
    pairing = pair(REFERENCE / "inputs" / "real", REFERENCE / "inputs" / "fake", by=by)
    return evaluate_pairs(pairing, [metric], looking=looking).scores[0].value


def table():
    """Return the table as Markdown."""
    lines = ["| metric | library | its number | ours, by | ours | difference | why |", "|---|---|---|---|---|---|---|"]
    known = {}
    with tempfile.TemporaryDirectory() as name, warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # the script leaves a file open
        torch.save(runpy.run_path(str(REFERENCE / "seeded_inception.py"))["make"](), Path(name) / "inception.pth")
        for fact in facts():
            key = fact.option, fact.metric
            known[key] = value = known[key] if key in known else ours(*key, Path(name))
            apart = f"{abs(value - fact.theirs) / fact.theirs:.0e}"
            numbers = f"{fact.theirs:.6f}", f"`{fact.option}`", f"{value:.6f}", apart
            cells = f"`{fact.metric}`", fact.library, *numbers, fact.why
            lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


if __name__ == "__main__":
    print(table())
