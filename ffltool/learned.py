"""Learned metrics of a run: what networks say of the images that pass by."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import torch
from torch import Tensor

from ffltool import outputs, ranks
from ffltool.ahead import Ahead
from ffltool.errors import InputError, ShapeError
from ffltool.features import FeatureSets
from ffltool.loaded import Networks
from ffltool.looking import Looking
from ffltool.metrics.inception import prepared
from ffltool.outcomes import SKIPPED, Outcome
from ffltool.set_statistics import as_npz

if TYPE_CHECKING:
    from ffltool.metrics import Metric
    from ffltool.metrics.lpips import Lpips
    from ffltool.pairing import Pairing
    from ffltool.report import ImageSet

Place = TypeVar("Place")  # what images belong to
Items = list[tuple[Place, tuple[np.ndarray, ...]]]

_BATCH = {"cpu": 8, "cuda": 64, "mps": 16}  # pairs or images, where nothing else is asked for
_PIXELS = {"cpu": 1 << 19, "cuda": 1 << 22, "mps": 1 << 20}  # of one side of them: VGG takes 512 bytes of each


class Learned:
    """The networks of a run and what they said, filled from the images of outcomes as they pass by.

    Parameters
    ----------
    metrics : all of the run; ``metrics`` are those that can be computed, see `Networks`.
    alpha, skip_broken : how files are read, see `ffltool.evaluate.evaluate_pairs`.

    Raises
    ------
    InputError, WeightsError : as `Networks` and `FeatureSets` do.
    """

    def __init__(
        self, metrics: Sequence[Metric], looking: Looking, pairing: Pairing, *, alpha: str, skip_broken: bool
    ) -> None:
        self.looking, self.networks = looking, Networks(metrics, looking)
        self.metrics = self.networks.metrics
        self.lpips = self.networks.lpips.module if self.networks.lpips else None
        self.sets: FeatureSets | None = None
        if inception := self.networks.inception:
            self.sets = FeatureSets(self.networks, inception, pairing)
            # which pairs a broken image takes along is not known before all are read
            of_all_files = not (pairing.in_memory or (pairing.paired and skip_broken))
            if looking.sources.cached and ranks.world() == 1 and of_all_files:
                self.sets.recall(alpha=alpha)
        in_pairs = [metric.learned for metric in self.metrics if metric.of == "pairs"]
        self._column = in_pairs.index(True) if self.lpips else len(in_pairs)  # of LPIPS among the values of pairs
        self.warnings = self.networks.warnings
        alone = not pairing.paired and all(metric.learned for metric in self.metrics)
        self.pairing = pairing
        if self.sets and alone:
            self.pairing = self.sets.without_known(heads_suffice=not (pairing.in_memory or skip_broken))

    @property
    def shown(self) -> tuple[bool, bool]:
        """Whether the network of sets is to look at the real images, and at the fake ones."""
        return self.sets.shown if self.sets else (False, False)

    @property
    def known(self) -> tuple[ImageSet | None, ImageSet | None]:
        """What is known of sets whose images are not read."""
        if not self.sets:
            return None, None
        real, fake = self.sets.sides
        return real.facts, fake.facts

    @property
    def threads(self) -> int | None:
        """How many of torch's threads the networks leave sense for: on the CPU each core has a batch of its own."""
        return 1 if self.networks.device.type == "cpu" else None

    def all_reduce(self) -> None:
        """Bring the features of sets together over all processes; values of pairs are among the outcomes."""
        if self.sets:
            self.sets.all_reduce()

    def keep(self, outcomes: Iterable[Outcome]) -> None:
        """Keep features for later runs, unless there is something to say of the files that these would not say."""
        if self.sets and not any(outcome.state == SKIPPED or outcome.alphas for outcome in outcomes):
            try:
                self.sets.keep()
            except InputError as error:
                self.warnings += (f"features were not kept for later runs: {error}",)

    def save(self, path: Path, facts: ImageSet) -> None:
        """Write the statistics of the real set, whose files `facts` are of, where networks looked at sets."""
        if self.sets:
            outputs.write(path, as_npz(self.sets.statistics(facts)))

    def passing(self, outcomes: Iterable[Outcome]) -> Iterator[Outcome]:
        """Yield outcomes with the LPIPS of pairs among their values, some batches after they came."""
        device = self.networks.device.type
        size = self.looking.computing.batch_size or _BATCH[device]
        numbered = enumerate(outcomes)
        under_way: deque[Callable[[], Iterator[Outcome]]] = deque()
        with Ahead(self.networks.device) as ahead, self._memory(size):
            while batch := list(islice(numbered, size)):
                under_way.append(self._begin(batch, ahead))
                while len(under_way) > ahead.depth:
                    yield from under_way.popleft()()
            while under_way:
                yield from under_way.popleft()()

    @contextmanager
    def _memory(self, size: int) -> Iterator[None]:
        """Say what takes less, where the device has not enough memory."""
        try:
            yield
        except torch.cuda.OutOfMemoryError as error:
            device = self.networks.device
            raise InputError(
                f"{device} lacks memory for {size} at a time; a smaller --batch-size takes less"
            ) from error

    def _begin(self, batch: list[tuple[int, Outcome]], ahead: Ahead) -> Callable[[], Iterator[Outcome]]:
        """Let the networks look at the images of outcomes, and return what waits for that and yields these."""
        outcomes = {ranks.rank() + ranks.world() * number: outcome for number, outcome in batch}
        pairs: list[Items[int]] = []
        if self.lpips:
            fitted = [(place, each.fitted) for place, each in outcomes.items() if each.fitted is not None]
            self._check(self.lpips, fitted)
            pairs = _in_groups(fitted, pixels=None if self.looking.computing.batch_size else _PIXELS[ahead.device.type])
        images = _in_groups(
            ((side, place), (image,))
            for place, outcome in outcomes.items()
            for side, image in enumerate(outcome.shown)
            if image is not None
        )
        results = ahead.start(partial(self._look, pairs, images, ahead.tensor))
        bare = {
            place: each._replace(cut=(None, None), fitted=None, shown=(None, None)) for place, each in outcomes.items()
        }
        return partial(self._finish, bare, _belonging(pairs), _belonging(images), results)

    def _look(
        self,
        pairs: list[Items[int]],
        images: list[Items[tuple[int, int]]],
        tensor: Callable[[Sequence[np.ndarray]], Tensor],
    ) -> dict[str, Tensor]:
        """Return what the networks say, in the order of the groups."""
        found: dict[str, Tensor] = {}
        with torch.inference_mode():
            if self.lpips and pairs:
                sides = (zip(*(both for _, both in group), strict=True) for group in pairs)
                found["lpips"] = torch.cat([self.lpips(*map(tensor, both)) for both in sides])
            if self.sets and images:
                batches = (tensor([image for _, (image,) in group]) for group in images)
                shown = torch.cat([prepared(batch, preset=self.looking.preset) for batch in batches])
                found |= self.sets.look(shown)
        return found

    def _finish(
        self,
        outcomes: dict[int, Outcome],
        pairs: list[int],
        images: list[tuple[int, int]],
        results: Callable[[], Mapping[str, Tensor]],
    ) -> Iterator[Outcome]:
        found = results()
        if self.sets and images:
            self.sets.update(found, images)
        for place, value in zip(pairs, found["lpips"].tolist() if pairs else (), strict=True):
            values = list(outcomes[place].values)
            values.insert(self._column, value)
            outcomes[place] = outcomes[place]._replace(values=tuple(values))
        yield from outcomes.values()

    def _check(self, lpips: Lpips, fitted: Iterable[tuple[int, tuple[np.ndarray, np.ndarray]]]) -> None:
        for place, (real, _) in fitted:
            try:
                lpips.check(*real.shape)
            except ShapeError as error:
                raise ShapeError(f"{self.pairing.files(self.pairing.pairs[place])[0]}: {error}") from error


def _in_groups(
    items: Iterable[tuple[Place, tuple[np.ndarray, ...]]], *, pixels: int | None = None
) -> list[Items[Place]]:
    """Return items in groups of one shape and type, of at most so many pixels, or of one item."""
    groups: dict[tuple[tuple[tuple[int, ...], np.dtype], ...], Items[Place]] = {}
    for belonging, images in items:
        kind = tuple((image.shape, image.dtype) for image in images)
        groups.setdefault(kind, []).append((belonging, images))
    parts: list[Items[Place]] = []
    for (((_, height, width), _), *_), group in groups.items():
        most = len(group) if pixels is None else max(1, pixels // (height * width))
        parts += [group[start : start + most] for start in range(0, len(group), most)]
    return parts


def _belonging(groups: list[Items[Place]]) -> list[Place]:
    return [belonging for group in groups for belonging, _ in group]
