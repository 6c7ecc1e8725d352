"""``ffltool check`` as a user types it: limits, their verdicts, its status."""

import json
from pathlib import Path

import numpy as np
import pytest
from junitparser import JUnitXml

from tests.cli.check.common import TESTS, limits


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


def test_a_set_in_the_folder_where_one_stands_has_a_name(tmp_path, save, run, monkeypatch):
    for number, size in enumerate(((64, 64), (70, 80))):
        for side in ("real", "fake"):
            save(tmp_path / side / f"{number}.png", size=size)
    file = Path(limits("[peaks]\nmax_z.max = 99")).resolve()
    monkeypatch.chdir(tmp_path / "fake")
    assert "fake: images of several sizes" in run("check", "../real", ".", "-c", file)[2]


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


def test_the_sample_limits_pass(run):
    status, out, _ = run("check", "-c", TESTS.parent / "sample_data" / "limits.toml")
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
