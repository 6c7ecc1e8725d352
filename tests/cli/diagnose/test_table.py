"""The tables of ``ffltool diagnose``, and what is warned of beside them."""

import re

import numpy as np
import pytest

from ffltool.cli import _tables
from ffltool.diagnose import diagnose
from ffltool.pairing import pair
from tests.cli.diagnose.common import BANDS, EXPONENTS, LOSSES, rows_below

pytestmark = pytest.mark.usefixtures("one_thread")


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


def test_a_brightness_offset_is_warned_of_on_standard_error(tmp_path, save, run, rng):
    real = rng.integers(60, 160, (12, 16, 3))
    fake = real + 25 + rng.integers(-4, 5, real.shape)
    files = [save(tmp_path / f"{i}.png", pixels=pixels.astype(np.uint8)) for i, pixels in enumerate((real, fake))]
    status, out, err = run("diagnose", *files)
    assert (status, err.count("\n")) == (0, 1)
    assert re.match(r"ffltool: warning: \d+% of the loss is the zero frequency, .* exclude_dc=True", err)
    assert float(rows_below(out, EXPONENTS)[2][3].rstrip("%")) > 50
