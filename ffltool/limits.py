"""Limits: bounds on scores, bands and peaks, as the tables of a TOML file set them."""

from __future__ import annotations

import difflib
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

from ffltool.errors import InputError, printable
from ffltool.metrics import METRICS, Metric

Bound = Literal["min", "max", "abs_max", "max_increase", "max_drop"]
Table = Mapping[str, Any]  # of a TOML file, not looked at yet

STATISTICS = ("mean", "median", "p05", "p95", "worst")
BAND_FIELDS = {"lfd": "nat", "share": "", "amplitude_share": "", "phase_share": "", "gain_db": "dB"}
PEAKS = "peaks.max_z"
VALUE = "value"  # the statistic of what has one value
WARNS = {"min": "warn_min", "max": "warn_max"}
_CHANGES: tuple[Bound, ...] = ("max_increase", "max_drop")
_BOUNDS: tuple[Bound, ...] = ("min", "max", "abs_max", *_CHANGES)
_KEYS = (*_BOUNDS, *WARNS.values(), "statistic", "fail_percent")
_PERCENT = re.compile(r"\s*(\d+(?:\.\d*)?|\.\d+)\s*%\s*", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class Limit:
    """A bound on one quantity.

    ``target`` is a score ("psnr", "gain[corner]"), "band.3.gain_db" or "peaks.max_z". Beyond ``at`` the limit fails,
    beyond ``warn_at`` it warns; one of them may be None. Those on the change since a baseline may be in ``percent`` of
    it. With ``fail_percent`` every pair has to meet the bounds by itself, but for so many in a hundred.
    """

    target: str
    bound: Bound
    at: float | None
    warn_at: float | None = None
    statistic: str = "mean"
    percent: bool = False
    fail_percent: float | None = None

    @property
    def of_change(self) -> bool:
        """Whether it is on the change since a baseline."""
        return self.bound in _CHANGES


def sentence(limit: Limit, *, unit: str) -> str:
    """Say a limit in words, as "psnr mean >= 30 dB"."""
    at = limit.warn_at if limit.at is None else limit.at
    number = f"{at:g}{' %' if limit.percent else ' ' * bool(unit) + unit}"
    of = "" if limit.statistic == VALUE or limit.fail_percent is not None else f" {limit.statistic}"
    if limit.bound == "abs_max":
        text = f"|{limit.target}{of}| <= {number}"
    elif limit.of_change:
        text = f"{limit.target}{of} {limit.bound.removeprefix('max_')} <= {number}"
    else:
        text = f"{limit.target}{of} {'>=' if limit.bound == 'min' else '<='} {number}"
    if limit.fail_percent is not None:
        text += f" in all but {limit.fail_percent:g} % of pairs" if limit.fail_percent else " in every pair"
    return text + (", or a warning" if limit.at is None else "")


def targets_of(name: str, where: str, *, others: Sequence[str] = ()) -> list[str]:
    """Return the targets that a name stands for: of a metric of several scores each of them."""
    if name in METRICS:
        return list(METRICS[name].score_names)
    kind, _, rest = name.partition(".")
    if kind == "band" and rest:
        band, dot, field = rest.rpartition(".")
        if not dot:
            raise InputError(f"{where}: {short(name)} is a band; give one of its fields, as {name}.gain_db")
        if not re.fullmatch(r"\d{1,4}|dc|corner", band, re.ASCII):
            raise InputError(f"{where}: there is no band {short(band)}; known are dc, 1, 2, … and corner")
        known(field, BAND_FIELDS, f"{where}: band.{band}")
        return [f"band.{int(band) if band.isdecimal() else band}.{field}"]
    scores = [score for metric in METRICS.values() for score in metric.score_names]
    known(name, [*METRICS, *scores, PEAKS, *others], where)
    return [name]


def known(key: str, names: Iterable[str], where: str) -> None:
    """Raise for a key that is unknown, naming the nearest known one."""
    names = list(names)
    if key not in names:
        lower = {name.lower(): name for name in names}
        nearest = lower[difflib.get_close_matches(key[:100].lower(), lower, n=1, cutoff=0)[0]]
        raise InputError(f"{where}: {short(key)} is unknown; did you mean {nearest}?")


def limits_of(name: str, table: Table, where: str) -> Iterator[Limit]:
    """Yield the limits that a table sets on one target; an empty one sets none."""
    where = f"{where}: {name}"
    for key in table:
        known(key, _KEYS, where)
    statistic = _statistic(name, table, where)
    allowed = _allowed(name, table, where)
    numbers = {key: _number(table, key, where) for key in table.keys() - {"statistic", "fail_percent", *_CHANGES}}
    _check_order(numbers, where)
    if table and not table.keys() & {*_BOUNDS, *WARNS.values()}:
        raise InputError(f"{where} has no bound; give one of {', '.join((*_BOUNDS, *WARNS.values()))}")
    for bound in _BOUNDS:
        warn_at = numbers.get(WARNS.get(bound, ""))
        if bound in _CHANGES and bound in table:
            if allowed is not None:
                raise InputError(f"{where}: fail_percent is for min, max and abs_max, not for {bound}")
            at, percent = _change(table[bound], f"{where}: {bound}")
            yield Limit(target=name, bound=bound, at=at, statistic=statistic, percent=percent)
        elif bound in numbers or warn_at is not None:
            yield Limit(
                target=name,
                bound=bound,
                at=numbers.get(bound),
                warn_at=warn_at,
                statistic=statistic,
                fail_percent=allowed,
            )


def usual_statistic(name: str) -> str:
    """Return what the value of a target is: the mean of its pairs, or one value of a whole set."""
    metric = _metric(name)
    return "mean" if metric is not None and metric.of == "pairs" else VALUE


def _metric(name: str) -> Metric | None:
    """Return the metric that a target is the score of; None for bands and peaks."""
    return next((metric for metric in METRICS.values() if name in metric.score_names), None)


def _statistic(name: str, table: Table, where: str) -> str:
    metric = _metric(name)
    if "statistic" not in table:
        return usual_statistic(name)
    statistic = table["statistic"]
    if not isinstance(statistic, str) or statistic not in STATISTICS:
        raise InputError(f"{where}: statistic must be one of {', '.join(STATISTICS)}, but is {short(statistic)}")
    if metric is None or metric.of == "sets":
        raise InputError(f"{where}: a statistic is of values of pairs, and this is one value of a whole set")
    return statistic


def _allowed(name: str, table: Table, where: str) -> float | None:
    if "fail_percent" not in table:
        return None
    allowed, metric = _number(table, "fail_percent", where), _metric(name)
    if not 0 <= allowed <= 100:
        raise InputError(f"{where}: fail_percent must be from 0 to 100, but is {allowed:g}")
    if metric is None or metric.of == "sets":
        raise InputError(f"{where}: fail_percent is of values of pairs, and this is one value of a whole set")
    if "statistic" in table:
        raise InputError(f"{where}: fail_percent holds every pair to the limit, so that no statistic has a place there")
    return allowed


def _number(table: Table, key: str, where: str) -> float:
    value = table[key]
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= sys.float_info.max:
        raise InputError(f"{where}: {key} must be a number, but is {short(value)}")
    return float(value)


def _change(value: object, where: str) -> tuple[float, bool]:
    """Return a change of 0 or more, and whether it is in percent of the baseline."""
    percent = isinstance(value, str) and _PERCENT.fullmatch(value)
    number = float(percent[1]) if percent else value
    if isinstance(number, bool) or not isinstance(number, int | float) or not 0 <= number <= sys.float_info.max:
        raise InputError(f'{where} must be a number of 0 or more, or a percentage as "2 %", but is {short(value)}')
    return float(number), bool(percent)


def _check_order(numbers: Mapping[str, float], where: str) -> None:
    """Find out whether values may lie between the bounds, and warnings come before failures."""
    order = [(key, numbers[key]) for key in ("min", "warn_min", "warn_max", "max") if key in numbers]
    for (low, at), (high, other) in pairwise(order):
        if at > other:
            raise InputError(f"{where}: {low} is {at:g}, above {high}, which is {other:g}")
    if numbers.get("abs_max", 0) < 0:
        raise InputError(f"{where}: abs_max must be 0 or more, but is {numbers['abs_max']:g}")


def short(value: object) -> str:
    """Return what a file says, cut for a message."""
    try:
        text = printable(repr(value))
    except ValueError:  # an integer in hexadecimal, whose decimal digits Python refuses to print
        text = "a number of thousands of digits"
    return text if len(text) <= 40 else text[:39] + "…"
