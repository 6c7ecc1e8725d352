"""What `reconstruct` reads and writes: one image or two as tensors, and a folder of what became of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import PIL
import torch
from torch import Tensor

from ffltool import figures, outputs, pictures
from ffltool.errors import InputError, printable
from ffltool.formats import csv_text, finite, json_text
from ffltool.images import Picture, in_one_form, read
from ffltool.pictures import as_shown, dropped, new_folder, write_animation, write_image
from ffltool.reconstruct import SMALLEST, Descent, DescentStep, Reconstruction, noise
from ffltool.spectrum import amplitude_only, log_amplitude, phase_only, swapped

SCHEMA = "ffltool.reconstruct/1"
_HEAD = ["objective", "step", *DescentStep._fields[1:]]
# suffix -> a text near the start of every such file
MARKS = {**pictures.MARKS, ".csv": ",".join(_HEAD), ".json": SCHEMA}


def load(image: Path, *, size: int, init: str, seed: int) -> tuple[Tensor, Tensor, list[str]]:
    """Return an image as a tensor (C, H, W) in 0..1, its longest side at most `size`; what to begin with; warnings.

    `init` is "noise" (uniform, from `seed`), "grey", or the path of an image, which is brought to the size of `image`.

    Raises
    ------
    InputError : if the image is too small to be rebuilt; else as `ffltool.images.read`.
    """
    picture = _read(image, size=size)
    if init not in ("noise", "grey"):
        picture, other = in_one_form(picture, read(Path(init)).resize(*picture.size))
        return picture.tensor(), other.tensor(), dropped(picture, other)
    target = picture.tensor()
    start = noise(target, seed=seed) if init == "noise" else torch.full_like(target, 0.5)
    return target, start, dropped(picture)


def _read(image: Path, *, size: int) -> Picture:
    picture = read(image).shrink(size)
    if min(picture.size) < SMALLEST:
        height, width = picture.size
        raise InputError(f"{image} is {height}x{width} after --size {size}; at least {SMALLEST}x{SMALLEST} is wanted")
    return picture


def load_two(image: Path, other: Path, *, size: int) -> tuple[Tensor, Tensor, list[str]]:
    """Return two images of one size as tensors (C, H, W) in 0..1, the longest side at most `size`; and warnings.

    Raises
    ------
    InputError : if they are too small, or their sizes differ; else as `ffltool.images.read`.
    """
    pictures = _read(image, size=size), _read(other, size=size)
    if pictures[0].size != pictures[1].size:
        sizes = [f"{path} is {h}x{w}" for path, (h, w) in zip((image, other), (p.size for p in pictures), strict=True)]
        raise InputError(f"{sizes[0]} but {sizes[1]} (height x width, after --size); one size is wanted")
    one, two = in_one_form(*pictures)
    return one.tensor(), two.tensor(), dropped(one, two)


def facts(image: Path, target: Tensor, descent: Descent, *, init: str, seed: int, device: str) -> dict[str, object]:
    """Return what a report says of a run beside its results."""
    channels, height, width = target.shape
    return {
        "image": {"path": printable(str(image)), "height": height, "width": width, "channels": channels},
        "settings": {**asdict(descent), "init": printable(init), "seed": seed, "device": device},
    }


def names_of_rebuilt(objectives: Iterable[str], *, animate: bool) -> list[str]:
    """Return the names of the files that `write_rebuilt` makes."""
    still = [f"{name}.png" for name in ("original", *objectives, "figure", "curves")]
    moving = [f"{name}.gif" for name in objectives] if animate else []
    return [*still, *moving, "curves.csv", "report.json"]


def write_rebuilt(folder: Path, target: Tensor, results: Sequence[Reconstruction], about: Mapping[str, object]) -> None:
    """Write what each objective made of `target`, shape (C, H, W), and a report that says this about the run."""
    with new_folder(folder):
        panels = [panel("original", target)]
        write_image(folder / "original.png", target)
        for result in results:
            last = result.steps[-1]
            panels.append(panel(f"{result.objective}\n{last.psnr:.1f} dB, LFD {last.lfd:.2f}", result.image))
            write_image(folder / f"{result.objective}.png", result.image)
            if result.frames:
                write_animation(folder / f"{result.objective}.gif", result.frames)
        figures.save(figures.images_over_spectra(panels), folder / "figure.png")
        figures.save(figures.convergence(*_curves(results)), folder / "curves.png")
        outputs.write(folder / "curves.csv", _as_csv(results).encode())
        outputs.write(folder / "report.json", _as_json(results, about).encode())


def _curves(results: Sequence[Reconstruction]) -> tuple[list[figures.Curve], list[figures.Curve]]:
    losses, decibels = [], []
    for result in results:
        numbers, first = [step.number for step in result.steps], result.steps[0].loss or 1.0
        losses.append(figures.Curve(result.objective, numbers, [step.loss / first for step in result.steps]))
        decibels.append(figures.Curve(result.objective, numbers, [step.psnr for step in result.steps]))
    return losses, decibels


def _as_csv(results: Sequence[Reconstruction]) -> str:
    return csv_text([_HEAD, *([result.objective, *step] for result in results for step in result.steps)])


def _as_json(results: Sequence[Reconstruction], about: Mapping[str, object]) -> str:
    objectives = []
    for result in results:
        number, *_ = last = result.steps[-1]
        row = {"objective": result.objective, "file": f"{result.objective}.png", "steps": number, **last._asdict()}
        del row["number"]
        objectives.append(finite(row))
    environment = {"torch": torch.__version__, "numpy": np.__version__, "pillow": PIL.__version__}
    return json_text(SCHEMA, "reconstruct", {**about, "objectives": objectives, "environment": environment})


# file's name -> what its panel is called, and how it is made of two images
_SWAPPED: dict[str, tuple[str, Callable[[Tensor, Tensor], Tensor]]] = {
    "original": ("original", lambda original, other: original),
    "other": ("other", lambda original, other: other),
    "phase-only": ("phase of original\nflat amplitude", lambda original, other: phase_only(original)),
    "amplitude-only": ("amplitude of original\nno phase", lambda original, other: amplitude_only(original)),
    "amplitude-of-other": ("phase of original\namplitude of other", lambda original, other: swapped(other, original)),
    "phase-of-other": ("amplitude of original\nphase of other", swapped),
}


def names_of_swapped() -> list[str]:
    """Return the names of the files that `write_swapped` makes."""
    return [f"{name}.png" for name in (*_SWAPPED, "figure")]


def write_swapped(folder: Path, original: Tensor, other: Tensor) -> None:
    """Write amplitudes with other phases, and either alone, of two images of one shape (C, H, W)."""
    with new_folder(folder):
        panels = []
        for name, (title, make) in _SWAPPED.items():
            picture = make(original, other)
            write_image(folder / f"{name}.png", picture)
            panels.append(panel(title, picture))
        figures.save(figures.images_over_spectra(panels), folder / "figure.png")


def panel(title: str, image: Tensor) -> figures.Panel:
    """Return a panel with the log amplitude of the pixels as they are, not cut, averaged over channels, in 0..255."""
    return figures.Panel(title, as_shown(image), log_amplitude(255 * image).mean(0).numpy())
