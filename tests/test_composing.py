"""Pages of reports and their images: of every kind of files, and small whatever their number."""

import base64
import io
import re
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from ffltool import composing, evaluate_pairs, figures, pair, sample
from ffltool.images import Reading
from ffltool.label_maps import LabelMaps

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture
def undrawn(monkeypatch):
    """Leave the figures unencoded, which takes most of the time."""
    monkeypatch.setattr(figures, "on_light_and_dark", lambda figure: iter([("image/png", b"")] * 2))


def page(real, fake=None, metrics=("psnr", "lfd"), *, reading=None, skip_broken=False, **how):
    reading = reading or Reading()
    pairing = pair(real, fake, **how)
    report = evaluate_pairs(pairing, metrics, reading=reading, skip_broken=skip_broken, workers=1)
    return composing.page_of(report, pairing, reading, workers=1)


def labels_of(html):
    return re.findall(r"<figure><img .*?<figcaption>(.*?)</figcaption>", html)


def ids(html):
    return set(re.findall('id="(.+?)"', html))


def pictures(html):
    for content in re.findall(r'<figure><img [^>]*src="data:image/png;base64,([^"]+)"', html):
        yield Image.open(io.BytesIO(base64.b64decode(content)))


SIX = ["real", "fake", "difference × 1", "spectrum", "spectrum", "spectrum"]


@pytest.mark.parametrize(
    ("size", "mode"),
    [((12, 16), "RGB"), ((9, 9), "L"), ((12, 16), "I;16"), ((30, 1), "RGB"), ((1, 16), "L"), ((1, 1), "I;16")],
    ids=str,
)
def test_pairs_of_any_size_and_depth_have_a_page(tmp_path, rng, size, mode):
    for side in ("real", "fake"):
        for number in range(2):
            pixels = rng.integers(0, 65536 if mode == "I;16" else 256, size, dtype=np.uint16)
            (tmp_path / side).mkdir(exist_ok=True)
            image = Image.fromarray(pixels if mode == "I;16" else pixels.astype(np.uint8))
            (image if mode == "I;16" else image.convert(mode)).save(tmp_path / side / f"{number}.png")
    html = page(tmp_path / "real", tmp_path / "fake")
    shown = [label.split(",")[0].split(" × ")[0] for label in labels_of(html)]
    assert shown == ["real", "fake", "difference", "spectrum", "spectrum", "spectrum"] * 2
    assert {image.size for image in pictures(html)} == {size[::-1]}
    assert ("Mean spectrum, real" in html) == (min(size) >= 9)


@pytest.mark.usefixtures("undrawn")
def test_sizes_may_be_mixed(folders, save):
    real, fake = folders()
    for side in (real, fake):
        save(side / "d.png", size=(30, 11))
    html = page(real, fake)
    assert "each cut about its centre to 12 × 11 pixels" in html
    assert {"height", "width"} <= set(re.findall(r'class="n">(\w+)</th>', html))


@pytest.mark.usefixtures("undrawn")
def test_two_files_are_one_pair_and_have_no_distribution(folders):
    real, fake = folders()
    html = page(real / "a.png", fake / "b.png")
    assert [label.split(",")[0] for label in labels_of(html)] == SIX
    assert "distributions" not in ids(html)
    assert re.findall("<h4>(.*?) <span.*> (.*?)</h4>", html) == [("a.png", "b.png")]


@pytest.mark.usefixtures("undrawn")
def test_halves_of_one_file_are_shown_side_by_side(tmp_path, save):
    save(tmp_path / "real" / "a.png", size=(12, 32))
    html = page(tmp_path / "real", side_by_side=True)
    whole = Image.open(tmp_path / "real" / "a.png")
    left, right, *_ = pictures(html)
    assert left.convert("RGB").tobytes() == whole.crop((0, 0, 16, 12)).tobytes()
    assert right.convert("RGB").tobytes() == whole.crop((16, 0, 32, 12)).tobytes()


@pytest.mark.usefixtures("undrawn")
def test_sets_without_pairs_show_some_of_their_images(folders):
    real, fake = folders([f"{number}.png" for number in range(8)], ["x.png", "y.png"])
    html = page(real, fake, ["lsd", "gain"], by="none")
    assert labels_of(html) == [*(f"real {number}" for number in range(1, 7)), "fake 1", "fake 2"]
    assert "all 8 real and all 2 fake images" in html
    assert not {"pairs", "all"} & ids(html)


@pytest.mark.usefixtures("undrawn")
def test_label_maps_are_shown_in_colours_with_what_is_wrong(label_folders):
    html = page(*label_folders(), ["miou"], reading=LabelMaps())
    assert labels_of(html) == ["real", "fake", "wrong"] * 3
    assert "h-classes" in ids(html)
    assert "spectra" not in ids(html)


