"""Weight files that are read: whole checkpoints, features alone, damaged and foreign ones."""

import hashlib
from contextlib import suppress

import pytest
import torch

from ffltool import checkpoints
from ffltool.errors import WeightsError


class Runs:
    """What a pickle could hold: a call."""

    def __reduce__(self):
        return print, ("this must not run",)


def error_of(path):
    with pytest.raises(WeightsError) as caught:
        checkpoints.read(path, "alexnet")
    assert "\n" not in str(caught.value)
    return str(caught.value)


def equal(found, tensors):
    assert list(found) == list(tensors)
    for key, tensor in tensors.items():
        assert found[key].dtype == torch.float32
        assert torch.equal(found[key], tensor)


@pytest.mark.parametrize("prefix", ["", "features."])
@pytest.mark.parametrize("legacy", [False, True])
def test_features_alone_come_in_one_layout_and_order(tmp_path, tiny, prefix, legacy):
    turned = {f"{prefix}{key}": tensor for key, tensor in reversed(tiny.tensors.items())}
    path = tiny.save(tmp_path / "features.pth", turned, _use_new_zipfile_serialization=not legacy)
    equal(checkpoints.read(path, "alexnet"), tiny.tensors)


def test_a_whole_checkpoint_gives_its_features(tiny):
    equal(checkpoints.read(tiny.published, "alexnet"), tiny.tensors)


def test_parameters_other_types_and_strides_become_plain_float32(tmp_path, tiny):
    turned = {key: tensor.double().transpose(0, -1).contiguous() for key, tensor in tiny.tensors.items()}
    double = {key: torch.nn.Parameter(tensor.transpose(0, -1)) for key, tensor in turned.items()}
    found = checkpoints.read(tiny.save(tmp_path / "double.pth", double), "alexnet")
    equal(found, tiny.tensors)
    assert not any(tensor.requires_grad for tensor in found.values())
    assert all(tensor.is_contiguous() for tensor in found.values())


def test_the_digest_of_tensors_is_over_their_bytes_in_order(tiny):
    expected = hashlib.sha256(b"".join(tensor.numpy().tobytes() for tensor in tiny.tensors.values())).hexdigest()
    assert checkpoints.digest_of_tensors(tiny.tensors) == expected


def test_the_digest_of_a_file_is_over_its_bytes(tmp_path):
    path = tmp_path / "x"
    path.write_bytes(bytes(3_000_000))
    assert checkpoints.digest_of_file(path) == hashlib.sha256(bytes(3_000_000)).hexdigest()
    with pytest.raises(WeightsError, match=r"no cannot be read: No such file or directory"):
        checkpoints.digest_of_file(tmp_path / "no")


@pytest.mark.parametrize("legacy", [False, True])
@pytest.mark.parametrize("share", [0, 0.3, 0.9])
def test_a_truncated_file_is_named_with_its_size(tmp_path, tiny, legacy, share):
    path = tiny.save(tmp_path / "cut.pth", tiny.tensors, _use_new_zipfile_serialization=not legacy)
    size = int(share * path.stat().st_size)
    path.write_bytes(path.read_bytes()[:size])
    sizes = f"it has {size} bytes, the published file {tiny.file.size}"
    assert error_of(path) == f"{path} is damaged, or no file of weights: {sizes}"


def test_random_damage_raises_nothing_but_our_error(tmp_path, tiny, rng):
    path = tiny.save(tmp_path / "x.pth", tiny.tensors, _use_new_zipfile_serialization=False)
    whole = path.read_bytes()
    for _ in range(100):
        damaged = bytearray(whole)
        damaged[rng.integers(len(whole))] = rng.integers(256)
        path.write_bytes(damaged)
        with suppress(WeightsError):
            checkpoints.read(path, "alexnet")


def test_code_in_a_file_is_not_run(tmp_path, tiny, capsys):
    path = tiny.save(tmp_path / "code.pth", {"0.weight": Runs()})
    assert "is damaged, or no file of weights" in error_of(path)
    assert capsys.readouterr().out == ""


def test_tensors_of_another_network_are_counted_and_the_first_missing_named(tmp_path, tiny):
    other = {"features.0.weight": tiny.tensors["0.weight"], "0.bias": 3, "features.9.weight": torch.ones(2)}
    path = tiny.save(tmp_path / "other.pth", other)
    assert error_of(path) == f"{path} does not hold alexnet: 1 of 2 tensors are missing, first 0.bias"


def test_what_is_no_dictionary_holds_nothing(tmp_path, tiny):
    path = tiny.save(tmp_path / "list.pth", [torch.ones(2)])
    assert error_of(path) == f"{path} does not hold alexnet: 2 of 2 tensors are missing, first 0.weight"


@pytest.mark.parametrize(
    "changed",
    [
        lambda tensor: tensor.to_sparse(),
        lambda tensor: tensor.to("meta"),
        lambda tensor: tensor.to(torch.complex64),
        lambda tensor: tensor > 0,
        lambda tensor: tensor / 0,
    ],
)
def test_what_is_no_array_of_finite_numbers_is_named(tmp_path, tiny, changed):
    path = tiny.save(tmp_path / "odd.pth", tiny.tensors | {"0.bias": changed(tiny.tensors["0.bias"])})
    assert error_of(path) == f"{path} does not hold alexnet: 0.bias is no array of finite floating-point numbers"


def test_another_shape_is_named(tmp_path, tiny):
    path = tiny.save(tmp_path / "shape.pth", tiny.tensors | {"0.bias": torch.ones(5)})
    assert error_of(path) == f"{path} does not hold alexnet: 0.bias has shape (5,), not (4,)"
