"""Do the tests bite? Change one thing of a module at a time, and see whether one of its tests fails.

    python tests/mutation.py                     every module below, all of their mutants
    python tests/mutation.py loss metrics.fid    these
    python tests/mutation.py loss --sample 60    so many of each, drawn with seed 0

Each mutant is a process, forked when the tests are collected, that runs those tests of its module that reach the line,
the quick ones first, until one fails. Where constants or defaults change, or what runs when the module is loaded, it is
put in anew; tests that would fail for that alone do not count. Printed are the mutants that no test minds, and a table.
"""

import argparse
import ast
import copy
import gc
import importlib
import json
import os
import random
import signal
import sys
import tempfile
import time
from contextlib import suppress
from functools import partial
from multiprocessing import get_context
from operator import itemgetter
from pathlib import Path
from types import CodeType, FunctionType

import coverage
import pytest

ROOT = Path(__file__).parents[1]
METRICS = sorted(f"metrics.{path.stem}" for path in (ROOT / "ffltool" / "metrics").glob("[a-z]*.py"))
MODULES = ("loss", "distances", "spectrum", "radial", "bandlimit", "peaks", *METRICS, "metrics.__init__", "report")
# tests that know more of a module than those of its name
MORE = {
    "distances": ["loss"],
    "spectrum": ["test_rings.py"],
    "radial": ["test_rings.py", "metrics/test_bands.py"],
    "peaks": ["cli/test_peaks.py"],
    "metrics.sums": ["metrics/test_fid.py", "metrics/test_kid.py", "test_mean_spectrum.py", "test_set_statistics.py"],
    "metrics.segmentation": ["test_tallies.py", "evaluate/test_reading.py"],
    "metrics.spectral": ["evaluate/test_sets.py"],
    "metrics.bands": ["evaluate/test_bands.py"],
    "metrics.fid": ["test_set_statistics.py", "learned/test_sets.py"],
    "metrics.lfd": ["evaluate/test_pairs.py"],
    "metrics.mse": ["evaluate/test_pairs.py", "test_deep.py"],
    "metrics.psnr": ["evaluate/test_pairs.py"],
    "metrics.ssim": ["evaluate/test_pairs.py"],
    "metrics.__init__": ["metrics/test_table.py", "evaluate"],
    "report": ["test_formats.py", "evaluate", "test_judged.py"],
}
PATIENCE = 10  # times as long as all tests take, and as many seconds: what takes longer hangs
OTHERS = {
    **{ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq},
    **{ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In, ast.And: ast.Or, ast.Or: ast.And},
    **{ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.FloorDiv: ast.Div},
    **{ast.Mod: ast.FloorDiv, ast.Pow: ast.Mult, ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd, ast.MatMult: ast.Mult},
}


def alternatives(node):
    """Yield what may stand in the place of a node."""
    match node:
        case ast.BinOp() | ast.BoolOp() | ast.AugAssign():
            yield changed(node, op=OTHERS[type(node.op)]())
        case ast.Compare(ops=[first, *rest]):
            yield changed(node, ops=[OTHERS[type(first)](), *rest])
        case ast.Constant(value=bool(value)):
            yield changed(node, value=not value)
        case ast.Constant(value=int(value) | float(value)):
            yield changed(node, value=value + 1)
        case ast.Constant(value=str(value)):
            yield changed(node, value="" if value else "XX")
        case ast.JoinedStr():
            yield ast.copy_location(ast.Constant(""), node)
        case ast.UnaryOp():
            yield node.operand
        case ast.Return(value=ast.AST()):
            yield changed(node, value=ast.Constant(None))
        case ast.If() | ast.IfExp() | ast.While():
            yield changed(node, test=ast.UnaryOp(ast.Not(), node.test))
        case ast.Expr() | ast.Raise():
            yield ast.copy_location(ast.Pass(), node)


def changed(node, **fields):
    """Return a copy of a node with other fields."""
    other = copy.copy(node)
    vars(other).update(fields)
    return other


