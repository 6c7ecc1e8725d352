import math

import numpy as np
import pytest

from ffltool.report import BandScore, ImageSet, PairValues, Report, Score
from ffltool.standing import _ROWS, _STATISTICS, Quantity, quantities, stand


def quantity(*values, name="psnr", better="higher"):
    return Quantity(
        name=name, value=None, unit="dB", better=better, values={str(place): each for place, each in enumerate(values)}
    )


@pytest.mark.parametrize(
    ("statistic", "value"), [("mean", 4.0), ("median", 3.0), ("p05", 1.2), ("p95", 8.8), ("worst", 1.0)]
)
def test_statistics_over_pairs_are_those_known_by_hand(statistic, value):
    assert stand(quantity(10.0, 1.0, 2.0, 3.0, 4.0), statistic).value == pytest.approx(value)


def test_the_worst_is_on_the_side_that_is_worse():
    values = -3.0, 1.0, 2.0
    found = {better: stand(quantity(*values, better=better), "worst").value for better in ("lower", "higher", "0")}
    assert found == {"lower": 2, "higher": -3, "0": -3}


@pytest.mark.parametrize("statistic", _ROWS)
def test_rows_of_draws_have_the_statistic_that_the_pairs_have(statistic, rng):
    values = rng.normal(size=(3, 17))
    expected = [_STATISTICS[statistic](row.tolist(), "lower") for row in values]
    np.testing.assert_allclose(_ROWS[statistic](values), expected, rtol=1e-12)


def test_quantiles_next_to_what_is_infinite_are_no_less_than_finite_ones():
    assert stand(quantity(1.0, 2.0, math.inf), "median").value == 2
    assert stand(quantity(1.0, 2.0, math.inf, math.inf), "median").value == math.inf
    for statistic in ("mean", "median", "worst"):
        assert math.isnan(stand(quantity(1.0, math.nan, 3.0), statistic).value)


def test_identical_pairs_are_left_out_of_the_mean_of_psnr():
    found = stand(quantity(20.0, math.inf, 30.0), "mean")
    assert (found.value, found.note) == (25, "without 1 of 3 pairs, identical ones")
    assert stand(quantity(math.inf, math.inf), "mean").value == math.inf
    assert stand(quantity(20.0, math.inf, name="lpips"), "mean").value == math.inf, "infinite for no good reason"


def test_intervals_want_two_finite_values_and_a_statistic_that_draws_know():
    assert stand(quantity(1.0), "mean").interval is None
    assert stand(quantity(1.0, math.inf), "mean").interval is None
    assert stand(quantity(1.0, 2.0), "worst").interval is None
    low, high = stand(quantity(1.0, 2.0, 4.0), "median").interval
    assert 1 <= low < high <= 4


def test_a_change_is_of_the_same_pairs():
    before, after = quantity(20.0, 30.0, 40.0, 50.0), quantity(19.9, 29.8, 39.9, 49.8)
    found = stand(after, "mean", before=before)
    assert found.baseline == 35
    assert found.change == pytest.approx(-0.15)
    assert -0.2001 < found.change_interval[0] < found.change_interval[1] < -0.0999
    assert found.significant is True
    assert stand(after, "worst", before=before).change == pytest.approx(-0.1)
    assert stand(after, "worst", before=before).significant is None


def test_a_change_that_may_be_none_is_not_significant():
    assert stand(quantity(20.0, 31.0, 39.0), "mean", before=quantity(21.0, 30.0, 39.5)).significant is False
    assert stand(quantity(20.0, 31.0), "mean", before=quantity(20.0, 31.0)).change == 0


def test_a_pair_that_is_identical_no_longer_is_an_infinite_loss():
    found = stand(quantity(50.0, 30.0), "mean", before=quantity(math.inf, 30.0))
    assert (found.change, found.note) == (-math.inf, "1 pair is identical no longer")
    gained = stand(quantity(math.inf, 29.0), "mean", before=quantity(50.0, 30.0))
    assert gained.change == -1, "of the pairs that differ in both runs"
    assert stand(quantity(math.inf), "mean", before=quantity(math.inf)).change == 0


def test_scores_and_bands_are_quantities():
    side = ImageSet(path="x", images=2, sizes=((8, 8),), digest="")
    alone = {"std": None, "min": None, "max": None}
    scores = (
        Score(metric="lsd", value=2.0, images=2, unit="dB", better="lower", **alone),
        Score(metric="psnr", value=25.0, std=5.0, min=20.0, max=30.0, images=2, unit="dB", better="higher"),
    )
    none = {"share": None, "amplitude_share": None, "phase_share": None}
    bands = (
        BandScore(name="dc", low=0, high=0, lfd=1.0, gain_db=None, **none),
        BandScore(name="0-0.5", low=0, high=0.5, lfd=2.0, gain_db=0.1, **none),
        BandScore(name="corner", low=0.5, high=0.7, lfd=3.0, gain_db=0.2, **none),
    )
    pairs = (PairValues("a", "a", 8, 8, (20.0,)), PairValues("b", "b", 8, 8, (30.0,)))
    report = Report(
        command="check",
        version="0",
        real=side,
        fake=side,
        scores=scores,
        pairs=pairs,
        warnings=(),
        environment={},
        seconds=0,
        bands=bands,
    )
    found = quantities(report)
    assert (found["lsd"].value, found["lsd"].values) == (2, None)
    assert found["psnr"].values == {"a": 20, "b": 30}
    assert (found["band.dc.gain_db"].value, found["band.1.lfd"].value, found["band.1.lfd"].unit) == (None, 2, "nat")
    assert found["band.corner.gain_db"].value == found["band.2.gain_db"].value == 0.2


def test_no_pairs_have_no_statistic():
    assert stand(quantity(), "median") is None
