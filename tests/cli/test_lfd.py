"""``ffltool lfd`` as a user types it: the table, bands, the map of the error."""

import json
from pathlib import Path

import jsonschema
import pytest

from tests.cli.common import SCHEMA, error_of


def test_lfd_prints_the_score_the_worst_pairs_and_what_it_is(folders, run):
    status, out, err = run("lfd", *folders([f"{i}.png" for i in range(5)], size=(64, 64)))
    assert (status, err) == (0, "")
    lines = out.splitlines()
    assert lines[0].startswith("5 pairs, 64x64: ")
    assert lines[2].split() == ["metric", "mean", "std", "min", "max", "unit", "better"]
    assert lines[3].split()[0] == "lfd"
    assert len(lines[3].split()) == 7
    assert lines[5].split() == ["worst", "pairs", "lfd"]
    assert len({line.split()[0] for line in lines[6:9]}) == 3
    assert "LFD = ln(H·W·MSE + 1)" in out
    assert "At 64x64 an LFD of" in out


def test_two_files_side_by_side_limit_and_order(tmp_path, folders, save, run):
    real, fake = folders(["1.png", "2.png"], ["x.png", "y.png"])
    assert run("lfd", real / "1.png", fake / "x.png")[1].startswith("1 pair,")
    assert run("lfd", real, fake, "--pair", "order", "--limit", 1)[1].startswith("1 pair,")
    save(tmp_path / "both" / "a.png", size=(12, 24))
    assert "12x12" in run("lfd", tmp_path / "both", "--side-by-side")[1]


def test_lfd_of_mixed_sizes_warns_and_names_no_psnr(tmp_path, save, run):
    for side in ("real", "fake"):
        save(tmp_path / side / "a.png", size=(20, 30))
        save(tmp_path / side / "b.png", size=(12, 16))
    status, out, err = run("lfd", tmp_path / "real", tmp_path / "fake")
    assert status == 0
    assert "2 pairs, 2 sizes" in out
    assert err.startswith("ffltool: warning: LFD grows with the number of pixels")
    assert " dB" not in out


def test_json_on_standard_output_is_all_there_is_and_fits_the_schema(folders, run):
    status, out, err = run("lfd", *folders(), "--json", "-")
    assert (status, err) == (0, "")
    content = json.loads(out)
    jsonschema.validate(content, SCHEMA)
    assert content["command"] == "lfd"
    assert content["environment"]["torch"] is None


def test_lfd_resolves_bands(folders, run):
    real, fake = folders(size=(20, 31))
    status, out, _ = run("lfd", real, fake, "--bands", 3)
    assert status == 0
    names = ["dc", "0-0.1667", "0.1667-0.3333", "0.3333-0.5", "corner"]
    lines = out.splitlines()
    head = next(number for number, line in enumerate(lines) if line.startswith("band (cycles/pixel)"))
    assert [line.split()[0] for line in lines[head + 1 : head + 6]] == names
    report = json.loads(run("lfd", real, fake, "--bands", 3, "--json", "-")[1])
    jsonschema.validate(report, SCHEMA)
    assert [band["name"] for band in report["bands"]] == names
    assert sum(band["share"] for band in report["bands"]) == pytest.approx(1)
    assert report["environment"]["torch"] is not None


def test_bands_change_nothing_else(folders, run):
    real, fake = folders()
    plain, resolved = (json.loads(run("lfd", real, fake, *more, "--json", "-")[1]) for more in ((), ("--bands", 8)))
    assert plain["bands"] == []
    assert plain["scores"] == resolved["scores"]


def test_a_map_of_the_error_is_drawn_beside_its_bands(tmp_path, folders, run):
    real, fake = folders(size=(20, 31))
    for name in ("map.png", "map.svg", "map.pdf"):
        status, out, err = run("lfd", real, fake, "--band-map", tmp_path / name)
        assert (status, err) == (0, "")
        assert (tmp_path / name).stat().st_size > 1000
        assert "0.4375-0.5" in out, "8 bands where no number is given"
    assert run("lfd", real, fake, "--bands", 3, "--band-map", tmp_path / "map.png")[1].count("0.3333-0.5") == 1


def test_a_map_of_the_error_wants_one_size_a_suffix_and_a_place(tmp_path, folders, save, run):
    real, fake = folders()
    assert "no suffix of a figure" in error_of(run("lfd", real, fake, "--band-map", tmp_path / "map.jpg"))
    assert "does not exist" in error_of(run("lfd", real, fake, "--band-map", tmp_path / "no" / "map.png"))
    assert "--force" in error_of(run("lfd", real, fake, "--band-map", real / "a.png"))
    same = tmp_path / "same.svg"
    assert "same file" in error_of(run("lfd", real, fake, "--band-map", same, "--json", same))
    for side in (real, fake):
        save(side / "z.png", size=(9, 9))
    assert "one size is wanted for a figure" in error_of(run("lfd", real, fake, "--band-map", tmp_path / "map.png"))
    assert not (tmp_path / "map.png").exists()


def test_a_map_that_cannot_be_written_does_not_cost_the_table(folders, run):
    if not Path("/dev/full").exists():
        pytest.skip("there is no /dev/full")
    real, _ = folders()
    (real.parent / "full.svg").symlink_to("/dev/full")
    status, out, err = run("lfd", real, real, "--band-map", real.parent / "full.svg")
    assert (status, err.count("\n")) == (2, 1)
    assert "worst pairs" in out