@pytest.mark.usefixtures("undrawn")
def test_broken_images_are_left_out_of_pages_too(folders):
    real, fake = folders([f"{number}.png" for number in range(4)])
    (real / "1.png").write_bytes(b"")
    html = page(real, fake, skip_broken=True)
    assert "all 3 real and all 3 fake images" in html
    assert "1 pair with a broken image was left out: 1.png" in html


@pytest.mark.usefixtures("undrawn")
@pytest.mark.parametrize("fit", ["crop", "resize"])
def test_images_that_are_brought_to_one_size_are_shown_so(tmp_path, save, fit):
    for side, size in (("real", (20, 24)), ("fake", (12, 30))):
        save(tmp_path / side / "a.png", size=size)
    html = page(tmp_path / "real", tmp_path / "fake", reading=Reading(fit=fit))
    assert {image.size for image in pictures(html)} == {(24, 12) if fit == "crop" else (24, 20)}


@pytest.mark.usefixtures("undrawn")
def test_equal_images_have_no_difference_and_infinite_values(folders):
    real, _ = folders()
    html = page(real, real)
    assert "no difference" in html
    assert "infinite for 3 of 3" in html
    assert not re.search(r">(nan|−∞)", html)


@pytest.mark.usefixtures("undrawn")
def test_the_worst_are_shown_first_and_then_those_in_the_middle(tmp_path, rng):
    for side, noise in (("real", 0), ("fake", 1)):
        (tmp_path / side).mkdir()
        for number in range(20):
            pixels = np.full((8, 8), 100 + noise * number, np.uint8)
            Image.fromarray(pixels).save(tmp_path / side / f"{number}.png")
    names = re.findall(r"<h4>(\d+)\.png</h4>", page(tmp_path / "real", tmp_path / "fake"))
    assert names == ["19", "18", "17", "16", "15", "14", "11", "10", "9"]


@pytest.mark.usefixtures("undrawn")
def test_a_page_is_kept_small_by_fewer_and_smaller_pictures_and_then_rows(folders, monkeypatch):
    real, fake = folders([f"{number}.png" for number in range(12)], size=(160, 160))
    counts = []
    for budget in (8_000_000, 2_000_000, 400_000):
        monkeypatch.setattr(composing, "BUDGET", budget)
        html = page(real, fake)
        assert len(html.encode()) <= budget
        assert len(re.findall("<tr><th scope=row>", html)) == 12
        counts.append((len(labels_of(html)), max(image.width for image in pictures(html))))
    assert counts[0] == (9 * 6, 160)
    assert counts[0] > counts[1] > counts[2]


@pytest.mark.usefixtures("undrawn")
def test_rows_are_the_worst_where_there_are_too_many(folders, monkeypatch):
    real, fake = folders([f"{number}.png" for number in range(12)])
    monkeypatch.setattr(composing, "_FITS", ((1, 0, 64, 5),))
    html = page(real, fake)
    assert "The 5 worst of 12 pairs by psnr" in html
    assert len(re.findall("<tr><th scope=row>", html)) == 5


@pytest.mark.usefixtures("undrawn")
def test_a_large_set_is_sampled_and_the_page_says_so(folders, monkeypatch):
    real, fake = folders([f"{number}.png" for number in range(12)])
    whole = page(real, fake)
    assert "all 12 real and all 12 fake images" in whole
    assert "Of all 12 pairs." in whole
    monkeypatch.setattr(sample, "_MOST", 5)
    some = page(real, fake)
    assert "5 of 12 (drawn with seed 0) real and 5 of 12 (drawn with seed 0) fake images" in some
    assert "Of 5 of 12 (drawn with seed 0) pairs." in some
    assert without_time(some) == without_time(page(real, fake))


def without_time(html):
    return re.sub(r"[\d.]+ s for the scores", "", html)


@pytest.mark.usefixtures("undrawn")
def test_bands_of_the_report_come_before_those_of_a_sample(folders):
    real, fake = folders()
    pairing = pair(real, fake)
    report = evaluate_pairs(pairing, ["lfd"], bands=2, workers=1)
    html = composing.page_of(report, pairing, Reading(), workers=1)
    assert f"{report.bands[1].lfd:.4f}" in html
    assert ">0.25-0.5</th>" in html
    assert "Of all 3 pairs." not in html
    other = composing.page_of(replace(report, bands=()), pairing, Reading(), workers=1)
    assert ">0.4375-0.5</th>" in other
