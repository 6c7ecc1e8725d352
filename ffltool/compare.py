"""Images in memory, or in files, compared from Python; and held to limits, for test suites."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ffltool.errors import InputError, NothingComparedError, ShapeError
from ffltool.evaluate import evaluate_pairs
from ffltool.images import Reading
from ffltool.judged import as_text
from ffltool.limits import STATISTICS, Limit, limits_of, targets_of
from ffltool.metrics import Metric, look_up, need_pairs
from ffltool.outcomes import MEASURED, Facts, Outcome
from ffltool.pairing import Pair, Pairing
from ffltool.pairing import pair as find_pairs
from ffltool.report import Report
from ffltool.summary import summarised
from ffltool.verdicts import judge

if TYPE_CHECKING:
    from torch import Tensor

    Images = str | os.PathLike | np.ndarray | Tensor | Sequence[np.ndarray | Tensor]

_BOUND = re.compile(rf"\s*(?:({'|'.join(STATISTICS)})\s*)?(>=|<=)\s*(\S+)\s*")
