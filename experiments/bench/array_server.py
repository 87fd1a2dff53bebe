#!/usr/bin/python3
"""The `serial` server as array scripts, arrivals in, completions out: in NumPy alone, and a loop that Numba compiles.

    array_server.py [--program FLUIDBATCH] [--requests N]      compare with a trace that fluidbatch has served
    array_server.py --time numpy|numba --requests N --load L   one run with draws and statistics; prints its seconds

Numba is Debian's python3-numba; without it the comparison is of NumPy's alone. A run that is timed draws for itself.
"""

import argparse
import json
import re
import sys
import time
from pathlib import Path

import numpy as np

import measure
import traces

ROOT = Path(__file__).resolve().parents[2]


def serve_numpy(arrivals_s, services_s):
    """Lindley's recursion without a loop: how far work is behind arrivals is a running maximum."""
    work_s = np.cumsum(services_s)
    return work_s + np.maximum.accumulate(arrivals_s - (work_s - services_s))


def numba_server():
    """The loop; ImportError without Numba. It is compiled when it is first called."""
    import numba

    @numba.njit
    def serve(arrivals_s, services_s):
        completions_s = np.empty_like(arrivals_s)
        free_s = 0.0
        for i in range(arrivals_s.size):
            free_s = max(free_s, arrivals_s[i]) + services_s[i]
            completions_s[i] = free_s
        return completions_s

    return serve


def server(kind):
    return numba_server() if kind == "numba" else serve_numpy


def has_numba():
    try:
        numba_server()
    except ImportError:
        return False
    return True


def kinds():
    return ("numpy", "numba") if has_numba() else ("numpy",)


def services_by_exit(program):
    """Seconds that a request of each exit takes alone."""
    return np.cumsum([by_batch[1] for by_batch in traces.segment_latencies(program)])


def compare(program, requests, rho):
    """Of a trace of `serial`, by kind: the furthest difference of a completion in seconds, and both mean latencies."""
    arrivals_s, exits, expected_s = (np.array(column) for column in traces.served(program, requests, rho)["serial"])
    services_s = services_by_exit(program)[exits]
    results = {}
    for kind in kinds():
        completions_s = server(kind)(arrivals_s, services_s)
        results[kind] = (
            float(np.abs(completions_s - expected_s).max()),
            float((completions_s - arrivals_s).mean()),
            float((expected_s - arrivals_s).mean()),
        )
    return results


def peak_bytes():
    """The most that this process has had in memory. (ru_maxrss starts with what the process had that made this one.)"""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return 1024 * int(re.search(r"VmHWM:\s*(\d+) kB", status)[1])


def run(kind, requests, load, by_exit_s):
    """A whole run as one would write it, where arrivals bring `load` seconds of work a second. Processor seconds of its
    parts, the mean latency, and the memory in bytes beyond the start."""
    seconds, begin = {}, time.process_time()

    def lap(part):
        nonlocal begin
        now = time.process_time()
        seconds[part], begin = now - begin, now

    serve = server(kind)
    lap("import")
    serve(np.zeros(1), np.ones(1))
    lap("compile")
    start_bytes = peak_bytes()
    random = np.random.default_rng(1)
    mean_service_s = np.dot(traces.SHARES, by_exit_s)
    arrivals_s = np.cumsum(random.exponential(mean_service_s / load, requests))
    services_s = by_exit_s[random.choice(len(traces.SHARES), requests, p=traces.SHARES)]
    lap("draw")
    latencies_s = serve(arrivals_s, services_s) - arrivals_s
    lap("serve")
    mean_s = latencies_s.mean()
    np.percentile(latencies_s, [50, 90, 95, 99, 99.9])
    (latencies_s > 0.25).mean()
    lap("statistics")
    return {**seconds, "mean_latency_s": float(mean_s), "bytes": peak_bytes() - start_bytes}


def measured(kind, requests, load, by_exit_s):
    """`run` in a process of its own: what it prints, and its whole processor seconds as `process`."""
    command = [sys.executable, "-B", __file__, "--time", kind, "--requests", str(requests), "--load", str(load),
               "--services", ",".join(map(repr, map(float, by_exit_s)))]
    text, usage = measure.accounted(command)
    return {**json.loads(text), "process": measure.processor_s(usage)}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--program", default=str(ROOT / "build/release/bin/fluidbatch"))
    parser.add_argument("--requests", type=int, default=20000)
    parser.add_argument("--time", choices=("numpy", "numba"))
    parser.add_argument("--load", type=float, default=0.5)
    parser.add_argument("--services", help="seconds by exit; asked of the program where not given")
    arguments = parser.parse_args()
    if arguments.time:
        given = arguments.services
        by_exit_s = np.array(given.split(","), float) if given else services_by_exit(arguments.program)
        print(json.dumps(run(arguments.time, arguments.requests, arguments.load, by_exit_s)))
        return 0
    worst_s = 0.0
    for rho in (0.4, 1.0, 2.0):
        for kind, (furthest_s, mean_s, ours_s) in compare(arguments.program, arguments.requests, rho).items():
            print(f"rho {rho}, {kind}: mean latency {1e3 * mean_s:.6f} ms, ours {1e3 * ours_s:.6f}; completions differ "
                  f"by {furthest_s:.1e} s at most")
            worst_s = max(worst_s, furthest_s)
    return 0 if worst_s <= 1e-9 else 1


if __name__ == "__main__":
    sys.exit(main())
