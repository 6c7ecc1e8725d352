import csv
import io
import json
import math

import numpy as np
import pytest
import torch
from PIL import Image

from ffltool import figures, gallery, outputs, pictures
from ffltool.errors import BrokenImageError, InputError
from ffltool.reconstruct import Descent, DescentStep, Reconstruction, noise
from ffltool.spectrum import amplitude_only, phase_only, swapped

pytestmark = pytest.mark.usefixtures("one_thread")


def pixels_of(path):
    with Image.open(path) as image:
        return np.asarray(image)


def in_8_bit(image):
    """Return an image (C, H, W) in 0..1 as it is stored: (H, W) or (H, W, 3), in 0..255."""
    levels = np.rint(255 * image.clamp(0, 1).numpy()).astype(np.uint8)
    return levels[0] if len(levels) == 1 else np.moveaxis(levels, 0, -1)


def lanczos(path, size):
    """Return the pixels of an image brought to a size (height, width), by Pillow."""
    with Image.open(path) as image:
        return np.asarray(image.resize(size[::-1], Image.Resampling.LANCZOS))


def load(path, *, size=256, init="noise", seed=0):
    target, start, _ = gallery.load(path, size=size, init=init, seed=seed)
    return target, start


def random(*shape, seed=1):
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed))


def rebuilt(*names, shape=(3, 8, 9), frames=0, last=None):
    """Results of two steps, as `rebuild` returns them."""
    results = []
    for seed, name in enumerate(names):
        steps = DescentStep(0, 0.0, 0.2, 7.0, 14.0), last or DescentStep(1, 0.25, 0.1, 10.5, 13.25)
        images = tuple(random(*shape, seed=10 * seed + frame) for frame in range(frames))
        results.append(Reconstruction(name, random(*shape, seed=seed), steps, images))
    return results


FACTS = {"image": {"path": "x.png"}, "settings": {"steps": 1}}


# what is loaded


def test_an_image_is_a_tensor_in_0_to_1_and_the_start_noise_of_the_seed(tmp_path, save):
    path = save(tmp_path / "x.png", size=(12, 16))
    target, start = load(path, seed=5)
    assert (target.shape, target.dtype) == ((3, 12, 16), torch.float32)
    np.testing.assert_array_equal(in_8_bit(target), pixels_of(path))
    assert torch.equal(start, noise(target, seed=5))


@pytest.mark.parametrize(
    ("mode", "channels"), [("L", 1), ("1", 1), ("LA", 1), ("RGB", 3), ("RGBA", 3), ("P", 3), ("CMYK", 3)]
)
def test_grey_stays_one_channel_and_everything_else_becomes_three(tmp_path, save, mode, channels):
    target, start = load(save(tmp_path / "x.tif", mode=mode) if mode != "LA" else save(tmp_path / "x.png", mode=mode))
    assert target.shape == start.shape == (channels, 12, 16)


@pytest.mark.parametrize("channels", [1, 3])
def test_16_bits_keep_their_precision(tmp_path, rng, channels):
    levels = rng.integers(0, 65536, (8, 9), dtype=np.uint16)
    Image.fromarray(levels).save(tmp_path / "deep.png")
    Image.fromarray(np.zeros((8, 9, channels), np.uint8).squeeze()).save(tmp_path / "other.png")
    target, start = load(tmp_path / "deep.png", init=str(tmp_path / "other.png"))
    assert target.shape == start.shape == (channels, 8, 9)
    # float32 holds 7 digits, a level is 1.5e-5
    np.testing.assert_allclose(target[0].numpy(), levels / 65535, rtol=0, atol=1e-7)
    assert (start == 0).all()


@pytest.mark.parametrize(
    ("size", "longest", "expected"),
    [((12, 16), 256, (12, 16)), ((12, 16), 16, (12, 16)), ((40, 60), 30, (20, 30)), ((60, 41), 30, (30, 20))],
)
def test_size_is_that_of_the_longest_side_and_enlarges_nothing(tmp_path, save, size, longest, expected):
    path = save(tmp_path / "x.png", size=size)
    target, start = load(path, size=longest)
    assert target.shape[1:] == start.shape[1:] == expected
    np.testing.assert_array_equal(in_8_bit(target), lanczos(path, expected))


def test_a_grey_start_is_half_of_white(tmp_path, save):
    target, start = load(save(tmp_path / "x.png"), init="grey")
    assert torch.equal(start, torch.full_like(target, 0.5))


@pytest.mark.parametrize("size", [(12, 16), (20, 10), (5, 40)])
def test_an_image_to_begin_with_is_brought_to_the_size_of_the_other(tmp_path, save, size):
    path, other = save(tmp_path / "x.png", size=(24, 32)), save(tmp_path / "o.png", size=size)
    target, start = load(path, size=16, init=str(other))
    assert target.shape == start.shape == (3, 12, 16)
    np.testing.assert_array_equal(in_8_bit(start), lanczos(other, (12, 16)))


def test_an_image_to_begin_with_in_colour_makes_a_grey_one_colour_and_the_other_way_round(tmp_path, save):
    grey, colour = save(tmp_path / "g.png", mode="L"), save(tmp_path / "c.png")
    for path, init in ((grey, colour), (colour, grey)):
        target, start = load(path, init=str(init))
        assert target.shape == start.shape == (3, 12, 16)
        for image, file in ((target, path), (start, init)):
            with Image.open(file) as opened:
                np.testing.assert_array_equal(in_8_bit(image), np.asarray(opened.convert("RGB")))


