"""Mean and covariance of a set's features as an NPZ file, with all that must agree before two sets are compared."""

from __future__ import annotations

import io
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from ffltool import __version__
from ffltool.errors import InputError
from ffltool.metrics.fid import Gaussian

SCHEMA = "ffltool.statistics/1"
MARK = "ffltool.npy"  # the name of an entry of the archive, which stands near its end
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
    try:
        with path.open("rb") as content, np.load(content, allow_pickle=False) as file:
            if "ffltool" not in file or str(file["ffltool"]) != SCHEMA:
                raise InputError(f"{path} holds no statistics of ffltool")
            mean, covariance = (torch.from_numpy(file[name].astype(np.float64)) for name in ("mean", "covariance"))
            gaussian = Gaussian(count=int(file["count"]), mean=mean, covariance=covariance)
            return Statistics(gaussian=gaussian, **{name: str(file[name]) for name in _TEXTS})
    except InputError:
        raise
    except FileNotFoundError as error:
        raise InputError(f"{path} does not exist") from error
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}") from error
    except (ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise InputError(f"{path} is no NPZ file that can be read: {error}") from error
