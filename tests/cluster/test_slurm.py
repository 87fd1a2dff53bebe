#!/usr/bin/python3
"""A sweep as a job array on a real Slurm, of which one node dies on the way: the same rows as a local run.

    test_slurm.py PROGRAM

Needs root and the packages munge and slurm-wlm (`make test-cluster` installs them).
"""

import os
import re
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
TASKS = 6

SWEEP = """\
base:
  requests: 3000000
  network: ee_resnet18
  slo: {latency_ms: 60}
  workload:
    arrivals: {kind: poisson, rho: 1}
    exits: {kind: rates, rates: [0.30, 0.35, 0.40]}
  outputs: {bounds: false}
  systems:
    - {label: dynamic, policy: {name: dynamic_batching}, npu: zu7ev_large, npu_mode: r}
    - {label: ours, policy: {name: exit_aware}, npu: zu7ev_large, npu_mode: fluid_stacked}
axes:
  grid: {workload.arrivals.rho: [0.5, 1, 1.5], slo.latency_ms: [40, 60]}
replications: 12
"""


def rows(file):
    with sqlite3.connect(file) as database:
        return [database.execute(f"SELECT * FROM {table} ORDER BY 1, 2").fetchall() for table in ("sweep", "settings", "points")]


def output(*command):
    return subprocess.run([str(c) for c in command], check=True, capture_output=True, text=True, cwd=ROOT).stdout


def wait_for(what, condition, seconds):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            sys.exit(f"FAILED: {what} did not come about in {seconds} s\n" + output("squeue") + output("sinfo"))
        time.sleep(0.2)


def children_of(process):
    found = []
    for line in Path(f"/proc/{process}/task/{process}/children").read_text().split():
        found += [int(line), *children_of(line)]
    return found


def kill_node(folder, node):
    """As when its power goes: the daemon, and all that it has started. Its step daemons have left it for init."""
    daemon = int((folder / f"slurmd.{node}.pid").read_text())
    doomed = [daemon]
    for process in Path("/proc").glob("[0-9]*"):
        try:
            environment = (process / "environ").read_bytes()
        except OSError:
            continue
        if f"SLURMD_NODENAME={node}\0".encode() in environment:
            doomed.append(int(process.name))
    for step in output("pgrep", "-x", "slurmstepd").split():
        try:
            below = children_of(step)
        except OSError:
            continue
        if set(below) & set(doomed):
            doomed.append(int(step))
    for process in doomed:
        try:
            os.kill(process, signal.SIGKILL)
        except ProcessLookupError:
            pass
    (folder / f"slurmd.{node}.pid").unlink()
    return len(doomed)


def run(program, folder):
    (folder / "s.yaml").write_text(SWEEP)
    os.environ["SLURM_CONF"] = output(HERE / "local_slurm.sh", "up", folder / "slurm", 2).strip()
    text = output(ROOT / "experiments/slurm/submit.sh", folder / "s.yaml", "--tasks", TASKS, "--out", folder / "parts",
                  "--program", program)
    job = re.search(r"^job (\d+): 6 tasks$", text, re.M)[1]

    def running():
        return output("squeue", "-h", "-j", job, "-t", "running", "-o", "%N").split()

    def parts_begun():
        return len(list((folder / "parts").glob("part-*.sqlite")))

    wait_for("work on both nodes", lambda: sorted(running()) == ["n0", "n1"] and parts_begun() >= 2, 60)
    time.sleep(2)  # a task takes some 6 s, a point 0.25: some are finished by now, some are not
    print(f"both nodes at work; n1 dies with {kill_node(folder / 'slurm', 'n1')} processes")
    lost = []

    def node_is_lost():
        lost[:] = output("squeue", "-h", "-j", job, "-t", "pending", "-o", "%i %r").splitlines()
        return "n1" not in running() and "n1" in output("sinfo", "-h", "-t", "down", "-o", "%N")

    wait_for("Slurm's noticing that n1 is lost", node_is_lost, 120)

    def all_ended():
        # What a lost node has left is held back for two minutes; nobody needs to wait for that here.
        for line in output("squeue", "-h", "-j", job, "-t", "pending", "-o", "%i %r").splitlines():
            if "BeginTime" in line:
                subprocess.run(["scontrol", "update", f"jobid={line.split()[0]}", "starttime=now"], check=False, capture_output=True)
        return output("squeue", "-h", "-j", job, "-o", "%i") == ""

    wait_for("the end of all tasks", all_ended, 300)
    parts = sorted(str(p) for p in (folder / "parts").glob("part-*.sqlite"))
    assert len(parts) == TASKS, parts
    print(output(program, "sweep", "merge", *parts, "--out", folder / "all.sqlite").strip())
    print(output(program, "sweep", folder / "s.yaml", "--out", folder / "local.sqlite").strip())
    merged, local = rows(folder / "all.sqlite"), rows(folder / "local.sqlite")
    assert merged == local, "the merged file differs from the local run"
    assert len(local[2]) == 144
    with sqlite3.connect(folder / "all.sqlite") as database:
        runs = database.execute("SELECT count(*) FROM runs").fetchone()[0]
    log = "".join(p.read_text() for p in (folder / "parts").glob("task-*.log"))
    assert "done before" in log, "no task was resumed:\n" + log
    print(f"cluster: {len(local[2])} points of {TASKS} tasks on 2 nodes, one lost on the way, {runs} runs; rows equal to the local run")


def main():
    program = Path(sys.argv[1]).resolve()
    with tempfile.TemporaryDirectory(prefix="fluidbatch-cluster-") as name:
        folder = Path(name)
        try:
            run(program, folder)
        finally:
            subprocess.run([HERE / "local_slurm.sh", "down", folder / "slurm"], check=False)


if __name__ == "__main__":
    main()
