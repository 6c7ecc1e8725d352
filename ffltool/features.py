"""The Inception features of both sets of a run: gathered from images, kept from an earlier run, or out of a file.

For the Fréchet distance alone they are summed up, in up to 50 MB a set for 2048 features, whatever the number of
images. KID keeps 8192 bytes of every image (4 for each feature of the layer) and the Inception score 4032 of every fake
one: 819 MB and 202 MB for 50,000 images of both sides, and for a moment at the end copies of that, in the order of the
images.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from torch import Tensor

from ffltool import __version__, feature_cache, ranks
from ffltool.errors import InputError, printable
from ffltool.loaded import CLASSES, Network, Networks
from ffltool.metrics import Metric
from ffltool.metrics.fid import Gaussian, Moments, frechet_distance
from ffltool.metrics.inception import LAYERS, Inception
from ffltool.metrics.inception_score import SPLITS, inception_score
from ffltool.metrics.kid import kid
from ffltool.metrics.sums import Placed
from ffltool.pairing import Pairing, digest
from ffltool.report import ImageSet
from ffltool.set_statistics import Statistics, from_npz
from ffltool.sizes import sizes_of

_LEAST = {"fid": 2, "kid": 2, "is": SPLITS}  # images of a set that a metric needs


class FeatureSet:
    """What is known of one set, by the metrics that need it: moments for FID, rows for KID and IS.

    ``pending`` are the metrics that images are still to be looked at for. ``facts`` are of the files, where those are
    not read.
    """

    def __init__(self, metrics: Sequence[str], layer: str) -> None:
        self.layers = {name: CLASSES if name == "is" else layer for name in metrics}
        self.pending = tuple(metrics)
        self.facts: ImageSet | None = None
        widths = {name: LAYERS[each] for name, each in self.layers.items()}
        self._moments = {name: Moments(width) for name, width in widths.items() if name == "fid"}
        self._rows = {name: Placed(width) for name, width in widths.items() if name != "fid"}
        self._given: Statistics | None = None

    @property
    def states(self) -> dict[str, Moments | Placed]:
        """What was gathered for each metric."""
        return {**self._moments, **self._rows}

    def update(self, found: Mapping[str, Tensor], rows: Sequence[int], places: Sequence[int]) -> None:
        """Take in these rows of what the network found, of the images at these places."""
        for name in self.pending:
            features = found[self.layers[name]][rows]
            if name in self._moments:
                self._moments[name].update(features)
            else:
                self._rows[name].update(features, places)

    def give(self, statistics: Statistics, facts: ImageSet) -> None:
        """Take what another run made of the set, in place of images."""
        self._given, self.facts, self.pending = statistics, facts, ()

    def gaussian(self) -> Gaussian:
        """Return what FID is computed from."""
        return self._given.gaussian if self._given else self._moments["fid"].compute()

    def features(self, name: str) -> Tensor:
        """Return the rows that KID, or IS, is computed from."""
        if self._given and self._given.features is not None:
            return self._given.features
        return self._rows[name].compute()


class FeatureSets:
    """The features of the real set and the fake one; IS is of the fake one alone.

    Parameters
    ----------
    networks : with metrics of Inception features among theirs, which look through ``inception``.
    alpha, skip_broken : how files are read, see `ffltool.evaluate.evaluate_pairs`.

    Raises
    ------
    InputError : for a set of too few images, or a file of statistics in place of the real ones that does not suit.
    """

    def __init__(
        self, networks: Networks, inception: Network[Inception], pairing: Pairing, *, alpha: str, skip_broken: bool
    ) -> None:
        self.inception, self.device, self.looking, self.pairing = inception, networks.device, networks.looking, pairing
        names = [metric.name for metric in networks.metrics if metric.learned and metric.of == "sets"]
        of_real = [name for name in names if name != "is"]
        self.sides = FeatureSet(of_real, self.looking.layer), FeatureSet(names, self.looking.layer)
        self._keys: dict[tuple[int, str], str] = {}
        if pairing.statistics is not None:
            self._read_statistics(pairing.statistics)
        self._check_counts()
        self._heads_suffice = not (pairing.in_memory or skip_broken)  # for a set that no metric looks at
        # which pairs a broken image takes along is not known before all are read
        of_all_files = not (pairing.in_memory or (pairing.paired and skip_broken))
        if self.looking.sources.cached and ranks.world() == 1 and of_all_files:
            for side in range(2):
                self._recall(side, alpha)

    @property
    def layers(self) -> tuple[str, ...]:
        """The layers that the network is asked for."""
        return tuple({each.layers[name]: None for each in self.sides for name in each.pending})

    @property
    def shown(self) -> tuple[bool, bool]:
        """Whether the network is to look at the real images, and at the fake ones."""
        real, fake = self.sides
        return bool(real.pending), bool(fake.pending)

    def look(self, images: Tensor) -> dict[str, Tensor]:
        """Return the features of a batch of images as they are, shape (N, 1 or 3, H, W), 0..255, in each layer."""
        found: dict[str, Tensor] = self.inception.module(images, layers=self.layers)
        return found

    def _read_statistics(self, path: Path) -> None:
        found = from_npz(path, **self._way())
        if "kid" in self.sides[0].pending and found.features is None:
            raise InputError(f"{path} holds no features, which KID draws its subsets from: it was saved without kid")
        self.sides[0].give(found, found.facts(printable(str(path))))

    def _check_counts(self) -> None:
        """Find out, before any image is read, whether there are enough."""
        for side, each in enumerate(self.sides):
            count = len(self._files(side))
            for name in each.pending:
                if count < _LEAST[name]:
                    path = printable(str((self.pairing.real, self.pairing.fake)[side]))
                    raise InputError(f"{name} needs at least {_LEAST[name]} images, and of {path} there are {count}")

    def _way(self) -> dict[str, str]:
        """Return how the network looks, as statistics name it."""
        seen = {"layer": self.looking.layer, "preset": self.looking.preset}
        return seen | {"weights": self.inception.digest, "precision": self.looking.computing.precision}

    def update(self, found: Mapping[str, Tensor], images: Sequence[tuple[int, int]]) -> None:
        """Take in what the network found in each layer, of images by their side and place."""
        for side, each in enumerate(self.sides):
            rows = [row for row, (other, _) in enumerate(images) if other == side]
            if rows and each.pending:
                each.update(found, rows, [images[row][1] for row in rows])

    def all_reduce(self) -> None:
        """Bring what was gathered together over all processes."""
        for each in self.sides:
            for name in each.pending:
                each.states[name].all_reduce()

    def score(self, metric: Metric) -> tuple[float, float | None]:
        """Return the score of a metric, and its deviation over subsets or splits."""
        real, fake = self.sides
        if metric.name == "fid":
            return frechet_distance(real.gaussian(), fake.gaussian()), None
        if metric.name == "kid":
            return kid(real.features("kid"), fake.features("kid"), seed=self.looking.seed)
        return inception_score(fake.features("is"), seed=self.looking.seed)

    def statistics(self, facts: ImageSet) -> Statistics:
        """Return what stands for the real set in later runs; `facts` are of its files."""
        real = self.sides[0]
        features = real.features("kid") if "kid" in real.states else None
        return Statistics(
            gaussian=real.gaussian(), features=features, sizes=facts.sizes, digest=facts.digest, **self._way()
        )

    def _recall(self, side: int, alpha: str) -> None:
        """Take what earlier runs kept of the same files, looked at in the same way."""
        each, files = self.sides[side], self._files(side)
        content = feature_cache.digest_of_files([path for _, path in files]) if each.pending else None
        if content is None:
            return
        half = side if self.pairing.paired and self.pairing.pairs[0].fake is None else "whole"
        way = {**self._way(), "content": content, "half": half, "alpha": alpha, "device": self.device.type}
        self._keys |= {(side, name): _key(way | {"layer": each.layers[name]}, name) for name in each.pending}
        for name in each.pending:
            width = LAYERS[each.layers[name]]
            if (arrays := feature_cache.find(self._keys[side, name], count=len(files), width=width)) is not None:
                each.states[name].restore(arrays)
                each.pending = tuple(other for other in each.pending if other != name)

    def _files(self, side: int) -> list[tuple[str, Path]]:
        """Return name and path of the files of a side."""
        folder = self.pairing.folders[side]
        names = (self.pairing.names(pair)[side] for pair in self.pairing.pairs)
        return [(name, folder / name) for name in names if name is not None]

    def without_known(self) -> Pairing:
        """Return the pairing without the images of sets that are known, or asked for nothing, but by their heads."""
        for side, each in enumerate(self.sides):
            if not each.pending and each.facts is None and (each.states or self._heads_suffice):
                files = self._files(side)
                sizes = sizes_of(path for _, path in files)
                each.facts = ImageSet(
                    path=printable(str((self.pairing.real, self.pairing.fake)[side])),
                    images=len(files),
                    sizes=tuple(sorted(set(sizes.values()))),
                    digest=digest((name, path.stat().st_size) for name, path in files),
                )
        wanted = (pair for pair in self.pairing.pairs if self.sides[pair.real is None].facts is None)
        return replace(self.pairing, pairs=tuple(wanted))

    def keep(self) -> None:
        """Keep for later runs what was gathered."""
        for (side, name), key in self._keys.items():
            if name in self.sides[side].pending:
                feature_cache.keep(key, self.sides[side].states[name].arrays())


def _key(way: Mapping[str, object], name: str) -> str:
    text = json.dumps({"metric": name, "version": __version__, **way}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()
