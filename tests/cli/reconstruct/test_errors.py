"""Errors of ``ffltool reconstruct`` are one line, and no folder."""

import pytest
import torch

from tests.cli.common import error_of

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--steps", 0], "steps must be above 0 and finite"),
        (["--steps", -3], "got -3"),
        (["--seconds", 0], "seconds must be above 0 and finite"),
        (["--seconds", "nan"], "seconds must be above 0 and finite"),
        (["--lr", 0], "lr must be above 0 and finite"),
        (["--lr", -0.1], "got -0.1"),
        (["--lr", 1e300], "got 1e+300"),
        (["--alpha", -1], "--alpha"),
        (["--alpha", "nan"], "alpha must be 0 or more and finite, got nan"),
        (["--size", 7], "--size"),
        (["--seed", -1], "--seed"),
        (["--seed", 2**64], "--seed"),
        (["--optimizer", "newton"], "--optimizer"),
        (["--objective", "mse"], "there is no objective 'mse'; known are ffl, frequency, amplitude, phase"),
        (["--objective", "ffl,,pixel"], "there is no objective ''"),
        (["--device", "tpu"], "there is no device 'tpu'; known are auto, cuda, mps, cpu"),
        (["--device", "cuda:99"], "device cuda:99 is not there"),
        (["--init", "nothing.png"], "nothing.png does not exist"),
        (["--init", "."], ". is no file with an image in it"),
        (["--optimizer", "sgd", "--lr", 1e9, "--steps", 50], "a smaller --lr may help"),
        (["--nonsense"], "--nonsense"),
    ],
    ids=lambda value: " ".join(map(str, value)) if isinstance(value, list) else "",
)
def test_what_cannot_be_is_one_line_and_no_folder(rebuild, folder, options, message):
    assert message in error_of(rebuild(*options))
    assert not folder.exists()


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is one")
@pytest.mark.parametrize("device", ["cuda", "cuda:0"])
def test_cuda_where_there_is_none_is_one_line(rebuild, folder, device):
    assert error_of(rebuild("--device", device)) == f"ffltool: device {device} is not there\n"
    assert not folder.exists()


def test_the_output_must_be_named(image, run):
    assert "--output" in error_of(run("reconstruct", image))


def test_a_missing_a_broken_and_a_tiny_image_are_one_line(tmp_path, save, rebuild, folder):
    assert f"{tmp_path / 'no.png'} does not exist" in error_of(rebuild(image=tmp_path / "no.png"))
    broken = save(tmp_path / "broken.png")
    broken.write_bytes(broken.read_bytes()[:60])
    assert f"{broken} is broken" in error_of(rebuild(image=broken))
    for size in ((1, 1), (20, 7)):
        line = error_of(rebuild("--size", 64, image=save(tmp_path / "tiny.png", size=size)))
        assert line.endswith(f"is {size[0]}x{size[1]} after --size 64; at least 8x8 is wanted\n")
    assert not folder.exists()
