"""The table of metrics: name -> unit, which way is better, settings. A metric lives in the module of its name.

A metric of pairs has two faces there: a function of the metric's name on batches of tensors (N, C, H, W), and
``of_pair`` on one decoded pair of files. Adding one is a file, a row here and a test file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Literal, Protocol

from ffltool.errors import InputError

if TYPE_CHECKING:
    from numpy import ndarray


class DecodedPair(Protocol):
    """Two decoded images of one size, as ``of_pair`` gets them."""

    height: int
    width: int

    @property
    def mse(self) -> float:
        """The exact mean squared error on the 0..255 scale."""

    def planes(self) -> tuple[ndarray, ndarray]:
        """Both images as arrays, shape (C, H, W), on the 0..255 scale."""


@dataclass(frozen=True, kw_only=True)
class Metric:
    """A row of the table."""

    name: str
    title: str
    unit: str
    better: Literal["lower", "higher"]
    settings: dict[str, float | str] = field(default_factory=dict)
    libraries: tuple[str, ...] = ()  # beside Pillow, for a result names the versions it was computed with

    @property
    def of_pair(self) -> Callable[[DecodedPair], float]:
        """The metric's function of one decoded pair; its module is imported here."""
        return import_module(f"{__name__}.{self.name}").of_pair


METRICS = {
    metric.name: metric
    for metric in (
        Metric(name="lfd", title="log frequency distance", unit="nat", better="lower", settings={"scale": 255}),
        Metric(name="mse", title="mean squared error", unit="level²", better="lower", settings={"scale": 255}),
        Metric(name="psnr", title="peak signal-to-noise ratio", unit="dB", better="higher", settings={"peak": 255}),
        Metric(
            name="ssim",
            title="structural similarity",
            unit="",
            better="higher",
            settings={"peak": 255, "window": "gaussian", "size": 11, "sigma": 1.5, "k1": 0.01, "k2": 0.03},
            libraries=("numpy",),
        ),
    )
}


def look_up(names: Iterable[str]) -> list[Metric]:
    """Return the rows of these names, in this order and each once.

    Raises
    ------
    InputError : for a name that is not in the table, listing those that are; or if there is no name at all.
    """
    wanted = list(dict.fromkeys(name.strip().lower() for name in names))
    for name in wanted:
        if name not in METRICS:
            raise InputError(f"there is no metric {name!r}; known are {', '.join(METRICS)}")
    if not wanted:
        raise InputError(f"no metric was asked for; known are {', '.join(METRICS)}")
    return [METRICS[name] for name in wanted]
