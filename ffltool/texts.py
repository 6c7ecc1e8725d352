"""Numbers and names as texts, alike in tables, pages and figures."""

from __future__ import annotations

import math

from ffltool.errors import printable

_LONGEST = 160  # letters of a name


def number(value: float | None) -> str:
    """Return a value to four decimals, or in five digits where it is large; "-" where there is none.

    >>> number(14.80456), number(0.98), number(2947.674455), number(float("inf")), number(None)
    ('14.8046', '0.9800', '2947.67', 'inf', '-')
    """
    if value is None:
        return "-"
    return f"{value:.4f}" if abs(value) < 1000 or math.isinf(value) else f"{value:.2f}"


def share(value: float | None) -> str:
    """Return a part of 1 in percent, "-" where there is none.

    >>> share(0.1234), share(None)
    ('12.3%', '-')
    """
    return "-" if value is None else f"{value:.1%}"


def signed(value: float | None) -> str:
    """Return a value in dB to two decimals with its sign, "-" where there is none, or NaN.

    >>> signed(0.125), signed(-0.001), signed(None)
    ('+0.12', '+0.00', '-')
    """
    return "-" if value is None or math.isnan(value) else f"{round(value, 2) + 0.0:+.2f}"


def typeset(text: str) -> str:
    """Return the text of a number as a page has it: with a true minus, "∞" where it is infinite, "–" for none.

    >>> typeset("-2.5000"), typeset("inf"), typeset("-")
    ('−2.5000', '∞', '–')
    """
    return "–" if text == "-" else text.replace("-", "−").replace("inf", "∞")


def shortened(text: str, most: int = _LONGEST) -> str:
    """Return a text that can be printed, of at most so many letters, without its middle where it is longer.

    >>> shortened("a_generator_of_no_name_epoch_100.png", 24)
    'a_generator_…och_100.png'
    """
    text, half = printable(text), (most - 1) // 2
    return text if len(text) <= most else f"{text[: most - 1 - half]}…{text[-half:]}"
