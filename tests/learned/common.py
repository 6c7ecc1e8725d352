"""What tests of learned metrics share: how to look, and at what."""

from dataclasses import replace

from ffltool.looking import Computing

SETS = ["fid", "kid", "is"]


def in_batches(looking, size):
    return replace(looking, computing=Computing(batch_size=size))


def scores(report):
    return {score.metric: score.value for score in report.scores}
