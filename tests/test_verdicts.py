import math
from dataclasses import replace

import pytest

from ffltool.limits import limits_of
from ffltool.report import BandScore, ImageSet, PairValues, Report, Score
from ffltool.verdicts import LimitJudging, differences, judge


def side(name="real", **rest):
    settings = {"path": name, "images": 4, "sizes": ((64, 64),), "digest": "sha256:0"} | rest
    return ImageSet(**settings)


def score(metric, value, better, **rest):
    settings = {"std": None, "min": None, "max": None, "images": 4, "unit": "dB"} | rest
    return Score(metric=metric, value=value, better=better, **settings)


def report(*psnr, ssim=None, others=(), **rest):
    """A report of so many pairs, with metrics of sets."""
    psnr = psnr or (28.0, 30.0, 32.0, 34.0)
    mean = sum(psnr) / len(psnr)
    scores = [score("psnr", mean, "higher", std=1.0, min=min(psnr), max=max(psnr)), *others]
    columns = [psnr]
    if ssim is not None:
        scores.append(score("ssim", sum(ssim) / len(ssim), "higher", std=0.1, min=0.0, max=1.0, unit=""))
        columns.append(ssim)
    pairs = tuple(
        PairValues(f"{place}.png", f"{place}.jpg", 64, 64, values)
        for place, values in enumerate(zip(*columns, strict=True))
    )
    settings = {
        "command": "check",
        "version": "0.1.0",
        "real": side(),
        "fake": side("fake"),
        "scores": tuple(scores),
        "pairs": pairs,
        "warnings": (),
        "environment": {"pillow": "12.0.0", "torch": None, "alpha": "drop", "fit": "none"},
        "seconds": 1.0,
    } | rest
    return Report(**settings)


def verdict(found, name, before=None, **table):
    """The verdict on the one limit of a table."""
    judging = {key: table.pop(key) for key in ("strict", "renewing") if key in table}
    judged = judge(found, limits_of(name, table, "limits"), LimitJudging(before=before, **judging))
    return judged.report.verdicts[-1]


@pytest.mark.parametrize(
    ("table", "state", "reason"),
    [
        ({"min": 31}, "pass", "it is 31.0000 dB"),
        ({"min": 31.01}, "fail", "31.0000 dB is below 31.01 dB"),
        ({"max": 30.5}, "fail", "31.0000 dB is above 30.5 dB"),
        ({"abs_max": 31}, "pass", "it is 31.0000 dB"),
        ({"min": 25, "warn_min": 32}, "warn", "31.0000 dB is below 32 dB"),
        ({"warn_max": 30}, "warn", "31.0000 dB is above 30 dB"),
        ({"min": 28.5, "statistic": "p05"}, "fail", "28.3000 dB is below 28.5 dB"),
        ({"min": 28, "statistic": "worst"}, "pass", "it is 28.0000 dB"),
    ],
)
def test_a_value_passes_warns_or_fails(table, state, reason):
    found = verdict(report(), "psnr", **table)
    assert (found.state, found.reason, found.metric, found.unit) == (state, reason, "psnr", "dB")


def test_a_verdict_says_what_was_held_against_what():
    found = verdict(report(), "psnr", min=30)
    assert (found.limit, found.statistic, found.value) == ("psnr mean >= 30 dB", "mean", 31)
    assert found.interval[0] < 31 < found.interval[1]
    assert (found.baseline, found.change, found.change_interval, found.significant) == (None,) * 4


def test_abs_max_is_of_the_size_of_a_value():
    found = report(others=[score("gain[corner]", -1.5, "0")])
    assert verdict(found, "gain[corner]", abs_max=1).state == "fail"
    assert verdict(found, "gain[corner]", abs_max=1.5).state == "pass"
    assert verdict(found, "gain[corner]", max=1).state == "pass"


@pytest.mark.parametrize("value", [math.inf, -math.inf, math.nan])
@pytest.mark.parametrize("table", [{"min": -1e9}, {"max": 1e9}, {"abs_max": 1e9}, {"warn_min": 0}])
def test_what_is_not_finite_never_passes(value, table):
    found = verdict(report(others=[score("lsd", value, "lower")]), "lsd", **table)
    assert found.state == "fail"
    assert "never passes" in found.reason


@pytest.mark.parametrize("value", [math.nan, -math.inf])
def test_nor_does_a_psnr_that_is_no_number(value):
    for table in ({"min": 0}, {"min": 0, "statistic": "median"}, {"min": 0, "fail_percent": 0}):
        assert verdict(report(value, value), "psnr", **table).state == "fail"


def test_an_infinite_psnr_of_identical_images_passes_and_is_said():
    found = verdict(report(math.inf, math.inf), "psnr", min=30)
    assert (found.state, found.value, found.reason) == ("pass", math.inf, "it is infinite (all pairs are identical)")
    assert verdict(report(math.inf, math.inf), "psnr", max=60).state == "fail", "for it is above any maximum"