def places(node, *, inside=False):
    """Yield the nodes below: the list or fields that hold each, its place there, itself, whether in a function."""
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns", "format_spec"):
            continue
        within = inside or (name == "body" and isinstance(node, ast.FunctionDef | ast.Lambda))
        holder, keys = (value, range(len(value))) if isinstance(value, list) else (vars(node), [name])
        for key in keys:
            match holder[key]:
                case ast.Expr(value=ast.Constant()) | ast.If(test=ast.Name("TYPE_CHECKING")):
                    pass  # docstrings, and what type checkers read
                case ast.Subscript(value=ast.Name("Literal")) | ast.Call(func=ast.Name("TypeVar")):
                    pass
                case ast.Constant() if isinstance(node, ast.JoinedStr):
                    pass
                case ast.AST() as child:
                    yield holder, key, child, within
                    yield from places(child, inside=within)


def mutants(tree):
    """Yield line, change, code and whether the change is in a function, of each mutant."""
    for holder, key, node, inside in list(places(tree)):
        for other in alternatives(node):
            holder[key] = other
            change = "  ->  ".join(ast.unparse(each).splitlines()[0][:110] for each in (node, other))
            yield node.lineno, change, compiled(tree), inside
            holder[key] = node


def compiled(tree):
    """Return the code of a module."""
    return compile(ast.fix_missing_locations(tree), "mutant", "exec", dont_inherit=True)


def put_in(name, old, new, *, inside, items):
    """Let a module that is loaded do what its new code says; `old` is the one it has, `items` are tests."""
    if not inside:  # constants, defaults, decorators: all names for them, wherever they are imported
        after = vars(sys.modules[name])
        before = dict(after)
        exec(new, after)
        ours = [vars(module) for each, module in sys.modules.items() if each.startswith(("ffltool", "tests"))]
        ours += [item.dtest.globs for item in items if hasattr(item, "dtest")]
        for names in ours:
            names.update({key: after[key] for key in before if key in names and names[key] is before[key]})
        return
    # by type, for proxies answer isinstance by work of their own
    functions = [each for each in gc.get_objects() if type(each) is FunctionType and each.__module__ == name]
    for one, other in zip(*map(codes, (old, new)), strict=False):
        for function in functions:
            if function.__code__ == one:
                function.__code__ = other


def codes(code):
    """Return the code of all functions in code, in order."""
    return [each for const in code.co_consts if isinstance(const, CodeType) for each in (const, *codes(const))]


