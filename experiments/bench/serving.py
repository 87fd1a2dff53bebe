"""Requests per second of each policy and driver, and how cost and memory grow."""

import statistics
import tempfile

import aims
import measure

DRIVERS = ("bare", "simgrid_window", "simgrid")
LOADS = (0.4, 1.0, 2.0)
ROUNDS = 5


def bench(program, effort):
    with tempfile.TemporaryDirectory(prefix="fluidbatch-bench-") as folder:
        measure.write_configs(folder)
        growth(program, folder, effort)
        devices(program, folder, effort)
        overload(program, folder, effort)
        drivers(program, folder, effort)


def drivers(program, folder, effort):
    """All policies, loads and drivers."""
    requests, rounds = effort.requests(10**7), effort.rounds(ROUNDS)
    print(
        f"{requests:,} requests, {rounds} rounds in which the drivers take turns: the best of each, and medians of "
        f"the ratios"
    )
    print(
        f"{'policy':<18}{'rho':>5}  "
        + "".join(f"{d + ' M req/s':>24}" for d in DRIVERS)
        + "".join(f"{d + ' / bare':>24}" for d in DRIVERS[1:])
    )
    largest = dict.fromkeys(DRIVERS[1:], 0.0)
    for policy in measure.POLICIES:
        for rho in LOADS:
            seconds = {d: [] for d in DRIVERS}
            for _ in range(rounds):
                for driver in DRIVERS:
                    seconds[driver].append(
                        measure.run(program, folder, policy, requests, driver, workload__arrivals__rho=rho)[0]
                    )
            rates = {d: 1e-6 * requests / min(seconds[d]) for d in DRIVERS}
            ratios = {d: statistics.median(s / b for s, b in zip(seconds[d], seconds["bare"])) for d in DRIVERS[1:]}
            print(
                f"{policy:<18}{rho:>5}  "
                + "".join(f"{rate:>24.2f}" for rate in rates.values())
                + "".join(f"{ratio:>24.2f}" for ratio in ratios.values()),
                flush=True,
            )
            largest = {d: max(largest[d], ratio) for d, ratio in ratios.items()}
            if rho == 1:
                aims.record(f"bare, {policy}", rates["bare"])
    for driver, ratio in largest.items():
        aims.record(f"{driver} / bare, the largest of all policies and loads", ratio)


def growth(program, folder, effort):
    for policy in ("serial", "exit_aware"):
        sizes = [effort.requests(n, least=1) for n in (10**5, 10**6, 10**7, 10**8)]
        runs = {
            n: measure.best(effort.rounds(ROUNDS) if n < 10**8 else 1, program, folder, policy, n, "bare")
            for n in (1, *sizes)
        }
        begin_s = runs.pop(1)[0]
        print(
            f"{policy}: "
            + "; ".join(
                f"{n:,} requests {1e9 * (s - begin_s) / n:.0f} ns each beyond the start, {b / 2**20:.0f} MB"
                for n, (s, b) in runs.items()
            )
        )
        below, most = sizes[-2:]
        print(f"{policy}: {(runs[most][1] - runs[below][1]) / (most - below):.1f} bytes a request", flush=True)


def devices(program, folder, effort):
    requests = effort.requests(5_000_000)
    counts = (1, 10, 100, 1000, 10000)
    seconds = [
        measure.best(
            effort.rounds(ROUNDS),
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


def overload(program, folder, effort):
    for policy in measure.POLICIES:
        sizes = [effort.requests(n) for n in (10**6, 4 * 10**6, 16 * 10**6)]
        seconds = [
            measure.best(effort.rounds(2), program, folder, policy, n, "bare", workload__arrivals__rho=6)[0]
            for n in sizes
        ]
        print(
            f"{policy} at rho 6, a queue that grows with the "
            f"run: " + "; ".join(f"{n:,} requests {1e9 * s / n:.0f} ns" for n, s in zip(sizes, seconds)),
            flush=True,
        )
