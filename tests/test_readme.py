"""What the README promises is what there is."""

import inspect
import re
import runpy
from pathlib import Path

import pytest
import torch

from ffltool import FocalFrequencyLoss
from ffltool.limits import WARNS
from ffltool.models import MODELS
from ffltool.networks import FILES
from ffltool.objective import VARIANTS
from ffltool.plans import plans, tomllib
from ffltool.recipes import CHOICES, PRESETS
from ffltool.reconstruct import objectives
from ffltool.views import LAYOUTS

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()


def commands():
    from ffltool.cli import app

    line = app()
    found = {command.callback.__name__: command.callback for command in line.registered_commands}
    for group in line.registered_groups:
        name = group.typer_instance.info.name
        found[name] = group.typer_instance.registered_callback.callback
        for command in group.typer_instance.registered_commands:
            found[f"{name} {command.name or command.callback.__name__}"] = command.callback
    return found


def test_the_two_lines_are_those_that_ci_runs():
    block = re.search(r"```\n(pip install -e \. && .*)\n(pip install .*pytest)\n```", README)
    ci = (ROOT / ".ci" / "run").read_text().splitlines()
    assert block is not None
    # "a && b" alone does not end a script when a fails
    assert [line for line in ci if line.startswith("pip install")] == [f"{block[i]} || exit 1" for i in (2, 1)]


@pytest.mark.parametrize("name", commands())
def test_every_command_has_help_and_stands_in_the_table(name, run):
    status, out, _ = run(*name.split(), "--help")
    assert status == 0
    assert "Example: ffltool " + name in " ".join(out.split())
    assert re.search(rf"^\| `ffltool {name}[ `].*\|$", README, re.MULTILINE)


def test_the_table_names_no_command_that_is_not_there():
    assert set(re.findall(r"^\| `ffltool (\w+(?: [a-z]+)?)", README, re.MULTILINE)) == set(commands())


@pytest.mark.parametrize("name", commands())
def test_every_option_is_documented(name):
    arguments = ("real", "fake", "image", "inputs", "model", "data", "name", "names", "file", "context", "return")
    for parameter in commands()[name].__annotations__:
        if parameter not in arguments:
            assert f"--{parameter.rstrip('_').replace('_', '-')}" in README, parameter


def test_every_dependency_has_its_reason():
    listed = re.search(r"^dependencies = \[(.*?)^\]", (ROOT / "pyproject.toml").read_text(), re.M | re.S)[1]
    for name in re.findall(r"""^\s*["']([a-z0-9]+)""", listed, re.MULTILINE):
        assert re.search(rf"^\|.*\b{name}\b.*\|.+\|$", README, re.MULTILINE), name


def test_the_table_of_nine_degradations_is_what_its_script_prints():
    assert runpy.run_path(str(ROOT / "tests" / "nine_degradations.py"))["table"]() in README


def test_the_table_of_their_bands_is_too_and_tells_them_apart():
    table = runpy.run_path(str(ROOT / "tests" / "nine_degradations.py"))["table_of_bands"]()
    assert table in README
    rows = [line.split("|")[2:] for line in table.splitlines()[2:]]
    assert len({tuple(row) for row in rows}) == 9


def test_the_picture_of_their_bands_is_there_and_small():
    name = "sample_data/gallery/nine_degradations.png"
    assert f"]({name})" in README
    assert 10_000 < (ROOT / name).stat().st_size < 150_000
    figure = runpy.run_path(str(ROOT / "tests" / "nine_degradations.py"))["figure"]()
    names = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert all(f"| {name} |" in README for name in names)
    assert len(names) == 9


def test_what_users_of_the_loss_trip_over_is_what_its_script_prints():
    assert runpy.run_path(str(ROOT / "tests" / "loss_facts.py"))["table"]() in README


def test_the_training_loop_runs():
    torch.manual_seed(0)
    model, pixel_loss = torch.nn.Conv2d(3, 3, 3, padding=1), torch.nn.functional.mse_loss
    names = {"model": model, "pixel_loss": pixel_loss, "loader": [torch.rand(2, 3, 16, 16)]}
    exec(re.search(r"## The loss\n\n```python\n(.*?)```", README, re.DOTALL)[1], names)
    assert model.weight.grad.abs().max() > 0


