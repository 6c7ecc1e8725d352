"""Learned metrics of files: one pass, any batch, any number of each side; weights first."""

import json
import runpy
import warnings
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from ffltool import checkpoints
from ffltool.errors import InputError, MissingWeightsError, ShapeError, WeightsError
from ffltool.evaluate import evaluate_pairs
from ffltool.images import Reading, read
from ffltool.looking import Computing, Looking, Sources
from ffltool.memory import pair_in_memory
from ffltool.metrics.fid import fid
from ffltool.metrics.inception import prepared
from ffltool.metrics.inception_score import inception_score
from ffltool.metrics.kid import kid
from ffltool.metrics.lpips import load
from ffltool.pairing import pair

SETS = ["fid", "kid", "is"]
pytestmark = pytest.mark.usefixtures("one_thread", "caches")


@pytest.fixture
def alex(stand_ins):
    return Looking(sources=Sources(own={"alexnet": stand_ins["alexnet"], "squeezenet": stand_ins["squeezenet"]}))


def in_batches(looking, size):
    return replace(looking, computing=Computing(batch_size=size))


def uncached(looking):
    return replace(looking, sources=replace(looking.sources, cached=False))


def scores(report):
    return {score.metric: score.value for score in report.scores}


def features(means, folder, layer="64"):
    """Look at the images of a folder one by one."""
    found = [
        means.network({})(prepared(torch.tensor(read(path).planes())[None]), layers=[layer])[layer]
        for path in sorted(folder.iterdir())
    ]
    return torch.cat(found)


# pairs


@pytest.mark.parametrize("backbone", ["alex", "squeeze"])
def test_lpips_of_files_is_that_of_their_tensors(folders, alex, backbone):
    real, fake = folders([f"{i}.png" for i in range(5)], size=(40, 33))
    looking = replace(alex, backbone=backbone)
    report = evaluate_pairs(pair(real, fake), ["lpips"], looking=looking)
    network = load(backbone, own=alex.sources.own[{"alex": "alexnet"}.get(backbone, "squeezenet")])
    for row in report.pairs:
        both = (torch.from_numpy(read(side / row.real).planes())[None] for side in (real, fake))
        assert row.values == pytest.approx([network(*both).item()], abs=1e-6)
    (score,) = report.scores
    assert score.value == pytest.approx(np.mean([row.values[0] for row in report.pairs]))
    assert score.settings["backbone"] == backbone


@pytest.mark.parametrize("size", [1, 3, 20])
def test_lpips_stands_among_the_others_in_any_batches_and_sizes(tmp_path, save, alex, size):
    for number, shape in enumerate([(40, 33), (31, 50), (40, 33), (40, 33), (31, 50)]):
        for side in ("real", "fake"):
            save(tmp_path / side / f"{number}.png", size=shape, mode="L" if (number, side) == (2, "real") else "RGB")
    pairing = pair(tmp_path / "real", tmp_path / "fake")
    metrics = ["psnr", "lpips", "lfd"]
    expected = evaluate_pairs(pairing, metrics, looking=alex)
    found = evaluate_pairs(pairing, metrics, looking=in_batches(alex, size), workers=3)
    for one, other in zip(expected.pairs, found.pairs, strict=True):
        assert (one.real, one.height) == (other.real, other.height)
        assert one.values == pytest.approx(other.values, rel=1e-5)
    plain = evaluate_pairs(pairing, ["psnr", "lfd"])
    assert [row.values for row in plain.pairs] == [row.values[::2] for row in found.pairs]


def test_equal_images_have_an_lpips_of_0_and_broken_ones_none(folders, alex):
    real, _ = folders(size=(40, 40))
    report = evaluate_pairs(pair(real, real), ["lpips"], looking=alex)
    assert [row.values for row in report.pairs] == [(0.0,)] * 3
    (real / "b.png").write_bytes(b"junk")
    report = evaluate_pairs(pair(real, real), ["lpips", "mse"], looking=alex, skip_broken=True)
    assert [row.real for row in report.pairs] == ["a.png", "c.png"]


def test_lpips_is_of_fitted_images(tmp_path, save, alex):
    save(tmp_path / "real" / "a.png", size=(40, 50))
    save(tmp_path / "fake" / "a.png", size=(44, 40))
    pairing = pair(tmp_path / "real", tmp_path / "fake")
    with pytest.raises(InputError, match="--fit"):
        evaluate_pairs(pairing, ["lpips"], looking=alex)
    report = evaluate_pairs(pairing, ["lpips"], looking=alex, reading=Reading(fit="crop"))
    assert (report.pairs[0].height, report.pairs[0].width) == (40, 40)


