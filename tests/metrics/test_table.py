import inspect
from importlib import import_module

import pytest

from ffltool.errors import InputError
from ffltool.metrics import METRICS, look_up


@pytest.mark.parametrize("name", METRICS)
def test_a_metric_lives_in_the_module_of_its_name(name):
    module = import_module(f"ffltool.metrics.{name}")
    assert list(inspect.signature(getattr(module, name)).parameters)[:2] == ["real", "fake"]
    assert METRICS[name].of_pair is module.of_pair


def test_names_are_looked_up_in_order_once_and_in_any_case():
    assert [metric.name for metric in look_up(["ssim", "LFD", " ssim"])] == ["ssim", "lfd"]


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(InputError, match="no metric 'psrn'; known are lfd, mse, psnr, ssim"):
        look_up(["lfd", "psrn"])


def test_no_name_is_an_error():
    with pytest.raises(InputError, match="known are"):
        look_up([])
