"""Requests per second of each policy and driver, against SimPy, and how cost and memory grow."""

import statistics
import subprocess
import tempfile
import time

import measure
import simpy_server

DRIVERS = ("bare", "simgrid_window", "simgrid")
LOADS = (0.4, 1.0, 2.0)
ROUNDS = 5


def bench(program):
    with tempfile.TemporaryDirectory(prefix="fluidbatch-bench-") as folder:
        measure.write_configs(folder)
        start(program, folder)
        growth(program, folder)  # before SimPy, whose memory a child would be charged with until it is another program
        devices(program, folder)
        overload(program, folder)
        against_simpy(program, drivers(program, folder))


def drivers(program, folder, requests=10**7):
    """All policies, loads and drivers; returns seconds a request, by (policy, load, driver)."""
    print(
        f"{requests:,} requests, {ROUNDS} rounds in which the drivers take turns: the best of each, and medians of "
        f"the ratios"
    )
    print(
        f"{'policy':<18}{'rho':>5}  "
        + "".join(f"{d + ' M req/s':>24}" for d in DRIVERS)
        + "".join(f"{d + ' / bare':>24}" for d in DRIVERS[1:])
    )
    taken_s = {}
    for policy in measure.POLICIES:
        for rho in LOADS:
            seconds = {d: [] for d in DRIVERS}
            for _ in range(ROUNDS):
                for driver in DRIVERS:
                    seconds[driver].append(
                        measure.run(program, folder, policy, requests, driver, workload__arrivals__rho=rho)[0]
                    )
            for driver in DRIVERS:
                taken_s[policy, rho, driver] = min(seconds[driver]) / requests
            ratios = [statistics.median(s / b for s, b in zip(seconds[d], seconds["bare"])) for d in DRIVERS[1:]]
            print(
                f"{policy:<18}{rho:>5}  "
                + "".join(f"{1e-6 / taken_s[policy, rho, d]:>24.2f}" for d in DRIVERS)
                + "".join(f"{ratio:>24.2f}" for ratio in ratios),
                flush=True,
            )
    return taken_s


def against_simpy(program, taken_s):
    """SimPy's time is that of the simulation alone; ours has the start, the workload and the statistics in it."""
    for rho in LOADS:
        for system, (simpy_s, furthest_s) in simpy_server.compare(program, 100_000, rho).items():
            policy = {"dynamic": "dynamic_batching"}.get(system, system)
            factors = ", ".join(f"{simpy_s / taken_s[policy, rho, d]:.0f} times for {d}" for d in DRIVERS)
            print(
                f"SimPy, {policy}, rho {rho}: {1e6 * simpy_s:.1f} us a request, {factors}; completions agree to "
                f"{furthest_s:.0e} s",
                flush=True,
            )


def growth(program, folder):
    for policy in ("serial", "exit_aware"):
        runs = {
            n: measure.best(ROUNDS if n < 10**8 else 1, program, folder, policy, n, "bare")
            for n in (1, 10**5, 10**6, 10**7, 10**8)
        }
        begin_s = runs.pop(1)[0]
        print(
            f"{policy}: "
            + "; ".join(
                f"{n:,} requests {1e9 * (s - begin_s) / n:.0f} ns each beyond the start, {b / 2**20:.0f} MB"
                for n, (s, b) in runs.items()
            )
        )
        print(f"{policy}: {(runs[10**8][1] - runs[10**7][1]) / (10**8 - 10**7):.1f} bytes a request", flush=True)


def devices(program, folder, requests=5_000_000):
    counts = (1, 10, 100, 1000, 10000)
    seconds = [
        measure.best(
            ROUNDS,
            program,
            folder,
            "exit_aware",
            requests,
            "bare",
            workload=f"{{devices: [{{count: {n}, arrivals: {{kind: poisson, rho: {1 / n!r}}}}}], exits: "
            f"{{kind: rates, rates: [0.3, 0.35, 0.4]}}}}",
        )[0]
        for n in counts
    ]
    print(
        "exit_aware by devices: " + "; ".join(f"{n:,}: {1e9 * s / requests:.0f} ns" for n, s in zip(counts, seconds)),
        flush=True,
    )


def overload(program, folder):
    for policy in measure.POLICIES:
        sizes = (10**6, 4 * 10**6, 16 * 10**6)
        seconds = [measure.best(2, program, folder, policy, n, "bare", workload__arrivals__rho=6)[0] for n in sizes]
        print(
            f"{policy} at rho 6, a queue that grows with the "
            f"run: " + "; ".join(f"{n:,} requests {1e9 * s / n:.0f} ns" for n, s in zip(sizes, seconds)),
            flush=True,
        )


def start(program, folder):
    def milliseconds(*arguments):
        times = []
        for _ in range(31):
            begin = time.perf_counter()
            subprocess.run([program, *arguments], stdout=subprocess.DEVNULL, check=True)
            times.append(1000 * (time.perf_counter() - begin))
        return statistics.median(times), min(times)

    median, least = milliseconds("run", f"{folder}/exit_aware.yaml", "--out", f"{folder}/out", "--set", "requests=1")
    loading = milliseconds("--version")
    print(
        f"a run of one request as a whole process: median {median:.1f} ms, least {least:.1f}; to load the program "
        f"and its libraries: median {loading[0]:.1f} ms, "
        f"least {loading[1]:.1f}",
        flush=True,
    )
