"""A report as a page: one HTML file that holds its figures and pictures, and needs neither network nor scripts.

It is light or dark as its reader's system is, narrow on a phone, prints without the rows of all pairs beyond 40, has
words for every figure and picture, and works by keyboard. Names of files are shown as they are and cannot act: the
page's own policy forbids everything but its one style and script.
"""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from ffltool import __version__
from ffltool.conventions import TITLES
from ffltool.formats import compared
from ffltool.report import BandScore, PairValues, Report
from ffltool.texts import number, share, shortened, signed, typeset

if TYPE_CHECKING:
    from jinja2 import Environment

MARK = '<meta name="generator" content="ffltool'  # stands near the start of every page


@dataclass(frozen=True, kw_only=True)
class Embedded:
    """An image inside the page: its data URL, and its size in pixels."""

    url: str
    width: int
    height: int


@dataclass(frozen=True, kw_only=True)
class Drawing:
    """A figure for light and for dark backgrounds, its text for those who do not see it, and its caption."""

    light: Embedded
    dark: Embedded
    alt: str
    title: str
    caption: str


@dataclass(frozen=True, kw_only=True)
class Panel:
    """An image of a pair, what it is in a few words, and in a sentence."""

    image: Embedded
    label: str
    alt: str


@dataclass(frozen=True, kw_only=True)
class Exhibit:
    """A pair that is shown: its values, its images and their spectra, or the maps of labels."""

    pair: PairValues
    panels: tuple[Panel, ...]


@dataclass(frozen=True, kw_only=True)
class Page:
    """Everything that a page shows.

    ``spectra`` are drawings of mean spectra, ``bands`` what is drawn of the error in them; ``sample`` and
    ``band_sample`` say of which images these are. ``examples`` are some of each side where nothing is paired. ``rows``
    are the pairs in the table of all, or the worst of them; ``conventions`` are terms and their texts.
    """

    report: Report
    distributions: tuple[Drawing, ...] = ()
    spectra: tuple[Drawing, ...] = ()
    sample: str = ""
    bands: tuple[BandScore, ...] = ()
    band_drawings: tuple[Drawing, ...] = ()
    band_sample: str = ""
    examples: tuple[tuple[str, tuple[Panel, ...]], ...] = ()
    worst: tuple[Exhibit, ...] = ()
    median: tuple[Exhibit, ...] = ()
    legend: str = ""
    rows: tuple[PairValues, ...] = ()
    conventions: tuple[tuple[str, str], ...] = ()


def as_html(page: Page) -> str:
    """Return the page as HTML, with everything in it that it needs."""
    style, script = (_source(name) for name in ("page.css", "page.js"))
    policy = "; ".join(
        (
            "default-src 'none'",
            "img-src data:",
            f"style-src '{_digest(style)}'",
            f"script-src '{_digest(script)}'",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )
    return (
        _environment()
        .get_template("page.html.j2")
        .render(
            page=page,
            report=page.report,
            mark=MARK,
            version=__version__,
            policy=policy,
            style=style,
            script=script,
            compared=compared(page.report),
            titles=TITLES,
            states=Counter(verdict.state for verdict in page.report.by_severity),
            since=any(verdict.baseline is not None for verdict in page.report.verdicts),
            partners=any(row.real != row.fake for row in page.rows),
            sizes=sorted({*page.report.real.sizes, *page.report.fake.sizes}),
            several_sizes=len(page.report.real.sizes) > 1,
        )
    )


@cache
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("ffltool"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {
        "number": lambda value: typeset(number(value)),
        "share": lambda value: typeset(share(value)),
        "signed": lambda value: typeset(signed(value)),
        "shortened": shortened,
    }
    return environment


def _source(name: str) -> str:
    return (files("ffltool") / "templates" / name).read_text(encoding="utf-8")


def _digest(text: str) -> str:
    """Return what names a style or a script in a policy."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
