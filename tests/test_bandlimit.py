import math
from dataclasses import FrozenInstanceError

import numpy as np
import pytest
import torch

from ffltool.bandlimit import FILTERS, SHAPES, Filter, accumulated, bins, cutoffs, filters, point, wave
from ffltool.errors import InputError, ShapeError
from ffltool.radial import frequency_radius

pytestmark = pytest.mark.usefixtures("one_thread")

SIZES = [(16, 16), (7, 9), (12, 5), (1, 20), (20, 1), (1, 1)]
each_size = pytest.mark.parametrize("size", SIZES, ids=str)
each_shape = pytest.mark.parametrize("shape", SHAPES)
ALL = [
    Filter("point-stop"),
    *(Filter(name, (0.1, 0.3)[:count], shape) for name, count in FILTERS.items() if count for shape in SHAPES),
]
each_filter = pytest.mark.parametrize("chosen", ALL, ids=lambda chosen: f"{chosen.name} {chosen.shape}")
SOFT = ("gaussian", "butterworth")


def random(*shape, seed=1):
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def slow(image, gain):
    """Multiply the spectrum by a gain as the definition says."""
    return torch.as_tensor(np.fft.ifft2(np.fft.fft2(image.numpy()) * gain.numpy()))


def along_an_axis(chosen, *, width=40):
    """The gain at 0, 1, ... 20 periods of 40 pixels."""
    return chosen.gain(1, width)[0, : width // 2 + 1]


# gains


@each_size
@each_filter
def test_a_gain_is_in_0_to_1_and_the_same_for_opposite_frequencies(chosen, size):
    gain = chosen.gain(*size)
    assert (gain.shape, gain.dtype) == (size, torch.float64)
    assert ((gain >= 0) & (gain <= 1)).all()
    assert torch.equal(gain, gain.flip(0, 1).roll((1, 1), (0, 1)))


@each_shape
@pytest.mark.parametrize(("name", "zero"), [("low-pass", 1), ("high-pass", 0), ("band-pass", 0), ("band-stop", 1)])
def test_the_zero_frequency_passes_or_does_not(name, zero, shape):
    assert Filter(name, (0.1, 0.3)[: FILTERS[name]], shape).gain(4, 5)[0, 0] == zero


def test_ideal_filters_keep_bands_that_hold_their_low_edge_and_not_their_high_one():
    # 0.1 and 0.3 cycles per pixel are 4 and 12 periods of 40 pixels
    kept = {chosen.name: along_an_axis(chosen).nonzero().flatten().tolist() for chosen in filters(None, (0.1, 0.3))}
    assert kept["low-pass"] == list(range(4))
    assert kept["high-pass"] == list(range(4, 21))
    assert kept["band-stop"] == [*range(4), *range(12, 21)]
    assert along_an_axis(Filter("band-pass", (0.1, 0.3))).nonzero().flatten().tolist() == list(range(4, 12))


@pytest.mark.parametrize("shape", SOFT)
@pytest.mark.parametrize("order", [1, 2, 5])
@pytest.mark.parametrize("name", list(FILTERS)[1:])
def test_soft_filters_halve_the_power_at_every_cut_off(name, shape, order):
    gain = along_an_axis(Filter(name, (0.1, 0.3)[: FILTERS[name]], shape, order))
    for index in (4, 12)[: FILTERS[name]]:
        # 1e-12: the band's x of a cut-off is 1 but for rounding, which the order multiplies
        assert gain[index].item() == pytest.approx(math.sqrt(0.5), abs=1e-12)


def test_gains_that_are_known_by_hand():
    # at twice the cut-off: 2^(-4 / 2); 1 / sqrt(1 + 2^4)
    assert along_an_axis(Filter("low-pass", (0.1,), "gaussian"))[8].item() == pytest.approx(1 / 4)
    assert along_an_axis(Filter("low-pass", (0.1,), "butterworth"))[8].item() == pytest.approx(1 / math.sqrt(17))
    # at the geometric mean of 0.1 and 0.4
    assert along_an_axis(Filter("band-pass", (0.1, 0.4), "gaussian"))[8].item() == pytest.approx(1)
    assert along_an_axis(Filter("band-stop", (0.1, 0.4), "butterworth"))[8].item() == pytest.approx(0, abs=1e-12)


def test_a_high_order_is_nearly_ideal():
    for name in ("low-pass", "band-stop"):
        ideal, steep = (
            along_an_axis(Filter(name, (0.11, 0.29)[: FILTERS[name]], shape, 100)) for shape in ("ideal", "butterworth")
        )
        torch.testing.assert_close(steep, ideal, rtol=0, atol=1e-3)


@each_size
@each_shape
@pytest.mark.parametrize(("name", "opposite"), [("low-pass", "high-pass"), ("band-pass", "band-stop")])
def test_the_powers_of_a_filter_and_its_opposite_add_up(name, opposite, shape, size):
    edges = (0.1, 0.3)[: FILTERS[name]]
    total = Filter(name, edges, shape).gain(*size).square() + Filter(opposite, edges, shape).gain(*size).square()
    torch.testing.assert_close(total, torch.ones(size, dtype=torch.float64), rtol=0, atol=1e-12)


def test_frequencies_of_one_radius_share_one_fate():
    # (5, 0), (3, 4) and (4, 3) periods of 50 pixels, whose radii differ in the last digit
    for name, kept in (("low-pass", 0), ("high-pass", 1)):
        gain = Filter(name, (0.1,)).gain(50, 50)
        assert [gain[0, 5], gain[4, 3], gain[3, 4]] == [kept] * 3


# images


@each_size
@each_filter
def test_what_is_left_equals_the_definition(chosen, size):
    image = random(2, 3, *size)
    left, expected = chosen.apply(image), slow(image, chosen.gain(*size))
    torch.testing.assert_close(expected.imag, torch.zeros_like(image), rtol=0, atol=1e-12)
    torch.testing.assert_close(left, expected.real, rtol=0, atol=1e-12)


@each_size
@pytest.mark.parametrize(("name", "opposite"), [("low-pass", "high-pass"), ("band-pass", "band-stop")])
def test_ideal_filters_and_their_opposites_add_up_to_the_image(name, opposite, size):
    image, edges = random(3, *size), (0.1, 0.3)[: FILTERS[name]]
    torch.testing.assert_close(Filter(name, edges).apply(image) + Filter(opposite, edges).apply(image), image)


@pytest.mark.parametrize(("edge", "kept"), [(0.1, False), (0.25, False), (0.26, True), (0.5, True)])
def test_a_cosine_from_the_cut_off_on_leaves_its_mean(edge, kept):
    image = 0.5 + 0.25 * wave(0, 5, height=20, width=8)
    expected = image if kept else torch.full_like(image, 0.5)
    torch.testing.assert_close(Filter("low-pass", (edge,)).apply(image), expected)


@each_filter
def test_a_constant_image_stays_or_goes(chosen):
    image = torch.full((3, 8, 9), 0.3)
    torch.testing.assert_close(chosen.apply(image), image * chosen.gain(8, 9)[0, 0])


@each_filter
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_dtype_stays(chosen, dtype):
    assert chosen.apply(random(8, 9).to(dtype)).dtype == dtype


def test_the_gradient_is_that_of_a_filter_which_is_its_own_transpose():
    image, other = random(7, 8).requires_grad_(), random(7, 8, seed=2)
    chosen = Filter("low-pass", (0.2,), "gaussian")
    (chosen.apply(image) * other).sum().backward()
    torch.testing.assert_close(image.grad, chosen.apply(other))


@pytest.mark.parametrize("shape", [(5,), (0, 5), (3, 0, 0)])
def test_what_is_no_image_is_refused(shape):
    with pytest.raises(ShapeError, match=r"images \(\.\.\., H, W\) are wanted"):
        Filter("point-stop").apply(torch.zeros(shape))


# one point


@each_size
def test_a_point_stop_at_the_centre_takes_out_exactly_one_coefficient(size):
    image = random(*size)
    before, after = np.fft.fft2(image.numpy()), np.fft.fft2(Filter("point-stop").apply(image).numpy())
    np.testing.assert_allclose(after[0, 0], 0, atol=1e-12)
    after[0, 0] = before[0, 0]
    np.testing.assert_allclose(after, before, rtol=0, atol=1e-12)
    assert (Filter("point-stop").gain(*size) == 0).sum() == 1


@pytest.mark.parametrize(("u", "v"), [(2, 1), (-2, -1), (3, -3), (0, 4)])
def test_a_point_stop_elsewhere_takes_out_its_opposite_too(u, v):
    image = random(9, 8)
    before = np.fft.fft2(image.numpy())
    after = np.fft.fft2(Filter("point-stop", point=(u, v)).apply(image).numpy())
    changed = np.argwhere(np.abs(after - before) > 1e-12).tolist()
    assert sorted(changed) == sorted([[v % 9, u % 8], [-v % 9, -u % 8]])
    np.testing.assert_allclose(after[v, u], 0, atol=1e-12)


def test_at_the_nyquist_frequency_a_point_is_its_own_opposite():
    assert bins(4, 0, height=9, width=8) == {(0, 4)}
    assert bins(-4, 5, height=10, width=8) == {(5, 4)}
    assert bins(4, 1, height=9, width=8) == {(1, 4), (8, 4)}


@pytest.mark.parametrize("place", [(5, 0), (-5, 0), (0, 5), (9, 9)])
def test_a_point_beyond_the_nyquist_frequency_is_refused(place):
    u, v = place
    expected = rf"of 9x8 \(height x width\) has at most 4 periods over its width and 4 over its height, not {u},{v}"
    with pytest.raises(InputError, match=expected):
        Filter("point-stop", point=place).gain(9, 8)
    with pytest.raises(InputError, match=expected):
        wave(u, v, height=9, width=8)


# waves


@pytest.mark.parametrize("size", [(8, 8), (7, 12), (1, 9)], ids=str)
def test_every_wave_has_its_energy_in_two_bins_or_one(size):
    height, width = size
    for u in range(-(width // 2), width // 2 + 1):
        for v in range(-(height // 2), height // 2 + 1):
            amplitude = np.abs(np.fft.fft2(wave(u, v, height=height, width=width).numpy()))
            places = bins(u, v, height=height, width=width)
            assert len(places) == (1 if (2 * u % width, 2 * v % height) == (0, 0) else 2)
            expected = np.zeros(size)
            for place in places:
                expected[place] = height * width / len(places)
            np.testing.assert_allclose(amplitude, expected, atol=1e-12 * height * width)


def test_a_wave_is_a_cosine():
    expected = [[math.cos(2 * math.pi * (3 * x / 8 - 2 * y / 6)) for x in range(8)] for y in range(6)]
    torch.testing.assert_close(wave(3, -2, height=6, width=8), torch.tensor(expected, dtype=torch.float64))


# few frequencies


@each_size
def test_images_of_few_frequencies_go_from_the_mean_to_the_image(size):
    image = random(3, *size)
    first, last = accumulated(image, [0, math.sqrt(0.5)])
    torch.testing.assert_close(first, image.mean((-2, -1), keepdim=True).expand_as(image))
    torch.testing.assert_close(last, image)


def test_images_of_few_frequencies_hold_those_up_to_the_limit():
    image, limits = random(20, 20), (0.05, 0.1, 0.5)
    for limit, found in zip(limits, accumulated(image, limits), strict=True):
        gain = (frequency_radius(20, 20) <= limit + 1e-12).double()
        torch.testing.assert_close(found, slow(image, gain).real, rtol=0, atol=1e-12)


# what is asked for


def test_the_filters_of_the_figure():
    assert filters() == [
        Filter("point-stop"),
        Filter("low-pass", (0.1,)),
        Filter("high-pass", (0.1,)),
        Filter("band-stop", (0.1, 0.2)),
    ]
    chosen = filters(cutoffs=[0.2, 0.3], shape="butterworth", order=3, point=(1, 2))
    assert [each.cutoffs for each in chosen] == [(), (0.2,), (0.2,), (0.2, 0.3)]
    assert {(each.shape, each.order) for each in chosen} == {("butterworth", 3)}
    assert [each.point for each in chosen] == [(1, 2), (0, 0), (0, 0), (0, 0)]


@pytest.mark.parametrize(("name", "usual"), [("point-stop", ()), ("high-pass", (0.1,)), ("band-pass", (0.1, 0.2))])
def test_one_filter_by_name(name, usual):
    assert filters(name, shape="gaussian") == [Filter(name, usual, "gaussian")]


@pytest.mark.parametrize(
    ("text", "expected"),
    [("0.1", [0.1]), ("20%", [0.1]), ("10px", [0.1]), (" .05 , 1e-1,8 px", [0.05, 0.1, 0.125]), ("100%", [0.5])],
)
def test_cut_offs_have_three_units(text, expected):
    assert cutoffs(text) == pytest.approx(expected, rel=1e-15)


@pytest.mark.parametrize("text", ["", "0.1,", "10 cm", "px", "0px", "ten", "0.1;0.2", "1px2", "\n"])
def test_what_is_no_cut_off_is_refused(text):
    with pytest.raises(InputError, match=r"is no cut-off; 0\.1 \(cycles per pixel\), 20% \(of the Nyquist frequency\)"):
        cutoffs(text)


def test_a_point_is_two_whole_numbers():
    assert point(" 3, -2") == (3, -2)
    for text in ("", "1", "1,2,3", "1.5,2", "a,b"):
        with pytest.raises(InputError, match=f"'{text}' is no point; two whole numbers are wanted"):
            point(text)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda: Filter("notch"), "there is no filter 'notch'; known are point-stop, low-pass, high-pass"),
        (lambda: filters("notch"), "there is no filter 'notch'"),
        (lambda: Filter("low-pass", (0.1,), "box"), "there is no shape 'box'; known are ideal, gaussian, butterworth"),
        (lambda: Filter("band-stop", (0.1,)), "band-stop takes 2 cut-offs, got 0.1"),
        (lambda: Filter("low-pass", (0.1, 0.2)), "low-pass takes 1 cut-off, got 0.1, 0.2"),
        (lambda: Filter("low-pass"), "low-pass takes 1 cut-off, got none"),
        (lambda: Filter("point-stop", (0.1,)), "point-stop takes no cut-off, got 0.1"),
        (lambda: Filter("band-pass", (0.2, 0.1)), "the first cut-off must be below the second, got 0.2, 0.1"),
        (lambda: Filter("band-pass", (0.1, 0.1)), "the first cut-off must be below the second, got 0.1, 0.1"),
        (lambda: Filter("low-pass", (0.1,), "butterworth", 0), "the order must be 1 or more, got 0"),
        (lambda: Filter("low-pass", (0.1,), point=(1, 0)), "low-pass takes no point"),
        (lambda: filters("low-pass", order=3), "an order is that of a butterworth filter, this one is ideal"),
        (lambda: filters(cutoffs=[0.1]), "the figure of several filters takes two cut-offs, got 1"),
    ],
)
def test_what_cannot_be_is_a_clear_error(wrong, message):
    with pytest.raises(InputError) as caught:
        wrong()
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize("edge", [0, -0.1, 0.7072, 3, math.inf, math.nan])
def test_a_cut_off_lies_among_the_frequencies(edge):
    with pytest.raises(InputError, match=r"a cut-off must be in 0\.\.0\.7071 cycles per pixel and not 0, got"):
        Filter("low-pass", (edge,))
    Filter("low-pass", (math.sqrt(0.5),))


def test_a_filter_stays_as_it_was_checked():
    with pytest.raises(FrozenInstanceError):
        Filter("low-pass", (0.1,)).cutoffs = (9.0,)
