"""``ffltool reconstruct`` as a user types it: status, standard output, standard error, files."""

import csv
import io
import json
import os
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from ffltool import figures, outputs
from ffltool.cli import main
from ffltool.errors import InputError
from ffltool.reconstruct import objectives

SCHEMA = json.loads((Path(__file__).parents[1] / "reconstruct.schema.json").read_text())
FIGURES = {"figure.png", "curves.png"}
OTHERS = {"original.png", "curves.csv", "report.json"} | FIGURES
DEFAULTS = ["amplitude", "phase", "frequency", "ffl"]
FEW = ["--steps", 3, "--size", 16]  # one objective of these takes no time at all


pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture
def without_drawing(monkeypatch):
    """Put something of ours in place of figures, which take longer than all the rest."""

    def save(_figure, path):
        path.write_bytes(f"a drawing with Software\0{outputs.MARK}".encode())

    for name in ("images_over_spectra", "convergence"):
        monkeypatch.setattr(figures, name, lambda *_: None)
    monkeypatch.setattr(figures, "save", save)


@pytest.fixture
def image(tmp_path, save):
    return save(tmp_path / "image.png", size=(24, 32))


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "rebuilt"


@pytest.fixture
def rebuild_and_draw(image, folder, run):
    """Run ``ffltool reconstruct`` on a small image with few steps under "ffl", and return what `run` does."""

    def rebuild(*options, image=image, folder=folder, objective=("--objective", "ffl")):
        return run("reconstruct", image, "-o", folder, *objective, *FEW, *options)

    return rebuild


@pytest.fixture
def rebuild(rebuild_and_draw, without_drawing):
    """Do the same, but for the figures."""
    return rebuild_and_draw


def names(folder):
    return {path.name for path in folder.iterdir()}


def rows_of(folder):
    """Return the rows of the CSV as dictionaries."""
    return list(csv.DictReader(io.StringIO((folder / "curves.csv").read_text())))


def report_of(folder):
    jsonschema = pytest.importorskip("jsonschema")
    content = json.loads((folder / "report.json").read_text())
    jsonschema.validate(content, SCHEMA)
    return content


def lanczos(path, size, mode=None):
    """Return the pixels of an image brought to a size (height, width), by Pillow."""
    with Image.open(path) as image:
        return np.asarray((image.convert(mode) if mode else image).resize(size[::-1], Image.Resampling.LANCZOS))


def pixels_of(path):
    with Image.open(path) as image:
        return np.asarray(image)


def error_of(result):
    """Return the one line that an error is."""
    assert result[0] == 2
    assert result[1] == ""
    assert result[2].startswith("ffltool: ")
    assert result[2].count("\n") == 1
    return result[2]


# what is written


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """A run as users run it, but for the size of the image: status, standard output and error, image and folder."""
    home, streams = tmp_path_factory.mktemp("done"), (io.StringIO(), io.StringIO())
    image, folder = home / "image.png", home / "rebuilt"
    Image.fromarray(np.random.default_rng(1).integers(0, 256, (24, 32, 3), dtype=np.uint8)).save(image)
    arguments = ["reconstruct", image, "-o", folder, "--steps", 5, "--size", 16, "--device", "cpu"]
    with redirect_stdout(streams[0]), redirect_stderr(streams[1]):
        status = main(list(map(str, arguments)))
    return status, *(stream.getvalue() for stream in streams), image, folder


def test_the_usual_objectives_make_a_folder_of_these_files(done):
    status, _, err, image, folder = done
    assert (status, err) == (0, "")
    assert names(folder) == {f"{name}.png" for name in DEFAULTS} | OTHERS
    np.testing.assert_array_equal(pixels_of(folder / "original.png"), lanczos(image, (12, 16)))
    for name in DEFAULTS:
        assert pixels_of(folder / f"{name}.png").shape == (12, 16, 3)
    for name in FIGURES:
        assert min(pixels_of(folder / name).shape[:2]) > 300


