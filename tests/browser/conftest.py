"""A program, a browser and some results for the tests of pages."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "cli"))

import sample_results  # noqa: E402
from browser import Browser  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = Path(os.environ.get("FLUIDBATCH", ROOT / "build/release/bin/fluidbatch"))


class Program:
    def __init__(self, folder):
        self.folder = folder

    def __call__(self, *arguments, code=0):
        result = subprocess.run([str(PROGRAM), *map(str, arguments)], cwd=self.folder, capture_output=True, text=True,
                                check=False, timeout=300)
        assert result.returncode == code, result.stderr
        return result.stdout

    def shell(self, command):
        """Runs a line as a person would who has the program on PATH."""
        path = f"{PROGRAM.parent}:{os.environ['PATH']}"
        return subprocess.run(["bash", "-c", command], cwd=self.folder, env={**os.environ, "PATH": path},
                              capture_output=True, text=True, check=False, timeout=300)


@pytest.fixture(scope="session")
def program(tmp_path_factory):
    return Program(tmp_path_factory.mktemp("pages"))


@pytest.fixture(scope="session")
def results(program):
    """A sweep with saturated, failed and missing points and with some of no late request; its page beside it."""
    return sample_results.make(program)


@pytest.fixture(scope="session")
def partly(program, results):
    return sample_results.make_partly(program, results)


@pytest.fixture(scope="session")
def overload(program):
    """The run of a saturated system and of one that is not."""
    return sample_results.make_overload(program)


@pytest.fixture(scope="session")
def run_page(program):
    return sample_results.make_run(program)


@pytest.fixture(scope="session")
def site(program):
    """Of two services, once on one NPU and once on two: a sweep whose axes are called as a statistic and as a column, and a run."""
    return sample_results.make_site(program)


@pytest.fixture(scope="session")
def session_browser():
    browser = Browser()
    yield browser
    browser.quit()


@pytest.fixture
def browser(session_browser):
    """Whose console has nothing to say by the end of each test."""
    session_browser.size(1200)
    session_browser.scheme("light")
    session_browser.messages()
    yield session_browser
    assert session_browser.messages() == []
