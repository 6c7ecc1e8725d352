"""What came of limits in every format: golden files, schemas, and the readers of others."""

import io
import json
import math
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest
from junitparser import Error, Failure, JUnitXml
from lxml import etree
from referencing import Registry, Resource

from ffltool import formats, judged
from ffltool.limits import limits_of
from ffltool.report import ImageSet, PairValues, Report, Score
from ffltool.verdicts import LimitJudging, judge

TESTS = Path(__file__).parent
SCHEMA, OF_REPORTS = (json.loads((TESTS / f"{name}.schema.json").read_text()) for name in ("check", "report"))
JUNIT = etree.XMLSchema(etree.parse(TESTS / "junit.xsd"))
EVIL = "<img onerror=x>|*_.png"
LIMITS = {
    "psnr": {"min": 29, "warn_min": 31, "max_drop": 0.2},
    "lsd": {"max": 2},
    "ssim": {"min": 0.5},
    "band.corner.gain_db": {"abs_max": 1},
}


def report(values, lsd, **rest):
    def side(name):
        return ImageSet(path=name, images=4, sizes=((64, 64),), digest="sha256:" + 64 * "0")

    mean = sum(values) / len(values)
    names = ("a.png", EVIL, "c\x01.png", "d.png")
    psnr = Score(
        metric="psnr", value=mean, std=1.5, min=min(values), max=max(values), images=4, unit="dB", better="higher"
    )
    alone = {"std": None, "min": None, "max": None, "images": 4}
    settings = {
        "command": "check",
        "version": "0.1.0",
        "real": side("real"),
        "fake": side("out/<b>"),
        "scores": (psnr, Score(metric="lsd", value=lsd, unit="dB", better="lower", **alone)),
        "pairs": tuple(PairValues(name, name, 64, 64, (value,)) for name, value in zip(names, values, strict=True)),
        "warnings": ("one | two",),
        "environment": {"device": "cpu", "torch": None, "pillow": "12.0.0"},
        "seconds": 1.25,
    } | rest
    return Report(**settings)


NOW, BEFORE = report((28.5, 29.5, 31.0, 32.0), 1.5), report((29.0, 29.9, 31.5, 32.5), 1.4)


def judgement(now=NOW, before=BEFORE, limits=LIMITS, name=""):
    every = {"min": 30, "fail_percent": 10}
    found = [each for target, table in limits.items() for each in limits_of(target, table, "limits")]
    found += limits_of("psnr", every, "limits")
    return judge(now, found, LimitJudging(before=before), name=name)


@pytest.fixture
def one():
    return [judgement()]


@pytest.fixture
def two():
    return [
        judgement(name="faces"),
        judgement(now=BEFORE, before=None, limits={"lsd": {"max": 2}}, name="cats, <dogs>"),
    ]


GOLDEN = {"check.md": judged.as_markdown, "check.xml": judged.as_junit, "check.txt": judged.as_text}


@pytest.mark.parametrize("name", GOLDEN)
def test_formats_are_as_they_were_looked_at(one, name):
    """The files in golden/ were read by a person; after a change wanted, write them anew and read them again."""
    assert GOLDEN[name](one) == (TESTS / "golden" / name).read_text()


def test_json_fits_the_schema_and_holds_no_infinity(one, two):
    registry = Registry().with_resource("ffltool.report/1", Resource.from_contents(OF_REPORTS))
    check = jsonschema.Draft202012Validator(SCHEMA, registry=registry)
    infinite = report((math.inf,) * 4, math.inf)
    for each in (one, two, [judgement(now=infinite)], [judgement(now=infinite, before=infinite)]):
        check.validate(json.loads(judged.as_json(each), parse_constant=pytest.fail))
    content = json.loads(judged.as_json(one))
    assert content["state"] == "fail"
    assert [verdict["state"] for verdict in content["sets"][0]["verdicts"]].count("missing") == 2
    assert [miss["pair"] for miss in content["sets"][0]["misses"]] == ["a.png", EVIL]
    assert [change["change"] for change in content["sets"][0]["changes"]] == pytest.approx([-0.475, 0.1])
    assert [each["name"] for each in json.loads(judged.as_json(two))["sets"]] == ["faces", "cats, <dogs>"]


