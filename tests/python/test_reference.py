"""docs/python.md has every public name, and its examples run."""

import importlib.util
import inspect
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import fluidbatch as fb

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/python.md").read_text()
spec = importlib.util.spec_from_file_location("python_reference", ROOT / "docs/python_reference.py")
reference = importlib.util.module_from_spec(spec)
spec.loader.exec_module(reference)

NAMES = [name for _, names in reference.SUBJECTS.values() for name in names]
CLASSES = [name for name in NAMES if inspect.isclass(reference.find(name))]


def test_every_public_name_has_a_subject():
    public = {name for name in fb.__all__ if name != "plot"} | {f"plot.{name}" for name in fb.plot.__all__}
    assert len(NAMES) == len(set(NAMES))
    assert public == set(NAMES), "give each name its subject in docs/python_reference.py"
    assert sorted(fb.__all__) == list(fb.__all__)


def test_what_is_listed_is_all_that_is_public():
    late = {"plot", "Records"}
    assert {name for name in vars(fb) if not name.startswith("_")} - late == set(fb.__all__) - late


@pytest.mark.parametrize("name", NAMES)
def test_every_name_is_documented(name):
    value = reference.find(name)
    assert (value.__doc__ or "").strip().endswith((".", "..", ")")), "no docstring"
    assert value.__doc__ not in (object.__doc__, getattr(type(value), "__doc__", None))
    assert f"\n### {reference.title(name)}\n" in PAGE, "run `make docs`"


@pytest.mark.parametrize("name", CLASSES)
def test_every_member_is_documented(name):
    kind = reference.find(name)
    commented = reference.attributes(kind)
    for member, value in reference.members(kind).items():
        assert member in commented or (value.__doc__ or "").strip(), f"{name}.{member} has no docstring"
        assert re.search(rf"\b{name}\.{member}\b", PAGE), f"{name}.{member} is not in the page: run `make docs`"


def test_every_section_is_made():
    made = re.findall(r"<!-- made by: docs/python_reference.py (\w+) -->", PAGE)
    assert made == ["contents", *reference.SUBJECTS]
    headings = re.findall(r"^## (.*)$", PAGE, re.M)
    assert headings[-len(reference.SUBJECTS):] == [title for title, _ in reference.SUBJECTS.values()]
    anchors = [reference.anchor(heading) for heading in re.findall(r"^##+ (.*)$", PAGE, re.M)]
    assert len(anchors) == len(set(anchors))
    for link in re.findall(r"\]\(#([^)]*)\)", PAGE):
        assert link in anchors


def test_the_page_s_examples_run(tmp_path):
    code = "\n".join(re.findall(r"```python\n(.*?)```", PAGE.split("## All names")[0], re.S))
    assert code.count("fb.run(") >= 2
    (tmp_path / "experiments").symlink_to(ROOT / "experiments")
    result = subprocess.run([sys.executable, "-B", "-c", code], cwd=tmp_path, capture_output=True, text=True,
                            check=False, env=dict(os.environ))
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "latency.svg").exists()


@pytest.mark.parametrize("docstring, expected", [
    ("One.\n\na: first\n    goes on\nb, c: second", "One.\n\n- `a`: first\n  goes on\n- `b`, `c`: second"),
    ("One: not a list\nsince this goes on.", "One: not a list\nsince this goes on."),
    ("A <b> and `<c>`, *x*.", r"A \<b> and `<c>`, \*x\*."),
    ("Code:\n\n    a = [1]\n\nEnd.", "Code:\n\n    a = [1]\n\nEnd."),
])
def test_docstrings_become_markdown(docstring, expected):
    assert reference.markdown(docstring) == expected


def test_signatures():
    def function(a: "int", *b: str, c: float = 0.5, **d: object) -> "list[int]":
        """."""

    def keywords(a, *, b=None):
        """."""

    assert reference.signature("f", function) == "f(a: int, *b: str, c: float = 0.5, **d: object) -> list[int]"
    assert reference.signature("g", keywords) == "g(a, *, b=None)"
