"""``ffltool peaks`` as a user types it: status, standard output, standard error, files."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ffltool import outputs
from ffltool.cli import _tables
from ffltool.errors import InputError

SCHEMA = json.loads((Path(__file__).parents[1] / "peaks.schema.json").read_text())
STARTS = {".png": b"\x89PNG", ".svg": b"<?xml", ".pdf": b"%PDF"}

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture
def fake(tmp_path, rng, save):
    """Images of noise with a checkerboard."""
    board = 10 * (np.add.outer(np.arange(64), np.arange(80)) % 2)
    for number in range(3):
        pixels = np.rint(120 + 10 * rng.standard_normal((64, 80)) + board).astype(np.uint8)
        save(tmp_path / "fake" / f"{number}.png", pixels=pixels)
    return tmp_path / "fake"


@pytest.fixture
def real(tmp_path, save):
    for number in range(3):
        save(tmp_path / "real" / f"{number}.png", size=(64, 80))
    return tmp_path / "real"


def valid(text):
    jsonschema = pytest.importorskip("jsonschema")
    content = json.loads(text)
    jsonschema.validate(content, SCHEMA)
    return content


def test_the_table_names_the_period_and_the_peaks(run, fake, real):
    status, out, err = run("peaks", fake, real)
    assert (status, err) == (0, "")
    head, table, other = out.rstrip("\n").split("\n\n")
    assert head == "fake, 3 images, 64x80: periodic artefact, 2 pixels"
    columns, row = table.splitlines()
    assert columns.split() == ["u", "(c/px)", "v", "period", "z", "dB", "energy", "repeats", "kind"]
    assert row.split()[:3] == ["0.5000", "0.5000", "1.41"]
    assert row.split()[-2:] == ["2", "artefact"]
    assert other == "real, 3 images, 64x80: no periodic artefact"


def test_with_a_reference_the_table_says_by_how_much_it_is_exceeded(run, fake, real):
    out = run("peaks", fake, "--reference", real)[1]
    assert out.splitlines()[2].split()[5] == "over"
    assert "as-reference" in run("peaks", fake, "--reference", fake)[1]


@pytest.mark.parametrize("width", [80, _tables._NARROWEST])
def test_in_a_narrow_window_the_table_can_be_read(run, fake, real, monkeypatch, width):
    monkeypatch.setattr(_tables, "_PIPED_WIDTH", width)
    out = run("peaks", fake, "--reference", real)[1]
    assert "…" not in out
    assert max(map(len, out.splitlines()[2:])) <= width


@pytest.mark.parametrize(("which", "status"), [("fake", 1), ("real", 0)])
def test_an_artefact_fails_when_told(run, fake, real, which, status):
    given = {"fake": fake, "real": real}[which]
    assert run("peaks", given)[0] == 0
    assert run("peaks", given, "--fail-on-peak")[0] == status
    assert run("peaks", given, "--fail-on-peak", "--json", "-")[0] == status
    assert run("peaks", given, "--fail-on-peak", "--reference", given)[0] == 0


def test_json_on_standard_output_is_all_there_is_and_fits_the_schema(run, fake, real):
    status, out, err = run("peaks", fake, real, "--json", "-", "--device", "cpu")
    assert (status, err) == (0, "")
    content = valid(out)
    assert (content["found"], content["threshold"], content["reference"]) == (True, 5, None)
    assert [each["found"] for each in content["inputs"]] == [True, False]
    (peak,) = content["peaks"]
    assert (peak["input"], peak["u"], peak["v"], peak["lattice"]) == ("fake", 0.5, 0.5, 2)
    with_reference = valid(run("peaks", fake, "--json", "-", "--reference", real)[1])
    assert with_reference["reference"] == "real"
    assert with_reference["peaks"][0]["over_reference"] > 3


def test_images_that_show_nothing_do_not_pass_for_clean_ones(run, tmp_path, save):
    white = save(tmp_path / "white.png", pixels=np.full((40, 40), 255, np.uint8))
    status, out, err = run("peaks", white, "--json", "-", "--fail-on-peak")
    assert (status, out, err.count("\n")) == (3, "", 1)
    assert "white.png: no image has a residual to look at" in err


@pytest.mark.parametrize("suffix", STARTS)
def test_the_figure_is_of_the_kind_of_its_suffix(run, fake, real, tmp_path, suffix):
    path = tmp_path / f"x{suffix}"
    for _ in range(2):
        assert run("peaks", fake, real, "-o", path)[0] == 0
    assert path.read_bytes().startswith(STARTS[suffix])
    if suffix == ".png":
        with Image.open(path) as image:
            assert image.text == {"Software": "ffltool"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "INPUT is missing"),
        (["nowhere"], "nowhere does not exist"),
        (["{fake}", "--reference", "nowhere"], "nowhere does not exist"),
        (["{fake}", "--residual", "mean"], "'mean' is not one of"),
        (["{fake}", "--threshold", "-1"], "-1"),
        (["{fake}", "--threshold", "nan"], "the threshold must be a number of 0 or more, but is nan"),
        (["{fake}", "--threshold", "inf"], "the threshold must be a number of 0 or more, but is inf"),
        (["{fake}", "-o", "x.jpg"], "x.jpg has no suffix of a figure"),
        (["{fake}", "--json", "no/x.json"], "the folder"),
        (["{fake}", "--device", "tpu"], "there is no device 'tpu'"),
        (["{small}"], "small.png: 20x24 pixels (height x width) is all that the images have in common"),
    ],
)
def test_what_a_user_can_mend_is_one_line(run, fake, tmp_path, save, arguments, message):
    small = save(tmp_path / "small.png", size=(20, 24))
    status, out, err = run("peaks", *(each.format(fake=fake, small=small) for each in arguments))
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert message in err


def test_nobody_elses_files_are_overwritten(run, fake, tmp_path):
    for name, option in (("x.png", "-o"), ("x.json", "--json")):
        (tmp_path / name).write_bytes(b"mine")
        status, _, err = run("peaks", fake, option, tmp_path / name)
        assert status == 2
        assert "--force overwrites it" in err
        assert (tmp_path / name).read_bytes() == b"mine"
        assert run("peaks", fake, option, tmp_path / name, "--force")[0] == 0
        assert run("peaks", fake, option, tmp_path / name)[0] == 0


def test_a_figure_that_cannot_be_written_does_not_cost_the_numbers(run, fake, tmp_path, monkeypatch):
    def full(path, content):
        raise InputError(f"{path} cannot be written: No space left on device")

    monkeypatch.setattr(outputs, "write", full)
    status, out, err = run("peaks", fake, "-o", tmp_path / "x.png")
    assert status == 2
    assert out.startswith("fake, 3 images")
    assert "No space left" in err


def test_limit_subfolders_broken_files_and_alpha(run, fake, tmp_path, save):
    save(tmp_path / "fake" / "more" / "x.png", size=(64, 80), mode="RGBA")
    (fake / "z.png").write_bytes(b"no image")
    assert "fake, 4 images" in run("peaks", fake, "--skip-broken")[1]
    assert "fake, 3 images" in run("peaks", fake, "--skip-broken", "--no-recursive")[1]
    assert "fake, 2 images" in run("peaks", fake, "--limit", 2)[1]
    assert "has an alpha channel" in run("peaks", fake, "--skip-broken", "--alpha", "error")[2]


@pytest.mark.parametrize("workers", [1, 2])
def test_workers_change_nothing(run, fake, workers):
    assert run("peaks", fake, "--workers", workers) == run("peaks", fake)
