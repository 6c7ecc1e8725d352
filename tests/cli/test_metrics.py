"""``ffltool metrics`` as a user types it: pairs, sets, tables and files."""

import csv
import io
import json
import subprocess

import jsonschema

from ffltool.cli import _tables
from ffltool.metrics import METRICS
from tests.cli.common import FFLTOOL, SCHEMA, error_of


def test_metrics_can_be_given_several_ways(folders, run):
    real, fake = folders()
    together = run("metrics", real, fake, "-m", "lfd, PSNR", "--csv", "-")
    apart = run("metrics", real, fake, "-m", "lfd", "--metric", "psnr", "--csv", "-")
    assert together == apart
    assert together[1].startswith("real,fake,height,width,lfd,psnr\n")


def test_every_output_at_once(tmp_path, folders, run):
    paths = {name: tmp_path / f"out.{name}" for name in ("json", "csv", "markdown", "junit")}
    options = [part for name, path in paths.items() for part in (f"--{name}", path)]
    status, out, _ = run("metrics", *folders(), *options)
    assert status == 0
    assert "worst pairs" in out, "files do not replace the table"
    rows = list(csv.DictReader(io.StringIO(paths["csv"].read_text())))
    assert [row["real"] for row in rows] == ["a.png", "b.png", "c.png"]
    assert set(rows[0]) >= {"psnr", "ssim", "lfd"}
    assert all(path.stat().st_size for path in paths.values())
    assert run("metrics", *folders(), *options)[0] == 0, "an earlier output of the same kind is overwritten"


def test_identical_images_are_lfd_0_and_psnr_infinite(folders, run):
    real, _ = folders()
    assert "At 12x16 an LFD of 0.0000 is a PSNR of inf dB" in run("lfd", real, real)[1]
    status, out, _ = run("metrics", real, real, "-m", "psnr,lfd", "--json", "-")
    psnr, lfd = json.loads(out)["scores"]
    assert status == 0
    assert (psnr["value"], psnr["infinite"], lfd["value"], lfd["infinite"]) == (None, 3, 0.0, 0)
    assert "inf" in run("metrics", real, real, "-m", "psnr")[1]


def test_a_table_at_80_columns_is_not_cut(folders, run, monkeypatch):
    monkeypatch.setattr(_tables, "_PIPED_WIDTH", 80)
    real, fake = folders([f"{'long_name_' * 12}{i}.png" for i in range(3)])
    out = run("metrics", real, fake, "-m", "mse,psnr,ssim,lfd")[1]
    assert "…" not in out
    assert max(map(len, out.splitlines()[2:])) <= 80
    assert "".join("".join(line.split(" ")[0] for line in out.splitlines()[-3:])).endswith(".png")


def test_sets_of_unequal_numbers_are_compared_as_wholes(folders, run):
    real, fake = folders([f"{i}.png" for i in range(5)], ["x.png", "y.png"])
    status, out, err = run("metrics", real, fake, "-m", "lsd,sde,gain")
    assert (status, err) == (0, "")
    lines = out.splitlines()
    assert lines[0] == f"5 real and 2 fake images, 12x16: {real} and {fake}"
    assert lines[2].split() == ["metric", "value", "unit", "better"]
    assert [line.split()[0] for line in lines[3:]] == ["lsd", "sde", *METRICS["gain"].score_names]
    report = json.loads(run("metrics", real, fake, "-m", "lsd,sde,gain", "--json", "-")[1])
    jsonschema.validate(report, SCHEMA)
    assert (report["real"]["images"], report["fake"]["images"], report["scores"][0]["images"]) == (5, 2, 2)
    assert report["scores"][0]["settings"]["width"] == 16


def test_metrics_of_sets_beside_those_of_pairs_are_of_the_pairs(folders, run):
    real, fake = folders(["a.png", "b.png", "c.png"], ["a.png", "b.png"])
    assert "1 of 3 images" in error_of(run("metrics", real, fake, "-m", "lsd,psnr"))
    status, out, _ = run("metrics", real, fake, "-m", "lsd,psnr", "--allow-unpaired", "--csv", "-")
    assert (status, out.splitlines()[0]) == (0, "real,fake,height,width,psnr")
    table = run("metrics", real, fake, "-m", "lsd,psnr", "--allow-unpaired")[1]
    assert table.startswith("2 pairs")
    assert [line.split() for line in table.splitlines() if line.startswith("worst")] == [["worst", "pairs", "psnr"]]


def test_rows_of_pairs_want_a_metric_of_pairs(folders, run):
    assert "--csv has a row per pair" in error_of(run("metrics", *folders(), "-m", "lsd", "--csv", "-"))


def test_sets_of_images_too_small_for_spectra_are_one_line(folders, run):
    assert "at least 9x9 pixels, got 8x12" in error_of(run("metrics", *folders(size=(8, 12)), "-m", "lsd"))


def test_many_small_images_of_sets_are_decoded_by_processes(folders, run):
    """In a program of its own, as a user starts it: this one has threads."""
    real, fake = folders([f"{i}.png" for i in range(100)])
    for index in range(90):
        (fake / f"{index}.png").unlink()
    command = [*FFLTOOL, "metrics", *map(str, (real, fake)), "-m", "lsd,gain", "--json", "-"]
    many, one = (
        json.loads(subprocess.run([*command, *more], capture_output=True, check=True).stdout)["scores"]
        for more in ((), ("--workers", "1"))
    )
    assert many == one


def test_a_table_of_sets_at_80_columns_is_not_cut(folders, run, monkeypatch):
    monkeypatch.setattr(_tables, "_PIPED_WIDTH", 80)
    out = run("metrics", *folders(), "-m", "mse,gain,lsd,psnr")[1]
    assert "…" not in out
    assert max(map(len, out.splitlines()[2:])) <= 80
