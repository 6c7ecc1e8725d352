"""Folders of images as one tensor of 8-bit pixels, decoded once, and batches of it in an order that a seed decides."""

from __future__ import annotations

import hashlib
import math
import os
import tempfile
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ffltool import ranks
from ffltool.errors import InputError, NothingComparedError, printable
from ffltool.images import Picture, alpha_dropped, left_out, read, read_both
from ffltool.loading import Loading
from ffltool.pairing import digest, find

DIRECTIONS = ("AtoB", "BtoA")  # as pix2pix has them
_SHARE = 0.25  # of a machine's or a device's memory that pixels may take


@dataclass(frozen=True, eq=False, kw_only=True)
class Dataset:
    """Images of one folder: ``pixels``, uint8, shape (N, 3, S, S), and their names, each there once.

    Pairs have six channels, those of what is given before those of what is wanted, see `given` and `wanted`. Names are
    without suffix, but where that leaves two of them equal. ``digest`` is over names and sizes in bytes of the files,
    ``warnings`` are what has to be said of them.
    """

    folder: Path
    pixels: Tensor
    names: tuple[str, ...]
    digest: str
    warnings: tuple[str, ...] = ()

    def held_out(self, every: int) -> tuple[Dataset, Dataset]:
        """Return the images without every so-manyth, and these, which are to be tested with.

        Raises
        ------
        InputError : if there are too few for one of these.
        """
        if len(self) < every:
            raise InputError(f"{self.folder} holds {len(self)} images; {every} are wanted, one to be tested with")
        tested = torch.arange(len(self)) % every == every - 1
        return self._chosen(~tested), self._chosen(tested)

    def _chosen(self, chosen: Tensor) -> Dataset:
        names = tuple(name for name, wanted in zip(self.names, chosen.tolist(), strict=True) if wanted)
        hashed = hashlib.sha256("\n".join([self.digest, *names]).encode(errors="surrogateescape")).hexdigest()
        pixels = _room(len(names), *self.pixels.shape[1:])
        torch.index_select(self.pixels, 0, chosen.nonzero().flatten(), out=pixels)
        return replace(self, pixels=pixels, names=names, digest=f"sha256:{hashed}")

    def __len__(self) -> int:
        return len(self.names)


def load(folder: Path, *, size: int, direction: str | None = None, loading: Loading | None = None) -> Dataset:
    """Read a folder of images, its subfolders too: the shorter side becomes `size` (Lanczos), the centre is cut out.

    With a direction each image holds a pair side by side, whose halves are treated so: of "AtoB" the left one is given
    and the right one is wanted, "BtoA" is the other way round.

    Pixels that would take more than a quarter of the memory lie in a nameless file in the system's temporary folder.

    Raises
    ------
    InputError : for an image that cannot be read, is smaller than the size, or so wide that it has no halves; if there
        is no room for the pixels.
    NothingComparedError : if every image is broken.
    """
    loading = loading or Loading()
    files = [folder / name for name in find(folder)]
    pixels = _room(len(files), 6 if direction else 3, size, size)
    loaded = loading.each(files, partial(_read, size=size, direction=direction, alpha=loading.alpha))
    kept: list[Path] = []
    skipped, alphas = [], 0
    for path, found in zip(files, loaded, strict=True):
        if found is None:
            skipped.append(path)
            continue
        image, dropped = found
        pixels[len(kept)] = torch.from_numpy(image)
        kept.append(path)
        alphas += dropped
    if not kept:
        raise NothingComparedError(f"{folder}: every image is broken")
    names = [path.relative_to(folder).as_posix() for path in kept]
    warnings = [f"{folder}: {left_out([printable(path.name) for path in skipped])}"] if skipped else []
    warnings += [f"{folder}: {alpha_dropped(alphas)}"] if alphas else []
    return Dataset(
        folder=folder,
        pixels=pixels[: len(kept)],
        names=_told_apart(names),
        digest=digest((name, path.stat().st_size) for name, path in zip(names, kept, strict=True)),
        warnings=tuple(warnings),
    )


def _told_apart(names: list[str]) -> tuple[str, ...]:
    stems = tuple(os.path.splitext(name)[0] for name in names)
    return stems if len(set(stems)) == len(stems) else tuple(names)


