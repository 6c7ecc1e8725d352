import inspect
from importlib import import_module

import numpy as np
import pytest
import torch

from ffltool.errors import InputError
from ffltool.label_maps import LabelMaps
from ffltool.metrics import METRICS, look_up, need_networks, need_pairs
from ffltool.metrics.sums import Sums


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
        assert metric.scores == (name,)


@pytest.mark.parametrize("name", ["lsd", "sde", "gain"])
def test_a_metric_of_mean_spectra_has_as_many_values_as_names_of_scores(name):
    metric = METRICS[name]
    sums = metric.module.state(12, 16)
    assert isinstance(sums, Sums)
    sums.update(torch.rand(2, 1, 12, 16))
    assert len(metric.module.of_sets(name, sums.compute(), sums.compute())) == len(metric.scores)


@pytest.mark.parametrize("name", [name for name, metric in METRICS.items() if metric.of == "labels"])
def test_a_metric_of_labels_has_one_value_of_a_confusion_matrix(name):
    maps = LabelMaps(classes=3)
    sums = METRICS[name].module.Confusion(maps)
    sums.update(np.array([0, 1]), np.array([0, 1]))
    assert METRICS[name].module.of_labels(name, sums.compute(), maps) == 1
    assert METRICS[name].scores == (name,)


def test_metrics_of_pairs_and_of_labels_need_pairs():
    needing = ["lfd", "mse", "psnr", "ssim", "lpips", "miou", "pixel_accuracy"]
    assert [name for name in METRICS if need_pairs([name])] == needing
    assert need_pairs(["lsd", "psnr"])


def test_learned_metrics_need_networks():
    assert [name for name in METRICS if need_networks([name])] == ["lpips", "fid", "kid", "is"]


def test_names_are_looked_up_in_order_once_and_in_any_case():
    assert [metric.name for metric in look_up(["ssim", "LFD", " ssim"])] == ["ssim", "lfd"]


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(InputError, match="no metric 'psrn'; known are lfd, mse, psnr, ssim"):
        look_up(["lfd", "psrn"])


def test_no_name_is_an_error():
    with pytest.raises(InputError, match="known are"):
        look_up([])