def test_identical_pairs_do_not_let_the_others_pass():
    found = verdict(report(math.inf, 20.0, 22.0), "psnr", min=30)
    assert (found.state, found.value) == ("fail", 21)
    assert "without 1 of 3 pairs, identical ones" in found.reason


def test_what_the_run_does_not_have_is_missing():
    found = verdict(report(), "ssim", min=0.5)
    assert (found.state, found.value, found.reason) == ("missing", None, "this run has no ssim")
    dc = BandScore(name="dc", low=0, high=0, lfd=0, share=None, amplitude_share=None, phase_share=None, gain_db=None)
    found = verdict(report(bands=(dc,)), "band.dc.gain_db", abs_max=1)
    assert (found.state, found.unit) == ("missing", "dB")
    assert judge(report(), limits_of("ssim", {"min": 0.5}, "limits")).state == "fail"


@pytest.mark.parametrize(("allowed", "state"), [(0, "fail"), (24.9, "fail"), (25, "pass"), (50, "pass"), (100, "pass")])
def test_so_many_pairs_may_miss_a_limit_on_every_pair(allowed, state):
    judged = judge(report(), limits_of("psnr", {"min": 29, "fail_percent": allowed}, "limits"))
    (found,) = judged.report.verdicts
    assert (found.state, found.value, found.unit) == (state, 25, "%")
    assert found.reason == f"1 of 4 pairs miss it (25.0 %), {allowed:g} % may"
    missed = [(miss.pair, miss.value) for miss in judged.misses]
    assert missed == ([("0.png", 28.0)] if state == "fail" else []), "pairs are named where the limit fails"


def test_a_limit_on_every_pair_may_warn():
    assert verdict(report(), "psnr", min=20, warn_min=29, fail_percent=20).state == "warn"
    assert verdict(report(), "psnr", min=20, warn_min=29, fail_percent=25).state == "pass"
    assert verdict(report(), "psnr", warn_min=29, fail_percent=20).state == "warn"
    assert verdict(report(math.inf, 30.0), "psnr", min=20, fail_percent=0).state == "pass"


BEFORE = report(29.0, 31.0, 33.0, 35.0)  # one more in every pair


@pytest.mark.parametrize(
    ("table", "state"),
    [
        ({"max_drop": 1}, "pass"),
        ({"max_drop": 0.9}, "fail"),
        ({"max_drop": "3.2 %"}, "pass"),
        ({"max_drop": "3 %"}, "fail"),
        ({"max_increase": 0}, "pass"),
    ],
)
def test_a_change_is_held_against_the_baseline(table, state):
    found = verdict(report(), "psnr", before=BEFORE, **table)
    assert (found.state, found.baseline, found.change, found.significant) == (state, 32, -1, True)
    assert found.reason == "it fell by 1.0000 dB from 32.0000 dB to 31.0000 dB (95 %: -1.0000 to -1.0000)"


def test_a_change_inside_its_interval_is_not_significant_and_fails_only_if_strict():
    now = report(20.0, 39.0, 25.0, 36.0)
    found = verdict(now, "psnr", before=BEFORE, max_drop=0.5)
    assert (found.state, found.change, found.significant) == ("warn", -2, False)
    assert found.reason.endswith("beyond the limit but not significant")
    assert verdict(now, "psnr", before=BEFORE, max_drop=0.5, strict=True).state == "fail"
    assert verdict(now, "psnr", before=BEFORE, max_drop=3, strict=True).state == "pass"


def test_the_change_of_a_set_has_no_interval_and_counts_as_it_is():
    now, before = (report(others=[score("lsd", value, "lower")]) for value in (1.2, 1.0))
    found = verdict(now, "lsd", before=before, max_increase=0.1)
    assert (found.state, found.change, found.change_interval, found.significant) == (
        "fail",
        pytest.approx(0.2),
        None,
        None,
    )
    assert verdict(now, "lsd", before=before, max_increase="19 %").state == "fail"
    assert verdict(now, "lsd", before=before, max_increase="21 %").state == "pass"


def test_changes_to_and_from_the_infinite():
    same = report(math.inf, math.inf)
    assert verdict(same, "psnr", before=same, max_drop=0).state == "pass"
    assert verdict(same, "psnr", before=report(30.0, 31.0), max_drop=0).state == "pass"
    lost = verdict(report(30.0, math.inf), "psnr", before=same, max_drop="50 %")
    assert (lost.state, lost.change) == ("fail", -math.inf)
    infinite = report(others=[score("lsd", math.inf, "lower")])
    assert verdict(infinite, "lsd", before=infinite, max_increase=1).state == "fail"