def test_every_objective_and_option_of_the_loss_is_explained():
    options = inspect.signature(FocalFrequencyLoss).parameters
    assert all(f"`{name}`" in README for name in (*options, *objectives(), "matrix"))


def test_every_model_and_variant_of_training_is_explained():
    names = [name.removesuffix("N") for name in VARIANTS]
    assert all(re.search(rf"`{re.escape(name)}[\d.]*`", README) for name in (*MODELS, *names))


def test_the_python_example_runs(monkeypatch, capsys):
    monkeypatch.chdir(ROOT)
    exec(re.search(r"## In Python\n\n```python\n(.*?)```", README, re.DOTALL)[1], {})
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == ["lfd", "ssim"]


def test_the_output_shown_is_what_the_first_line_prints(monkeypatch, run):
    monkeypatch.chdir(ROOT)
    assert run("lfd", "sample_data/real", "sample_data/fake")[1].rstrip() in README


def test_the_output_of_check_is_what_it_prints(monkeypatch, run):
    monkeypatch.chdir(ROOT)
    command = "ffltool check -c sample_data/limits.toml"
    assert f"$ {command}\n{run(*command.split()[1:])[1].rstrip()}\n```" in README


def test_the_limits_shown_are_limits():
    table = tomllib.loads(re.search(r"```toml\n(.*?)```", README, re.DOTALL)[1])
    faces, cats = plans(table, where="README", folder=Path())
    assert (faces.name, str(faces.real), str(cats.fake)) == ("faces", "data/test", "out/cats")
    assert {limit.bound for limit in faces.limits} == {"min", "max", "abs_max", "max_drop"}
    assert all(f"`{key}`" in README for key in (*WARNS.values(), "max_increase", "abs_max"))


def test_the_test_shown_passes_and_fails():
    block = re.search(r"```python\n(import ffltool\n.*?)```", README, re.DOTALL)[1]
    names = {}
    exec(block, names)
    images = torch.rand(4, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    names["test_reconstructions_are_close"](lambda images: images, images)
    with pytest.raises(AssertionError, match=r"fail  psnr mean >= 30 dB"):
        names["test_reconstructions_are_close"](lambda images: images / 2, images)


def test_every_preset_and_layout_of_spectra_is_explained():
    rows = re.findall(r"^\| `(\w+)`", README, re.MULTILINE)
    assert set(PRESETS) | set(LAYOUTS) <= set(rows)
    assert all(choice in README for choices in CHOICES.values() for choice in choices)


def test_the_gallery_shows_every_figure_that_its_script_draws_and_no_other():
    gallery = ROOT / "sample_data" / "gallery"
    shown = set(re.findall(r"!\[.+\]\(sample_data/gallery/(.+?)\)", README))
    drawn = {path.name for path in gallery.glob("*.png")}
    assert shown == drawn >= set(runpy.run_path(str(gallery / "make.py"))["FIGURES"])
    assert sum(path.stat().st_size for path in gallery.glob("*.png")) < 1.5e6


def test_the_table_of_weight_files_is_what_is_pinned():
    for name, file in FILES.items():
        row = (
            f"| `{name}` | {file.use} | [{file.name}]({file.url}) | {file.size:,} | `{file.sha256}` | {file.licence} |"
        )
        assert row in README


def test_the_numbers_of_libraries_are_those_of_the_reference(shared):
    for fact in runpy.run_path(str(ROOT / "tests" / "library_facts.py"))["facts"]():
        row = f"| `{fact.metric}` | {fact.library} | {fact.theirs:.6f} | `{fact.option}` | "
        assert row in README, "python tests/library_facts.py prints the table anew"


def test_the_example_of_learned_metrics_runs(monkeypatch, capsys):
    from ffltool.metrics import inception, lpips

    monkeypatch.setattr(inception, "load", lambda: lambda images: {"2048": images.flatten(1)[:, :2048]})
    monkeypatch.setattr(lpips, "lpips", lambda real, fake, *, backbone: (real - fake).square().mean((1, 2, 3)))
    names = {"real": torch.rand(9, 3, 32, 32), "fake": torch.rand(9, 3, 32, 32)}
    exec(re.search(r"\*\*Learned metrics\*\*.*?```python\n(.*?)```", README, re.DOTALL)[1], names)
    assert capsys.readouterr().out.endswith("])\n")
