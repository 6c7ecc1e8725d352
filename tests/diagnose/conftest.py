"""Pairs of files to diagnose."""

import numpy as np
import pytest
from PIL import Image

from ffltool.pairing import Pair, Pairing


@pytest.fixture
def pairing(tmp_path, save):
    """Return a function that saves pairs of arrays (or sizes, for random pixels) and pairs the files."""

    def pairing(*pairs, **settings):
        names = []
        for number, pair in enumerate(pairs):
            names.append(f"{number}.png")
            for side, pixels in zip(("real", "fake"), pair, strict=True):
                kind = {"pixels": pixels} if isinstance(pixels, np.ndarray) else {"size": pixels}
                mode = {"mode": Image.fromarray(pixels).mode} if isinstance(pixels, np.ndarray) else {}
                save(tmp_path / side / names[-1], **kind, **mode, **settings)
        return Pairing(tmp_path / "real", tmp_path / "fake", tuple(Pair(name, name) for name in names))

    return pairing
