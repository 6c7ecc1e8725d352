"""Several objectives one after the other, their animations and their progress."""

import numpy as np
import pytest
import torch

from ffltool.errors import InputError
from ffltool.reconstruct import Descent, noise, rebuild, reconstruct
from tests.reconstruct.common import random

pytestmark = pytest.mark.usefixtures("one_thread")


def test_rebuild_gives_what_reconstruct_gives_under_each_name():
    target, descent = random(3, 8, 9), Descent(steps=3)
    start = noise(target, seed=1)
    results = rebuild(target, ["pixel", "FFL", "pixel"], start=start, descent=descent)
    assert [result.objective for result in results] == ["pixel", "ffl"]
    for result in results:
        *_, (step, image) = reconstruct(target, result.objective, start=start, descent=descent)
        assert torch.equal(result.image, image)
        assert len(result.steps) == 4
        assert result.steps[-1]._replace(seconds=0) == step._replace(seconds=0)
        assert result.frames == ()


def animated(**descent):
    """Return the numbers of the steps that an animation shows, and the number of the last step."""
    images = []

    def watched(run, _name, _total):
        for step, image in run:
            images.append(image)
            yield step, image

    target = random(1, 8, 8)
    settings = {"start": noise(target, seed=0), "descent": Descent(**descent), "animate": True, "progress": watched}
    (result,) = rebuild(target, ["pixel"], **settings)
    shown = [next(n for n, image in enumerate(images) if torch.equal(image, frame)) for frame in result.frames]
    return shown, len(images) - 1


@pytest.mark.parametrize("steps", [1, 5, 11, 300])
def test_an_animation_goes_from_the_start_to_the_end_at_ever_longer_distances(steps):
    shown, last = animated(steps=steps, lr=0.005)
    assert (shown[0], shown[-1], last) == (0, steps, steps)
    assert min(steps + 1, 20) <= len(shown) <= 40
    distances = np.diff(shown)
    assert (distances >= 1).all()
    assert (np.diff(distances) >= -1).all(), "rounding alone may make one shorter"


@pytest.mark.usefixtures("a_second_each_time")
def test_an_animation_that_is_stopped_by_the_clock_ends_with_the_last_image():
    shown, last = animated(steps=10**6, seconds=8.5)
    assert last == 8
    assert shown[-1] == last


def test_progress_is_given_the_name_and_number_of_steps_of_each_objective():
    target, seen = random(1, 8, 8), []

    def progress(run, name, total):
        steps = list(run)
        seen.append((name, total, len(steps)))
        return iter(steps)

    rebuild(target, ["ffl", "pixel"], start=noise(target, seed=0), descent=Descent(steps=4), progress=progress)
    assert seen == [("ffl", 4, 5), ("pixel", 4, 5)]


def test_an_unknown_objective_is_noticed_before_the_first_one_runs():
    def progress(*_):
        raise AssertionError("something ran")

    target = random(1, 8, 8)
    with pytest.raises(InputError, match="no objective 'nonsense'"):
        rebuild(target, ["ffl", "nonsense"], start=target, descent=Descent(), progress=progress)