def test_flat_json_has_numbers_by_name_and_named_sets_apart(one, two):
    flat = json.loads(judged.as_flat(one))
    assert flat == {
        "ffltool": "0.1.0",
        "psnr": 30.25,
        "lsd": 1.5,
        "limits.pass": 1,
        "limits.warn": 1,
        "limits.fail": 2,
        "limits.missing": 2,
    }
    assert json.loads(judged.as_flat(two))["cats, <dogs>"]["psnr"] == pytest.approx(30.725)
    assert json.loads(judged.as_flat([judgement(now=report((math.inf,) * 4, 1.0))]))["psnr"] == "inf"


def test_dvc_reads_the_flat_file(one, tmp_path):
    pytest.importorskip("dvc", reason="DVC is not among the extras: it brings a hundred packages")
    (tmp_path / "metrics.json").write_text(judged.as_flat(one))
    dvc = [sys.executable, "-m", "dvc"]
    subprocess.run([*dvc, "init", "--no-scm", "-q"], cwd=tmp_path, check=True)
    command = [*dvc, "metrics", "show", "--json", "metrics.json"]
    shown = subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    assert json.loads(shown.stdout)[""]["data"]["metrics.json"]["data"]["psnr"] == 30.25


def xml_of(each):
    text = judged.as_junit(each)
    JUNIT.assertValid(etree.fromstring(text.encode()))
    return text


def test_junit_is_valid_and_a_reader_finds_a_case_per_limit_and_per_failing_pair(one, two):
    (suite,) = JUnitXml.fromstring(xml_of(one).encode())
    assert (suite.tests, suite.failures, suite.errors, suite.skipped) == (8, 4, 2, 0)
    cases = {case.name: case for case in suite}
    assert len(cases) == 8
    assert isinstance(cases["ssim mean >= 0.5"].result[0], Error)
    failure = cases["psnr >= 30 dB in all but 10 % of pairs"].result[0]
    assert isinstance(failure, Failure)
    assert failure.message == "fail: 2 of 4 pairs miss it (50.0 %), 10 % may"
    assert cases["lsd <= 2 dB"].is_passed
    assert cases["psnr mean >= 29 dB"].is_passed, "a warning is no failure"
    assert cases["psnr mean >= 29 dB"].system_out.startswith("warn: ")
    image = cases[f"{EVIL}: psnr >= 30 dB in all but 10 % of pairs"]
    assert (image.classname, image.result[0].message) == ("ffltool.pairs", "29.5000 dB")
    assert {item.name: item.value for item in suite.properties()}["psnr.value"] == "30.25"
    suites = JUnitXml.fromstring(xml_of(two).encode())
    assert [suite.name for suite in suites] == ["faces: real out/<b>", "cats, <dogs>: real out/<b>"]
    assert (suites.tests, suites.failures, suites.errors) == (12, 7, 2)


def test_junit_holds_names_that_xml_cannot(one):
    names = PairValues("\udcff\x00.png", "\udcff\x00.png", 64, 64, (1.0,))
    odd = judgement(now=replace(NOW, pairs=(names, *NOW.pairs[1:])))
    assert r"\udcff\x00.png" in xml_of([odd])


def test_junit_of_other_commands_is_valid_too():
    text = formats.as_junit(replace(NOW, command="metrics"))
    JUNIT.assertValid(etree.fromstring(text.encode()))
    (suite,) = JUnitXml.fromstring(text.encode())
    assert [(case.name, case.is_passed) for case in suite] == [("psnr", True), ("lsd", True)]