def test_the_csv_has_a_row_for_each_step_of_each_objective(done):
    *_, folder = done
    assert (folder / "curves.csv").read_text().startswith("objective,step,seconds,loss,psnr,lfd\n")
    rows = rows_of(folder)
    assert [row["objective"] for row in rows] == [name for name in DEFAULTS for _ in range(6)]
    assert [int(row["step"]) for row in rows] == list(range(6)) * 4
    for row in rows:
        assert np.isfinite([float(row[name]) for name in ("seconds", "loss", "psnr", "lfd")]).all()
    assert len({(row["psnr"], row["lfd"]) for row in rows if row["step"] == "0"}) == 1, "all begin with one image"


def test_the_report_fits_the_schema_and_agrees_with_the_csv_and_the_images(done):
    *_, image, folder = done
    report, lasts = report_of(folder), [row for row in rows_of(folder) if row["step"] == "5"]
    assert report["image"] == {"path": str(image), "height": 12, "width": 16, "channels": 3}
    assert report["settings"] == {
        "steps": 5,
        "seconds": None,
        "optimizer": "adam",
        "lr": None,
        "alpha": 1.0,
        "init": "noise",
        "seed": 0,
        "device": "cpu",
    }
    assert [row["objective"] for row in report["objectives"]] == DEFAULTS
    for row, last in zip(report["objectives"], lasts, strict=True):
        assert row["steps"] == 5
        measures = ("seconds", "loss", "psnr", "lfd")
        assert [row[name] for name in measures] == [float(last[name]) for name in measures]
        error = np.square(pixels_of(folder / "original.png") / 255 - pixels_of(folder / row["file"]) / 255).mean()
        # the file is rounded to 8 bits
        assert row["psnr"] == pytest.approx(-10 * np.log10(error), abs=0.05)


def test_the_table_lists_each_objective_with_its_psnr_and_the_folder(done):
    _, out, _, _, folder = done
    lines = out.splitlines()
    assert lines[0].split() == ["objective", "steps", "seconds", "loss", "PSNR", "(dB)", "LFD"]
    for line, row in zip(lines[1:5], report_of(folder)["objectives"], strict=True):
        name, steps, _, loss, psnr, lfd = line.split()
        assert (name, steps) == (row["objective"], "5")
        assert (loss, psnr, lfd) == (f"{row['loss']:.3g}", f"{row['psnr']:.4f}", f"{row['lfd']:.4f}")
    assert lines[6] == f"images, figure.png, curves and report.json are in {folder}"


def test_every_objective_can_be_asked_for(rebuild_and_draw, folder):
    every = list(objectives())
    status, out, err = rebuild_and_draw(objective=["--objective", ",".join(every)])
    assert (status, err) == (0, "")
    assert [line.split()[0] for line in out.splitlines()[1:11]] == every
    assert names(folder) == {f"{name}.png" for name in every} | OTHERS


def test_the_help_names_every_objective(run, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    out = run("reconstruct", "--help")[1]
    listed = out[out.index("Of ffl") : out.index("separated by commas")]
    for name in objectives():
        assert name in listed


@pytest.mark.parametrize(
    "objective",
    [["--objective", "ffl,pixel"], ["--objective", "ffl", "--objective", "pixel"], ["--objective", " FFL , Pixel,ffl"]],
)
def test_objectives_can_be_given_several_ways(rebuild, folder, objective):
    assert rebuild(objective=objective)[0] == 0
    assert [row["objective"] for row in report_of(folder)["objectives"]] == ["ffl", "pixel"]


def test_an_animation_has_more_than_one_frame_and_ends_with_the_result(rebuild, folder):
    assert rebuild("--animate", objective=["--objective", "ffl,pixel"])[0] == 0
    assert names(folder) == {"ffl.png", "pixel.png", "ffl.gif", "pixel.gif"} | OTHERS
    for name in ("ffl", "pixel"):
        with Image.open(folder / f"{name}.gif") as film:
            assert film.n_frames == 4
            film.seek(3)
            last = np.asarray(film.convert("RGB")).astype(int)
        # 256 colours for 192 pixels: hardly any of them is another
        assert np.abs(last - pixels_of(folder / f"{name}.png")).max() <= 8


def contents(folder, *, without=("report.json", "curves.csv")):
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.name not in without}


