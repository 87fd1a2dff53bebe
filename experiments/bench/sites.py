"""How fast sites run: by services, NPUs and routers."""

import tempfile
from pathlib import Path

import measure

REQUESTS = 2_000_000
ROUNDS = 5
SCANS = ("join_shortest_queue", "least_work", "earliest_finish")
FREE = ("round_robin", "random", "power_of_two")


def requests_per_s(program, folder, rounds=ROUNDS, **site):
    (Path(folder) / "site.yaml").write_text(measure.site_config(**site), encoding="ascii")
    took_s, _ = measure.best(rounds, program, folder, "site", REQUESTS, "bare")
    start_s, _ = measure.best(rounds, program, folder, "site", 1000, "bare")
    return REQUESTS / (took_s - start_s)


def bench(program):
    with tempfile.TemporaryDirectory(prefix="fluidbatch-bench-") as folder:
        for policy, arbiter, router in (
            ("dynamic_batching", "oldest_first", "round_robin"),
            ("dynamic_batching", "oldest_first", "join_shortest_queue"),
            ("exit_aware", "earliest_deadline, preemptive: true", "least_work"),
        ):
            rate = requests_per_s(program, folder, npus=4, services=4, policy=policy, arbiter=arbiter, router=router)
            print(f"sites: 4 NPUs, 4 services, {policy}, {arbiter}, {router}: {rate / 1e6:.1f} million requests/s")
        for router in FREE + SCANS:
            ns = {
                npus: 1e9 / requests_per_s(program, folder, rounds=3, npus=npus, services=4, router=router)
                for npus in (1, 4, 16, 64)
            }
            print(
                f"sites: {router}, ns a request on "
                + ", ".join(f"{npus} NPUs {time:.0f}" for npus, time in ns.items())
                + f"; an NPU more from 16 to 64: {(ns[64] - ns[16]) / 48:.2f} ns"
            )
