"""Features of sets of files kept for later runs, under keys of everything that they depend on.

An entry is an NPZ file in the folder `features` of ffltool's cache, by the name of its key. Together they take up no
more than `LIMIT`: those that were not used for longest leave first. An entry that is damaged, or not of the images it
is called by, is none, for it can be made again.

A key is of the content of a set's files in order, the weights, preset, layer, precision, kind of device, what becomes
of alpha channels, and the version of ffltool. A set that is found is not decoded again, unless another metric needs its
images. Not kept are sets with broken files or dropped alpha channels, and those of several processes; where broken
images are skipped pairs are read each time, for a broken image takes its partner along.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np

from ffltool import outputs, user_cache
from ffltool.archives import opened, packed
from ffltool.errors import InputError
from ffltool.stream import stream

SCHEMA = "ffltool.features/1"
LIMIT = 4 << 30  # bytes
_CHUNK = 16  # files that a thread takes at a time


def digest_of_files(paths: Sequence[Path]) -> str | None:
    """Return the SHA-256 over the content of files, in their order; None if one cannot be read."""
    digest = hashlib.sha256()
    try:
        for each in stream(paths, _digest, chunk=_CHUNK):
            digest.update(each)
    except OSError:
        return None
    return digest.hexdigest()


def _digest(path: Path) -> bytes:
    return hashlib.sha256(path.read_bytes()).digest()


def find(key: str, *, count: int, width: int) -> dict[str, np.ndarray] | None:
    """Return the arrays that were kept under a key, if there are any of `count` images with `width` features each."""
    path = _path(key)
    if path is None or not os.path.isfile(path):
        return None
    try:
        with opened(path, schema=SCHEMA, holding="features") as file:
            arrays = {name: file[name] for name in file if name != "ffltool"}
            _check(arrays, count=count, width=width)
        os.utime(path)  # it is the last to leave now
    except (InputError, OSError):
        return None
    return arrays


def _check(arrays: Mapping[str, np.ndarray], *, count: int, width: int) -> None:
    """Raise ValueError or KeyError unless these are rows of features, and sums of others, of so many images."""
    shapes = {"rows": (*arrays["rows"].shape[:1], width), "count": (), "total": (width,), "outer": (width, width)}
    wanted = shapes if "count" in arrays else ["rows"]
    if arrays.keys() != set(wanted) or len(arrays["rows"]) + arrays.get("count", 0) != count:
        raise ValueError("other images")
    for name, array in arrays.items():
        if array.shape != shapes[name] or array.dtype.kind != "f" or not np.isfinite(array).all():
            raise ValueError(name)


def keep(key: str, arrays: Mapping[str, np.ndarray]) -> None:
    """Keep arrays under a key, and let others go where they are too many.

    Raises
    ------
    InputError : if that fails.
    """
    path, content = _path(key), packed(arrays, schema=SCHEMA)
    if path is None or len(content) > LIMIT:
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{path.parent} cannot be made: {error.strerror}") from error
    outputs.write(path, content)
    _make_room(path.parent)


def _make_room(folder: Path) -> None:
    """Remove the entries that were not used for longest, until the others fit."""
    found = []
    for path in folder.glob("*.npz"):
        with suppress(FileNotFoundError):  # another process removes them too
            found.append((path.stat().st_mtime_ns, path.stat().st_size, path))
    excess = sum(size for _, size, _ in found) - LIMIT
    for _, size, path in sorted(found):
        if excess <= 0:
            return
        path.unlink(missing_ok=True)
        excess -= size


def _path(key: str) -> Path | None:
    folder = user_cache.folder("features")
    return None if folder is None else folder / f"{key}.npz"
