"""What the benchmarks share: configurations, and the processor time and memory of whole processes."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

CONFIG = """\
network: ee_resnet50
outputs: {requests_csv: false, bounds: false}
slo: {latency_ms: 250}
workload:
  arrivals: {kind: poisson, rho: 1.0}
  exits: {kind: rates, rates: [0.30, 0.35, 0.40]}
systems:
  - {policy: %s, npu: zu7ev_large, npu_mode: %s}
"""
POLICIES = {
    "serial": ("{name: serial}", "r"),
    "dynamic_batching": ("{name: dynamic_batching, max_batch: 8}", "r"),
    "exit_aware": ("{name: exit_aware, max_batch: 8}", "fluid_stacked"),
    "lazy_batching": ("{name: lazy_batching, max_batch: 8}", "r"),
}


@dataclass(frozen=True)
class Effort:
    """How much a part measures: in full, or, to see that it works, once and of a thousandth."""

    short: bool = False

    def requests(self, full, least=1000):
        return max(full // 1000, least) if self.short else full

    def rounds(self, full):
        return 1 if self.short else full

    def cases(self, full):
        return full[:1] if self.short else full


def site_config(npus=4, services=4, policy="dynamic_batching", arbiter="oldest_first", router="join_shortest_queue"):
    """Each service a network with exits and an SLO of its own; each NPU is as loaded as one alone at rho 0.8."""
    lines = ["outputs: {requests_csv: false, bounds: false}", "services:"]
    for number in range(services):
        network = ("ee_resnet50", "ee_resnet18")[number % 2]
        lines.append(
            f"  - {{name: s{number}, network: {network}, slo: {{unloaded_multiple: {3 + number}}}, "
            "exits: {kind: rates, rates: [0.30, 0.35, 0.40]}}"
        )
    lines += ["workload:", "  devices:"]
    rho = 0.8 * npus / services
    lines += [f"    - {{service: s{number}, arrivals: {{kind: poisson, rho: {rho}}}}}" for number in range(services)]
    lines += [
        "systems:",
        f"  - policy: {{name: {policy}, max_batch: 8}}",
        f"    arbiter: {{name: {arbiter}}}",
        f"    npus: [{{npu: zu7ev_large, npu_mode: r, count: {npus}}}]",
        f"    router: {{name: {router}}}",
    ]
    return "\n".join(lines) + "\n"


def write_configs(folder):
    (Path(folder) / "site.yaml").write_text(site_config(), encoding="ascii")
    for name, policy in POLICIES.items():
        (Path(folder) / f"{name}.yaml").write_text(CONFIG % policy, encoding="ascii")


def accounted(command):
    """What a command prints, and what the system accounts to it and to those that it waited for (ru_utime ..)."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        text = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit(f"failed: {' '.join(command)}")
    return text, usage


def processor_s(usage):
    return usage.ru_utime + usage.ru_stime


def run(program, folder, policy, requests, driver, **settings):
    """Processor seconds and peak bytes of one run, the simulating child included."""
    arguments = [
        program,
        "run",
        f"{folder}/{policy}.yaml",
        "--out",
        f"{folder}/out",
        "--driver",
        driver,
        "--set",
        f"requests={requests}",
    ]
    for key, value in settings.items():
        arguments += ["--set", f"{key.replace('__', '.')}={value}"]
    _, usage = accounted(arguments)
    return processor_s(usage), usage.ru_maxrss * 1024


def best(rounds, *arguments, **settings):
    """The run of `rounds` that took the least time: other work on the machine can only add."""
    return min(run(*arguments, **settings) for _ in range(rounds))
