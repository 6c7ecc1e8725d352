"""What the README promises is what there is."""

import inspect
import re
import runpy
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
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
PYTHON = re.findall(r"^```python\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
# what is in one of these blocks alone
LOSS, IN_PYTHON, IN_TESTS, LEARNED, NEW_METRIC, NEW_ROW = (
    "FocalFrequencyLoss(loss_weight",
    "evaluate_pairs(pair(",
    "ffltool.assert_images(",
    "fid.frechet_distance(",
    "def of_pair(",
    'Metric(name="mae"',
)
# figure -> the command that draws it, or that writes the page it is of
GALLERY = ROOT / "sample_data" / "gallery"
MAKE = runpy.run_path(str(GALLERY / "make.py"))
DRAWN = MAKE["FIGURES"] | {name: command for name, (command, _) in MAKE["PAGES"].items()}


def python(part):
    """Return the block of Python that this is in."""
    (block,) = (block for block in PYTHON if part in block)
    return block


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
    block = re.search(r"```sh\n(pip install -e \. && .*)\n(pip install .*pytest)\n```", README)
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
    (axes,) = figure.axes
    names = [label.get_text() for label in axes.get_yticklabels()]
    assert all(f"| {name} |" in README for name in names)
    assert len(names) == 9
    lengths = np.array([bar.get_width() for bars in axes.containers for bar in bars]).reshape(9, 6, 2)
    np.testing.assert_allclose(lengths.sum((1, 2)), 1)  # amplitudes and phases of six bands
    amplitudes = [text.get_text() for text in axes.texts[:9]]
    assert amplitudes == [f"{share:.0%}" for share in lengths[..., 0].sum(1)]


def test_what_users_of_the_loss_trip_over_is_what_its_script_prints():
    assert runpy.run_path(str(ROOT / "tests" / "loss_facts.py"))["table"]() in README


def test_the_training_loop_runs():
    torch.manual_seed(0)
    model, pixel_loss = torch.nn.Conv2d(3, 3, 3, padding=1), torch.nn.functional.mse_loss
    names = {"model": model, "pixel_loss": pixel_loss, "loader": [torch.rand(2, 3, 16, 16)]}
    exec(python(LOSS), names)
    assert model.weight.grad.abs().max() > 0


def test_every_objective_and_option_of_the_loss_is_explained():
    options = inspect.signature(FocalFrequencyLoss).parameters
    assert all(f"`{name}`" in README for name in (*options, *objectives(), "matrix"))


@pytest.mark.parametrize(("name", "size"), [("ae", 64), ("vae", 64), ("pix2pix", 256)])
def test_a_checkpoint_takes_what_is_said(name, size):
    model = MODELS[name]
    networks = [model.build(size, seed=0), *([model.build_critic(seed=0)] if model.critic else [])]
    weights = sum(weight.numel() for network in networks for weight in network.parameters())
    assert f" {12 * weights / 1e6:.0f} MB of " in " ".join(README.split())  # float32, and two moments of Adam's


def test_every_model_and_variant_of_training_is_explained():
    names = [name.removesuffix("N") for name in VARIANTS]
    assert all(re.search(rf"`{re.escape(name)}[\d.]*`", README) for name in (*MODELS, *names))


def test_the_python_example_runs(monkeypatch, capsys):
    monkeypatch.chdir(ROOT)
    exec(python(IN_PYTHON), {})
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == ["lfd", "ssim"]


def test_the_output_shown_is_what_the_first_line_prints(monkeypatch, run):
    monkeypatch.chdir(ROOT)
    assert run("lfd", "sample_data/real", "sample_data/fake")[1].rstrip() in README


def test_the_output_of_weights_is_what_it_prints(tmp_path, monkeypatch, run):
    for name in ("FFLTOOL_WEIGHTS", "TORCH_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    table, _, _ = run("weights")[1].partition("\n\n")
    assert f"```console\n$ ffltool weights\n{table}\n```" in README


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
    names = {}
    exec(python(IN_TESTS), names)
    images = torch.rand(4, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    names["test_reconstructions_are_close"](lambda images: images, images)
    with pytest.raises(AssertionError, match=r"fail  psnr mean >= 30 dB"):
        names["test_reconstructions_are_close"](lambda images: images / 2, images)


def test_every_preset_and_layout_of_spectra_is_explained():
    rows = re.findall(r"^\| `(\w+)`", README, re.MULTILINE)
    assert set(PRESETS) | set(LAYOUTS) <= set(rows)
    assert all(choice in README for choices in CHOICES.values() for choice in choices)


def test_the_gallery_shows_every_figure_that_its_scripts_draw_and_no_other():
    shown = set(re.findall(r"!\[.+\]\(sample_data/gallery/(.+?)\)", README))
    drawn = {path.name for path in GALLERY.glob("*.png")}
    assert shown == drawn == {*DRAWN, "nine_degradations.png"}
    assert sum(path.stat().st_size for path in GALLERY.glob("*.png")) < 1.5e6


@pytest.mark.parametrize("name", DRAWN)
def test_a_figure_stands_below_the_command_that_draws_it(name):
    above = README.replace("\\\n  ", "").partition(f"](sample_data/gallery/{name})")[0].rsplit("```", 2)
    assert above[1] == f"sh\nffltool {DRAWN[name]}\n"
    assert above[2].startswith("\n\n![")


def test_a_metric_is_added_as_it_says(tmp_path):
    shutil.copytree(ROOT / "ffltool", tmp_path / "ffltool")
    (tmp_path / "sample_data").symlink_to(ROOT / "sample_data")
    (tmp_path / "ffltool" / "metrics" / "mae.py").write_text(python(NEW_METRIC))
    table = tmp_path / "ffltool" / "metrics" / "__init__.py"
    rows, end, rest = table.read_text().partition("    )\n}\n")
    table.write_text(f"{rows}        {python(NEW_ROW).rstrip()},\n{end}{rest}")
    command, wanted = re.search(r"```console\n\$ (ffltool metrics [^\n]* -m mae)\n(.*?)```", README, re.DOTALL).groups()
    asked = [sys.executable, "-m", *command.split()]
    done = subprocess.run(asked, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout == wanted
    mae = runpy.run_path(str(tmp_path / "ffltool" / "metrics" / "mae.py"))["mae"]
    assert mae(torch.zeros(2, 3, 4, 5), torch.full((2, 3, 4, 5), 1.5)).tolist() == [1.5, 1.5]


def test_every_block_of_python_is_run():
    keys = (LOSS, IN_PYTHON, IN_TESTS, LEARNED, NEW_METRIC, NEW_ROW)
    assert sorted(map(python, keys)) == sorted(PYTHON)


def test_links_lead_somewhere():
    plain = re.sub(r"^```.*?^```$", "", README, flags=re.MULTILINE | re.DOTALL)
    headings = re.findall(r"^#+ (.*)", plain, re.MULTILINE)
    anchors = {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
    for target in re.findall(r"\]\((.+?)\)", plain):
        path, _, anchor = target.partition("#")
        assert path.startswith("https://") or (ROOT / path).exists(), target
        assert not anchor or anchor in anchors, target


def test_files_that_it_names_are_there():
    names = re.findall(r"(?<![\w/-])((?:ffltool|tests|sample_data|cli|metrics|models|figures)/[\w/.]*\.\w+)", README)
    assert len(names) > 20
    for name in {*names} - {"ffltool/metrics/mae.py", "tests/metrics/test_mae.py"}:
        assert (ROOT / name).exists() or (ROOT / "ffltool" / name).exists(), name


def test_the_table_of_files_has_every_file():
    table = re.search(r"^\| file \| what \|\n(.*?)\n\n", README, re.MULTILINE | re.DOTALL)[1]
    named = re.findall(r"`([\w/.]+)`", "".join(row.split("|")[1] for row in table.splitlines()))
    package = {f"{path.name}/" if path.is_dir() else path.name for path in (ROOT / "ffltool").glob("[!_]*")}
    assert sorted(named) == sorted({*package, "sample_data/"})


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
    exec(python(LEARNED), names)
    assert capsys.readouterr().out.endswith("])\n")
