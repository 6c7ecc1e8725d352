"""Mean spectra of image files: what is read, left out and refused; two processes on gloo; memory."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from ffltool.average import average, whitening_of
from ffltool.errors import BrokenImageError, InputError, NothingComparedError
from ffltool.loading import Loading
from ffltool.mean_spectrum import MeanSpectrum
from ffltool.recipes import PRESETS, Recipe

SIZE = (12, 16)


@pytest.fixture
def files(tmp_path, save):
    return [save(tmp_path / f"{number}.png") for number in range(7)]


def mean_of(files, recipe=None, **settings):
    return average(files, recipe or Recipe(), Loading(**{"workers": 1} | settings), size=SIZE)


def near(actual, expected):
    # 1e-5, and 1e-6 of the largest: transforms in float32, in batches of other sizes
    atol = 1e-6 * float(expected.nan_to_num().abs().max())
    torch.testing.assert_close(actual, expected, rtol=1e-5, atol=atol, equal_nan=True)


def assert_equal(one, other):
    assert one.images == other.images
    near(one.map, other.map)
    for name in ("radial", "angular"):
        for part in ("mean", "std", "spread"):
            near(getattr(getattr(one, name), part), getattr(getattr(other, name), part))


def test_a_set_is_the_mean_of_its_pixels(files):
    expected = MeanSpectrum(Recipe(), *SIZE)
    expected.update(torch.as_tensor(np.stack([np.asarray(Image.open(path)).transpose(2, 0, 1) for path in files])))
    result, fate = mean_of(files)
    assert_equal(result, expected.compute())
    assert (result.images, fate.skipped, fate.alphas) == (7, (), 0)


@pytest.mark.parametrize("name", PRESETS)
def test_grey_and_colour_in_8_and_16_bits_are_averaged_as_each_alone(tmp_path, save, rng, name):
    recipe = PRESETS[name]
    files = [save(tmp_path / f"{mode}.png", mode=mode) for mode in ("RGB", "L", "P")]
    deep = tmp_path / "deep.png"
    Image.fromarray(rng.integers(0, 65536, SIZE, dtype=np.uint16)).save(deep)
    files.insert(1, deep)
    together = mean_of(files, recipe)[0]
    assert together.images == 4
    if recipe.average == "complex":
        return  # no mean of means
    alone = [mean_of([path], recipe)[0] for path in files]
    # rounding is of amplitudes: a logarithm of one that is next to nothing is that of rounding
    linear = torch.exp if recipe.average == "log" else torch.clone
    near(linear(together.map), linear(torch.stack([each.map for each in alone]).mean(0)))
    near(linear(together.radial.mean), linear(torch.stack([each.radial.mean for each in alone]).mean(0)))


def test_16_bits_are_on_the_scale_of_8(tmp_path, save):
    pixels = np.arange(192, dtype=np.uint8).reshape(SIZE)
    Image.fromarray(pixels.astype(np.uint16) * 257).save(tmp_path / "deep.png")
    Image.fromarray(pixels).save(tmp_path / "flat.png")
    assert_equal(mean_of([tmp_path / "deep.png"])[0], mean_of([tmp_path / "flat.png"])[0])


def test_pixels_are_single_precision_at_most(tmp_path, rng, monkeypatch):
    seen = []
    monkeypatch.setattr(MeanSpectrum, "update", lambda self, images: seen.append(images.dtype) or self.add(count=1))
    Image.fromarray(rng.integers(0, 65536, SIZE, dtype=np.uint16)).save(tmp_path / "deep.png")
    Image.fromarray(rng.integers(0, 256, SIZE, dtype=np.uint8)).save(tmp_path / "flat.png")
    for names in (["deep"], ["flat"], ["deep", "flat"]):
        mean_of([tmp_path / f"{name}.png" for name in names])
    assert seen == [torch.float32, torch.uint8, torch.float32]


def test_images_are_cut_about_their_centres(tmp_path, save, rng):
    pixels = rng.integers(0, 256, (17, 20, 3), dtype=np.uint8)
    large = save(tmp_path / "large.png", pixels=pixels)
    cut = save(tmp_path / "cut.png", pixels=np.ascontiguousarray(pixels[2:14, 2:18]))
    assert_equal(mean_of([large])[0], mean_of([cut])[0])


@pytest.mark.parametrize("size", [(11, 16), (12, 15), (3, 99)])
@pytest.mark.parametrize("skip_broken", [False, True])
def test_an_image_smaller_than_the_size_is_an_error_that_names_both(files, save, size, skip_broken):
    small = save(files[0].with_name("small.png"), size=size)
    with pytest.raises(InputError) as caught:
        mean_of([*files, small], skip_broken=skip_broken)
    sizes = f"{size[0]}x{size[1]}, smaller than the 12x16 (height x width)"
    assert str(caught.value) == f"{small} is {sizes} that are wanted"


def test_a_broken_image_is_an_error(files):
    files[4].write_bytes(b"junk")
    with pytest.raises(BrokenImageError, match=r"4\.png is not an image"):
        mean_of(files)


@pytest.mark.parametrize("workers", [1, 2])
def test_broken_images_are_left_out_and_named(files, workers):
    files[4].write_bytes(b"junk")
    files[1].unlink()
    result, fate = mean_of(files, skip_broken=True, workers=workers)
    assert fate.skipped == (files[1], files[4])
    assert_equal(result, mean_of([path for path in files if path not in fate.skipped])[0])


@pytest.mark.parametrize("broken", [0, 3])
@pytest.mark.parametrize("name", ["ffltool", "karras2021"])
def test_no_image_left_has_no_mean_and_no_moments(files, broken, name):
    for path in files[:broken]:
        path.write_bytes(b"")
    with pytest.raises(NothingComparedError, match="no image"):
        mean_of(files[:broken], PRESETS[name], skip_broken=True)
    with pytest.raises(NothingComparedError, match="no image"):
        whitening_of(files[:broken], replace(PRESETS[name], whiten="set"), Loading(skip_broken=True), size=SIZE)


def test_alpha_channels_that_are_lost_are_counted(files, save):
    for path in files[2:5]:
        save(path, mode="RGBA")
    assert mean_of(files)[1].alphas == 3
    assert mean_of(files, alpha="white")[1].alphas == 0
    with pytest.raises(InputError, match="has an alpha channel"):
        mean_of(files, alpha="error")


def test_images_of_one_level_are_counted_and_have_no_spectrum_but_their_mean(files, save):
    for number, level in ((1, 0), (4, 255)):
        save(files[number], pixels=np.full((*SIZE, 3), level, np.uint8))
    result, fate = mean_of([files[1], files[4]])
    assert fate.constant == 2
    assert result.map[SIZE[0] // 2, SIZE[1] // 2] == pytest.approx((255 * 12 * 16) ** 2 / 2)
    assert result.radial.mean[1:].nan_to_num().max() < 1e-6
    assert (10 * result.map.log10()).min() < -60, "decibels of nothing need no warning"
    assert mean_of(files)[1].constant == 2


def test_an_unknown_way_with_alpha_is_an_error_that_lists_the_choices():
    with pytest.raises(InputError, match="alpha cannot be 'keep'; known are drop, white, black, error"):
        Loading(alpha="keep")


def test_progress_is_given_the_stream_and_its_length(files):
    seen = []

    def progress(items, length):
        seen.append(length)
        for item in items:
            seen.append(item)
            yield item

    assert_equal(mean_of(files, progress=progress)[0], mean_of(files)[0])
    assert seen[0] == len(seen) - 1 == 7


def test_any_number_of_workers_gives_the_same(files):
    one, two, cores = (mean_of(files * 3, workers=workers)[0] for workers in (1, 2, None))
    assert_equal(two, one)
    assert_equal(cores, one)


@pytest.mark.parametrize("channels", ["grey", "rgb", "red"])
def test_moments_are_those_of_all_pixels_at_once(files, channels):
    pixels = np.stack([np.asarray(Image.open(path), float) for path in files])
    if channels != "rgb":
        pixels = pixels @ {"grey": [0.299, 0.587, 0.114], "red": [1, 0, 0]}[channels]
    found = whitening_of(files, Recipe(channels=channels, whiten="set"), Loading(), size=SIZE)
    assert found == pytest.approx((pixels.mean(), pixels.std()), rel=1e-6)


def test_moments_of_a_constant_divide_by_one(tmp_path, save):
    path = save(tmp_path / "x.png", pixels=np.full((*SIZE, 3), 9, np.uint8))
    assert whitening_of([path], Recipe(channels="rgb", whiten="set"), Loading(), size=SIZE) == (9, 1)


TWO = """
import sys
from pathlib import Path
import torch
from ffltool import ranks
from ffltool.average import average, whitening_of
from ffltool.loading import Loading
from ffltool.errors import FfltoolError
from ffltool.recipes import preset

