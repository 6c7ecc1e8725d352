"""A set's features as mean and covariance, and for KID as they are: an NPZ file, and all that must agree of two."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy import ndarray
from torch import Tensor

from ffltool import __version__
from ffltool.archives import opened, packed
from ffltool.errors import InputError
from ffltool.metrics.fid import Gaussian
from ffltool.metrics.inception import LAYERS
from ffltool.report import ImageSet

SCHEMA = "ffltool.statistics/1"
MARK = "\0\0\0".join(SCHEMA)  # as NumPy writes it, near the end of the file
_LARGEST = 1e15  # that features, or products of them, can be: the kernel of larger ones would overflow
_TEXTS = ("layer", "preset", "weights", "precision", "digest", "version")


@dataclass(frozen=True, eq=False, kw_only=True)
class Statistics:
    """A set, and what it was looked at with.

    ``layer`` and ``preset`` are those of `metrics.inception`; ``weights`` is the SHA-256 over the network's tensors,
    `checkpoints.digest_of_tensors`, which does not depend on how they were saved; ``precision`` is that of the
    convolutions, ``version`` is ffltool's. ``features``, shape (count, d), are those of every image, where KID wanted
    them. ``sizes`` and ``digest`` are of the images, see `report.ImageSet`.
    """

    gaussian: Gaussian
    layer: str
    preset: str
    weights: str
    precision: str
    sizes: tuple[tuple[int, int], ...]
    digest: str
    features: Tensor | None = None
    version: str = __version__

    def facts(self, path: str) -> ImageSet:
        """Return what a report says of the set, by the path that was given."""
        return ImageSet(path=path, images=self.gaussian.count, sizes=self.sizes, digest=self.digest)


def as_npz(statistics: Statistics) -> bytes:
    """Return statistics as an NPZ archive; `from_npz` reads it back.

    It takes 8 d^2 bytes, 33 MB for 2048 features, and 4 d for each image, 8 KB, where the features are in it.
    """
    gaussian = statistics.gaussian
    arrays = {"mean": gaussian.mean.numpy(), "covariance": gaussian.covariance.numpy()}
    if statistics.features is not None:
        arrays["features"] = statistics.features.numpy()
    arrays |= {"sizes": np.array(statistics.sizes), "count": np.array(gaussian.count)}
    arrays |= {name: np.array(getattr(statistics, name)) for name in _TEXTS}
    return packed(arrays, schema=SCHEMA)


def from_npz(path: Path, *, layer: str, preset: str, weights: str, precision: str) -> Statistics:
    """Read the statistics that `as_npz` made of a set, to be compared with one that is looked at in this way.

    Raises
    ------
    InputError : if there are none, or they are not finite or fit together, or made with another layer, preset,
        precision or other weights.
    """
    found = _read(path)
    way = {"layer": layer, "preset": preset, "weights": weights, "precision": precision}
    for name, wanted in way.items():
        if (value := getattr(found, name)) != wanted:
            raise InputError(f"{path} was made with {name} {value}, not with {wanted}; they cannot be compared")
    _check(found, path)
    return found


def _check(found: Statistics, path: Path) -> None:
    """Find out whether the arrays are what they are called."""
    gaussian, width = found.gaussian, LAYERS[found.layer]
    covariance = gaussian.covariance
    if gaussian.mean.shape != (width,) or covariance.shape != (width, width) or gaussian.count < 2:
        raise InputError(f"{path} holds a mean and a covariance that do not fit, or fewer than two images")
    if found.features is not None and found.features.shape != (gaussian.count, width):
        raise InputError(f"{path} holds features that do not fit")
    parts = (gaussian.mean, covariance, *([] if found.features is None else [found.features]))
    if not all((part.abs() <= _LARGEST).all() for part in parts):
        raise InputError(f"{path} holds values that are not finite, or no network's")
    if covariance.diagonal().min() < 0 or not torch.allclose(covariance, covariance.T):
        raise InputError(f"{path} holds a covariance that is none: it has two sides, or variances below 0")


def _read(path: Path) -> Statistics:
    with opened(path, schema=SCHEMA, holding="statistics") as file:

        def numbers(name: str, kind: type) -> ndarray:
            with np.errstate(over="ignore"):  # what is infinite then is an error
                return file[name].astype(kind, casting="same_kind")

        mean, covariance = (torch.from_numpy(numbers(name, np.float64)) for name in ("mean", "covariance"))
        gaussian = Gaussian(count=int(numbers("count", np.int64)), mean=mean, covariance=covariance)
        features = torch.from_numpy(numbers("features", np.float32)) if "features" in file else None
        sizes = tuple((int(height), int(width)) for height, width in numbers("sizes", np.int64))
        texts = {name: str(file[name]) for name in _TEXTS}
        return Statistics(gaussian=gaussian, features=features, sizes=sizes, **texts)