def test_an_image_too_small_for_the_backbone_is_named(folders, alex):
    pairing = pair(*folders(["a.png"], size=(30, 40)))
    with pytest.raises(ShapeError, match=r"real/a\.png: LPIPS alex needs images of at least 31x31 pixels, got 30x40"):
        evaluate_pairs(pairing, ["lpips"], looking=alex)


def test_the_reference_pairs_have_the_authors_lpips(shared):
    golden = json.loads((shared / "reference" / "pairs.json").read_text())
    inputs = shared / "reference" / "inputs"
    looking = Looking(sources=Sources(own={"alexnet": shared / "weights" / "alexnet_features.pth"}))
    report = evaluate_pairs(pair(inputs / "real", inputs / "fake"), ["lpips"], looking=looking)
    for row in report.pairs:
        assert row.values[0] == pytest.approx(golden["pairs"][row.real]["official_lpips"], abs=1e-6)
    assert report.scores[0].settings["weights_file"] == "alexnet_features.pth (published)"


# sets


def test_sets_are_of_all_images_in_order_whatever_the_batch(folders, means):
    real, fake = folders([f"{i}.png" for i in range(10, 24)], size=(20, 14))
    for path in sorted(fake.iterdir())[-3:]:
        path.unlink()
    one, other = features(means, real), features(means, fake)
    expected = {
        "fid": fid(one, other),
        "kid": kid(one, other)[0],
        "is": inception_score(features(means, fake, "logits_unbiased"))[0],
    }
    for size in (1, 7, 20):
        looking = in_batches(uncached(means.looking), size)
        report = evaluate_pairs(pair(real, fake, by="none"), SETS, looking=looking, workers=3)
        assert scores(report) == pytest.approx(expected, rel=1e-5)
        assert (report.real.images, report.fake.images, report.pairs) == (14, 11, ())
        assert [score.std is None for score in report.scores] == [True, False, False]


def test_images_of_any_size_and_colour_are_resized_not_cut(tmp_path, save, means, rng):
    for side in ("real", "fake"):
        for number, shape in enumerate([(20, 30), (13, 40), (20, 30)]):
            save(tmp_path / side / f"{number}.png", size=shape, mode="LRL"[number].replace("R", "RGB"))
    deep = rng.integers(0, 65536, (20, 30), dtype=np.uint16)
    Image.fromarray(deep).save(tmp_path / "real" / "4.png")
    real, fake = tmp_path / "real", tmp_path / "fake"
    report = evaluate_pairs(pair(real, fake, by="none"), ["fid"], looking=means.looking)
    assert scores(report)["fid"] == pytest.approx(fid(features(means, real), features(means, fake)), rel=1e-5)
    assert report.warnings == ()


def test_pairs_and_sets_share_one_reading(folders, means, alex, monkeypatch):
    seen = []

    def note(path, **settings):
        seen.append(path)
        return read(path, **settings)

    monkeypatch.setattr("ffltool.measure.read", note)
    monkeypatch.setattr("ffltool.images.read", note)
    real, fake = folders([f"{i}.png" for i in range(11)], size=(40, 40))
    own = means.looking.sources.own | alex.sources.own
    looking = replace(means.looking, sources=Sources(own=own, cached=False))
    everything = ["lpips", *SETS, "lsd", "psnr", "ssim"]
    together = scores(evaluate_pairs(pair(real, fake), everything, looking=looking, bands=3, workers=2))
    assert sorted(seen) == sorted([*real.iterdir(), *fake.iterdir()])
    apart = scores(evaluate_pairs(pair(real, fake, by="none"), [*SETS, "lsd"], looking=looking))
    assert {name: together[name] for name in apart} == pytest.approx(apart, rel=1e-9)


def test_the_inception_score_is_of_the_fake_set_alone(folders, means):
    real, fake = folders([f"{i}.png" for i in range(10)])
    evaluate_pairs(pair(real, fake, by="none"), ["is"], looking=means.looking)
    assert means.network.seen == 10


