"""The table of metrics: name -> unit, which way is better, settings, and the module that it lives in.

A metric of pairs lives in the module of its name and has two faces there: a function of its name on batches of tensors
(N, C, H, W), and ``of_pair`` on one decoded pair of files. Adding one is a file, a row here and a test file.

A metric of sets compares two sets of images, of any numbers, as wholes. Its module makes the sums that are taken over
the images of one set, ``state(height, width)`` with ``update`` of batches (N, 1 or 3, H, W) in 0..255 and ``compute``,
and ``of_sets`` makes the scores of what two of them computed. Metrics that share a module share the sums.

A metric of labels compares pairs of label maps, whose pixels are no colours, by one sum over all of them.

Learned metrics, of pairs or of sets, look through networks, which take in batches: they have no ``of_pair`` and no
``state``, see `ffltool.learned` for what runs them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING, Literal, Protocol

from ffltool.errors import InputError
from ffltool.report import Better

if TYPE_CHECKING:
    from types import ModuleType

    from numpy import ndarray


class DecodedPair(Protocol):
    """Two decoded images of one size, as ``of_pair`` gets them."""

    @property
    def height(self) -> int:
        """Rows of pixels."""

    @property
    def width(self) -> int:
        """Columns of pixels."""

    @property
    def mse(self) -> float:
        """The exact mean squared error on the 0..255 scale."""

    def planes(self) -> tuple[ndarray, ndarray]:
        """Both images as arrays, shape (C, H, W), on the 0..255 scale: uint8, whose differences wrap, or float64."""


@dataclass(frozen=True, kw_only=True)
class Metric:
    """A row of the table.

    ``better`` is "0" for a metric that is best there; a ``learned`` one looks through a network; ``home`` is the module
    that metrics of sets, or of labels, share; ``parts`` are the names of what a metric of several scores consists of.
    """

    name: str
    title: str
    unit: str
    better: Better
    of: Literal["pairs", "sets", "labels"] = "pairs"
    learned: bool = False
    home: str = ""
    parts: tuple[str, ...] = ()
    settings: dict[str, float | str] = field(default_factory=dict)
    libraries: tuple[str, ...] = ()  # beside Pillow, for a result names the versions it was computed with

    @property
    def score_names(self) -> tuple[str, ...]:
        """The names of its scores."""
        return tuple(f"{self.name}[{part}]" for part in self.parts) or (self.name,)

    @cached_property
    def module(self) -> ModuleType:
        """The module it lives in, imported here."""
        return import_module(f"{__name__}.{self.home or self.name}")

    @property
    def of_pair(self) -> Callable[[DecodedPair], float]:
        """The metric's function of one decoded pair."""
        function: Callable[[DecodedPair], float] = self.module.of_pair
        return function


def _spectral(name: str, title: str, *, unit: str, better: Better, parts: tuple[str, ...] = ()) -> Metric:
    """Return the row of a metric of mean spectra."""
    return Metric(
        name=name,
        title=title,
        unit=unit,
        better=better,
        of="sets",
        home="spectral",
        parts=parts,
        settings={"scale": 255, "channels": "grey", "window": "hann"},
        libraries=("numpy", "torch"),
    )


def _of_features(name: str, title: str, *, better: Better, home: str = "") -> Metric:
    """Return the row of a metric of Inception features."""
    return Metric(
        name=name,
        title=title,
        unit="",
        better=better,
        of="sets",
        learned=True,
        home=home,
        libraries=("numpy", "torch"),
    )


def _of_labels(name: str, title: str) -> Metric:
    """Return the row of a metric of a confusion matrix."""
    return Metric(
        name=name, title=title, unit="", better="higher", of="labels", home="segmentation", libraries=("numpy",)
    )


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
        _spectral("lsd", "log-spectral distance", unit="dB", better="lower"),
        _spectral("sde", "spectral density error", unit="", better="lower"),
        _spectral(
            "gain",
            "power of the fake set over that of the real one",
            unit="dB",
            better="0",
            parts=("0-0.125", "0.125-0.25", "0.25-0.375", "0.375-0.5", "corner"),
        ),
        Metric(
            name="lpips",
            title="learned perceptual image patch similarity",
            unit="",
            better="lower",
            learned=True,
            settings={"heads": "v0.1"},
            libraries=("numpy", "torch", "lpips"),
        ),
        _of_features("fid", "Frechet Inception distance", better="lower"),
        _of_features("kid", "kernel Inception distance", better="lower"),
        _of_features("is", "Inception score", better="higher", home="inception_score"),
        _of_labels("miou", "mean intersection over union"),
        _of_labels("pixel_accuracy", "share of pixels with the right label"),
    )
}

REBUILT = ("psnr", "ssim", "lpips", "fid", "lfd", "lsd")  # of rebuilt images: columns of the paper's tables, and ours


def look_up(names: str | Iterable[str]) -> list[Metric]:
    """Return the rows of these names, or of one, in this order and each once.

    Raises
    ------
    InputError : for a name that is not in the table, listing those that are; or if there is no name at all.
    """
    names = [names] if isinstance(names, str) else names
    wanted = list(dict.fromkeys(name.strip().lower() for name in names))
    for name in wanted:
        if name not in METRICS:
            raise InputError(f"there is no metric {name!r}; known are {', '.join(METRICS)}")
    if not wanted:
        raise InputError(f"no metric was asked for; known are {', '.join(METRICS)}")
    return [METRICS[name] for name in wanted]


def need_pairs(names: Iterable[str]) -> bool:
    """Tell whether any of these metrics compares images, or label maps, pair by pair."""
    return any(metric.of != "sets" for metric in look_up(names))


def need_networks(names: Iterable[str]) -> bool:
    """Tell whether any of these metrics looks through a network."""
    return any(metric.learned for metric in look_up(names))
