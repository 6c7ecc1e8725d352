import math
import re

import numpy as np
import pytest
import torch
from PIL import Image

from ffltool import InputError, LabelMaps, Reading, ShapeError, assert_images, compare, evaluate_pairs
from ffltool.memory import pair_in_memory
from ffltool.metrics import METRICS

OF_IMAGES = [metric.name for metric in METRICS.values() if metric.of != "labels" and not metric.learned]


@pytest.fixture
def images(rng):
    """Three real images in colour, and spoilt ones."""
    real = rng.integers(20, 230, (3, 24, 32, 3)).astype(np.uint8)
    return real, (real + rng.integers(-20, 20, real.shape)).astype(np.uint8)


def values(report):
    return {score.metric: score.value for score in report.scores}


def test_arrays_tensors_and_files_of_the_same_pixels_have_the_same_scores(images, save, tmp_path):
    for name, side in zip(("real", "fake"), images, strict=True):
        for place, pixels in enumerate(side):
            save(tmp_path / name / f"{place}.png", pixels=pixels)
    expected = compare(tmp_path / "real", tmp_path / "fake", metrics=OF_IMAGES, bands=3)
    found = compare(*images, metrics=OF_IMAGES, bands=3)
    assert (values(found), found.bands) == (values(expected), expected.bands)
    assert [pair.values for pair in found.pairs] == [pair.values for pair in expected.pairs]
    assert [pair.real for pair in found.pairs] == ["0", "1", "2"]
    tensors = [torch.from_numpy(side).permute(0, 3, 1, 2) for side in images]
    assert values(compare(*tensors, metrics=OF_IMAGES)) == values(expected)
    floats = compare(*(tensor.double() / 255 for tensor in tensors), metrics=OF_IMAGES)
    # mean spectra of 8-bit images are taken in float32
    assert values(floats) == pytest.approx(values(expected), rel=1e-5)
    assert values(floats)["psnr"] == pytest.approx(values(expected)["psnr"], rel=1e-12)
    assert values(compare(str(tmp_path / "real"), str(tmp_path / "fake"))).keys() == {"psnr", "ssim", "lfd"}


def test_floating_point_is_not_rounded():
    real = torch.full((1, 1, 16, 16), 0.5, dtype=torch.float64)
    (score,) = compare(real, real + 1e-6, metrics=["psnr"]).scores
    assert score.value == pytest.approx(120, abs=1e-6)
    assert compare(real, real, metrics=["psnr"]).scores[0].value == math.inf


def test_floating_point_stays_on_its_scale_where_it_is_resized(rng):
    real = rng.random((16, 24, 3))
    half = np.asarray([[0.5]]).repeat(20, 0).repeat(20, 1)
    both = compare(half, half[:16, :16], metrics=["mse"], reading=Reading(fit="resize"))
    assert both.scores[0].value == pytest.approx(0, abs=1e-8)  # Pillow's filter computes in float32
    larger = real.repeat(2, 0).repeat(2, 1)
    floats = compare(real, larger, metrics=["psnr"], reading=Reading(fit="resize"))
    whole = compare(*((65535 * side).astype(np.uint16) for side in (real, larger)), reading=Reading(fit="resize"))
    # 16-bit pixels are rounded, before and after
    assert floats.scores[0].value == pytest.approx(values(whole)["psnr"], abs=1e-3)


def test_grey_goes_with_colour_and_8_bits_with_floating_point(images):
    real, _ = images
    grey = real[..., :1]
    assert compare(grey, np.repeat(grey, 3, axis=-1), metrics=["mse"]).scores[0].value == 0
    for other in (grey / 255, grey.astype(np.uint16) * 257):
        assert compare(np.repeat(grey, 3, axis=-1), other, metrics=["mse"]).scores[0].value == pytest.approx(0)


def test_sets_need_no_pairs(images):
    real, fake = images
    report = compare(real, fake[:2], metrics=["lsd"])
    assert (report.real.images, report.fake.images, report.pairs) == (3, 2, ())


@pytest.mark.parametrize("bands", [0, -1, 1.5, "8", True, 4097, 10**9])
def test_bands_are_a_number_that_makes_sense(images, bands):
    with pytest.raises(InputError, match=r"^bands must be a number from 1 to 4096, but is "):
        compare(*images, bands=bands)


def test_one_metric_may_be_named_alone(images):
    assert values(compare(*images, metrics="psnr")) == values(compare(*images, metrics=["psnr"]))


def test_sizes_of_a_pair_must_be_the_same(images):
    with pytest.raises(InputError, match="real/0 is 24x32 but fake/0 is 24x30"):
        compare(images[0], images[1][:, :, :30])


