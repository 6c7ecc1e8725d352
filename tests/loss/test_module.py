"""The module takes what the function takes, in the order of the package's."""

import inspect

import pytest
import torch
from focal_frequency_loss import FocalFrequencyLoss as Package

from ffltool.loss import FocalFrequencyLoss, focal_frequency_loss
from tests.loss.common import assert_all_near, graded, images

pytestmark = pytest.mark.usefixtures("one_thread")


def test_the_module_takes_the_arguments_of_the_package_in_its_order():
    ours, package = (list(inspect.signature(Loss).parameters.values()) for Loss in (FocalFrequencyLoss, Package))
    places = [(argument.name, argument.default, argument.kind) for argument in package]
    assert [(argument.name, argument.default, argument.kind) for argument in ours[: len(package)]] == places
    assert {argument.kind for argument in ours[len(package) :]} == {inspect.Parameter.KEYWORD_ONLY}

    pair, arguments = images(2, 3, 6, 8), (1.0, 2.0, 2, True, True, True)
    assert_all_near(graded(FocalFrequencyLoss(*arguments), *pair), graded(Package(*arguments), *pair))


OPTIONS = {
    "alpha": 2.0,
    "patch_factor": 2,
    "ave_spectrum": True,
    "log_matrix": True,
    "batch_matrix": True,
    "transform": "dct",
    "component": "amplitude",
    "reduction": "none",
    "exclude_dc": True,
}


@pytest.mark.parametrize(("name", "value"), OPTIONS.items())
def test_every_option_of_the_module_reaches_the_function(name, value):
    pair = images(2, 3, 6, 8)
    actual = FocalFrequencyLoss(10.0, **{name: value})(*pair)
    assert torch.equal(actual, 10.0 * focal_frequency_loss(*pair, **{name: value}))
    assert not torch.equal(actual, FocalFrequencyLoss(10.0)(*pair))


def test_padding_and_a_matrix_reach_the_function_from_the_module():
    pair, (matrix, _) = images(2, 3, 6, 7), images(2, 2, seed=2)
    expected = focal_frequency_loss(*pair, matrix, patch_factor=4, pad=True)
    assert torch.equal(FocalFrequencyLoss(patch_factor=4, pad=True)(*pair, matrix=matrix), expected)
    assert torch.equal(FocalFrequencyLoss(patch_factor=4, pad=True)(*pair, matrix), expected)


def test_the_module_has_the_options_and_defaults_of_the_function():
    module, function = (
        {argument.name: argument.default for argument in inspect.signature(thing).parameters.values()}
        for thing in (FocalFrequencyLoss, focal_frequency_loss)
    )
    del module["loss_weight"]
    assert module == {name: default for name, default in function.items() if name not in ("pred", "target", "matrix")}
    assert module.keys() == {*OPTIONS, "pad"}


def test_the_module_has_nothing_to_learn_or_to_save():
    assert not list(FocalFrequencyLoss().parameters())
    assert not FocalFrequencyLoss().state_dict()
