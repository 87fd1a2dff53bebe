"""The notebooks run, and are stored without what they gave."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "experiments/notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))


def cells_of(notebook, kind):
    return [cell for cell in notebook["cells"] if cell["cell_type"] == kind]


def test_there_are_two():
    assert [path.name for path in NOTEBOOKS] == ["first_steps.ipynb", "own_policy.ipynb"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_stored_without_outputs(path):
    notebook = json.loads(path.read_text())
    for cell in cells_of(notebook, "code"):
        assert cell["outputs"] == [] and cell["execution_count"] is None
    assert notebook["metadata"]["kernelspec"]["name"] == "python3"
    assert len(cells_of(notebook, "markdown")) >= 10


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_links_lead_somewhere(path):
    text = "".join("".join(cell["source"]) for cell in cells_of(json.loads(path.read_text()), "markdown"))
    for name in ("docs/python.md", "docs/model.md", "docs/configuration.md", "docs/policies.md"):
        assert name not in text or (FOLDER.parents[1] / name).exists()
    assert ".md" in text


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_runs(path, tmp_path):
    """In Debian's kernel, in the folder where it is; what it writes goes elsewhere."""
    before = sorted(FOLDER.iterdir())
    environment = {**os.environ, "JUPYTER_CONFIG_DIR": str(tmp_path), "IPYTHONDIR": str(tmp_path / "ipython"),
                   "JUPYTER_RUNTIME_DIR": str(tmp_path / "runtime"), "TMPDIR": str(tmp_path)}
    result = subprocess.run([sys.executable, "-m", "nbconvert", "--to", "notebook", "--execute",
                             "--ExecutePreprocessor.timeout=120", "--output-dir", tmp_path, path],
                            capture_output=True, text=True, env=environment, check=False)
    assert result.returncode == 0, result.stderr
    assert sorted(FOLDER.iterdir()) == before
    notebook = json.loads((tmp_path / path.name).read_text())
    outputs = [output for cell in cells_of(notebook, "code") for output in cell["outputs"]]
    data = [set(output.get("data", {})) for output in outputs]
    assert sum("image/png" in kinds for kinds in data) >= 3
    assert sum("text/html" in kinds for kinds in data) >= 3
    assert not [output for output in outputs if output.get("name") == "stderr"]
