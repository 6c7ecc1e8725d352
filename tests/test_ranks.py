"""Two real processes on gloo: what each measures alone adds up to what one measures of all."""

import json

import pytest

from ffltool import ranks


def test_one_process_has_rank_0_and_all_the_work(monkeypatch):
    for name in ("RANK", "WORLD_SIZE"):
        monkeypatch.delenv(name, raising=False)
    assert (ranks.rank(), ranks.world(), ranks.share([1, 2, 3])) == (0, 1, [1, 2, 3])


def test_a_world_size_without_a_rendezvous_is_no_launch(monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "4")
    monkeypatch.delenv("MASTER_ADDR", raising=False)
    assert ranks.world() == 1


def test_shares_are_disjoint_and_complete(monkeypatch):
    for name in ("MASTER_ADDR", "MASTER_PORT"):
        monkeypatch.setenv(name, "1")
    monkeypatch.setenv("WORLD_SIZE", "3")
    shares = []
    for rank in range(3):
        monkeypatch.setenv("RANK", str(rank))
        shares.append(ranks.share(range(11)))
    assert sorted(item for share in shares for item in share) == list(range(11))


def test_two_processes_report_the_numbers_of_one(tmp_path, folders, run, torchrun):
    real, fake = folders([f"{i}.png" for i in range(7)], size=(12, 20))
    (fake / "3.png").write_bytes((real / "3.png").read_bytes())
    command = ["metrics", real, fake, "-m", "mse,psnr,ssim,lfd"]
    two = torchrun("-m", "ffltool", *command, "--json", tmp_path / "two.json", "--csv", tmp_path / "two.csv")
    assert two.returncode == 0, two.stderr
    assert two.stdout.count("worst pairs") == 1, "only one process reports"
    assert run(*command, "--json", tmp_path / "one.json", "--csv", tmp_path / "one.csv")[0] == 0
    one_json, two_json = (json.loads((tmp_path / f"{name}.json").read_text()) for name in ("one", "two"))
    for key in ("real", "fake", "scores", "warnings"):
        assert one_json[key] == two_json[key]
    assert (tmp_path / "one.csv").read_text() == (tmp_path / "two.csv").read_text()


def test_sets_and_bands_of_two_processes_are_those_of_one_to_rounding(tmp_path, folders, run, two_ranks):
    real, fake = folders([f"{i}.png" for i in range(7)], size=(12, 20))
    for path in list(fake.iterdir())[:2]:
        path.unlink()
    sets = ["metrics", real, fake, "-m", "lsd,sde,gain"]
    pairs = ["lfd", real, fake, "--bands", "3", "--allow-unpaired"]
    for number, command in enumerate((sets, pairs)):
        two = two_ranks("-m", "ffltool", *command, "--json", tmp_path / f"two{number}.json")
        assert two.returncode == 0, two.stderr
        assert run(*command, "--json", tmp_path / f"one{number}.json")[0] == 0
        one, two = (json.loads((tmp_path / f"{name}{number}.json").read_text()) for name in ("one", "two"))
        assert [one[key] for key in ("real", "fake")] == [two[key] for key in ("real", "fake")]
        for kind, name in (("scores", "metric"), ("bands", "name")):
            for first, second in zip(one[kind], two[kind], strict=True):
                assert first.pop(name) == second.pop(name)
                numbers = [
                    {key: each for key, each in row.items() if isinstance(each, float)} for row in (first, second)
                ]
                # what is added up differs in its order alone
                assert numbers[0] == pytest.approx(numbers[1], rel=1e-9, abs=1e-9)


def test_label_maps_of_two_processes_are_those_of_one_though_each_knows_other_labels(
    tmp_path, label_folders, run, two_ranks
):
    real, fake = label_folders(["a.png", "c.png", "e.png"], classes=3)
    label_folders(["b.png", "d.png"], classes=7)
    command = ["metrics", real, fake, "-m", "miou,pixel_accuracy", "--labels"]
    two = two_ranks("-m", "ffltool", *command, "--json", tmp_path / "two.json", "--csv", tmp_path / "two.csv")
    assert two.returncode == 0, two.stderr
    assert run(*command, "--json", tmp_path / "one.json", "--csv", tmp_path / "one.csv")[0] == 0
    one_json, two_json = (json.loads((tmp_path / f"{name}.json").read_text()) for name in ("one", "two"))
    assert len(one_json["classes"]) == 7
    for key in ("real", "fake", "scores", "classes", "warnings"):
        assert one_json[key] == two_json[key]
    assert (tmp_path / "one.csv").read_text() == (tmp_path / "two.csv").read_text()


