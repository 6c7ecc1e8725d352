import inspect
import math

import numpy as np
import pytest
import torch

from ffltool.errors import InputError, ShapeError
from ffltool.metrics.kid import kid


@pytest.fixture
def sets(rng):
    return lambda real, fake: tuple(torch.as_tensor(rng.normal(size=(count, 6)).clip(0)) for count in (real, fake))


def slow_squared_mmd(real, fake):
    """The definition, pair by pair."""

    def mean(pairs):
        return np.mean([(x @ y / len(x) + 1) ** 3 for x, y in pairs])

    within = (mean([(x, y) for i, x in enumerate(each) for j, y in enumerate(each) if i != j]) for each in (real, fake))
    return sum(within) - 2 * mean([(x, y) for x in real for y in fake])


def slow_kid(real, fake, subsets, size, seed):
    random = np.random.RandomState(seed)
    values = []
    for _ in range(subsets):
        chosen = [each.numpy()[random.permutation(len(each))[:size]] for each in (real, fake)]
        values.append(slow_squared_mmd(*chosen))
    return np.mean(values), np.std(values)


@pytest.mark.parametrize(("counts", "size"), [((9, 12), 5), ((9, 12), 9), ((12, 9), 9), ((7, 7), 2), ((2, 3), 2)])
def test_equals_the_slow_definition(sets, counts, size):
    pair = sets(*counts)
    assert kid(*pair, subsets=6, size=size, seed=3) == pytest.approx(slow_kid(*pair, 6, size, 3), rel=1e-10)


def test_of_all_images_every_subset_is_the_same(sets):
    real, fake = sets(8, 8)
    assert kid(real, fake) == (pytest.approx(slow_squared_mmd(real.numpy(), fake.numpy()), rel=1e-10), 0.0)


def test_a_subset_is_as_large_as_the_smaller_set(sets):
    real, fake = sets(20, 6)
    assert kid(real, fake, subsets=3) == kid(real, fake, subsets=3, size=6)


def test_a_seed_gives_the_same_and_another_another(sets):
    real, fake = sets(30, 30)
    assert kid(real, fake, size=10) == kid(real, fake, size=10)
    assert kid(real, fake, size=10) != kid(real, fake, size=10, seed=1)


def test_is_unbiased(rng):
    """Over many pairs of sets of one distribution the mean is 0, and not above it as that of a biased estimate."""
    features = torch.as_tensor(rng.normal(size=(600, 4)))
    mean, deviation = kid(features[:300], features[300:], subsets=600, size=5)
    assert abs(mean) < 4 * deviation / math.sqrt(600)


def test_value_known_by_hand():
    """Of features 0 alone the kernel is 1; with features 1 alone it is 8, and 1 between both."""
    zeros, ones = torch.zeros(4, 3), torch.ones(5, 3)
    assert kid(zeros, zeros + 0) == (0.0, 0.0)
    assert kid(zeros, ones) == (pytest.approx(1 + 8 - 2), 0.0)


def test_single_precision_is_computed_in_double(sets):
    real, fake = (each.float() for each in sets(9, 9))
    assert kid(real, fake) == kid(real.double(), fake.double())


def test_fewer_than_two_images_are_an_error(sets):
    real, fake = sets(5, 1)
    with pytest.raises(InputError, match="at least two images of each set, got 5 and 1"):
        kid(real, fake)
    assert kid(real, real.flip(1), subsets=1, size=2)[1] == 0
    for wrong in ({"subsets": 0}, {"size": 1}):
        with pytest.raises(InputError, match="one subset or more, of two images or more"):
            kid(real, real, **wrong)


def test_features_that_are_not_finite_are_an_error(sets):
    real, fake = sets(5, 5)
    fake[0, 0] = math.nan
    with pytest.raises(InputError, match="not finite"):
        kid(real, fake)


def test_sets_of_different_features_are_an_error(sets):
    real, fake = sets(5, 5)
    with pytest.raises(ShapeError, match=r"got \(5, 6\) and \(5, 5\)"):
        kid(real, fake[:, :5])


@pytest.mark.filterwarnings("ignore")  # torchvision's
def test_equals_torch_fidelity_where_it_imports():
    try:
        from torch_fidelity.metric_kid import kid_features_to_metric
    except (ImportError, RuntimeError) as error:  # beside a torch of another build torchvision fails as it loads
        pytest.skip(f"torch-fidelity does not load: {error}")
    generator = torch.Generator().manual_seed(1)
    real, fake = torch.rand(30, 64, generator=generator), torch.rand(25, 64, generator=generator) + 0.1
    settings = {"kid_subsets": 20, "kid_subset_size": 10, "rng_seed": 5, "verbose": False}
    theirs = kid_features_to_metric(real, fake, **settings)
    expected = [theirs[f"kernel_inception_distance_{name}"] for name in ("mean", "std")]
    # theirs is in float32
    assert kid(real, fake, subsets=20, size=10, seed=5) == pytest.approx(expected, abs=1e-6)


def test_the_usual_subsets_are_those_of_torch_fidelity():
    usual = inspect.signature(kid).parameters
    assert {name: usual[name].default for name in ("subsets", "size", "seed")} == {
        "subsets": 100,
        "size": 1000,
        "seed": 2020,
    }
