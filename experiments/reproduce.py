#!/usr/bin/python3
"""Makes every figure and table of the reproduction from nothing, and report.html.

    reproduce.py [--out FOLDER] [--quick] [--program FLUIDBATCH] [--only NAME ..] [--markdown FILE]

results/NAME.sqlite holds the numbers of an experiment, figures/NAME.{svg,png,json} what is made of them. --quick makes
shorter runs, in fewer settings where these are many. A second run continues from the results of sweeps and of the
headline that exist, and makes the others anew. log.txt says how long each took. --markdown writes docs/reproduction.md
with the pictures in a folder beside it; with --only, the sections of those experiments.
"""

import argparse
import json
import shutil
import subprocess
import sys
import time
from pathlib import Path

import report

EXPERIMENTS = Path(__file__).resolve().parent
ROOT = EXPERIMENTS.parent
RUN = EXPERIMENTS / "run.py"
NAMES = (
    "headline",
    "headline_npus",
    "npu_batching",
    "control_block",
    "load_latency",
    "slo",
    "tails",
    "spikes",
    "ablation",
    "exits",
    "adaptive_exits",
    "devices",
    "design_space",
    "when_it_pays",
    "optimum",
    "site",
    "energy",
    "area",
    "silicon",
)
QUICK = ("--set", "requests=3000", "--set", "warmup_requests=300")


def results_command(name, program, results, quick):
    """What fills an experiment's results file: a sweep, or a script of its own."""
    folder = EXPERIMENTS / name
    if (folder / "sweep.yaml").exists():
        return [
            program,
            "sweep",
            str(folder / "sweep.yaml"),
            "--out",
            str(results),
            "--resume",
            *(QUICK if quick else ()),
        ]
    return [str(RUN), name, "collect", str(results), "--program", program, *(["--quick"] if quick else [])]


def shown(command):
    """A command as a reader would give it, from the top folder."""
    return " ".join(str(part).replace(str(ROOT) + "/", "") for part in command)


def make(name, arguments):
    results, figures = arguments.out / "results" / f"{name}.sqlite", arguments.out / "figures"
    command = results_command(name, arguments.program, results, arguments.quick)
    begin = time.monotonic()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    half = time.monotonic()
    subprocess.run(
        [str(RUN), name, "plot", str(results), "--out", str(figures), "--program", arguments.program],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    line = f"{name}: {half - begin:.1f} s to run, {time.monotonic() - half:.1f} s to draw"
    print(line, flush=True)
    with open(arguments.out / "log.txt", "a", encoding="ascii") as log:
        log.write(line + "\n")
    page = json.loads((figures / f"{name}.json").read_text())
    general = results_command(name, "build/release/bin/fluidbatch", Path("results") / f"{name}.sqlite", arguments.quick)
    page["command"] = shown(general)
    shown_files = ("sweep", "spikes", "thresholds", "targets", "policies", "home")
    files = [EXPERIMENTS / name / file for file in (*(f"{stem}.yaml" for stem in shown_files), "grid.py")]
    sources = [file for file in files if file.exists()]
    page["configuration"] = "\n".join(source.read_text() for source in sources)
    return page


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=None)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--program", default=str(ROOT / "build/release/bin/fluidbatch"))
    parser.add_argument("--only", nargs="+", choices=NAMES, default=NAMES)
    parser.add_argument("--markdown", type=Path)
    arguments = parser.parse_args()
    arguments.out = arguments.out or ROOT / "runs" / ("reproduction_quick" if arguments.quick else "reproduction")
    for folder in ("results", "figures"):
        (arguments.out / folder).mkdir(parents=True, exist_ok=True)
    pages = [make(name, arguments) for name in arguments.only]
    (arguments.out / "report.html").write_text(
        report.html(pages, arguments.out / "figures", arguments.quick), encoding="utf-8"
    )
    print(f"{arguments.out}/report.html")
    if arguments.markdown:
        if tuple(arguments.only) == NAMES:
            text = report.markdown(pages)
        else:
            try:
                text = report.with_sections(arguments.markdown.read_text(encoding="utf-8"), pages)
            except ValueError as error:
                sys.exit(f"{arguments.markdown} is left as it is: {error}")
        pictures = arguments.markdown.parent / "pictures" / "reproduction"
        pictures.mkdir(parents=True, exist_ok=True)
        for page in pages:
            for figure in page["figures"]:
                shutil.copy(arguments.out / "figures" / f"{figure}.svg", pictures)
        arguments.markdown.write_text(text, encoding="utf-8")
        print(arguments.markdown)
    return 0


if __name__ == "__main__":
    sys.exit(main())