def test_label_maps_in_memory_are_those_in_files(label_folders):
    gt, pred = label_folders()
    reading = LabelMaps(classes=4)
    expected = compare(gt, pred, metrics=["miou", "pixel_accuracy"], reading=reading)
    maps = [np.stack([np.asarray(Image.open(path)) for path in sorted(side.iterdir())]) for side in (gt, pred)]
    found = compare(*maps, metrics=["miou", "pixel_accuracy"], reading=reading)
    assert (values(found), found.classes) == (values(expected), expected.classes)


@pytest.mark.parametrize("shape", [(4, 16), (8, 9), (1, 1)])
def test_label_maps_of_a_pair_have_one_shape(shape):
    with pytest.raises(ShapeError, match=rf"pair 0 have \(8, 8\) but {re.escape(str(shape))}"):
        compare(np.zeros((8, 8), int), np.zeros(shape, int), metrics="miou", reading=LabelMaps())


def test_a_map_of_the_error_of_images_in_memory(images):
    report = evaluate_pairs(pair_in_memory(*images), "lfd", bands=np.int64(2), error_map=True)
    assert report.error_map.mean() == pytest.approx(compare(*images, metrics="mse").scores[0].value)
    with pytest.raises(InputError, match="an error map comes with bands"):
        evaluate_pairs(pair_in_memory(*images), ["lfd"], error_map=True)
    sizes = [np.zeros((6, 7)), np.zeros((7, 7))]
    with pytest.raises(InputError, match="real/1 is 7x7 but real/0 6x7; one size is wanted"):
        evaluate_pairs(pair_in_memory(sizes, sizes), "lfd", bands=2, error_map=True)


def test_a_path_and_an_array_do_not_go_together(images, tmp_path):
    with pytest.raises(InputError, match="one side is a path and the other is in memory"):
        compare(tmp_path, images[0])


def test_images_within_limits_are_returned_with_their_verdicts(images):
    report = assert_images(*images, psnr=">=20", ssim=["p05 >= 0.1", "<= 1"], lsd="<=3")
    assert [(verdict.limit, verdict.state) for verdict in report.verdicts] == [
        ("psnr mean >= 20 dB", "pass"),
        ("ssim p05 >= 0.1", "pass"),
        ("ssim mean <= 1", "pass"),
        ("lsd <= 3 dB", "pass"),
    ]


def test_no_limit_is_an_error_that_says_how_one_is_given(images):
    with pytest.raises(InputError, match='there is no limit; give one as psnr=">=30"'):
        assert_images(*images)


def test_images_beyond_a_limit_raise_the_table(images):
    with pytest.raises(AssertionError) as caught:
        assert_images(*images, lfd="<=99", psnr=">=60")
    first, empty, fail, passed = str(caught.value).splitlines()
    assert (first, empty) == ("1 of 2 limits failed: 3 pairs", "")
    assert fail.startswith("fail  psnr mean >= 60 dB  ")
    assert passed.startswith("pass  lfd mean <= 99 nat  it is ")
    assert caught.traceback[-1].ishidden(caught), "pytest shows the line of the test, not ours"


def test_bands_and_parts_have_names_too(images):
    limits = {"band.corner.gain_db": "<=9", "band.2.share": ">=0", "gain[0-0.125]": ">=-9", "gain": "<=9"}
    report = assert_images(*images, **limits)
    assert len(report.verdicts) == 2 + 5, "one part of gain by itself, in place of that of all"
    with pytest.raises(InputError, match="two sets of image files"):
        assert_images(*images, **{"peaks.max_z": "<=5"})


@pytest.mark.parametrize("limit", ["30", ">30", ">= thirty", "mode >= 3", "", ">= nan", 30, [30]])
def test_a_limit_is_a_text_of_one_form(images, limit):
    with pytest.raises(InputError, match=r"assert_images: psnr(: min)? must be a"):
        assert_images(*images, psnr=limit)


@pytest.mark.parametrize("name", ["pnsr", "psnr.x", "band.x.y", "band", "peaks.x", "set", "real_"])
def test_an_unknown_metric_is_an_error(images, name):
    with pytest.raises(InputError, match="assert_images: "):
        assert_images(*images, **{name: ">=3"})


def test_the_public_names_stay_functions():
    import ffltool.comparing

    # a module of the name of a function would stand in its place once it is imported
    assert callable(ffltool.compare)
    assert callable(ffltool.assert_images)


def test_images_in_memory_are_looked_at_by_networks(images, means):
    report = compare(*images, metrics=["fid", "psnr"], looking=means.looking)
    assert values(report).keys() == {"fid", "psnr"}
    with pytest.raises(AssertionError, match="fid <= 0"):
        assert_images(*images, fid="<=0", looking=means.looking)
