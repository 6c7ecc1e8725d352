"""A set of images held to its limits: measured, judged against a baseline, and the baseline renewed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ffltool import baseline
from ffltool.errors import InputError
from ffltool.evaluate import evaluate_pairs
from ffltool.images import Reading
from ffltool.label_maps import LabelMaps
from ffltool.limits import PEAKS
from ffltool.pairing import Pairing
from ffltool.report import Report, Score
from ffltool.verdicts import Judged, LimitJudging, judge

if TYPE_CHECKING:
    from ffltool.looking import Looking
    from ffltool.plans import SetPlan
    from ffltool.stream import Progress


@dataclass(frozen=True, kw_only=True)
class Measuring:
    """How every set is measured: arguments of `ffltool.evaluate.evaluate_pairs`."""

    reading: Reading | LabelMaps
    looking: Looking | None = None
    skip_broken: bool = False
    error_map: bool = False
    workers: int | None = None
    progress: Progress | None = None


def measure(plan: SetPlan, pairing: Pairing, measuring: Measuring) -> Report | None:
    """Return what limits of a plan are judged by: metrics, bands and peaks; None but on the first process.

    How files became pixels stands in the report's environment, for a baseline to be comparable with.

    Raises
    ------
    What `evaluate_pairs` and `ffltool.grids.search` raise.
    """
    report = evaluate_pairs(pairing, plan.metrics, bands=plan.bands, command="check", **vars(measuring))
    peaks = _peaks(pairing, measuring) if plan.peaks else None
    if report is None:
        return None
    if peaks is not None:
        score, warnings = peaks
        report = replace(report, scores=(*report.scores, score), warnings=report.warnings + warnings)
    if isinstance(measuring.reading, Reading):
        how = {"alpha": measuring.reading.alpha, "fit": measuring.reading.fit}
        report = replace(report, environment={**report.environment, **how})
    return report


def _peaks(pairing: Pairing, measuring: Measuring) -> tuple[Score, tuple[str, ...]]:
    """Return the z of the strongest artefact that the fake images have and the real ones have not, 0 for none."""
    from ffltool.grids import Seeking, search_sets
    from ffltool.loading import Loading
    from ffltool.sources import Source, name_of

    reading = measuring.reading
    halves = any(pairing.paired and pair.fake is None for pair in pairing.pairs)
    if not isinstance(reading, Reading) or halves or pairing.in_memory:
        raise InputError(f"{PEAKS} is of two sets of image files, not of label maps, --side-by-side or arrays")
    files = zip(*map(pairing.files, pairing.pairs), strict=True)
    given = (pairing.real, pairing.fake)
    real, fake = (
        Source(name_of(path), tuple(file for file in files if file is not None), str(path))
        for path, files in zip(given, files, strict=True)
    )
    seeking = Seeking(threshold=0)  # a limit is the threshold
    loading = Loading(
        alpha=reading.alpha, skip_broken=measuring.skip_broken, workers=measuring.workers, progress=measuring.progress
    )
    search = search_sets([fake], real, seeking, loading)
    (finding,) = search.findings
    score = Score(
        metric=PEAKS,
        value=max((peak.z for peak in finding.peaks if peak.kind == "artefact"), default=0.0),
        std=None,
        min=None,
        max=None,
        images=finding.images,
        unit="",
        better="lower",
        settings={"residual": seeking.residual, "height": finding.size[0], "width": finding.size[1]},
    )
    return score, search.warnings


def earlier(path: Path | None, *, renew: bool) -> dict[str, Report]:
    """Return the reports of a baseline file, by name of the set; none where it is not there yet and will be written.

    Raises
    ------
    InputError : if it is not there and nobody writes it, or cannot be read.
    """
    if path is None or (renew and not path.exists()):
        return {}
    return baseline.read(path)


def judge_sets(
    plans: Sequence[SetPlan],
    reports: Sequence[Report],
    before: Mapping[str, Report],
    *,
    renewing: bool = False,
    strict: bool = False,
    seed: int = 0,
) -> list[Judged]:
    """Judge the report of each plan, beside what the baseline has under its name, as `LimitJudging` says."""
    judging = partial(LimitJudging, renewing=renewing, strict=strict, seed=seed)
    return [
        judge(report, plan.limits, judging(before=before.get(plan.name)), name=plan.name)
        for plan, report in zip(plans, reports, strict=True)
    ]


def renewed(path: Path, judged: Sequence[Judged], before: Mapping[str, Report]) -> str:
    """Write the baseline if every limit of every set passes, with the sets of `before` that are no others; say which.

    Warnings keep it from being written too, or many small changes would pass one by one.
    """
    verdicts = [verdict for each in judged for verdict in each.report.verdicts]
    against = sum(verdict.state != "pass" for verdict in verdicts)
    if against:
        return f"{path} was not written: {against} of {len(verdicts)} limits did not pass"
    baseline.write(path, {**before, **{each.name: each.report for each in judged}})
    return f"{path} was written: every limit passes"
