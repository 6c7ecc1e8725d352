"""State that streams is a sum: parts merge by addition, processes by one all-reduce."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING

from ffltool import ranks
from ffltool.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor


class Sums:
    """Named sums over images.

    Parameters
    ----------
    shapes : the shape of each sum. One of shape () is a Python float and needs no torch, the others are float64
        tensors.

    Examples
    --------
    >>> sums = Sums(count=(), total=())
    >>> sums.add(count=2, total=7.0)
    >>> sums.merge(sums)
    >>> sums.state
    {'count': 4.0, 'total': 14.0}
    """

    def __init__(self, **shapes: tuple[int, ...]) -> None:
        self.state: dict[str, float | Tensor] = {name: _zeros(shape) for name, shape in shapes.items()}

    def add(self, **terms: float | Tensor) -> None:
        """Add a term to each of the sums named."""
        for name, term in terms.items():
            self.state[name] = self.state[name] + term

    def merge(self, other: Sums) -> None:
        """Add the sums of `other`, which stays as it is."""
        self.add(**other.state)

    def all_reduce(self) -> None:
        """Replace every sum by its sum over all processes, in one collective call."""
        if ranks.world() == 1:
            return
        import torch

        parts = [torch.as_tensor(value, dtype=torch.float64) for value in self.state.values()]
        flat = torch.cat([part.reshape(-1) for part in parts])
        ranks.all_reduce(flat)
        for name, part, total in zip(self.state, parts, flat.split([part.numel() for part in parts]), strict=True):
            self.state[name] = total.reshape(part.shape) if part.ndim else total.item()


def _zeros(shape: tuple[int, ...]) -> float | Tensor:
    if not shape:
        return 0.0
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
    >>> mean.state["infinite"]
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
        """Add the sums of another mean about the same origin."""
        if not isinstance(other, Mean) or other.origin != self.origin:
            raise ValueError("only means about one origin can be merged")
        super().merge(other)

    def compute(self) -> tuple[float, float]:
        """Return mean and population standard deviation of the finite values."""
        count = self.state["count"]
        if not count:
            raise InputError("the mean of no finite values does not exist")
        offset = self.state["total"] / count
        return self.origin + offset, math.sqrt(max(0.0, self.state["squares"] / count - offset * offset))
