from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ffltool.errors import InputError
from ffltool.limits import BAND_FIELDS
from ffltool.metrics import METRICS
from ffltool.plans import load, plans, read, tomllib

ROOT = Path(__file__).parents[1]


def planned(text, **flags):
    return plans(tomllib.loads(text), where="limits.toml", folder=Path("here"), **flags)


def error(text, **flags):
    with pytest.raises(InputError) as caught:
        planned(text, **flags)
    return str(caught.value)


def bounds(plan):
    return {(limit.target, limit.statistic, limit.bound): limit.at for limit in plan.limits}


def test_a_file_says_what_is_computed_and_of_what():
    (plan,) = planned('real = "a"\nfake = "b"\nssim.min = 0.9\nlfd.max = 14\nlsd = {}')
    assert (plan.name, plan.real, plan.fake) == ("", Path("here/a"), Path("here/b"))
    assert plan.metrics == ("lfd", "ssim", "lsd"), "one without a limit is computed too"
    assert (plan.bands, plan.peaks, plan.paired) == (None, False, True)


def test_bands_and_peaks_are_computed_only_if_a_limit_asks():
    (plan,) = planned("bands = 4\n[band.corner.gain_db]\nabs_max = 1\n[band.2.share]\nmax = 0.5")
    assert (plan.metrics, plan.bands, plan.peaks) == (("lfd",), 4, False)
    (plan,) = planned("bands = 4\n[peaks]\nmax_z.max = 5")
    assert (plan.bands, plan.peaks, plan.paired) == (None, True, False), "peaks need no pairs"
    assert plan.metrics == ("lsd",), "what sets are compared by beside peaks alone"
    assert "no band.6.share; band.0 is dc and band.5 the corner" in error("bands = 4\n[band.6.share]\nmax = 1")


def test_named_sets_have_the_limits_of_all_and_their_own_in_place_of_these():
    both = planned(
        'real = "r"\npsnr.min = 30\nssim.min = 0.9\n'
        '[set.faces]\nfake = "f"\n[set.cats]\nfake = "c"\nreal = "other"\npsnr.min = 25'
    )
    assert [(plan.name, str(plan.real), str(plan.fake)) for plan in both] == [
        ("faces", "here/r", "here/f"),
        ("cats", "here/other", "here/c"),
    ]
    assert [bounds(plan)["psnr", "mean", "min"] for plan in both] == [30, 25]
    assert [bounds(plan)["ssim", "mean", "min"] for plan in both] == [0.9, 0.9]


def test_a_metric_may_have_several_tables():
    (plan,) = planned('[[psnr]]\nmin = 30\n[[psnr]]\nmin = 25\nstatistic = "worst"')
    assert bounds(plan) == {("psnr", "mean", "min"): 30, ("psnr", "worst", "min"): 25}


@pytest.mark.parametrize("order", [1, -1])
def test_one_score_by_its_own_name_counts_before_its_metric(order):
    (plan,) = planned("\n".join(["gain.abs_max = 1", '"gain[corner]".abs_max = 3'][::order]))
    assert [limit.at for limit in sorted(plan.limits, key=lambda limit: limit.target)] == [1, 1, 1, 1, 3]


def test_flags_replace_the_limits_on_a_mean_and_no_others():
    text = '[[psnr]]\nmin = 30\nwarn_min = 31\nmax_drop = 1\n[[psnr]]\nmin = 25\nstatistic = "worst"'
    (plan,) = planned(text, minima=["psnr=28", "ssim=0.5"], maxima=["band.corner.share=0.1"])
    assert bounds(plan) == {
        ("psnr", "mean", "min"): 28,
        ("psnr", "mean", "max_drop"): 1,
        ("psnr", "worst", "min"): 25,
        ("ssim", "mean", "min"): 0.5,
        ("band.corner.share", "value", "max"): 0.1,
    }
    assert all(limit.warn_at is None for limit in plan.limits)


def test_flags_that_contradict_each_other_or_the_file_are_errors():
    for text, flags in (
        ("", {"minima": ["psnr=40"], "maxima": ["psnr=10"]}),
        ("psnr.max = 10", {"minima": ["psnr=40"]}),
    ):
        assert "psnr: min is 40, above max, which is 10" in error(text, **flags)


def test_a_flag_takes_the_place_of_a_whole_table():
    (plan,) = planned('psnr = {min = 30, statistic = "mean"}', minima=["psnr=28"])
    assert bounds(plan) == {("psnr", "mean", "min"): 28}


def test_a_file_may_begin_with_a_byte_order_mark(tmp_path):
    (tmp_path / "limits.toml").write_bytes(b"\xef\xbb\xbfpsnr.min = 30\r\n")
    assert read(tmp_path / "limits.toml") == {"psnr": {"min": 30}}


def test_a_set_can_be_chosen_only_where_sets_have_names(tmp_path):
    (tmp_path / "limits.toml").write_text('real = "a"\npsnr.min = 30')
    with pytest.raises(InputError, match=r"--set cats: .*limits.toml has no sets by name, as \[set.cats\]"):
        load(tmp_path / "limits.toml", only=["cats"])


@pytest.mark.parametrize("flag", ["psnr", "psnr=", "psnr=high", "psnr=nan", "psnr=inf", "=3"])
def test_a_flag_is_a_name_and_a_number(flag):
    with pytest.raises(InputError, match=r"^--min .*(wanted is a name and a number|is unknown)"):
        planned("", minima=[flag])