def test_markdown_escapes_names_and_links_figures(two):
    text = judged.as_markdown(two, files=["out put/bands>.png", "bands.pdf"])
    assert r"| \<img onerror=x\>\|\*\_.png |" in text
    assert "<img" not in text.replace("\\<", "")
    assert "cats, \\<dogs\\>: 1 of 2 limits failed" in text
    assert r"![bands\>.png](<out%20put/bands%3E.png>)" in text
    assert "\n[bands.pdf](<bands.pdf>)" in text, "what is no image is linked"
    assert r"> one \| two" in text
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert all(line.replace("\\|", "").count("|") in (4, 5, 8) for line in rows if "psnr mean" in line)


def test_markdown_names_so_many_pairs_and_counts_the_others():
    values = tuple(20.0 + place / 100 for place in range(50))
    pairs = tuple(PairValues(f"{place}.png", "", 64, 64, (value,)) for place, value in enumerate(values))
    text = judged.as_markdown([judgement(now=replace(NOW, pairs=pairs), before=None)])
    assert "Pairs that miss a limit (50):" in text
    assert text.count(r"\>= 30 dB in all but 10 % of pairs |") == 1 + 20
    assert "\nand 30 more\n" in text


def test_annotations_are_escaped_and_name_what_fails_and_what_warns(two):
    lines = judged.as_annotations(two)
    assert [line.split(" ")[0] for line in lines] == ["::error"] * 4 + ["::warning", "::error"]
    assert lines[0] == (
        "::error title=faces%3A psnr mean drop <= 0.2 dB::it fell by 0.4750 dB from 30.7250 dB to 30.2500 dB "
        "(95 %25: -0.5000 to -0.4000)"
    )
    assert lines[-1].startswith("::error title=cats%2C <dogs>%3A psnr >= 30 dB in all but 10 %25 of pairs::")
    odd = [replace(two[0], name="a\nb\r::")]
    assert all("\n" not in line and "\r" not in line and line.count("::") == 2 for line in judged.as_annotations(odd))


@pytest.mark.parametrize(
    ("limits", "said"),
    [
        ({}, "1 of 1 limit failed"),
        ({"lsd": {"max": 2}}, "1 of 2 limits failed"),
        ({"lsd": {"warn_max": 1}}, "1 of 2 limits failed, 1 warns"),
        ({"ssim": {"min": 1}}, "1 of 2 limits failed, 1 without a value"),
    ],
)
def test_the_headline_counts(limits, said):
    assert judged.headline(judgement(limits=limits)) == said


def test_the_headline_of_what_is_met():
    assert judged.headline(judge(NOW, [])) == "0 limits met"
    assert judged.headline(judge(NOW, limits_of("lsd", {"max": 9}, ""))) == "1 limit met"


def test_all_sets_together_are_as_bad_as_the_worst(one, two):
    assert judged.state_of(two) == "fail"
    assert judged.state_of([judge(NOW, limits_of("lsd", {"warn_max": 1}, "")), judge(NOW, [])]) == "warn"


@pytest.mark.parametrize("name", judged.FORMATS)
def test_every_format_carries_its_mark_near_the_start(one, name):
    write, mark = judged.FORMATS[name]
    assert mark in write(one)[:200]


def test_a_set_called_ffltool_leaves_the_mark_of_the_flat_file(one):
    text = judged.as_flat([replace(one[0], name="ffltool")])
    assert judged.FORMATS["json-flat"][1] in text
    assert json.loads(text)["ffltool"]["psnr"] == 30.25


def test_plain_text_is_aligned_and_worst_first(one):
    lines = judged.as_text(one).splitlines()
    assert lines[0] == "2 of 6 limits failed, 2 without a value, 1 warns: 4 pairs"
    assert [line.split()[0] for line in lines[2:]] == ["fail", "fail", "missing", "missing", "warn", "pass"]
    assert len({line.index(word) for line, word in zip(lines[2:4], ("it fell", "2 of 4"), strict=True)}) == 1
    assert io.StringIO(judged.as_text(one)).readline().endswith("pairs\n")