def test_the_same_seed_gives_the_same_files_over_those_of_another_seed(rebuild_and_draw, tmp_path):
    found = []
    for folder, seed in ((tmp_path / "a", 3), (tmp_path / "b", 4), (tmp_path / "b", 3)):
        assert rebuild_and_draw("--animate", "--seed", seed, folder=folder)[0] == 0
        found.append((contents(folder), [{**row, "seconds": ""} for row in rows_of(folder)]))
    (one, curve), (other, others_curve), again = found
    assert again == (one, curve)
    assert curve != others_curve
    assert {name for name in one if one[name] != other[name]} == {"ffl.png", "ffl.gif", "figure.png", "curves.png"}


def test_the_largest_seed_works(rebuild):
    assert rebuild("--seed", 2**63 - 1)[0] == 0


def test_the_seed_is_0_unless_told(rebuild, tmp_path):
    rebuild(folder=tmp_path / "a")
    rebuild("--seed", 0, folder=tmp_path / "b")
    assert contents(tmp_path / "a") == contents(tmp_path / "b")


# what is rebuilt, and from what


@pytest.mark.parametrize("size", [(8, 8), (9, 13), (8, 31)])
def test_small_odd_and_oblong_images(tmp_path, save, rebuild, folder, size):
    path = save(tmp_path / "x.png", size=size)
    assert rebuild("--size", 64, image=path)[0] == 0
    np.testing.assert_array_equal(pixels_of(folder / "original.png"), pixels_of(path))
    assert pixels_of(folder / "ffl.png").shape == (*size, 3)


@pytest.mark.parametrize(("mode", "kept"), [("L", "L"), ("RGBA", "RGB"), ("P", "RGB")])
def test_grey_stays_grey_and_others_become_colour(tmp_path, save, rebuild, folder, mode, kept):
    path = save(tmp_path / "x.png", size=(24, 32), mode=mode)
    assert rebuild(image=path)[0] == 0
    np.testing.assert_array_equal(pixels_of(folder / "original.png"), lanczos(path, (12, 16), kept))
    assert report_of(folder)["image"]["channels"] == len(kept)


def test_16_bits_are_rebuilt_in_full_and_written_in_8(tmp_path, rebuild, folder):
    levels = np.arange(30000, 30000 + 12 * 16, dtype=np.uint16).reshape(12, 16)
    Image.fromarray(levels).save(tmp_path / "x.png")
    assert rebuild("--optimizer", "sgd", image=tmp_path / "x.png", objective=["--objective", "pixel"])[0] == 0
    np.testing.assert_array_equal(pixels_of(folder / "original.png"), np.rint(levels / 257).astype(np.uint8))
    (row,) = report_of(folder)["objectives"]
    assert row["psnr"] is None or row["psnr"] > 100, "8 bits would end at 55 dB"


@pytest.mark.usefixtures("without_drawing")
def test_size_is_256_unless_told_and_nothing_is_enlarged(tmp_path, save, run):
    for size, expected in (((257, 20), (256, 20)), ((20, 30), (20, 30))):
        path = save(tmp_path / "x.png", size=size)
        run("reconstruct", path, "-o", tmp_path / "y", "--steps", 1, "--objective", "pixel")
        assert pixels_of(tmp_path / "y" / "original.png").shape[:2] == expected


def first_loss(folder):
    """Return the loss of the start, under "pixel" the mean squared error of it."""
    return float(rows_of(folder)[0]["loss"])


PIXEL = ["--objective", "pixel"]


def test_a_grey_start(rebuild, folder, image):
    assert rebuild("--init", "grey", objective=PIXEL)[0] == 0
    assert first_loss(folder) == pytest.approx(np.square(lanczos(image, (12, 16)) / 255 - 0.5).mean(), rel=1e-5)


@pytest.mark.parametrize(("mode", "other"), [("RGB", "RGB"), ("L", "RGB"), ("RGB", "L"), ("L", "L")])
def test_an_image_of_another_size_and_form_as_a_start(tmp_path, save, rebuild, folder, mode, other):
    path, init = save(tmp_path / "x.png", size=(24, 32), mode=mode), save(tmp_path / "i.png", size=(9, 20), mode=other)
    assert rebuild("--init", init, image=path, objective=PIXEL)[0] == 0
    common = "L" if mode == other == "L" else "RGB"
    target, start = (lanczos(file, (12, 16)) for file in (path, init))
    target, start = (np.asarray(Image.fromarray(pixels).convert(common)) / 255 for pixels in (target, start))
    assert first_loss(folder) == pytest.approx(np.square(target - start).mean(), rel=1e-5)
    assert report_of(folder)["settings"]["init"] == str(init)


