"""Beside what one would write instead: the same server in SimPy, and as array scripts; a rare rate by counting."""

import statistics
import tempfile

import numpy as np

import array_server
import md1_tail
import measure
import simpy_server
import traces

DRIVERS = ("bare", "simgrid")
LOADS = (0.4, 1.0, 2.0)


def bench(program, effort):
    with tempfile.TemporaryDirectory(prefix="fluidbatch-bench-") as folder:
        measure.write_configs(folder)
        against_arrays(program, folder, effort)
        against_simpy(program, folder, effort)
    against_crude_tails(program, effort)


def against_simpy(program, folder, effort):
    """SimPy's time is that of the simulation alone; ours has the start, the workload and the statistics in it."""
    requests = effort.requests(10**7)
    for rho in effort.cases(LOADS):
        rounds = [simpy_server.compare(program, effort.requests(100_000), rho) for _ in range(effort.rounds(3))]
        for system in traces.MAX_BATCH:
            policy = {"dynamic": "dynamic_batching"}.get(system, system)
            simpy_s = min(results[system][0] for results in rounds)
            furthest_s = max(results[system][1] for results in rounds)
            factors = []
            for driver in DRIVERS:
                ours_s, _ = measure.best(
                    effort.rounds(3), program, folder, policy, requests, driver, workload__arrivals__rho=rho
                )
                factors.append(f"{simpy_s / (ours_s / requests):.0f} times for {driver}")
            print(
                f"peers: SimPy, {policy}, rho {rho}: {1e6 * simpy_s:.1f} us a request, {', '.join(factors)}; "
                f"completions agree to {furthest_s:.0e} s",
                flush=True,
            )


def against_arrays(program, folder, effort):
    """Whole processes of both, in turns."""
    if not array_server.has_numba():
        print("peers: no Numba here (Debian: python3-numba), so the array script is NumPy's alone")
    by_exit_s = array_server.services_by_exit(program)
    for rho in effort.cases(LOADS):
        arrivals_s, _, _ = traces.served(program, effort.requests(100_000), rho)["serial"]
        load = float(np.dot(traces.SHARES, by_exit_s)) * len(arrivals_s) / arrivals_s[-1]
        agreement = array_server.compare(program, effort.requests(100_000), rho)
        for kind, (furthest_s, mean_s, ours_mean_s) in agreement.items():
            requests, script, ours_s = effort.requests(10**7), [], []
            for _ in range(effort.rounds(5)):
                script.append(array_server.measured(kind, requests, load, by_exit_s))
                ours_s.append(
                    measure.run(program, folder, "serial", requests, "bare", workload__arrivals__rho=rho)[0]
                )
            print(
                f"peers: {kind}, serial, rho {rho}: mean latency {1e3 * mean_s:.6f} ms, ours {1e3 * ours_mean_s:.6f}; "
                f"completions agree to {furthest_s:.0e} s"
            )
            print_arrays(f"peers: {kind}, serial, rho {rho}", requests, script, ours_s)


def print_arrays(what, requests, script, ours_s):
    """The whole script; without the starts of Python and Numba; the loop alone."""

    def ratio(*parts):
        return statistics.median(sum(s[part] for part in parts) / o for s, o in zip(script, ours_s))

    compile_s = statistics.median(s["import"] + s["compile"] for s in script)
    loop_ns = 1e9 * min(s["serve"] for s in script) / requests
    print(
        f"{what}, {requests:,} requests: {ratio('process'):.2f} times what bare takes as a whole process, "
        f"{ratio('draw', 'serve', 'statistics'):.2f} without starting Python and compiling, the loop alone "
        f"{ratio('serve'):.2f} ({loop_ns:.1f} ns a request); importing Numba and compiling {compile_s:.2f} s; "
        f"{max(s['bytes'] for s in script) / requests:.0f} bytes a request beyond the start",
        flush=True,
    )


def readable(seconds):
    for unit, size in (("days", 86400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.1f} s"


def against_crude_tails(program, effort):
    for slo, (exact, counted, tail) in md1_tail.compare(program, effort).items():
        if counted.extrapolated:
            simpy_text = f"EXTRAPOLATED {readable(counted.seconds)}, {counted.requests:.2g} requests"
        else:
            simpy_text = (
                f"{readable(counted.seconds)}, {counted.requests:.2g} requests, found {counted.rate:.3g} to "
                f"+-{100 * counted.half_width:.0f} %"
            )
        print(
            f"peers: M/D/1 at load {md1_tail.LOAD}, SLO {slo} service times, exactly {exact:.3g} late: SimPy "
            f"{simpy_text}; tail {tail.seconds:.1f} s, found {tail.rate:.3g} to +-{100 * tail.half_width:.0f} %; "
            f"{counted.seconds / tail.seconds:,.1f} times",
            flush=True,
        )
