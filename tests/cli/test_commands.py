"""The commands as a user types them: status, standard output, standard error."""

import csv
import io
import json
import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import jsonschema
import numpy as np
import pytest
from PIL import Image

from ffltool import __version__
from ffltool.cli import _options, _tables
from ffltool.images import ALPHAS, FITS
from ffltool.metrics import METRICS
from ffltool.pairing import PAIRINGS

SCHEMA = json.loads((Path(__file__).parents[1] / "report.schema.json").read_text())
FFLTOOL = [sys.executable, "-m", "ffltool"]


def start(*arguments, **settings):
    return subprocess.Popen(
        [*FFLTOOL, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **settings
    )


def test_version(run):
    assert run("--version") == (0, f"ffltool {__version__}\n", "")


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


def test_bands_change_nothing_else(folders, run):
    real, fake = folders()
    plain, resolved = (json.loads(run("lfd", real, fake, *more, "--json", "-")[1]) for more in ((), ("--bands", 8)))
    assert plain["bands"] == []
    assert plain["scores"] == resolved["scores"]


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


def test_lfd_of_mixed_sizes_warns_and_names_no_psnr(tmp_path, save, run):
    for side in ("real", "fake"):
        save(tmp_path / side / "a.png", size=(20, 30))
        save(tmp_path / side / "b.png", size=(12, 16))
    status, out, err = run("lfd", tmp_path / "real", tmp_path / "fake")
    assert status == 0
    assert "2 pairs, 2 sizes" in out
    assert err.startswith("ffltool: warning: LFD grows with the number of pixels")
    assert " dB" not in out


def test_identical_images_are_lfd_0_and_psnr_infinite(folders, run):
    real, _ = folders()
    assert "At 12x16 an LFD of 0.0000 is a PSNR of inf dB" in run("lfd", real, real)[1]
    status, out, _ = run("metrics", real, real, "-m", "psnr,lfd", "--json", "-")
    psnr, lfd = json.loads(out)["scores"]
    assert status == 0
    assert (psnr["value"], psnr["infinite"], lfd["value"], lfd["infinite"]) == (None, 3, 0.0, 0)
    assert "inf" in run("metrics", real, real, "-m", "psnr")[1]


def test_json_on_standard_output_is_all_there_is_and_fits_the_schema(folders, run):
    jsonschema = pytest.importorskip("jsonschema")
    status, out, err = run("lfd", *folders(), "--json", "-")
    assert (status, err) == (0, "")
    content = json.loads(out)
    jsonschema.validate(content, SCHEMA)
    assert content["command"] == "lfd"
    assert content["environment"]["torch"] is None


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


def test_metrics_can_be_given_several_ways(folders, run):
    real, fake = folders()
    together = run("metrics", real, fake, "-m", "lfd, PSNR", "--csv", "-")
    apart = run("metrics", real, fake, "-m", "lfd", "--metric", "psnr", "--csv", "-")
    assert together == apart
    assert together[1].startswith("real,fake,height,width,lfd,psnr\n")


def test_two_files_side_by_side_limit_and_order(tmp_path, folders, save, run):
    real, fake = folders(["1.png", "2.png"], ["x.png", "y.png"])
    assert run("lfd", real / "1.png", fake / "x.png")[1].startswith("1 pair,")
    assert run("lfd", real, fake, "--pair", "order", "--limit", 1)[1].startswith("1 pair,")
    save(tmp_path / "both" / "a.png", size=(12, 24))
    assert "12x12" in run("lfd", tmp_path / "both", "--side-by-side")[1]


def test_options_name_what_the_library_knows():
    choices = [opt.__args__[0].__args__ for opt in (_options.Pair, _options.Alpha, _options.Fit)]
    assert choices == [PAIRINGS, ALPHAS, FITS]


def test_a_table_at_80_columns_is_not_cut(folders, run, monkeypatch):
    monkeypatch.setattr(_tables, "_PIPED_WIDTH", 80)
    real, fake = folders([f"{'long_name_' * 12}{i}.png" for i in range(3)])
    out = run("metrics", real, fake, "-m", "mse,psnr,ssim,lfd")[1]
    assert "…" not in out
    assert max(map(len, out.splitlines()[2:])) <= 80
    assert "".join("".join(line.split(" ")[0] for line in out.splitlines()[-3:])).endswith(".png")


def error_of(result, status=2):
    """Return the one line that an error is."""
    assert result[0] == status
    assert result[1] == ""
    assert result[2].startswith("ffltool: ")
    assert result[2].count("\n") == 1
    return result[2]


class TestErrorsAreOneLine:
    def test_missing_folder(self, tmp_path, run):
        assert f"{tmp_path / 'no'} does not exist" in error_of(run("lfd", tmp_path / "no", tmp_path))

    def test_empty_folder(self, tmp_path, run):
        assert "holds no images" in error_of(run("lfd", tmp_path, tmp_path))

    def test_folder_without_images(self, tmp_path, run):
        (tmp_path / "notes.txt").write_text("text")
        assert "holds no images" in error_of(run("lfd", tmp_path, tmp_path))

    def test_unreadable_folder(self, tmp_path, folders, run, monkeypatch):
        real, fake = folders()
        scandir = os.scandir

        def refuse(path):
            if Path(path) == fake:
                raise PermissionError(13, "Permission denied", str(path))
            return scandir(path)

        monkeypatch.setattr(os, "scandir", refuse)
        assert f"the folder {fake} cannot be read: Permission denied" in error_of(run("lfd", real, fake))

    def test_unequal_names(self, folders, run):
        real, fake = folders(["a.png", "b.png", "c.png", "d.png"], ["x.png"])
        line = error_of(run("lfd", real, fake))
        assert "4 of 4 images" in line
        assert "(a.png, b.png, c.png, …)" in line
        assert "1 of 1 images" in line

    def test_unequal_sizes(self, tmp_path, save, run):
        real, fake = save(tmp_path / "r.png", size=(5, 6)), save(tmp_path / "f.png", size=(6, 5))
        line = error_of(run("lfd", real, fake))
        assert f"{real} is 5x6 but {fake} is 6x5" in line
        assert run("lfd", real, fake, "--fit", "crop")[0] == 0

    def test_broken_file(self, folders, run):
        real, fake = folders()
        (fake / "b.png").write_bytes((fake / "b.png").read_bytes()[:60])
        assert f"{fake / 'b.png'} is broken" in error_of(run("lfd", real, fake))
        status, out, err = run("lfd", real, fake, "--skip-broken")
        assert status == 0
        assert out.startswith("2 pairs")
        assert err == "ffltool: warning: 1 pair with a broken image was left out: b.png\n"

    def test_nothing_compared(self, folders, run):
        real, fake = folders(["a.png"])
        (fake / "a.png").write_bytes(b"junk")
        error_of(run("lfd", real, fake, "--skip-broken"), status=3)
        real, fake = folders(["b.png"], ["z.png"])
        (real / "a.png").unlink()
        (fake / "a.png").unlink()
        assert "nothing was compared" in error_of(run("lfd", real, fake, "--allow-unpaired"), status=3)

    def test_limit_0(self, folders, run):
        assert "--limit" in error_of(run("lfd", *folders(), "--limit", 0))

    def test_unknown_metric(self, folders, run):
        assert "known are lfd, mse, psnr, ssim, lsd, sde, gain" in error_of(
            run("metrics", *folders(), "-m", "lfd,psrn")
        )

    def test_unknown_option_and_choice(self, folders, run):
        error_of(run("lfd", *folders(), "--nonsense"))
        assert "--pair" in error_of(run("lfd", *folders(), "--pair", "magic"))

    def test_output_in_a_missing_folder_is_noticed_before_the_work(self, tmp_path, run):
        line = error_of(run("lfd", tmp_path, tmp_path, "--json", tmp_path / "no" / "x.json"))
        assert f"the folder {tmp_path / 'no'} does not exist" in line

    def test_output_over_somebody_elses_file(self, folders, run):
        real, fake = folders()
        assert "--force" in error_of(run("lfd", real, fake, "--csv", real / "a.png"))
        assert run("lfd", real, fake, "--csv", real / "a.png", "--force")[0] == 0

    def test_two_outputs_on_standard_output(self, folders, run):
        assert "only one" in error_of(run("lfd", *folders(), "--csv", "-", "--json", "-"))

    def test_two_outputs_in_one_file(self, tmp_path, folders, run):
        assert "same file" in error_of(run("lfd", *folders(), "--csv", tmp_path / "x", "--json", tmp_path / "x"))

    def test_pipe_in_place_of_an_image(self, folders, run):
        real, fake = folders()
        (fake / "b.png").unlink()
        os.mkfifo(fake / "b.png")
        assert "b.png is no file" in error_of(run("lfd", real, fake))

    def test_path_that_is_too_long(self, tmp_path, run):
        assert "File name too long" in error_of(run("lfd", tmp_path / ("x" * 300), tmp_path))

    def test_names_with_line_breaks(self, folders, run):
        real, fake = folders(["a\nb.png"])
        (fake / "a\nb.png").write_bytes(b"junk")
        assert r"a\nb.png is not an image" in error_of(run("lfd", real, fake))


@pytest.mark.parametrize("arguments", [["", "fake"], ["real", ""], ["real", "fake", "--json", ""]])
def test_an_empty_argument_is_not_this_folder(run, arguments):
    status, out, err = run("metrics", *arguments, "-m", "lsd")
    assert (status, out) == (2, "")
    assert err == "ffltool: an argument is empty; is a variable not set?\n"


def test_no_arguments_show_the_help(run):
    status, out, err = run()
    assert "lfd" in out + err
    assert status in (0, 2)


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


def wait_for_workers(pid):
    """Wait until a process has started threads or children; where that cannot be seen, a while."""
    tasks = Path(f"/proc/{pid}/task")
    deadline = time.monotonic() + (60 if tasks.exists() else 2)
    while time.monotonic() < deadline:
        if tasks.exists() and (len(list(tasks.iterdir())) > 1 or (tasks / str(pid) / "children").read_text()):
            return
        time.sleep(0.05)


def test_an_interrupt_while_the_command_loads_ends_with_130(monkeypatch):
    from ffltool import __main__, cli

    def interrupt():
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "main", interrupt)
    monkeypatch.setattr(__main__.gc, "freeze", lambda: None)
    with pytest.raises(SystemExit) as ended:
        __main__.run()
    assert ended.value.code == 130