def test_an_unknown_name_in_a_flag_names_the_nearest():
    assert error("", minima=["pnsr=30"]) == "--min pnsr=30: 'pnsr' is unknown; did you mean psnr?"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "there is no limit"),
        ("psnr = {}", "there is no limit"),
        ("psnr = 30", "psnr must be a table, but is 30"),
        ("psnr = [1]", "psnr must be a table, but is 1"),
        ("psnr.min = 0x" + "F" * 5000, "psnr: min must be a number, but is a number of thousands of digits"),
        ("band = 3", "band must be a table"),
        ("band.3 = 3", "band.3 must be a table"),
        ("peaks = 3", "peaks must be a table"),
        ("set = 3", "set must be tables"),
        ("set.a = 3", "set must be tables"),
        ("[set]", "set must be tables"),
        ("real = 3\npsnr.min = 3", "real must be a path"),
        ('real = "\\u0000"\npsnr.min = 3', "real must be a path"),
        ("bands = 0\npsnr.min = 3", "bands must be a number from 1"),
        ("bands = true\npsnr.min = 3", "bands must be a number from 1"),
        ("rael = 1", "did you mean real?"),
        ("sets = 1", "did you mean set?"),
        ("psnr.min = 3\nssim.fail_percent = 5", "ssim has no bound"),
        ("[set.a]\npsnr.min = 3\n[set.b]", "set b: there is no limit"),
        ("set.a.set.b = 1", "'set' is unknown"),
        ("set.a.fkae = 1", "limits.toml: set a: 'fkae' is unknown; did you mean fake?"),
    ],
)
def test_what_makes_no_sense_in_a_file_is_an_error(text, said):
    assert said in error(text)


def test_a_project_has_limits_in_a_table_of_its_own(tmp_path, monkeypatch):
    project = tmp_path / "pyproject.toml"
    project.write_text('[tool.ffltool]\nreal = "a"\nfake = "b"\n[tool.ffltool.psnr]\nmin = 30\n')
    assert read(project) == {"real": "a", "fake": "b", "psnr": {"min": 30}}
    monkeypatch.chdir(tmp_path)
    (plan,) = load(None)
    assert (plan.real, bounds(plan)) == (Path("a"), {("psnr", "mean", "min"): 30})
    project.write_text("[tool.other]\n")
    with pytest.raises(InputError, match="there is no limit"):
        load(None)
    with pytest.raises(InputError, match=r"no table \[tool.ffltool\]"):
        load(project)


def test_paths_given_are_of_one_set(tmp_path):
    file = tmp_path / "limits.toml"
    file.write_text("psnr.min = 3\n[set.a]\n[set.b]\n")
    with pytest.raises(InputError, match="REAL is missing"):
        load(file)
    with pytest.raises(InputError, match=r"limits.toml has a, b; --set chooses one"):
        load(file, given=(Path("r"), Path("f")))
    (plan,) = load(file, given=(Path("r"), Path("f")), only=["b"])
    assert (plan.name, plan.real, plan.fake) == ("b", Path("r"), Path("f"))
    with pytest.raises(InputError, match="'c' is unknown; did you mean"):
        load(file, only=["c"])


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"psnr.min = ", "is no TOML"), (b"\xff", "is no TOML"), (b"a = " + b"[" * 5000, "is no TOML")],
)
def test_what_is_no_toml_is_an_error(tmp_path, content, said):
    file = tmp_path / "limits.toml"
    file.write_bytes(content)
    with pytest.raises(InputError, match=said):
        load(file)


def test_a_file_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(InputError, match="does not exist"):
        load(tmp_path / "limits.toml")
    with pytest.raises(InputError, match="cannot be read"):
        load(tmp_path)


def test_the_sample_limits_hold():
    (plan,) = load(ROOT / "sample_data" / "limits.toml")
    assert plan.metrics == ("lfd", "psnr", "ssim")
    assert plan.bands == 4


_SETTINGS = ("set", "real", "fake", "bands", "band", "3", "dc", "peaks", "max_z")
_LIMITS = ("min", "max", "warn_min", "abs_max", "max_drop", "max_increase", "statistic", "fail_percent")
_KEYS = st.sampled_from([*METRICS, *METRICS["gain"].score_names, *BAND_FIELDS, *_SETTINGS, *_LIMITS]) | st.text(
    max_size=8
)
_VALUES = st.recursive(
    st.integers()
    | st.floats()
    | st.booleans()
    | st.text(max_size=8)
    | st.sampled_from(["2 %", "mean", "p05", "worst"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=4),
    max_leaves=12,
)


FUZZ = settings(
    max_examples=300,
    deadline=None,
    derandomize=True,  # the same examples every time
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@FUZZ
@given(table=st.dictionaries(_KEYS, _VALUES, max_size=5), flags=st.lists(_KEYS.map(lambda key: f"{key}=1"), max_size=2))
def test_any_table_is_a_plan_or_an_error(table, flags):
    try:
        found = plans(table, where="limits.toml", folder=Path(), minima=flags)
    except InputError:
        return
    assert any(plan.limits for plan in found)


@FUZZ
@given(content=st.binary(max_size=60) | st.text(alphabet='psnr.min=[]{}"0123456789 \n', max_size=60).map(str.encode))
def test_any_file_is_a_plan_or_an_error_that_names_it(tmp_path, content):
    file, said = tmp_path / "limits.toml", None
    file.write_bytes(content)
    try:
        load(file)
    except InputError as error:
        said = str(error)
    assert said is None or str(file) in said