def test_networks_of_two_processes_see_what_one_sees(tmp_path, folders, run, stand_ins, caches, two_ranks):
    """With an odd number of real images, so that the fake ones are dealt out from the other process on."""
    real, fake = folders([f"{i}.png" for i in range(11)], size=(40, 33))
    own = [part for name in ("alexnet", "inception") for part in ("--weights", f"{name}={stand_ins[name]}")]
    sets = ["metrics", real, fake, "-m", "fid,kid,is", "--layer", "64", "--no-cache", *own]
    (real / "0.png").unlink()
    pairs = ["metrics", real, fake, "-m", "lpips,psnr,kid", "--layer", "64", "--allow-unpaired", "--no-cache", *own]
    for number, command in enumerate((sets, pairs)):
        two = two_ranks("-m", "ffltool", *command, "--json", tmp_path / f"two{number}.json")
        assert two.returncode == 0, two.stderr
        assert run(*command, "--json", tmp_path / f"one{number}.json")[0] == 0
        one, two = (json.loads((tmp_path / f"{name}{number}.json").read_text()) for name in ("one", "two"))
        for first, second in zip(one["scores"], two["scores"], strict=True):
            assert first["settings"] == second["settings"]
            # images meet others in a batch, which may change the order of a sum
            assert first["value"] == pytest.approx(second["value"], rel=1e-5)


def test_an_error_of_one_process_ends_both_with_its_message(folders, torchrun):
    real, fake = folders([f"{i}.png" for i in range(5)])
    (fake / "3.png").write_bytes(b"junk")
    result = torchrun("-m", "ffltool", "lfd", real, fake)
    assert result.returncode != 0
    assert result.stderr.count("ffltool: ") == 2
    assert "fake/3.png is not an image" in result.stderr
    assert "worst pairs" not in result.stdout


SUMS = """
import torch
from ffltool import ranks
from ffltool.metrics.fid import Moments
from ffltool.metrics.sums import Mean, Placed, Rows, Sums

values = [1.5, float("inf"), 4.0, -2.0, 8.25]
whole, part = Mean(origin=1.5), Mean(origin=1.5)
whole.update(values)
tensors = Sums(outer=(2, 3), count=())
features = torch.rand(7, 2, generator=torch.Generator().manual_seed(1))
rows, placed, alone, moments, merged = Rows(2), Placed(2), Rows(2), Moments(2), Moments(2)
moments.update(features)
with ranks.group():
    part.update(ranks.share(values))
    part.all_reduce()
    tensors.add(outer=torch.full((2, 3), float(1 + ranks.rank())), count=1)
    tensors.all_reduce()
    for state in (rows, merged):
        for each in ranks.share(features).split(3):
            state.update(each)
    for place in range(6 - ranks.rank(), -1, -2):
        placed.update(features[place, None], [place])
    if ranks.rank() == 1:
        alone.update(features[:3])
    for state in (rows, placed, alone, merged):
        state.all_reduce()
assert torch.equal(rows.compute(), torch.cat([features[::2], features[1::2]]))
assert torch.equal(placed.compute(), features)
assert torch.equal(alone.compute(), features[:3])
torch.testing.assert_close(merged.compute().covariance, moments.compute().covariance)
assert merged.compute().count == 7
assert part.state == whole.state, part.state
assert part.compute() == whole.compute()
assert tensors.state["outer"].tolist() == [[3.0] * 3] * 2
assert tensors.state["count"] == 2.0
"""


def test_sums_of_two_processes_equal_the_whole(tmp_path, two_ranks):
    (tmp_path / "sums.py").write_text(SUMS)
    result = two_ranks(tmp_path / "sums.py")
    assert result.returncode == 0, result.stderr


