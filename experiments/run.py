#!/usr/bin/python3
"""Starts a script of an experiment, from any folder: what all scripts share is found beside this one.

    run.py EXPERIMENT collect RESULTS.sqlite [--program FLUIDBATCH] [--quick]
    run.py EXPERIMENT plot RESULTS.sqlite --out FOLDER [--program FLUIDBATCH]
    run.py EXPERIMENT table [--program FLUIDBATCH]
"""

import importlib
import sys
from pathlib import Path

EXPERIMENTS = Path(__file__).resolve().parent


def main():
    scripts = sorted(
        f"{path.parent.name} {path.stem}"
        for part in ("collect", "plot", "table")
        for path in EXPERIMENTS.glob(f"*/{part}.py")
        if "\ndef main(" in path.read_text()
    )
    wanted = " ".join(sys.argv[1:3])
    if wanted not in scripts:
        sys.exit(f"{__doc__}\nThere are: {', '.join(scripts)}")
    del sys.argv[1:3]
    sys.path.append(str(EXPERIMENTS.parent))  # "site" alone is a module of Python's own
    importlib.import_module("experiments." + wanted.replace(" ", ".")).main()


if __name__ == "__main__":
    main()
