"""The package's layers: imports point downwards, and who may import what."""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "ffltool"
FILES = sorted(PACKAGE.rglob("*.py"))
# from the top down; a module may import its own layer (without circles) and those below
LAYERS = [
    {"cli", "__main__"},
    {
        "evaluate",
        "summary",
        "measure",
        "batches",
        "tallies",
        "average",
        "survey",
        "grids",
        "views",
        "reconstruct",
        "gallery",
        "filtered",
        "diagnose",
        "check",
        "comparing",
        "learned",
        "loaded",
        "features",
        "feature_cache",
        "ahead",
        "sample",
        "exhibits",
        "showcase",
        "composing",
        "learner",
        "train",
        "run_folder",
        "runs",
        "experiment",
        "trials",
        "experiment_tables",
        "experiment_views",
        "datasets",
        "objective",
    },
    {
        "metrics",
        "images",
        "pictures",
        "opening",
        "png",
        "jpeg",
        "pairing",
        "deep",
        "ranks",
        "formats",
        "stream",
        "sources",
        "loading",
        "sizes",
        "outcomes",
        "looking",
    }
    | {"loss", "bandlimit", "excess", "peaks", "figures", "mean_spectrum", "weights", "downloads", "label_maps"}
    | {"set_statistics", "limits", "plans", "standing", "verdicts", "baseline", "judged", "memory"}
    | {"page", "conventions", "models"},
    {
        "report",
        "texts",
        "bootstrap",
        "junit",
        "outputs",
        "archives",
        "distances",
        "spectrum",
        "radial",
        "residuals",
        "recipes",
        "networks",
        "checkpoints",
        "user_cache",
        "provenance",
    },
    {"errors", "__init__"},
]
LONGEST_FILE, LONGEST_FUNCTION = 300, 40


def name_of(path):
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def layer_of(name):
    return next(index for index, layer in enumerate(LAYERS) if name in layer)


def imports(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def own(module):
    """Return the part of the package that an imported name lives in, None for other packages."""
    parts = module.split(".")
    if parts[0] != "ffltool":
        return None
    return parts[1] if len(parts) > 1 and any(parts[1] in layer for layer in LAYERS) else "__init__"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
class TestFile:
    def test_imports_point_downwards(self, path):
        if name_of(path) == "__init__":  # what it offers is imported by nobody but type checkers
            return
        here = layer_of(name_of(path))
        for module in imports(ast.parse(path.read_text())):
            if (part := own(module)) is not None:
                assert layer_of(part) >= here, f"{path.name} imports {module}"

    def test_only_the_command_line_imports_typer_and_rich_and_prints(self, path):
        if name_of(path) in ("cli", "__main__"):
            return
        tree = ast.parse(path.read_text())
        known = {module.split(".")[0] for module in imports(tree)}
        assert not known & {"typer", "rich"}
        assert name_of(path) == "figures" or "matplotlib" not in known
        names = {node.func.id for node in ast.walk(tree) if isinstance(node, ast.Call) and hasattr(node.func, "id")}
        assert "print" not in names

    def test_is_short(self, path):
        assert len(path.read_text().splitlines()) <= LONGEST_FILE
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef):
                body = node.body[1:] if ast.get_docstring(node) else node.body
                lines = body[-1].end_lineno - body[0].lineno + 1 if body else 0
                assert lines <= LONGEST_FUNCTION, f"{node.name} has {lines} lines"


def test_files_of_tests_are_short_too():
    tests = [path for path in Path(__file__).parent.rglob("*.py") if path.parent.name != "benchmarks"]
    assert [path.name for path in tests if len(path.read_text().splitlines()) > LONGEST_FILE] == []


def test_there_are_no_circles():
    graph = {}
    for path in FILES:
        module = ".".join(["ffltool", *path.relative_to(PACKAGE).with_suffix("").parts]).removesuffix(".__init__")
        top = [node for node in ast.parse(path.read_text()).body if isinstance(node, ast.Import | ast.ImportFrom)]
        graph[module] = {name for name in imports(ast.Module(top, [])) if name.startswith("ffltool.")}
    known = {
        module: {name if name in graph else name.rpartition(".")[0] for name in names}
        for module, names in graph.items()
    }

    def visit(module, above):
        assert module not in above, f"circle: {' > '.join([*above, module])}"
        for below in known.get(module, ()):
            if below != module:
                visit(below, [*above, module])

    for module in known:
        visit(module, [])
