"""Judging: what comes of each limit, from a report and the report of a baseline alone."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from ffltool.errors import printable
from ffltool.limits import Bound, Limit, sentence, usual_statistic
from ffltool.report import Report, State, Verdict
from ffltool.standing import Quantity, Standing, quantities, stand
from ffltool.texts import number

STATES: tuple[State, ...] = ("pass", "warn", "fail", "missing")
_LIBRARIES = ("torch", "numpy", "pillow")  # whose versions may change a number
_FILE = "weights_file"  # a setting that names what another one, the digest of the weights, holds


@dataclass(frozen=True, slots=True)
class Miss:
    """A pair that misses a limit which holds for every pair: the limit in words, the real image, the value."""

    limit: str
    pair: str
    value: float
    unit: str


@dataclass(frozen=True, kw_only=True)
class Judged:
    """A report with its verdicts, and what they rest on.

    ``name`` is that of the set, "" for the only one. ``standings`` are of its scores; ``misses`` are the pairs for
    which a limit on every pair failed.
    """

    name: str
    report: Report
    standings: tuple[Standing, ...]
    misses: tuple[Miss, ...]

    @property
    def state(self) -> State:
        """What came of all limits together: pass, warn or fail; a missing value is a failure."""
        states = {verdict.state for verdict in self.report.verdicts}
        return "fail" if states & {"fail", "missing"} else "warn" if "warn" in states else "pass"


@dataclass(frozen=True, kw_only=True)
class LimitJudging:
    """How a report is judged.

    ``before`` is the report of the baseline. Where it does not have something, ``renewing`` says that this run is about
    to give it to the baseline. ``strict`` fails changes that are not significant too; ``seed`` is of the bootstrap.
    """

    before: Report | None = None
    renewing: bool = False
    strict: bool = False
    seed: int = 0


def judge(report: Report, limits: Iterable[Limit], judging: LimitJudging = LimitJudging(), *, name: str = "") -> Judged:
    """Return the report with a verdict on each limit, after one on each way in which the baseline is not comparable."""
    before = judging.before
    reasons = [] if before is None else list(differences(report, before))
    judging = replace(judging, renewing=judging.renewing and not reasons)
    now, then = quantities(report), {} if before is None or reasons else quantities(before)
    known: dict[tuple[str, str], Standing | None] = {}

    def standing(target: str, statistic: str) -> Standing | None:
        if (target, statistic) not in known:
            known[target, statistic] = stand(now[target], statistic, before=then.get(target), seed=judging.seed)
        return known[target, statistic]

    verdicts = [_incomparable(reason) for reason in reasons]
    misses: list[Miss] = []
    for limit in limits:
        quantity = now.get(limit.target)
        if quantity and quantity.values is not None and limit.fail_percent is not None:
            verdict, missed = _of_pairs(limit, quantity, quantity.values, allowed=limit.fail_percent)
            verdicts.append(verdict)
            misses += missed
        elif quantity and (found := standing(limit.target, limit.statistic)):
            rule = partial(_of_change, judging=judging) if limit.of_change else _of_value
            verdicts.append(_verdict(limit, found, *rule(limit, found)))
        else:
            verdicts.append(_missing(limit, quantity))
    warnings = () if before is None else tuple(map(printable, _versions(report, before)))
    return Judged(
        name=name,
        report=replace(report, verdicts=tuple(verdicts), warnings=report.warnings + warnings),
        standings=tuple(filter(None, (standing(each.metric, usual_statistic(each.metric)) for each in report.scores))),
        misses=tuple(misses),
    )


def differences(now: Report, before: Report) -> Iterator[str]:
    """Yield why the numbers of two runs cannot be compared, a sentence each."""
    for side in ("real", "fake"):
        one, other = getattr(before, side), getattr(now, side)
        if one.images != other.images:
            yield f"the {side} set had {one.images} images and has {other.images}"
        if one.sizes != other.sizes:
            yield f"the {side} images were {_sizes(one.sizes)} and are {_sizes(other.sizes)}"
    if now.real.digest != before.real.digest and now.real.images == before.real.images:
        yield "the real files are others than the baseline's: their names or their sizes in bytes differ"
    scores = {score.metric: score.settings for score in before.scores}
    for score in now.scores:
        old = scores.get(score.metric, score.settings)
        for key in sorted((old.keys() | score.settings.keys()) - {_FILE}):
            if old.get(key) != score.settings.get(key):
                yield f"{score.metric}: {key} was {old.get(key)} and is {score.settings.get(key)}"
    if now.bands and before.bands and len(now.bands) != len(before.bands):
        yield f"there were {len(before.bands) - 2} bands and are {len(now.bands) - 2}"
    for key in ("alpha", "fit"):
        if before.environment.get(key) != now.environment.get(key):
            yield f"--{key} was {before.environment.get(key)} and is {now.environment.get(key)}"


def _sizes(sizes: Sequence[tuple[int, int]]) -> str:
    return f"of {len(sizes)} sizes" if len(sizes) > 1 else f"{sizes[0][0]}x{sizes[0][1]}"


def _versions(now: Report, before: Report) -> Iterator[str]:
    for name in _LIBRARIES:
        versions = before.environment.get(name), now.environment.get(name)
        if all(versions) and versions[0] != versions[1]:
            yield f"the baseline was made with {name} {versions[0]}, and this is {versions[1]}"


def _incomparable(reason: str) -> Verdict:
    return Verdict(
        limit="comparable with the baseline",
        metric="baseline",
        statistic="",
        state="fail",
        value=None,
        unit="",
        reason=printable(reason),
    )


def _missing(limit: Limit, quantity: Quantity | None) -> Verdict:
    unit = "" if quantity is None else quantity.unit
    nothing = "no error" if limit.target.endswith("share") else "no power"
    reason = f"this run has no {limit.target}" if quantity is None else f"{limit.target} has no value, of {nothing}"
    return Verdict(
        limit=sentence(limit, unit=unit),
        metric=limit.target,
        statistic=limit.statistic,
        state="missing",
        value=None,
        unit=unit,
        reason=reason,
    )


def _verdict(limit: Limit, found: Standing, state: State, reason: str) -> Verdict:
    unit = found.quantity.unit
    return Verdict(
        limit=sentence(limit, unit=unit),
        metric=limit.target,
        statistic=limit.statistic,
        state=state,
        value=found.value,
        unit=unit,
        reason=reason,
        baseline=found.baseline,
        change=found.change,
        interval=found.interval,
        change_interval=found.change_interval,
        significant=found.significant,
    )


def _of_value(limit: Limit, found: Standing) -> tuple[State, str]:
    """Return state and reason of a limit on a value."""
    value, unit = found.value, found.quantity.unit
    said = f"{measured(value, unit)}{f' ({found.note})' if found.note else ''}"
    if not math.isfinite(value):
        if limit.bound == "min" and found.quantity.meets_infinite(value):
            return "pass", f"it is {said}"
        return "fail", f"{said}: what is not finite never passes"
    bounds: tuple[tuple[float | None, State], ...] = ((limit.at, "fail"), (limit.warn_at, "warn"))
    for at, state in bounds:
        if at is not None and _is_beyond(value, limit.bound, at):
            return state, f"{said} is {'below' if limit.bound == 'min' else 'above'} {measured(at, unit, exact=True)}"
    return "pass", f"it is {said}"


def _is_beyond(value: float, bound: Bound, at: float) -> bool:
    return value < at if bound == "min" else (abs(value) if bound == "abs_max" else value) > at


def _of_pairs(
    limit: Limit, quantity: Quantity, values: Mapping[str, float], *, allowed: float
) -> tuple[Verdict, list[Miss]]:
    """Return the verdict on a limit that every pair has to meet, but for some, and where it fails who misses it.

    `values` are those of the pairs; in a hundred so many are `allowed` to miss it.
    """
    text, count = sentence(limit, unit=quantity.unit), len(values)
    failing, warning = (_beyond(limit, quantity, values, at) for at in (limit.at, limit.warn_at))
    state: State = "pass"
    if 100 * len(failing) / count > allowed:
        state = "fail"
    elif 100 * len(warning) / count > allowed:
        state = "warn"
    names = warning if state == "warn" or limit.at is None else failing
    share = 100 * len(names) / count
    verdict = Verdict(
        limit=text,
        metric=limit.target,
        statistic="share of pairs",
        state=state,
        value=share,
        unit="%",
        reason=f"{len(names)} of {count} pairs miss it ({share:.1f} %), {allowed:g} % may",
    )
    missed = [Miss(text, name, values[name], quantity.unit) for name in names]
    return verdict, missed if state == "fail" else []


def _beyond(limit: Limit, quantity: Quantity, values: Mapping[str, float], at: float | None) -> list[str]:
    """Return the pairs that are beyond a bound; a value that is not finite is, unless the images are identical."""
    if at is None:
        return []

    def is_beyond(value: float) -> bool:
        if not math.isfinite(value):
            return limit.bound != "min" or not quantity.meets_infinite(value)
        return _is_beyond(value, limit.bound, at)

    return [name for name, value in values.items() if is_beyond(value)]


def _of_change(limit: Limit, found: Standing, *, judging: LimitJudging) -> tuple[State, str]:
    """Return state and reason of a limit on the change since the baseline."""
    assert limit.at is not None, "a limit on a change does not warn alone"
    unit, change, baseline = found.quantity.unit, found.change, found.baseline
    if change is None or baseline is None:
        return _without_change(limit, judging)
    by = "" if math.isinf(change) else f" by {measured(abs(change), unit)}"
    moved = f"it {'rose' if change > 0 else 'fell'}{by} from {measured(baseline, unit)} to"
    said = f"{moved if change else 'it has not changed from'} {measured(found.value, unit)}"
    said += "" if found.change_interval is None else f" (95 %: {between(found.change_interval)})"
    said += f"; {found.note}" if found.note else ""
    allowed = limit.at / 100 * abs(baseline) if limit.percent and math.isfinite(baseline) else limit.at
    beyond = change if limit.bound == "max_increase" else -change
    usable = math.isfinite(found.value) or found.quantity.meets_infinite(found.value)
    if not usable or math.isnan(beyond) or beyond == math.inf:
        return "fail", f"{said}: what is not finite never passes"
    if beyond <= allowed:
        return "pass", said
    if found.significant is False and not judging.strict:
        return "warn", f"{said}, which is beyond the limit but not significant"
    return "fail", said


def _without_change(limit: Limit, judging: LimitJudging) -> tuple[State, str]:
    if judging.renewing:
        return "pass", "there is nothing to compare with yet: this run makes the baseline"
    if judging.before is None:
        return "missing", "there is no baseline of this set to compare with, see --baseline"
    return "missing", f"the baseline has no {limit.target} that compares with this one"


def measured(value: float, unit: str, *, exact: bool = False) -> str:
    """Return a value with its unit, for a sentence."""
    if not math.isfinite(value):
        return "not a number" if math.isnan(value) else "infinite"
    return f"{f'{value:g}' if exact else number(value)}{f' {unit}' if unit else ''}"


def between(interval: tuple[float, float]) -> str:
    """Return an interval of changes, with signs."""
    return f"{interval[0]:+.4f} to {interval[1]:+.4f}"
