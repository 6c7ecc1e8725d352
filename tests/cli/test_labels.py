"""``ffltool metrics --labels`` as a user types it."""

import csv
import io
import json
import shutil
import subprocess
import sys
from pathlib import Path

import jsonschema
import numpy as np
import pytest
from PIL import Image

from ffltool.cli import _options, _tables
from ffltool.label_maps import ABSENT, ACCURACY_OVER
from tests.cli.common import SCHEMA, error_of

LABELS = ["-m", "miou,pixel_accuracy", "--labels"]


def test_the_table_has_scores_classes_worst_pairs_and_what_counts(label_folders, run):
    real, fake = label_folders()
    status, out, err = run("metrics", real, fake, *LABELS, "--classes", 6)
    assert (status, err) == (0, "")
    lines = out.splitlines()
    assert lines[0] == f"3 pairs, 12x16: {real} and {fake}"
    assert lines[2].split() == ["metric", "value", "min", "max", "unit", "better"]
    assert [line.split()[0] for line in lines[3:5]] == ["miou", "pixel_accuracy"]
    assert lines[6].split() == ["class", "IoU", "accuracy", "real", "pixels", "fake", "pixels"]
    assert [line.split()[0] for line in lines[7:11]] == ["0", "1", "2", "3"], "absent classes have no row"
    assert lines[12].split() == ["worst", "pairs", "miou", "pixel_accuracy"]
    assert lines[17:19] == ["6 classes, ignore index 255", "2 absent on both sides: left out of the mean"]


def test_conventions_are_said_below_the_table(label_folders, run):
    more = ["--classes", 6, "--absent", "zero", "--accuracy-over", "all", "--ignore-index", 7]
    real, fake = label_folders()
    for path in real.iterdir():
        labels = np.array(Image.open(path))
        Image.fromarray(np.where(labels == 255, 7, labels)).save(path)
    out = run("metrics", real, fake, *LABELS, *more)[1]
    expected = ["6 classes, ignore index 7", "2 absent on both sides: counted as 0 in the mean"]
    assert out.splitlines()[-3:] == [*expected, "accuracy over all pixels, ignored ones too"]
    alone = run("metrics", real, fake, "-m", "pixel_accuracy", "--labels", *more)[1]
    assert "absent" not in alone
    assert run("metrics", real, fake, "-m", "miou", "--labels", *more)[1].splitlines()[-1] == expected[1]


def test_json_has_classes_and_fits_the_schema(label_folders, run):
    real, fake = label_folders()
    content = json.loads(run("metrics", real, fake, *LABELS, "--classes", 5, "--json", "-")[1])
    jsonschema.validate(content, SCHEMA)
    assert [each["label"] for each in content["classes"]] == [0, 1, 2, 3, 4]
    assert (content["classes"][4]["iou"], content["classes"][4]["real_pixels"]) == (None, 0)
    assert content["scores"][0]["value"] == pytest.approx(np.mean([each["iou"] for each in content["classes"][:4]]))
    assert content["scores"][0]["settings"] == {"classes": 5, "ignore_index": 255, "absent": "nan"}
    images = json.loads(run("metrics", real, fake, "-m", "psnr", "--json", "-")[1])
    jsonschema.validate(images, SCHEMA)
    assert images["classes"] == []


def test_every_format_has_the_scores_and_csv_a_row_per_pair(label_folders, run):
    real, fake = label_folders()
    rows = list(csv.DictReader(io.StringIO(run("metrics", real, fake, *LABELS, "--csv", "-")[1])))
    assert [row["real"] for row in rows] == ["a.png", "b.png", "c.png"]
    assert all(0 < float(row[name]) < 1 for row in rows for name in ("miou", "pixel_accuracy"))
    assert "| miou | 0." in run("metrics", real, fake, *LABELS, "--markdown", "-")[1]
    assert 'name="pixel_accuracy"' in run("metrics", real, fake, *LABELS, "--junit", "-")[1]


