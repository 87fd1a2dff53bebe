"""What single things cost: the start of a run beside SimGrid's own, exits that are decided at run time, energy."""

import os
import re
import statistics
import tempfile
import time
from pathlib import Path

import aims
import measure

ROOT = Path(__file__).resolve().parents[2]
LETTERS = ROOT / "experiments/data/letters_multiexit.csv"
# The first serves all rows of the file and the second the odd ones, which leave at nearly the same exits.
CONTROLS = {
    "fixed": "{kind: fixed}",
    "adaptive": "{kind: adaptive, accuracy_target: 0.9525}",
}


def bench_start(program, effort):
    """In turns: a run of one request, the program's `--version`, and a SimGrid program that does nothing; by the clock,
    and by processor time, which other work on the machine lengthens less."""
    empty = Path(program).resolve().parent / "fluidbatch_empty_simgrid"
    with tempfile.TemporaryDirectory(prefix="fluidbatch-bench-") as folder:
        measure.write_configs(folder)
        commands = {
            "a run of one request": [program, "run", f"{folder}/exit_aware.yaml", "--out", f"{folder}/out",
                                     "--set", "requests=1"],
            "the program's --version": [program, "--version"],
        }
        if empty.exists():
            commands["an empty SimGrid program"] = [str(empty)]
        else:
            print(f"start: {empty.name} is not built, so there is no comparison with SimGrid alone")
        took_ms = {what: [] for what in commands}
        for _ in range(effort.rounds(41)):
            for what, command in commands.items():
                took_ms[what].append(clock_and_processor_ms(command))
    for what, times in took_ms.items():
        clock, processor = zip(*times)
        print(
            f"start: {what} as a whole process: median {statistics.median(clock):.1f} ms, least {min(clock):.1f}; "
            f"processor time: median {statistics.median(processor):.1f} ms, least {min(processor):.1f}"
        )
    if empty.exists():
        pairs = zip(took_ms["a run of one request"], took_ms["an empty SimGrid program"])
        clock, processor = zip(*((r[0] - s[0], r[1] - s[1]) for r, s in pairs))
        print(
            f"start: beyond the empty SimGrid program, medians of the differences: {statistics.median(clock):.1f} ms, "
            f"processor time {statistics.median(processor):.1f} ms",
            flush=True,
        )
        aims.record("a run of one request, beyond an empty SimGrid program", statistics.median(clock))


def clock_and_processor_ms(command):
    begin = time.perf_counter()
    _, usage = measure.accounted(command)
    return 1e3 * (time.perf_counter() - begin), 1e3 * measure.processor_s(usage)


def in_turns(effort, rounds, runs):
    """Seconds of each round, by the name of a run; `runs` has functions that take one. They take turns."""
    seconds = {name: [] for name in runs}
    for _ in range(effort.rounds(rounds)):
        for name, run in runs.items():
            seconds[name].append(run())
    return seconds


def median_ratio(above, below):
    return statistics.median(a / b for a, b in zip(above, below))


def bench_exits(program, effort):
    """Thresholds that follow the queue and the accuracy, against fixed ones; start included."""
    requests = effort.requests(5_000_000)
    exits = f"{{kind: confidences, path: {LETTERS}, threshold: 0.7}}"
    with tempfile.TemporaryDirectory(prefix="fluidbatch-bench-") as folder:
        measure.write_configs(folder)
        for policy in ("dynamic_batching", "exit_aware"):

            def run(control):
                return measure.run(program, folder, policy, requests, "bare", workload__exits=exits,
                                   systems__0__npu_mode="fluid_stacked", systems__0__exit_control=control)[0]

            seconds = in_turns(effort, 5, {name: lambda c=control: run(c) for name, control in CONTROLS.items()})
            rates = {name: 1e-6 * requests / min(times) for name, times in seconds.items()}
            print(
                f"exits: {policy}, {requests:,} requests, adaptive: {rates['adaptive']:.1f} million requests/s; "
                f"with fixed thresholds {rates['fixed']:.1f}; a request takes "
                f"{median_ratio(seconds['adaptive'], seconds['fixed']):.2f} times as long",
                flush=True,
            )
            aims.record(f"adaptive exits, {policy}", rates["adaptive"])


def without_energy(folder):
    """A file that is zu7ev_large without its energy values; returns its path."""
    text = (ROOT / "npu_model/npus/zu7ev_large.yaml").read_text(encoding="utf-8")
    bare, found = re.subn(r"^energy:\n(?:  .*\n)+", "", text, flags=re.MULTILINE)
    if found != 1:
        raise ValueError("zu7ev_large.yaml has no block `energy` to leave out")
    path = os.path.join(folder, "without_energy.yaml")
    Path(path).write_text(bare, encoding="utf-8")
    return path


def bench_energy(program, effort):
    """The same run on an NPU with energy values and on one without."""
    requests = effort.requests(10**7)
    with tempfile.TemporaryDirectory(prefix="fluidbatch-bench-") as folder:
        measure.write_configs(folder)
        npus = {"on": "zu7ev_large", "off": without_energy(folder)}
        for policy in measure.POLICIES:

            def run(npu):
                return measure.run(program, folder, policy, requests, "bare", systems__0__npu=npu)[0]

            seconds = in_turns(effort, 7, {name: lambda n=npu: run(n) for name, npu in npus.items()})
            ratio = median_ratio(seconds["on"], seconds["off"])
            print(
                f"energy: {policy}, {requests:,} requests, rho 1: with energy {ratio:.3f} times as long as without "
                f"(median of pairs); the best of each {min(seconds['on']):.2f} and {min(seconds['off']):.2f} s",
                flush=True,
            )
