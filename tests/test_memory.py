import math

import numpy as np
import pytest
import torch

from ffltool.errors import InputError, ShapeError
from ffltool.memory import pair_in_memory


def pictures(images, **settings):
    """The real images of pairs with themselves."""
    pictures = pair_in_memory(images, images, **settings).pictures
    return [real for real, _ in pictures.values()]


@pytest.mark.parametrize(
    ("shape", "count", "planes"),
    [
        ((6, 7), 1, (1, 6, 7)),
        ((6, 7, 3), 1, (3, 6, 7)),
        ((6, 7, 1), 1, (1, 6, 7)),
        ((4, 6, 7, 3), 4, (3, 6, 7)),
        ((4, 6, 7, 1), 4, (1, 6, 7)),
    ],
)
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_arrays_have_channels_last(rng, shape, count, planes, dtype):
    array = rng.integers(0, 2, shape).astype(dtype)
    found = pictures(array)
    assert [each.planes().shape for each in found] == [planes] * count
    assert {each.size for each in found} == {(6, 7)}
    scale = {np.uint8: 1, np.uint16: 1 / 257, np.float32: 255}[dtype]
    first = array if array.ndim == 2 else array.reshape(count, 6, 7, -1)[0]
    np.testing.assert_allclose(np.moveaxis(found[0].planes(), 0, -1).reshape(first.shape), first * scale)


@pytest.mark.parametrize(
    ("shape", "count", "planes"), [((6, 7), 1, (1, 6, 7)), ((3, 6, 7), 1, (3, 6, 7)), ((4, 1, 6, 7), 4, (1, 6, 7))]
)
@pytest.mark.parametrize("dtype", [torch.uint8, torch.float32, torch.float64, torch.float16, torch.bfloat16])
def test_tensors_have_channels_first(shape, count, planes, dtype):
    tensor = torch.randint(0, 2, shape).to(dtype)
    found = pictures(tensor)
    assert [each.planes().shape for each in found] == [planes] * count
    first = tensor if tensor.ndim < 4 else tensor[0]
    expected = first.double().numpy().reshape(planes) * (1 if dtype == torch.uint8 else 255)
    np.testing.assert_allclose(found[0].planes(), expected)


def test_gradients_do_not_stand_in_the_way():
    assert len(pictures(torch.rand(2, 3, 8, 8, requires_grad=True))) == 2


def test_a_sequence_holds_images_of_any_sizes(rng):
    found = pictures([rng.random((5, 6, 3)), torch.rand(3, 7, 8), rng.random((2, 4, 4, 1))])
    assert [each.size for each in found] == [(5, 6), (7, 8), (4, 4), (4, 4)]


def test_peak_scales_every_type():
    for array, peak in (([[0, 1023]], 1023), ([[0.0, 2.0]], 2), ([[0, 255]], 255.0)):
        (found,) = pictures(np.array(array), peak=peak)
        np.testing.assert_allclose(found.planes(), [[[0, 255]]])


@pytest.mark.parametrize(
    ("images", "said"),
    [
        (np.zeros((4, 4), dtype=np.int64), "int64 has no agreed scale; peak= says"),
        (np.zeros((4, 4), dtype=bool), "bool has no agreed scale"),
        (np.array([[0.0, 1.5]]), "values from 0 to 1.5 lie outside of 0 to 1; clamp them, or say peak="),
        (np.array([[-0.5, 1.0]]), "lie outside of 0 to 1"),
        (np.array([[np.nan, 1.0]]), "lie outside of 0 to 1"),
        (np.zeros((4, 4), dtype=complex), "complex128 has no agreed scale$"),
        ("text", "not str"),
        (["a.png"], "two paths, or arrays, tensors and sequences of these, not str"),
        (3, "not int"),
    ],
)
def test_values_without_an_agreed_scale_are_errors(images, said):
    with pytest.raises(InputError, match=said):
        pair_in_memory(images, images)


@pytest.mark.parametrize("peak", [0, -1, math.inf, math.nan, "255", True])
def test_a_peak_is_a_number_above_zero(peak):
    with pytest.raises(InputError, match="peak must be a number above 0, but is"):
        pair_in_memory(np.zeros((4, 4)), np.ones((4, 4)), peak=peak)


@pytest.mark.parametrize("dtype", [complex, object, str])
def test_a_peak_does_not_make_numbers_of_what_is_none(dtype):
    with pytest.raises(InputError, match="has no agreed scale"):
        pair_in_memory(np.zeros((4, 4)).astype(dtype), np.zeros((4, 4)), peak=1)


def test_a_mask_is_refused_not_passed_over():
    with pytest.raises(InputError, match="masked arrays have pixels that are not there; fill them"):
        pair_in_memory(np.ma.masked_array(np.zeros((4, 4)), np.eye(4)), np.zeros((4, 4)))


def test_either_byte_order_is_16_bits():
    (picture,) = pictures(np.full((2, 3), 258, ">u2"))
    np.testing.assert_array_equal(picture.in_16_bit(), np.full((2, 3, 1), 258))
    assert picture.in_16_bit().dtype == np.uint16


@pytest.mark.parametrize("shape", [(4,), (5, 4, 4), (2, 4, 4, 2), (2, 2, 4, 4, 3), (0, 4, 4, 3), (4, 0, 3)])
def test_other_shapes_are_errors(shape):
    with pytest.raises(ShapeError, match=r"real: the shape is .* arrays are \(H, W\)"):
        pair_in_memory(np.zeros(shape), np.zeros(shape))


def test_pairs_are_by_place_and_sets_have_any_numbers(rng):
    with pytest.raises(InputError, match="3 real images and 2 fake ones cannot be paired"):
        pair_in_memory(rng.random((3, 4, 4, 1)), rng.random((2, 4, 4, 1)))
    pairing = pair_in_memory(rng.random((3, 4, 4, 1)), rng.random((2, 4, 4, 1)), paired=False)
    assert [(pair.real, pair.fake) for pair in pairing.pairs] == [
        ("0", None),
        ("1", None),
        ("2", None),
        (None, "0"),
        (None, "1"),
    ]


def test_label_maps_are_integers():
    maps = pair_in_memory(torch.zeros(3, 4, 5, dtype=torch.int64), np.ones((3, 4, 5), np.uint8), labels=True).maps
    assert len(maps) == 3
    with pytest.raises(ShapeError, match=r"label maps are integers.* not float64, \(3, 4\)"):
        pair_in_memory(np.zeros((3, 4)), np.zeros((3, 4)), labels=True)


@pytest.mark.parametrize("kind", ["float8_e5m2", "sparse"])
def test_tensors_that_numpy_has_not_are_errors(kind):
    images = torch.ones(3, 6, 7)
    with pytest.raises(InputError, match="are no images that can be read"):
        pictures(images.to_sparse() if kind == "sparse" else images.to(getattr(torch, kind)))
