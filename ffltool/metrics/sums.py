"""State that streams is a sum: parts merge by addition, processes by one all-reduce. What is none is kept as rows."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from ffltool import ranks
from ffltool.errors import InputError, ShapeError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor


class Sums:
    """Named sums over images: ``numbers`` and ``tensors``.

    Parameters
    ----------
    shapes : the shape of each sum. One of shape () is a number, a Python float that needs no torch; the others are
        float64 tensors.

    Examples
    --------
    >>> sums = Sums(count=(), total=())
    >>> sums.add(count=2, total=7.0)
    >>> sums.merge(sums)
    >>> sums.state
    {'count': 4.0, 'total': 14.0}
    """

    def __init__(self, **shapes: tuple[int, ...]) -> None:
        self.numbers = {name: 0.0 for name, shape in shapes.items() if not shape}
        self.tensors = {name: _zeros(shape) for name, shape in shapes.items() if shape}

    @property
    def state(self) -> dict[str, float | Tensor]:
        """All sums by name."""
        return {**self.numbers, **self.tensors}

    def add(self, **terms: float | Tensor) -> None:
        """Add a term to each of the sums named."""
        for name, term in terms.items():
            if name in self.numbers:
                self.numbers[name] += float(term)
            else:
                self.tensors[name] = self.tensors[name] + term

    def merge(self, other: Sums) -> None:
        """Add the sums of `other`, which stays as it is."""
        self.add(**other.state)

    def all_reduce(self) -> None:
        """Replace every sum by its sum over all processes, in one collective call."""
        if ranks.world() == 1:
            return
        import torch

        numbers = torch.tensor(list(self.numbers.values()), dtype=torch.float64)
        flat = torch.cat([numbers, *(tensor.flatten() for tensor in self.tensors.values())])
        ranks.all_reduce(flat)
        first, *others = torch.split(flat, [len(numbers), *(tensor.numel() for tensor in self.tensors.values())])
        self.numbers = dict(zip(self.numbers, first.tolist(), strict=True))
        for (name, tensor), total in zip(self.tensors.items(), others, strict=True):
            self.tensors[name] = total.reshape(tensor.shape)


class Rows(Sums):
    """Rows of features as they are, for what no sum can tell: subsets, and small sets.

    Parameters
    ----------
    width : of a row. Rows are kept in float32: 2048 features of an image take 8192 bytes, 1008 logits 4032.
    """

    def __init__(self, width: int) -> None:
        super().__init__(count=())
        self.width = width
        self.parts: list[Tensor] = []

    def update(self, rows: Tensor) -> None:
        """Take in rows, shape (N, width).

        Raises
        ------
        ShapeError : for another shape.
        """
        if rows.ndim != 2 or rows.shape[1] != self.width:
            raise ShapeError(f"features must have shape (N, {self.width}), got {tuple(rows.shape)}")
        self.parts.append(rows.detach().float().cpu())
        self.add(count=len(rows))

    def merge(self, other: Sums) -> None:
        """Append the rows of `other`, which stays as it is.

        Raises
        ------
        ValueError : for other sums, or rows of another width.
        """
        if not isinstance(other, Rows) or other.width != self.width:
            raise ValueError("only rows of one width can be merged")
        super().merge(other)
        self.parts += other.parts

    def all_reduce(self) -> None:
        """Gather the rows of all processes, those of one behind those of the other."""
        if ranks.world() == 1:
            return
        import torch

        counts = torch.zeros(ranks.world(), dtype=torch.float64)
        counts[ranks.rank()] = self.numbers["count"]
        ranks.all_reduce(counts)
        start = int(counts[: ranks.rank()].sum())
        gathered = torch.zeros(int(counts.sum()), self.width)
        gathered[start : start + int(self.numbers["count"])] = self.compute()
        ranks.all_reduce(gathered)
        self.parts, self.numbers["count"] = [gathered], float(len(gathered))

    def compute(self) -> Tensor:
        """Return all rows, shape (count, width)."""
        import torch

        return torch.cat([torch.zeros(0, self.width), *self.parts])


class Placed:
    """Rows that come back in the order of their places, whatever batch or process each came by.

    Parameters
    ----------
    width : of a row; its place is kept beside it, exact to 2^24.
    """

    def __init__(self, width: int) -> None:
        self.rows = Rows(1 + width)

    def update(self, rows: Tensor, places: Sequence[int]) -> None:
        """Take in rows, shape (N, width), and where each belongs."""
        import torch

        self.rows.update(torch.cat([torch.tensor(places, dtype=torch.float32)[:, None], rows.float()], dim=1))

    def all_reduce(self) -> None:
        """Gather the rows of all processes."""
        self.rows.all_reduce()

    def compute(self) -> Tensor:
        """Return all rows in order, shape (count, width)."""
        rows = self.rows.compute()
        return rows[rows[:, 0].argsort(), 1:]

    def arrays(self) -> dict[str, NDArray[np.float32]]:
        """Return what `restore` makes the same rows of."""
        return {"rows": self.compute().numpy()}

    def restore(self, arrays: Mapping[str, NDArray[np.float32]]) -> None:
        """Take in what `arrays` returned, in place of what is here."""
        import torch

        self.rows = Rows(self.rows.width)
        self.update(torch.from_numpy(arrays["rows"]), range(len(arrays["rows"])))


def _zeros(shape: tuple[int, ...]) -> Tensor:
    import torch

    return torch.zeros(shape, dtype=torch.float64)


class Mean(Sums):
    """Mean and standard deviation of finite values, with a count of the infinite ones.

    Parameters
    ----------
    origin : the sums are taken about this value, so that the deviation keeps its digits where the values lie close
        together; means that are merged must have the same one.

    Examples
    --------
    >>> mean = Mean()
    >>> mean.update([1.0, 3.0, float("inf")])
    >>> mean.compute()
    (2.0, 1.0)
    >>> mean.numbers["infinite"]
    1.0
    """

    def __init__(self, *, origin: float = 0.0) -> None:
        super().__init__(count=(), total=(), squares=(), infinite=())
        self.origin = origin

    def update(self, values: Iterable[float]) -> None:
        """Take in values, none of them NaN."""
        values = list(values)
        offsets = [value - self.origin for value in values if math.isfinite(value)]
        self.add(
            count=len(offsets),
            total=math.fsum(offsets),
            squares=math.fsum(offset * offset for offset in offsets),
            infinite=sum(map(math.isinf, values)),
        )

    def merge(self, other: Sums) -> None:
        """Add the sums of another mean about the same origin.

        Raises
        ------
        ValueError : for other sums, or a mean about another origin.
        """
        if not isinstance(other, Mean) or other.origin != self.origin:
            raise ValueError("only means about one origin can be merged")
        super().merge(other)

    def compute(self) -> tuple[float, float]:
        """Return mean and population standard deviation of the finite values.

        Raises
        ------
        InputError : if there are no finite values.
        """
        count = self.numbers["count"]
        if not count:
            raise InputError("the mean of no finite values does not exist")
        offset = self.numbers["total"] / count
        return self.origin + offset, math.sqrt(max(0.0, self.numbers["squares"] / count - offset * offset))
