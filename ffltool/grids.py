"""Periodic artefacts of sets of image files: each set by itself, or against a set of real images.

Images of a set are cut about their centres to the size they have in common, with the reference too, down to multiples
of 16 pixels, so that the lattice lies on frequencies of the DFT, and to 1024 at most; below 32 there is an error, below
64 the lattice is that of 8 pixels. Colours count as grey: a pattern in the colours alone is not seen. A 3x3 median
keeps a bare checkerboard, so that its residual is nothing: the residual "gauss" sees that of clean, flat images.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import PIL
import torch
from torch import Tensor

from ffltool.average import Fate, batch_of, take_in
from ffltool.errors import InputError, NothingComparedError, printable
from ffltool.excess import SMALLEST, STEP, Evidence, Excess
from ffltool.formats import json_text
from ffltool.loading import Loading
from ffltool.peaks import THRESHOLD, Peak, find_peaks
from ffltool.sources import Selection, Source, common_size, is_jpeg

SCHEMA = "ffltool.peaks/1"
MARK = f'"schema": "{SCHEMA}"'  # stands near the start of every such file
_BARE = "a bare checkerboard, which --residual gauss shows"
_TENTH = 10  # more than one JPEG file for so many images, and the grid of the codec may be that of the set
LARGEST = 1024  # pixels of a side: more show no fainter grids, but need more memory


@dataclass(frozen=True, kw_only=True)
class Seeking:
    """How peaks are looked for: in which residual, above which z, on which device."""

    residual: str = "median3"
    threshold: float = THRESHOLD
    device: torch.device | str = "cpu"

    def __post_init__(self) -> None:
        if not 0 <= self.threshold < math.inf:
            raise InputError(f"the threshold must be a number of 0 or more, but is {self.threshold}")


@dataclass(frozen=True, eq=False, kw_only=True)
class Finding:
    """What there is in one set.

    ``images`` without the ``blank`` ones, which have no residual; ``jpeg`` how many files are JPEG; ``size`` (height,
    width) of what was looked at; ``level`` in dB above the background, shape (H, W), centred.
    """

    input: str
    images: int
    blank: int
    jpeg: int
    size: tuple[int, int]
    peaks: tuple[Peak, ...]
    level: Tensor

    @property
    def found(self) -> bool:
        """Whether a peak is held against the images."""
        return any(peak.kind == "artefact" for peak in self.peaks)


@dataclass(frozen=True, eq=False, kw_only=True)
class Search:
    """What there is in each set, and what was asked for; ``reference`` is its label, if there was one."""

    findings: tuple[Finding, ...]
    reference: str | None
    seeking: Seeking
    warnings: tuple[str, ...]

    @property
    def found(self) -> bool:
        """Whether a peak is held against any of the sets."""
        return any(finding.found for finding in self.findings)


def search(
    inputs: Sequence[Path], selection: Selection, seeking: Seeking, loading: Loading, *, reference: Path | None = None
) -> Search:
    """Look for periodic artefacts in images and folders of images, each a set of its own.

    The images of a set are cut about their centres to the size that they have in common with one another and with the
    reference, down to multiples of 16 pixels, at most 1024.

    Raises
    ------
    InputError : for an image that cannot be read, less than 32 pixels in common, or a reference without a residual.
    NothingComparedError : if a set has no image left, or none with a residual.
    """
    sources, _ = selection.sets(inputs)
    real = None if reference is None else selection.sets([reference])[0][0]
    return search_sets(sources, real, seeking, loading)


def search_sets(sources: Sequence[Source], real: Source | None, seeking: Seeking, loading: Loading) -> Search:
    """Do the same for sets of files, and those of a reference."""
    findings, warnings = [], []
    for source in sources:
        finding, said = _finding(source, real, seeking, loading)
        findings.append(finding)
        warnings += said
    return Search(
        findings=tuple(findings),
        reference=None if real is None else printable(real.label),
        seeking=seeking,
        warnings=tuple(dict.fromkeys(warnings)),
    )


def _finding(source: Source, real: Source | None, seeking: Seeking, loading: Loading) -> tuple[Finding, list[str]]:
    sets = [source] if real is None else [source, real]
    size, warnings = _size(sets, loading)
    evidence = []
    for each, other in zip(sets, reversed(sets), strict=True):
        counts = {"images": len(each.files), "against": len(other.files)}
        sums = Excess(*size, **counts, kind=seeking.residual, device=seeking.device)
        fate = take_in(each.files, sums, loading, size=size, batch=batch_of(*size))
        evidence.append(sums.compute())
        warnings += _warnings(each, fate, evidence[-1])
    _check(sets, evidence)
    jpeg = [sum(map(is_jpeg, each.files)) for each in sets]
    # fewer cannot pass for a set but by noise: a tenth of the images at the cap have a mean excess of 1.5, not above it
    many = [_TENTH * files > seen.images for files, seen in zip(jpeg, evidence, strict=True)]
    peaks = find_peaks(
        evidence[0],
        threshold=seeking.threshold,
        jpeg=many[0],
        reference=evidence[1] if real else None,
        jpeg_reference=many[-1] and real is not None,
    )
    if any(peak.kind == "jpeg-grid" for peak in peaks):
        warnings.append(
            f"{source.label}: {jpeg[0]} of {len(source.files)} files are JPEG, whose own grid repeats every 8 pixels: "
            "peaks there do not count; --reference with real JPEG files tells them apart"
        )
    finding = Finding(
        input=printable(source.label),
        images=evidence[0].images,
        blank=evidence[0].blank,
        jpeg=jpeg[0],
        size=size,
        peaks=peaks,
        level=evidence[0].level,
    )
    return finding, warnings


def _check(sets: Sequence[Source], evidence: Sequence[Evidence]) -> None:
    if not evidence[0].images:
        raise NothingComparedError(f"{sets[0].label}: no image has a residual to look at; each is constant, or {_BARE}")
    if not evidence[-1].images:
        raise InputError(f"{sets[-1].label} is no reference: its images have no residual")


def _size(sets: Sequence[Source], loading: Loading) -> tuple[tuple[int, int], list[str]]:
    """Return height and width that are looked at, and warnings."""
    common, several = common_size(sets, skip_broken=loading.skip_broken, workers=loading.workers)
    if min(common) < SMALLEST:
        raise InputError(
            f"{sets[0].label}: {common[0]}x{common[1]} pixels (height x width) is all that the images have in common; "
            f"peaks are looked for in {SMALLEST}x{SMALLEST} and more"
        )
    height, width = (min(side // STEP * STEP, LARGEST) for side in common)
    text = f"{sets[0].label}: images of several sizes were cut about their centres to {height}x{width}"
    return (height, width), [text] if several else []


def _warnings(source: Source, fate: Fate, evidence: Evidence) -> Iterator[str]:
    yield from fate.warnings(source.label)
    if evidence.blank:
        yield (
            f"{source.label}: {evidence.blank} of {len(source.files)} images have no residual to look at; "
            f"they are constant, or {_BARE}"
        )


def as_json(search: Search) -> str:
    """Return what was found, but for the maps, as JSON of the schema `ffltool.peaks/1`."""
    content = {
        "inputs": [_described(finding) for finding in search.findings],
        "reference": search.reference,
        "settings": {"residual": search.seeking.residual, "window": "hann", "device": str(search.seeking.device)},
        "peaks": [{"input": each.input} | asdict(peak) for each in search.findings for peak in each.peaks],
        "found": search.found,
        "threshold": search.seeking.threshold,
        "warnings": [printable(warning) for warning in search.warnings],
        "environment": {"torch": torch.__version__, "pillow": PIL.__version__},
    }
    return json_text(SCHEMA, "peaks", content)


def _described(finding: Finding) -> dict[str, object]:
    names = ("input", "images", "blank", "jpeg", "size", "found")
    return {name: getattr(finding, name) for name in names}


def grid_of(peaks: Iterable[Peak]) -> int | None:
    """Return after how many pixels what is held against images repeats itself; None where nothing is.

    >>> grid_of([]) is None
    True
    """
    artefacts = (peak.lattice for peak in peaks if peak.kind == "artefact")
    return max((lattice for lattice in artefacts if lattice is not None), default=None)