def test_a_table_at_80_columns_is_not_cut(label_folders, run, monkeypatch):
    monkeypatch.setattr(_tables, "_PIPED_WIDTH", 80)
    real, fake = label_folders([f"{'long_name_' * 12}{i}.png" for i in range(3)], size=(300, 400))
    out = run("metrics", real, fake, *LABELS, "--classes", 400)[1]
    assert "…" not in out
    assert max(map(len, out.splitlines()[2:])) <= 80


def test_the_table_in_the_readme_is_that_of_the_reference_maps(tmp_path, shared, run, monkeypatch):
    for name in ("gt", "pred"):
        (tmp_path / name).mkdir()
        shutil.copy(shared / "reference" / "inputs" / "labels" / f"{name}.png", tmp_path / name / "gt.png")
    monkeypatch.chdir(tmp_path)
    readme = (Path(__file__).parents[2] / "README.md").read_text()
    assert run("metrics", "gt/", "pred/", *LABELS, "--classes", 7)[1] in readme


def test_options_name_what_the_library_knows():
    choices = [opt.__args__[0].__args__ for opt in (_options.Absent, _options.AccuracyOver)]
    assert choices == [ABSENT, ACCURACY_OVER]


def test_many_small_maps_are_decoded_by_processes(label_folders):
    """In a program of its own, as a user starts it: this one has threads."""
    folders = label_folders([f"{i}.png" for i in range(100)])
    command = [sys.executable, "-m", "ffltool", "metrics", *map(str, folders), *LABELS, "--json", "-"]
    many, one = (
        json.loads(subprocess.run([*command, *more], capture_output=True, check=True).stdout)
        for more in ((), ("--workers", "1"))
    )
    assert (many["scores"], many["classes"]) == (one["scores"], one["classes"])
    assert many["scores"][0]["images"] == 100


class TestErrorsAreOneLine:
    def test_label_beyond_the_classes(self, label_folders, run):
        real, fake = label_folders()
        line = error_of(run("metrics", real, fake, *LABELS, "--classes", 3))
        assert f"{real / 'a.png'}: label 3 is no class: 3 classes are 0 to 2, and 255 is ignored" in line

    def test_images_in_place_of_label_maps(self, folders, run):
        real, fake = folders()
        assert f"{real / 'a.png'} holds colours (RGB); a label map is" in error_of(run("metrics", real, fake, *LABELS))

    def test_labels_without_the_option_and_the_reverse(self, label_folders, run):
        real, fake = label_folders()
        assert "miou: of label maps, which --labels reads" in error_of(run("metrics", real, fake, "-m", "miou"))
        line = error_of(run("metrics", real, fake, "--labels"))
        assert "psnr, ssim, lfd: of images, but --labels reads label maps, for miou, pixel_accuracy" in line

    def test_options_of_the_other_reading(self, label_folders, run):
        real, fake = label_folders()
        assert "--fit are for images" in error_of(run("metrics", real, fake, *LABELS, "--fit", "crop"))
        for option in (["--classes", 4], ["--ignore-index", 0], ["--accuracy-over", "all"]):
            assert "see --labels" in error_of(run("metrics", real, fake, *option))

    def test_absent_classes_of_an_unknown_number(self, label_folders, run):
        assert "--classes says how many" in error_of(run("metrics", *label_folders(), *LABELS, "--absent", "zero"))

    def test_sizes(self, label_folders, run):
        real, fake = label_folders()
        Image.new("L", (16, 13)).save(fake / "b.png")
        line = error_of(run("metrics", real, fake, *LABELS))
        assert f"{real / 'b.png'} is 12x16 but {fake / 'b.png'} is 13x16 (height x width)" in line

    def test_nothing_but_ignored_pixels(self, label_folders, run):
        real, fake = label_folders()
        for path in real.iterdir():
            Image.new("L", (16, 12), 255).save(path)
        assert "nothing is left to compare" in error_of(run("metrics", real, fake, *LABELS), status=3)
