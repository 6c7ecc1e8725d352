"""Learned metrics as a user types them."""

import json

import jsonschema
import numpy as np
import pytest

from ffltool.cli import _networks, _tables
from ffltool.metrics.inception import LAYERS, PRESETS
from ffltool.metrics.lpips import BACKBONES
from tests.cli.common import SCHEMA, error_of

SETS = ["-m", "fid,kid,is", "--layer", "64"]
pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture
def own(means):
    return ["--weights", f"inception={means.path}", "--device", "cpu"]


def test_sets_have_a_value_a_deviation_and_what_looked_at_them(folders, run, own):
    real, fake = folders([f"{i}.png" for i in range(12)], [f"{i}.png" for i in range(10)])
    status, out, err = run("metrics", real, fake, *SETS, *own)
    assert (status, err) == (0, "")
    lines = out.splitlines()
    assert lines[0] == f"12 real and 10 fake images, 12x16: {real} and {fake}"
    assert lines[2].split() == ["metric", "value", "std", "unit", "better"]
    assert [line.split()[0] for line in lines[3:6]] == ["fid", "kid", "is"]
    assert lines[7].startswith("fid, kid: inception ")
    assert lines[7].endswith(" of means.pth (own), preset pytorch-fid, layer 64")
    assert lines[8].startswith("is: ")
    report = json.loads(run("metrics", real, fake, *SETS, *own, "--json", "-")[1])
    jsonschema.validate(report, SCHEMA)
    assert report["scores"][1]["std"] >= 0


def test_every_table_names_the_network_whatever_its_file_is_called(folders, run, means):
    sides, odd = folders(), means.path.with_name("own\x1b[31m_*.pth")
    means.path.rename(odd)
    own = ["--layer", "64", "--weights", f"inception={odd}", "--device", "cpu"]
    shown = "of own\\x1b[31m_*.pth (own), preset pytorch-fid, layer 64"
    escaped = "".join(f"\\{letter}" if letter in "\\[]_*()#" else letter for letter in shown)
    for command in (["metrics", *sides, "-m", "fid"], ["check", *sides, "--max", "fid=1e9"]):
        for option, said in (([], shown), (["--markdown", "-"], escaped)):
            status, out, _ = run(*command, *own, *option)
            assert status == 0
            assert [line for line in out.splitlines() if line.startswith("fid: inception ") and line.endswith(said)]


def test_lpips_beside_the_others(folders, run, stand_ins, caches, monkeypatch):
    monkeypatch.setattr(_tables, "_PIPED_WIDTH", 80)
    weights = ["--weights", f"alexnet={stand_ins['alexnet']}"]
    command = ["metrics", *folders(size=(40, 40)), "-m", "psnr,lpips,lsd", *weights, "--device", "cpu"]
    status, out, err = run(*command)
    assert (status, err) == (0, "")
    assert max(map(len, out.splitlines()[2:])) <= 80
    assert out.splitlines()[-1].startswith("lpips: alexnet ")
    assert run(*command, "--csv", "-")[1].startswith("real,fake,height,width,psnr,lpips\n")
    jsonschema.validate(json.loads(run(*command, "--json", "-")[1]), SCHEMA)


def test_a_metric_of_pairs_that_is_left_out_wants_none(folders, run, means, tiny):
    sides = folders(["a.png", "b.png"], ["c.png", "d.png", "e.png"])
    own = ["--layer", "64", "--weights", f"inception={means.path}", "--device", "cpu"]
    assert "have no partner" in error_of(run("metrics", *sides, "-m", "lpips,fid,psnr", *own, "--skip-missing"))
    status, out, err = run("metrics", *sides, "-m", "lpips,fid", *own, "--skip-missing")
    assert status == 0
    assert out.startswith("2 real and 3 fake images")
    assert err.startswith("ffltool: warning: lpips: left out, for ")
    assert err.count("\n") == 1
    assert "`ffltool weights fetch" in error_of(run("metrics", *sides, "-m", "lpips", "--skip-missing"))


