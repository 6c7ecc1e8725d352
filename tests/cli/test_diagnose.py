"""``ffltool diagnose`` as a user types it: status, standard output, standard error, files."""

import json
import os
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from ffltool import outputs
from ffltool.cli import _tables
from ffltool.diagnose import as_json, diagnose
from ffltool.errors import InputError
from ffltool.pairing import pair

SCHEMA = json.loads((Path(__file__).parents[1] / "diagnose.schema.json").read_text())
LOSSES, EXPONENTS, BANDS = "loss", "alpha", "band"  # how the tables begin
STARTS = {".png": b"\x89PNG", ".svg": b"<?xml", ".pdf": b"%PDF"}
each_suffix = pytest.mark.parametrize("suffix", STARTS)


pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture
def mixed(tmp_path, save):
    """Folders of images of two sizes."""
    for side in ("real", "fake"):
        save(tmp_path / side / "a.png", size=(20, 30))
        save(tmp_path / side / "b.png", size=(12, 16))
    return tmp_path / "real", tmp_path / "fake"


def valid(text):
    jsonschema = pytest.importorskip("jsonschema")
    content = json.loads(text)
    jsonschema.validate(content, SCHEMA)
    return content


def error_of(result):
    """Return the one line that an error is."""
    assert result[0] == 2
    assert result[1] == ""
    assert result[2].startswith("ffltool: ")
    assert result[2].count("\n") == 1
    return result[2]


def rows_below(out, title):
    """Return the lines of the table that begins so, as their cells."""
    table = next(part for part in out.split("\n\n") if part.startswith(title))
    return [re.split(r"\s{2,}", line.strip()) for line in table.splitlines()[1:]]


# the table


def test_the_table_says_what_was_compared_and_what_was_found(folders, run):
    real, fake = folders()
    status, out, err = run("diagnose", real, fake)
    assert (status, err) == (0, "")
    assert out.startswith(f"3 pairs, 12x16: {real} and {fake}\n\n")
    found = diagnose(pair(real, fake))
    losses = rows_below(out, LOSSES)
    assert losses[0] == ["FFL, alpha 1", f"{found.effects[0].ffl:.4g}"]
    for row, name, value in ((losses[1], "MSE", found.mse), (losses[2], "L1", found.l1)):
        assert row[:2] == [name, f"{value:.4g}"]
        ratio, of_gradients, weight = map(float, row[2:])
        assert ratio == pytest.approx(found.effects[0].ffl / value, rel=0.01)
        assert weight == pytest.approx(getattr(found.effects[0], f"weight_for_{name.lower()}"), rel=0.01)
        assert of_gradients * weight == pytest.approx(1, rel=0.01)


def test_the_table_goes_through_the_exponents_in_order(folders, run):
    real, fake = folders()
    out = run("diagnose", real, fake, "--alpha", 1.5)[1]
    rows = rows_below(out, EXPONENTS)
    assert [row[0] for row in rows] == ["0", "0.5", "1", "1.5", "2"]
    effects = sorted(diagnose(pair(real, fake), alpha=1.5).effects, key=lambda effect: effect.alpha)
    for row, effect in zip(rows, effects, strict=True):
        expected = [f"{effect.ffl:.4g}", f"{effect.mean_weight:.4f}", f"{effect.dc_share:.1%}"]
        expected += [f"{effect.high_share:.1%}", f"{effect.weight_for_mse:.3g}", f"{effect.without_dc:.4g}"]
        assert row[1:] == expected
    assert rows_below(out, LOSSES)[0][0] == "FFL, alpha 1.5"


def test_the_table_has_a_line_for_each_band(folders, run):
    real, fake = folders()
    rows = rows_below(run("diagnose", real, fake)[1], BANDS)
    bands = diagnose(pair(real, fake)).bands
    assert rows == [[band.name, f"{band.mse_share:.1%}", f"{band.ffl_share:.1%}"] for band in bands]


def test_one_pair_of_files_is_told_as_one_pair(folders, run):
    real, fake = folders()
    assert run("diagnose", real / "a.png", fake / "a.png")[1].startswith("1 pair, 12x16: ")


