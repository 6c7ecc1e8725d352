"""``ffltool check`` as a user types it: statuses, outputs, baselines, and what GitHub sees."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import jsonschema
import numpy as np
import pytest
from junitparser import JUnitXml
from PIL import Image
from referencing import Registry, Resource

from ffltool import baseline

TESTS = Path(__file__).parents[1]
SAMPLES = TESTS.parent / "sample_data"
FFLTOOL = [sys.executable, "-m", "ffltool"]


@pytest.fixture(autouse=True)
def nowhere(tmp_path, monkeypatch):
    """Work in a folder without a project, on no GitHub runner."""
    monkeypatch.chdir(tmp_path)
    for name in ("GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def noisy(tmp_path, save, rng):
    """Return a function that makes real/ and a folder of the same images with noise, and returns both."""
    pixels = [rng.integers(30, 220, (16, 16, 3)) for _ in range(8)]

    def noisy(deviation, name="fake"):
        generator = np.random.default_rng(1)
        for place, each in enumerate(pixels):
            spoilt = (each + generator.normal(0, 1, each.shape) * deviation * (1 + place % 3)).round().clip(0, 255)
            save(tmp_path / "real" / f"{place}.png", pixels=each.astype(np.uint8))
            save(tmp_path / name / f"{place}.png", pixels=spoilt.astype(np.uint8))
        return tmp_path / "real", tmp_path / name

    return noisy


def limits(text):
    Path("limits.toml").write_text(text)
    return "limits.toml"


@pytest.mark.parametrize(
    ("text", "status", "said"),
    [
        ("psnr.min = 20", 0, "pass     psnr mean >= 20 dB"),
        ("psnr.warn_min = 60", 0, "warn     psnr mean >= 60 dB, or a warning"),
        ("psnr.min = 60", 1, "fail     psnr mean >= 60 dB"),
        ("psnr.max_drop = 1", 1, "missing  psnr mean drop <= 1 dB"),
    ],
)
def test_each_verdict_has_its_status(noisy, run, text, status, said):
    found, out, err = run("check", *noisy(4), "-c", limits(text))
    assert (found, err) == (status, "")
    assert said in out


def test_unusable_limits_are_status_2_in_one_line(noisy, run):
    status, out, err = run("check", *noisy(4), "-c", limits("psnr.mim = 20"))
    assert (status, out) == (2, "")
    assert err == "ffltool: limits.toml: psnr: 'mim' is unknown; did you mean min?\n"
    for arguments, said in (
        ([], "limits: there is no limit; give one as --min psnr=30, or in a file with -c"),
        (["--min", "pnsr=30"], "--min pnsr=30: 'pnsr' is unknown; did you mean psnr?"),
        (["-c", "none.toml"], "none.toml does not exist"),
        (
            ["--min", "psnr=3", "--baseline", "none.json"],
            "none.json does not exist; --update-baseline makes a baseline",
        ),
        (["--min", "psnr=3", "--update-baseline"], "--update-baseline wants --baseline FILE, which it writes"),
        (["--min", "psnr=3", "--json", "none/x.json"], "none/x.json cannot be written"),
        (["--min", "miou=0.5"], "miou: of label maps, which --labels reads, not of images"),
    ):
        status, out, err = run("check", "real", "fake", *arguments)
        assert (status, out) == (2, "")
        assert err.startswith(f"ffltool: {said}")
        assert err.count("\n") == 1
    assert run("check", "--min", "psnr=3")[2].startswith("ffltool: REAL is missing")


def test_status_3_where_nothing_was_compared(tmp_path, run):
    for side in ("real", "fake"):
        (tmp_path / side).mkdir()
        (tmp_path / side / "a.png").write_bytes(b"broken")
    status, _, err = run("check", "real", "fake", "--min", "psnr=3", "--skip-broken")
    assert (status, err) == (3, "ffltool: nothing was compared\n")


def test_flags_override_the_file(noisy, run):
    file = limits("psnr.min = 60\nlfd.max = 1")
    status, out, _ = run("check", *noisy(4), "-c", file, "--min", "psnr=20", "--max", "lfd=20")
    assert status == 0
    assert "psnr mean >= 20 dB" in out
    assert "60" not in out.split("verdict")[1]


def test_paths_of_a_file_are_relative_to_it(noisy, run, monkeypatch):
    noisy(4)
    limits('real = "real"\nfake = "fake"\npsnr.min = 20')
    Path("elsewhere").mkdir()
    monkeypatch.chdir("elsewhere")
    assert run("check", "-c", "../limits.toml")[0] == 0


def test_a_project_holds_limits(noisy, run):
    noisy(4)
    Path("pyproject.toml").write_text('[tool.ffltool]\nreal = "real"\nfake = "fake"\npsnr.min = 60\n')
    assert run("check")[0] == 1
    assert run("check", "--min", "psnr=20")[0] == 0


def test_several_sets_are_judged_each_by_its_limits(noisy, run):
    noisy(4, name="good"), noisy(40, name="bad")
    file = limits('real = "real"\npsnr.min = 20\n[set.good]\nfake = "good"\n[set.bad]\nfake = "bad"\nssim.min = 0.1')
    status, out, _ = run("check", "-c", file, "--json", "check.json", "--junit", "check.xml", "--markdown", "check.md")
    assert status == 1
    assert "good: 8 pairs, 16x16: real and good" in out
    assert "\n1 limit met\n" in out
    assert "\n1 of 2 limits failed\n" in out
    content = json.loads(Path("check.json").read_text())
    assert [(each["name"], each["state"]) for each in content["sets"]] == [("good", "pass"), ("bad", "fail")]
    assert [suite.name for suite in JUnitXml.fromfile("check.xml")] == ["good: real good", "bad: real bad"]
    assert Path("check.md").read_text().count("### ") == 2
    assert run("check", "-c", file, "--set", "good")[0] == 0
    assert "--set chooses one" in run("check", "real", "good", "-c", file)[2]
    assert run("check", "real", "good", "-c", file, "--set", "bad")[0] == 0


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


def test_peaks_are_looked_for_if_a_limit_asks(tmp_path, save, rng, run):
    for place in range(6):
        pixels = rng.normal(128, 20, (64, 64, 3))
        save(tmp_path / "real" / f"{place}.png", pixels=pixels.clip(0, 255).astype(np.uint8))
        grid = pixels + 30 * (np.indices((64, 64)).sum(0) % 4 == 0)[..., None]
        save(tmp_path / "grid" / f"{place}.png", pixels=grid.clip(0, 255).astype(np.uint8))
    file = limits("[peaks]\nmax_z.max = 5")
    status, out, _ = run("check", "real", "grid", "-c", file)
    assert status == 1
    assert "fail     peaks.max_z <= 5" in out
    status, out, _ = run("check", "real", "real", "-c", file)
    assert status == 0, out
    assert "side-by-side" in run("check", "real", "--side-by-side", "-c", file)[2]


def test_identical_images_pass_and_it_is_said(noisy, run):
    real, _ = noisy(4)
    status, out, _ = run("check", real, real, "--min", "psnr=30")
    assert status == 0
    assert "it is infinite (all pairs are identical)" in out


def test_label_maps_are_checked_too(label_folders, run):
    options = ("--labels", "--classes", 4)
    assert run("check", *label_folders(), "--min", "miou=0.1", *options)[0] == 0
    status, out, _ = run("check", *label_folders(), "--min", "miou=0.99", "--min", "pixel_accuracy=0.1", *options)
    assert status == 1
    assert "miou >= 0.99" in out


def test_a_baseline_is_made_kept_and_renewed(noisy, run):
    file = limits("psnr.min = 20\npsnr.max_drop = 0.5")
    check = ("check", *noisy(4), "-c", file, "--baseline", "b.json")
    assert run(*check)[0] == 2
    status, out, err = run(*check, "--update-baseline")
    assert (status, err) == (0, "ffltool: b.json was written: every limit passes\n")
    assert "this run makes the baseline" in out
    first = Path("b.json").read_bytes()
    status, out, _ = run(*check)
    assert status == 0
    assert "it has not changed from" in out

    noisy(5)
    status, out, err = run(*check, "--update-baseline")
    assert status == 1
    assert "it fell by" in out
    assert err == "ffltool: b.json was not written: 1 of 2 limits do not pass\n"
    assert Path("b.json").read_bytes() == first

    noisy(3)
    assert run(*check, "--update-baseline")[0] == 0
    assert Path("b.json").read_bytes() != first


def test_a_warning_keeps_the_baseline_from_being_renewed(noisy, run):
    options = ("-c", limits("psnr.warn_min = 60"), "--baseline", "b.json", "--update-baseline")
    status, _, err = run("check", *noisy(4), *options)
    assert status == 0
    assert "was not written" in err
    assert not Path("b.json").exists()


def test_other_images_are_no_baseline(noisy, save, run):
    file = limits("psnr.max_drop = 99")
    check = ("check", *noisy(4), "-c", file, "--baseline", "b.json")
    run(*check, "--update-baseline")
    assert run(*check)[0] == 0
    status, out, _ = run(*check, "--limit", 7)
    assert status == 1
    assert "the real set had 8 images and has 7" in " ".join(out.split())
    save(Path("real/0.png"), pixels=np.zeros((16, 16, 3), dtype=np.uint8))
    status, out, _ = run(*check)
    assert status == 1
    assert "their names or their sizes in bytes differ" in " ".join(out.split())


def test_sets_not_checked_stay_in_the_baseline(noisy, run):
    noisy(4, name="a"), noisy(5, name="b")
    file = limits('real = "real"\npsnr.max_drop = 1\n[set.a]\nfake = "a"\n[set.b]\nfake = "b"')
    renew = ("check", "-c", file, "--baseline", "b.json", "--update-baseline")
    assert run(*renew)[0] == 0
    noisy(3, name="a")
    assert run(*renew, "--set", "a")[0] == 0
    assert list(baseline.read(Path("b.json"))) == ["a", "b"]
    assert run("check", "-c", file, "--baseline", "b.json")[0] == 0


def test_somebody_elses_file_is_no_baseline(noisy, run):
    Path("b.json").write_text('{"mine": 1}')
    options = ("--min", "psnr=3", "--baseline", "b.json")
    assert "is no baseline of ffltool" in run("check", *noisy(4), *options)[2]
    assert "--force overwrites it" in run("check", "real", "fake", *options, "--update-baseline")[2]


@pytest.fixture
def textures(shared, tmp_path, rng):
    """Real textures, blurred ones, and these with so much noise that every pair's PSNR falls by about 0.05 dB."""
    for path in sorted((shared / "data" / "dtd64" / "test").iterdir()):
        real = np.asarray(Image.open(path).convert("RGB"), dtype=float)
        blurred = (real + np.roll(real, 1, 0) + np.roll(real, 1, 1)) / 3
        error = np.sqrt(((blurred - real) ** 2).mean())
        noise = rng.normal(0, error * np.sqrt(10 ** (0.05 / 10) - 1), real.shape)
        for name, fake in (("before", blurred), ("after", blurred + noise)):
            (tmp_path / name).mkdir(exist_ok=True)
            Image.fromarray(fake.round().clip(0, 255).astype(np.uint8)).save(tmp_path / name / path.name)
    return shared / "data" / "dtd64" / "test", tmp_path / "before", tmp_path / "after"


