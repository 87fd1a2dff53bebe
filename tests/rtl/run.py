#!/usr/bin/python3
"""Checks the RTL of the engine: Verilator's lint, the bench, and a synthesis of a small engine with Yosys.

usage: run.py [LAYERS [SEED]]   (random layers of each engine and kind of channel)
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


def run(*command, **options):
    return subprocess.run([str(word) for word in command], check=True, **options)


def require_tools():
    """Exits with 2 where a tool is not there, and says what to do."""
    for tool in ("verilator", "yosys", "cmake", "ninja"):
        if shutil.which(tool) is None:
            package = {"ninja": "ninja-build"}.get(tool, tool)
            print(f"{tool} is not on PATH: install Debian's package {package}, as `make rtl` does", file=sys.stderr)
            sys.exit(2)


def lint():
    for t_p, t_c, k_max, places in ((8, 8, 4, 2), (5, 12, 2, 40), (3, 7, 1, 6)):
        parameters = {"T_R": 24, "T_P": t_p, "T_C": t_c, "K_MAX": k_max, "INPUT_PLACES": places, "WEIGHT_PLACES": places}
        run("verilator", "--lint-only", "-Wall", "--top-module", "npu_system", *(f"-G{name}={n}" for name, n in parameters.items()),
            *SYSTEM, cwd=RTL)


def bench(arguments):
    run("cmake", "-S", ROOT / "tests" / "rtl", "-B", BUILD, "-G", "Ninja", "--log-level=WARNING", stdout=subprocess.DEVNULL)
    run("cmake", "--build", BUILD, stdout=subprocess.DEVNULL)
    run(BUILD / "rtl_bench", *arguments)


def cells_of(t_r, t_p, t_c, k_max):
    """Cells by type of an engine without its channel, after Yosys's `synth_xilinx -family xcup`."""
    script = (f"read_verilog -sv {' '.join(ENGINE)}; chparam -set T_R {t_r} -set T_P {t_p} -set T_C {t_c} -set K_MAX {k_max} npu_engine; "
              "synth_xilinx -family xcup -top npu_engine -flatten -noiopad; tee -o /dev/stdout stat")
    output = run("yosys", "-q", "-p", script, cwd=RTL, capture_output=True, text=True).stdout
    return {name: int(count) for name, count in re.findall(r"^ +([A-Z][A-Z0-9]*) +(\d+)$", output, re.MULTILINE)}


def synthesise():
    for k_max in (1, 2, 4):
        cells = cells_of(16, 4, 4, k_max)
        luts = sum(count for name, count in cells.items() if re.fullmatch(r"LUT\d", name))
        print(f"synthesis of <16, 4, 4>, k up to {k_max}: {cells['DSP48E2']} DSPs, {luts} LUTs, {cells['FDRE']} FFs")
        if cells["DSP48E2"] != 16:
            sys.exit("an engine takes T_P T_C DSPs: 16 here")


if __name__ == "__main__":
    require_tools()
    lint()
    bench(sys.argv[1:])
    synthesise()
