#!/usr/bin/python3
"""bench.py PROGRAM [--short] [PART ..]: speed and memory, and what was aimed at beside it.

Parts: start, serving, exits, energy, sites, generation, search, sweep, tail, module, peers (all).

Serving is measured on one core and as whole processes, by the processor time that the system accounts to them. What is
compared takes turns, so that ratios hold on a machine whose speed drifts; quote those and the medians, not single
times. docs/performance.md holds what was found. --short runs each part once, and little of it: whether it works.
"""

import argparse
import csv
import os
import shutil
import re
import statistics
import subprocess
import tempfile
import time

import aims
import costs
import measure
import module
import serving
import sites

TAILS = (  # the SLO over the unloaded latency
    ("dynamic_batching", 3.7),
    ("exit_aware", 2.5),
    ("exit_aware", 3.3),
    ("exit_aware", 4),
    ("lazy_batching", 3.7),
)
SWEEP = """\
base:
  network: ee_resnet50
  requests: %d
  slo: {latency_ms: 250}
  outputs: {requests_csv: false, bounds: false}
  workload:
    arrivals: {kind: poisson, rho: 1.0}
    exits: {kind: rates, rates: [0.30, 0.35, 0.40]}
  systems: %s
axes:
  grid: {seed: {from: 1, to: %d, step: 1}}
"""


def bench_sweep(program, effort):
    """Whole sweeps by the clock, all cores: small points, two jobs against one, an estimate of a thousand large
    ones."""
    here = os.sched_getaffinity(0)
    os.sched_setaffinity(0, range(os.cpu_count()))
    points = 10 if effort.short else 1000
    many = effort.requests(10**6)
    with tempfile.TemporaryDirectory(prefix="fluidbatch-bench-") as folder:

        def seconds(requests, seeds, jobs, systems="[{policy: {name: exit_aware}, npu_mode: fluid_stacked}]"):
            with open(os.path.join(folder, "s.yaml"), "w", encoding="ascii") as file:
                file.write(SWEEP % (requests, systems, seeds))
            out = os.path.join(folder, "out.sqlite")
            begin = time.perf_counter()
            subprocess.run(
                [program, "sweep", os.path.join(folder, "s.yaml"), "--out", out, "--jobs", str(jobs)],
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                check=True,
            )
            took = time.perf_counter() - begin
            os.remove(out)
            return took

        small = [seconds(1000, points, 2) for _ in range(effort.rounds(3))]
        print(f"sweep: {points:,} points of 1,000 requests of exit_aware, 2 jobs: {statistics.median(small):.2f} s")
        tiny = [seconds(1, points, 1) for _ in range(effort.rounds(3))]
        print(f"sweep: overhead of a point (one request), 1 job: {1000 * statistics.median(tiny) / points:.2f} ms")
        ratios, twos = [], []
        for _ in range(effort.rounds(3)):
            one, two = seconds(many, 20, 1), seconds(many, 20, 2)
            ratios.append(one / two)
            twos.append(two)
        print(f"sweep: 20 points of {many:,} requests: 2 jobs are {statistics.median(ratios):.2f} times 1 job")
        print(f"sweep: estimate for {points:,} such points, 2 jobs: {points / 20 * statistics.median(twos):.0f} s")
        mix = "".join(
            f"\n    - {{label: {name}, policy: {policy}, npu: zu7ev_large, npu_mode: {mode}}}"
            for name, (policy, mode) in measure.POLICIES.items()
        )
        print(
            f"sweep: {points:,} points of {many:,} requests of {len(measure.POLICIES)} policies, all cores: "
            f"{seconds(many, points // len(measure.POLICIES), os.cpu_count(), mix):.0f} s"
        )
    os.sched_setaffinity(0, here)


def bench_generation(program, effort):
    """Nanoseconds per generated request; a program of its own, in the build tree beside ours."""
    generation = os.path.join(os.path.dirname(os.path.abspath(program)), "fluidbatch_bench")
    if os.path.exists(generation):
        subprocess.run([generation, str(effort.requests(5_000_000))], check=True)


