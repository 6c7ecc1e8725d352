"""Rows of the one table of all benchmarks, which scripts hand over to the process that started them."""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

FILE = "FFLTOOL_BENCHMARK_ROWS"  # names the file, one row a line


@dataclass(frozen=True, kw_only=True)
class Row:
    """What was compared: numbers in one ``unit``, the bars to reach, and words about the limit and the memory."""

    work: str
    unit: str
    ours: float
    peer: str = ""
    theirs: float | None = None
    bar: float | None = None  # least ratio of theirs to ours, or without a peer the most that ours may be
    limit: str = ""
    memory: str = ""


def keep(**cells):
    """Write a row, where someone waits for it."""
    if path := os.environ.get(FILE):
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(Row(**cells))) + "\n")


def kept(path):
    """Return the rows of a file."""
    return [Row(**json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []
