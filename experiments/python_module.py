"""The Python module fluidbatch, as `fb`: the one beside the program that a script is given, that of `make reproduce`,
or one that is installed."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
MISSING = """The experiments need the Python module, which `make reproduce` builds beside the program; it needs Debian's
pybind11-dev, python3-dev and python3-numpy, which `make python-packages` installs."""


def folders():
    """Where it may be, the first one first."""
    programs = [ROOT / "build/release/bin/fluidbatch"]
    if "--program" in sys.argv[:-1]:
        programs.insert(0, Path(sys.argv[sys.argv.index("--program") + 1]).resolve())
        if not programs[0].is_file():
            sys.exit(f"--program: there is no {programs[0]}")
    found = [program.parents[1] / "python" for program in programs]
    return [str(folder) for folder in found if (folder / "fluidbatch").is_dir()]


sys.path[:0] = folders()
try:
    import fluidbatch as fb  # noqa: F401
except ImportError as error:
    sys.exit(f"{MISSING} ({error})")
