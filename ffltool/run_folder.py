"""The folder of a training run: its settings, its losses, and a checkpoint from which it can go on.

    config.json             settings, images, versions
    log.csv                 the losses of every step
    checkpoint.pt           weights, moments, number of the step
    samples/epoch_0001.png  images over what became of them
    recon/real, recon/fake  test images, and rebuilt
    report.json             all metrics of these
    generated/              images of noise alone

What is there of these is whole, but for the log: lines are added to it, and those that a checkpoint does not know of
are cut off when the run goes on from there.
"""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import sys
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ffltool import outputs, pictures, ranks
from ffltool.errors import InputError
from ffltool.formats import csv_text, json_text
from ffltool.train import Step

SCHEMA = "ffltool.train/1"
MARK = f'"schema": "{SCHEMA}"'
CHECKPOINT = "ffltool.checkpoint/1"
_COLUMNS = 8  # of a grid of images
_GAP = 2  # pixels between two
_HEAD = 200  # bytes of a file in which its mark stands
_HEAD_OF_LOG = ",".join(Step._fields) + "\n"


@dataclass(frozen=True, kw_only=True)
class Reuse:
    """What may be done with a folder that is there: by default nothing is, and a new one is wanted.

    ``resume`` goes on from a checkpoint of ours, if there is one; ``force`` begins anew over what is ours, or beside
    other files. What is called like ours and is not stays.
    """

    resume: bool = False
    force: bool = False

    def __post_init__(self) -> None:
        if self.resume and self.force:
            raise InputError("--resume goes on with what is there, --force begins anew: one of them is wanted")


