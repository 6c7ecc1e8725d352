"""Mean spectra of sets of image files, streamed: any number of them in the same memory."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol

import torch
from torch import Tensor

from ffltool import ranks
from ffltool.batches import few_threads
from ffltool.errors import FfltoolError, InputError, NothingComparedError, printable
from ffltool.images import alpha_dropped, left_out, read
from ffltool.loading import Loading
from ffltool.mean_spectrum import Average, MeanSpectrum, Whitening, channels
from ffltool.metrics.sums import Sums
from ffltool.recipes import Recipe

_BATCH = 1 << 21  # values transformed at a time


class Images(Protocol):
    """Sums over images."""

    def update(self, images: Tensor) -> None:
        """Take in images, shape (N, 1 or 3, H, W), values in 0..255."""

    def all_reduce(self) -> None:
        """Add up over all processes."""


@dataclass(frozen=True, kw_only=True)
class Fate:
    """What became of some files: the broken ones that were ``skipped``, and how many images there are of some kinds.

    ``alphas`` lost an alpha channel, ``constant`` ones have no spectrum but their mean.
    """

    skipped: tuple[Path, ...]
    alphas: int
    constant: int

    def warnings(self, label: str) -> Iterator[str]:
        """Yield what every command has to say of the set of that label."""
        if self.skipped:
            yield f"{label}: {left_out([printable(path.name) for path in self.skipped])}"
        if self.alphas:
            yield f"{label}: {alpha_dropped(self.alphas, composites=True)}"


def average(
    files: Sequence[Path],
    recipe: Recipe,
    loading: Loading,
    *,
    size: tuple[int, int],
    whitening: Whitening | None = None,
    device: torch.device | str = "cpu",
) -> tuple[Average, Fate]:
    """Return the mean spectrum of image files, in constant memory, and what became of the files.

    Images are cut about their centres to `size`, height and width, which is at most that of each.
    Under torchrun each process takes its share of the files, and all of them return the whole.

    Raises
    ------
    InputError : for an image that cannot be read, or is smaller than the size wanted.
    NothingComparedError : if no image is left.
    """
    mean = MeanSpectrum(recipe, *size, whitening=whitening, device=device)
    fate = take_in(files, mean, loading, size=size, batch=batch_of(*mean.padded))
    return mean.compute(), fate


def batch_of(height: int, width: int) -> int:
    """Return how many images of that size are transformed at a time."""
    return max(1, _BATCH // (height * width))


class PixelMoments(Sums):
    """Mean and standard deviation of the pixels of a set, over the channels of that kind; 0..255 scale."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        super().__init__(count=(), total=(), squares=())

    def update(self, images: Tensor) -> None:
        """Take in images, shape (N, 1 or 3, H, W)."""
        values = channels(images, self.kind).double()
        self.add(count=values.numel(), total=values.sum().item(), squares=values.square().sum().item())

    def compute(self) -> Whitening:
        """Return mean and standard deviation (of the population); 1 in place of a deviation of nothing.

        Raises
        ------
        NothingComparedError : if there were no images.
        """
        count = self.numbers["count"]
        if not count:
            raise NothingComparedError("there is no image to take the mean of")
        mean = self.numbers["total"] / count
        return Whitening(mean, math.sqrt(max(0.0, self.numbers["squares"] / count - mean**2)) or 1.0)


def whitening_of(files: Sequence[Path], recipe: Recipe, loading: Loading, *, size: tuple[int, int]) -> Whitening:
    """Return mean and standard deviation of the pixels of image files, for a recipe that whitens by a set."""
    if recipe.whiten != "set":
        return Whitening()
    sums = PixelMoments(recipe.channels)
    take_in(files, sums, loading, size=size, batch=1)
    return sums.compute()


def take_in(files: Sequence[Path], sums: Images, loading: Loading, *, size: tuple[int, int], batch: int) -> Fate:
    """Update sums with batches of this process's share of the files, and add them up over all processes.

    Images are cut about their centres to `size`, height and width.

    Raises
    ------
    InputError : as `average`; and if another process stopped at an image.
    """
    fates, error = Sums(skipped=(len(files),), alphas=(), constant=(), failed=()), None
    with ranks.group(), few_threads():
        try:
            for images in _batches(files, loading, fates, size=size, batch=batch):
                sums.update(images)
        except FfltoolError as met:
            error = met
            fates.add(failed=1)
        fates.all_reduce()  # no process waits for the sums of one that has none
        if error:
            raise error
        if fates.numbers["failed"]:
            raise InputError("another process stopped at an image, see its message")
        sums.all_reduce()
    skipped = tuple(files[number] for number in fates.tensors["skipped"].nonzero().flatten().tolist())
    return Fate(skipped=skipped, alphas=int(fates.numbers["alphas"]), constant=int(fates.numbers["constant"]))


def _batches(
    files: Sequence[Path], loading: Loading, fates: Sums, *, size: tuple[int, int], batch: int
) -> Iterator[Tensor]:
    """Yield batches of this process's share of the files, and count what becomes of them in fates."""
    mine = ranks.share(range(len(files)))
    loaded = loading.each([files[number] for number in mine], partial(_load, alpha=loading.alpha, size=size))
    waiting: list[Tensor] = []
    for number, found in zip(mine, loaded, strict=True):
        if found is None:
            fates.tensors["skipped"][number] = 1
            continue
        pixels, dropped, constant = found
        fates.add(alphas=dropped, constant=constant)
        waiting.append(pixels)
        if len(waiting) == batch:
            yield _stacked(waiting)
            waiting.clear()
    if waiting:
        yield _stacked(waiting)


def _load(path: Path, *, alpha: str, size: tuple[int, int]) -> tuple[Tensor, bool, bool]:
    """Return an image, shape (1 or 3, H, W), 0..255; whether it lost an alpha channel; whether it is constant."""
    picture = read(path, alpha=alpha)
    check_size(path, picture.size, size)
    planes = picture.centre_crop(*size).planes()
    # a copy: pixels of Pillow's are read-only, which torch warns of
    pixels = torch.tensor(planes, dtype=torch.uint8 if picture.is_8_bit else torch.float32)
    return pixels, picture.alpha_dropped, bool((planes == planes[:, :1, :1]).all())


def check_size(path: Path, size: tuple[int, int], wanted: tuple[int, int]) -> None:
    """Raise InputError for a file whose image is smaller than the height and width that are wanted."""
    if any(side < least for side, least in zip(size, wanted, strict=True)):
        sizes = ["x".join(map(str, sides)) for sides in (size, wanted)]
        raise InputError(f"{path} is {sizes[0]}, smaller than the {sizes[1]} (height x width) that are wanted")


def _stacked(images: list[Tensor]) -> Tensor:
    """Return images of 1 or 3 channels, of 8 or 16 bits, as one batch."""
    if len({(image.dtype, len(image)) for image in images}) > 1:
        most = max(map(len, images))
        images = [image.float().expand(most, -1, -1) for image in images]
    return torch.stack(images)
