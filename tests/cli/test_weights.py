"""``ffltool weights`` as a user types it: status, standard output, standard error, files."""

import errno
import io
import json
import re
from pathlib import Path

import pytest

from ffltool import networks, weights
from ffltool.cli import _tables
from tests.cli.common import error_of

SCHEMA = json.loads((Path(__file__).parents[1] / "weights.schema.json").read_text())

pytestmark = pytest.mark.usefixtures("tiny")


@pytest.fixture
def cached(tiny):
    """Lay the published file into the cache."""
    return tiny.save(tiny.folders["cache"] / tiny.file.name, {}).write_bytes(tiny.published.read_bytes())


@pytest.fixture
def other(tiny, tmp_path):
    """Save weights of the network that are not the published ones."""
    return tiny.save(tmp_path / "other.pth", {key: tensor + 1 for key, tensor in tiny.tensors.items()})


def valid(text):
    jsonschema = pytest.importorskip("jsonschema")
    content = json.loads(text)
    jsonschema.validate(content, SCHEMA)
    return content


def rows(out):
    """Return the lines of the table as their cells."""
    return [re.split(r"\s{2,}", line.strip()) for line in out.split("\n\n")[0].splitlines()]


# list


def test_the_table_names_every_network_and_where_it_was_looked_for(tiny, run):
    status, out, err = run("weights", "list")
    assert (status, err) == (0, "")
    assert rows(out)[0] == ["network", "size", "for", "found in", "verified"]
    assert [row[0] for row in rows(out)[1:]] == list(networks.FILES)
    assert rows(out)[3] == ["vgg16", "553.4 MB", "LPIPS vgg", "missing"]
    places = out.split("\n\n")[1].splitlines()
    assert places[0] == "looked for in this order in:"
    assert places[1].split("  ") == ["$FFLTOOL_WEIGHTS", "not set"]
    assert [line.split()[-1] for line in places[2:]] == [str(tiny.folders[each]) for each in ("cache", "torch hub")]


def test_alone_it_lists(run):
    assert run("weights") == run("weights", "list")


def test_the_table_tells_the_published_from_ones_own_and_damaged(tiny, cached, other, run):
    assert rows(run("weights")[1])[1][-2:] == ["cache", "yes"]
    run("weights", "add", f"alexnet={other}")
    assert rows(run("weights")[1])[1][-2:] == ["cache", "your own"]
    weights.check("alexnet").path.write_bytes(b"damaged")
    status, out, err = run("weights")
    assert status == 0
    assert rows(out)[1][-2:] == ["cache", "no"]
    assert err.startswith("ffltool: warning: ")
    assert "is damaged, or no file of weights" in err


def test_in_a_narrow_window_the_table_can_be_read(tiny, run, monkeypatch):
    (tiny.folders["cache"].parents[2] / "mine").mkdir()
    monkeypatch.setenv("FFLTOOL_WEIGHTS", str(tiny.folders["cache"].parents[2] / "mine"))
    tiny.save(tiny.folders["cache"].parents[2] / "mine" / "alexnet.pth", tiny.tensors)
    wide = run("weights")[1]
    monkeypatch.setattr(_tables, "_PIPED_WIDTH", _tables._NARROWEST)
    assert run("weights")[1] == wide
    assert max(map(len, wide.split("\n\n")[0].splitlines())) <= _tables._NARROWEST


def test_json_on_standard_output_is_all_there_is_and_fits_the_schema(tiny, cached, run):
    status, out, err = run("weights", "list", "--json", "-")
    assert (status, err) == (0, "")
    content = valid(out)
    assert [file["state"] for file in content["files"]] == ["known", "missing", "missing", "missing"]
    assert content["files"][0]["path"] == str(tiny.folders["cache"] / tiny.file.name)
    assert content["files"][0]["published"]["url"] == tiny.file.url


def test_json_of_a_damaged_and_of_ones_own_file_fits_the_schema(other, run):
    run("weights", "add", f"alexnet={other}")
    assert valid(run("weights", "list", "--json", "-")[1])["files"][0]["state"] == "own"
    weights.check("alexnet").path.write_bytes(b"damaged")
    assert "is damaged" in valid(run("weights", "list", "--json", "-")[1])["files"][0]["problem"]


def test_a_json_file_is_overwritten_by_the_next_and_by_nothing_else(tmp_path, run):
    path = tmp_path / "x.json"
    for _ in range(2):
        status, out, _ = run("weights", "list", "--json", path)
        assert (status, rows(out)[0][0]) == (0, "network")
        valid(path.read_text())
    path.write_text("somebody's")
    assert "--force overwrites it" in error_of(run("weights", "list", "--json", path))
    assert run("weights", "list", "--json", path, "--force")[0] == 0


# path


def test_path_prints_the_path_alone(tiny, cached, run):
    assert run("weights", "path", "alexnet") == (0, f"{tiny.folders['cache'] / tiny.file.name}\n", "")


def test_path_of_a_missing_file_is_one_line(tiny, server, run):
    line = error_of(run("weights", "path", "alexnet"))
    assert line.startswith(f"ffltool: {tiny.file.name} is not in $FFLTOOL_WEIGHTS (not set), ")
    assert tiny.file.url in line
    assert tiny.file.sha256 in line
    assert server.requests == []


