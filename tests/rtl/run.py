#!/usr/bin/python3
"""Checks the RTL of the engine: Verilator's lint, the bench, and a synthesis of small engines with Yosys.

usage: run.py [LAYERS [SEED]]   (random layers of each engine and kind of channel)

Exit code 1 where something is not as it should be, 2 where a tool is missing or an argument is wrong.
"""

import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
RTL = ROOT / "npu_model" / "rtl"
BUILD = ROOT / "build" / "rtl"
ENGINE = ["npu_engine.sv", "layer_walk.sv", "input_buffer.sv", "output_control.sv", "processing_element.sv"]
SYSTEM = ["npu_system.sv", "memory_channel.sv", *ENGINE]

# Tools, and Debian's packages that have them.
TOOLS = {"verilator": "verilator", "yosys": "yosys", "cmake": "cmake", "ninja": "ninja-build", "g++": "g++"}

# Parameters that the engine cannot have, and what it says.
REFUSED = (
    ({"K_MAX": 3}, "K_MAX has to be 1, 2 or 4"),
    ({"T_R": 18}, "K_MAX has to divide T_R and T_C"),
    ({"T_C": 6}, "K_MAX has to divide T_R and T_C"),
    ({"INPUT_PLACES": 1}, "buffers have to hold at least two tiles"),
    ({"WEIGHT_PLACES": 1}, "buffers have to hold at least two tiles"),
    ({"OUTPUT_TILES": 0}, "OUTPUT_TILES has to be at least 1"),
    ({"WORD": 40, "ACC": 96}, "WORD has to be from 2 to 32, and ACC at most 64"),
    ({"ACC": 36}, "ACC is too narrow for the sum of K_MAX T_P products"),
    ({"CW": 6}, "CW is too narrow to count what the buffers hold"),
)


def run(*command, **options):
    try:
        return subprocess.run([str(word) for word in command], check=True, **options)
    except subprocess.CalledProcessError as error:
        print(error.stderr or "", end="", file=sys.stderr)
        sys.exit(f"{command[0]} failed with exit code {error.returncode}")


def require_tools():
    """Exits with 2 where a tool is not there, and says what to do."""
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    if missing:
        packages = " ".join(TOOLS[tool] for tool in missing)
        print(f"not on PATH: {', '.join(missing)}. `make rtl` installs what is missing on Debian 12; by hand: "
              f"apt-get install {packages}", file=sys.stderr)
        sys.exit(2)


def lint_command(parameters):
    return ("verilator", "--lint-only", "-Wall", "--top-module", "npu_system", *(f"-G{name}={n}" for name, n in parameters.items()), *SYSTEM)


def lint():
    for t_p, t_c, k_max, places in ((8, 8, 4, 2), (5, 12, 2, 40), (3, 7, 1, 6), (1, 1, 1, 2)):
        run(*lint_command({"T_R": 24, "T_P": t_p, "T_C": t_c, "K_MAX": k_max, "INPUT_PLACES": places, "WEIGHT_PLACES": places}), cwd=RTL)
    for parameters, message in REFUSED:
        result = subprocess.run(lint_command(parameters), cwd=RTL, capture_output=True, text=True)
        if result.returncode == 0 or message not in result.stderr:
            sys.exit(f"an engine of {parameters} has to be refused with: {message}")


def bench(arguments):
    run("cmake", "-S", ROOT / "tests" / "rtl", "-B", BUILD, "-G", "Ninja", "--log-level=WARNING", stdout=subprocess.DEVNULL)
    run("cmake", "--build", BUILD, stdout=subprocess.DEVNULL)
    run(BUILD / "rtl_bench", *arguments)


def synthesise():
    """The smallest engines, whose cells have to be those that the report shows."""
    check = subprocess.run([ROOT / "experiments" / "area" / "synthesise.py", "--check"])
    sys.exit(check.returncode)


def main(arguments):
    if len(arguments) > 2 or not all(re.fullmatch(r"[1-9]\d{0,8}", word) for word in arguments):
        print(__doc__, file=sys.stderr)
        sys.exit(2)
    require_tools()
    lint()
    bench(arguments)
    synthesise()


if __name__ == "__main__":
    main(sys.argv[1:])
