"""Which image files make up the sets whose spectra are drawn, and the size that all of them have in common."""

from __future__ import annotations

import os
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from ffltool.errors import InputError, NothingComparedError, printable
from ffltool.pairing import find, pair
from ffltool.sizes import sizes_of, smallest

Item = TypeVar("Item")
_PAIRS = 4  # drawn unless told
_BATCHES = 4
_JPEG = b"\xff\xd8\xff"  # how every such file begins


def name_of(path: Path) -> str:
    """Return the name of what a path leads to, which "." has not; of a link that leads to itself its own."""
    return Path(os.path.realpath(path)).name


@dataclass(frozen=True)
class Source:
    """A set of image files, its label, and the input that it comes from."""

    label: str
    files: tuple[Path, ...]
    given: str


@dataclass(frozen=True, kw_only=True)
class Selection:
    """Which images of the inputs make up which sets.

    ``layout``: "pairs" takes two folders, and each image is a set, real and fake in turn; "batch" makes sets of the
    first four mini-batches of ``batch_size`` images; for any other each input is a set. ``limit`` takes so many images
    of each folder, or so many pairs (4 unless told): the first ones, or with ``seed`` some drawn at random.
    """

    layout: str = "full"
    by: str = "stem"
    recursive: bool = True
    limit: int | None = None
    seed: int | None = None
    batch_size: int = 8

    def sets(self, inputs: Sequence[Path]) -> tuple[list[Source], tuple[str, ...]]:
        """Return the sets of these inputs, folders of images or images, and of pairs warnings of what has no partner.

        Labels are names where these differ.

        Raises
        ------
        InputError : if there is no input, or one is no image and no folder with images in it.
        """
        if not inputs:
            raise InputError("INPUT is missing: give images or folders of images")
        if self.layout == "pairs":
            return self._pairs(inputs)
        names = [name_of(path) for path in inputs]
        counts = Counter(names)
        labels = [name if counts[name] == 1 else str(path) for name, path in zip(names, inputs, strict=True)]
        sets = [Source(label, self._files(path), label) for label, path in zip(labels, inputs, strict=True)]
        return list(self._batches(sets)) if self.layout == "batch" else sets, ()

    def _files(self, path: Path) -> tuple[Path, ...]:
        if path.is_file():
            return (path,)
        return self._drawn([path / name for name in find(path, recursive=self.recursive)], self.limit)

    def _drawn(self, items: Sequence[Item], count: int | None) -> tuple[Item, ...]:
        if count is None or count >= len(items):
            return tuple(items)
        if self.seed is None:
            return tuple(items[:count])
        return tuple(items[place] for place in sorted(random.Random(self.seed).sample(range(len(items)), count)))

    def _pairs(self, inputs: Sequence[Path]) -> tuple[list[Source], tuple[str, ...]]:
        if len(inputs) != 2:
            raise InputError(f"pairs are of two inputs, REAL and FAKE, not of {len(inputs)}")
        pairing = pair(*inputs, by=self.by, recursive=self.recursive, allow_unpaired=True)
        if not pairing.pairs:
            raise NothingComparedError(f"{inputs[0]} and {inputs[1]} have no pair; see --pair")
        sets = [
            Source(side, (path,), path.name)
            for each in self._drawn(pairing.pairs, self.limit or _PAIRS)
            for side, path in zip(("real", "fake"), pairing.files(each), strict=True)
            if path is not None
        ]
        return sets, pairing.warnings

    def _batches(self, sets: Sequence[Source]) -> Iterator[Source]:
        for each in sets:
            for start in range(0, min(len(each.files), self.batch_size * _BATCHES), self.batch_size):
                files = each.files[start : start + self.batch_size]
                name = f"images {start + 1}-{start + len(files)}" if len(files) > 1 else f"image {start + 1}"
                yield Source(name, files, each.given)


def common_size(
    sets: Sequence[Source], *, skip_broken: bool = False, workers: int | None = None
) -> tuple[tuple[int, int], list[str]]:
    """Return the largest height and width that every image has, and warnings; raises as `ffltool.sizes.sizes_of`."""
    files = (path for each in sets for path in each.files)
    sizes = sizes_of(files, skip_broken=skip_broken, workers=workers)
    height, width = smallest(sizes.values())
    if (several := len(set(sizes.values()))) == 1:
        return (height, width), []
    least = printable(min(sizes, key=lambda path: min(sizes[path])).name)
    cut = f"each was cut about its centre to {height}x{width} ({least} is among the smallest)"
    return (height, width), [f"the images have {several} sizes; {cut}"]


def is_jpeg(path: Path) -> bool:
    """Tell whether a file holds a JPEG image, by its content; False for one that cannot be read."""
    try:
        with path.open("rb") as file:
            return file.read(len(_JPEG)) == _JPEG
    except OSError:
        return False