def test_equal_images_show_dashes_and_a_warning(folders, run):
    real, _ = folders()
    status, out, err = run("diagnose", real, real)
    assert (status, err) == (0, "ffltool: warning: the images are equal: there is no loss, and no weight for it\n")
    assert rows_below(out, LOSSES)[1:] == [["MSE", "0", "-", "-", "-"], ["L1", "0", "-", "-", "-"]]
    assert rows_below(out, EXPONENTS)[2] == ["1", "0", "0.0000", "-", "-", "-", "0"]
    assert all(row[1:] == ["-", "-"] for row in rows_below(out, BANDS))
    assert "nan" not in out


@pytest.mark.parametrize("width", [80, _tables._NARROWEST])
def test_in_a_narrow_window_the_table_can_be_read(folders, run, monkeypatch, width):
    real, fake = folders()
    wide = run("diagnose", real, fake, "--alpha", 0.125)[1]
    monkeypatch.setattr(_tables, "_PIPED_WIDTH", width)
    narrow = run("diagnose", real, fake, "--alpha", 0.125)[1]
    assert "…" not in narrow
    for title in (LOSSES, EXPONENTS, BANDS):
        assert rows_below(narrow, title) == rows_below(wide, title)
        table = next(part for part in narrow.split("\n\n") if part.startswith(title))
        assert max(map(len, table.splitlines())) <= width


# which images


def test_mixed_sizes_work_and_warn(mixed, run):
    status, out, err = run("diagnose", *mixed)
    assert status == 0
    assert out.startswith("2 pairs, 2 sizes: ")
    assert err == "ffltool: warning: the images have 2 sizes; weights of a loss depend on the size\n"


def test_mixed_sizes_have_no_figure_and_the_error_names_the_file(mixed, tmp_path, run):
    line = error_of(run("diagnose", *mixed, "-o", tmp_path / "x.png"))
    expected = f"{mixed[0] / 'b.png'} is 12x16, others are 20x30; one size is wanted for a figure"
    assert line == f"ffltool: {expected}\n"
    assert not (tmp_path / "x.png").exists()


def test_images_of_one_pair_with_two_sizes_are_an_error_unless_fitted(tmp_path, save, run):
    real, fake = save(tmp_path / "r.png", size=(5, 6)), save(tmp_path / "f.png", size=(6, 5))
    assert f"{real} is 5x6 but {fake} is 6x5" in error_of(run("diagnose", real, fake))
    assert "1 pair, 5x5:" in run("diagnose", real, fake, "--fit", "crop")[1]
    assert "1 pair, 5x6:" in run("diagnose", real, fake, "--fit", "resize")[1]


def test_limit_order_and_side_by_side(tmp_path, folders, save, run):
    real, fake = folders(["1.png", "2.png"], ["x.png", "y.png"])
    assert run("diagnose", real, fake, "--pair", "order", "--limit", 1)[1].startswith("1 pair,")
    save(tmp_path / "both" / "a.png", size=(12, 24))
    assert run("diagnose", tmp_path / "both", "--side-by-side")[1].startswith("1 pair, 12x12:")


def test_files_without_a_partner_are_left_out_when_told(folders, run):
    real, fake = folders(["a.png", "b.png"], ["a.png"])
    assert "no partner" in error_of(run("diagnose", real, fake))
    status, out, err = run("diagnose", real, fake, "--allow-unpaired")
    assert (status, out[:7]) == (0, "1 pair,")
    assert err.startswith("ffltool: warning: 1 of 2 images")


@pytest.mark.parametrize("workers", [1, 2])
def test_workers_change_nothing(folders, run, workers):
    real, fake = folders([f"{i}.png" for i in range(6)])
    assert run("diagnose", real, fake, "--workers", workers) == run("diagnose", real, fake)


# JSON


def test_json_on_standard_output_is_all_there_is_and_fits_the_schema(folders, run):
    real, fake = folders()
    status, out, err = run("diagnose", real, fake, "--json", "-", "--device", "cpu")
    assert (status, err) == (0, "")
    assert valid(out)["pairs"] == 3
    assert out == as_json(diagnose(pair(real, fake)))


