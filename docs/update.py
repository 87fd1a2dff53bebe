#!/usr/bin/python3
"""update.py BIN [--check]: makes the parts of docs/ between `<!-- made by: COMMAND -->` and `<!-- end -->`.

BIN is the folder of the built programs. With --check nothing is written; exit code 1 where a part is out of date. Of a
part that takes minutes, --check makes a sample, whose lines must be in it.
"""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

DOCS = Path(__file__).resolve().parent
BLOCK = re.compile(r"(<!-- made by: (.*?) -->\n).*?(<!-- end -->)", re.S)

SAMPLES = {"fluidbatch_tests [.coverage]": "fluidbatch_tests [.coverage-sample]"}


def output(folder, command):
    words = shlex.split(command)
    folder = Path(folder).resolve()
    environment = {**os.environ, "PYTHONPATH": str(folder.parent / "python")}
    if words[0].startswith("docs/"):
        called = ["/usr/bin/python3", "-B", str(DOCS.parent / words[0]), *words[1:]]
    elif words[0].startswith("experiments/"):
        script = str(DOCS.parent / words[0])
        called = ["/usr/bin/python3", "-B", script, *words[1:], "--program", str(folder / "fluidbatch")]
    else:
        called = [str(folder / words[0]), *words[1:]]
    result = subprocess.run(called, capture_output=True, text=True, check=True,
                            cwd=DOCS.parent, env=environment)
    if words[0] == "fluidbatch_tests":  # the test runner's own words around the tables
        lines = [line for line in result.stdout.splitlines() if not line or line.startswith("|")]
        return "\n".join(lines).strip() + "\n"
    text = result.stdout
    if words[0].startswith("docs/"):  # Markdown already
        return f"\n{text}\n"
    return text if "\n|---" in text else "```\n" + text + "```\n"


def up_to_date(folder, match):
    command, part = match[2], match[0]
    if command in SAMPLES:
        return all(line in part.splitlines() for line in output(folder, SAMPLES[command]).splitlines())
    return output(folder, command) == part[len(match[1]):-len(match[3])]


def main():
    folder, check = sys.argv[1], "--check" in sys.argv
    stale = []
    for page in sorted(DOCS.glob("*.md")):
        old = page.read_text()
        if check:
            if not all(up_to_date(folder, match) for match in BLOCK.finditer(old)):
                stale.append(page.name)
            continue
        new = BLOCK.sub(lambda m: m[1] + output(folder, m[2]) + m[3], old)
        if new != old:
            stale.append(page.name)
            page.write_text(new)
    if stale:
        print(("out of date: " if check else "written: ") + ", ".join(stale))
    return 1 if stale and check else 0


if __name__ == "__main__":
    sys.exit(main())
