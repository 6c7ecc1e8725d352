"""Many image files at a time: decoded ahead on all cores, broken ones left out where that is allowed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from ffltool.errors import BrokenImageError
from ffltool.images import Reading
from ffltool.stream import Progress, Result, stream, watched


@dataclass(frozen=True, kw_only=True)
class Loading:
    """How files become images.

    ``alpha`` as in `ffltool.images.Reading`; ``skip_broken`` leaves out broken images, instead of raising; ``workers``
    threads decode, by default one for each core; ``progress`` wraps the stream, given it and its length.
    """

    alpha: str = "drop"
    skip_broken: bool = False
    workers: int | None = None
    progress: Progress | None = None

    def __post_init__(self) -> None:
        Reading(alpha=self.alpha)  # which raises for one that is unknown

    def each(self, files: Sequence[Path], read: Callable[[Path], Result], *, chunk: int = 1) -> Iterable[Result | None]:
        """Return what `read` makes of each file, in order: None for a broken one that is left out.

        `chunk` is how many a worker takes at a time.
        """
        work = partial(_unless_broken, read) if self.skip_broken else read
        return watched(stream(files, work, workers=self.workers, chunk=chunk), len(files), self.progress)


def _unless_broken(read: Callable[[Path], Result], path: Path) -> Result | None:
    try:
        return read(path)
    except BrokenImageError:
        return None