def test_real_images_that_no_metric_looks_at_are_not_decoded(folders, means, monkeypatch):
    real, fake = folders([f"{i}.png" for i in range(12)], [f"{i}.png" for i in range(10)])
    expected = evaluate_pairs(pair(real, fake, by="none"), ["fid", "is"], looking=uncached(means.looking))
    seen = []
    monkeypatch.setattr("ffltool.measure.read", lambda path, **how: seen.append(path) or read(path, **how))
    found = evaluate_pairs(pair(real, fake, by="none"), ["is"], looking=uncached(means.looking))
    assert sorted(seen) == sorted(fake.iterdir())
    assert (found.real, found.fake, found.scores) == (expected.real, expected.fake, expected.scores[1:])
    (real / "0.png").write_bytes(b"")
    skipped = evaluate_pairs(pair(real, fake, by="none"), ["is"], looking=means.looking, skip_broken=True)
    assert skipped.real.images == 11


def test_side_by_side_images_are_two_sets(tmp_path, save, rng, means):
    for name in "abc":
        image = rng.integers(0, 256, (12, 24, 3), dtype=np.uint8)
        save(tmp_path / "both" / f"{name}.png", pixels=image)
        save(tmp_path / "real" / f"{name}.png", pixels=image[:, :12])
        save(tmp_path / "fake" / f"{name}.png", pixels=image[:, 12:])
    apart = evaluate_pairs(pair(tmp_path / "real", tmp_path / "fake", by="none"), ["fid"], looking=means.looking)
    for _ in range(2):  # the second time from the cache
        both = evaluate_pairs(pair(tmp_path / "both", side_by_side=True), ["fid"], looking=means.looking)
        assert scores(both) == pytest.approx(scores(apart), rel=1e-6)


def test_images_in_memory_are_those_of_files(folders, means):
    real, fake = folders([f"{i}.png" for i in range(10)])
    expected = evaluate_pairs(pair(real, fake, by="none"), SETS, looking=means.looking)
    images = (np.stack([np.asarray(Image.open(path)) for path in sorted(side.iterdir())]) for side in (real, fake))
    held = pair_in_memory(*images, paired=False)
    found = [evaluate_pairs(held, SETS, looking=means.looking) for _ in range(2)]
    assert found[0].scores == found[1].scores == expected.scores
    assert means.network.seen == 60, "there are no files to know again"


@pytest.mark.parametrize(
    ("metrics", "images", "said"),
    [("fid", 1, "at least two images"), ("kid", 1, "at least two images"), ("is", 9, "at least 10 images, got 9")],
)
def test_too_few_images_that_can_be_read_are_an_error(folders, means, metrics, images, said):
    sides = folders([f"{i}.png" for i in range(images + 1)])
    for side in sides:
        (side / "0.png").write_bytes(b"")
    with pytest.raises(InputError, match=said):
        evaluate_pairs(pair(*sides, by="none"), [metrics], looking=means.looking, skip_broken=True)