def test_from_the_image_itself_there_is_no_loss_and_psnr_is_infinite(rebuild, folder, image):
    status, out, _ = rebuild("--init", image, "--size", 64, objective=["--objective", "pixel,ffl-dct"])
    assert status == 0
    assert out.splitlines()[1].split()[3:] == ["0", "inf", "0.0000"]
    assert [row["psnr"] for row in report_of(folder)["objectives"]] == [None, None]
    assert {row["psnr"] for row in rows_of(folder)} == {"inf"}


# how


def test_plain_descent_rebuilds_at_once_under_pixel(rebuild, folder):
    assert rebuild("--optimizer", "sgd", objective=PIXEL)[0] == 0
    assert float(rows_of(folder)[1]["psnr"]) > 100
    assert report_of(folder)["settings"]["optimizer"] == "sgd"


def test_lr_alpha_and_the_start_reach_the_report_and_the_descent(rebuild, folder):
    assert rebuild("--optimizer", "sgd", "--lr", 0.5, "--alpha", 0)[0] == 0
    settings = report_of(folder)["settings"]
    assert (settings["lr"], settings["alpha"]) == (0.5, 0)
    losses = [float(row["loss"]) for row in rows_of(folder)]
    assert losses == pytest.approx([losses[0] / 4**number for number in range(4)]), "alpha 0 is the squared error"


@pytest.mark.usefixtures("without_drawing")
def test_seconds_stop_each_objective(image, folder, run):
    options = ["--objective", "ffl,pixel", "--steps", 10**9, "--seconds", 0.05, "--size", 16]
    assert run("reconstruct", image, "-o", folder, *options)[0] == 0
    report = report_of(folder)
    assert report["settings"]["seconds"] == 0.05
    for row in report["objectives"]:
        assert 0.05 <= row["seconds"] < 30
        assert row["steps"] < 10**9


def test_a_pipe_shows_no_progress_quiet_or_not(rebuild):
    loud, quiet = rebuild()[1:], rebuild("--quiet")[1:]
    assert loud[1] == quiet[1] == ""
    assert "\r" not in loud[0] + quiet[0]
    assert "\x1b" not in loud[0] + quiet[0]


def test_a_terminal_shows_progress_unless_quiet(rebuild, monkeypatch):
    shown = []
    for options in ([], ["--quiet"]):
        with monkeypatch.context() as patch:
            patch.setattr("sys.stderr.isatty", lambda: True)
            patch.setenv("TERM", "xterm")
            status, _, err = rebuild(*options)
        assert status == 0
        shown.append(err)
    assert "ffl" in shown[0]
    assert shown[1] == ""


# swapping


@pytest.fixture
def swap(tmp_path, save, image, folder, run):
    usual = save(tmp_path / "other.png", size=(12, 16))

    def swap(*options, other=usual):
        return run("reconstruct", image, "-o", folder, "--swap", other, "--size", 16, *options)

    return swap


SWAPPED = {"original", "other", "phase-only", "amplitude-only", "amplitude-of-other", "phase-of-other", "figure"}


def test_swap_writes_its_files_and_a_figure(swap, tmp_path, image, folder):
    status, out, err = swap()
    assert (status, err) == (0, "")
    assert names(folder) == {f"{name}.png" for name in SWAPPED}
    assert out.startswith("wrote original.png, other.png, ")
    assert out.endswith(f" to {folder}\n")
    original, other = pixels_of(folder / "original.png"), pixels_of(folder / "other.png")
    np.testing.assert_array_equal(original, lanczos(image, (12, 16)))
    np.testing.assert_array_equal(other, pixels_of(tmp_path / "other.png"))

    spectra = [np.fft.fft2(pixels.astype(float), axes=(0, 1)) for pixels in (original, other)]
    mixed = np.fft.ifft2(np.abs(spectra[1]) * np.exp(1j * np.angle(spectra[0])), axes=(0, 1)).real
    found = pixels_of(folder / "amplitude-of-other.png").astype(float)
    assert np.abs(found - mixed.clip(0, 255)).max() < 0.51, "rounding to a level and no more"
    assert min(pixels_of(folder / "figure.png").shape[:2]) > 300


