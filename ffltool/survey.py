"""Mean spectra of several sets, the first of them the reference: measured, kept as NPZ, and shown.

Values are kept as they were averaged; what is drawn of them, `ffltool.views` knows.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from ffltool import __version__, ranks
from ffltool.archives import opened, packed
from ffltool.average import Fate, average, check_size, whitening_of
from ffltool.errors import BrokenImageError, InputError, NothingComparedError, printable
from ffltool.images import read
from ffltool.loading import Loading
from ffltool.mean_spectrum import Average
from ffltool.pairing import digest
from ffltool.provenance import versions
from ffltool.recipes import Recipe
from ffltool.sizes import sizes_of
from ffltool.sources import Selection, Source, common_size

SCHEMA = "ffltool.spectrum/1"
_DRAWN = ("show", "curves")  # options of a recipe that have no say in what is measured
_EXAMPLE = 384  # pixels of the longer side of an example image
_LARGEST = {"radius": 1.0, "angle": 180.0, "spread": 1e4}  # that there can be: 1e4 dB are more than float64 has


class About(NamedTuple):
    """A set: its label, what it was given as, and how many images were measured."""

    label: str
    input: str
    images: int


@dataclass(frozen=True, eq=False, kw_only=True)
class Survey:
    """What was measured, as it is written: S sets, R rings, A orientations, maps of H x W frequencies.

    ``labels`` (S,); ``radius`` (R,) in cycles per pixel, ``counts`` (R,) of frequencies; ``profile``, ``profile_std``
    (S, R), linear, and ``profile_spread``, the deviation over images in dB (of a logarithm, in nat); the same over
    ``angle`` (A,) in degrees: ``angular``, ``angular_std``, ``angular_spread``; ``maps`` (S, H, W), centred;
    ``examples``, an 8-bit image of each set; ``meta``: every convention, the files by count and digest, versions.
    """

    labels: tuple[str, ...]
    radius: NDArray[np.float64]
    counts: NDArray[np.int64]
    profile: NDArray[np.float64]
    profile_std: NDArray[np.float64]
    profile_spread: NDArray[np.float64]
    angle: NDArray[np.float64]
    angular: NDArray[np.float64]
    angular_std: NDArray[np.float64]
    angular_spread: NDArray[np.float64]
    maps: NDArray[np.float64]
    examples: tuple[NDArray[np.uint8], ...]
    meta: dict[str, Any]

    @property
    def recipe(self) -> Recipe:
        """The conventions that it was measured by."""
        return Recipe(**self.meta["recipe"])

    @property
    def layout(self) -> str:
        """What it was measured for, a name in `ffltool.views.LAYOUTS`."""
        layout: str = self.meta["selection"]["layout"]
        return layout

    @property
    def size(self) -> tuple[int, int]:
        """Height and width that all images were cut to."""
        height, width = self.meta["size"]
        return height, width

    @property
    def sets(self) -> list[About]:
        """What there is to say of each set."""
        return [About(*(each[name] for name in About._fields)) for each in self.meta["sets"]]

    @property
    def warnings(self) -> list[str]:
        """What was noticed on the way."""
        return list(self.meta["warnings"])


def survey(
    inputs: Sequence[Path],
    selection: Selection,
    recipe: Recipe,
    loading: Loading,
    *,
    size: int | None = None,
    device: torch.device | str = "cpu",
) -> Survey:
    """Measure the mean spectra of sets of images.

    All are cut about their centres to `size` x `size` pixels, or to the height and width that all have in common.

    Raises
    ------
    InputError : for an image that cannot be read, or is smaller than the size wanted.
    NothingComparedError : if a set has no image left.
    """
    sources, lone = selection.sets(inputs)
    warnings = [*lone]
    if loading.skip_broken and selection.layout in ("pairs", "batch"):
        sources, broken = _without_broken(sources, loading, pairs=selection.layout == "pairs")
        warnings += broken
    if size is None:
        cut, said = common_size(sources, skip_broken=loading.skip_broken, workers=loading.workers)
        warnings += said
    else:
        cut = size, size  # first of all, for a size that no image has may be one that no memory has
        files = (path for source in sources for path in source.files)
        for path, has in sizes_of(files, skip_broken=loading.skip_broken, workers=loading.workers).items():
            check_size(path, has, cut)
    averages, examples, sets = [], [], []
    with ranks.group():
        whitening = whitening_of(sources[0].files, recipe, loading, size=cut)
        for source in sources:
            try:
                mean, fate = average(source.files, recipe, loading, size=cut, whitening=whitening, device=device)
            except NothingComparedError as error:
                raise NothingComparedError(f"{source.given}: {error}") from error
            left = [path for path in source.files if path not in fate.skipped]
            averages.append(mean)
            examples.append(_example(left[0], loading, size=cut))
            sets.append(_described(source, left, fate))
            warnings += _warnings(source, fate)
    meta = {
        "schema": SCHEMA,
        "version": __version__,
        "recipe": asdict(recipe),
        "selection": asdict(selection),
        "size": list(cut),
        "whitening": list(whitening),
        "sets": sets,
        "warnings": warnings,
        "alpha": loading.alpha,
        "environment": {"device": str(device), **versions()},
    }
    return assembled(averages, examples, meta)


def _without_broken(sources: Sequence[Source], loading: Loading, *, pairs: bool) -> tuple[list[Source], list[str]]:
    """Return the sets without those of which every image is broken, nor the partners of these, and warnings."""
    lost = {number for number, source in enumerate(sources) if all(map(partial(_is_broken, loading), source.files))}
    lost |= {number ^ 1 for number in lost} if pairs else set()
    left = [source for number, source in enumerate(sources) if number not in lost]
    if not left:
        raise NothingComparedError("every image is broken")
    names = ", ".join(printable(path.name) for number in sorted(lost) for path in sources[number].files)
    return left, [f"sets of broken images were left out: {names}"] if lost else []


def _is_broken(loading: Loading, path: Path) -> bool:
    try:
        read(path, alpha=loading.alpha)
    except BrokenImageError:
        return True
    return False


def _described(source: Source, files: list[Path], fate: Fate) -> dict[str, object]:
    return {
        "label": printable(source.label),
        "input": printable(source.given),
        "images": len(files),
        "digest": digest((path.name, path.stat().st_size) for path in files),
        "skipped": [printable(path.name) for path in fate.skipped],
    }


def _example(path: Path, loading: Loading, *, size: tuple[int, int]) -> NDArray[np.uint8]:
    """Return an image as it is shown, 8 bits, shape (h, w, 1 or 3)."""
    picture = read(path, alpha=loading.alpha).centre_crop(*size).shrink(_EXAMPLE)
    levels: NDArray[np.uint8] = np.rint(np.moveaxis(picture.planes(), 0, -1)).astype(np.uint8)
    return levels


def _warnings(source: Source, fate: Fate) -> Iterator[str]:
    yield from fate.warnings(source.label)
    if fate.constant:
        yield f"{source.label}: {fate.constant} of {len(source.files)} images are constant and have no spectrum"


def assembled(averages: Sequence[Average], examples: Sequence[NDArray[np.uint8]], meta: dict[str, Any]) -> Survey:
    """Return the survey of sets by their mean spectra, an image (h, w, 1 or 3) of each, and what `meta` says."""

    def of(kind: str, part: str) -> NDArray[np.float64]:
        """Return a part of a profile of all sets, shape (S, groups)."""
        return np.stack([getattr(getattr(mean, kind), part).numpy() for mean in averages])

    return Survey(
        labels=tuple(each["label"] for each in meta["sets"]),
        radius=averages[0].radial.x.numpy(),
        counts=averages[0].radial.counts.numpy(),
        profile=of("radial", "mean"),
        profile_std=of("radial", "std"),
        profile_spread=of("radial", "spread"),
        angle=averages[0].angular.x.numpy(),
        angular=of("angular", "mean"),
        angular_std=of("angular", "std"),
        angular_spread=of("angular", "spread"),
        maps=np.stack([mean.map.numpy() for mean in averages]),
        examples=tuple(examples),
        meta=meta,
    )


_ARRAYS = [field.name for field in fields(Survey) if field.name not in ("labels", "examples", "meta")]


def as_npz(survey: Survey) -> bytes:
    """Return a survey as a compressed NPZ archive; `from_npz` reads it back."""
    arrays = {name: getattr(survey, name) for name in _ARRAYS}
    arrays |= {f"example_{number}": example for number, example in enumerate(survey.examples)}
    arrays |= {"labels": np.array(survey.labels), "meta": np.array(json.dumps(survey.meta))}
    return packed(arrays, schema=SCHEMA, save=np.savez_compressed)


def from_npz(path: Path) -> Survey:
    """Read a survey from an archive that `as_npz` made.

    Raises
    ------
    InputError : if there is none, or it is something else.
    """
    with opened(path, schema=SCHEMA, holding="spectra") as file:
        labels, meta = tuple(map(str, file["labels"])), json.loads(str(file["meta"]))
        examples = tuple(file[f"example_{number}"] for number in range(len(labels)))
        arrays = {name: file[name] for name in _ARRAYS}
        return _checked(Survey(**arrays, labels=labels, examples=examples, meta=meta))


def _checked(survey: Survey) -> Survey:
    """Return a survey; raise ValueError, KeyError or TypeError for one whose parts do not fit together."""
    sets = len(survey.labels)
    wanted = {"counts": survey.radius.shape, "maps": (sets, *survey.maps.shape[1:])}
    wanted |= {name: (getattr(survey, name).size,) for name in ("radius", "angle")}
    wanted |= {f"profile{part}": (sets, len(survey.radius)) for part in ("", "_std", "_spread")}
    wanted |= {f"angular{part}": (sets, len(survey.angle)) for part in ("", "_std", "_spread")}
    for name, shape in wanted.items():
        array = getattr(survey, name)
        if array.shape != shape or array.dtype.kind not in "fi" or not np.can_cast(array.dtype, np.float64):
            raise ValueError(f"{name} is no array of numbers of shape {shape}")
        if (np.abs(array) > _LARGEST.get(name.rpartition("_")[2], math.inf)).any():
            raise ValueError(f"{name} is beyond what there can be")
    if not sets or survey.maps.ndim != 3 or not survey.maps.size or not all(map(_is_example, survey.examples)):
        raise ValueError("there are no maps, or no examples, of images")
    _ = survey.recipe, survey.size  # that they are there and known
    if not isinstance(survey.layout, str):
        raise ValueError("there is no such layout")
    if len(survey.sets) != sets or not isinstance(survey.meta["warnings"], list):
        raise ValueError("meta does not fit the arrays")
    return survey


def _is_example(image: NDArray[Any]) -> bool:
    return image.dtype == np.uint8 and image.ndim == 3 and image.size > 0 and image.shape[-1] in (1, 3)


def shown_otherwise(survey: Survey, changes: Mapping[str, Any]) -> Survey:
    """Return a survey with other options of its recipe, of those that decide how it is drawn: `show` and `curves`.

    Raises
    ------
    InputError : for other options, and values that they cannot have.
    """
    if measured := [name for name in changes if name not in _DRAWN]:
        raise InputError(f"{', '.join(measured)} cannot be changed without the images; {' and '.join(_DRAWN)} can")
    return replace(survey, meta=survey.meta | {"recipe": asdict(replace(survey.recipe, **changes))})