class RunFolder:
    """The folder of a run; `held` makes it if it is not there."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.config, self.log, self.checkpoint = (path / name for name in ("config.json", "log.csv", "checkpoint.pt"))
        self.samples, self.recon, self.generated = (path / name for name in ("samples", "recon", "generated"))
        self.real, self.fake = self.recon / "real", self.recon / "fake"
        self.report = path / "report.json"

    @property
    def cleared(self) -> tuple[Path, ...]:
        """The folders in it whose files make way for new ones."""
        return self.samples, self.recon, self.generated

    def check(self, reuse: Reuse) -> None:
        """Find out, before the work, whether a run can begin here, or go on; raises what `check_folder` raises."""
        owned = (self.config, self.log, self.checkpoint, self.report, *self.cleared)
        check_folder(self.path, owned, reuse, mark=MARK)

    def state(self) -> dict[str, Any] | None:
        """Return what the last checkpoint holds, or None if there is none.

        Raises
        ------
        InputError : if it is damaged, or something else.
        """
        if not self.checkpoint.exists():
            return None
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of odd tensors; a network looks at what they are
                state: dict[str, Any] = torch.load(self.checkpoint, map_location="cpu", weights_only=True)
            schema = state["schema"]
            if not isinstance(schema, str) or (schema == CHECKPOINT and not _is_ours(state)):
                raise TypeError
        except Exception as error:  # damaged bytes lead a pickle anywhere
            raise InputError(f"{self.checkpoint} is damaged, or no checkpoint of ffltool") from error
        if schema != CHECKPOINT:
            raise InputError(f"{self.checkpoint} is a checkpoint of the kind {schema}, not {CHECKPOINT}")
        return state

    def begin(self, config: Mapping[str, object], *, anew: bool) -> None:
        """Write the settings into the folder; `anew` clears away what a run left on its way."""
        outputs.clear_parts(self.path)
        if anew:
            self.checkpoint.unlink(missing_ok=True)
        outputs.write(self.config, json_text(SCHEMA, "train", dict(config)).encode())  # first: it tells whose this is
        if anew:
            _remove(self.samples)
            outputs.write(self.log, _HEAD_OF_LOG.encode())

    def clear_results(self) -> None:
        """Remove what was made with the weights of an earlier step."""
        self.report.unlink(missing_ok=True)
        _remove(self.recon, self.generated)

    def keep(self, state: Mapping[str, object]) -> None:
        """Write a checkpoint, whole or not at all."""
        content = io.BytesIO()
        torch.save({"schema": CHECKPOINT, **state}, content)
        outputs.write(self.checkpoint, content.getvalue())

    def log_up_to(self, step: int) -> list[Step]:
        """Return the steps in the log that a checkpoint knows of, and cut off those that came later.

        Raises
        ------
        InputError : if the log does not hold these steps.
        """
        try:
            lines = self.log.read_text(errors="replace").splitlines() if self.log.exists() else []
            rows = [row for row in csv.reader(lines) if len(row) == len(Step._fields) and row[0].isdecimal()]
            steps = [_step(row) for row in rows if int(row[0]) <= step]
        except (OSError, ValueError, csv.Error):
            steps = []
        if [each.step for each in steps] != list(range(1, step + 1)):
            raise InputError(f"{self.log} does not hold the {step} steps of the checkpoint beside it")
        outputs.write(self.log, (_HEAD_OF_LOG + _lines(steps)).encode())
        return steps

    def append(self, steps: Iterable[Step]) -> None:
        """Add steps to the log.

        Raises
        ------
        InputError : if that fails.
        """
        try:
            with self.log.open("a", newline="") as file:
                file.write(_lines(steps))
        except OSError as error:
            raise InputError(f"{self.log} cannot be written: {error.strerror}") from error

    def write_samples(self, epoch: int, rows: Iterable[Tensor]) -> None:
        """Write a picture of rows of images, each of shape (N, 3, S, S) in -1..1."""
        self._write(self.samples, {f"epoch_{epoch:04d}": grid(list(rows))})

    def write_rebuilt(self, batches: Iterable[tuple[Sequence[str], Tensor, Tensor]]) -> None:
        """Write test images, and what became of them, in place of those of before.

        Batches are of names, which may have folders in them, and of both images, each (N, 3, S, S) in -1..1.
        """
        _remove(self.recon)
        for names, *sides in batches:
            for folder, images in zip((self.real, self.fake), sides, strict=True):
                self._write(folder, dict(zip(names, images, strict=True)))

    def write_generated(self, batches: Iterable[Tensor]) -> None:
        """Write images of noise, batches (N, 3, S, S) in -1..1, by numbers from 1, in place of those of before."""
        _remove(self.generated)
        numbers = count(1)
        for images in batches:
            self._write(self.generated, {f"{next(numbers):06d}": image for image in images})

    def _write(self, folder: Path, images: Mapping[str, Tensor]) -> None:
        for parent in {(folder / name).parent for name in images}:
            parent.mkdir(parents=True, exist_ok=True)
        pictures.write_images(folder, {name: (image + 1) / 2 for name, image in images.items()})


def _remove(*folders: Path) -> None:
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)


def check_folder(folder: Path, owned: Sequence[Path], reuse: Reuse, *, mark: str) -> None:
    """Find out whether a folder can be made, or written into.

    Parameters
    ----------
    owned : what is written over or removed there; the first is a file that holds `mark` if they are ours already.

    Raises
    ------
    InputError : if it cannot, holds what it owns already and that is not to be gone on with, or something else.
    """
    outputs.check_folder(folder)
    if not folder.exists():
        return
    if not os.access(folder, os.W_OK):
        raise InputError(f"{folder} cannot be written to: permission denied")
    ours = owned[0].is_file() and mark in owned[0].read_text(errors="replace")[:_HEAD]
    if not ours and any(folder.iterdir()) and not reuse.force:
        raise InputError(f"{folder} holds other files; a new folder is wanted, or --force")
    if not ours and (strange := [path for path in owned if path.exists()]):
        raise InputError(f"{strange[0]} was not written by this command and stays; a new folder is wanted")
    if ours and not (reuse.resume or reuse.force):
        raise InputError(f"{folder} holds results already; --resume goes on with them, --force begins anew")


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Make a folder on the first process, and keep it for this run while the body runs; one that is killed lets it go.

    Where there are no such locks, on Windows and on some shared disks, nobody is kept away.

    Raises
    ------
    InputError : if another run writes there.
    """
    if ranks.rank() > 0:
        yield
        return
    folder.mkdir(exist_ok=True)
    with ExitStack() as stack:
        if sys.platform != "win32":
            import fcntl

            place = os.open(folder, os.O_RDONLY)
            stack.callback(os.close, place)
            try:
                fcntl.flock(place, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise InputError(f"{folder} is written to by another run, which must end first") from error
            except OSError:
                pass  # the disk has no locks
        yield


def check_apart(folder: Path, *sources: Path, cleared: Sequence[Path]) -> None:
    """Find out whether results, and images that they are made of, keep out of each other's way.

    Parameters
    ----------
    folder : of results, in which those that are `cleared` are emptied on the way.
    sources : folders of images.

    Raises
    ------
    InputError : for a folder of results in one of images, among which the results would be found later, and for images
        that would be removed.
    """
    for source in sources:
        if any(_real(source).is_relative_to(_real(each)) for each in cleared):
            raise InputError(f"{source} lies in {folder}, where it would be removed; a copy elsewhere is wanted")
        if _real(folder).is_relative_to(_real(source)):
            raise InputError(f"{folder} lies in {source}, and what is written would count among its images")


def _real(path: Path) -> Path:
    return Path(os.path.realpath(path))  # Path.resolve() raises where a link leads to itself


def grid(rows: list[Tensor]) -> Tensor:
    """Return rows of images, each (N, 3, S, S), as one picture (3, H, W); rows show eight images at most.

    >>> grid([torch.zeros(9, 3, 4, 4), torch.zeros(2, 3, 4, 4)]).shape
    torch.Size([3, 10, 46])
    """
    side = rows[0].shape[-1]
    columns = min(_COLUMNS, max(map(len, rows)))
    picture = torch.ones(3, len(rows) * (side + _GAP) - _GAP, columns * (side + _GAP) - _GAP)
    for row, images in enumerate(rows):
        for column, image in enumerate(images[:columns]):
            top, left = row * (side + _GAP), column * (side + _GAP)
            picture[:, top : top + side, left : left + side] = image
    return picture


def _lines(steps: Iterable[Step]) -> str:
    return csv_text([*step[:2], *("" if value is None else f"{value:.9g}" for value in step[2:])] for step in steps)


def _step(row: list[str]) -> Step:
    step, epoch, loss, pixel, *others = row
    return Step(int(step), int(epoch), float(loss), float(pixel), *(float(each) if each else None for each in others))


def _is_ours(state: Mapping[str, Any]) -> bool:
    """Tell whether a checkpoint is as `RunFolder.keep` writes it, but for the tensors, which a network knows.

    It raises something where parts are missing, or are not of plain types.
    """
    plan, step = state["plan"], state["step"]
    return isinstance(plan, dict) and isinstance(step, int) and step > 0 and bool(json.dumps([plan, state["images"]]))
