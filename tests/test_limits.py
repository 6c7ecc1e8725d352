import re

import pytest

from ffltool.errors import InputError
from ffltool.limits import Limit, known, limits_of, sentence, targets_of, usual_statistic
from ffltool.metrics import METRICS


def limits(name, **table):
    return list(limits_of(name, table, "limits.toml"))


def error(name, **table):
    with pytest.raises(InputError) as caught:
        limits(name, **table)
    return str(caught.value)


@pytest.mark.parametrize(
    ("name", "table", "unit", "text"),
    [
        ("psnr", {"min": 30}, "dB", "psnr mean >= 30 dB"),
        ("lfd", {"max": 14.5, "statistic": "p95"}, "nat", "lfd p95 <= 14.5 nat"),
        ("ssim", {"min": 0.9}, "", "ssim mean >= 0.9"),
        ("gain[corner]", {"abs_max": 1}, "dB", "|gain[corner]| <= 1 dB"),
        ("lsd", {"max": 2}, "dB", "lsd <= 2 dB"),
        ("psnr", {"max_drop": 0.1}, "dB", "psnr mean drop <= 0.1 dB"),
        ("lfd", {"max_increase": "2 %", "statistic": "median"}, "nat", "lfd median increase <= 2 %"),
        ("psnr", {"min": 30, "fail_percent": 5}, "dB", "psnr >= 30 dB in all but 5 % of pairs"),
        ("psnr", {"min": 30, "fail_percent": 0}, "dB", "psnr >= 30 dB in every pair"),
        ("psnr", {"warn_min": 32}, "dB", "psnr mean >= 32 dB, or a warning"),
        ("band.corner.gain_db", {"min": -1}, "dB", "band.corner.gain_db >= -1 dB"),
        ("peaks.max_z", {"max": 5}, "", "peaks.max_z <= 5"),
    ],
)
def test_a_limit_is_said_in_words(name, table, unit, text):
    (limit,) = limits(name, **table)
    assert sentence(limit, unit=unit) == text


def test_a_table_sets_a_limit_for_each_bound_and_a_warning_goes_with_its_failure():
    found = limits("psnr", min=30, warn_min=32, max=60, max_drop="1.5%", max_increase=3)
    assert [(each.bound, each.at, each.warn_at, each.percent) for each in found] == [
        ("min", 30, 32, False),
        ("max", 60, None, False),
        ("max_increase", 3, None, False),
        ("max_drop", 1.5, None, True),
    ]


def test_what_has_one_value_has_no_statistic():
    assert [usual_statistic(name) for name in ("psnr", "lsd", "miou", "gain[corner]", "peaks.max_z")] == [
        "mean",
        *["value"] * 4,
    ]
    assert limits("lsd", max=1) == [Limit(target="lsd", bound="max", at=1, statistic="value")]
    assert "one value of a whole set" in error("lsd", max=1, statistic="mean")
    assert "one value of a whole set" in error("band.dc.lfd", max=1, fail_percent=3)
    assert limits("miou", min=0.5, statistic="worst")[0].statistic == "worst"


@pytest.mark.parametrize(
    ("key", "nearest"),
    [
        ("mim", "min"),
        ("warnmin", "warn_min"),
        ("max_dorp", "max_drop"),
        ("failpercent", "fail_percent"),
        ("MIN", "min"),
    ],
)
def test_an_unknown_key_is_an_error_that_names_the_nearest(key, nearest):
    text = f"limits.toml: psnr: {key!r} is unknown; did you mean {nearest}?"
    assert error("psnr", **{key: 1}) == text


@pytest.mark.parametrize(
    ("name", "nearest"), [("pnsr", "psnr"), ("gain[edge]", "gain[corner]"), ("peaks.z", "peaks.max_z")]
)
def test_an_unknown_target_is_an_error_that_names_the_nearest(name, nearest):
    with pytest.raises(InputError, match=re.escape(f"did you mean {nearest}?")):
        targets_of(name, "limits.toml")


def test_bands_are_named_by_number_dc_or_corner():
    assert targets_of("band.03.gain_db", "x") == ["band.3.gain_db"]
    assert targets_of("band.corner.share", "x") == ["band.corner.share"]
    for name, text in (
        ("band.low.lfd", "no band 'low'"),
        ("band.1.gain", "did you mean gain_db"),
        ("band.1", "'band.1' is a band; give one of its fields, as band.1.gain_db"),
    ):
        with pytest.raises(InputError, match=text):
            targets_of(name, "x")


def test_a_metric_stands_for_all_its_scores():
    assert targets_of("gain", "x") == list(METRICS["gain"].score_names)


@pytest.mark.parametrize("value", [True, "30", float("nan"), float("inf"), 10**400, [30], {}, None])
def test_a_bound_must_be_a_number(value):
    assert "min must be a number" in error("psnr", min=value)


@pytest.mark.parametrize("value", [True, "2", "-1 %", -0.1, float("nan"), "9" * 400 + "%", [1]])
def test_a_change_must_be_a_number_or_a_percentage(value):
    assert "max_drop must be a number of 0 or more, or a percentage" in error("psnr", max_drop=value)


@pytest.mark.parametrize(
    ("table", "text"),
    [
        ({"min": 5, "max": 4}, "min is 5, above max, which is 4"),
        ({"min": 5, "warn_min": 4}, "min is 5, above warn_min, which is 4"),
        ({"max": 5, "warn_max": 6}, "warn_max is 6, above max, which is 5"),
        ({"abs_max": -1}, "abs_max must be 0 or more"),
        ({"min": 5, "fail_percent": 101}, "from 0 to 100"),
        ({"min": 5, "fail_percent": 5, "statistic": "mean"}, "no statistic has a place"),
        ({"max_drop": 5, "fail_percent": 5}, "not for max_drop"),
        ({"min": 5, "statistic": "p50"}, "worst, but is 'p50'"),
        ({"min": 5, "statistic": 3}, "statistic must be one of mean, median"),
        ({"fail_percent": 5}, "psnr has no bound; give one of min, max"),
        ({"statistic": "p05"}, "psnr has no bound"),
    ],
)
def test_limits_that_make_no_sense_are_errors(table, text):
    assert text in error("psnr", **table)


def test_names_that_differ_in_capitals_alone_are_two():
    for name in ("Faces", "faces"):
        known(name, ["Faces", "faces"], "set")
