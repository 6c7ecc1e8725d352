"""Baselines of ``ffltool check``: made, kept, renewed, and refused."""

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ffltool import baseline
from tests.cli.check.common import TESTS, limits
from tests.cli.common import FFLTOOL


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no such device")
def test_a_baseline_is_kept_in_a_file(noisy, run):
    check = ("check", *noisy(2), "--min", "psnr=1", "--update-baseline", "--baseline", "/dev/full")
    assert run(*check)[::2] == (2, "ffltool: /dev/full is no file, and a baseline is kept in one\n")


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
    assert err == "ffltool: b.json was not written: 1 of 2 limits did not pass\n"
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