# fetch


def test_fetch_says_what_it_brought_and_what_is_there_already(tiny, server, run):
    path = tiny.folders["cache"] / tiny.file.name
    expected = f"alexnet: the published weights, {path}\n  SHA-256 {tiny.file.sha256}\n"
    assert run("weights", "fetch", "alexnet") == (0, expected, "")
    assert run("weights", "fetch", "alexnet", "alexnet", "--quiet") == (0, 2 * expected, "")
    assert len(server.requests) == 1


def test_fetch_takes_up_what_broke_off(tiny, server, run, monkeypatch):
    monkeypatch.setattr("ffltool.downloads._CHUNK", 256)
    server.cuts = (600, 0, 0)
    kept = f"the connection broke off; 512 of {tiny.file.size} bytes are kept for the next attempt"
    assert error_of(run("weights", "fetch", "alexnet")) == f"ffltool: {tiny.file.url} cannot be fetched: {kept}\n"
    assert error_of(run("weights", "path", "alexnet"))
    assert run("weights", "fetch", "alexnet")[0] == 0
    assert server.requests[-1] == "bytes=512-"


def test_fetch_that_fails_is_one_line(tiny, server, run):
    server.status = 404
    line = error_of(run("weights", "fetch", "alexnet"))
    assert line == f"ffltool: {tiny.file.url} cannot be fetched: HTTP status 404\n"


def test_a_full_disk_is_one_line_and_leaves_nothing(tiny, run, monkeypatch):
    class Full(io.FileIO):
        def write(self, chunk):
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "open", lambda path, mode: Full(path, "r+"))
    line = error_of(run("weights", "fetch", "alexnet"))
    target = tiny.folders["cache"] / tiny.file.name
    assert line == f"ffltool: {target} cannot be written: No space left on device\n"
    assert list(tiny.folders["cache"].iterdir()) == []


# verify


def test_verify_without_files_compares_nothing(run):
    status, out, err = run("weights", "verify")
    assert (status, err) == (3, "ffltool: there are no weight files to verify\n")
    assert out.splitlines() == [f"{name}: missing" for name in networks.FILES]


def test_verify_is_content_with_what_is_there_unless_more_is_named(tiny, cached, run):
    line = f"alexnet: the published weights, {tiny.folders['cache'] / tiny.file.name}\n  SHA-256 {tiny.file.sha256}\n"
    status, out, err = run("weights", "verify")
    assert (status, err) == (0, "")
    assert out.startswith(line)
    assert run("weights", "verify", "alexnet") == (0, line, "")
    problem = error_of(run("weights", "verify", "alexnet", "vgg16"), out=f"{line}vgg16: missing\n")
    assert problem == "ffltool: 1 of 2 networks have no weights that can be used: vgg16 (missing)\n"


def test_verify_tells_what_is_wrong_with_a_damaged_file(tiny, cached, run):
    path = tiny.folders["cache"] / tiny.file.name
    path.write_bytes(path.read_bytes()[:1000])
    status, out, err = run("weights", "verify", "alexnet")
    assert (status, out) == (2, f"alexnet: damaged, {path}\n")
    warning, error = err.splitlines()
    sizes = f"it has 1000 bytes, the published file {tiny.file.size}"
    mend = "`ffltool weights fetch alexnet` brings the published file"
    assert warning == f"ffltool: warning: {path} is damaged, or no file of weights: {sizes}; {mend}"
    assert error == "ffltool: 1 of 1 networks have no weights that can be used: alexnet (damaged)"


# add


def test_add_names_what_it_took_as_ones_own(tiny, other, run):
    status, out, err = run("weights", "add", f"alexnet={other}")
    assert (status, err) == (0, "")
    assert re.match(r"alexnet: your own weights, .*alexnet-added-[0-9a-f]{8}\.pth\n  SHA-256 [0-9a-f]{64}\n$", out)


def test_a_foreign_file_and_a_missing_one_are_one_line(tiny, tmp_path, run):
    path = tiny.save(tmp_path / "foreign.pth", {"x": tiny.tensors["0.bias"]})
    line = error_of(run("weights", "add", f"alexnet={path}"))
    assert line == f"ffltool: {path} does not hold alexnet: 2 of 2 tensors are missing, first 0.weight\n"
    assert "cannot be read: No such file" in error_of(run("weights", "add", f"alexnet={tmp_path / 'no.pth'}"))
    assert error_of(run("weights", "add", "alexnet")) == "ffltool: 'alexnet' is not of the form NAME=FILE\n"


@pytest.mark.parametrize(
    "arguments", [["fetch", "resnet"], ["path", "resnet"], ["verify", "resnet"], ["add", "resnet=x"]]
)
def test_an_unknown_network_lists_the_known(run, arguments):
    known = "known are alexnet, squeezenet, vgg16, inception"
    assert error_of(run("weights", *arguments)) == f"ffltool: there is no network 'resnet'; {known}\n"


@pytest.mark.parametrize("arguments", [["fetch"], ["path"], ["add"], ["nonsense"]])
def test_wrong_usage_is_one_line(run, arguments):
    error_of(run("weights", *arguments))