folder, *names = sys.argv[1:]
files = sorted(Path(folder).glob("*.png"))
loading = Loading(skip_broken=len(names) > 1, workers=1)
for name in names:
    try:
        whitening = whitening_of(files, preset(name), loading, size=(12, 16))
        result, fate = average(files, preset(name), loading, size=(12, 16), whitening=whitening)
    except FfltoolError as error:
        sys.exit(f"one line: {error}")
    facts = {"whitening": tuple(whitening), "images": result.images, "skipped": list(map(str, fate.skipped))}
    facts |= {"alphas": fate.alphas, "map": result.map, "std": result.radial.std, "spread": result.angular.spread}
    torch.save(facts, Path(folder, f"{name}-{ranks.world()}-{ranks.rank()}.pt"))
"""


@pytest.fixture
def two(tmp_path):
    (tmp_path / "two.py").write_text(TWO)
    return tmp_path / "two.py"


def test_two_processes_have_both_what_one_has(tmp_path, files, save, two, two_ranks):
    for number in (2, 5):
        files[number].write_bytes(b"junk")
    save(files[3], mode="RGBA")
    names = ["ffltool", "karras2021", "wang2020"]
    subprocess.run([sys.executable, two, tmp_path, *names], check=True)
    done = two_ranks(two, tmp_path, *names)
    assert done.returncode == 0, done.stderr
    for name in names:
        one, *both = (torch.load(tmp_path / f"{name}-{which}.pt") for which in ("1-0", "2-0", "2-1"))
        assert (one["images"], one["alphas"]) == (5, 1)
        assert one["skipped"] == [str(files[2]), str(files[5])]
        for facts in both:
            for key in ("images", "alphas", "skipped"):
                assert facts[key] == one[key]
            assert facts["whitening"] == pytest.approx(one["whitening"], rel=1e-12)
            for key in ("map", "std", "spread"):
                near(facts[key], one[key])


def test_an_error_of_one_process_ends_both_with_a_line(tmp_path, files, two, two_ranks):
    files[3].write_bytes(b"junk")
    done = two_ranks(two, tmp_path, "ffltool")
    assert done.returncode != 0
    assert done.stderr.count("one line: ") == 2
    assert f"one line: {files[3]} is not an image" in done.stderr
    assert "one line: another process stopped at an image" in done.stderr


MEMORY = """
import re, sys
from pathlib import Path
from ffltool.average import average
from ffltool.loading import Loading
from ffltool.recipes import Recipe

def peak():
    return int(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1])

files = [Path(sys.argv[1])]
average(files * 600, Recipe(), Loading(workers=1), size=(128, 128))
few = peak()
average(files * 2400, Recipe(), Loading(workers=1), size=(128, 128))
print(peak() - few)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="no peak of memory to read")
def test_memory_does_not_grow_with_the_number_of_images(tmp_path, save):
    image = save(tmp_path / "x.png", pixels=np.zeros((128, 128, 3), np.uint8))
    done = subprocess.run([sys.executable, "-c", MEMORY, image], capture_output=True, text=True, check=True)
    # 1800 more images are 88 MB as bytes; what an allocator keeps is a batch or two, of 6, and room for its transforms
    assert int(done.stdout) < 30_000
