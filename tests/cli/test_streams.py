"""Standard output and error that are closed, full, or nobody reads; files that cannot be written."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.cli.common import FFLTOOL, start


@pytest.mark.parametrize("output", [[], ["--json", "-"], ["--markdown", "-"]])
def test_a_terminal_without_unicode_gets_escapes(folders, output):
    real, fake = folders(["ä[red].png"])
    command = [*FFLTOOL, "metrics", "-m", "mse,lfd", *map(str, (real, fake)), *output]
    environment = os.environ | {"PYTHONIOENCODING": "ascii", "LC_ALL": "C"}
    result = subprocess.run(command, capture_output=True, env=environment, check=True)
    assert result.stdout.isascii()
    assert result.stderr == b""
    if output[:1] == ["--json"]:
        assert json.loads(result.stdout)["scores"][0]["unit"] == "level²"


def test_a_closed_pipe_ends_quietly(folders):
    process = start("lfd", *folders())
    process.stdout.close()
    assert process.wait(60) == 141
    assert process.stderr.read() == ""
    process.stderr.close()


def test_a_closed_pipe_does_not_cost_the_files(tmp_path, folders):
    process = start("lfd", *folders(), "--json", tmp_path / "report.json")
    process.stdout.close()
    assert process.wait(60) == 141
    process.stderr.close()
    assert json.loads((tmp_path / "report.json").read_text())["schema"] == "ffltool.report/1"


@pytest.mark.parametrize("others", [("json", "csv", "markdown"), ("csv", "markdown", "json")])
def test_a_file_that_cannot_be_written_costs_neither_the_table_nor_other_files(tmp_path, folders, run, others):
    if not Path("/dev/full").exists():
        pytest.skip("there is no /dev/full")
    full, *others = others
    files = [tmp_path / f"report.{other}" for other in others]
    options = [text for other, file in zip(others, files, strict=True) for text in (f"--{other}", file)]
    status, out, err = run("lfd", *folders(), f"--{full}", "/dev/full", *options)
    assert status == 2
    assert "worst pairs" in out
    assert err == "ffltool: /dev/full cannot be written: No space left on device\n"
    assert all(file.stat().st_size for file in files)


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-"])
def test_closed_streams_are_no_matter(tmp_path, folders, closed):
    report = tmp_path / "report.json"
    command = " ".join(map(str, [*FFLTOOL, "lfd", *folders(), "--json", report, closed]))
    assert subprocess.run(command, shell=True, check=False, stdout=subprocess.DEVNULL).returncode == 0
    assert report.exists()


def test_a_full_standard_output_is_one_line(folders):
    if not Path("/dev/full").exists():
        pytest.skip("there is no /dev/full")
    with Path("/dev/full").open("w") as full:
        command = [*FFLTOOL, "lfd", *map(str, folders())]
        result = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert (result.returncode, result.stderr.count("\n")) == (2, 1)
    assert "standard output cannot be written: No space left" in result.stderr


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_standard_output_that_takes_a_part_only_is_an_error(tmp_path, folders, unbuffered):
    resource = pytest.importorskip("resource")
    command = [*FFLTOOL, "lfd", *map(str, folders()), "--json", "-"]
    measured = [name for name in os.environ if name.startswith("COVERAGE")]  # which wants to write a file too
    environment = os.environ | dict.fromkeys(measured, "") | {"PYTHONUNBUFFERED": unbuffered}
    with (tmp_path / "out.json").open("w") as out:
        result = subprocess.run(
            command,
            stdout=out,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            env=environment,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (300, 300)),  # as a disk that is almost full
        )
    assert (result.returncode, result.stderr) == (2, "ffltool: standard output cannot be written: File too large\n")


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize(("options", "status"), [(["--allow-unpaired"], 0), ([], 2)], ids=["warning", "error"])
def test_a_standard_error_that_nobody_reads_is_no_matter(tmp_path, folders, unbuffered, options, status):
    real, fake = folders()
    next(fake.iterdir()).unlink()
    reader, writer = os.pipe()
    os.close(reader)
    report = tmp_path / "report.json"
    command = [*FFLTOOL, "lfd", str(real), str(fake), "--json", str(report), *options]
    environment = os.environ | {"PYTHONUNBUFFERED": unbuffered}
    result = subprocess.run(command, stdout=subprocess.PIPE, stderr=writer, env=environment, check=False)
    os.close(writer)
    assert (result.returncode, report.exists()) == (status, status == 0)
