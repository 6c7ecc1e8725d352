"""Which sets are held to which limits, from TOML and from flags."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ffltool.errors import InputError
from ffltool.limits import PEAKS, WARNS, Limit, known, limits_of, short, targets_of
from ffltool.metrics import METRICS, need_pairs
from ffltool.report import MOST_BANDS, may_be_bands

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

BANDS = 8  # of a file that does not say how many
_SETTINGS = ("real", "fake", "bands")  # of a set, beside its limits

Table = dict[str, object]  # of TOML, or a part of it
Tables = dict[str, list[Table]]  # target -> tables of its limits


@dataclass(frozen=True, kw_only=True)
class SetPlan:
    """What is wanted of one set of pairs; ``name`` is "" where a file has one set alone.

    ``metrics`` are those to compute, ``bands`` in how many bands, None where no limit asks for any, and ``peaks`` is
    whether one asks for peaks.
    """

    name: str
    real: Path | None
    fake: Path | None
    limits: tuple[Limit, ...]
    metrics: tuple[str, ...]
    bands: int | None
    peaks: bool

    @property
    def paired(self) -> bool:
        """Whether images have to be paired for it."""
        return self.bands is not None or need_pairs(self.metrics)


@dataclass(frozen=True, kw_only=True)
class Located(SetPlan):
    """A plan whose images are known; ``fake`` is None where each file of ``real`` holds both."""

    real: Path


def read(path: Path) -> Table:
    """Return the table of limits in a TOML file; of a ``pyproject.toml`` that of ``[tool.ffltool]``.

    Raises
    ------
    InputError : if the file cannot be read, is no TOML, or is a project's without such a table.
    """
    if path.name != "pyproject.toml":
        return _toml(path)
    table = tools(path).get("ffltool")
    if not isinstance(table, dict):
        raise InputError(f"{path} has no table [tool.ffltool]")
    return table


def tools(path: Path) -> Table:
    """Return the table ``[tool]`` of a project."""
    found = _toml(path).get("tool", {})
    return found if isinstance(found, dict) else {}


def _toml(path: Path) -> Table:
    try:
        table: Table = tomllib.loads(path.read_text(encoding="utf-8-sig"))  # some editors begin with a mark
    except FileNotFoundError as error:
        raise InputError(f"{path} does not exist") from error
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:  # of TOML, of UTF-8
        raise InputError(f"{path} is no TOML: {error}") from error
    return table


def load(
    config: Path | None,
    *,
    minima: Sequence[str] = (),
    maxima: Sequence[str] = (),
    only: Sequence[str] = (),
    given: tuple[Path, Path | None] | None = None,
    resolved: bool = False,
) -> tuple[Located, ...]:
    """Return what a file of limits, and flags, want of each set, or of those in `only`.

    Without a file it is the ``pyproject.toml`` of this folder, if that has limits. The paths `given` are of one set.
    With `resolved` there are bands whether a limit asks for them or not.

    Raises
    ------
    InputError : if it is unknown which images are meant; else as `read` and `plans`.
    """
    project = Path("pyproject.toml")
    if config is None and project.is_file() and "ffltool" in tools(project):
        config = project
    table = {} if config is None else read(config)
    where, folder = (str(config), config.parent) if config else ("limits", Path())
    found = list(plans(table, where=where, folder=folder, minima=minima, maxima=maxima))
    names = [plan.name for plan in found]
    if only and names == [""]:
        raise InputError(f"--set {only[0]}: {where} has no sets by name, as [set.{only[0]}]")
    for name in only:
        known(name, names, f"{where}: set")
    found = [plan for plan in found if not only or plan.name in only]
    if given is not None:
        if len(found) > 1:
            several = ", ".join(plan.name for plan in found)
            raise InputError(f"REAL and FAKE are of one set, but {where} has {several}; --set chooses one")
        found = [replace(found[0], real=given[0], fake=given[1])]
    if any(plan.real is None for plan in found):
        raise InputError(f"REAL is missing: give two folders or two images, or real and fake in {where}")
    return tuple(Located(**vars(plan) | ({"bands": plan.bands or BANDS} if resolved else {})) for plan in found)


def plans(
    table: Table, *, where: str, folder: Path, minima: Sequence[str] = (), maxima: Sequence[str] = ()
) -> tuple[SetPlan, ...]:
    """Return what a table of limits wants of each set.

    Parameters
    ----------
    where : what the table is called in errors.
    folder : what its paths are relative to.
    minima, maxima : flags, "psnr=30", which replace the limits on a mean, or add one.

    Raises
    ------
    InputError : for an unknown key, naming the nearest known one; a value that is none; bounds that contradict one
        another; or if there is no limit.
    """
    shared = {key: value for key, value in table.items() if key != "set"}
    common = _targets(shared, where, (*_SETTINGS, "set"))
    named = table.get("set", {"": {}})
    if not isinstance(named, dict) or not all(isinstance(each, dict) for each in named.values()) or not named:
        raise InputError(f"{where}: set must be tables, as [set.faces]")
    flags = [(bound, flag) for bound, flags in (("min", minima), ("max", maxima)) for flag in flags]
    found = []
    for name, own in named.items():
        here = f"{where}: set {name}" if name else where
        targets = {target: list(tables) for target, tables in (common | _targets(own, here, _SETTINGS)).items()}
        for bound, flag in flags:
            _override(targets, bound, flag)
        found.append(_plan(name, targets, {**shared, **own}, here, folder))
    return tuple(found)


def set_plan_of(limits: Mapping[str, object], *, where: str) -> SetPlan:
    """Return what limits by their whole names, as "band.3.gain_db", want of one set; raises as `plans`."""
    return _plan("", _by_target(limits.items(), where), {}, where, Path())


def _plan(name: str, targets: Tables, settings: Table, where: str, folder: Path) -> SetPlan:
    limits = tuple(
        limit for target, tables in targets.items() for each in tables for limit in limits_of(target, each, where)
    )
    if not limits:
        raise InputError(f"{where}: there is no limit; give one as --min psnr=30, or in a file with -c")
    bands = settings.get("bands", BANDS)
    if not may_be_bands(bands):
        raise InputError(f"{where}: bands must be a number from 1 to {MOST_BANDS}, but is {short(bands)}")
    for each in targets:
        number = each.split(".")[1] if each.startswith("band.") else ""
        if number.isdecimal() and int(number) > bands + 1:
            raise InputError(f"{where}: there is no {each}; band.0 is dc and band.{bands + 1} the corner")
    asked = [metric.name for metric in METRICS.values() if any(score in targets for score in metric.score_names)]
    resolved = any(target.startswith("band.") for target in targets)
    return SetPlan(
        name=name,
        real=_path(settings, "real", where, folder),
        fake=_path(settings, "fake", where, folder),
        limits=limits,
        # bands are of pairs; peaks need none
        metrics=tuple(asked) or (("lfd",) if resolved else ("lsd",)),
        bands=bands if resolved else None,
        peaks=PEAKS in targets,
    )


def _path(settings: Table, key: str, where: str, folder: Path) -> Path | None:
    value = settings.get(key)
    if value is None:
        return None
    if not isinstance(value, str) or not value or "\0" in value:
        raise InputError(f"{where}: {key} must be a path, but is {short(value)}")
    return folder / value


def _targets(table: Table, where: str, others: Sequence[str]) -> Tables:
    """Return the tables of limits by what they are on, of a table that has those of bands and peaks within others."""
    known = (*others, "band", "peaks")
    return _by_target(_flat({key: table[key] for key in table if key not in others}, where), where, known)


def _flat(table: Table, where: str) -> Iterator[tuple[str, object]]:
    """Yield limits with their whole names, as "band.3.gain_db"."""
    for key, value in table.items():
        if key == "band":
            for name, fields in _table(value, f"{where}: band").items():
                for field, limits in _table(fields, f"{where}: band.{name}").items():
                    yield f"band.{name}.{field}", limits
        elif key == "peaks":
            for field, limits in _table(value, f"{where}: peaks").items():
                yield f"peaks.{field}", limits
        else:
            yield key, value


def _by_target(limits: Iterable[tuple[str, object]], where: str, others: Sequence[str] = ()) -> Tables:
    """Return the tables of limits by what they are on; a metric of several scores stands for all of them."""
    found: Tables = {}
    for name, value in limits:
        for each in targets_of(name, where, others=() if "." in name else others):
            if each == name or each not in found:  # one score by its own name counts before all of its metric
                found[each] = _tables(value, f"{where}: {name}")
    return found


def _table(value: object, where: str) -> Table:
    if not isinstance(value, dict):
        raise InputError(f"{where} must be a table, but is {short(value)}")
    return value


def _tables(value: object, where: str) -> list[Table]:
    """Return one table of limits, or several of an array of tables."""
    return [_table(each, where) for each in (value if isinstance(value, list) else [value])]


def _override(targets: Tables, bound: str, flag: str) -> None:
    """Put a flag, "psnr=30", in the place of a limit on the same mean, or add it."""
    name, equals, number = flag.rpartition("=")
    where = f"--{bound} {flag}"
    try:
        value = float(number)
    except ValueError:
        value = math.nan
    if not equals or not math.isfinite(value):
        raise InputError(f"{where}: wanted is a name and a number, as --{bound} psnr=30")
    for each in targets_of(name.strip(), where):
        tables = targets.setdefault(each, [])
        plain = [table for table in tables if table.get("statistic", "mean") == "mean" and "fail_percent" not in table]
        kept = [table for table in tables if table not in plain]
        without = (WARNS[bound], bound)
        first, *rest = [{key: at for key, at in table.items() if key not in without} for table in plain] or [{}]
        targets[each] = [*kept, {**first, bound: value}, *(table for table in rest if table.keys() - {"statistic"})]
