"""Image files on disk: find them, and pair real with fake ones."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from ffltool.errors import InputError, printable

if TYPE_CHECKING:
    from ffltool.images import Picture
    from ffltool.label_maps import LabelMap

Files = tuple[Path | None, Path | None]  # of the real image and the fake one, see `Pair`

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".ppm", ".pgm", ".pbm", ".pnm", ".tif", ".tiff", ".gif")
_PAIR_KEYS: dict[str, Callable[[str], str]] = {
    "stem": lambda name: os.path.splitext(name)[0],
    "name": lambda name: name,
}
STATISTICS = ".npz"  # the suffix of a file that stands for real images
PAIRINGS = (*_PAIR_KEYS, "order")
_NAMED = 3  # how many left-over files an error names


@dataclass(frozen=True, slots=True)
class Pair:
    """Two files to compare, by their names relative to their folders.

    `fake` is None where one file holds both images, the real one left and the fake one right. Where nothing is paired,
    one of the two is None.
    """

    real: str | None
    fake: str | None

    @property
    def name(self) -> str:
        """The name of the file that the real image is in, or the only one."""
        name = self.fake if self.real is None else self.real
        assert name is not None, "a pair has a file"
        return name

    @property
    def partner(self) -> str:
        """The name of the file that the fake image is in."""
        return self.name if self.fake is None else self.fake


@dataclass(frozen=True)
class Pairing:
    """What there is to compare, in order, and what has to be said about it.

    `real` and `fake` are the folders or files that were given; `real` may be a file of statistics in place of images,
    of which there are none then. Without `paired` these are two sets, and each of `pairs` is an image of one of them.
    Where images, or label maps, are in memory instead of in files, `pictures` or `maps` are those of each pair.
    """

    real: Path
    fake: Path
    pairs: tuple[Pair, ...]
    warnings: tuple[str, ...] = ()
    paired: bool = True
    pictures: Mapping[Pair, tuple[Picture | None, Picture | None]] = field(default_factory=dict, compare=False)
    maps: Mapping[Pair, tuple[LabelMap, LabelMap]] = field(default_factory=dict, compare=False)

    @property
    def in_memory(self) -> bool:
        """Whether there are no files."""
        return bool(self.pictures or self.maps)

    @property
    def statistics(self) -> Path | None:
        """The file of statistics that stands for the real images."""
        return self.real if _is_statistics(self.real) else None

    @cached_property
    def folders(self) -> tuple[Path, Path]:
        """The folders that the names of the pairs are relative to."""
        real, fake = (path.parent if path.is_file() else path for path in (self.real, self.fake))
        return real, fake

    def files(self, pair: Pair) -> Files:
        """Return the paths of a pair's files, None where a name is."""
        real, fake = self.folders
        return None if pair.real is None else real / pair.real, None if pair.fake is None else fake / pair.fake

    def both(self, pair: Pair) -> tuple[Path, Path | None]:
        """Return the same of images that are paired, the second None where the first holds both."""
        real, fake = self.files(pair)
        assert real is not None, "only without pairs there are fake images by themselves"
        return real, fake

    def names(self, pair: Pair) -> tuple[str | None, str | None]:
        """Return the names of the files that the real and the fake image are in."""
        return pair.real, pair.partner if self.paired else pair.fake


def find(folder: Path, *, recursive: bool = True) -> list[str]:
    """Return the images below a folder by their relative names with "/", in natural order ("2" before "10").

    Links are followed, hidden files and folders are passed over, suffixes count in any case.

    Raises
    ------
    InputError : if the folder is none, cannot be read, or holds no image.
    """
    if not folder.is_dir():
        raise InputError(f"{folder} is not a folder" if folder.exists() else f"{folder} does not exist")

    names, above = [], {str(folder): {os.path.realpath(folder)}}
    for parent, folders, files in os.walk(folder, onerror=_refuse_folder, followlinks=True):
        folders[:] = [name for name in folders if recursive and name[0] != "." and _enter(parent, name, above)]
        prefix = "" if parent == str(folder) else os.path.relpath(parent, folder).replace(os.sep, "/") + "/"
        names += [prefix + name for name in files if name[0] != "." and _suffix(name) in SUFFIXES]
    if not names:
        raise InputError(f"{folder} holds no images (looked for {' '.join(SUFFIXES)})")
    return sorted(names, key=_natural)


def _enter(parent: str, name: str, above: dict[str, set[str]]) -> bool:
    """Tell whether a folder is none of those that lead to it, as a link may be; note in `above` which those are."""
    path = os.path.join(parent, name)
    real = os.path.realpath(path)
    above[path] = above[parent] | {real}
    return real not in above[parent]


def _refuse_folder(error: OSError) -> None:
    raise InputError(f"the folder {error.filename} cannot be read: {error.strerror}") from error


def _suffix(name: str) -> str:
    return os.path.splitext(name)[1].lower()


def _natural(name: str) -> tuple[list[list[str | int]], str]:
    folders = (re.split(r"(\d+)", part) for part in name.casefold().split("/"))
    return [[int(part) if index % 2 else part for index, part in enumerate(parts)] for parts in folders], name


