import json
import math
from dataclasses import FrozenInstanceError

import numpy as np
import pytest
import torch

from ffltool.errors import InputError, ShapeError
from ffltool.metrics import fid as module
from ffltool.metrics.fid import Gaussian, Moments, fid, frechet_distance

SIZES = [(2, 2), (5, 9), (9, 9), (8, 30), (30, 8), (12, 40), (50, 60)]
WIDTH = 9
each_size = pytest.mark.parametrize("sizes", SIZES, ids=str)
pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture
def sets(rng):
    """Return features of two sets of so many images."""
    mix = rng.normal(size=(WIDTH, WIDTH))

    def sets(real, fake):
        features = rng.normal(size=(real, WIDTH)) @ mix, 1.3 * rng.normal(size=(fake, WIDTH)) @ mix + 0.2
        return tuple(torch.as_tensor(each, dtype=torch.float32) for each in features)

    return sets


def slow_distance(real, fake):
    """The definition, with roots of matrices by their eigenvectors: tr (A B)^1/2 = tr (A^1/2 B A^1/2)^1/2."""
    means, covariances = zip(*((each.mean(0), np.cov(each, rowvar=False)) for each in (real, fake)), strict=True)
    root = square_root(covariances[0])
    product = square_root(root @ covariances[1] @ root)
    return ((means[0] - means[1]) ** 2).sum() + sum(map(np.trace, covariances)) - 2 * np.trace(product)


def square_root(matrix):
    values, vectors = np.linalg.eigh(matrix)
    return vectors * np.sqrt(values.clip(0)) @ vectors.T


def moments(*batches):
    found = Moments(batches[0].shape[1])
    for batch in batches:
        found.update(batch)
    return found


def without_factor(gaussian):
    return Gaussian(count=gaussian.count, mean=gaussian.mean, covariance=gaussian.covariance)


@each_size
def test_equals_the_slow_definition(sets, sizes):
    real, fake = sets(*sizes)
    # the slow way takes roots of what should be 0
    assert fid(real, fake) == pytest.approx(slow_distance(real.double().numpy(), fake.double().numpy()), rel=1e-6)


@each_size
def test_a_covariance_is_enough(sets, sizes):
    pair = [moments(each).compute() for each in sets(*sizes)]
    expected = frechet_distance(*pair)
    for real in (pair[0], without_factor(pair[0])):
        for fake in (pair[1], without_factor(pair[1])):
            assert frechet_distance(real, fake) == pytest.approx(expected, rel=1e-8)


@each_size
def test_is_symmetric_and_0_for_equal_sets(sets, sizes):
    real, fake = sets(*sizes)
    assert fid(real, fake) == pytest.approx(fid(fake, real), rel=1e-8)
    assert fid(real, real.flip(0)) == pytest.approx(0, abs=1e-8)


def test_a_shift_is_its_squared_length_and_a_scale_the_square_of_what_it_adds(sets):
    real, _ = sets(40, 2)
    real = real.double()
    shift = torch.arange(WIDTH) / 8
    assert fid(real, real + shift) == pytest.approx(shift.square().sum().item(), rel=1e-5)
    mean = real.mean(0)
    spread = np.trace(np.cov(real, rowvar=False))
    assert fid(real, mean + 3 * (real - mean)) == pytest.approx(4 * spread, rel=1e-5)


def test_features_that_never_change_cost_nothing(sets):
    real, fake = sets(40, 50)
    expected = fid(real, fake)
    dead = [torch.cat([each, torch.full((len(each), 3), 0.5)], 1) for each in (real, fake)]
    assert fid(*dead) == pytest.approx(expected, rel=1e-8)
    twice = [torch.cat([each, each], 1) for each in (real, fake)]
    assert fid(*twice) == pytest.approx(2 * expected, rel=1e-8)


@pytest.mark.parametrize("cuts", [[1, 2, 3], [5], [20], [30, 39]])
def test_parts_merged_equal_the_whole(sets, cuts):
    real, fake = sets(40, 30)
    whole = moments(real).compute()
    parts = [moments(part) for part in real.tensor_split(cuts)]
    states = [part.compute() for part in parts[1:] if part.rows.state["count"] > 1]
    for part in parts[1:]:
        parts[0].merge(part)
    merged = parts[0].compute()
    assert merged.count == 40
    torch.testing.assert_close(merged.covariance, whole.covariance)
    distances = [frechet_distance(each, moments(fake).compute()) for each in (whole, merged)]
    assert distances[0] == pytest.approx(distances[1], rel=1e-10)
    again = [part.compute() for part in parts[1:] if part.rows.state["count"] > 1]
    assert [each.count for each in again] == [each.count for each in states], "merging leaves the others as they were"


def test_compute_only_reads(sets):
    for count in (5, 40):
        found = moments(sets(count, 2)[0])
        first, second = found.compute(), found.compute()
        assert first.count == second.count == count
        assert torch.equal(first.covariance, second.covariance)


def test_rows_become_sums_when_there_are_more_than_features(sets):
    few, many = (moments(*sets(count, 2)[0].split(2)) for count in (WIDTH, 4 * WIDTH))
    assert few.compute().factor.shape == (WIDTH, WIDTH)
    assert many.compute().factor is None
    assert many.rows.state["count"] <= WIDTH


