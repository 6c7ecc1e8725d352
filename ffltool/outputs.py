"""Files that ffltool writes: whole or not at all, and never over something that it did not write."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from ffltool.errors import InputError

MARK = "ffltool"  # stands in the metadata of every image and figure
_PART = ".ffltool-*.part"  # a file that is being written
_ENDS = 4096  # bytes at both ends of a file in which its mark is looked for


def check(path: Path, *, mark: str, force: bool = False) -> None:
    """Find out, before the work, whether `path` can be written.

    Parameters
    ----------
    mark : a text near the start or end of every output of this kind; an existing file that lacks it is somebody else's.
    force : overwrite any file.

    Raises
    ------
    InputError : for a missing or read-only folder, a folder in the file's place, or somebody else's file.
    """
    target = Path(os.path.realpath(path))
    if not target.parent.is_dir():
        raise InputError(f"{path} cannot be written: the folder {target.parent} does not exist")
    if target.is_dir():
        raise InputError(f"{path} cannot be written: it is a folder")
    if not os.access(path if _is_device(path) else target.parent, os.W_OK):
        raise InputError(f"{path} cannot be written: permission denied")
    if target.is_file() and target.stat().st_size and not force:
        with target.open("rb") as file:
            head = file.read(_ENDS)
            file.seek(max(0, target.stat().st_size - _ENDS))
            if not any(mark.encode() in part for part in (head, file.read())):
                raise InputError(f"{path} exists and is no earlier output of this kind; --force overwrites it")


def check_folder(folder: Path) -> None:
    """Find out, before the work, whether a folder is there, or can be made in one that is.

    Raises
    ------
    InputError : if there is something else in its place, or it cannot be made.
    """
    if folder.is_dir():
        return
    if folder.exists() or folder.is_symlink():
        raise InputError(f"{folder} cannot be written to: it is no folder")
    if not folder.parent.is_dir() or not os.access(folder.parent, os.W_OK):
        raise InputError(f"{folder} cannot be made: {folder.parent} is no folder that can be written to")


def write(path: Path, content: bytes) -> None:
    """Write a file by moving a whole new one into its place; a device or a pipe is written to directly.

    Raises
    ------
    InputError : if that fails, with the system's reason; the old file is then still there.
    """
    target = Path(os.path.realpath(path))  # of a pipe that a shell made this is no path
    # unlike any other's: threads share a process number, and machines may share the folder
    part = target.with_name(_PART.replace("*", f"{os.getpid()}-{os.urandom(4).hex()}"))
    try:
        if _is_device(path):
            path.write_bytes(content)
            return
        try:
            part.write_bytes(content)
            if target.exists():
                shutil.copymode(target, part)
            part.replace(target)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror}") from error


def _is_device(path: Path) -> bool:
    """Tell a device or a pipe from a file, and from nothing; a folder counts as one."""
    return path.exists() and not path.is_file()


def clear_parts(folder: Path) -> None:
    """Remove what processes that were killed had begun to write in a folder, in which nobody writes now."""
    for part in folder.glob(_PART):
        part.unlink(missing_ok=True)
