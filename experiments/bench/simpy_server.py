#!/usr/bin/python3
"""The same server in SimPy 3 (python3-simpy3): a source, a store and a server process, one request or a greedy batch
at a time.

    simpy_server.py [--program FLUIDBATCH] [--requests N]

Runs a trace through `fluidbatch` and through the model here, on the same table of latencies, and compares all
completions.
"""

import argparse
import sys
import time
from pathlib import Path

import simpy

import traces

ROOT = Path(__file__).resolve().parents[2]


def simulate(latencies, arrivals_s, exits, max_batch):
    """Completion date of each request."""
    env = simpy.Environment()
    queue = simpy.Store(env)
    completions_s = [0.0] * len(arrivals_s)

    def source():
        for number, date_s in enumerate(arrivals_s):
            yield env.timeout(date_s - env.now)
            queue.put(number)

    def server():
        while True:
            batch = [(yield queue.get())]
            while len(batch) < max_batch and queue.items:
                batch.append((yield queue.get()))
            for segment, by_batch in enumerate(latencies):
                yield env.timeout(by_batch[len(batch)])
                for number in batch:
                    if exits[number] == segment:
                        completions_s[number] = env.now
                batch = [number for number in batch if exits[number] != segment]
                if not batch:
                    break

    env.process(source())
    env.process(server())
    env.run()
    return completions_s


def compare(program, requests, rho):
    """For each system: SimPy's seconds a request, and the largest difference of a completion."""
    latencies = traces.segment_latencies(program)
    results = {}
    for system, (arrivals_s, exits, expected_s) in traces.served(program, requests, rho).items():
        begin = time.process_time()
        completions_s = simulate(latencies, arrivals_s, exits, traces.MAX_BATCH[system])
        took_s = time.process_time() - begin
        furthest_s = max(abs(c - e) for c, e in zip(completions_s, expected_s))
        results[system] = (took_s / requests, furthest_s)
    return results


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--program", default=str(ROOT / "build/release/bin/fluidbatch"))
    parser.add_argument("--requests", type=int, default=20000)
    arguments = parser.parse_args()
    worst_s = 0.0
    for rho in (0.4, 1.0, 2.0):
        for system, (per_request_s, furthest_s) in compare(arguments.program, arguments.requests, rho).items():
            print(
                f"rho {rho}, {system}: SimPy takes {1e6 * per_request_s:.1f} us a request; completions differ by "
                f"{furthest_s:.1e} s at most"
            )
            worst_s = max(worst_s, furthest_s)
    return 0 if worst_s <= 1e-9 else 1


if __name__ == "__main__":
    sys.exit(main())
