"""How the tables of ``ffltool diagnose`` begin, and their cells."""

import re

LOSSES, EXPONENTS, BANDS = "loss", "alpha", "band"  # how the tables begin


def rows_below(out, title):
    """Return the lines of the table that begins so, as their cells."""
    table = next(part for part in out.split("\n\n") if part.startswith(title))
    return [re.split(r"\s{2,}", line.strip()) for line in table.splitlines()[1:]]
