"""Checkpoints, logs and settings that were damaged or tampered with are errors, and stay."""

import shutil

import pytest
import torch

from ffltool.errors import InputError
from ffltool.run_folder import Reuse
from ffltool.runs import carry_out
from tests.runs.common import REAL, files, plan

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 nonsense", b"no checkpoint"], ids=len)
def test_a_damaged_checkpoint_is_an_error(tmp_path, images, content):
    carry_out(plan(), images, tmp_path / "run")
    (tmp_path / "run" / "checkpoint.pt").write_bytes(content)
    with pytest.raises(InputError, match=r"checkpoint\.pt is damaged, or no checkpoint of ffltool"):
        carry_out(plan(), images, tmp_path / "run", reuse=Reuse(resume=True))


def tampered(state, name, value):
    """Return a state with another value at a path such as "weights/encoder.bias", or without it."""
    *path, last = name.split("/")
    state = dict(state)
    inner = state
    for key in path:
        inner[key] = dict(inner[key])
        inner = inner[key]
    if value is None:
        del inner[last]
    else:
        inner[last] = value
    return state


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        *(
            (name, None, r"checkpoint\.pt is damaged, or no checkpoint of ffltool")
            for name in ("plan", "step", "images")
        ),
        *((name, [torch.ones(2)], r"checkpoint\.pt is damaged") for name in ("schema", "plan", "step", "images")),
        *(("step", value, r"checkpoint\.pt is damaged") for value in (-1, 2.5, "2")),
        ("step", 10**15, "checkpoint.pt is at step 1000000000000000, beyond the 6 that are wanted"),
        ("plan/lr", None, "trained with lr None, not 0.001"),
        ("plan/lr", torch.ones(2), r"checkpoint\.pt is damaged"),
        ("plan/objective", 3, "trained with objective 3, not "),
        ("plan/objective/more", 1, "trained with more 1, not None"),
        *((name, None, "does not hold the weights and moments of this model") for name in ("weights", "moments")),
        *((name, "x", "does not hold the weights and moments") for name in ("weights", "moments")),
        ("weights/encoder.bias", None, "does not hold the weights and moments of this model"),
        ("weights/encoder.bias", torch.ones(3), "does not hold the weights and moments of this model"),
        ("weights/encoder.bias", torch.ones(256, dtype=torch.int), "does not hold the weights and moments"),
        ("weights/encoder.bias", torch.ones(256).to_sparse(), "does not hold the weights and moments"),
        ("weights/encoder.bias", torch.ones(256, device="meta"), "does not hold the weights and moments"),
        ("weights/more", torch.ones(3), "does not hold the weights and moments of this model"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_a_checkpoint_that_was_tampered_with_is_an_error(tmp_path, images, name, value, said):
    carry_out(plan(), images, tmp_path / "run")
    path = tmp_path / "run" / "checkpoint.pt"
    torch.save(tampered(torch.load(path, weights_only=True), name, value), path)
    before = path.read_bytes()
    with pytest.raises(InputError, match=said):
        carry_out(plan(), images, tmp_path / "run", reuse=Reuse(resume=True))
    assert path.read_bytes() == before


@pytest.mark.parametrize("value", [None, {}, {"step": torch.tensor(2.0), "exp_avg": torch.ones(3)}, 3], ids=str)
def test_moments_that_were_tampered_with_are_an_error(tmp_path, images, value):
    carry_out(plan(), images, tmp_path / "run")
    path = tmp_path / "run" / "checkpoint.pt"
    state = torch.load(path, weights_only=True)
    state["moments"] = {**state["moments"], 1: value}
    torch.save(state, path)
    with pytest.raises(InputError, match="the checkpoint does not hold the weights and moments of this model"):
        carry_out(plan(), images, tmp_path / "run", reuse=Reuse(resume=True))


@pytest.mark.parametrize(
    "line",
    [
        b"6,x,1,1,,,,,",
        b"6,3,x,1,,,,,",
        b"6,3,1,,,,,,",
        b"6,3,1,1,x,,,,",
        b"6,3,1\xff,1,,,,,",
        b"6,3,\0,1,,,,,",
        b"6,3," + 200_000 * b"1" + b",1,,,,,",
        b"6,3,1",
        9999 * b"6" + b",3,1,1,,,,,",
        b"",
    ],
    ids=lambda line: str(line[:20]),
)
def test_a_log_that_was_tampered_with_is_an_error(tmp_path, images, line):
    carry_out(plan(), images, tmp_path / "run")
    path = tmp_path / "run" / "log.csv"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:-1]) + line + b"\n")
    before = path.read_bytes()
    with pytest.raises(InputError, match=r"log\.csv does not hold the 6 steps of the checkpoint beside it"):
        carry_out(plan(), images, tmp_path / "run", reuse=Reuse(resume=True))
    assert path.read_bytes() == before


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"[1, 2", b'{"schema": "other/1"}'], ids=str)
def test_settings_that_were_tampered_with_mark_no_run(tmp_path, images, content):
    carry_out(plan(), images, tmp_path / "run")
    (tmp_path / "run" / "config.json").write_bytes(content)
    before = {name: (tmp_path / "run" / name).read_bytes() for name in files(tmp_path / "run")}
    other, strange = "holds other files; a new folder is wanted", "was not written by this"
    for reuse, said in ((Reuse(resume=True), other), (Reuse(force=True), strange)):
        with pytest.raises(InputError, match=said):
            carry_out(plan(), images, tmp_path / "run", reuse=reuse)
    assert {name: (tmp_path / "run" / name).read_bytes() for name in files(tmp_path / "run")} == before


def test_folders_in_the_place_of_files_of_a_run_are_one_line(tmp_path, images, run):
    command = ["train", "ae", REAL, "--size", 16, "--batch-size", 6, "--steps", 2, "--device", "cpu"]
    for number, name in enumerate(("checkpoint.pt", "log.csv", "config.json", "report.json", "samples")):
        folder = tmp_path / str(number)
        assert run(*command, "-o", folder)[0] == 0
        if name == "samples":
            shutil.rmtree(folder / name)
            (folder / name).write_text("")
        else:
            (folder / name).unlink(missing_ok=True)
            (folder / name).mkdir()
        for how in ("--resume", "--force"):
            status, out, err = run(*command, "-o", folder, "--steps", 3, how)
            assert (status, out, err.count("\n")) in ((2, "", 1), (0, out, 0)), (name, how, err)


def test_a_checkpoint_of_another_kind_and_a_log_without_its_steps_are_errors(tmp_path, images):
    carry_out(plan(), images, tmp_path / "run")
    (tmp_path / "run" / "log.csv").write_text("step\n")
    with pytest.raises(InputError, match=r"log\.csv does not hold the 6 steps of the checkpoint beside it"):
        carry_out(plan(), images, tmp_path / "run", reuse=Reuse(resume=True))
    torch.save({"schema": "other/2"}, tmp_path / "run" / "checkpoint.pt")
    with pytest.raises(InputError, match=r"a checkpoint of the kind other/2, not ffltool\.checkpoint/1"):
        carry_out(plan(), images, tmp_path / "run", reuse=Reuse(resume=True))
