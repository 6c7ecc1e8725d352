"""Where a run stands: its quantities, a statistic of each over pairs, and the change since a baseline."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean
from typing import TYPE_CHECKING

from ffltool import bootstrap
from ffltool.limits import BAND_FIELDS, VALUE
from ffltool.report import Better, Report

if TYPE_CHECKING:
    from numpy import ndarray

_Statistic = Callable[[Sequence[float], Better], float]
_OF_IDENTICAL = ("psnr",)  # what is infinite for identical images, and best there


@dataclass(frozen=True, kw_only=True)
class Quantity:
    """Something that a limit can be on.

    ``value`` is None where there is none, as the gain of a band without power; ``values`` are those of pairs, by the
    name of the real image, None for one value of a whole set.
    """

    name: str
    value: float | None
    unit: str
    better: Better
    values: Mapping[str, float] | None = None

    def meets_infinite(self, value: float) -> bool:
        """Tell whether a value is infinite for a good reason: the images are identical."""
        return value == math.inf and self.name in _OF_IDENTICAL


@dataclass(frozen=True, kw_only=True)
class Standing:
    """A statistic of a quantity, and its change since the baseline.

    ``note`` says what else there is to know of it. Intervals and ``significant`` are as in `ffltool.report.Verdict`.
    """

    quantity: Quantity
    statistic: str
    value: float
    note: str = ""
    interval: tuple[float, float] | None = None
    baseline: float | None = None
    change: float | None = None
    change_interval: tuple[float, float] | None = None

    @property
    def significant(self) -> bool | None:
        """Whether the change is more than chance; None where that is not known."""
        return None if self.change_interval is None else not self.change_interval[0] <= 0 <= self.change_interval[1]


def quantities(report: Report) -> dict[str, Quantity]:
    """Return what limits can be on, by name: scores, and every field of every band by its number, "dc" and "corner"."""
    columns = {score.metric: place for place, score in enumerate(report.of_pairs)}
    found: dict[str, Quantity] = {}
    for score in report.scores:
        place = columns.get(score.metric)
        values = None if place is None else {pair.real: pair.values[place] for pair in report.pairs}
        found[score.metric] = Quantity(
            name=score.metric,
            value=score.value,
            unit=score.unit,
            better=score.better,
            values=values,
        )
    for place, band in enumerate(report.bands):
        for name in (str(place), *([band.name] if band.name in ("dc", "corner") else [])):
            for each, unit in BAND_FIELDS.items():
                key = f"band.{name}.{each}"
                found[key] = Quantity(name=key, value=getattr(band, each), unit=unit, better="lower")
    return found


def stand(quantity: Quantity, statistic: str, *, before: Quantity | None = None, seed: int = 0) -> Standing | None:
    """Return where a statistic stands, None where it has no value; `before` is the quantity of the baseline.

    Intervals are of statistics of finite values of two pairs or more, but for the worst, of which draws know nothing.
    """
    if (now := _value(quantity, statistic)) is None:
        return None
    value, note = now
    rows, values = _ROWS.get(statistic), _finite(quantity.values)
    found = Standing(
        quantity=quantity,
        statistic=statistic,
        value=value,
        note=note,
        interval=bootstrap.interval(values, rows, seed=seed) if rows and values else None,
    )
    if before is None or (then := _value(before, statistic)) is None:
        return found
    return _with_change(found, before, then[0], seed=seed)


def _with_change(found: Standing, before: Quantity, baseline: float, *, seed: int) -> Standing:
    """Return the same with the change since the baseline."""
    rows, note = _ROWS.get(found.statistic), found.note
    change = 0.0 if found.value == baseline else found.value - baseline
    spread = None
    now, then = found.quantity.values, before.values
    if rows and now is not None and then is not None and now.keys() == then.keys():
        lost = sum(found.quantity.meets_infinite(then[name]) and math.isfinite(now[name]) for name in now)
        both = [name for name in now if math.isfinite(now[name]) and math.isfinite(then[name])]
        if lost:
            change, note = -math.inf, f"{_pairs_are(lost)} identical no longer"
        elif len(both) == len(now) > 1:
            spread = bootstrap.interval_of_change(
                [then[name] for name in both], [now[name] for name in both], rows, seed=seed
            )
        elif found.statistic == "mean" and both:
            change = fmean(now[name] for name in both) - fmean(then[name] for name in both)
    return replace(found, baseline=baseline, change=change, change_interval=spread, note=note)


def _finite(values: Mapping[str, float] | None) -> list[float] | None:
    """Return values of two pairs or more that are all finite; None where there are none such."""
    if values is None or len(values) < 2 or not all(map(math.isfinite, values.values())):
        return None
    return list(values.values())


def _value(quantity: Quantity, statistic: str) -> tuple[float, str] | None:
    """Return a statistic of a quantity, and what has to be said of it; None where there is no value."""
    if statistic == VALUE or quantity.values is None:
        return None if quantity.value is None else (quantity.value, "")
    values = list(quantity.values.values())
    if not values:
        return None
    identical = sum(map(quantity.meets_infinite, values))
    if identical == len(values):
        return math.inf, "all pairs are identical" if identical > 1 else "the images are identical"
    if statistic == "mean" and identical:
        rest = [value for value in values if not quantity.meets_infinite(value)]
        return _STATISTICS["mean"](rest, quantity.better), f"without {identical} of {len(values)} pairs, identical ones"
    return _STATISTICS[statistic](values, quantity.better), f"{_pairs_are(identical)} identical" if identical else ""


def _pairs_are(count: int) -> str:
    return "1 pair is" if count == 1 else f"{count} pairs are"


def _quantile(share: float) -> _Statistic:
    def quantile(values: Sequence[float], better: Better) -> float:
        """Return the quantile, linear between the values next to it, of which some may be infinite."""
        if any(map(math.isnan, values)):
            return math.nan
        place = share * (len(values) - 1)
        low, high = sorted(values)[math.floor(place)], sorted(values)[math.ceil(place)]
        return low if low == high else low + (high - low) * (place - math.floor(place))

    return quantile


def _worst(values: Sequence[float], better: Better) -> float:
    if any(map(math.isnan, values)):
        return math.nan
    if better == "0":
        return max(values, key=abs)
    return max(values) if better == "lower" else min(values)


def _row_quantile(share: float) -> bootstrap.Statistic:
    def quantiles(rows: ndarray) -> ndarray:
        """Return the quantile of each row."""
        import numpy as np

        found: ndarray = np.quantile(rows, share, axis=1)
        return found

    return quantiles


_QUANTILES = {"median": 0.5, "p05": 0.05, "p95": 0.95}
_STATISTICS: dict[str, _Statistic] = {
    "mean": lambda values, better: fmean(values),
    "worst": _worst,
    **{name: _quantile(share) for name, share in _QUANTILES.items()},
}
# of each row of an array
_ROWS: dict[str, bootstrap.Statistic] = {
    "mean": lambda rows: rows.mean(axis=1),
    **{name: _row_quantile(share) for name, share in _QUANTILES.items()},
}
