"""What a run found, as plain frozen data. Tables, files and figures are functions of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal


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

    ``value`` is the mean over all images, infinite where ``infinite`` (> 0) of them are; ``std`` is the deviation of
    the population, None where a value is infinite; ``min`` and ``max`` may be infinite.
    """

    metric: str
    value: float
    std: float | None
    min: float
    max: float
    images: int
    unit: str
    better: Literal["lower", "higher"]
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


@dataclass(frozen=True, slots=True)
class PairValues:
    """What every metric says of one pair; ``values`` in the order of the report's scores.

    ``real`` and ``fake`` are names relative to the sets' folders, the same where one file holds both images.
    """

    real: str
    fake: str
    height: int
    width: int
    values: tuple[float, ...]


@dataclass(frozen=True, kw_only=True)
class Report:
    """Everything one run found, with what makes its numbers comparable."""

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

    def worst(self, count: int = 3) -> list[PairValues]:
        """Return the `count` pairs that the first metric judges worst, worst first; equal ones in their order."""
        first = self.scores[0]
        return sorted(self.pairs, key=lambda pair: pair.values[0], reverse=first.better == "lower")[:count]
