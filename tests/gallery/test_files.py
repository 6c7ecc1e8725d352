"""What is written: images, animations, curves, a report, figures."""

import csv
import io
import json
import math

import numpy as np
import pytest
import torch
from PIL import Image

from ffltool import gallery
from ffltool.reconstruct import Descent, DescentStep
from ffltool.spectrum import amplitude_only, phase_only, swapped
from tests.gallery.common import FACTS, in_8_bit, pixels_of, random, rebuilt

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.mark.usefixtures("without_drawing")
@pytest.mark.parametrize("shape", [(3, 8, 9), (1, 9, 8), (3, 8, 40)])
def test_images_are_written_in_8_bits_rounded(tmp_path, shape):
    target, (result,) = random(*shape, seed=7), rebuilt("ffl", shape=shape)
    gallery.write_rebuilt(tmp_path, target, [result], FACTS)
    np.testing.assert_array_equal(pixels_of(tmp_path / "original.png"), in_8_bit(target))
    np.testing.assert_array_equal(pixels_of(tmp_path / "ffl.png"), in_8_bit(result.image))


@pytest.mark.usefixtures("without_drawing")
def test_an_animation_shows_its_frames_in_turn_for_ever(tmp_path):
    shape = (1, 8, 9)
    (result,) = rebuilt("ffl", shape=shape, frames=4)
    gallery.write_rebuilt(tmp_path, random(*shape), [result], FACTS)
    with Image.open(tmp_path / "ffl.gif") as film:
        assert (film.n_frames, film.info["loop"]) == (4, 0)
        times = []
        for number, frame in enumerate(result.frames):
            film.seek(number)
            np.testing.assert_array_equal(np.asarray(film.convert("L")), in_8_bit(frame))
            times.append(film.info["duration"])
    assert times[:-1] == [80, 80, 80]
    assert times[-1] > 1000, "the last stays a while"


@pytest.mark.usefixtures("without_drawing")
def test_curves_go_into_the_csv_in_full_precision(tmp_path):
    last = DescentStep(1, 0.1 + 0.2, 1 / 3, math.inf, 0.0)
    gallery.write_rebuilt(tmp_path, random(1, 8, 9), rebuilt("ffl", "pixel", shape=(1, 8, 9), last=last), FACTS)
    rows = list(csv.reader(io.StringIO((tmp_path / "curves.csv").read_text())))
    assert rows[0] == ["objective", "step", "seconds", "loss", "psnr", "lfd"]
    assert [row[0] for row in rows[1:]] == ["ffl", "ffl", "pixel", "pixel"]
    assert tuple(map(float, rows[2][1:])) == last
    assert tuple(map(float, rows[1][1:])) == (0, 0, 0.2, 7, 14)


@pytest.mark.usefixtures("without_drawing")
def test_the_report_holds_the_last_steps_and_no_infinity(tmp_path):
    last = DescentStep(1, 0.5, 0.0, math.inf, 0.0)
    gallery.write_rebuilt(tmp_path, random(1, 8, 9), rebuilt("ffl", shape=(1, 8, 9), last=last), FACTS)
    content = json.loads((tmp_path / "report.json").read_text())
    assert content["objectives"] == [
        {"objective": "ffl", "file": "ffl.png", "steps": 1, "seconds": 0.5, "loss": 0.0, "psnr": None, "lfd": 0.0}
    ]
    assert (content["image"], content["settings"]) == (FACTS["image"], FACTS["settings"])


def test_facts_name_the_image_as_it_was_used_and_all_settings(tmp_path):
    descent = Descent(steps=7, seconds=2.5, optimizer="sgd", lr=0.3, alpha=2.0)
    facts = gallery.facts(tmp_path / "a\nb.png", torch.zeros(3, 8, 9), descent, init="x\ty.png", seed=4, device="cpu")
    assert facts["image"] == {"path": f"{tmp_path}/a\\nb.png", "height": 8, "width": 9, "channels": 3}
    assert facts["settings"] == {
        "steps": 7,
        "seconds": 2.5,
        "optimizer": "sgd",
        "lr": 0.3,
        "alpha": 2.0,
        "init": "x\\ty.png",
        "seed": 4,
        "device": "cpu",
    }


@pytest.mark.parametrize("shape", [(3, 8, 9), (1, 9, 8)])
def test_the_figure_shows_each_image_over_its_log_amplitude(tmp_path, drawn, shape):
    target, results = random(*shape, seed=7), rebuilt("ffl", "pixel", shape=shape)
    gallery.write_rebuilt(tmp_path, target, results, FACTS)
    images = [target, *(result.image for result in results)]
    assert [panel.title for panel in drawn["panels"]] == [
        "original",
        "ffl\n10.5 dB, LFD 13.25",
        "pixel\n10.5 dB, LFD 13.25",
    ]
    for panel, image in zip(drawn["panels"], images, strict=True):
        np.testing.assert_array_equal(panel.image, np.moveaxis(image.numpy(), 0, -1).squeeze())
        amplitudes = np.abs(np.fft.fft2(255 * image.double().numpy()))
        expected = np.fft.fftshift(np.log(1 + amplitudes), axes=(-2, -1)).mean(0)
        np.testing.assert_allclose(panel.spectrum, expected, rtol=1e-5)


def test_the_curves_show_the_loss_as_a_share_of_the_first_and_the_psnr(tmp_path, drawn):
    gallery.write_rebuilt(tmp_path, random(3, 8, 9), rebuilt("ffl", "pixel"), FACTS)
    losses, decibels = drawn["curves"]
    assert [curve.name for curve in losses] == [curve.name for curve in decibels] == ["ffl", "pixel"]
    assert (losses[1].x, losses[1].y) == ([0, 1], [1, 0.5])
    assert (decibels[1].x, decibels[1].y) == ([0, 1], [7, 10.5])


def test_swapped_images_are_what_their_names_say(tmp_path, drawn):
    original, other = random(3, 8, 9), random(3, 8, 9, seed=2)
    gallery.write_swapped(tmp_path, original, other)
    expected = {
        "original": original,
        "other": other,
        "phase-only": phase_only(original),
        "amplitude-only": amplitude_only(original),
        "amplitude-of-other": swapped(amplitude_of=other, phase_of=original),
        "phase-of-other": swapped(amplitude_of=original, phase_of=other),
    }
    for name, image in expected.items():
        np.testing.assert_array_equal(pixels_of(tmp_path / f"{name}.png"), in_8_bit(image), err_msg=name)
    assert [panel.title.replace("\n", ", ") for panel in drawn["panels"]] == [
        "original",
        "other",
        "phase of original, flat amplitude",
        "amplitude of original, no phase",
        "phase of original, amplitude of other",
        "amplitude of original, phase of other",
    ]
