"""The networks' weight files: which there are, where they lie, whether they are whole.

A file is *known* if it is the published one, byte for byte, or if the tensors that count are: a file of the features
alone, or one saved anew. Any other with the right names and shapes is a file of one's *own*, and is used only where
the user said so.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ffltool import checkpoints, outputs, user_cache
from ffltool.errors import InputError, MissingWeightsError, NothingComparedError, WeightsError
from ffltool.formats import json_text
from ffltool.networks import FILES, File

if TYPE_CHECKING:
    from torch import Tensor

    from ffltool.stream import Progress

SCHEMA = "ffltool.weights/1"
MARK = f'"schema": "{SCHEMA}"'  # stands near the start of every such JSON file
OWN, VARIABLE, CACHE, HUB = "--weights", "$FFLTOOL_WEIGHTS", "cache", "torch hub"


@dataclass(frozen=True, kw_only=True)
class Found:
    """Where the weights of a network were found, and what their check said."""

    name: str
    state: Literal["known", "own", "damaged", "missing"]
    place: str | None = None
    path: Path | None = None
    sha256: str | None = None  # of the file
    problem: str | None = None  # of a damaged one


@dataclass(frozen=True, kw_only=True)
class Usable(Found):
    """Weights that passed the check: the published ones, or the user's own."""

    state: Literal["known", "own"]
    place: str
    path: Path
    sha256: str


@dataclass(frozen=True, kw_only=True, eq=False)
class Weights:
    """A network's tensors by name, float32, as in `networks.SHAPES`; ``found`` is what a result must name."""

    tensors: dict[str, Tensor]
    found: Usable


def load(name: str, *, own: Path | None = None, download: bool = False, progress: Progress | None = None) -> Weights:
    """Return the weights of a network, checked.

    Parameters
    ----------
    own : a file to use in place of those that are looked for; any tensors of the right names and shapes.
    download : fetch the published file if there is none; otherwise nothing reaches for the network.

    Raises
    ------
    WeightsError : for a file that is damaged, or not the published one; MissingWeightsError where there is none, and
        none could be fetched.
    """
    if download and own is None and _find(name) is None:
        try:
            fetch(name, progress=progress)
        except WeightsError as error:
            raise MissingWeightsError(str(error)) from error
    found, tensors = _check(name, *_place(name, own))
    return Weights(tensors=checkpoints.read(found.path, name) if tensors is None else tensors, found=found)


def check(name: str, *, own: Path | None = None) -> Usable:
    """Return which file `load` would take, after the same check; raises the same."""
    return _check(name, *_place(name, own))[0]


def survey(names: Iterable[str]) -> Iterator[Found]:
    """Check the files of networks, one by one; those that cannot be used are told by their state."""
    for name in names:
        place = _find(name)
        if place is None:
            yield Found(name=name, state="missing")
            continue
        try:
            yield _check(name, *place)[0]
        except WeightsError as error:
            yield Found(name=name, state="damaged", place=place[0], path=place[1], problem=str(error))


def demand(checked: list[Found], *, each: bool) -> None:
    """Raise an error unless there are files and all are whole; with `each`, unless none is missing either."""
    unfit = [found for found in checked if found.state == "damaged" or (each and found.state == "missing")]
    if unfit:
        names = ", ".join(f"{found.name} ({found.state})" for found in unfit)
        raise WeightsError(f"{len(unfit)} of {len(checked)} networks have no weights that can be used: {names}")
    if all(found.state == "missing" for found in checked):
        raise NothingComparedError("there are no weight files to verify")


def fetch(name: str, *, progress: Progress | None = None) -> Usable:
    """Bring the published file into the cache, unless it is on this machine; it takes the place of an added one.

    Raises
    ------
    WeightsError : if it cannot be fetched or kept, or $FFLTOOL_WEIGHTS holds another under its name.
    """
    place = _find(name)
    if place is not None:
        try:
            found = _check(name, *place)[0]
            if found.state == "known":
                return found
        except WeightsError:
            if place[0] == VARIABLE:  # it would be looked at first, whatever the cache holds
                raise
    from ffltool import downloads  # here, for it takes longer to import than a file to check

    file = FILES[name]
    downloads.fetch(file.url, _cache() / file.name, size=file.size, sha256=file.sha256, progress=progress)
    for path in _added(name):
        path.unlink()
    return check(name)


def add(name: str, path: Path) -> Usable:
    """Copy a file into the cache, where it is taken before the published one until the next `fetch` or `add`.

    Raises
    ------
    WeightsError : for a file that is none of the network's, or would not be taken for one in $FFLTOOL_WEIGHTS.
    """
    digest = check(name, own=path).sha256
    if (place := _find(name)) is not None and place[0] == VARIABLE:
        raise WeightsError(f"{place[1]} in {VARIABLE} would still be taken before an added file")
    target = _cache() / f"{name}-added-{digest[:8]}.pth"
    outputs.write(target, path.read_bytes())
    for other in _added(name):
        if other != target:
            other.unlink()
    return _check(name, CACHE, target)[0]


