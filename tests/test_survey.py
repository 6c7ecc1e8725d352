import json

import numpy as np
import pytest

from ffltool.archives import MARK
from ffltool.errors import BrokenImageError, InputError, NothingComparedError
from ffltool.loading import Loading
from ffltool.recipes import PRESETS, Recipe
from ffltool.sources import Selection
from ffltool.survey import as_npz, from_npz, shown_otherwise, survey

pytestmark = pytest.mark.usefixtures("one_thread")
CONTRACT = {"labels", "radius", "profile", "profile_std", "counts", "maps", "meta"}


@pytest.fixture
def measured(folders):
    def measured(recipe=None, *, size=None, loading=None, selection=None, **settings):
        inputs = folders(["a.png", "b.png", "c.png"], **settings)
        return survey(inputs, selection or Selection(), recipe or Recipe(), loading or Loading(), size=size)

    return measured


def power_of(folder, window=None):
    from PIL import Image

    weights = np.array([0.299, 0.587, 0.114])
    images = [np.asarray(Image.open(path)) @ weights for path in sorted(folder.iterdir())]
    return np.mean([np.abs(np.fft.fftshift(np.fft.fft2(image))) ** 2 for image in images], axis=0)


def test_maps_are_the_mean_power_of_each_set(measured, tmp_path):
    found = measured(Recipe(window="none"))
    for name, values in zip(("real", "fake"), found.maps, strict=True):
        expected = power_of(tmp_path / name)
        np.testing.assert_allclose(values, expected, rtol=1e-4, atol=1e-6 * expected.max())  # float32 transforms
    assert found.labels == ("real", "fake")


def test_shapes_are_those_of_the_contract(measured):
    found = measured(size=11)
    rings = len(found.radius)
    assert found.maps.shape == (2, 11, 11)
    assert found.counts.sum() == 121
    assert found.profile.shape == found.profile_std.shape == found.profile_spread.shape == (2, rings)
    assert found.angular.shape == found.angular_spread.shape == (2, len(found.angle)) == (2, 36)
    assert [example.shape for example in found.examples] == [(11, 11, 3)] * 2
    assert found.meta["size"] == [11, 11]


def test_npz_comes_back_as_it_went(measured, tmp_path):
    found = measured()
    path = tmp_path / "x.npz"
    path.write_bytes(as_npz(found))
    assert MARK.encode() in path.read_bytes()[-4096:]
    again = from_npz(path)
    assert (again.labels, again.meta, again.recipe) == (found.labels, found.meta, found.recipe)
    for name in ("maps", "profile", "profile_std", "counts", "radius", "angular"):
        np.testing.assert_array_equal(getattr(again, name), getattr(found, name))
    assert all(np.array_equal(*pair) for pair in zip(again.examples, found.examples, strict=True))


def test_npz_holds_what_was_promised_and_needs_no_pickle(measured, tmp_path):
    path = tmp_path / "x.npz"
    path.write_bytes(as_npz(measured(selection=Selection(seed=7, limit=2))))
    with np.load(path, allow_pickle=False) as file:
        assert set(file) >= CONTRACT
        meta = json.loads(str(file["meta"]))
    assert meta["selection"]["seed"] == 7
    assert [(each["label"], each["images"]) for each in meta["sets"]] == [("real", 2), ("fake", 2)]
    assert all(each["digest"].startswith("sha256:") for each in meta["sets"])
    assert set(meta["environment"]) == {"device", "torch", "numpy", "pillow", "python"}
    assert set(meta["recipe"]) == set(Recipe.__dataclass_fields__)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 no archive", b"text"])
def test_what_is_no_npz_is_an_error(tmp_path, content):
    path = tmp_path / "x.npz"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"x\.npz"):
        from_npz(path)


def test_an_npz_of_somebody_else_is_an_error(tmp_path):
    np.savez(tmp_path / "x.npz", maps=np.zeros(3))
    with pytest.raises(InputError, match="holds no spectra of ffltool"):
        from_npz(tmp_path / "x.npz")
    np.save(tmp_path / "y.npy", np.zeros(3))
    with pytest.raises(InputError, match=r"y\.npy"):
        from_npz(tmp_path / "y.npy")