def test_the_reference_sets_have_the_numbers_of_the_libraries(shared, tmp_path):
    """With the whole network, as torch-fidelity; its own distance differs for its root of the product, see FID."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        make = runpy.run_path(str(shared / "reference" / "seeded_inception.py"))["make"]
        torch.save(make(), tmp_path / "inception.pth")
    golden = json.loads((shared / "reference" / "fid_seeded_network.json").read_text())
    with np.load(shared / "reference" / "fid_seeded_features.npz") as file:
        theirs = [torch.from_numpy(file[f"torch_fidelity_2048_{side}"]) for side in ("real", "fake")]
    inputs = shared / "reference" / "inputs"
    looking = Looking(preset="torch-fidelity", sources=Sources(own={"inception": tmp_path / "inception.pth"}))
    report = evaluate_pairs(pair(inputs / "real", inputs / "fake", by="none"), SETS, looking=looking)
    found = scores(report)
    exact = golden["arithmetic_on_torch_fidelity_2048_features"]["nuclear_norm_svd_NxN"]
    assert found["fid"] == pytest.approx(exact, rel=1e-5)
    assert found["kid"] == pytest.approx(kid(*theirs)[0], rel=1e-5)
    score = golden["torch_fidelity_0.4.0"]["isc_fake_splits10_shuffleTrue"]
    assert (report.scores[2].value, report.scores[2].std) == pytest.approx(score, abs=1e-6)


def test_too_little_memory_is_one_line_that_tells_what_takes_less(folders, means, monkeypatch):
    def full(*_, **__):
        raise torch.cuda.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(means.network, "forward", full)
    with pytest.raises(InputError, match="cpu lacks memory for 7 at a time; a smaller --batch-size takes less"):
        evaluate_pairs(pair(*folders(), by="none"), ["fid"], looking=in_batches(means.looking, 7))


# weights, and what a result says


def test_a_result_names_all_that_makes_it_comparable(folders, means, alex):
    own = means.looking.sources.own | alex.sources.own
    looking = replace(means.looking, preset="clean", seed=3, sources=Sources(own=own))
    pairing = pair(*folders([f"{i}.png" for i in range(10)], size=(40, 40)))
    report = evaluate_pairs(pairing, ["lpips", *SETS], looking=looking)
    found = {score.metric: score.settings for score in report.scores}
    digest = checkpoints.digest_of_tensors({"one": torch.ones(1)})
    network = {"network": "inception", "weights": digest, "weights_file": "means.pth (own)", "precision": "float32"}
    assert found["fid"] == network | {"preset": "clean", "layer": "64"}
    assert found["kid"] == found["fid"] | {"seed": 3}
    assert found["is"] == found["kid"] | {"layer": "logits_unbiased"}
    assert (found["lpips"]["network"], found["lpips"]["heads"]) == ("alexnet", "v0.1")
    assert report.environment["torch"] == torch.__version__
    assert report.environment["device"] == "cpu"
    assert report.environment["lpips"]
    assert all(score.images == 10 for score in report.scores)


def test_missing_weights_end_a_run_before_an_image_is_read(folders, tiny, monkeypatch):
    monkeypatch.setattr("ffltool.images.read", None)
    monkeypatch.setattr("ffltool.measure.read", None)
    with pytest.raises(MissingWeightsError, match="`ffltool weights fetch alexnet` brings it"):
        evaluate_pairs(pair(*folders()), ["mse", "lpips"])


def test_missing_weights_can_be_left_out_with_a_warning(folders, tiny):
    looking = Looking(sources=Sources(skip_missing=True))
    report = evaluate_pairs(pair(*folders()), ["mse", "lpips", "fid", "kid"], looking=looking)
    assert [score.metric for score in report.scores] == ["mse"]
    assert [warning.partition(" left out, for ")[0] for warning in report.warnings] == ["lpips:", "fid, kid:"]
    with pytest.raises(MissingWeightsError):
        evaluate_pairs(pair(*folders()), ["lpips"], looking=looking)


@pytest.mark.parametrize("status", [404, 500])
def test_weights_that_cannot_be_fetched_are_missing(folders, tiny, server, status):
    server.status = status
    looking = Looking(sources=Sources(download=True, skip_missing=True))
    report = evaluate_pairs(pair(*folders()), ["mse", "lpips"], looking=looking)
    assert [score.metric for score in report.scores] == ["mse"]
    assert report.warnings == (f"lpips: left out, for {server.url} cannot be fetched: HTTP status {status}",)


def test_damaged_weights_are_never_left_out(folders, tmp_path):
    (tmp_path / "bad.pth").write_bytes(b"junk")
    sources = Sources(own={"alexnet": tmp_path / "bad.pth"}, skip_missing=True)
    with pytest.raises(WeightsError, match="is damaged"):
        evaluate_pairs(pair(*folders()), ["mse", "lpips"], looking=Looking(sources=sources))


def test_weights_are_fetched_where_that_is_allowed(folders, tiny, server, monkeypatch):
    class Nothing(torch.nn.Module):
        def __init__(self, backbone, tensors):
            super().__init__()

        def check(self, *shape):
            pass

        def forward(self, real, fake):
            return torch.zeros(len(real))

    monkeypatch.setattr("ffltool.loaded.Lpips", Nothing)
    chunks = []
    sources = Sources(download=True, progress=lambda items, total: (chunks.append(each) or each for each in items))
    assert scores(evaluate_pairs(pair(*folders()), ["lpips"], looking=Looking(sources=sources))) == {"lpips": 0}
    assert chunks
    assert evaluate_pairs(pair(*folders()), ["lpips"]).scores[0].value == 0
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"backbone": "vgg19"}, "no backbone of LPIPS 'vgg19'; known are alex, vgg, squeeze"),
        ({"preset": "best"}, "no preset 'best'; known are pytorch-fid, torch-fidelity, clean"),
        ({"layer": "1024"}, "no layer of features '1024'; known are 64, 192, 768, 2048$"),
        ({"computing": Computing(half=True)}, "half precision is for a GPU"),
    ],
)
def test_what_there_is_not_is_an_error_before_weights_are_looked_for(folders, change, said):
    with pytest.raises(InputError, match=said):
        evaluate_pairs(pair(*folders()), ["lpips"], looking=Looking(**change))
