"""The page as HTML: what stands in it, that nothing in it can act, and that it can be read."""

import base64
import hashlib
import re
from dataclasses import replace
from html.parser import HTMLParser
from importlib import resources
from itertools import pairwise

import pytest

from ffltool.page import MARK, Drawing, Embedded, Exhibit, Page, Panel, as_html
from ffltool.report import BandScore, ClassScore, ImageSet, PairValues, Report, Score, Verdict

DOT = Embedded(url="data:image/png;base64,AAAA", width=3, height=2)
HOSTILE = '<img src=x onerror="harm()">.png'


VOID = frozenset({"meta", "img", "source"})
ENDS = {"tr": ("tr", "td", "th"), "td": ("td", "th"), "th": ("td", "th")}  # what of the open ones a start ends


class Element:
    """An element of a page: its tag, attributes and the text in it."""

    def __init__(self, tag, attributes):
        self.tag, self.attributes, self.text = tag, dict(attributes), ""


class Elements(HTMLParser):
    """All elements of a page; text belongs to all those that are open."""

    def __init__(self, html):
        super().__init__()
        self.all, self.open = [], []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attributes):
        while self.open and self.open[-1].tag in ENDS.get(tag, ()):
            self.open.pop()
        self.all.append(Element(tag, attributes))
        if tag not in VOID:
            self.open.append(self.all[-1])

    def handle_endtag(self, tag):
        while self.open.pop().tag != tag:
            pass

    def handle_data(self, text):
        for element in self.open:
            element.text += text

    def __call__(self, tag):
        return [element for element in self.all if element.tag == tag]


def score(metric="psnr", **values):
    settings = {"value": 30.0, "std": 1.0, "min": 29.0, "max": 31.0, "images": 2, "unit": "dB", "better": "higher"}
    return Score(metric=metric, **(settings | values))


def report(*names, **changes):
    sides = {side: ImageSet(path=side, images=2, sizes=((4, 6),), digest="sha256:0") for side in ("real", "fake")}
    pairs = tuple(PairValues(name, name, 4, 6, (30.0 + place,)) for place, name in enumerate(names))
    facts = {"command": "metrics", "version": "1", "scores": (score(),), "pairs": pairs, "warnings": ()}
    return Report(**(sides | facts | {"environment": {}, "seconds": 0.5} | changes))


def page(*names, **changes):
    found = report(*names)
    shown = tuple(Exhibit(pair=pair, panels=(Panel(image=DOT, label="real", alt=pair.real),)) for pair in found.pairs)
    drawing = Drawing(light=DOT, dark=DOT, alt="a figure", title="A figure", caption="It shows something.")
    whole = Page(report=found, distributions=(drawing,), worst=shown[:1], median=shown[1:], rows=found.pairs)
    return replace(whole, conventions=(("term", "text"),), **changes)


def test_a_name_is_text_wherever_it_stands():
    hostile = replace(
        page(HOSTILE, "b.png"),
        report=report(
            HOSTILE,
            "b.png",
            real=ImageSet(path=HOSTILE, images=2, sizes=((4, 6),), digest="sha256:0"),
            warnings=(HOSTILE,),
            verdicts=(verdict("fail", limit=HOSTILE, reason=HOSTILE),),
        ),
        conventions=((HOSTILE, HOSTILE),),
    )
    elements = Elements(as_html(hostile))
    assert all(name[:2] != "on" for element in elements.all for name in element.attributes)
    assert {image.attributes["src"] for image in elements("img")} == {DOT.url}
    assert len(elements("script")) == len(elements("style")) == 1
    for tag in ("title", "h1", "h4", "th", "td", "li", "dt", "dd"):
        assert any(HOSTILE in element.text for element in elements(tag)), tag
    assert HOSTILE in {image.attributes["alt"] for image in elements("img")}


def test_a_line_break_in_a_name_is_an_escape_and_a_long_name_is_cut_in_its_middle():
    html = as_html(page("two\nlines.png", "x" * 300 + ".png"))
    assert r"two\nlines.png" in html
    assert "x" * 79 + "…" + "x" * 75 + ".png" in html
    assert "x" * 160 not in html.replace('alt="' + "x" * 300, "")


def test_nothing_but_its_own_style_and_script_may_act():
    elements = Elements(as_html(page("a.png", "b.png")))
    (policy,) = (meta.attributes["content"] for meta in elements("meta") if "http-equiv" in meta.attributes)
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    assert (rules["default-src"], rules["img-src"]) == ("'none'", "data:")
    for tag in ("style", "script"):
        (element,) = elements(tag)
        digest = base64.b64encode(hashlib.sha256(element.text.encode()).digest()).decode()
        assert rules[f"{tag}-src"] == f"'sha256-{digest}'"
    assert not any("style" in element.attributes for element in elements.all)
    links = [value for element in elements.all for name, value in element.attributes.items() if name in ("src", "href")]
    assert all(link.startswith(("data:", "#")) for link in links)


def test_the_policy_stands_before_everything_that_it_is_about():
    html = as_html(page("a.png"))
    assert html.index("Content-Security-Policy") < min(html.index("<style"), html.index("<img"))
    assert html.index(MARK) < 4096


def test_links_lead_to_sections_that_are_there():
    elements = Elements(as_html(page("a.png", "b.png")))
    known = {element.attributes.get("id") for element in elements.all}
    for element in elements.all:
        for name in ("href", "aria-labelledby"):
            if name in element.attributes:
                assert element.attributes[name].removeprefix("#") in known


