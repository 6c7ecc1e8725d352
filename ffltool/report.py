"""What a run found, as plain frozen data. Tables, files and figures are functions of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from numbers import Integral
from typing import TYPE_CHECKING, Literal, TypeGuard

if TYPE_CHECKING:
    from torch import Tensor

Better = Literal["lower", "higher", "0"]
State = Literal["pass", "warn", "fail", "missing"]

MOST_BANDS = 4096  # of frequencies, that a report may tell apart


def may_be_bands(value: object) -> TypeGuard[int]:
    """Tell whether a value is a number of bands that a report may have."""
    return isinstance(value, Integral) and not isinstance(value, bool) and 1 <= int(value) <= MOST_BANDS


@dataclass(frozen=True, kw_only=True)
class ImageSet:
    """One side of a comparison.

    ``sizes`` are the distinct (height, width) that occur, ``digest`` is over the relative names and the sizes in
    bytes of the files compared, in order.
    """

    path: str
    images: int
    sizes: tuple[tuple[int, int], ...]
    digest: str


@dataclass(frozen=True, kw_only=True)
class Score:
    """One metric over one comparison.

    Of a metric of pairs ``value`` is the mean over all images, infinite where ``infinite`` (> 0) of them are; ``std``
    is the deviation of the population, None where a value is infinite; ``min`` and ``max`` may be infinite.

    A metric of sets has one value, for ``images`` of the fake set: ``min`` and ``max`` are None, ``std`` is that over
    the subsets of KID or the splits of IS and None elsewhere, and ``infinite`` is 1 where the value is. ``better`` is
    "0" where the metric is best at 0.

    A metric of labels has one value too, of all pixels of ``images`` pairs together; ``min`` and ``max`` are of the
    pairs by themselves.
    """

    metric: str
    value: float
    std: float | None
    min: float | None
    max: float | None
    images: int
    unit: str
    better: Better
    infinite: int = 0
    settings: dict[str, float | str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class BandScore:
    """What the comparison says of a band of frequencies, [low, high) in cycles per pixel.

    ``lfd`` is the mean over images, in nat; ``share`` is of the squared error of all bands, ``amplitude_share`` and
    ``phase_share`` are of that of the band; ``gain_db`` is the power of the fake over that of the real. A share of
    nothing and the gain of a band without power are None.
    """

    name: str
    low: float
    high: float
    lfd: float
    share: float | None
    amplitude_share: float | None
    phase_share: float | None
    gain_db: float | None


@dataclass(frozen=True, kw_only=True)
class ClassScore:
    """What the comparison of label maps says of a class, of all pixels that are not ignored in the real map.

    ``iou`` is intersection over union, None for a class that neither side has; ``accuracy`` is the share of its real
    pixels that are right, None where there are none. The numbers of pixels are of the real map, the fake one, and both.
    """

    label: int
    iou: float | None
    accuracy: float | None
    real_pixels: int
    fake_pixels: int
    right_pixels: int


@dataclass(frozen=True, slots=True)
class PairValues:
    """What every metric of pairs, or of labels, says of one; ``values`` in the order of their scores.

    ``real`` and ``fake`` are names relative to the sets' folders, the same where one file holds both images.
    """

    real: str
    fake: str
    height: int
    width: int
    values: tuple[float, ...]


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What came of one limit.

    ``limit`` says it in words, "psnr mean >= 30 dB"; ``value`` is what was held against it, None where there is none,
    and may be infinite. With a baseline there are its value and the change since. Intervals are of 95 %, of the value
    and of the change; ``significant`` is whether 0 lies outside the latter.
    """

    limit: str
    metric: str
    statistic: str
    state: State
    value: float | None
    unit: str
    reason: str
    baseline: float | None = None
    change: float | None = None
    interval: tuple[float, float] | None = None
    change_interval: tuple[float, float] | None = None
    significant: bool | None = None


@dataclass(frozen=True, kw_only=True)
class Report:
    """Everything one run found, with what makes its numbers comparable.

    ``error_map`` is the mean over pairs of |F_real - F_fake|^2 / (H W), shape (H, W), centred, where it was asked for.
    """

    command: str
    version: str
    real: ImageSet
    fake: ImageSet
    scores: tuple[Score, ...]
    pairs: tuple[PairValues, ...]
    warnings: tuple[str, ...]
    environment: dict[str, str | None]
    seconds: float
    bands: tuple[BandScore, ...] = ()
    classes: tuple[ClassScore, ...] = ()
    error_map: Tensor | None = field(default=None, compare=False, repr=False)
    verdicts: tuple[Verdict, ...] = ()

    @property
    def of_pairs(self) -> tuple[Score, ...]:
        """The scores of metrics of pairs or of labels, which `pairs` have the values of."""
        return tuple(score for score in self.scores if score.min is not None)

    @property
    def by_severity(self) -> list[Verdict]:
        """The verdicts, failures first, equal ones in order."""
        order = ("fail", "missing", "warn", "pass")
        return sorted(self.verdicts, key=lambda verdict: order.index(verdict.state))

    def worst(self, count: int = 3) -> list[PairValues]:
        """Return the `count` pairs that the first metric of pairs judges worst, worst first; equal ones in order."""
        lower = bool(self.pairs) and self.of_pairs[0].better == "lower"
        return sorted(self.pairs, key=lambda pair: pair.values[0], reverse=lower)[:count]
