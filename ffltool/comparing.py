"""Images compared from Python, in files or in memory, and held to limits in a test suite."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ffltool.check import Measuring, measure
from ffltool.errors import InputError
from ffltool.evaluate import evaluate_pairs
from ffltool.images import Reading
from ffltool.judged import as_text
from ffltool.label_maps import LabelMaps
from ffltool.limits import STATISTICS
from ffltool.metrics import look_up, need_pairs
from ffltool.pairing import Pairing
from ffltool.pairing import pair as find_pairs
from ffltool.plans import set_plan_of
from ffltool.report import Report
from ffltool.verdicts import judge

if TYPE_CHECKING:
    from ffltool.looking import Looking
    from ffltool.memory import Images

_LIMIT = re.compile(rf"\s*(?:({'|'.join(STATISTICS)})\s*)?(>=|<=)\s*(\S+?)\s*")
_WHERE = "assert_images"
_BOUNDS = {">=": "min", "<=": "max"}


def compare(
    real: Path | str | Images,
    fake: Path | str | Images,
    *,
    metrics: str | Iterable[str] = ("psnr", "ssim", "lfd"),
    peak: float | None = None,
    bands: int | None = None,
    reading: Reading | LabelMaps | None = None,
    looking: Looking | None = None,
) -> Report | None:
    """Compare real with fake images, and report what metrics say of them.

    Parameters
    ----------
    real, fake : two folders or two image files; or images in memory: arrays, shape (H, W), (H, W, C) or (N, H, W, C),
        tensors, shape (C, H, W) or (N, C, H, W), on any device, or sequences of such, paired by place.
    metrics : a name of the table in `ffltool.metrics`, or several. Those of sets alone need no pairs, nor equal numbers
        of images.
    peak : of images in memory the largest value a pixel can take; default 255 for uint8, 65535 for uint16, and 1 for
        floating point, whose values are compared as they are, without rounding.
    bands : resolve the squared error in this many bands of frequencies.
    reading : how files become pixels; ``LabelMaps`` for metrics of labels, in files or in integer arrays.
    looking : how networks look at images, for learned metrics; default as in `ffltool.evaluate.evaluate_pairs`.

    Returns
    -------
    Report, with a name "0", "1", … for each pair in memory; None on all processes of torchrun but the first.

    Raises
    ------
    InputError, ShapeError, NothingComparedError : for what cannot be compared, as on the command line.

    Examples
    --------
    >>> import numpy as np
    >>> report = compare(np.zeros((16, 16)), np.full((16, 16), 0.1), metrics=["psnr"])
    >>> round(report.scores[0].value, 6)
    20.0
    """
    names = [metric.name for metric in look_up(metrics)]
    pairing = _pairing(real, fake, paired=need_pairs(names) or bands is not None, peak=peak, reading=reading)
    return evaluate_pairs(pairing, names, reading=reading, looking=looking, bands=bands, command="compare")


def _pairing(
    real: Path | str | Images,
    fake: Path | str | Images,
    *,
    paired: bool,
    peak: float | None,
    reading: Reading | LabelMaps | None,
) -> Pairing:
    if isinstance(real, str | os.PathLike) and isinstance(fake, str | os.PathLike):
        return find_pairs(real, fake, by="stem" if paired else "none")
    if isinstance(real, str | os.PathLike) or isinstance(fake, str | os.PathLike):
        raise InputError("one side is a path and the other is in memory: give two of a kind")
    from ffltool.memory import pair_in_memory

    return pair_in_memory(real, fake, peak=peak, paired=paired, labels=isinstance(reading, LabelMaps))


def assert_images(
    real: Path | str | Images,
    fake: Path | str | Images,
    *,
    peak: float | None = None,
    reading: Reading | LabelMaps | None = None,
    looking: Looking | None = None,
    **limits: str | Sequence[str],
) -> Report | None:
    """Raise an AssertionError, whose text is the table of verdicts, unless images keep to limits.

    Parameters
    ----------
    real, fake, peak, reading, looking : as `compare` takes them.
    limits : by metric ``">=30"`` or ``"<=14.5"``, of the mean over pairs, or of another statistic, ``"p05 >= 28"``; or
        several of them. Bands have names that want a dictionary, ``**{"band.corner.gain_db": ">=-1"}``.

    Returns
    -------
    Report, with its verdicts; None on all processes of torchrun but the first.

    Raises
    ------
    AssertionError : if a limit fails, or has no value.
    InputError : for a limit that is none; else what `compare` raises.

    Examples
    --------
    >>> import numpy as np
    >>> assert_images(np.zeros((16, 16)), np.full((16, 16), 0.1), psnr=">=30")
    Traceback (most recent call last):
        ...
    AssertionError: 1 of 1 limit failed: 1 pair
    <BLANKLINE>
    fail  psnr mean >= 30 dB  20.0000 dB is below 30 dB
    """
    __tracebackhide__ = True  # pytest shows the line of the test instead
    tables = {name: [_table(name, each) for each in _several(limit)] for name, limit in limits.items()}
    if not tables:
        raise InputError('there is no limit; give one as psnr=">=30"')
    plan = set_plan_of(tables, where=_WHERE)
    pairing = _pairing(real, fake, paired=plan.paired, peak=peak, reading=reading)
    report = measure(plan, pairing, Measuring(reading=reading or Reading(), looking=looking))
    if report is None:
        return None
    judged = judge(report, plan.limits)
    if judged.state == "fail":
        raise AssertionError(as_text([judged]))
    return judged.report


def _several(limit: object) -> Sequence[object]:
    return limit if isinstance(limit, list | tuple) else [limit]


def _table(name: str, limit: object) -> dict[str, float | str]:
    found = _LIMIT.fullmatch(limit) if isinstance(limit, str) else None
    try:
        statistic, sign, number = found.groups() if found else ("", "", "")
        bound: dict[str, float | str] = {_BOUNDS[sign]: float(number)}
    except (KeyError, ValueError) as error:
        raise InputError(f'{_WHERE}: {name} must be as ">=30" or "median <= 14.5", but is {limit!r}') from error
    return bound | ({"statistic": statistic} if statistic else {})