def test_images_have_texts_and_headings_of_tables_a_scope():
    elements = Elements(as_html(page("a.png", "b.png")))
    assert all(image.attributes["alt"] for image in elements("img"))
    assert all(head.attributes["scope"] in ("row", "col") for head in elements("th"))
    assert all(
        "tabindex" in each.attributes for each in elements("div") if "scroll" in each.attributes.get("class", "")
    )
    levels = [int(element.tag[1]) for element in elements.all if re.fullmatch("h[1-6]", element.tag)]
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


def test_a_row_of_a_pair_costs_few_bytes():
    names = [f"{number:05}.png" for number in range(1000)]
    many, few = (len(as_html(replace(page("a.png"), rows=report(*names[:count]).pairs))) for count in (1000, 1))
    assert (many - few) / 999 < len("00000.png") + len("1029.0000") + 30


def test_a_shortened_table_says_so():
    found = page("a.png", "b.png", "c.png")
    assert "3 pairs." in as_html(found)
    assert "The 2 worst of 3 pairs by psnr" in as_html(replace(found, rows=found.rows[:2]))


def test_sizes_are_said_where_there_is_one_and_counted_else():
    assert "4 × 6 pixels." in as_html(page("a.png"))
    several = ImageSet(path="real", images=2, sizes=((1, 2), (3, 4)), digest="sha256:0")
    assert "3 sizes." in as_html(replace(page("a.png"), report=report("a.png", real=several)))
    assert "4 × 6 pixels." in as_html(replace(page("a.png"), report=report("a.png", real=replace(several, sizes=()))))


def verdict(state, **values):
    settings = {"limit": f"psnr mean {state}", "metric": "psnr", "statistic": "mean", "value": 30.0, "unit": "dB"}
    return Verdict(state=state, **(settings | {"reason": ""} | values))


def test_verdicts_come_first_and_in_words():
    verdicts = (
        verdict("pass", interval=(29.5, 30.5), baseline=31.0, change=-1.0, significant=False),
        verdict("fail", value=float("inf"), reason="not finite"),
        verdict("fail"),
        verdict("missing", value=None),
    )
    html = as_html(replace(page("a.png"), report=report("a.png", verdicts=verdicts)))
    elements = Elements(html)
    states = [span.text for span in elements("span") if "state" in span.attributes.get("class", "")]
    assert states == ["2 fail", "1 missing", "1 pass", "fail", "fail", "missing", "pass"]
    assert html.index('id="verdicts"') < html.index('id="scores"')
    cells = [element.text for element in elements("td")]
    assert "baseline" in {head.text for head in elements("th")}
    for text in ("29.5000 to 30.5000", "31.0000", "−1.0000 not significant", "∞ dB", "not finite", "–"):
        assert text in cells, text


def test_without_a_baseline_there_is_no_column_for_changes():
    html = as_html(replace(page("a.png"), report=report("a.png", verdicts=(verdict("pass"),))))
    heads = [head.text for head in Elements(html)("th")]
    assert heads[:5] == ["verdict", "limit", "value", "95 % interval", "reason"]


def test_bands_classes_and_sets_have_their_tables():
    band = BandScore(
        name="dc", low=0, high=0, lfd=9.1, share=0.25, amplitude_share=1.0, phase_share=0.0, gain_db=-0.125
    )
    each = ClassScore(label=3, iou=None, accuracy=None, real_pixels=0, fake_pixels=0, right_pixels=0)
    texts = {element.text for element in Elements(as_html(replace(page("a.png"), bands=(band,))))("td")}
    assert {"9.1000", "25.0%", "100.0%", "0.0%", "−0.12"} <= texts
    elements = Elements(as_html(replace(page("a.png"), report=report("a.png", classes=(each,)))))
    assert [head.text for head in elements("th")][:3] == ["metric", "value", "min"]
    assert "right pixels" in {head.text for head in elements("th")}
    alone = report(scores=(score("lsd", std=None, min=None, max=None), score("gain[corner]", std=None, min=None)))
    elements = Elements(as_html(Page(report=alone)))
    assert [head.text for head in elements("th")][:3] == ["metric", "value", "unit"]
    assert "power of the fake set over that of the real one" in {cell.text for cell in elements("td")}
    assert {section.attributes["id"] for section in elements("section")} == {"scores", "conventions"}


def colours():
    css = resources.files("ffltool").joinpath("templates", "page.css").read_text()
    blocks = re.findall(r":root \{(.*?)\}", css, re.DOTALL)
    for name, block in zip(("light", "dark"), blocks, strict=True):
        yield name, dict(re.findall(r"--(\w+): (#\w+);", block))


def luminance(colour):
    digits = colour[1:] if len(colour) == 7 else "".join(2 * digit for digit in colour[1:])
    parts = (int(digits[place : place + 2], 16) / 255 for place in (0, 2, 4))
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("ground", ["paper", "sunk"])
def test_every_colour_of_text_stands_out_as_wcag_wants(scheme, ground):
    found = dict(colours())[scheme]
    for name in ("ink", "quiet", "accent", "pass", "warn", "fail"):
        low, high = sorted(luminance(found[each]) for each in (name, ground))
        assert (high + 0.05) / (low + 0.05) >= 4.5, name
