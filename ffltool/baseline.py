"""The baseline: what a run found, kept in a JSON file for the next run to be held against."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ffltool import outputs
from ffltool.errors import InputError
from ffltool.formats import json_text
from ffltool.report import BandScore, ImageSet, PairValues, Report, Score

Kept = dict[str, Any]  # of a JSON file
SCHEMA = "ffltool.baseline/1"
MARK = f'"schema": "{SCHEMA}"'  # stands near the start of every such file
# what a reader stumbles over in a file that is damaged or was changed
_DAMAGE = (ValueError, KeyError, TypeError, AttributeError, RecursionError, OverflowError)
_LARGEST = 1e100  # of a value that is finite: sums of such are too


def write(path: Path, reports: Mapping[str, Report]) -> None:
    """Keep the reports of all sets, by name, in a file that is moved into place whole.

    A run that is killed leaves the old file, and of several at once one leaves its own.
    """
    outputs.write(path, as_json(reports).encode())


def as_json(reports: Mapping[str, Report]) -> str:
    """Return the reports of sets, by name, as JSON of the schema `ffltool.baseline/1`; "inf" for what is infinite."""
    return json_text(SCHEMA, "check", {"sets": {name: _kept(report) for name, report in reports.items()}})


def _kept(report: Report) -> dict[str, object]:
    return {
        "real": asdict(report.real),
        "fake": asdict(report.fake),
        "environment": report.environment,
        "scores": [_spelt(asdict(score)) for score in report.scores],
        "bands": [_spelt(asdict(band)) for band in report.bands],
        # a line for each pair, so that versions of the file compare well
        "pairs": {pair.real: " ".join(map(repr, (pair.height, pair.width, *pair.values))) for pair in report.pairs},
    }


def _spelt(values: Mapping[str, object]) -> dict[str, object]:
    """Return the same with what is infinite, or no number, as a text."""
    return {
        name: str(value) if isinstance(value, float) and not math.isfinite(value) else value
        for name, value in values.items()
    }


def read(path: Path) -> dict[str, Report]:
    """Return what a file keeps of each set, by name.

    Raises
    ------
    InputError : if there is no such file, it cannot be read, or is no baseline of ffltool.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"), parse_float=_finite, parse_constant=_finite)
        if not isinstance(content, dict) or content.get("schema") != SCHEMA:
            raise InputError(f"{path} is no baseline of ffltool, whose schema is {SCHEMA}")
        return {name: _report(kept, content["version"]) for name, kept in content["sets"].items()}
    except InputError:
        raise
    except FileNotFoundError as error:
        raise InputError(f"{path} does not exist; --update-baseline makes a baseline") from error
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from error
    except _DAMAGE as error:
        raise InputError(f"{path} is no baseline that can be read: {error}") from error


def _finite(text: str) -> float:
    """Return a number of JSON, which has none that are not finite, though Python reads them."""
    number = float(text)
    if math.isfinite(number):
        return number
    raise ValueError(f"{text} is no number of JSON")


def _report(kept: Kept, version: object) -> Report:
    report = Report(
        command="check",
        version=str(version),
        real=_side(kept["real"]),
        fake=_side(kept["fake"]),
        scores=tuple(map(_score, kept["scores"])),
        pairs=tuple(_pair(name, text) for name, text in kept["pairs"].items()),
        warnings=(),
        environment=dict(kept["environment"]),
        seconds=0.0,
        bands=tuple(map(_band, kept["bands"])),
    )
    if any(len(pair.values) != len(report.of_pairs) for pair in report.pairs):
        raise ValueError("a pair has more or fewer values than there are metrics of pairs")
    return report


def _side(kept: Kept) -> ImageSet:
    sizes = tuple((int(height), int(width)) for height, width in kept["sizes"])
    if not sizes:
        raise ValueError("a set has no sizes")
    return ImageSet(**kept | {"images": int(kept["images"]), "sizes": sizes})


def _score(kept: Kept) -> Score:
    numbers = {name: _number_or_none(kept[name]) for name in ("value", "std", "min", "max")}
    if kept["better"] not in ("lower", "higher", "0"):
        raise ValueError("a score is better neither lower nor higher nor at 0")
    return Score(**kept | numbers | {"metric": str(kept["metric"]), "settings": {**kept["settings"]}})


def _band(kept: Kept) -> BandScore:
    numbers = {name: _number_or_none(value) for name, value in kept.items() if name != "name"}
    return BandScore(**kept | numbers)


def _number_or_none(value: float | str | None) -> float | None:
    return None if value is None else _number(value)


def _number(value: float | str) -> float:
    """Return a number, which may be infinite, as it was kept."""
    number = float(value)
    if math.isinf(number) or abs(number) <= _LARGEST:
        return number
    raise ValueError(f"{number} is no value of a metric")


def _pair(name: str, text: str) -> PairValues:
    height, width, *values = text.split()
    return PairValues(name, name, int(height), int(width), tuple(map(_number, values)))
