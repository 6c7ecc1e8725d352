"""What ``ffltool reconstruct`` writes and prints, and that the same seed gives the same."""

import io
from contextlib import redirect_stderr, redirect_stdout

import numpy as np
import pytest
from PIL import Image

from ffltool.cli import main
from ffltool.reconstruct import objectives
from tests.cli.common import pixels_of
from tests.cli.reconstruct.common import FIGURES, OTHERS, contents, lanczos, names, report_of, rows_of

pytestmark = pytest.mark.usefixtures("one_thread")

DEFAULTS = ["amplitude", "phase", "frequency", "ffl"]


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


def test_a_loss_that_is_0_at_every_step_can_be_drawn_without_a_warning(tmp_path, save, rebuild_and_draw):
    # a constant has one phase, that of its mean, and noise has the same
    path = save(tmp_path / "x.png", pixels=np.full((16, 16), 90, np.uint8), mode="L")
    status, _, err = rebuild_and_draw(image=path, objective=["--objective", "phase"])
    assert (status, err) == (0, "")


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
