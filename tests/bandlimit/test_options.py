"""Filters as they are asked for: names, cut-offs in three units, points; and what cannot be."""

import math
from dataclasses import FrozenInstanceError

import pytest

from ffltool.bandlimit import Filter, cutoffs, filters, point
from ffltool.errors import InputError

pytestmark = pytest.mark.usefixtures("one_thread")


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