def test_swap_twice_gives_the_same_files(swap, folder):
    swap()
    before = contents(folder)
    assert swap()[0] == 0
    assert contents(folder) == before


def test_swapping_images_of_two_sizes_is_an_error_that_names_both(swap, tmp_path, image, folder, save):
    other = save(tmp_path / "square.png", size=(20, 20))
    line = error_of(swap(other=other))
    expected = f"{image} is 12x16 but {other} is 16x16 (height x width, after --size); one size is wanted"
    assert line == f"ffltool: {expected}\n"
    assert not folder.exists()


def test_swapping_with_a_missing_image_is_one_line(swap, tmp_path, folder):
    assert f"{tmp_path / 'no.png'} does not exist" in error_of(swap(other=tmp_path / "no.png"))
    assert not folder.exists()


def test_swap_protects_somebody_elses_files_too(swap, folder):
    folder.mkdir()
    (folder / "phase-only.png").write_text("mine")
    assert "phase-only.png exists and is no earlier output" in error_of(swap())
    assert names(folder) == {"phase-only.png"}
    assert swap("--force")[0] == 0


# the folder


@pytest.mark.parametrize("name", ["original.png", "ffl.png", "curves.csv", "report.json"])
def test_somebody_elses_file_stops_it_before_anything_is_written(rebuild, folder, name):
    folder.mkdir()
    (folder / name).write_text("mine")
    line = error_of(rebuild())
    assert line == f"ffltool: {folder / name} exists and is no earlier output of this kind; --force overwrites it\n"
    assert names(folder) == {name}
    assert (folder / name).read_text() == "mine"


def test_force_overwrites_somebody_elses_file_and_leaves_what_is_not_in_the_way(rebuild, folder):
    folder.mkdir()
    for name in ("ffl.png", "phase.png", "notes.txt"):
        (folder / name).write_text("mine")
    assert rebuild("--force")[0] == 0
    assert names(folder) == {"ffl.png", "phase.png", "notes.txt"} | OTHERS
    assert (folder / "phase.png").read_text() == (folder / "notes.txt").read_text() == "mine"
    assert pixels_of(folder / "ffl.png").shape == (12, 16, 3)


def test_a_file_in_place_of_the_folder_is_one_line(rebuild, folder):
    folder.write_text("mine")
    assert error_of(rebuild("--force")) == f"ffltool: {folder} cannot be written to: it is no folder\n"
    assert folder.read_text() == "mine"


def test_a_missing_parent_is_one_line(rebuild, tmp_path):
    line = error_of(rebuild(folder=tmp_path / "no" / "x"))
    assert (
        line
        == f"ffltool: {tmp_path / 'no' / 'x'} cannot be made: {tmp_path / 'no'} is no folder that can be written to\n"
    )
    assert not (tmp_path / "no").exists()


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_folder_or_parent_is_one_line(rebuild, tmp_path):
    (tmp_path / "closed").mkdir(mode=0o500)
    assert "cannot be written: permission denied" in error_of(rebuild(folder=tmp_path / "closed"))
    assert "is no folder that can be written to" in error_of(rebuild(folder=tmp_path / "closed" / "x"))
    assert names(tmp_path / "closed") == set()


