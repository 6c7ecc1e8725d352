from dataclasses import replace

import pytest
import torch

from ffltool.errors import FfltoolError, InputError
from ffltool.loss import focal_frequency_loss, spectral_regularization
from ffltool.models import Rebuilt
from ffltool.objective import VARIANTS, Objective, canonical, critic_loss, variant


@pytest.fixture
def pair():
    generator = torch.Generator().manual_seed(1)
    fake, target = (torch.rand(4, 3, 16, 16, generator=generator) * 2 - 1 for _ in range(2))
    return Rebuilt(fake, torch.tensor([0.0, 768.0, 768.0, 1536.0])), target


def test_every_term_is_what_its_formula_says(pair):
    rebuilt, target = pair
    terms = Objective(ffl_weight=2, kl_weight=0.5, spreg_weight=3, alpha=0.5).terms(rebuilt, target)
    assert terms["pixel"] == pytest.approx(float((rebuilt.images - target).square().mean()))
    assert terms["ffl"] == focal_frequency_loss(rebuilt.images, target, alpha=0.5)
    assert terms["kl"] == 1  # a mean of 768 nat, for 3 x 16 x 16 values
    assert terms["spreg"] == spectral_regularization((rebuilt.images + 1) / 2, (target + 1) / 2)


def test_the_terms_of_a_critic_are_binary_cross_entropies(pair):
    rebuilt, target = pair
    real, fake = (torch.randn(2, 1, 30, 30, generator=torch.Generator().manual_seed(seed)) for seed in (1, 2))
    bce = torch.nn.functional.binary_cross_entropy_with_logits
    ones, zeros = torch.ones_like(fake), torch.zeros_like(fake)
    terms = Objective(ffl_weight=0).terms(Rebuilt(rebuilt.images, verdict=fake), target)
    assert set(terms) == {"pixel", "gan"}
    torch.testing.assert_close(terms["gan"], bce(fake, ones))
    torch.testing.assert_close(critic_loss(real, fake), (bce(real, ones) + bce(fake, zeros)) / 2)


def test_the_pixel_loss_can_be_the_absolute_difference(pair):
    rebuilt, target = pair
    terms = Objective(loss="l1").terms(rebuilt, target)
    assert terms["pixel"] == pytest.approx(float((rebuilt.images - target).abs().mean()))


def test_a_weight_of_0_leaves_the_term_out(pair):
    rebuilt, target = pair
    objective = Objective(ffl_weight=0, kl_weight=0, gan_weight=0)
    assert set(objective.terms(rebuilt, target)) == {"pixel"}
    assert objective.weights(diverges=True, judged=True) == {"pixel": 1.0}


def test_a_model_without_divergence_has_no_such_term(pair):
    rebuilt, target = pair
    assert "kl" not in Objective(kl_weight=1).terms(rebuilt._replace(divergence=None), target)


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("FFL", {}),
        ("w/o FFL", {"ffl_weight": 0}),
        ("weight=0.1", {"ffl_weight": 0.1}),
        ("alpha=0.5", {"alpha": 0.5}),
        ("patch=2", {"patch_factor": 2}),
        ("w/o phase", {"component": "amplitude"}),
        ("w/o amplitude", {"component": "phase"}),
        ("w/o frequency", {"transform": "none"}),
        ("w/o focal", {"alpha": 0}),
        ("dct", {"transform": "dct"}),
        ("log-matrix + batch-matrix", {"log_matrix": True, "batch_matrix": True}),
        ("spreg=5", {"ffl_weight": 0, "spreg_weight": 5}),
        ("l1+weight=10", {"loss": "l1", "ffl_weight": 10}),
    ],
)
def test_a_variant_differs_from_its_base_as_its_name_says(name, changes):
    base = Objective(ffl_weight=7, kl_weight=0.25)
    assert variant(name, base) == replace(base, **changes)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("weight=1.0", "weight=1"),
        (" w/o FFL ", "w/o FFL"),
        ("spreg", "spreg"),
        ("weight=1e20 + l1", "weight=1e20+l1"),
        ("weight=0.1234567890", "weight=0.123456789"),
        ("patch=1.5", "patch=1.5"),  # which is none, as it says elsewhere
        ("nonsense=01", "nonsense=01"),
    ],
)
def test_a_variant_has_one_name_that_means_the_same(name, expected):
    assert canonical(name) == canonical(expected) == expected
    if "patch" not in name and "nonsense" not in name:
        assert variant(expected, Objective()) == variant(name, Objective())


@pytest.mark.parametrize("name", ["nonsense", "alpha", "alpha=x", "patch=1.5", "", "FFL+"])
def test_an_unknown_variant_is_an_error_that_lists_those_there_are(name):
    with pytest.raises(InputError, match="there is no variant") as error:
        variant(name, Objective())
    assert all(known in str(error.value) for known in VARIANTS)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"loss": "l3"}, "no pixel loss 'l3'; known are mse, l1"),
        ({"ffl_weight": -1}, "ffl_weight must be 0 or more and finite, got -1"),
        ({"kl_weight": float("nan")}, "kl_weight must be 0 or more and finite, got nan"),
    ],
)
def test_what_cannot_be_is_an_error(changes, said):
    with pytest.raises(FfltoolError, match=said):
        Objective(**changes)