def test_an_interrupt_ends_with_130_and_nothing_half_written(tmp_path, save):
    original = save(tmp_path / "set" / "0.png", size=(500, 700))
    for index in range(1, 1500):  # enough for half a minute
        os.link(original, tmp_path / "set" / f"{index}.png")
    report = tmp_path / "report.json"
    heed = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)  # in the background a shell lets it be ignored
    command = ["metrics", tmp_path / "set", tmp_path / "set", "--json", report]
    process = start(*command, start_new_session=True, preexec_fn=heed)
    wait_for_workers(process.pid)
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (130, "")
    assert "Traceback" not in err
    assert list(tmp_path.iterdir()) == [tmp_path / "set"]


# the peak of this program alone: what getrusage says starts at the size of the parent
MEMORY = """
import re, sys
from pathlib import Path
from ffltool.cli import main
status = main(sys.argv[1:])
print(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1])
sys.exit(status)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="peak memory is read from /proc")
def test_ten_thousand_pairs_stay_within_60_mb(tmp_path, save):
    """The files are links to a few, which changes nothing for the reader."""
    for side in ("real", "fake"):
        originals = [save(tmp_path / f"{side}{i}.png", size=(8, 8)) for i in range(5)]
        (tmp_path / side).mkdir()
        for index in range(10_000):
            os.link(originals[index % 5], tmp_path / side / f"{index}.png")
    command = [sys.executable, "-c", MEMORY, "lfd", tmp_path / "real", tmp_path / "fake", "--json", "-"]
    result = subprocess.run([*map(str, command)], capture_output=True, text=True, check=True)
    report, peak = result.stdout.rsplit("}", 1)
    assert json.loads(report + "}")["scores"][0]["images"] == 10_000
    assert int(peak) / 1024 <= 60


def test_jpeg_copies_of_real_textures(tmp_path, shared, run):
    real = shared / "data" / "dtd64" / "test"
    for path in real.iterdir():
        (tmp_path / "fake").mkdir(exist_ok=True)
        with Image.open(path) as image:
            image.convert("RGB").save(tmp_path / "fake" / f"{path.stem}.jpg", quality=60)
    status, out, _ = run("metrics", real, tmp_path / "fake", "-m", "psnr,ssim,lfd,mse", "--json", "-")
    report = json.loads(out)
    scores = {score["metric"]: score for score in report["scores"]}
    assert (status, report["real"]["images"], report["warnings"]) == (0, 240, [])
    expected = np.log(64 * 64 * 255**2) - scores["psnr"]["value"] * np.log(10) / 10
    # the identity of the means; the + 1 inside each logarithm is below 1e-4 for these errors
    assert scores["lfd"]["value"] == pytest.approx(expected, abs=1e-4)
    assert 0.5 < scores["ssim"]["value"] < 1


def test_photographs_of_mixed_sizes(tmp_path, shared, run):
    real = shared / "data" / "dtd_full"
    for path in sorted(real.rglob("*.jpg"))[::4]:
        fake = (tmp_path / path.relative_to(real)).with_suffix(".png")
        fake.parent.mkdir(parents=True, exist_ok=True)
        with Image.open(path) as image:
            small = image.convert("RGB").reduce(2)
            small.resize(image.size, Image.Resampling.BICUBIC).save(fake, compress_level=1)
    status, out, err = run(
        "metrics", real, tmp_path, "-m", "psnr,ssim,lfd,mse", "--pair", "stem", "--allow-unpaired", "--json", "-"
    )
    report = json.loads(out)
    assert (status, report["real"]["images"]) == (0, 25)
    assert len(report["real"]["sizes"]) > 5
    assert "LFD grows with the number of pixels" in err


def test_an_error_of_the_system_that_says_nothing_is_a_bug_and_shows_its_traceback(monkeypatch, folders, run):
    def refuse(*_, **__):
        raise OSError

    monkeypatch.setattr("ffltool.evaluate.evaluate_pairs", refuse)
    with pytest.raises(OSError, match=r"^$"):
        run("lfd", *folders())


def test_a_terminal_shows_how_far_it_is_unless_quiet(monkeypatch, folders, run):
    real, fake = folders()
    shown = []
    for options in ([], ["--quiet"]):
        with monkeypatch.context() as patch:
            patch.setattr("sys.stderr.isatty", lambda: True)
            patch.setenv("TERM", "xterm")
            shown.append(run("lfd", real, fake, *options)[2])
    assert "comparing" in shown[0]
    assert "3/3" in shown[0]
    assert shown[1] == ""
