"""FID, KID and the Inception score of sets: one pass, any batch, any number of each side."""

import json
import runpy
import warnings
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from ffltool.errors import InputError
from ffltool.evaluate import evaluate_pairs
from ffltool.images import read
from ffltool.looking import Looking, Sources
from ffltool.memory import pair_in_memory
from ffltool.metrics.fid import fid
from ffltool.metrics.inception import prepared
from ffltool.metrics.inception_score import inception_score
from ffltool.metrics.kid import kid
from ffltool.pairing import pair
from tests.learned.common import SETS, in_batches, scores

pytestmark = pytest.mark.usefixtures("one_thread", "caches")


def uncached(looking):
    return replace(looking, sources=replace(looking.sources, cached=False))


def features(means, folder, layer="64"):
    """Look at the images of a folder one by one."""
    found = [
        means.network({})(prepared(torch.tensor(read(path).planes())[None]), layers=[layer])[layer]
        for path in sorted(folder.iterdir())
    ]
    return torch.cat(found)


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


def test_pairs_and_sets_share_one_reading(folders, means, alex, decoded):
    real, fake = folders([f"{i}.png" for i in range(11)], size=(40, 40))
    own = means.looking.sources.own | alex.sources.own
    looking = replace(means.looking, sources=Sources(own=own, cached=False))
    everything = ["lpips", *SETS, "lsd", "psnr", "ssim"]
    together = scores(evaluate_pairs(pair(real, fake), everything, looking=looking, bands=3, workers=2))
    assert sorted(decoded) == sorted([*real.iterdir(), *fake.iterdir()])
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