AGAIN = """
import random, time
from ffltool import ranks
from ffltool.metrics.sums import Sums

for turn in range(20):
    sums = Sums(turn=(3,))
    with ranks.group():
        time.sleep(random.random() / 50)
        sums.add(turn=turn)
        sums.all_reduce()
    assert sums.state["turn"].tolist() == [2 * turn] * 3
"""


def test_processes_that_parted_can_join_again(tmp_path, two_ranks):
    (tmp_path / "again.py").write_text(AGAIN)
    result = two_ranks(tmp_path / "again.py")
    assert result.returncode == 0, result.stderr


def test_an_experiment_of_two_processes_trains_what_one_does_to_rounding(tmp_path, folders, run, two_ranks):
    import torch

    images, _ = folders([f"{i}.png" for i in range(9)], fakes=[], size=(16, 16))
    command = ["ae", images, "--size", "16", "--batch-size", "4", "--epochs", "3", "--lr", "1e-4"]
    command += ["--device", "cpu", "--test", images, "-m", "psnr,lsd"]
    two = two_ranks("-m", "ffltool", "experiment", *command, "-o", tmp_path / "both")
    assert two.returncode == 0, two.stderr
    assert two.stdout.count("best of its column") == 1, "only one process reports"
    assert run("train", *command, "-o", tmp_path / "one")[0] == 0
    folders = tmp_path / "one", tmp_path / "both" / "runs" / "FFL-seed-0"
    one, other = (torch.load(folder / "checkpoint.pt", weights_only=True)["weights"] for folder in folders)
    for name, value in one.items():
        # Adam divides a gradient by its own size: what rounding makes of one near 0 is a good part of a step of 1e-4
        torch.testing.assert_close(other[name], value, rtol=0, atol=1e-4)
        assert (other[name] - value).abs().mean() < 2e-6
    logs = [(folder / "log.csv").read_text().splitlines() for folder in folders]
    for first, second in zip(*logs, strict=True):
        assert first[:3] == second[:3]
    losses = [[float(line.split(",")[2]) for line in log[1:]] for log in logs]
    assert losses[0] == pytest.approx(losses[1], rel=1e-4)
    assert json.loads((folders[1] / "config.json").read_text())["processes"] == 2
    assert (tmp_path / "both" / "spectra.png").exists()


def test_the_place_on_a_machine_is_what_the_launcher_says_or_that_among_all(monkeypatch):
    monkeypatch.delenv("LOCAL_RANK", raising=False)
    assert ranks.local() == 0
    monkeypatch.setenv("LOCAL_RANK", "3")
    assert ranks.local() == 3


@pytest.mark.parametrize(
    ("command", "reported"),
    [
        ("check REAL FAKE --min psnr=99", "1 of 1 limit failed"),
        ("check REAL FAKE --max lsd=0", "1 of 1 limit failed"),
        ("train ae REAL --size 32 --batch-size 4 --steps 2 --device cpu -o OUT", "files are in"),
        ("spectrum REAL FAKE -o OUT.png", "32x40: mean"),
        ("peaks REAL", "no periodic"),
    ],
)
def test_only_one_process_reports(tmp_path, folders, two_ranks, command, reported):
    real, fake = folders([f"{number}.png" for number in range(5)], size=(32, 40))
    places = {"REAL": real, "FAKE": fake, "OUT": tmp_path / "out", "OUT.png": tmp_path / "out.png"}
    done = two_ranks("-m", "ffltool", *(places.get(word, word) for word in command.split()))
    assert done.stdout.count(reported) == 1, done.stderr
    assert done.stderr == ""


ASSERTED = """
import sys
from ffltool import assert_images, ranks
report = assert_images(*sys.argv[1:], psnr=">=0")
assert (report is None) == (ranks.rank() == 1)
"""


def test_an_assertion_is_judged_by_the_first_process_alone(tmp_path, folders, two_ranks):
    (tmp_path / "asserted.py").write_text(ASSERTED)
    result = two_ranks(tmp_path / "asserted.py", *folders())
    assert result.returncode == 0, result.stderr
