#!/usr/bin/python3
"""tutorial.py BIN [--check]: does what docs/tutorial.md says, in an empty folder, and writes what came out into it.

BIN is the folder of the built programs. A block behind a sentence that ends in "`NAME`:" becomes the file NAME; the
lines of an `sh` block are run one after the other; a block without a language behind it is what the last of them
printed. With --check nothing is written: exit code 1 and the differences where the page says something else, or where a
command fails.
"""

import difflib
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs/tutorial.md"
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.M | re.S)
NAMED = re.compile(r"`([\w.]+)`:\s*\Z")
SECONDS = 300  # for a command


class Failed(Exception):
    """A command of the page that does not work."""


def furnish(folder, programs):
    """What a reader who has built the source has in it: the source, and build/release."""
    for entry in ("docs", "experiments", "npu_model", "scheduler", "sim", "workloads", "Makefile"):
        (folder / entry).symlink_to(ROOT / entry)
    (folder / "build").mkdir()
    (folder / "build/release").symlink_to(programs.parent)


def run(command, folder):
    """What a command prints. What `make` would build is there already; that it knows the target is enough."""
    if command.startswith("make "):
        command = command.replace("make ", "make -n ", 1)
        folder = ROOT
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    result = subprocess.run(command, shell=True, cwd=folder, env=environment, capture_output=True, text=True,
                            check=False, timeout=SECONDS)
    if result.returncode:
        raise Failed(f"{command}: exit code {result.returncode}\n{result.stdout}{result.stderr}")
    return result.stdout


def with_outputs(page, folder):
    """The page with what its commands print, run in the folder."""
    parts, end, printed = [], 0, None
    for block in BLOCK.finditer(page):
        language, text = block.groups()
        before = page[end:block.start()]
        name = NAMED.search(before)
        if language == "sh":
            for command in text.splitlines():
                printed = run(command, folder)
        elif name:
            (folder / name[1]).write_text(text)
        elif language == "" and printed is not None:
            text, printed = printed, None
        else:
            raise Failed(f"what is this block?\n{text}")
        parts += [before, f"```{language}\n{text}```"]
        end = block.end()
    return "".join([*parts, page[end:]])


def main():
    programs = Path(sys.argv[1]).resolve()
    old = PAGE.read_text()
    with tempfile.TemporaryDirectory(prefix="fluidbatch-tutorial-") as temporary:
        folder = Path(temporary)
        furnish(folder, programs)
        try:
            new = with_outputs(old, folder)
        except Failed as failure:
            print(failure)
            return 1
    if "--check" not in sys.argv:
        PAGE.write_text(new)
        return 0
    lines = difflib.unified_diff(old.splitlines(True), new.splitlines(True), "docs/tutorial.md", "what comes out")
    print("".join(lines), end="")
    return 1 if new != old else 0


if __name__ == "__main__":
    sys.exit(main())
