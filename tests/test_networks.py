"""Names and shapes of tensors, against torchvision's networks and the real files."""

import json

import pytest
import torch

from ffltool.networks import SHAPES


def torchvision_models():
    try:
        from torchvision import models
    except (ImportError, RuntimeError) as error:  # beside a torch of another build it fails as it loads
        pytest.skip(f"torchvision does not load: {error}")
    return models


@pytest.mark.parametrize(("name", "theirs"), [("alexnet",) * 2, ("squeezenet", "squeezenet1_1"), ("vgg16",) * 2])
def test_the_features_are_torchvisions_in_its_order(name, theirs):
    with torch.device("meta"):
        features = getattr(torchvision_models(), theirs)(weights=None).features.state_dict()
    assert list(SHAPES[name].items()) == [(key, tuple(tensor.shape)) for key, tensor in features.items()]


def test_inception_is_the_public_checkpoint_without_its_counters(shared):
    listed = json.loads((shared / "reference" / "inception_spec.json").read_text())
    expected = [(key, tuple(shape)) for key, shape in listed if not key.endswith("num_batches_tracked")]
    assert list(SHAPES["inception"].items()) == expected


def test_a_fork_of_inception_takes_the_same_channels_twice():
    shapes = SHAPES["inception"]
    assert len(shapes) == 94 * 5 + 2
    assert shapes["Mixed_7b.branch3x3_2a.conv.weight"] == (384, 384, 1, 3)
    assert shapes["Mixed_7b.branch3x3_2b.conv.weight"] == (384, 384, 3, 1)