def test_the_presets_and_layers_of_the_command_are_those_of_the_network():
    choices = [each.__args__[0].__args__ for each in (_networks.Backbone, _networks.Preset, _networks.Layer)]
    assert choices == [tuple(BACKBONES), tuple(PRESETS), tuple(layer for layer in LAYERS if layer.isdecimal())]


def test_the_seed_is_of_subsets_and_order(folders, run, own):
    command = ["metrics", *folders([f"{i}.png" for i in range(12)], [f"{i}.png" for i in range(15)]), *SETS, *own]
    found = [json.loads(run(*command, "--json", "-", "--seed", seed)[1])["scores"] for seed in (1, 1, 2)]
    values = [[score["value"] for score in scores] for scores in found]
    assert values[0] == values[1]
    assert values[0][0] == values[2][0]
    assert values[0][1] != values[2][1]
    assert values[0][2] != values[2][2]


class TestErrorsAreOneLine:
    def test_missing_weights(self, folders, run, tiny):
        assert "`ffltool weights fetch alexnet` brings it" in error_of(run("metrics", *folders(), "-m", "psnr,lpips"))

    def test_missing_weights_left_out_are_a_warning(self, folders, run, tiny):
        status, out, err = run("metrics", *folders(), "-m", "psnr,lpips", "--skip-missing")
        assert (status, err.count("\n")) == (0, 1)
        assert err.startswith("ffltool: warning: lpips: left out, for ")
        assert "lpips" not in out
        error_of(run("metrics", *folders(), "-m", "lpips", "--skip-missing"))

    def test_weights_that_are_no_name_and_file(self, folders, run):
        assert "is not of the form NAME=FILE" in error_of(run("metrics", *folders(), "-m", "lpips", "--weights", "x"))
        line = error_of(run("metrics", *folders(), "-m", "lpips", "--weights", "resnet=x"))
        assert "no network 'resnet'; known are alexnet" in line

    def test_a_fetch_without_a_network(self, folders, run, tiny, server):
        server.status = 404
        assert "HTTP status 404" in error_of(run("metrics", *folders(), "-m", "lpips", "--download"))

    def test_unknown_choices(self, folders, run):
        for option in ("--preset", "--layer", "--lpips"):
            assert option in error_of(run("metrics", *folders(), "-m", "fid", option, "1024"))

    def test_half_precision_on_the_cpu(self, folders, run, own):
        assert "for a GPU" in error_of(run("metrics", *folders(), *SETS, *own, "--half"))

    def test_a_device_that_is_not_there(self, folders, run, own):
        assert "no device 'tpu'" in error_of(run("metrics", *folders(), *SETS, *own[:2], "--device", "tpu"))
        assert run("metrics", *folders(), "-m", "psnr", "--device", "tpu")[0] == 0, "nothing computes there"

    def test_one_image(self, folders, run, own):
        real, fake = folders(["a.png"])
        line = error_of(run("metrics", real, fake, "-m", "fid", *own))
        assert line == f"ffltool: fid needs at least 2 images, and of {real} there are 1\n"

    def test_a_batch_larger_than_any(self, folders, run, own):
        assert "--batch-size" in error_of(run("metrics", *folders(), "-m", "fid", *own, "--batch-size", 2**63))

    def test_statistics_that_are_no_place_for_or_not_asked_for(self, tmp_path, folders, run, own):
        real, fake = folders()
        line = error_of(run("metrics", real, fake, "-m", "psnr", "--save-stats", tmp_path / "x.npz"))
        assert "statistics are made by fid, which is not among the metrics" in line
        command = ["metrics", real, fake, "-m", "fid", *own, "--save-stats"]
        assert "does not exist" in error_of(run(*command, tmp_path / "no" / "x.npz"))
        np.savez(tmp_path / "mine.npz", mu=np.zeros(3))
        assert "--force" in error_of(run(*command, tmp_path / "mine.npz"))