class Mutation:
    """Plugin of pytest that runs the tests it collected against every mutant of a module."""

    def __init__(self, module, sample):
        self.path, self.tests = files_of(module)
        self.name = f"ffltool.{module}".removesuffix(".__init__")
        self.sample, self.count, self.left, self.at = sample, 0, [], ""
        self.watch = coverage.Coverage(data_file=None, config_file=False, include=[str(self.path)])

    def pytest_runtestloop(self, session):
        """Take the place of pytest's loop."""
        tree = ast.parse(self.path.read_text())
        found, old = list(mutants(tree)), compiled(tree)
        if self.sample is not None and self.sample < len(found):
            found = sorted(random.Random(0).sample(found, self.sample), key=itemgetter(0))
        self.count = len(found)
        importlib.import_module(self.name)
        took, reached = self.recorded(session.items)
        limit = PATIENCE * (1 + sum(took.values()))
        unshaken = told(partial(self.unshaken, old, session.items))
        if forked(partial(put_in, self.name, old, old, inside=True, items=())):
            pytest.exit(f"the functions of {self.name} cannot be changed", 1)
        for line, change, code, inside in found:
            there = reached.get(str(line)) if inside else None  # no test reaches what ran when the module was loaded
            known = set(unshaken) if there is None else there
            items = [item for item in session.items if item.nodeid in known]
            order = sorted(items, key=lambda item: took[item.nodeid])

            def minded(code=code, inside=there is not None, order=order):
                put_in(self.name, old, code, inside=inside, items=order)
                return any(map(fails, order, [*order[1:], None]))

            if not forked(minded, seconds=limit):
                self.left.append(f"{self.path.relative_to(ROOT)}:{line}: {change}")
                print(self.left[-1], flush=True)
        return True

    def recorded(self, items):
        """Return how many seconds each test takes, and which reach each line."""

        def recorded():
            took, failed = {}, []
            self.watch.start()
            for item, following in zip(items, [*items[1:], None], strict=True):
                self.at = item.nodeid
                self.watch.switch_context(self.at)
                start = time.perf_counter()
                failed += [item.nodeid] if fails(item, following) else []
                took[item.nodeid] = time.perf_counter() - start
            self.watch.stop()
            found = self.watch.get_data().contexts_by_lineno(str(self.path)).items()
            return took, {line: [each for each in took if each.startswith(tuple(at))] for line, at in found}, failed

        took, reached, failed = told(recorded)
        if failed:
            pytest.exit(f"tests of {self.name} fail as they are: {', '.join(failed)}", 1)
        return took, reached

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef):
        """Let all tests reach what a fixture that they share does for the first of them."""
        shared = fixturedef.scope != "function" and coverage.Coverage.current() is self.watch
        if shared:
            self.watch.switch_context(fixturedef.baseid)
        found = yield
        if shared:
            self.watch.switch_context(self.at)
        return found

    def unshaken(self, code, items):
        """Return the tests that still pass when the module's own code is put in anew: others would mind anything."""
        put_in(self.name, code, code, inside=False, items=items)
        return [
            item.nodeid for item, following in zip(items, [*items[1:], None], strict=True) if not fails(item, following)
        ]


def fails(item, following):
    """Run a test, and tell whether it fails."""
    before = item.session.testsfailed
    item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
    return item.session.testsfailed > before


def forked(work, *, seconds=None):
    """Work in a forked process, in silence; tell whether it returned something true, died or took longer than that."""

    def child():
        os.setsid()
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1), os.dup2(nowhere, 2)
        os._exit(bool(work()))

    process = get_context("fork").Process(target=child)
    process.start()
    process.join(seconds)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.join()
    return process.exitcode != 0


def told(work):
    """Return what work in a forked process returns, as JSON holds it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "answer.json"
        forked(lambda: path.write_text(json.dumps(work())))
        if not path.exists():
            pytest.exit("the process died that ran all tests of a module", 1)
        return json.loads(path.read_text())


def files_of(module):
    """Return the file of a module, and those that test it: its doctests, the file or folder of its name, and others."""
    own = Path(*module.split("."))
    path = ROOT / "ffltool" / own.with_suffix(".py")
    named = own.with_name(f"test_{path.name}"), own
    files = [path, *(ROOT / "tests" / each for each in (*named, *MORE.get(module, ())))]
    return path, [str(file) for file in files if file.exists()]


def main():
    """Print the survivors and the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("modules", nargs="*", default=MODULES, metavar="MODULE", help="as in ffltool.MODULE")
    parser.add_argument("--sample", type=int, help="how many mutants of each module; all, unless it is given")
    arguments = parser.parse_args()
    os.chdir(ROOT)
    without = ("cacheprovider", "faulthandler", "randomly", "cov")
    options = ["-qq", "-s", "--assert=plain", *(part for name in without for part in ("-p", f"no:{name}"))]
    counts = {}
    for module in arguments.modules:
        mutation = Mutation(module, arguments.sample)
        if status := pytest.main([*options, *mutation.tests], plugins=[mutation]):
            sys.exit(status)
        counts[module] = mutation.count, mutation.count - len(mutation.left)
    counts["all"] = tuple(map(sum, zip(*counts.values(), strict=True)))
    print(f"\n{'module':<28}{'mutants':>8}{'killed':>8}{'share':>8}")
    for name, (count, killed) in counts.items():
        print(f"{name:<28}{count:>8}{killed:>8}{killed / count:>8.1%}")


if __name__ == "__main__":
    main()
