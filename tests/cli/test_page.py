"""``--html``: a page beside everything else that a command writes."""

import json

import pytest

from ffltool.page import MARK

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.mark.parametrize("command", [["lfd"], ["metrics", "-m", "psnr,lsd"]], ids=" ".join)
def test_a_page_changes_nothing_else(folders, run, tmp_path, command):
    real, fake = folders(size=(20, 24))
    page, other = tmp_path / "page.html", tmp_path / "report.json"
    plain = run(*command, real, fake)
    assert run(*command, real, fake, "--html", page, "--json", other) == plain
    assert MARK in page.read_text()[:4096]
    assert json.loads(other.read_text())["bands"] == []


def test_the_page_of_a_check_begins_with_its_verdicts(folders, run, tmp_path):
    page = tmp_path / "page.html"
    command = ["check", *folders(), "--min", "psnr=30", "--max", "lfd=99"]
    plain = run(*command)
    assert plain[0] == 1
    assert run(*command, "--html", page) == plain
    html = page.read_text()
    assert html.index(">1 fail</span>") < html.index(">1 pass</span>") < html.index('id="scores"')
    assert "psnr mean &gt;= 30" in html


def test_statistics_in_place_of_real_images_have_a_page_of_the_fake_ones(folders, run, tmp_path, means):
    real, fake = folders([f"{number}.png" for number in range(4)])
    own = ["-m", "fid", "--layer", "64", "--weights", f"inception={means.path}", "--device", "cpu"]
    assert run("metrics", real, fake, *own, "--save-stats", tmp_path / "real.npz")[0] == 0
    page = tmp_path / "page.html"
    status, _, err = run("metrics", tmp_path / "real.npz", fake, *own, "--html", page)
    assert (status, err) == (0, "")
    html = page.read_text()
    assert "Frechet Inception distance" in html
    assert "fake 4</figcaption>" in html
    assert "real 1</figcaption>" not in html
    assert 'id="spectra"' not in html


def test_a_page_shows_one_set(folders, run, tmp_path):
    real, fake = folders()
    limits = tmp_path / "limits.toml"
    sets = "".join(f'[set.{name}]\nreal = "{real}"\nfake = "{fake}"\n' for name in ("one", "other"))
    limits.write_text(f"[psnr]\nmin = 1\n{sets}")
    status, _, err = run("check", "-c", limits, "--html", tmp_path / "page.html")
    assert (status, err) == (2, "ffltool: --html shows one set, but there are 2; --set chooses one\n")
    assert run("check", "-c", limits, "--set", "one", "--html", tmp_path / "page.html")[0] == 0


def test_a_page_goes_to_standard_output(folders, run):
    status, out, err = run("lfd", *folders(), "--html", "-")
    assert (status, err) == (0, "")
    assert out.startswith("<!doctype html>")
    assert out.endswith("</html>\n")


def test_an_earlier_page_is_overwritten_and_nothing_else_is(folders, run, tmp_path):
    real, fake = folders()
    page = tmp_path / "page.html"
    page.write_text("<p>mine</p>")
    status, _, err = run("lfd", real, fake, "--html", page)
    assert (status, page.read_text()) == (2, "<p>mine</p>")
    assert "no earlier output of this kind" in err
    assert run("lfd", real, fake, "--html", page, "--force")[0] == 0
    assert run("lfd", real, fake, "--html", page)[0] == 0
    assert run("lfd", real, fake, "--html", tmp_path / "nowhere" / "page.html")[0] == 2
    assert run("lfd", real, fake, "--html", "-", "--json", "-")[0] == 2


def test_two_processes_write_one_page(folders, tmp_path, two_ranks):
    page = tmp_path / "page.html"
    sets = folders([f"{number}.png" for number in range(6)])
    assert two_ranks("-m", "ffltool", "lfd", *sets, "--html", page).returncode == 0
    assert "all 6 real and all 6 fake images" in page.read_text()
