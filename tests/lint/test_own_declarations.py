#!/usr/bin/python3
"""test_own_declarations.py PLUGIN: clang-tidy finds the same with the plug-in as without, where there is much to find."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def found(*options):
    run = subprocess.run(["clang-tidy", *options, "--quiet", "tests/lint/findings.cpp", "--", "-std=c++20", f"-I{ROOT}"],
                         cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    return run.stdout.splitlines()


def main():
    everywhere, own = found(), found(f"--load={sys.argv[1]}")
    missing = [line for line in everywhere if line not in own]
    checks = set(re.findall(r"\[([a-z0-9-]+),-warnings-as-errors\]$", "\n".join(everywhere), re.M))
    if missing or own != everywhere:
        sys.exit("clang-tidy finds something else with the plug-in:\n" + "\n".join(missing))
    if len(checks) < 40:
        sys.exit(f"clang-tidy finds {len(checks)} kinds of things in tests/lint/findings.cpp: it has 40")


if __name__ == "__main__":
    main()
