"""What the pages under test are made of."""

import sqlite3
from types import SimpleNamespace

# A name with all that a shell and HTML could stumble over.
NAME = "load & 'more' <b>.sqlite"
HOSTILE_SYSTEM = "<img src=x onerror=\"document.title='broken'\">"
HOSTILE_MESSAGE = "</script><script>document.title = 'broken'</script> it's \u2028 over"

SWEEP = """\
base:
  requests: 600
  network: ee_resnet18
  slo: {latency_ms: 60}
  workload:
    arrivals: {kind: poisson, rho: 1}
    exits: {kind: rates, rates: [0.30, 0.35, 0.40]}
  outputs: {bounds: false}
  systems:
    - {label: dynamic, policy: {name: dynamic_batching, max_queue_delay_ms: 5}, npu: zu7ev_large, npu_mode: r}
    - {label: lazy, policy: {name: lazy_batching}, npu: zu7ev_large, npu_mode: r}
    - {label: ours, policy: {name: exit_aware}, npu: zu7ev_large, npu_mode: fluid_stacked}
axes:
  grid: {workload.arrivals.rho: [0.5, 1, 1.5, 2, 3, 8], slo.latency_ms: [40, 80]}
replications: 3
"""

RUN = """\
requests: 4000
warmup_requests: 100
network: ee_resnet18
slo: {latency_ms: 60}
workload:
  arrivals: {kind: poisson, rho: 1.5}
  exits: {kind: rates, rates: [0.30, 0.35, 0.40]}
systems:
  - {label: serial, policy: {name: serial}, npu: zu7ev_large, npu_mode: r}
  - {label: ours, policy: {name: exit_aware}, npu: zu7ev_large, npu_mode: fluid_stacked}
"""

SITE = """\
requests: 1500
warmup_requests: 100
services:
  - name: faces
    network: ee_resnet18
    slo: {latency_ms: 80}
    exits: {kind: rates, rates: [0.30, 0.35, 0.40]}
  - name: plates
    network: ee_resnet50
    slo: {latency_ms: 300}
    exits: {kind: rates, rates: [0.30, 0.35, 0.40]}
workload:
  devices:
    - {label: doors, service: faces, count: 4, arrivals: {kind: poisson, rate_hz: 5}}
    - {label: gates, service: plates, count: 2, arrivals: {kind: poisson, rate_hz: 4}}
systems:
  - {label: one, policy: {name: exit_aware}, npu: zu7ev_large, npu_mode: fluid_stacked, arbiter: {name: oldest_first}}
  - label: two
    policy: {name: exit_aware}
    npus: [{npu: zu7ev_large, npu_mode: fluid_stacked}, {npu: z7045_middle, npu_mode: fluid_stacked}]
    arbiter: {name: oldest_first}
    router: {name: earliest_finish}
"""


def rows(database, sql, *values):
    with sqlite3.connect(database) as connection:
        connection.row_factory = sqlite3.Row
        return connection.execute(sql, values).fetchall()


def make(program):
    (program.folder / "sweep.yaml").write_text(SWEEP)
    file = program.folder / NAME
    program("sweep", "sweep.yaml", "--out", NAME, "--limit", "105")
    with sqlite3.connect(file) as database:  # what no run of the simulator can be brought to here
        database.execute("UPDATE points SET status = 'failed', message = ?, configuration = NULL WHERE setting = 6 AND "
                         "system = 'lazy'", [HOSTILE_MESSAGE])
    program("sweep", "report", NAME, "--out", "page.html")
    return SimpleNamespace(file=file, page=program.folder / "page.html")


def make_partly(program, results):
    """Cells with some of their replications: one failed, one not there; and nobody late in a base."""
    with sqlite3.connect(results.file) as source, sqlite3.connect(program.folder / "partly.sqlite") as database:
        source.backup(database)
        database.execute("UPDATE points SET status = 'failed', message = 'it broke' WHERE setting = 0 AND system = 'ours' AND replication = 1")
        database.execute("DELETE FROM points WHERE setting = 2 AND system = 'ours' AND replication = 2")
        database.execute("UPDATE points SET slo_violation_rate = CASE system WHEN 'lazy' THEN 0 ELSE 0.1 END WHERE setting = 4")
    program("sweep", "report", "partly.sqlite", "--out", "partly.html")
    return SimpleNamespace(file=program.folder / "partly.sqlite", page=program.folder / "partly.html")


def make_overload(program):
    (program.folder / "overload.yaml").write_text(RUN.replace("rho: 1.5", "rho: 4"))
    program("run", "overload.yaml", "--out", "runs/overload")
    program("run", "report", "runs/overload", "--out", "overload.html")
    return SimpleNamespace(folder=program.folder / "runs/overload", page=program.folder / "overload.html")


def make_run(program):
    (program.folder / "run.yaml").write_text(RUN)
    program("run", "run.yaml", "--out", "runs/one run")
    program("run", "report", "runs/one run", "--out", "run.html")
    return SimpleNamespace(folder=program.folder / "runs/one run", page=program.folder / "run.html")


def make_site(program):
    (program.folder / "site.yaml").write_text(SITE)
    (program.folder / "sites.yaml").write_text("base: site.yaml\naxes: {grid: {requests: [800, 1200], seed: [1, 2]}}\nreplications: 3\n")
    program("sweep", "sites.yaml", "--out", "site.sqlite")
    program("sweep", "report", "site.sqlite", "--out", "site.html")
    program("run", "site.yaml", "--out", "runs/site")
    program("run", "report", "runs/site", "--out", "site_run.html")
    return SimpleNamespace(page=program.folder / "site.html", run=program.folder / "runs/site",
                           run_page=program.folder / "site_run.html")