@pytest.mark.parametrize("alpha", [0, 0.5, 3])
def test_json_fits_the_schema_for_every_exponent(folders, run, alpha):
    content = valid(run("diagnose", *folders(), "--json", "-", "--alpha", alpha)[1])
    assert content["effects"][0]["alpha"] == alpha
    assert len(content["effects"]) == (5 if alpha == 3 else 4)


def test_json_of_equal_images_and_of_mixed_sizes_fits_the_schema(mixed, run):
    content = valid(run("diagnose", mixed[0], mixed[0], "--json", "-")[1])
    assert content["effects"][0]["dc_share"] is None
    assert content["sizes"] == [[12, 16], [20, 30]]
    assert len(content["warnings"]) == 2


def test_a_json_file_does_not_replace_the_table_and_is_overwritten_by_the_next(tmp_path, folders, run):
    path, (real, fake) = tmp_path / "x.json", folders()
    for _ in range(2):
        status, out, err = run("diagnose", real, fake, "--json", path)
        assert (status, err) == (0, "")
        assert out.startswith("3 pairs")
        valid(path.read_text())


def test_a_json_report_of_another_command_is_not_overwritten(tmp_path, folders, run):
    path, (real, fake) = tmp_path / "x.json", folders()
    run("lfd", real, fake, "--json", path)
    before = path.read_bytes()
    assert "--force" in error_of(run("diagnose", real, fake, "--json", path))
    assert path.read_bytes() == before


# the figure


@each_suffix
def test_a_figure_is_of_the_kind_of_its_suffix_and_is_overwritten_by_the_next(tmp_path, folders, run, suffix):
    path, (real, fake) = tmp_path / f"x{suffix}", folders(size=(32, 32))
    for _ in range(2):
        status, out, err = run("diagnose", real, fake, "-o", path)
        assert (status, err) == (0, "")
        assert out.startswith("3 pairs")
        assert path.read_bytes().startswith(STARTS[suffix])
    assert sorted(each.name for each in tmp_path.iterdir()) == ["fake", "real", path.name]


def test_a_png_can_be_opened(tmp_path, folders, run):
    run("diagnose", *folders(), "-o", tmp_path / "x.png")
    with Image.open(tmp_path / "x.png") as image:
        image.load()
        assert min(image.size) > 300


def test_a_figure_and_json_on_standard_output_together(tmp_path, folders, run):
    status, out, err = run("diagnose", *folders(), "-o", tmp_path / "x.png", "--json", "-")
    assert (status, err) == (0, "")
    valid(out)
    assert (tmp_path / "x.png").exists()


def test_a_figure_of_equal_images(tmp_path, folders, run):
    real, _ = folders()
    assert run("diagnose", real, real, "-o", tmp_path / "x.svg")[0] == 0
    assert (tmp_path / "x.svg").exists()


@each_suffix
def test_somebody_elses_file_is_not_overwritten(tmp_path, folders, run, suffix):
    path = tmp_path / f"x{suffix}"
    path.write_bytes(STARTS[suffix] + b" somebody's drawing")
    before = path.read_bytes()
    line = error_of(run("diagnose", *folders(), "-o", path))
    assert line == f"ffltool: {path} exists and is no earlier output of this kind; --force overwrites it\n"
    assert path.read_bytes() == before


def test_force_overwrites_somebody_elses_file(tmp_path, folders, run):
    (tmp_path / "x.svg").write_text("somebody's drawing")
    assert run("diagnose", *folders(), "-o", tmp_path / "x.svg", "--force")[0] == 0
    assert (tmp_path / "x.svg").read_bytes().startswith(STARTS[".svg"])


@pytest.mark.parametrize("name", ["x.jpg", "x", "-"])
def test_an_unknown_suffix_is_noticed_before_the_work(tmp_path, run, name):
    line = error_of(run("diagnose", tmp_path / "missing", tmp_path / "missing", "-o", name))
    assert line == f"ffltool: {name} has no suffix of a figure; known are .png, .svg, .pdf\n"