def test_an_npz_cut_short_is_an_error(measured, tmp_path):
    content = as_npz(measured())
    (tmp_path / "x.npz").write_bytes(content[: len(content) // 2])
    with pytest.raises(InputError, match=r"x\.npz"):
        from_npz(tmp_path / "x.npz")


@pytest.mark.parametrize(("name", "reason"), [("nothing.npz", "does not exist"), (".", "Is a directory")])
def test_no_file_is_an_error(tmp_path, name, reason):
    with pytest.raises(InputError, match=reason):
        from_npz(tmp_path / name)


def test_sets_are_whitened_by_the_first(folders):
    real, fake = folders(["a.png", "b.png"])
    found = survey([real, fake], Selection(), Recipe(whiten="set", window="none"), Loading())
    alone = survey([real], Selection(), Recipe(whiten="set", window="none"), Loading())
    assert found.meta["whitening"] == alone.meta["whitening"]
    power = found.profile[0] * found.counts
    assert power.sum() / np.prod(found.meta["size"]) ** 2 == pytest.approx(1, rel=1e-5)  # by Parseval, the variance


def test_images_cut_to_one_size_are_a_warning(folders, save, tmp_path):
    inputs = folders(["a.png"])
    save(inputs[1] / "b.png", size=(10, 30))
    found = survey(inputs, Selection(), Recipe(), Loading())
    assert found.meta["size"] == [10, 16]
    assert found.meta["warnings"] == [
        "the images have 2 sizes; each was cut about its centre to 10x16 (b.png is among the smallest)"
    ]


def test_an_image_smaller_than_the_size_wanted_is_an_error(measured):
    with pytest.raises(InputError, match=r"a\.png is 12x16, smaller than the 13x13"):
        measured(size=13)


def test_broken_constant_and_transparent_images_are_said(folders, save):
    real, fake = folders(["a.png", "b.png"])
    (real / "broken.png").write_bytes(b"")
    save(fake / "flat.png", pixels=np.full((12, 16, 3), 7, np.uint8))
    save(fake / "glass.png", mode="RGBA")
    found = survey([real, fake], Selection(), Recipe(), Loading(skip_broken=True))
    assert found.meta["warnings"] == [
        "real: 1 broken image was left out: broken.png",
        "fake: the alpha channel of 1 image was dropped; --alpha white or black composites",
        "fake: 1 of 4 images are constant and have no spectrum",
    ]
    assert [each["images"] for each in found.meta["sets"]] == [2, 4]


def test_a_set_of_broken_images_is_an_error(folders):
    real, fake = folders(["a.png"])
    (fake / "a.png").write_bytes(b"")
    with pytest.raises(NothingComparedError):
        survey([real, fake], Selection(), Recipe(), Loading(skip_broken=True))


@pytest.mark.parametrize("layout", ["pairs", "batch"])
def test_pairs_and_batches_of_nothing_but_broken_images_are_an_error(folders, layout):
    real, fake = folders(["a.png", "b.png"])
    for path in (*real.iterdir(), *fake.iterdir()):
        path.write_bytes(b"")
    with pytest.raises(NothingComparedError, match="every image is broken"):
        survey([real, fake], Selection(layout=layout), Recipe(), Loading(skip_broken=True))


def test_how_it_is_shown_can_change_and_what_was_measured_cannot(measured):
    found = measured()
    assert shown_otherwise(found, {"show": "ln"}).recipe == Recipe(show="ln")
    with pytest.raises(InputError, match="window cannot be changed without the images; show and curves can"):
        shown_otherwise(found, {"window": "none"})


@pytest.mark.parametrize(
    "change",
    [
        {"maps": np.zeros((1, 5))},
        {"maps": np.array([["a"]])},
        {"radius": np.zeros(2)},
        {"labels": np.array([], dtype=str)},
        {"example_0": np.zeros(3)},
        {"meta": np.array("[1]")},
        {"meta": np.array("{}")},
        {"meta": "selection"},
        {"meta": "recipe"},
        {"profile": np.zeros(3)},
        {"meta": {"sets": [{"label": "real", "input": "real"}] * 2}},
        {"meta": {"warnings": "none"}},
        {"meta": {"size": [12]}},
        {"meta": {"selection": {"layout": []}}},
        {"radius": lambda radius: radius.astype(str)},
        {"radius": lambda radius: radius + 1j},
        {"radius": lambda radius: radius[None]},
        {"radius": lambda radius: radius + 1},
        {"angle": lambda angle: angle.astype(str)},
        {"maps": lambda maps: maps.astype(np.longdouble)},
        {"profile_spread": lambda spread: spread + np.inf},
        {"angular_spread": lambda spread: spread + 1e300},
        {"example_0": lambda image: image.astype(float)},
        {"example_0": lambda image: image[..., :2]},
        {"example_0": lambda image: image[:0]},
    ],
    ids=lambda change: next(iter(change)),
)
def test_an_npz_that_was_changed_is_an_error_and_no_traceback(measured, tmp_path, change):
    path = tmp_path / "x.npz"
    path.write_bytes(as_npz(measured()))
    with np.load(path) as file:
        arrays = dict(file)
    name, value = next(iter(change.items()))
    if callable(value):
        value = value(arrays[name])
    elif isinstance(value, str):
        meta = json.loads(str(arrays["meta"]))
        meta[value] = {"unknown": 1}
        value = np.array(json.dumps(meta))
    if isinstance(value, dict):
        value = np.array(json.dumps(json.loads(str(arrays["meta"])) | value))
    np.savez(path, **arrays | {name: value})
    with pytest.raises(InputError, match=r"x\.npz"):
        from_npz(path)


def test_what_has_no_partner_is_said_of_pairs(folders):
    inputs = folders(["a.png", "b.png"], ["a.png", "c.png"])
    found = survey(inputs, Selection(layout="pairs"), Recipe(), Loading())
    assert len(found.labels) == 2
    assert "have no partner and were left out" in found.meta["warnings"][0]


@pytest.mark.parametrize("name", [name for name in PRESETS if name != "karras2021"])  # whose window spreads the mean
def test_constant_images_have_no_energy_but_their_mean(folders, name):
    inputs = folders(["a.png"], pixels=np.full((24, 24, 3), 90, np.uint8))
    found = survey(inputs, Selection(), PRESETS[name], Loading())
    rest = np.delete(found.maps[0].ravel(), 0 if name == "frank2020" else 12 * 24 + 12)
    empty = np.log(1e-12) if found.recipe.average == "log" else 0
    np.testing.assert_allclose(rest, empty)


@pytest.mark.parametrize(("layout", "labels"), [("pairs", ["real", "fake"] * 2), ("batch", ["image 1", "image 3"] * 2)])
def test_pairs_and_batches_of_broken_images_are_left_out(folders, layout, labels):
    real, fake = folders(["a.png", "b.png", "c.png"])
    for folder in (real, fake):
        (folder / "b.png").write_bytes((folder / "b.png").read_bytes()[:60])
    selection, loading = Selection(layout=layout, batch_size=1), Loading(skip_broken=True)
    found = survey([real, fake], selection, Recipe(), loading)
    assert list(found.labels) == labels
    assert found.meta["warnings"] == ["sets of broken images were left out: b.png, b.png"]
    with pytest.raises(BrokenImageError, match=r"b\.png"):
        survey([real, fake], selection, Recipe(), Loading())


def test_a_pair_goes_with_its_broken_half(folders):
    real, fake = folders(["a.png", "b.png"])
    (fake / "a.png").write_bytes(b"")
    found = survey([real, fake], Selection(layout="pairs"), Recipe(), Loading(skip_broken=True))
    assert [each["input"] for each in found.meta["sets"]] == ["b.png", "b.png"]