@pytest.mark.parametrize("shares", [(40, 3), (3, 2), (6, 6), (12, 30), (0, 40)], ids=str)
def test_moments_of_two_processes_are_those_of_all(sets, in_ranks, shares):
    features, _ = sets(sum(shares), 2)
    whole = moments(features).compute()

    def part(rank):
        found = Moments(WIDTH)
        for batch in features.split(shares)[rank].split(7):
            found.update(batch)
        found.all_reduce()
        return found

    for found in in_ranks(part)[0]:
        assert found.rows.state["count"] <= WIDTH, "more rows than features have become sums"
        assert found.compute().count == sum(shares)
        assert (found.compute().factor is None) == (sum(shares) > WIDTH)
        torch.testing.assert_close(found.compute().mean, whole.mean)
        torch.testing.assert_close(found.compute().covariance, whole.covariance)


@pytest.mark.parametrize("count", [0, WIDTH, 4 * WIDTH + 3])
def test_moments_come_back_from_arrays_in_place_of_what_was_there(sets, count):
    real, fake = sets(count + 5, 30)
    found, again = moments(*real[:count].split(WIDTH)), moments(fake)
    arrays = found.arrays()
    assert all(isinstance(array, np.ndarray) for array in arrays.values())
    assert ("outer" in arrays) == (count > WIDTH)
    again.restore(arrays)
    assert again.rows.state["count"] == found.rows.state["count"]
    for each in (found, again):
        each.update(real[count:])
    assert again.compute().count == count + 5
    assert torch.equal(again.compute().mean, found.compute().mean)
    assert torch.equal(again.compute().covariance, found.compute().covariance)


def test_merged_rows_become_sums_too(sets):
    first, second = (moments(each) for each in sets(6, 7))
    first.merge(second)
    assert (first.rows.state["count"], first.state["count"]) == (0, 13)


@pytest.mark.parametrize("count", [0, 1])
def test_fewer_than_two_images_are_an_error(sets, count):
    real, _ = sets(3, 2)
    with pytest.raises(InputError, match=f"at least two images, got {count}"):
        fid(real, real[:count])


@pytest.mark.parametrize("value", [math.nan, math.inf])
@pytest.mark.parametrize("count", [3, 40])
def test_features_that_are_not_finite_are_an_error(sets, count, value):
    real, _ = sets(count, 2)
    real[1, 1] = value
    with pytest.raises(InputError, match="not finite"):
        fid(real, sets(5, 2)[0])


def test_sets_of_different_features_are_an_error(sets):
    real, fake = sets(3, 4)
    with pytest.raises(ShapeError, match=r"shape \(N, 9\), got \(4, 8\)"):
        fid(real, fake[:, :8])
    with pytest.raises(ShapeError, match="9 features, the other 8"):
        frechet_distance(moments(real).compute(), moments(fake[:, :8]).compute())


def test_other_sums_do_not_merge(sets):
    with pytest.raises(ValueError, match="only moments"):
        moments(sets(3, 2)[0]).merge(module.Rows(WIDTH))


@pytest.mark.parametrize("library", ["pytorch_fid", "torch_fidelity", "clean_fid_clean"])
def test_equals_what_libraries_say_of_the_same_features(shared, library):
    golden = json.loads((shared / "reference" / "fid_seeded_network.json").read_text())
    theirs = {
        f"pytorch_fid_{width}": golden["pytorch_fid_0.3.0"][f"dims{width}_bs50"] for width in (64, 192, 768, 2048)
    }
    theirs |= {
        f"torch_fidelity_{width}": golden["torch_fidelity_0.4.0"][f"fid_{width}"] for width in (64, 192, 768, 2048)
    }
    theirs["clean_fid_clean_2048"] = golden["clean_fid_0.1.35_with_this_network"]["clean"]
    with np.load(shared / "reference" / "fid_seeded_features.npz") as file:
        for name in (name for name in theirs if name.startswith(library)):
            distance = fid(*(torch.as_tensor(file[f"{name}_{side}"]) for side in ("real", "fake")))
            # covariances of 20 images are singular, and of the root of their product theirs sum up rounding too
            assert distance == pytest.approx(theirs[name], rel=1e-5 if name.endswith(("_64", "_192")) else 7e-5), name
            assert distance >= theirs[name] * (1 - 1e-7)


def test_equals_the_exact_arithmetic_on_the_same_features(shared):
    golden = json.loads((shared / "reference" / "fid_seeded_network.json").read_text())
    with np.load(shared / "reference" / "fid_seeded_features.npz") as file:
        distance = fid(*(torch.as_tensor(file[f"torch_fidelity_2048_{side}"]) for side in ("real", "fake")))
    expected = golden["arithmetic_on_torch_fidelity_2048_features"]["nuclear_norm_svd_NxN"]
    assert distance == pytest.approx(expected, rel=1e-12)


def test_a_gaussian_is_frozen_says_what_is_what_and_is_equal_to_itself_alone():
    one, other = (Gaussian(count=2, mean=torch.zeros(3), covariance=torch.eye(3)) for _ in range(2))
    assert one != other
    with pytest.raises(FrozenInstanceError):
        one.count = 3
    with pytest.raises(TypeError, match="positional"):
        Gaussian(2, torch.zeros(3), torch.eye(3))
