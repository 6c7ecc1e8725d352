import csv
import io
import json
import math
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest

from ffltool import formats
from ffltool.report import ImageSet, PairValues, Report, Score

SCHEMA = json.loads((Path(__file__).parent / "report.schema.json").read_text())


@pytest.fixture
def report():
    def score(metric, value, **rest):
        better = "higher" if metric == "psnr" else "lower"
        settings = {"std": 0.5, "min": 1.0, "max": 20.0, "images": 2, "unit": "nat", "better": better} | rest
        return Score(metric=metric, value=value, **settings)

    def side(name):
        return ImageSet(path=name, images=2, sizes=((8, 9),), digest="sha256:" + 64 * "0")

    return Report(
        command="metrics",
        version="0.1.0",
        real=side("real"),
        fake=side("fake"),
        scores=(score("lfd", 14.25), score("psnr", math.inf, std=None, max=math.inf, infinite=1)),
        pairs=(
            PairValues("a.png", "a.jpg", 8, 9, (0.0, math.inf)),
            PairValues("b.png", "b.jpg", 8, 9, (1 / 3, 20.5)),
        ),
        warnings=("mixed sizes",),
        environment={"device": "cpu", "torch": None, "pillow": "12.0.0"},
        seconds=1.23456,
    )


@pytest.fixture
def of_sets(report):
    """A report of sets of 2 and 3 images: one finite score and one that is infinite."""
    alone = {"unit": "dB", "better": "0", "std": None, "min": None, "max": None, "images": 3}
    scores = (
        Score(metric="gain[corner]", value=-1.5, **alone),
        Score(metric="gain[0-0.125]", value=-math.inf, infinite=1, **alone),
    )
    return replace(report, scores=scores, pairs=(), fake=replace(report.fake, images=3))


def test_scores_of_sets_are_one_value_in_every_format(of_sets):
    jsonschema = pytest.importorskip("jsonschema")
    content = json.loads(formats.as_json(of_sets))
    jsonschema.validate(content, SCHEMA)
    first, second = content["scores"]
    assert first == {"settings": {}, "infinite": 0} | first | {"value": -1.5, "std": None, "min": None, "max": None}
    assert (second["value"], second["infinite"]) == (None, 1)
    assert (content["real"]["images"], content["fake"]["images"]) == (2, 3)
    text = formats.as_markdown(of_sets)
    assert "**real** (real) and **fake** (fake), 2 real and 3 fake images\n" in text
    assert "| gain[corner] | -1.5000 |  |  |  | dB | 0 |" in text
    assert "Worst pairs" not in text
    names = [item.get("name") for item in ElementTree.fromstring(formats.as_junit(of_sets)).iter("property")]
    assert names[:4] == [f"gain[corner].{name}" for name in ("value", "images", "unit", "better")]


def test_scores_of_sets_are_in_no_row_of_a_pair(report, of_sets):
    together = replace(report, scores=(of_sets.scores[0], *report.scores))
    assert formats.as_csv(together) == formats.as_csv(report)
    assert formats.as_markdown(together).count("gain") == 1
    assert together.worst() == report.worst()


def test_json_fits_the_schema_and_holds_no_infinity(report):
    jsonschema = pytest.importorskip("jsonschema")

    def refuse(constant):
        raise AssertionError(f"{constant} is not JSON")

    content = json.loads(formats.as_json(report), parse_constant=refuse)
    jsonschema.validate(content, SCHEMA)
    assert content["scores"][1] | {"value": None, "std": None, "max": None, "infinite": 1} == content["scores"][1]
    assert content["warnings"] == ["mixed sizes"]


def test_csv_has_a_row_per_pair_in_full_precision(report):
    head, *rows = csv.reader(io.StringIO(formats.as_csv(report)))
    assert head == ["real", "fake", "height", "width", "lfd", "psnr"]
    assert [[float(value) for value in row[4:]] for row in rows] == [[0.0, math.inf], [1 / 3, 20.5]]


def test_csv_quotes_names(report):
    pairs = (replace(report.pairs[0], real='a,"b".png'),)
    rows = list(csv.reader(io.StringIO(formats.as_csv(replace(report, pairs=pairs)))))
    assert rows[1][0] == 'a,"b".png'


def test_markdown_shows_scores_worst_pairs_and_warnings(report):
    text = formats.as_markdown(report)
    assert "| lfd | 14.2500 | 0.5000 | 1.0000 | 20.0000 | nat | lower |" in text
    assert "| psnr | inf |  | 1.0000 | inf | nat | higher |" in text
    assert text.index("| b.png |") < text.index("| a.png |"), "the worst pair stands first"
    assert "> mixed sizes" in text
    assert "**real** (real) and **fake** (fake), 2 pairs\n" in text


def test_what_is_no_number_is_null_in_json(report):
    odd = replace(report.scores[0], value=math.nan)
    assert json.loads(formats.as_json(replace(report, scores=(odd,))))["scores"][0]["value"] is None


def test_markdown_escapes_names(report):
    pairs = (replace(report.pairs[0], real="<img onerror=x>|*_$x$.png"),)
    assert r"| \<img onerror=x\>\|\*\_\$x\$.png |" in formats.as_markdown(replace(report, pairs=pairs))


def test_junit_has_a_test_case_per_metric(report):
    suites = ElementTree.fromstring(formats.as_junit(report))
    assert suites.tag == "testsuites"
    (suite,) = suites
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("2", "0", "0")
    cases = suite.findall("testcase")
    assert [case.get("name") for case in cases] == ["lfd", "psnr"]
    properties = {item.get("name"): item.get("value") for item in suite.iter("property")}
    assert float(properties["lfd.value"]) == 14.25
    assert suite.find("system-err").text == "mixed sizes"


@pytest.mark.parametrize("name", formats.FORMATS)
def test_every_format_carries_its_mark_near_the_start(report, name):
    write, mark = formats.FORMATS[name]
    assert mark in write(report)[:200]
