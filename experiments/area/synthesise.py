#!/usr/bin/python3 -B
"""Counts the cells of small engines with Yosys, and writes them to synthesis.csv beside this file.

    synthesise.py                    all engines: about 8 minutes of one core
    synthesise.py --check            the smallest ones again, which have to be as in synthesis.csv
    synthesise.py --modules 4 8 2    of one engine (T_P, T_C, K_MAX), not flattened, what is in which module

Each engine of npu_model/rtl (without its channel and without pads) is flattened and mapped to a Xilinx UltraScale+
device by `synth_xilinx`. Exit codes: 1 where counts differ, 2 where Yosys is missing or another version.
"""

import argparse
import csv
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
RTL = ROOT / "npu_model" / "rtl"
FILE = Path(__file__).resolve().with_name("synthesis.csv")
TOP = "npu_engine"
BESIDE = (TOP, "npu_system", "memory_channel")  # the last two: the engine's surroundings
SOURCES = [f"{TOP}.sv", *sorted(path.name for path in RTL.glob("*.sv") if path.stem not in BESIDE)]
OPTIONS = "-family xcup -flatten -noiopad"

T_R = 16
K_MAX = (1, 2, 4)
SHAPES = ((4, 4), (4, 8), (4, 12), (8, 4), (8, 8))  # T_P, T_C
SMALLEST = SHAPES[0]
HEAD = ("t_r", "t_p", "t_c", "k_max", "dsps", "luts", "lutram_luts", "ffs", "carries", "brams")

# LUTs that a cell of distributed memory or a shift register takes.
MEMORY_LUTS = {
    "RAM32M": 4,
    "RAM64M": 4,
    "RAM32M16": 8,
    "RAM64M8": 8,
    "RAM32X1D": 2,
    "RAM64X1D": 2,
    "SRL16E": 1,
    "SRLC32E": 1,
}
BRAMS = {"RAMB18E2": 0.5, "RAMB36E2": 1}
# Multiplexers between LUTs, clock buffers, and inverters, which the LUT or register behind takes in.
NOT_COUNTED = ("MUXF7", "MUXF8", "MUXF9", "BUFG", "INV")


def refuse(message):
    print(message, file=sys.stderr)
    sys.exit(2)


def require_yosys():
    if shutil.which("yosys") is None:
        refuse("yosys is not on PATH: install Debian's package yosys, as `make rtl` does")


def yosys_version():
    """Such as `Yosys 0.23`."""
    output = subprocess.run(["yosys", "-V"], check=True, capture_output=True, text=True).stdout
    return " ".join(output.split()[:2])


def stat(t_r, t_p, t_c, k_max, options):
    """What Yosys's `stat` prints of an engine without its channel."""
    script = (
        f"read_verilog -sv {' '.join(SOURCES)}; "
        f"chparam -set T_R {t_r} -set T_P {t_p} -set T_C {t_c} -set K_MAX {k_max} {TOP}; "
        f"synth_xilinx {options} -top {TOP}; tee -o /dev/stdout stat"
    )
    return subprocess.run(["yosys", "-q", "-p", script], check=True, capture_output=True, text=True, cwd=RTL).stdout


def cells_in(text):
    """{type: cells} of what `stat` prints of one module."""
    return {name: int(count) for name, count in re.findall(r"^ +([A-Z][A-Z0-9_]*) +(\d+)$", text, re.MULTILINE)}


def counts_of(cells):
    """What synthesis.csv holds of {type: cells}; ValueError for a type that is not known."""
    counts = dict.fromkeys(HEAD[4:], 0)
    for name, count in cells.items():
        if re.fullmatch(r"LUT[1-6]", name):
            counts["luts"] += count
        elif re.fullmatch(r"FD[RSCP]E", name):
            counts["ffs"] += count
        elif name == "DSP48E2":
            counts["dsps"] += count
        elif name == "CARRY4":
            counts["carries"] += count
        elif name in MEMORY_LUTS:
            counts["lutram_luts"] += MEMORY_LUTS[name] * count
        elif name in BRAMS:
            counts["brams"] += BRAMS[name] * count
        elif name not in NOT_COUNTED:
            raise ValueError(f"{name}: no rule says what this cell counts as")
    return counts


