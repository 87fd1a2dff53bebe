"""Types: the package and a user's program pass `mypy --strict`, and the stub of the compiled half is the module's."""

import ast
import inspect
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from fluidbatch import _core

HERE = Path(__file__).parent
PACKAGE = HERE.parents[1] / "sim/python"
STUB = ast.parse((PACKAGE / "fluidbatch/_core.pyi").read_text())


def mypy(cache, *arguments):
    result = subprocess.run([sys.executable, "-m", "mypy", "--config-file", HERE / "mypy.ini", "--cache-dir", cache,
                             *arguments], env={**os.environ, "MYPYPATH": str(PACKAGE)}, capture_output=True, text=True,
                            check=False)
    return result.stdout + result.stderr


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("mypy")


def test_the_package(cache):
    assert "Success: no issues found" in mypy(cache, PACKAGE / "fluidbatch")


def test_a_users_program(cache):
    assert "Success: no issues found" in mypy(cache, HERE / "typed_example.py")


@pytest.mark.parametrize("line, message", [
    ("fb.run('a.yaml').summary(3)", 'incompatible type "int"'),
    ("fb.runn('a.yaml')", 'has no attribute "runn"'),
    ("x: str = fb.interval([1.0]).mean", "Incompatible types in assignment"),
    ("fb.InputError().line + 1", "Unsupported operand types"),
])
def test_what_is_wrong_is_found(cache, tmp_path, line, message):
    (tmp_path / "wrong.py").write_text(f"import fluidbatch as fb\n\n{line}\n")
    assert message in mypy(cache, tmp_path / "wrong.py")


def test_the_users_program_runs(tmp_path):
    printed = subprocess.run([sys.executable, "-B", HERE / "typed_example.py", tmp_path], capture_output=True,
                             text=True, check=True).stdout
    assert re.fullmatch(r"mean \d.* ms, \d+ late\n(rho (0.5|1.0): .* ± .* ms\n){2}", printed)
    assert (tmp_path / "latency.svg").stat().st_size > 1000


def stub_names(body):
    """By name what defines it: a function, a class, or a value."""
    names = {}
    for node in body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            names[node.name] = node
        elif isinstance(node, ast.AnnAssign):
            names[node.target.id] = node
        elif isinstance(node, ast.Assign):
            names[node.targets[0].id] = node
    return names


def module_names(value):
    return {name for name in vars(value) if not name.startswith("_")}


def test_the_stub_has_the_names_of_the_module():
    assert module_names(_core) == {name for name in stub_names(STUB.body) if not name.startswith("_")}


def classes():
    return [node for node in STUB.body if isinstance(node, ast.ClassDef)]


@pytest.mark.parametrize("node", classes(), ids=lambda node: node.name)
def test_the_stub_has_the_members_of_a_class(node):
    kind = getattr(_core, node.name)
    attributes = {"file", "line", "column"} if node.name == "InputError" else set()  # of each error
    assert module_names(kind) | attributes == {name for name in stub_names(node.body) if not name.startswith("_")}
    for name, member in stub_names(node.body).items():
        is_property = isinstance(member, ast.FunctionDef) and any(
            isinstance(decorator, ast.Name) and decorator.id == "property" for decorator in member.decorator_list)
        if name not in attributes:
            assert is_property == isinstance(inspect.getattr_static(kind, name), property), name


def functions():
    for node in STUB.body:
        if isinstance(node, ast.FunctionDef):
            yield pytest.param(node, vars(_core).get(node.name), id=node.name)
        elif isinstance(node, ast.ClassDef):
            for member in node.body:
                if isinstance(member, ast.FunctionDef) and not member.decorator_list:
                    yield pytest.param(member, getattr(getattr(_core, node.name, None), member.name, None),
                                       id=f"{node.name}.{member.name}")


@pytest.mark.parametrize("node, function", functions())
def test_the_stub_has_the_arguments_of_a_function(node, function):
    """Those that pybind11 writes at the head of the docstring; names of its own (arg0) are nobody's to use."""
    signature = (inspect.getdoc(function) or "").splitlines()[:1]
    match = re.fullmatch(rf"{node.name}\((.*)\) -> .*", signature[0] if signature else "")
    if match is None:
        pytest.skip("written with the C API")
    found = re.findall(r"(?:^|, )(\w+)(?=: )", match[1])
    arguments = [argument.arg for argument in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)]
    assert len(found) == len(arguments)
    for name, in_stub in zip(found, arguments):
        assert name == in_stub or re.fullmatch(r"arg\d", name)
