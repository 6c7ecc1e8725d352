"""How networks look at the images of a run, as it was asked for. No torch here: most runs need none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

    from ffltool.stream import Progress

SEED = 2020  # torch-fidelity's


@dataclass(frozen=True, kw_only=True)
class Sources:
    """Where weights come from, and features.

    ``own`` is a file for each network that has one; see `weights.load` for that, ``download`` and its ``progress``.
    ``skip_missing`` leaves out the metrics whose weights are not there. ``cached`` takes the features that earlier runs
    kept, and keeps those of this one.
    """

    own: Mapping[str, Path] = field(default_factory=dict)
    download: bool = False
    progress: Progress | None = None
    skip_missing: bool = False
    cached: bool = True


@dataclass(frozen=True, kw_only=True)
class Computing:
    """What networks compute on, and how.

    ``half`` convolves in float16. ``batch_size`` is how many pairs, or images of sets, go through a network at a time.
    """

    device: torch.device | str = "cpu"
    half: bool = False
    batch_size: int | None = None

    @property
    def precision(self) -> str:
        """That of the convolutions."""
        return "float16" if self.half else "float32"


@dataclass(frozen=True, kw_only=True)
class Looking:
    """What learned metrics see.

    ``backbone`` is LPIPS's (`metrics.lpips.BACKBONES`), ``preset`` and ``layer`` are those of FID and KID
    (`metrics.inception`), ``seed`` is of the subsets of KID and the order of IS.
    """

    backbone: str = "alex"
    preset: str = "pytorch-fid"
    layer: str = "2048"
    seed: int = SEED
    computing: Computing = Computing()
    sources: Sources = Sources()