def test_a_missing_image_or_start_is_named(tmp_path, save):
    path = save(tmp_path / "x.png")
    with pytest.raises(BrokenImageError, match=r"no\.png does not exist"):
        load(tmp_path / "no.png")
    with pytest.raises(BrokenImageError, match=r"no\.png does not exist"):
        load(path, init=str(tmp_path / "no.png"))


def test_two_images_must_have_one_size_after_they_were_shrunk(tmp_path, save):
    one, other = save(tmp_path / "a.png", size=(12, 16)), save(tmp_path / "b.png", size=(30, 40))
    assert [image.shape for image in gallery.load_two(one, other, size=16)[:2]] == [(3, 12, 16)] * 2
    with pytest.raises(InputError) as caught:
        gallery.load_two(one, other, size=40)
    expected = f"{one} is 12x16 but {other} is 30x40 (height x width, after --size); one size is wanted"
    assert str(caught.value) == expected


def test_two_images_are_in_colour_if_one_is(tmp_path, save):
    one, other, _ = gallery.load_two(save(tmp_path / "g.png", mode="L"), save(tmp_path / "c.png"), size=16)
    assert one.shape == other.shape == (3, 12, 16)
    assert torch.equal(one[0], one[2])


# which files, and whether they may be written


def test_names_are_those_of_the_files_that_are_written(tmp_path):
    for animate in (False, True):
        folder = tmp_path / str(animate)
        results = rebuilt("ffl", "pixel", frames=2 * animate)
        gallery.write_rebuilt(folder, random(3, 8, 9), results, FACTS)
        expected = gallery.names_of_rebuilt(["ffl", "pixel"], animate=animate)
        assert len(expected) == len(set(expected)) == (9 if animate else 7)
        assert sorted(path.name for path in folder.iterdir()) == sorted(expected)


def test_names_of_swapped_are_those_of_the_files_that_are_written(tmp_path):
    gallery.write_swapped(tmp_path / "x", random(3, 8, 9), random(3, 8, 9, seed=2))
    assert sorted(path.name for path in (tmp_path / "x").iterdir()) == sorted(gallery.names_of_swapped())


@pytest.fixture
def without_drawing(monkeypatch):
    """Leave figures out, which take longer than all the rest."""
    for name in ("images_over_spectra", "convergence", "save"):
        monkeypatch.setattr(figures, name, lambda *_: None)


def check(folder, *, force=False, animate=True):
    names = gallery.names_of_rebuilt(["ffl"], animate=animate)
    pictures.check(folder, names, marks=gallery.MARKS, force=force)


def test_a_folder_may_be_new_or_empty_or_hold_other_things(tmp_path):
    check(tmp_path / "new")
    check(tmp_path)
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / "phase.png").write_text("mine, and not one of these names")
    check(tmp_path)


def test_a_check_makes_nothing(tmp_path):
    check(tmp_path / "new")
    assert list(tmp_path.iterdir()) == []


def test_a_file_in_place_of_the_folder_is_refused_even_by_force(tmp_path):
    (tmp_path / "x").touch()
    for force in (False, True):
        with pytest.raises(InputError, match="x cannot be written to: it is no folder"):
            check(tmp_path / "x", force=force)


def test_a_folder_in_no_folder_is_refused(tmp_path):
    (tmp_path / "file").touch()
    for parent in ("missing", "file"):
        with pytest.raises(InputError) as caught:
            check(tmp_path / parent / "x")
        expected = f"{tmp_path / parent / 'x'} cannot be made: {tmp_path / parent} is no folder that can be written to"
        assert str(caught.value) == expected


@pytest.mark.parametrize("name", ["original.png", "ffl.png", "ffl.gif", "figure.png", "curves.csv", "report.json"])
def test_somebody_elses_file_of_any_name_is_refused_without_force(tmp_path, name):
    (tmp_path / name).write_text("a photograph")
    with pytest.raises(InputError, match=f"{name} exists and is no earlier output of this kind; --force"):
        check(tmp_path)
    check(tmp_path, force=True)


def test_every_file_of_an_earlier_run_may_be_overwritten(tmp_path):
    gallery.write_rebuilt(tmp_path, random(3, 64, 65), rebuilt("ffl", shape=(3, 64, 65), frames=5), FACTS)
    check(tmp_path)
    gallery.write_swapped(tmp_path, random(1, 8, 9), random(1, 8, 9, seed=2))
    pictures.check(tmp_path, gallery.names_of_swapped(), force=False)


def test_a_picture_by_somebody_else_is_not_taken_for_ours(tmp_path):
    Image.new("RGB", (9, 8)).save(tmp_path / "ffl.png")
    Image.new("RGB", (9, 8)).save(tmp_path / "ffl.gif")
    for animate in (False, True):
        with pytest.raises(InputError, match=r"ffl\.(png|gif) exists and is no earlier output"):
            check(tmp_path, animate=animate)


# what is written


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


@pytest.fixture
def drawn(monkeypatch):
    """What is handed to the figures."""
    seen = {}
    monkeypatch.setattr(figures, "images_over_spectra", lambda panels: seen.update(panels=panels))
    monkeypatch.setattr(figures, "convergence", lambda *curves: seen.update(curves=curves))
    monkeypatch.setattr(figures, "save", lambda *_: None)
    return seen


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


def test_a_disk_that_is_full_is_a_clear_error(tmp_path, monkeypatch):
    def refuse(path, content):
        raise InputError(f"{path} cannot be written: No space left on device")

    monkeypatch.setattr(outputs, "write", refuse)
    with pytest.raises(InputError, match="No space left"):
        gallery.write_rebuilt(tmp_path, random(3, 8, 9), rebuilt("ffl"), FACTS)


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
