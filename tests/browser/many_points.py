"""Results of 100,000 points, made from the rows of a few: to run them all would take an hour."""

import random
import sqlite3

RHOS, BATCHES, SYSTEMS, REPLICATIONS = 200, 50, 2, 5
POINTS = RHOS * BATCHES * SYSTEMS * REPLICATIONS

SWEEP = """\
base:
  requests: 300
  network: ee_resnet18
  slo: {latency_ms: 60}
  workload:
    arrivals: {kind: poisson, rho: 1}
    exits: {kind: rates, rates: [0.30, 0.35, 0.40]}
  systems:
    - {label: dynamic, policy: {name: dynamic_batching, max_queue_delay_ms: 5}, npu: zu7ev_large, npu_mode: r}
    - {label: ours, policy: {name: exit_aware}, npu: zu7ev_large, npu_mode: fluid_stacked}
axes:
  grid:
    workload.arrivals.rho: {from: 0.01, to: 2, step: 0.01}
    systems.ours.policy.max_batch: {from: 1, to: 50, step: 1}
replications: 5
"""


def fill(path):
    """Adds all points of SWEEP that a results file of it lacks; every number of theirs is different."""
    database = sqlite3.connect(path)
    names = [row[1] for row in database.execute("PRAGMA table_info(points)")]
    done = [dict(zip(names, row)) for row in database.execute("SELECT * FROM points ORDER BY point")]
    draw = random.Random(1)
    points, settings = [], []
    for setting in range(RHOS * BATCHES):
        rho, batch = (setting // BATCHES + 1) / 100, setting % BATCHES + 1
        settings += [(setting, "workload.arrivals.rho", rho), (setting, "systems.ours.policy.max_batch", batch)]
        for place, label in enumerate(("dynamic", "ours")):
            for replication in range(REPLICATIONS):
                row = dict(draw.choice(done), system=label)
                factor = (0.2 + rho) * draw.uniform(0.9, 1.1)
                row.update({name: value * factor for name, value in row.items() if isinstance(value, float)})
                row.update(point=(setting * SYSTEMS + place) * REPLICATIONS + replication, setting=setting, replication=replication,
                           seed=draw.getrandbits(62), saturated=int(rho > 1.9),
                           exit_shares=str([draw.random() for _ in range(4)]))
                row["configuration"] = row["configuration"].replace("rho: ", f"rho: {rho}0", 1)
                points.append(tuple(row[name] for name in names))
    database.executemany("INSERT OR REPLACE INTO settings VALUES (?, ?, ?)", settings)
    database.executemany(f"INSERT OR REPLACE INTO points VALUES ({', '.join('?' * len(names))})", points)
    database.commit()
    database.close()