# errors leave no folder behind


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--steps", 0], "steps must be above 0"),
        (["--steps", -3], "got -3"),
        (["--seconds", 0], "seconds must be above 0"),
        (["--seconds", "nan"], "seconds must be above 0"),
        (["--lr", 0], "lr must be above 0"),
        (["--lr", -0.1], "got -0.1"),
        (["--lr", 1e300], "got 1e+300"),
        (["--alpha", -1], "--alpha"),
        (["--alpha", "nan"], "alpha must be 0 or more, got nan"),
        (["--size", 7], "--size"),
        (["--seed", -1], "--seed"),
        (["--seed", 2**64], "--seed"),
        (["--optimizer", "newton"], "--optimizer"),
        (["--objective", "mse"], "there is no objective 'mse'; known are ffl, frequency, amplitude, phase"),
        (["--objective", "ffl,,pixel"], "there is no objective ''"),
        (["--device", "tpu"], "there is no device 'tpu'; known are auto, cuda, mps, cpu"),
        (["--device", "cuda:99"], "device cuda:99 is not there"),
        (["--init", "nothing.png"], "nothing.png does not exist"),
        (["--init", "."], ". is no file with an image in it"),
        (["--optimizer", "sgd", "--lr", 1e9, "--steps", 50], "a smaller lr may help"),
        (["--nonsense"], "--nonsense"),
    ],
    ids=lambda value: " ".join(map(str, value)) if isinstance(value, list) else "",
)
def test_what_cannot_be_is_one_line_and_no_folder(rebuild, folder, options, message):
    assert message in error_of(rebuild(*options))
    assert not folder.exists()


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is one")
@pytest.mark.parametrize("device", ["cuda", "cuda:0"])
def test_cuda_where_there_is_none_is_one_line(rebuild, folder, device):
    assert error_of(rebuild("--device", device)) == f"ffltool: device {device} is not there\n"
    assert not folder.exists()


def test_the_processor_can_be_asked_for(rebuild, folder):
    assert rebuild("--device", "cpu")[0] == 0
    assert report_of(folder)["settings"]["device"] == "cpu"


def test_the_output_must_be_named(image, run):
    assert "--output" in error_of(run("reconstruct", image))


def test_a_missing_a_broken_and_a_tiny_image_are_one_line(tmp_path, save, rebuild, folder):
    assert f"{tmp_path / 'no.png'} does not exist" in error_of(rebuild(image=tmp_path / "no.png"))
    broken = save(tmp_path / "broken.png")
    broken.write_bytes(broken.read_bytes()[:60])
    assert f"{broken} is broken" in error_of(rebuild(image=broken))
    for size in ((1, 1), (20, 7)):
        line = error_of(rebuild("--size", 64, image=save(tmp_path / "tiny.png", size=size)))
        assert line.endswith(f"is {size[0]}x{size[1]} after --size 64; at least 8x8 is wanted\n")
    assert not folder.exists()


def test_an_interrupt_leaves_no_folder_behind(rebuild, folder, monkeypatch):
    steps = []

    def interrupted(optimizer):
        steps.append(optimizer)
        if len(steps) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(torch.optim.Adam, "step", interrupted)
    status, out, err = rebuild()
    assert (status, out, err.strip()) == (130, "", "")
    assert len(steps) == 2
    assert not folder.exists()


def test_a_loss_that_is_0_at_every_step_can_be_drawn_without_a_warning(tmp_path, save, rebuild_and_draw):
    # a constant has one phase, that of its mean, and noise has the same
    path = save(tmp_path / "x.png", pixels=np.full((16, 16), 90, np.uint8), mode="L")
    status, _, err = rebuild_and_draw(image=path, objective=["--objective", "phase"])
    assert (status, err) == (0, "")


def test_a_dropped_alpha_channel_is_said(tmp_path, save, rebuild):
    path = save(tmp_path / "x.png", mode="RGBA")
    assert rebuild(image=path)[2] == "ffltool: warning: the alpha channel of 1 image was dropped\n"


def test_a_link_to_nothing_is_no_folder(tmp_path, image, run):
    (tmp_path / "link").symlink_to(tmp_path / "nothing")
    assert "it is no folder" in error_of(run("reconstruct", image, "-o", tmp_path / "link"))


def test_swap_checks_the_other_options_too(tmp_path, image, run):
    line = error_of(run("reconstruct", image, "--swap", image, "-o", tmp_path / "new", "--steps", 0))
    assert "steps must be above 0" in line
    assert not (tmp_path / "new").exists()


def test_a_disk_that_gets_full_leaves_no_new_folder(folder, rebuild, monkeypatch):
    write = outputs.write

    def full(path, content):
        if path.name == "curves.csv":
            raise InputError(f"{path} cannot be written: No space left on device")
        write(path, content)

    monkeypatch.setattr(outputs, "write", full)
    assert "No space left" in error_of(rebuild())
    assert not folder.exists()
