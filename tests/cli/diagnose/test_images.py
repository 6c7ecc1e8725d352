"""Which images ``ffltool diagnose`` takes."""

import pytest

from tests.cli.common import error_of

pytestmark = pytest.mark.usefixtures("one_thread")


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