def test_a_change_of_a_twentieth_of_a_decibel_is_seen_on_240_pairs_where_an_unpaired_test_misses_it(textures, run):
    from ffltool.bootstrap import DRAWS

    real, before, after = textures
    file = limits("psnr.max_drop = 0.02")
    assert run("check", real, before, "-c", file, "--baseline", "b.json", "--update-baseline")[0] == 0
    status, out, _ = run("check", real, after, "-c", file, "--baseline", "b.json", "--json", "-")
    (verdict,) = json.loads(out)["sets"][0]["verdicts"]
    assert (status, verdict["state"], verdict["significant"]) == (1, "fail", True)
    assert verdict["change"] == pytest.approx(-0.05, abs=0.01), "clipping takes some of the noise away"
    assert verdict["change_interval"][1] < -0.04
    then = np.array([pair.values[0] for pair in baseline.read(Path("b.json"))[""].pairs])
    assert (len(then), then.std() > 2) == (240, True)
    # the same draws, but of each run by itself
    one, other = (np.random.default_rng(seed).integers(240, size=(DRAWS, 240)) for seed in (0, 1))
    low, high = np.quantile((then + verdict["change"])[one].mean(1) - then[other].mean(1), [0.025, 0.975])
    assert low < 0 < high


def start(*arguments):
    environment = os.environ | {"PYTHONPATH": str(TESTS.parent)}
    return subprocess.Popen(
        [*FFLTOOL, *map(str, arguments)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment
    )


def test_two_runs_at_once_leave_one_whole_baseline(noisy):
    real, one = noisy(4, name="one")
    _, other = noisy(5, name="other")
    renew = ("--min", "psnr=3", "--baseline", "b.json", "--update-baseline")
    runs = [start("check", real, fake, *renew) for fake in (one, other)]
    assert [run.wait(timeout=60) for run in runs] == [0, 0]
    (report,) = baseline.read(Path("b.json")).values()
    assert Path(report.fake.path).name in ("one", "other")


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no SIGKILL")
def test_a_killed_run_leaves_the_old_baseline_or_the_new_one(noisy, run):
    real, fake = noisy(4)
    renew = ("check", real, fake, "--min", "psnr=3", "--baseline", "b.json", "--update-baseline")
    assert run(*renew)[0] == 0
    old = baseline.read(Path("b.json"))
    for delay in (0.3, 0.6, 0.9):
        process = start(*renew)
        time.sleep(delay)
        process.kill()
        process.wait()
        assert baseline.read(Path("b.json")) == old, "the same images give the same baseline"


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


def test_the_sample_limits_pass(run):
    status, out, _ = run("check", "-c", SAMPLES / "limits.toml")
    assert status == 0
    assert out.rstrip().endswith("5 limits met")


def test_learned_metrics_are_held_to_limits_too(noisy, run, means):
    sides, own = noisy(8), ["--weights", f"inception={means.path}", "--layer", "64", "--device", "cpu"]
    status, out, err = run("check", *sides, "--max", "fid=1e9", *own)
    assert (status, err) == (0, "")
    assert "pass     fid <= 1e+09" in out
    update = ["--baseline", "base.json", "--update-baseline"]
    assert run("check", *sides, "--max", "fid=1e9", *own, *update)[0] == 0
    means.path.rename(renamed := means.path.with_name("others.pth"))
    text = limits("fid.max_increase = 1")
    again = ["--baseline", "base.json", "--weights", f"inception={renamed}", "--layer", "64", "--device", "cpu"]
    assert run("check", *sides, "-c", text, *again)[0] == 0
    status, out, _ = run("check", *sides, "-c", text, *again, "--preset", "clean")
    assert status == 1
    assert "fid: preset was pytorch-fid and is clean" in " ".join(out.split())


def test_a_learned_metric_without_weights_ends_the_check(noisy, run, caches, monkeypatch, tmp_path):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    status, out, err = run("check", *noisy(8), "--max", "fid=10")
    assert (status, out) == (2, "")
    assert err.startswith("ffltool: ")
    assert "inception" in err
