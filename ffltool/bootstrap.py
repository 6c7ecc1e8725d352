"""Intervals by bootstrap: how far a statistic over pairs, and its change on the same pairs, is left to chance.

The pairs are drawn anew, with replacement and as many as there are, and the statistic taken each time; the interval
lies between quantiles of what came out. A change is taken on the same draws of both runs, so that what makes one pair
harder than another drops out.

The quantiles lie a little further out than 2.5 % and 97.5 %, by as much as Student's t does beyond a normal deviate
for so few pairs (the expanded percentile interval of Hesterberg, "What Teachers Should Know About the Bootstrap",
The American Statistician 69, 2015): without that the interval of few pairs is too narrow.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from numpy import ndarray

# NumPy and SciPy are imported where they are needed: images are compared before, in processes that fork best without

DRAWS = 1000
LEVEL = 0.95
_AT_ONCE = 1 << 20  # values drawn at a time, for a memory that does not grow with the number of pairs

Statistic = Callable[["ndarray"], "ndarray"]  # of each row


def interval(values: Sequence[float], statistic: Statistic, *, seed: int = 0) -> tuple[float, float]:
    """Return the interval of 95 % of a statistic over pairs.

    Parameters
    ----------
    values : one per pair, two or more, all finite.
    statistic : from rows of values, shape (draws, pairs), to one each, shape (draws,).
    """
    return _interval((values,), statistic, seed=seed)


def interval_of_change(
    before: Sequence[float], after: Sequence[float], statistic: Statistic, *, seed: int = 0
) -> tuple[float, float]:
    """Return the interval of 95 % of the change of a statistic, both values of a pair in the same place."""
    return _interval((after, before), statistic, seed=seed)


def _interval(columns: Sequence[Sequence[float]], statistic: Statistic, *, seed: int) -> tuple[float, float]:
    import numpy as np

    arrays = [np.asarray(column, dtype=np.float64) for column in columns]
    pairs = len(arrays[0])
    generator = np.random.default_rng(seed)
    found: list[ndarray] = []
    step = max(1, _AT_ONCE // pairs)
    for start in range(0, DRAWS, step):
        places = generator.integers(pairs, size=(min(step, DRAWS - start), pairs))
        first, *second = (statistic(array[places]) for array in arrays)
        found.append(first - second[0] if second else first)
    tail = _tail(pairs)
    low, high = np.quantile(np.concatenate(found), [tail, 1 - tail])
    return float(low), float(high)


def _tail(pairs: int) -> float:
    """Return which share of the draws lies below the interval, and above it."""
    from scipy.special import ndtr, stdtrit

    return float(ndtr(math.sqrt(pairs / (pairs - 1)) * stdtrit(pairs - 1, (1 - LEVEL) / 2)))