def test_without_a_baseline_a_change_is_missing_unless_this_run_makes_one():
    missing = verdict(report(), "psnr", max_drop=1)
    assert (missing.state, missing.reason) == (
        "missing",
        "there is no baseline of this set to compare with, see --baseline",
    )
    first = verdict(report(), "psnr", max_drop=1, renewing=True)
    assert (first.state, first.reason) == ("pass", "there is nothing to compare with yet: this run makes the baseline")
    wider = report(ssim=(0.9, 0.8, 0.7, 0.6))
    assert verdict(wider, "ssim", before=BEFORE, max_drop=1).state == "missing"
    assert verdict(wider, "ssim", before=BEFORE, max_drop=1, renewing=True).state == "pass"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"fake": side("fake", images=5)}, "the fake set had 5 images and has 4"),
        ({"real": side(sizes=((8, 9),))}, "the real images were 8x9 and are 64x64"),
        ({"real": side(sizes=((8, 9), (64, 64)))}, "the real images were of 2 sizes and are 64x64"),
        ({"real": side(digest="sha256:1")}, "their names or their sizes in bytes differ"),
        ({"environment": {"alpha": "white", "fit": "none"}}, "--alpha was white and is drop"),
    ],
)
def test_what_makes_numbers_incomparable_fails_with_a_reason(change, reason):
    judged = judge(report(), limits_of("psnr", {"max_drop": 9}, "limits"), LimitJudging(before=report(**change)))
    broken, limit = judged.report.verdicts
    assert (broken.state, broken.limit, broken.metric) == ("fail", "comparable with the baseline", "baseline")
    assert reason in broken.reason
    assert (limit.state, limit.baseline) == ("missing", None), "nothing is computed of numbers that do not compare"


@pytest.mark.parametrize("key", ["preset", "weights", "height"])
def test_other_settings_of_a_metric_make_it_incomparable(key):
    now, before = (report(others=[score("fid", 3.0, "lower", settings={key: each})]) for each in ("b", "a"))
    assert list(differences(now, before)) == [f"fid: {key} was a and is b"]
    assert list(differences(now, report())) == [], "what the baseline has not is no difference"


def test_other_bands_are_incomparable():
    bands = [
        BandScore(name=name, low=0, high=0, lfd=0, share=None, amplitude_share=None, phase_share=None, gain_db=0)
        for name in ("dc", "0-0.25", "0.25-0.5", "corner")
    ]
    now, before = report(bands=tuple(bands)), report(bands=(bands[0], *bands[2:]))
    assert list(differences(now, before)) == ["there were 1 bands and are 2"]


def test_what_a_baseline_says_stays_on_its_line():
    odd = {"alpha": "white\n\x1b[31m", "fit": "none", "pillow": "11\n"}
    judged = judge(report(), [], LimitJudging(before=replace(BEFORE, environment=odd)))
    assert judged.report.verdicts[0].reason == "--alpha was white\\n\\x1b[31m and is drop"
    assert judged.report.warnings == ("the baseline was made with pillow 11\\n, and this is 12.0.0",)


def test_what_has_no_value_says_of_what():
    band = BandScore(
        name="dc", low=0, high=0, lfd=0.0, share=None, amplitude_share=None, phase_share=None, gain_db=None
    )
    found = report(bands=(band,))
    for name, reason in (("gain_db", "of no power"), ("share", "of no error"), ("phase_share", "of no error")):
        missing = verdict(found, f"band.dc.{name}", max=1)
        assert (missing.state, missing.reason) == ("missing", f"band.dc.{name} has no value, {reason}")


def test_what_did_not_change_is_said_once():
    assert verdict(report(), "psnr", before=report(), max_drop=1).reason.startswith(
        "it has not changed from 31.0000 dB ("
    )


def test_an_incomparable_baseline_is_not_renewed_unseen():
    found = verdict(report(), "psnr", before=report(fake=side("fake", images=9)), max_drop=1, renewing=True)
    assert found.state == "missing"


def test_other_versions_of_libraries_are_a_warning():
    before = replace(BEFORE, environment=BEFORE.environment | {"pillow": "11.0.0"})
    judged = judge(report(), [], LimitJudging(before=before))
    assert judged.report.warnings == ("the baseline was made with pillow 11.0.0, and this is 12.0.0",)
    assert judged.state == "pass"


@pytest.mark.parametrize(
    ("tables", "state"), [([{"min": 1}], "pass"), ([{"min": 1}, {"warn_min": 99}], "warn"), ([{"min": 99}], "fail")]
)
def test_the_state_of_a_set_is_that_of_its_worst_limit(tables, state):
    limits = [limit for table in tables for limit in limits_of("psnr", table, "limits")]
    assert judge(report(), limits).state == state


def test_every_score_stands_somewhere_with_or_without_a_limit():
    judged = judge(report(others=[score("lsd", 1.0, "lower")]), [], LimitJudging(before=BEFORE))
    assert [(each.quantity.name, each.value, each.change) for each in judged.standings] == [
        ("psnr", 31, -1),
        ("lsd", 1, None),
    ]
