"""How fast sites run: by services, NPUs and routers."""

import tempfile
from pathlib import Path

import aims
import measure

REQUESTS = 2_000_000
ROUNDS = 5
SCANS = ("join_shortest_queue", "least_work", "earliest_finish")
FREE = ("round_robin", "random", "power_of_two")


def requests_per_s(program, folder, effort, rounds=ROUNDS, **site):
    """Beyond the start of the program, which is measured too."""
    requests, rounds = effort.requests(REQUESTS, least=200_000), effort.rounds(rounds)
    (Path(folder) / "site.yaml").write_text(measure.site_config(**site), encoding="ascii")
    took_s, _ = measure.best(rounds, program, folder, "site", requests, "bare")
    start_s, _ = measure.best(rounds, program, folder, "site", 1000, "bare")
    return requests / (took_s - start_s)


def bench(program, effort):
    with tempfile.TemporaryDirectory(prefix="fluidbatch-bench-") as folder:
        for policy, arbiter, router in (
            ("dynamic_batching", "oldest_first", "round_robin"),
            ("dynamic_batching", "oldest_first", "join_shortest_queue"),
            ("exit_aware", "earliest_deadline, preemptive: true", "least_work"),
        ):
            rate = requests_per_s(
                program, folder, effort, npus=4, services=4, policy=policy, arbiter=arbiter, router=router
            )
            print(f"sites: 4 NPUs, 4 services, {policy}, {arbiter}, {router}: {rate / 1e6:.1f} million requests/s")
            if policy == "dynamic_batching" and router == "join_shortest_queue":
                aims.record("4 NPUs and 4 services, dynamic_batching", rate / 1e6)
        for router in effort.cases(FREE + SCANS):
            ns = {
                npus: 1e9 / requests_per_s(program, folder, effort, rounds=3, npus=npus, services=4, router=router)
                for npus in (1, 4, 16, 64)
            }
            print(
                f"sites: {router}, ns a request on "
                + ", ".join(f"{npus} NPUs {time:.0f}" for npus, time in ns.items())
                + f"; an NPU more from 16 to 64: {(ns[64] - ns[16]) / 48:.2f} ns"
            )