def pair(
    real: str | os.PathLike[str],
    fake: str | os.PathLike[str] | None = None,
    *,
    by: str = "stem",
    recursive: bool = True,
    side_by_side: bool = False,
    allow_unpaired: bool = False,
    limit: int | None = None,
) -> Pairing:
    """Find the pairs of two folders, of two image files, or of one folder of side-by-side images.

    Parameters
    ----------
    by : what the partners share: "stem" the relative path without its suffix, "name" all of it, "order" the
        place in natural order; "none" makes no pairs, but two sets of any number of images.
    side_by_side : `real` alone is given, and each of its images holds the real one left and the fake one right.
    allow_unpaired : leave out files without a partner, and say so, instead of raising.
    limit : take only so many pairs, or images of each set, the first ones.

    Raises
    ------
    InputError : if there is nothing to pair, something is left over, or a partner is ambiguous.
    """
    real, fake = Path(real), None if fake is None else Path(fake)
    if by not in (*PAIRINGS, "none"):
        raise InputError(f"images cannot be paired by {by!r}; known are {', '.join(PAIRINGS)}, none")
    if limit is not None and limit < 1:
        raise InputError(f"limit must be 1 or more, but is {limit}")
    if side_by_side:
        if fake is not None:
            raise InputError("side-by-side images lie in one folder, but two were given")
        names = [real.name] if real.is_file() else find(real, recursive=recursive)
        return Pairing(real, real, tuple(Pair(name, None) for name in names[:limit]))
    if fake is None:
        raise InputError("FAKE is missing: give two folders or two images (or --side-by-side and one folder)")
    if by != "none" and _is_statistics(real):
        raise InputError(
            f"{real} holds statistics of a set, which pair with no images: they are for fid, kid and is alone"
        )
    if by == "none":
        return _unpaired(real, fake, recursive=recursive, limit=limit)
    if real.is_file() and fake.is_file():
        return Pairing(real, fake, (Pair(real.name, fake.name),))
    for one, other in ((real, fake), (fake, real)):
        if one.is_file() and other.is_dir():
            raise InputError(f"{one} is a file and {other} a folder: give two folders or two images")
        if one.is_file() and not other.is_file():
            raise InputError(f"{other} {'is no file with an image in it' if other.exists() else 'does not exist'}")

    reals, fakes = find(real, recursive=recursive), find(fake, recursive=recursive)
    matched, lone_reals, lone_fakes = _match(_keyed(real, reals, by), _keyed(fake, fakes, by))
    lone = ""
    if lone_reals or lone_fakes:
        sides = _describe(real, lone_reals, len(reals)), _describe(fake, lone_fakes, len(fakes))
        lone = f"{sides[0]} and {sides[1]} have no partner"
        if not allow_unpaired:
            way_out = f"--allow-unpaired compares the {len(matched)} that match" if matched else "see --pair"
            raise InputError(f"{lone}; {way_out}")
    pairs = tuple(Pair(*names) for names in matched[:limit])
    return Pairing(real, fake, pairs, (f"{lone} and were left out",) if lone else ())


def _unpaired(real: Path, fake: Path, *, recursive: bool, limit: int | None) -> Pairing:
    """Return the images of two folders, or single ones, each by itself."""
    if _is_statistics(fake):
        raise InputError(f"{fake} holds statistics of a set, which can stand for REAL alone")
    reals, fakes = ([path.name] if path.is_file() else find(path, recursive=recursive)[:limit] for path in (real, fake))
    if _is_statistics(real):
        reals = []
    images = (*(Pair(name, None) for name in reals), *(Pair(None, name) for name in fakes))
    return Pairing(real, fake, images, paired=False)


def _is_statistics(path: Path) -> bool:
    return path.suffix.lower() == STATISTICS and path.is_file()


def _match(reals: dict[str, str], fakes: dict[str, str]) -> tuple[list[tuple[str, str]], list[str], list[str]]:
    """Return the pairs of names that share a key, and the names of each side that share none."""
    matched = [(name, fakes[key]) for key, name in reals.items() if key in fakes]
    lone_reals = [name for key, name in reals.items() if key not in fakes]
    lone_fakes = [name for key, name in fakes.items() if key not in reals]
    return matched, lone_reals, lone_fakes


def _keyed(folder: Path, names: list[str], by: str) -> dict[str, str]:
    """Return the names by what their partners share with them."""
    if by == "order":
        return {str(place): name for place, name in enumerate(names)}
    keyed: dict[str, str] = {}
    for name in names:
        other = keyed.setdefault(_PAIR_KEYS[by](name), name)
        if other != name:
            raise InputError(f"{folder} holds both {other} and {name}, which pair with the same image; use --pair name")
    return keyed


def _describe(folder: Path, lone: list[str], count: int) -> str:
    """Say how many of a folder's images have no partner, naming the first of them."""
    names = ", ".join(map(printable, lone[:_NAMED])) + (", …" if len(lone) > _NAMED else "")
    return f"{len(lone)} of {count} images in {folder}" + (f" ({names})" if lone else "")


def digest(files: Iterable[tuple[str, float]]) -> str:
    """Return a hash of the names and the sizes in bytes of files, in their order: what tells one set from another."""
    lines = (f"{name}\0{int(size)}\n" for name, size in files)
    return "sha256:" + hashlib.sha256("".join(lines).encode(errors="surrogateescape")).hexdigest()
