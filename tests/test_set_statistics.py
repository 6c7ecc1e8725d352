import math
from contextlib import suppress
from dataclasses import asdict, replace

import numpy as np
import pytest
import torch

from ffltool import __version__
from ffltool.errors import InputError
from ffltool.metrics.fid import Gaussian, Moments, frechet_distance
from ffltool.set_statistics import MARK, Statistics, as_npz, from_npz

WAY = {"layer": "64", "preset": "pytorch-fid", "weights": "ab" * 32, "precision": "float32"}
FACTS = {"sizes": ((12, 16), (20, 9)), "digest": "sha256:" + "01" * 32}


@pytest.fixture
def statistics(rng):
    def statistics(count, **changes):
        moments = Moments(64)
        moments.update(torch.as_tensor(rng.normal(size=(count, 64))))
        return Statistics(gaussian=moments.compute(), **FACTS, **WAY | changes)

    return statistics


@pytest.fixture
def path(tmp_path):
    return tmp_path / "real.npz"


@pytest.mark.parametrize("count", [2, 5, 100])
def test_come_back_as_they_went(statistics, path, count):
    saved, other = statistics(count), statistics(20)
    path.write_bytes(as_npz(saved))
    found = from_npz(path, **WAY)
    assert torch.equal(found.gaussian.mean, saved.gaussian.mean)
    assert torch.equal(found.gaussian.covariance, saved.gaussian.covariance)
    assert (found.gaussian.count, found.version, found.features) == (count, __version__, None)
    assert asdict(found.facts("real.npz")) == {"path": "real.npz", "images": count} | FACTS
    expected = frechet_distance(saved.gaussian, other.gaussian)
    assert frechet_distance(found.gaussian, other.gaussian) == pytest.approx(expected, rel=1e-10)
    assert MARK.encode() in path.read_bytes()[-4096:]


@pytest.mark.parametrize(
    "change", [{"layer": "2048"}, {"preset": "clean"}, {"weights": "cd" * 32}, {"precision": "float16"}]
)
def test_another_way_of_looking_is_an_error(statistics, path, change):
    path.write_bytes(as_npz(statistics(9, **change)))
    ((name, value),) = change.items()
    with pytest.raises(InputError) as caught:
        from_npz(path, **WAY)
    assert str(caught.value) == f"{path} was made with {name} {value}, not with {WAY[name]}; they cannot be compared"


def test_features_of_every_image_come_along_where_they_are_given(statistics, path):
    features = torch.rand(9, 64)
    path.write_bytes(as_npz(replace(statistics(9), features=features)))
    assert torch.equal(from_npz(path, **WAY).features, features)
    for wrong, named in ((torch.rand(8, 64), "do not fit"), (torch.full((9, 64), math.nan), "not finite")):
        path.write_bytes(as_npz(replace(statistics(9), features=wrong)))
        with pytest.raises(InputError, match=named):
            from_npz(path, **WAY)


def test_features_beyond_float32_are_an_error_and_no_warning(statistics, path):
    path.write_bytes(as_npz(replace(statistics(9), features=torch.full((9, 64), 1e300, dtype=torch.float64))))
    with pytest.raises(InputError, match="not finite, or no network's"):
        from_npz(path, **WAY)


@pytest.mark.parametrize("value", [math.nan, math.inf, 1e200])
@pytest.mark.parametrize("name", ["mean", "covariance"])
def test_values_that_are_not_finite_are_an_error(statistics, path, name, value):
    saved = statistics(9)
    getattr(saved.gaussian, name).view(-1)[1] = value
    path.write_bytes(as_npz(saved))
    with pytest.raises(InputError, match="not finite"):
        from_npz(path, **WAY)


@pytest.mark.parametrize(
    "change",
    [
        {"count": 1},
        {"mean": torch.zeros(5)},
        {"mean": torch.zeros(64, 64)},
        {"mean": torch.tensor(0.0)},
        {"mean": torch.zeros(5), "covariance": torch.eye(5)},
    ],
)
def test_parts_that_do_not_fit_are_an_error(statistics, path, change):
    saved = statistics(9)
    parts = {name: getattr(saved.gaussian, name) for name in ("count", "mean", "covariance")}
    path.write_bytes(as_npz(replace(saved, gaussian=Gaussian(**parts | change))))
    with pytest.raises(InputError, match="do not fit"):
        from_npz(path, **WAY)


@pytest.mark.parametrize("change", [lambda covariance: -covariance, lambda covariance: covariance.triu()])
def test_what_is_no_covariance_is_an_error(statistics, path, change):
    saved = statistics(9)
    path.write_bytes(
        as_npz(replace(saved, gaussian=replace(saved.gaussian, covariance=change(saved.gaussian.covariance))))
    )
    with pytest.raises(InputError, match="holds a covariance that is none"):
        from_npz(path, **WAY)


@pytest.mark.parametrize(
    "change",
    [{"count": np.array(math.inf)}, {"sizes": np.array([[math.inf, 3]])}, {"mean": np.zeros(64, dtype=complex)}],
)
def test_numbers_of_another_kind_are_an_error(statistics, path, change):
    path.write_bytes(as_npz(statistics(9)))
    with np.load(path) as file:
        arrays = dict(file)
    np.savez(path, **arrays | change)
    with pytest.raises(InputError, match=r"real\.npz is no NPZ file that can be read"):
        from_npz(path, **WAY)


def test_random_damage_raises_nothing_but_our_error(statistics, path, rng):
    whole = as_npz(statistics(9))
    for _ in range(300):
        damaged = bytearray(whole)
        damaged[rng.integers(len(whole) - 3000, len(whole))] = rng.integers(256)  # where the archive's directory is
        path.write_bytes(damaged)
        with suppress(InputError):
            from_npz(path, **WAY)


def test_a_file_of_somebody_else_is_an_error(path):
    np.savez(path, mu=np.zeros(6), sigma=np.eye(6))
    with pytest.raises(InputError, match="holds no statistics of ffltool"):
        from_npz(path, **WAY)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 no archive", b"PK no archive", b"text"])
def test_what_is_no_npz_is_an_error(path, content):
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"real\.npz is no NPZ file") as caught:
        from_npz(path, **WAY)
    assert "pickle" not in str(caught.value)


def test_a_file_cut_short_is_an_error(statistics, path):
    content = as_npz(statistics(9))
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(InputError, match=r"real\.npz is no NPZ file"):
        from_npz(path, **WAY)


@pytest.mark.parametrize(("name", "reason"), [("nothing.npz", "does not exist"), (".", "cannot be read")])
def test_no_file_is_an_error(tmp_path, name, reason):
    with pytest.raises(InputError, match=reason):
        from_npz(tmp_path / name, **WAY)
