"""What became of the items of a run, as rows of numbers that add up over processes."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from ffltool import ranks
from ffltool.errors import FfltoolError, InputError

if TYPE_CHECKING:
    from numpy import ndarray

    from ffltool.metrics.segmentation import Cells

MEASURED, SKIPPED, FAILED = 1.0, 2.0, 3.0  # states; 0 is that of an item that another process measures


class Facts(NamedTuple):
    """What is known of an image; zeros where there is none."""

    height: float = 0
    width: float = 0
    file_bytes: float = 0


class Outcome(NamedTuple):
    """What became of a pair, or of an image by itself: numbers, and the images for those who take in many at a time.

    ``alphas`` is how many images lost an alpha channel, ``values`` what metrics of pairs say; ``cut`` are the real and
    the fake image in the size that is common to all, ``fitted`` both in one size of their own, ``shown`` those that a
    network of sets looks at, as they are; ``cells`` is what label maps have in common, NaN among their values where the
    real one has no labelled pixel.
    """

    state: float
    real: Facts = Facts()
    fake: Facts = Facts()
    alphas: float = 0
    values: tuple[float, ...] = ()
    cut: tuple[ndarray | None, ndarray | None] = (None, None)
    fitted: tuple[ndarray, ndarray] | None = None
    shown: tuple[ndarray | None, ndarray | None] = (None, None)
    cells: Cells | None = None


_NUMBERS = 2 + 2 * len(Facts._fields)  # of an outcome, before the values


class Table:
    """The outcomes of all items as rows of numbers, without images.

    A process fills in the rows of its share and leaves the others 0, so that the sum over all processes is the table.
    """

    def __init__(self, *, items: int, values: int) -> None:
        self.width = _NUMBERS + values
        self.numbers = array("d", bytes(8 * self.width * items))
        self.error: FfltoolError | None = None

    def fill(self, outcomes: Iterable[Outcome]) -> None:
        """Enter this process's items, up to the first that fails; `all_reduce` raises its error."""
        rows, done = range(ranks.rank(), len(self.numbers) // self.width, ranks.world()), 0
        try:
            for outcome in outcomes:
                self._enter(rows[done], outcome)
                done += 1
        except FfltoolError as error:
            self._enter(rows[min(done, len(rows) - 1)], Outcome(FAILED))
            self.error = error

    def _enter(self, row: int, outcome: Outcome) -> None:
        numbers = array("d", [outcome.state, *outcome.real, *outcome.fake, outcome.alphas, *outcome.values])
        self.numbers[row * self.width : row * self.width + len(numbers)] = numbers

    def all_reduce(self) -> None:
        """Bring the rows of all processes together; raise the error that any of them met."""
        ranks.all_reduce(self.numbers)
        if self.error:
            raise self.error
        if FAILED in self.numbers[:: self.width]:
            raise InputError("another process stopped at an image, see its message")

    def outcomes(self) -> Iterator[Outcome]:
        """Yield what became of the items, in their order."""
        width = len(Facts._fields)
        for start in range(0, len(self.numbers), self.width):
            state, *row = self.numbers[start : start + self.width]
            real, fake, (alphas, *values) = Facts(*row[:width]), Facts(*row[width : 2 * width]), row[2 * width :]
            yield Outcome(state, real, fake, alphas, tuple(values))