def bench_search(program, effort):
    """Candidate evaluations per second of the design-space search, and the time of a whole table."""
    for what, more in (
        ("", []),
        (" with all residencies and line buffers", ["--residency", "auto", "--input_path", "line_buffer"]),
    ):
        command = [program, "npu", "search", "--network=ee_resnet50", "--board=zu7ev", "--batches=1,2,4,8", *more]
        rates = []
        for _ in range(effort.rounds(5)):
            text, usage = measure.accounted(command)
            candidates = int(re.search(r"(\d+) candidates evaluated", text)[1])
            rates.append(candidates / measure.processor_s(usage))
        print(
            f"npu search{what}: {statistics.median(rates) / 1e6:.1f} million candidate evaluations/s, start of the "
            f"program included"
        )
    for network, npu in (
        ("ee_resnet50", "zu7ev_large"),
        ("ee_mobilenet_v2", "zu7ev_large"),
        ("ee_resnet50", "zu7ev_buffered"),
        ("ee_inception_v3", "zu7ev_buffered"),
    ):
        times = []
        for arguments in (
            ["--version"],
            ["npu", "table", "--network", network, "--npu", npu, "--max-batch", "16", "--mode", "fluid_stacked"],
        ):
            runs = []
            for _ in range(effort.rounds(21)):
                begin = time.perf_counter()
                subprocess.run([program, *arguments], stdout=subprocess.DEVNULL, check=True)
                runs.append(time.perf_counter() - begin)
            times.append(1000 * statistics.median(runs))
        print(
            f"npu table, {network} on {npu}, 16 batch sizes: {times[1]:.1f} ms as a whole process, "
            f"{times[1] - times[0]:.1f} of them "
            "beyond the start of the program"
        )


def bench_tail(program, effort):
    """Rare violations: processor time of a whole process for +-10 %, and how many events fewer than a run without
    splitting would take at the least."""
    precision = "0.5" if effort.short else "0.1"
    with tempfile.TemporaryDirectory(prefix="fluidbatch-bench-") as folder:
        measure.write_configs(folder)
        for policy, multiple in effort.cases(TAILS):
            command = [program, "tail", f"{folder}/{policy}.yaml", "--precision", precision, "--jobs", "1", "--csv"]
            command += ["--set", f"slo={{unloaded_multiple: {multiple}}}"]
            text, usage = measure.accounted(command)
            took = measure.processor_s(usage)
            row = next(row for row in csv.DictReader(text.splitlines()) if row["metric"] == "slo_violation_rate")
            rate, high, events = float(row["value"]), float(row["high"]), float(row["events"])
            print(
                f"tail: {policy}, {rate:.2g} late to +-{100 * (high / rate - 1):.0f} %: {took:.1f} s, "
                f"{events / 1e6:.1f} million events, {float(row['crude_events']) / events:,.0f} times fewer than "
                "without splitting"
            )


def bench_peers(program, effort):
    import peers  # NumPy and SimPy with it, whose memory a child is charged with until it is another program

    peers.bench(program, effort)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program")
    parser.add_argument("parts", nargs="*", metavar="part", help=", ".join(PARTS))
    parser.add_argument("--short", action="store_true", help="each part once, and little of it: whether it works")
    arguments = parser.parse_intermixed_args()
    unknown = set(arguments.parts) - set(PARTS)
    if unknown:
        parser.error(f"no such part: {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    if shutil.which(arguments.program) is None:
        parser.error(f"{arguments.program}: there is no such program")
    cpu = max(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {cpu})
    print(
        f"one core (cpu {cpu}); processor time of whole processes: the best of some runs, since other work can only "
        f"add; of sweeps, medians of the clock\n"
        f"load of the machine, of {os.cpu_count()} cores: {os.getloadavg()[0]:.1f}; what else runs makes times longer",
        flush=True,
    )
    for part in arguments.parts or PARTS:
        PARTS[part](arguments.program, measure.Effort(arguments.short))
    for line in aims.table(judge=not arguments.short):
        print(line)
    if arguments.short:
        print("short runs are mostly start: none of these numbers says how fast anything is")
    print(f"load of the machine at the end: {os.getloadavg()[0]:.1f}, this benchmark's own included")


PARTS = {
    "start": costs.bench_start,
    "serving": serving.bench,
    "exits": costs.bench_exits,
    "energy": costs.bench_energy,
    "sites": sites.bench,
    "generation": bench_generation,
    "search": bench_search,
    "sweep": bench_sweep,
    "tail": bench_tail,
    "module": module.bench,
    "peers": bench_peers,
}


if __name__ == "__main__":
    main()
