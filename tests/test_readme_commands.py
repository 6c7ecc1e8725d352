"""Every command line that the README shows is run: as it stands, or in a cheaper form where that would take long."""

import re
import shlex
import shutil
from pathlib import Path

import numpy as np
import pytest
import typer
from PIL import Image

from ffltool.cli import app, main
from ffltool.objective import Objective, variant

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
TEXT = re.sub(r"^```.*?^```$", "", README, flags=re.MULTILINE | re.DOTALL)
PROGRAMS = ("ffltool", "python", "pip", "pytest", "ruff", "mypy", "torchrun")
# what is not run here, and why
ELSEWHERE = {
    "pip install -e .": "CI runs it, which test_readme.py holds",
    "pip install -e '.[test]'": "CI runs it, which test_readme.py holds",
    "ffltool metrics sample_data/real sample_data/fake -m mae": "test_readme.py adds the metric and runs it",
    "pip install ./ffltool": "the same from outside of a checkout",
    "python generate.py --out out/": "stands for what makes a user's images",
    "pytest": "runs this",
    "pytest tests/metrics": "runs beside this",
    "ruff check .": "CI runs it",
    "ruff format --check .": "CI runs it",
    "mypy": "CI runs it",
}
# command -> what is added to its lines
CHEAPER = {
    "reconstruct": "--steps 2",  # of 300 for each of four objectives
    "train": "--steps 1 --size 16",
    "experiment": "--steps 1 --size 16",
}
LIMITS = 'real = "real"\nfake = "fake"\npsnr.min = 20\n'
COPIES = {"photos": "real", "train": "real", "test": "fake", "data/test": "real", "out": "fake"}


def lines():
    """Yield the command lines of the README, those joined by && apart."""
    for language, text in BLOCKS:
        text = text.replace("\\\n", "")
        if language == "sh":
            found = text.splitlines()
        elif language == "console":
            found = re.findall(r"^\$ (.*)", text, re.MULTILINE)
        else:
            found = re.findall(r"(?:run|cmd|entry): ([^,}\n]+)", text) if language == "yaml" else []
        for line in found:
            yield from (part.strip() for part in line.split("&&"))


LINES = list(dict.fromkeys(lines()))
OURS = [line for line in LINES if line.startswith(("ffltool ", "torchrun ")) and line not in ELSEWHERE]
HOURS = [line for line in OURS if "--epochs 200" in line and "--seeds" in line]
INLINE = list(dict.fromkeys(re.findall(r"`(ffltool [^`]+)`", TEXT)))
SCRIPTS = list(dict.fromkeys(re.findall(r"`([^`]+\.py\s[^`]*)`", TEXT)))


def options_of(line):
    return {word for word in re.split(r"[\s=,]+", line.split(" -m ffltool ")[-1]) if re.match(r"--?[a-z]", word)}


def known_options(line):
    command, words = typer.main.get_command(app()), shlex.split(line)[1:]
    while words and words[0] in getattr(command, "commands", {}):
        command = command.commands[words.pop(0)]
    options = (option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts))
    return {*options, "--help"}


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    """Make the folders and files that the README speaks of."""
    folder, rng = tmp_path_factory.mktemp("inputs"), np.random.default_rng(8)
    for name in ("real", "fake", "jpeg", "gt", "pred"):
        (folder / name).mkdir()
    for number in range(10):
        pixels = rng.integers(0, 256, (64, 64, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / "real" / f"{number}.png")
        Image.fromarray(pixels ^ 1).save(folder / "fake" / f"{number}.png")
        Image.fromarray(pixels).save(folder / "jpeg" / f"{number}.jpg", quality=60)
    for side in ("gt", "pred"):
        Image.fromarray(rng.integers(0, 5, (32, 32), dtype=np.uint8)).save(folder / side / "map.png")
    (folder / "limits.toml").write_text(LIMITS)
    (folder / "pyproject.toml").write_text(f"[tool.ffltool]\n{LIMITS}")
    others = shutil.ignore_patterns("gallery", "__pycache__")
    shutil.copytree(ROOT / "sample_data", folder / "sample_data", ignore=others)
    for path in (folder / "sample_data").glob("*/*.*"):
        with Image.open(path) as image:
            image.crop((0, 0, 64, 64)).save(path)
    for name, target in COPIES.items():
        shutil.copytree(folder / target, folder / name)
    updating = ["--baseline", str(folder / "baseline.json"), "--update-baseline", "-q"]
    assert main(["check", "-c", str(folder / "limits.toml"), *updating]) == 0
    return folder


@pytest.fixture
def here(inputs, tmp_path, monkeypatch, caches, one_thread):
    """Be in a folder of one's own with what the README speaks of."""
    for path in inputs.iterdir():
        (tmp_path / path.name).symlink_to(path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)


@pytest.mark.parametrize("line", [line for line in OURS if line not in HOURS])
def test_a_line_runs(line, here, run, stand_ins):
    words = shlex.split(line)
    if words[0] == "torchrun":  # tests/test_ranks.py starts two processes
        words = words[words.index("-m") + 1 :]
    added = CHEAPER.get(words[1], "")
    if "lpips" in line:
        added += "".join(f" --weights {name}={stand_ins[name]}" for name in ("alexnet", "inception"))
    status, _, errors = run(*words[1:], *added.split())
    assert status == 0, errors


def test_every_line_is_run_or_has_a_reason():
    assert {line for line in LINES if line not in OURS} == set(ELSEWHERE)
    assert set(CHEAPER) <= {line.split()[1] for line in OURS}


def test_no_other_block_holds_command_lines():
    others = [text for language, text in BLOCKS if language not in ("sh", "console", "yaml", "python", "toml")]
    firsts = {line.split()[0] for text in others for line in text.splitlines() if line.strip()}
    assert not firsts & set(PROGRAMS)


@pytest.mark.parametrize("line", INLINE)
def test_a_line_within_the_text_has_only_options_that_there_are(line):
    assert options_of(line) <= known_options(line)


@pytest.mark.parametrize("line", SCRIPTS)
def test_a_script_within_the_text_has_the_options_that_it_names(line):
    (name,) = (word for word in line.split() if word.endswith(".py"))
    (script,) = (path for path in (ROOT / name, ROOT / "tests" / "benchmarks" / name) if path.is_file())
    assert all(f'"{word}"' in script.read_text() for word in line.split() if word.startswith("--"))


def test_an_experiment_of_hours_is_one_that_could_begin():
    assert len(HOURS) == 2
    for line in HOURS:
        assert options_of(line) <= known_options(line)
        words = shlex.split(line)
        named = [words[words.index(option) + 1].split(",") for option in ("--variants", "--once")]
        assert all(variant(name, Objective()) for names in named for name in names)