def named_file(text: str) -> tuple[str, Path]:
    """Return the network and the path that ``NAME=FILE`` names; InputError for another form, or an unknown network."""
    name, equals, path = text.partition("=")
    if not equals or not path:
        raise InputError(f"{text!r} is not of the form NAME=FILE")
    _file(name)
    return name, Path(os.path.expanduser(path))


def folders() -> dict[str, Path | None]:
    """Return the folders that are searched, by place and in order; None for one that this environment has not."""
    variable = os.environ.get(VARIABLE[1:])
    torch_home = os.environ.get("TORCH_HOME") or f"{os.environ.get('XDG_CACHE_HOME') or '~/.cache'}/torch"
    return {
        VARIABLE: Path(os.path.expanduser(variable)) if variable else None,
        CACHE: user_cache.folder("weights"),
        HUB: user_cache.at_home(Path(os.path.expanduser(torch_home)) / "hub" / "checkpoints"),
    }


def as_json(checked: list[Found]) -> str:
    """Return the published files and what was found of them as JSON of the schema `ffltool.weights/1`."""
    files = []
    for found in checked:
        file = FILES[found.name]
        published = {"file": file.name, **asdict(file)}
        files.append({"name": found.name, "published": published} | {**asdict(found), "path": _text(found.path)})
    places = [{"place": place, "folder": _text(folder)} for place, folder in folders().items()]
    return json_text(SCHEMA, "weights", {"files": files, "places": places})


def _text(path: Path | None) -> str | None:
    return None if path is None else str(path)


def _file(name: str) -> File:
    if name not in FILES:
        raise InputError(f"there is no network {name!r}; known are {', '.join(FILES)}")
    return FILES[name]


def _find(name: str) -> tuple[str, Path] | None:
    """Return place and path of the first file there is."""
    published = _file(name).name
    for place, folder in folders().items():
        if place == VARIABLE and folder is not None and not folder.is_dir():
            raise WeightsError(f"{VARIABLE} is {folder}, which is no folder")
        if folder is not None:
            names = (published, f"{name}.pth", f"{name}_features.pth") if place == VARIABLE else (published,)
            paths = [*(_added(name) if place == CACHE else ()), *(folder / each for each in names)]
            for path in paths:
                if os.path.isfile(path):  # also says no to a closed folder, which Path.is_file raises
                    return place, path
    return None


def _place(name: str, own: Path | None) -> tuple[str, Path]:
    """Return place and path of the file to take; raise an error that tells how to get one where there is none."""
    if own is not None and os.path.exists(own) and not os.path.isfile(own):  # a pipe would be waited for
        raise WeightsError(f"{own} is no file of weights")
    place = (OWN, own) if own is not None else _find(name)
    if place is not None:
        return place
    file = FILES[name]
    searched = ", ".join(f"{place} ({folder or 'not set'})" for place, folder in folders().items())
    raise MissingWeightsError(
        f"{file.name} is not in {searched}; `ffltool weights fetch {name}` brings it "
        f"from {file.url} (SHA-256 {file.sha256})"
    )


def _cache() -> Path:
    """Return the cache's folder, made where it was missing."""
    folder = folders()[CACHE]
    if folder is None:
        raise WeightsError("there is no home folder to keep weights in; set XDG_CACHE_HOME to a folder")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WeightsError(f"{folder} cannot be made: {error.strerror}") from error
    return folder


def _added(name: str) -> list[Path]:
    folder = folders()[CACHE]
    if folder is None or not os.path.isdir(folder):  # nor a closed one, on which Path.glob raises an error
        return []
    return sorted(folder.glob(f"{name}-added-*.pth"))


def _check(name: str, place: str, path: Path) -> tuple[Usable, dict[str, Tensor] | None]:
    """Return what a file is, and its tensors if they had to be read for that."""
    try:
        return _examine(name, place, path)
    except WeightsError as error:
        if place in (CACHE, HUB):
            raise WeightsError(f"{error}; `ffltool weights fetch {name}` brings the published file") from error
        raise


def _examine(name: str, place: str, path: Path) -> tuple[Usable, dict[str, Tensor] | None]:
    file = _file(name)
    digest = checkpoints.digest_of_file(path)
    found = Usable(name=name, state="known", place=place, path=path, sha256=digest)
    if digest == file.sha256:
        return found, None
    tensors = checkpoints.read(path, name)
    if checkpoints.digest_of_tensors(tensors) == file.tensors:
        return found, tensors
    added = path in _added(name)
    if added and not path.stem.endswith(digest[:8]):
        raise WeightsError(f"{path} has changed since it was added: its SHA-256 is {digest}")
    if not added and place != OWN:
        raise WeightsError(
            f"{path} is not the published {file.name}: its SHA-256 is {digest}, not {file.sha256}; "
            f"`ffltool weights add {name}={path}` takes it as your own"
        )
    return replace(found, state="own"), tensors