@pytest.mark.parametrize("option", ["--output", "--json"])
def test_output_in_a_missing_folder_is_noticed_before_the_work(tmp_path, run, option):
    line = error_of(run("diagnose", tmp_path / "missing", tmp_path, option, tmp_path / "no" / "x.png"))
    assert f"the folder {tmp_path / 'no'} does not exist" in line


def test_a_figure_and_json_in_one_file_are_an_error(tmp_path, folders, run):
    assert "same file" in error_of(run("diagnose", *folders(), "-o", tmp_path / "x.png", "--json", tmp_path / "x.png"))


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_to_is_noticed_before_the_work(tmp_path, run):
    (tmp_path / "closed").mkdir(mode=0o500)
    line = error_of(run("diagnose", tmp_path / "missing", tmp_path, "-o", tmp_path / "closed" / "x.png"))
    assert "cannot be written: permission denied" in line


# errors


@pytest.mark.parametrize("alpha", ["-1", "-0.001", "nan", "inf", "one"])
def test_an_alpha_that_is_no_exponent_is_one_line(folders, run, alpha):
    assert "alpha" in error_of(run("diagnose", *folders(), "--alpha", alpha))


@pytest.mark.parametrize("device", ["tpu", "cuda:x", "cuda:-1"])
def test_an_unknown_device_lists_the_known(folders, run, device):
    line = error_of(run("diagnose", *folders(), "--device", device))
    assert line == f"ffltool: there is no device {device!r}; known are auto, cuda, cpu\n"


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is one")
@pytest.mark.parametrize("device", ["cuda", "cuda:0"])
def test_a_device_that_is_not_there_is_one_line(folders, run, device):
    assert error_of(run("diagnose", *folders(), "--device", device)) == f"ffltool: device {device} is not there\n"


def test_a_missing_partner_folder_a_missing_and_a_broken_file_are_one_line(folders, run):
    real, fake = folders()
    assert "FAKE is missing" in error_of(run("diagnose", real))
    assert "does not exist" in error_of(run("diagnose", real, fake / "no"))
    (fake / "b.png").write_bytes((fake / "b.png").read_bytes()[:60])
    assert f"{fake / 'b.png'} is broken" in error_of(run("diagnose", real, fake))


def test_one_pixel_is_one_line(tmp_path, save, run):
    real, fake = save(tmp_path / "r.png", size=(1, 1)), save(tmp_path / "f.png", size=(1, 1))
    assert error_of(run("diagnose", real, fake)) == f"ffltool: {real} is 1x1; at least two pixels are wanted\n"


def test_a_brightness_offset_is_warned_of_on_standard_error(tmp_path, save, run, rng):
    real = rng.integers(60, 160, (12, 16, 3))
    fake = real + 25 + rng.integers(-4, 5, real.shape)
    files = [save(tmp_path / f"{i}.png", pixels=pixels.astype(np.uint8)) for i, pixels in enumerate((real, fake))]
    status, out, err = run("diagnose", *files)
    assert (status, err.count("\n")) == (0, 1)
    assert re.match(r"ffltool: warning: \d+% of the loss is the zero frequency, .* exclude_dc=True", err)
    assert float(rows_below(out, EXPONENTS)[2][3].rstrip("%")) > 50


def test_a_figure_that_cannot_be_written_does_not_cost_the_numbers(tmp_path, folders, run, monkeypatch):
    def full(path, content):
        raise InputError(f"{path} cannot be written: No space left on device")

    monkeypatch.setattr(outputs, "write", full)
    status, out, err = run("diagnose", *folders(), "-o", tmp_path / "x.png")
    assert status == 2
    assert rows_below(out, LOSSES)
    assert "No space left on device" in err


def test_folders_without_a_pair_are_status_3_and_one_line(folders, run):
    status, out, err = run("diagnose", *folders(["a.png"], ["b.png"]), "--allow-unpaired")
    assert (status, out, err) == (3, "", "ffltool: nothing was compared\n")
