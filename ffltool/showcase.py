"""Pairs that a page shows: real, fake and their difference, each with its spectrum, or maps of labels."""

from __future__ import annotations

import base64
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy import ndarray
from PIL import Image

from ffltool import figures
from ffltool.images import Picture, Reading, read_pair
from ffltool.label_maps import LabelMaps, read_label_maps
from ffltool.mean_spectrum import channels
from ffltool.page import Embedded, Panel
from ffltool.spectrum import log_amplitude

_LARGEST = 256  # pixels of the longer side of what is kept of an image
_MOST_TIMES = 64  # that a difference is brightened
_BRIGHT = 99.5  # percentile of a difference that is not to become brighter than white
_ENDS = 0.5, 99.98  # percentiles of log amplitudes that get the darkest and the brightest colour
_CLASSES = "tab20"


@dataclass(frozen=True, eq=False)
class View:
    """An 8-bit image of a pair, grey or in colour, or values that `colours` turns into colour; see `page.Panel`."""

    image: Image.Image
    label: str
    alt: str
    colours: str = ""

    @classmethod
    def of(cls, planes: ndarray, label: str, alt: str) -> View:
        """Return a view of an image, shape (C, H, W), 0..255."""
        return cls(Image.fromarray(_pixels(planes)), label, alt)

    def panel(self, longest: int) -> Panel:
        """Return it with at most so many pixels on its longer side."""
        image = self.image
        if max(image.size) > longest:
            classes = self.colours == _CLASSES
            image = image.copy()
            image.thumbnail((longest, longest), Image.Resampling.NEAREST if classes else Image.Resampling.LANCZOS)
        if self.colours:
            image = image.copy()
            image.putpalette(figures.palette(self.colours))
        content = io.BytesIO()
        image.save(content, "PNG")
        embedded = Embedded(url=data_url("image/png", content.getvalue()), width=image.width, height=image.height)
        return Panel(image=embedded, label=self.label, alt=self.alt)


def data_url(kind: str, content: bytes) -> str:
    """Return an image of that type as an address that holds it."""
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def views_of(files: tuple[Path, Path | None], name: str, reading: Reading | LabelMaps) -> list[View]:
    """Return what there is to see of the pair in these files, called `name`, as it was compared.

    One file alone holds both images, the real one left.
    """
    if isinstance(reading, LabelMaps):
        maps = read_label_maps(*files)
        return _of_labels(maps[0].labels, maps[1].labels, name, reading)
    pictures = read_pair(*files, reading)
    real, fake = (picture.planes().astype(np.float32) for picture in pictures)
    shrunk = "" if max(pictures[0].size) <= _LARGEST else ", smaller than it is"
    difference = np.abs(fake - real)
    times = _brightening(difference)
    brighter = Picture(Image.fromarray(_pixels(times * difference)))
    said = "no difference" if not difference.any() else f"difference × {times}"
    return [
        View(_small(pictures[0]), "real", f"{name}: the real image{shrunk}"),
        View(_small(pictures[1]), "fake", f"{name}: the fake image{shrunk}"),
        View(_small(brighter), said, f"{name}: {said}, without its sign{shrunk}"),
        *_spectra([real, fake, fake - real], name),
    ]


def _brightening(difference: ndarray) -> int:
    """Return the power of two that a difference, 0 to 255, is brightened by to be seen."""
    high = float(np.percentile(difference, _BRIGHT) or difference.max() or 255.0)
    return min(_MOST_TIMES, 1 << max(0, math.floor(math.log2(255 / high))))


def _pixels(planes: ndarray) -> ndarray:
    """Return planes, shape (C, H, W), 0..255, as pixels, shape (H, W) or (H, W, 3), in 8 bits."""
    pixels: ndarray = np.rint(np.moveaxis(planes, 0, -1)).clip(0, 255).astype(np.uint8)
    return pixels[..., 0] if pixels.shape[-1] == 1 else pixels


def _small(picture: Picture) -> Image.Image:
    return Image.fromarray(_pixels(picture.shrink(_LARGEST).planes()))


def _spectra(images: Sequence[ndarray], name: str) -> list[View]:
    """Return the log amplitudes of the grey of images, shape (C, H, W), on one scale, but for their very ends."""
    maps = [log_amplitude(channels(torch.from_numpy(image)[None], "grey").double())[0, 0].numpy() for image in images]
    low, high = np.percentile(maps[:2], _ENDS)
    ends = f"{low:.1f} to {high:.1f}"
    views = []
    for values, label in zip(maps, ("real image", "fake image", "difference"), strict=True):
        image = Image.fromarray((255 / ((high - low) or 1) * (values - low)).astype(np.float32))
        image.thumbnail((_LARGEST, _LARGEST), Image.Resampling.BOX)
        index = Image.fromarray(np.rint(np.asarray(image)).clip(0, 255).astype(np.uint8))
        views.append(View(index, f"spectrum, {ends}", f"{name}: ln(1 + |F|) of the {label}, {ends}", "viridis"))
    return views


def _of_labels(real: ndarray, fake: ndarray, name: str, reading: LabelMaps) -> list[View]:
    wrong = np.where(real == fake, 0, 255)
    wrong[real == reading.ignore_index] = 128
    views = [
        View(Image.fromarray(labels.astype(np.uint8)), side, f"{name}: the {side} label map", _CLASSES)
        for side, labels in (("real", real), ("fake", fake))
    ]
    said = "wrong pixels white, ignored ones grey"
    return [*views, View(Image.fromarray(wrong.astype(np.uint8)), "wrong", f"{name}: {said}")]
