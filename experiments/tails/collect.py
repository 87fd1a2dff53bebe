"""SLO violation rates against the SLO by splitting, and by counting where a run can see them."""

import collect
from python_module import fb

NPU = "zu7ev_large"
NETWORK, PLAIN_NETWORK = "ee_resnet50", "resnet50"  # the second without exits: served one by one it is M/D/1
POLICIES = {
    "serial": ({"name": "serial"}, "r"),
    "dynamic": ({"name": "dynamic_batching", "max_batch": 8, "max_queue_delay_ms": 1}, "r"),
    "greedy": ({"name": "dynamic_batching", "max_batch": 8}, "r"),
    "lazy": ({"name": "lazy_batching", "max_batch": 8}, "r"),
    "ours": ({"name": "exit_aware", "max_batch": 8}, "fluid_stacked"),
    "optimal": ({"name": "optimal", "max_batch": 8}, "fluid_stacked"),
}
# By rho: SLOs in single-sample latencies.
MULTIPLES = {1: (1.5, 2, 2.5, 3, 3.5, 4, 4.5, 5), 2: (2, 3, 4, 5, 6, 7, 8)}
CHECKED = {0.5: (2, 4, 6, 8, 10, 12, 14, 16), 0.8: (3, 7, 12, 17, 22, 27, 32, 37, 42)}
COLUMNS = ("setup", "rho", "policy", "multiple", "requests", "counted", "counted_ci95", "rate", "low", "high", "events")


def system(label, policy, mode):
    return {"label": label, "policy": policy, "npu": NPU, "npu_mode": mode}


def base_of(rho, quick):
    return {
        "seed": 1,
        "requests": 20000 if quick else 1000000,
        "warmup_requests": 1000,
        "network": NETWORK,
        "reference": {"npu": NPU, "npu_mode": "r"},
        "slo": {"unloaded_multiple": 3},
        "workload": {
            "arrivals": {"kind": "poisson", "rho": rho},
            "exits": {"kind": "rates", "rates": [0.30, 0.35, 0.40]},
        },
        "outputs": {"requests_csv": False, "bounds": False},
    }


def policies_plan(rho, multiples, quick):
    """Every policy at every SLO."""
    unloaded_ms = 1000 * float(fb.latency_table(NETWORK, NPU, "r", 1).sum())
    systems = [system(label, policy, mode) for label, (policy, mode) in POLICIES.items()]
    delays = {"systems.dynamic.policy.max_queue_delay_ms": [unloaded_ms * m / 8 for m in multiples]}
    axes = {"zip": {"slo.unloaded_multiple": list(multiples), **delays}}
    return {"base": {**base_of(rho, quick), "systems": systems}, "axes": axes}


def check_plan(rho, multiples, quick):
    """M/D/1."""
    base = {**base_of(rho, quick), "network": PLAIN_NETWORK, "systems": [system("serial", *POLICIES["serial"])]}
    base["workload"] = {"arrivals": {"kind": "poisson", "rho": rho}}
    return {"base": base, "axes": {"grid": {"slo.unloaded_multiple": list(multiples)}}}


def add(database, setup, rho, plan, quick):
    measure = {"kind": "tail", "quantiles": [0.99]}
    measure |= {"precision": 0.4, "max_events": 1e6} if quick else {"precision": 0.1, "max_events": 6e7}
    rows = collect.swept(
        fb.Sweep({**plan, "measure": measure}),
        'system, "slo.unloaded_multiple", requests, slo_violation_rate, slo_violation_rate_ci95, violation_rate_tail, '
        "violation_rate_tail_low, violation_rate_tail_high, tail_events",
    )
    collect.insert(database, "tails", COLUMNS, [(setup, rho, *row) for row in rows])
    database.commit()


def fill(_program, database, quick):
    database.execute(f"CREATE TABLE tails ({', '.join(COLUMNS)})")
    for rho, multiples in MULTIPLES.items():
        if not quick or rho == 1:
            add(database, "policies", rho, policies_plan(rho, multiples[1::4] if quick else multiples, quick), quick)
    for rho, multiples in CHECKED.items():
        if not quick or rho == 0.5:
            add(database, "M/D/1", rho, check_plan(rho, multiples[1::4] if quick else multiples, quick), quick)


def main():
    collect.main("Tails", fill)
