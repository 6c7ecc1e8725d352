"""``ffltool diagnose --json`` follows its schema."""

import json
from pathlib import Path

import pytest

from ffltool.diagnose import as_json, diagnose
from ffltool.pairing import pair
from tests.cli.common import error_of

pytestmark = pytest.mark.usefixtures("one_thread")

SCHEMA = json.loads((Path(__file__).parents[2] / "diagnose.schema.json").read_text())


def valid(text):
    jsonschema = pytest.importorskip("jsonschema")
    content = json.loads(text)
    jsonschema.validate(content, SCHEMA)
    return content


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


def test_a_figure_and_json_on_standard_output_together(tmp_path, folders, run):
    status, out, err = run("diagnose", *folders(), "-o", tmp_path / "x.png", "--json", "-")
    assert (status, err) == (0, "")
    valid(out)
    assert (tmp_path / "x.png").exists()