def synthesised(t_p, t_c, k_max):
    """A row of synthesis.csv."""
    counts = counts_of(cells_in(stat(T_R, t_p, t_c, k_max, OPTIONS)))
    if counts["dsps"] != t_p * t_c:
        sys.exit(f"an engine takes T_P T_C DSPs: {t_p * t_c}, not {counts['dsps']}")
    return {"t_r": T_R, "t_p": t_p, "t_c": t_c, "k_max": k_max, **counts}


def read():
    """The header lines of synthesis.csv and its rows, with numbers."""
    lines = FILE.read_text(encoding="ascii").splitlines()
    comments = [line for line in lines if line.startswith("#")]
    rows = csv.DictReader(line for line in lines if not line.startswith("#"))
    return comments, [{name: float(value) for name, value in row.items()} for row in rows]


def save(version, rows):
    with open(FILE, "w", newline="", encoding="ascii") as file:
        file.write(
            "# Cells of small engines of npu_model/rtl. Made by experiments/area/synthesise.py, in about 8 minutes of\n"
            "# one core; with --check, which `make rtl` runs, the smallest are compared.\n"
            f"# Tool: {version}\n"
            f"# Command: synth_xilinx {OPTIONS} -top {TOP}\n"
        )
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(HEAD)
        writer.writerows([f"{row[name]:g}" for name in HEAD] for row in rows)


def measure(version):
    begin, rows = time.monotonic(), []
    for t_p, t_c in SHAPES:
        for k_max in K_MAX:
            rows.append(synthesised(t_p, t_c, k_max))
            shown = ", ".join(f"{name} {value:g}" for name, value in rows[-1].items())
            print(f"{time.monotonic() - begin:4.0f} s: {shown}", flush=True)
    save(version, rows)


def check(version):
    """Synthesises the smallest engines again; exits with 1 where they are not those of synthesis.csv."""
    comments, rows = read()
    if not any(line.endswith(f" {version}") for line in comments):
        refuse(
            f"{FILE.name} was made with another version than {version}, so that counts are not comparable: "
            "experiments/area/synthesise.py makes it again"
        )
    for k_max in K_MAX:
        found = synthesised(*SMALLEST, k_max)
        stored = next(row for row in rows if (row["t_p"], row["t_c"], row["k_max"]) == (*SMALLEST, k_max))
        print(
            f"synthesis of <{T_R}, {SMALLEST[0]}, {SMALLEST[1]}>, k up to {k_max}: {found['dsps']} DSPs, "
            f"{found['luts']} LUTs, {found['ffs']} FFs",
            flush=True,
        )
        for name in HEAD:
            if found[name] != stored[name]:
                sys.exit(
                    f"{FILE.name} is of another RTL: it has {name} {stored[name]:g}, and here are {found[name]:g}; "
                    "experiments/area/synthesise.py makes it again"
                )


def modules(t_p, t_c, k_max):
    """Prints the counts of each module for itself: of one processing element, one walk, and the engine without them."""
    text = stat(T_R, t_p, t_c, k_max, OPTIONS.replace(" -flatten", ""))
    parts = re.split(r"^=== (.*) ===$", text, flags=re.MULTILINE)
    for name, text in zip(parts[1::2], parts[2::2]):
        module = next((word for word in name.split("\\") if f"{word}.sv" in SOURCES), name)
        shown = ", ".join(f"{count} {value:g}" for count, value in counts_of(cells_in(text)).items())
        print(f"{module}: {shown}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="synthesise the smallest engines and compare")
    engine = ("T_P", "T_C", "K_MAX")
    parser.add_argument("--modules", type=int, nargs=3, metavar=engine, help="print what is in which module")
    arguments = parser.parse_args()
    require_yosys()
    if arguments.modules:
        modules(*arguments.modules)
    else:
        (check if arguments.check else measure)(yosys_version())


if __name__ == "__main__":
    main()
