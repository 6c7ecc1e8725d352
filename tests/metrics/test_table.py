import inspect
import re
from dataclasses import FrozenInstanceError
from importlib import import_module

import numpy as np
import pytest
import torch

from ffltool.errors import InputError
from ffltool.label_maps import LabelMaps
from ffltool.metrics import METRICS, REBUILT, Metric, look_up, need_networks, need_pairs
from ffltool.metrics.sums import Sums
from ffltool.radial import bands


@pytest.mark.parametrize("name", METRICS)
def test_a_metric_lives_where_the_table_says(name):
    metric = METRICS[name]
    module = import_module(f"ffltool.metrics.{metric.home or name}")
    if name == "is":  # a word of Python's, and of one set
        assert next(iter(inspect.signature(module.inception_score).parameters)) == "logits"
        return
    assert list(inspect.signature(getattr(module, name)).parameters)[:2] == ["real", "fake"]
    if metric.of == "pairs" and not metric.learned:
        assert metric.of_pair is module.of_pair
        assert metric.score_names == (name,)


@pytest.mark.parametrize("name", ["lsd", "sde", "gain"])
def test_a_metric_of_mean_spectra_has_as_many_values_as_names_of_scores(name):
    metric = METRICS[name]
    sums = metric.module.state(12, 16)
    assert isinstance(sums, Sums)
    sums.update(torch.rand(2, 1, 12, 16))
    assert len(metric.module.of_sets(name, sums.compute(), sums.compute())) == len(metric.score_names)


@pytest.mark.parametrize("name", [name for name, metric in METRICS.items() if metric.of == "labels"])
def test_a_metric_of_labels_has_one_value_of_a_confusion_matrix(name):
    maps = LabelMaps(classes=3)
    sums = METRICS[name].module.Confusion(maps)
    sums.update(np.array([0, 1]), np.array([0, 1]))
    assert METRICS[name].module.of_labels(name, sums.compute(), maps) == 1
    assert METRICS[name].score_names == (name,)


def test_metrics_of_pairs_and_of_labels_need_pairs():
    assert [name for name in METRICS if not need_pairs([name])] == ["lsd", "sde", "gain", "fid", "kid", "is"]
    assert need_pairs(["lsd", "psnr"])


def test_learned_metrics_need_networks():
    assert [name for name in METRICS if need_networks([name])] == ["lpips", "fid", "kid", "is"]


def test_rebuilt_images_are_judged_by_metrics_of_the_table():
    assert [metric.name for metric in look_up(REBUILT)] == list(REBUILT)


def test_names_are_looked_up_in_order_once_and_in_any_case():
    assert [metric.name for metric in look_up(["ssim", "LFD", " ssim"])] == ["ssim", "lfd"]


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(InputError, match="no metric 'psrn'; known are lfd, mse, psnr, ssim"):
        look_up(["lfd", "psrn"])


def test_no_name_is_an_error():
    with pytest.raises(InputError, match="no metric was asked for; known are lfd, mse, psnr, ssim"):
        look_up([])


def test_a_name_may_stand_alone():
    assert look_up("ssim") == look_up(["ssim"])


TABLE = """
lfd             lower   nat     log frequency distance                           -
mse             lower   level²  mean squared error                               -
psnr            higher  dB      peak signal-to-noise ratio                       -
ssim            higher  -       structural similarity                            numpy
lsd             lower   dB      log-spectral distance                            numpy,torch
sde             lower   -       spectral density error                           numpy,torch
gain            0       dB      power of the fake set over that of the real one  numpy,torch
lpips           lower   -       learned perceptual image patch similarity        numpy,torch,lpips
fid             lower   -       Frechet Inception distance                       numpy,torch
kid             lower   -       kernel Inception distance                        numpy,torch
is              higher  -       Inception score                                  numpy,torch
miou            higher  -       mean intersection over union                     numpy
pixel_accuracy  higher  -       share of pixels with the right label             numpy
"""


def test_results_say_of_each_metric_what_it_is():
    rows = [[each.name, each.better, each.unit, each.title, ",".join(each.libraries)] for each in METRICS.values()]
    expected = [re.split("  +", line.strip()) for line in TABLE.strip().splitlines()]
    assert [[cell or "-" for cell in row] for row in rows] == expected


def test_results_say_what_makes_them_comparable():
    spectral = {"scale": 255, "channels": "grey", "window": "hann"}
    assert {name: metric.settings for name, metric in METRICS.items() if metric.settings} == {
        "lfd": {"scale": 255},
        "mse": {"scale": 255},
        "psnr": {"peak": 255},
        "ssim": {"peak": 255, "window": "gaussian", "size": 11, "sigma": 1.5, "k1": 0.01, "k2": 0.03},
        **dict.fromkeys(("lsd", "sde", "gain"), spectral),
        "lpips": {"heads": "v0.1"},
    }


def test_the_scores_of_the_gain_are_named_after_their_bands():
    names = [band.name for band in bands(4)[1:]]
    assert METRICS["gain"].score_names == tuple(f"gain[{name}]" for name in names)


def test_a_row_is_frozen_and_says_what_each_value_is():
    with pytest.raises(FrozenInstanceError):
        METRICS["lfd"].unit = "dB"
    with pytest.raises(TypeError, match="positional"):
        Metric("name", "title", "unit", "lower")
