"""Runs that train pairs: their files, and how they go on."""

import numpy as np
import pytest
import torch

from ffltool import train
from ffltool.errors import InputError
from ffltool.images import read
from ffltool.run_folder import Reuse
from ffltool.runs import Judging, Keeping, carry_out
from ffltool.train import Training
from tests.pix2pix.common import CODE, equal, plan
from tests.runs.common import StoppedError, files

pytestmark = pytest.mark.usefixtures("one_thread", "narrow")

JUDGING = Judging(metrics=("psnr", "lfd"))
MAIN = f"{CODE}import sys; from ffltool.cli import main; sys.exit(main(sys.argv[1:]))"


def checkpoint(run):
    return torch.load(run / "checkpoint.pt", weights_only=True)


def test_a_run_leaves_its_files(tmp_path, pairs):
    carry_out(plan(steps=2), pairs, tmp_path / "run", test=pairs, judging=JUDGING)
    names = [f"{name}.png" for name in pairs.names]
    assert files(tmp_path / "run") == sorted(
        [
            *("checkpoint.pt", "config.json", "log.csv", "report.json", "samples/epoch_0001.png"),
            *(f"recon/{side}/{name}" for side in ("real", "fake") for name in names),
        ]
    )
    training = Training(plan(steps=2))
    training.go_on_from(checkpoint(tmp_path / "run"))
    made = ((training.rebuilt(pairs.pixels) + 1) * 127.5).round().byte()
    for name, pair, fake in zip(names, pairs.pixels, made, strict=True):
        assert np.array_equal(read(tmp_path / "run" / "recon" / "real" / name).planes(), pair[3:].numpy())
        assert np.array_equal(read(tmp_path / "run" / "recon" / "fake" / name).planes(), fake.numpy())
    grid = read(tmp_path / "run" / "samples" / "epoch_0001.png").planes()
    assert grid.shape == (3, 3 * 256 + 2 * 2, 4 * 256 + 3 * 2)  # given, wanted, made; all four
    rows = [grid[:, top : top + 256, :256] for top in (0, 258, 516)]
    for row, expected in zip(rows, (*pairs.pixels[0].split(3), made[0]), strict=True):
        assert np.array_equal(row, expected.numpy())
    head, first, *_ = (tmp_path / "run" / "log.csv").read_text().splitlines()
    assert head == "step,epoch,loss,pixel,ffl,kl,spreg,gan,critic"
    assert [bool(cell) for cell in first.split(",")] == [True, True, True, True, True, False, False, True, True]


def stopping(news, total, batch):
    yield next(iter(news))
    raise StoppedError


def test_a_run_that_was_stopped_and_goes_on_comes_to_the_same_files(tmp_path, pairs):
    carry_out(plan(decay=0.5), pairs, tmp_path / "whole", test=pairs, judging=JUDGING)
    often = Keeping(checkpoint_seconds=0, samples_every=1)
    with pytest.raises(StoppedError):
        carry_out(plan(decay=0.5), pairs, tmp_path / "half", keeping=often, progress=stopping)
    assert checkpoint(tmp_path / "half")["step"] == 1
    carry_out(plan(decay=0.5), pairs, tmp_path / "half", test=pairs, judging=JUDGING, reuse=Reuse(resume=True))
    assert equal(checkpoint(tmp_path / "whole"), checkpoint(tmp_path / "half"))
    assert files(tmp_path / "whole") == files(tmp_path / "half")
    for name in files(tmp_path / "whole"):
        if name.endswith((".png", "log.csv")):
            assert (tmp_path / "whole" / name).read_bytes() == (tmp_path / "half" / name).read_bytes(), name


def test_a_process_that_was_killed_goes_on_to_the_same_weights(tmp_path, folder, pairs, killed_at):
    command = ["train", "pix2pix", folder, "--decay", 0, "--checkpoint-seconds", 0, "--device", "cpu"]
    arguments = [*command, "--steps", 100000, "--samples-every", 9999, "-o", tmp_path / "run"]
    killed_at(tmp_path / "run" / "checkpoint.pt", MAIN, arguments)
    step = checkpoint(tmp_path / "run")["step"]
    length = plan(seed=0, steps=step + 1, lr=2e-4, batch_size=1)
    for name in ("run", "whole"):
        carry_out(length, pairs, tmp_path / name, reuse=Reuse(resume=True))
    assert equal(checkpoint(tmp_path / "run"), checkpoint(tmp_path / "whole"))
    assert len({(tmp_path / name / "log.csv").read_text() for name in ("run", "whole")}) == 1


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ({"decay": 0.5, "steps": 1}, {"decay": 0.5}, "trained with steps 1, not 3"),
        ({"steps": 1}, {"direction": "BtoA"}, "trained with direction AtoB, not BtoA"),
        ({"steps": 1}, {"gan_weight": 0.0}, r"trained with gan_weight 1.0, not 0.0"),
    ],
    ids=str,
)
def test_the_checkpoint_of_another_run_is_refused(tmp_path, pairs, before, after, said):
    carry_out(plan(**before), pairs, tmp_path / "run")
    with pytest.raises(InputError, match=said):
        carry_out(plan(**after), pairs, tmp_path / "run", reuse=Reuse(resume=True))


def test_a_checkpoint_without_its_critic_is_refused(tmp_path, pairs):
    carry_out(plan(steps=1), pairs, tmp_path / "run")
    state = checkpoint(tmp_path / "run")
    del state["critic"]
    torch.save(state, tmp_path / "run" / "checkpoint.pt")
    with pytest.raises(InputError, match="the checkpoint does not hold the weights and moments of this model"):
        carry_out(plan(), pairs, tmp_path / "run", reuse=Reuse(resume=True))


def test_a_loss_that_is_no_number_keeps_the_last_good_checkpoint(tmp_path, pairs, monkeypatch):
    def spoilt(real, fake):
        return critic_loss(real, fake) * (float("nan") if (tmp_path / "run" / "checkpoint.pt").exists() else 1)

    critic_loss = train.critic_loss
    monkeypatch.setattr(train, "critic_loss", spoilt)
    with pytest.raises(InputError, match="the loss is nan at step 2; a smaller --lr, --pixel-weight, --ffl"):
        carry_out(plan(), pairs, tmp_path / "run", keeping=Keeping(checkpoint_seconds=0))
    state = checkpoint(tmp_path / "run")
    assert state["step"] == 1
    assert all(value.isfinite().all() for value in state["critic"]["weights"].values())
