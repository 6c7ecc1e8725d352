"""What ``ffltool check`` writes: reports, figures, and what GitHub sees."""

import json
from pathlib import Path

import jsonschema
import pytest
from junitparser import JUnitXml
from referencing import Registry, Resource

from tests.cli.check.common import TESTS, limits


def test_every_output_at_once(noisy, run):
    outputs = {"json": "a.json", "json-flat": "b.json", "markdown": "c.md", "junit": "d.xml", "band-map": "e.png"}
    file = limits("[[psnr]]\nmin = 20\n[[psnr]]\nmin = 99\nfail_percent = 100\n[band.corner.gain_db]\nabs_max = 9")
    options = [part for name, path in outputs.items() for part in (f"--{name}", path)]
    status, out, err = run("check", *noisy(4), "-c", file, *options)
    assert (status, err) == (0, "")
    assert "band.corner.gain_db" in out
    of_reports = json.loads((TESTS / "report.schema.json").read_text())
    registry = Registry().with_resource("ffltool.report/1", Resource.from_contents(of_reports))
    schema = json.loads((TESTS / "check.schema.json").read_text())
    content = json.loads(Path("a.json").read_text())
    jsonschema.Draft202012Validator(schema, registry=registry).validate(content)
    assert json.loads(Path("b.json").read_text())["psnr"] == content["sets"][0]["scores"][0]["value"]
    assert "![e.png](<e.png>)" in Path("c.md").read_text()
    assert JUnitXml.fromfile("d.xml").tests == 3
    assert Path("e.png").read_bytes().startswith(b"\x89PNG")
    assert run("check", "real", "fake", "-c", file, *options)[0] == 0, "they overwrite their own kind"


def test_a_figure_needs_no_limit_on_a_band_but_one_set(noisy, run):
    assert run("check", *noisy(4), "--max", "lsd=99", "--band-map", "e.svg")[0] == 0
    assert Path("e.svg").read_text().startswith("<?xml")
    file = limits('real = "real"\nfake = "fake"\npsnr.min = 3\n[set.a]\n[set.b]')
    assert "--band-map shows one set, but there are 2" in run("check", "-c", file, "--band-map", "e.svg")[2]
    assert run("check", "-c", file, "--band-map", "e.svg", "--set", "a")[0] == 0


def test_a_report_on_standard_output_replaces_the_table(noisy, run):
    status, out, _ = run("check", *noisy(4), "--min", "psnr=60", "--json", "-")
    assert status == 1
    assert json.loads(out)["state"] == "fail"


def test_github_gets_annotations_and_a_summary(noisy, run, monkeypatch):
    check = ("check", *noisy(4), "--min", "psnr=60", "-c", limits("ssim.warn_min = 1"), "--json", "-")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", "summary.md")
    assert run(*check)[2] == ""
    assert not Path("summary.md").exists(), "only where Actions runs this"
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    for times in (1, 2):
        status, out, err = run(*check)
        assert (status, json.loads(out)["state"]) == (1, "fail"), "standard output is left to the report"
        assert [line.split(" title=")[0] for line in err.splitlines()] == ["::error", "::warning"]
        summary = Path("summary.md").read_text()
        assert summary.count("### ❌ 1 of 2 limits failed, 1 warns") == times, "it is appended to"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", "none/summary.md")
    status, _, err = run(*check)
    assert status == 1
    assert "warning: the summary none/summary.md cannot be written" in err


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_github_is_told_although_a_file_cannot_be_written(noisy, run, monkeypatch):
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", "summary.md")
    status, out, err = run("check", *noisy(4), "--min", "psnr=60", "--json", "/dev/full")
    assert status == 2
    assert "1 of 1 limit failed" in out
    assert "::error title=psnr mean >= 60 dB::" in err
    assert "1 of 1 limit failed" in Path("summary.md").read_text()