def _room(*shape: int) -> Tensor:
    """Return a uint8 tensor of that shape, in memory if it fits well and else in a file that nobody else sees."""
    needed = math.prod(shape)
    reserves = hasattr(os, "posix_fallocate")
    if not reserves or needed <= _SHARE * os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"):
        return torch.empty(shape, dtype=torch.uint8)
    with tempfile.TemporaryFile() as file:
        try:
            os.posix_fallocate(file.fileno(), 0, needed)  # a write into a hole would kill the process on a full disk
        except OSError as error:
            raise InputError(f"there is no room for {needed / 1e9:.1f} GB of pixels: {error.strerror}") from error
        return torch.from_numpy(np.memmap(file, np.uint8, mode="r+", shape=shape))


def _read(path: Path, *, size: int, direction: str | None, alpha: str) -> tuple[np.ndarray, bool]:
    """Return an image, uint8, shape (3 or 6, S, S), and whether it lost an alpha channel."""
    pictures = read_both(path, None, alpha=alpha) if direction else (read(path, alpha=alpha),)
    height, width = pictures[0].size
    if min(height, width) < size:
        halves = " in each half" if direction else ""
        raise InputError(f"{path} is {height}x{width}{halves}, smaller than --size {size}")
    ordered = pictures[::-1] if direction == "BtoA" else pictures
    return np.concatenate([_square(picture, size) for picture in ordered]), pictures[0].alpha_dropped


def _square(picture: Picture, size: int) -> np.ndarray:
    height, width = picture.size
    if min(height, width) > size:
        scale = size / min(height, width)
        picture = picture.resize(*(max(size, round(side * scale)) for side in (height, width)))
    planes = np.rint(picture.centre_crop(size, size).planes()).astype(np.uint8)
    return np.broadcast_to(planes, (3, size, size))


def given(images: Tensor) -> Tensor:
    """Return what a model is given of images, (N, 3, S, S), or of pairs, (N, 6, S, S)."""
    return images[:, :3]


def wanted(images: Tensor) -> Tensor:
    """Return what a model shall make of what it is given, which is the same for images that are no pairs."""
    return images[:, -3:]


def to_unit(pixels: Tensor) -> Tensor:
    """Return 8-bit pixels, of any shape, as float32 in -1..1."""
    return pixels.float() / 127.5 - 1


def seed_of(seed: int, *what: object) -> int:
    """Return the seed of one thing among those that a run draws at random, such as ("noise", 12)."""
    text = "/".join(map(str, (seed, *what)))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


class Batches:
    """Batches of a tensor of pixels, in another order in each epoch; what is left over at its end is left out.

    Nothing here has a state: the batch of a step depends on the seed and its number alone, and under torchrun each
    process takes its share of it.

    Parameters
    ----------
    pixels : uint8, shape (N, 3 or 6, S, S), N at least `size`. They move to the device if they fit into it.
    size : images of a batch, over all processes, whose number divides it.
    """

    def __init__(self, pixels: Tensor, size: int, *, seed: int, device: torch.device) -> None:
        self.size, self.seed, self.device = size, seed, device
        self.pixels = pixels.to(device) if _fits(pixels, device) else pixels
        self.of_epoch = len(pixels) // size
        self._order: tuple[int, Tensor] = (-1, torch.empty(0))

    def epoch_of(self, step: int) -> int:
        """Return the epoch of a step, both counted from 1."""
        return (step - 1) // self.of_epoch + 1

    def batch(self, step: int) -> Tensor:
        """Return this process's images of a step, of the shape of `pixels` but for their number, in -1..1."""
        epoch = self.epoch_of(step)
        if self._order[0] != epoch:
            self._order = epoch, self._shuffled(epoch)
        start = (step - 1) % self.of_epoch * self.size
        chosen = self.pixels[ranks.share(self._order[1][start : start + self.size])]
        return to_unit(chosen.to(self.device))

    def _shuffled(self, epoch: int) -> Tensor:
        generator = torch.Generator().manual_seed(seed_of(self.seed, "order", epoch))
        order = torch.randperm(len(self.pixels), generator=generator)
        if self.pixels.device.type == "cuda":
            return order.pin_memory().to(self.pixels.device, non_blocking=True)
        return order.to(self.pixels.device)


def _fits(pixels: Tensor, device: torch.device) -> bool:
    return device.type != "cuda" or pixels.numel() <= _SHARE * torch.cuda.mem_get_info(device)[1]
