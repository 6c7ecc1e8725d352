"""Inception score (Salimans, Goodfellow, Zaremba, Cheung, Radford, Chen; NeurIPS 2016).

    IS = exp(mean over images of KL(p(y | x) || p(y)))        at least 1, higher is better

with p(y | x) the softmax of an image's logits over 1008 classes and p(y) its mean over the images, in float64. The
score is the mean over splits of the set, as in torch-fidelity: logits without bias, in an order drawn at random.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from ffltool.errors import InputError, ShapeError

SPLITS, SEED = 10, 2020


def inception_score(logits: Tensor, *, splits: int = SPLITS, seed: int | None = SEED) -> tuple[float, float]:
    """Return the mean over splits of the Inception score, and its population standard deviation.

    Parameters
    ----------
    logits : tensor, shape (N, classes), N >= splits: the layer "logits_unbiased".
    splits : parts that the set is cut into, at i N // splits.
    seed : of the order of the images; None leaves them as they are.

    Raises
    ------
    InputError : for fewer images than splits, or logits that are not finite.
    ShapeError : for another shape.

    Examples
    --------
    Images that are each of a class of their own, and sure of it, have as many as there are classes:

    >>> inception_score(1000 * torch.eye(4), splits=1)
    (4.0, 0.0)
    """
    if logits.ndim != 2:
        raise ShapeError(f"logits must have shape (N, classes), got {tuple(logits.shape)}")
    if splits < 1:
        raise InputError(f"the Inception score wants one split or more, got {splits}")
    count = len(logits)
    if count < splits:
        raise InputError(f"the Inception score of {splits} splits needs at least {splits} images, got {count}")
    if not logits.isfinite().all():
        raise InputError("there are logits that are not finite")
    if seed is not None:
        logits = logits[np.random.RandomState(seed).permutation(count)]  # the generator that others draw from

    logits = logits.double()
    scores = [_score(logits[part * count // splits : (part + 1) * count // splits]) for part in range(splits)]
    return float(np.mean(scores)), float(np.std(scores))


def _score(logits: Tensor) -> float:
    shares, log_shares = logits.softmax(1), logits.log_softmax(1)
    # a class that no image shares in adds nothing
    divergence = torch.special.xlogy(shares, shares.mean(0)).neg_().add_(shares * log_shares)
    return float(divergence.sum(1).mean().exp())
