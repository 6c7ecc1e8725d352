"""Mean and covariance of a set's features as an NPZ file, with all that must agree before two sets are compared."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from ffltool import __version__
from ffltool.archives import opened
from ffltool.errors import InputError
from ffltool.metrics.fid import Gaussian

SCHEMA = "ffltool.statistics/1"
_TEXTS = ("layer", "preset", "weights", "version")


@dataclass(frozen=True, eq=False, kw_only=True)
class Statistics:
    """A set, and what it was looked at with.

    ``layer`` and ``preset`` are those of `metrics.inception`; ``weights`` is the SHA-256 over the network's tensors,
    `checkpoints.digest_of_tensors`, which does not depend on how they were saved; ``version`` is ffltool's.
    """

    gaussian: Gaussian
    layer: str
    preset: str
    weights: str
    version: str = __version__


def as_npz(statistics: Statistics) -> bytes:
    """Return statistics as an NPZ archive, 33 MB for 2048 features; `from_npz` reads it back."""
    gaussian, content = statistics.gaussian, io.BytesIO()
    arrays = {"mean": gaussian.mean.numpy(), "covariance": gaussian.covariance.numpy()}
    texts = {name: np.array(getattr(statistics, name)) for name in _TEXTS}
    np.savez(content, **arrays, count=np.array(gaussian.count), **texts, ffltool=np.array(SCHEMA))
    return content.getvalue()


def from_npz(path: Path, *, layer: str, preset: str, weights: str) -> Statistics:
    """Read the statistics that `as_npz` made of a set, to be compared with one that is looked at in this way.

    Raises
    ------
    InputError : if there are none, or they are not finite, or made with another layer, preset or other weights.
    """
    found = _read(path)
    for name, wanted in (("layer", layer), ("preset", preset), ("weights", weights)):
        if (value := getattr(found, name)) != wanted:
            raise InputError(f"{path} was made with {name} {value}, not with {wanted}; they cannot be compared")
    gaussian = found.gaussian
    width = len(gaussian.mean)
    if gaussian.mean.ndim != 1 or gaussian.covariance.shape != (width, width) or gaussian.count < 2:
        raise InputError(f"{path} holds a mean and a covariance that do not fit, or fewer than two images")
    if not (gaussian.mean.isfinite().all() and gaussian.covariance.isfinite().all()):
        raise InputError(f"{path} holds values that are not finite")
    return found


def _read(path: Path) -> Statistics:
    with opened(path, schema=SCHEMA, holding="statistics") as file:
        mean, covariance = (torch.from_numpy(file[name].astype(np.float64)) for name in ("mean", "covariance"))
        gaussian = Gaussian(count=int(file["count"]), mean=mean, covariance=covariance)
        return Statistics(gaussian=gaussian, **{name: str(file[name]) for name in _TEXTS})
