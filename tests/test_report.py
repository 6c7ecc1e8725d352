from dataclasses import FrozenInstanceError, fields

import numpy as np
import pytest
import torch

from ffltool import report
from ffltool.report import ImageSet, PairValues, Report, Score, Verdict, may_be_bands

KINDS = {"ImageSet", "Score", "BandScore", "ClassScore", "PairValues", "Verdict", "Report"}


def score(**changes):
    known = {"metric": "psnr", "value": 30.0, "std": 0.0, "min": 30.0, "max": 30.0, "unit": "dB", "better": "higher"}
    return Score(**{**known, "images": 5, **changes})


def report_of(*values, **rest):
    side = ImageSet(path="set", images=5, sizes=((8, 8),), digest="")
    pairs = tuple(PairValues(f"{n}.png", f"{n}.png", 8, 8, (value,)) for n, value in enumerate(values))
    known = {"command": "metrics", "version": "1", "real": side, "fake": side, "scores": (score(),), "pairs": pairs}
    return Report(**{**known, "warnings": (), "environment": {}, "seconds": 1.0, **rest})


def verdict(limit, state):
    return Verdict(limit=limit, metric="psnr", statistic="mean", state=state, value=1.0, unit="dB", reason="")


def test_the_kinds_are_all_there_are():
    classes = [each for each in vars(report).values() if isinstance(each, type)]
    assert {each.__name__ for each in classes if each.__module__ == report.__name__} == KINDS


@pytest.mark.parametrize("name", sorted(KINDS))
def test_what_was_found_is_not_changed_any_more(name):
    kind = getattr(report, name)
    names = [field.name for field in fields(kind)]
    found = kind(**dict.fromkeys(names))
    for name in names:
        with pytest.raises(FrozenInstanceError):
            setattr(found, name, 1)


@pytest.mark.parametrize("name", sorted(KINDS - {"PairValues"}))
def test_what_was_found_says_what_each_value_is(name):
    kind = getattr(report, name)
    with pytest.raises(TypeError, match="positional"):
        kind(*fields(kind))


def test_a_pair_takes_no_more_memory_than_its_values():
    assert not hasattr(PairValues("a.png", "a.png", 8, 8, (1.0,)), "__dict__")


def test_a_score_is_finite_unless_it_says_so():
    assert (score().infinite, score().settings) == (0, {})


def test_reports_are_the_same_by_what_they_say_and_not_by_their_maps():
    one, other = (report_of(1.0, error_map=torch.full((8, 8), value)) for value in (1.0, 2.0))
    assert one == other
    assert "error_map" not in repr(one)
    assert one != report_of(2.0)


def test_the_worst_pairs_are_three_and_the_worst_comes_first():
    high = report_of(20.0, 10.0, 40.0, 30.0, 10.0)
    assert [pair.real for pair in high.worst()] == ["1.png", "4.png", "0.png"]
    low = report_of(20.0, 10.0, 40.0, scores=(score(better="lower"),))
    assert [pair.real for pair in low.worst(2)] == ["2.png", "0.png"]
    assert report_of(scores=()).worst() == []


def test_scores_of_pairs_are_those_that_have_a_smallest_value():
    of_sets, of_pairs = score(metric="fid", min=None, max=None), score(min=-1.0)
    assert (of_sets.per_pair, of_pairs.per_pair) == (False, True)
    assert report_of(1.0, scores=(of_sets, of_pairs)).of_pairs == (of_pairs,)


def test_verdicts_go_from_bad_to_good_and_equal_ones_stay_in_order():
    states = ("pass", "warn", "missing", "fail", "warn")
    found = report_of(1.0, verdicts=tuple(verdict(f"limit {n}", state) for n, state in enumerate(states)))
    assert [each.limit for each in found.by_severity] == ["limit 3", "limit 2", "limit 1", "limit 4", "limit 0"]


@pytest.mark.parametrize("value", [1, 8, 4096, np.int64(8)])
def test_bands_are_a_whole_number_from_1_to_4096(value):
    assert may_be_bands(value) is True


@pytest.mark.parametrize("value", [0, -1, 4097, True, 8.0, "8", None])
def test_no_other_value_is_a_number_of_bands(value):
    assert may_be_bands(value) is False
