"""The control block of EE-ResNet-50 on two NPUs: <B_R, B_P, k, residency> of each layer and batch size."""

import collect


def fill(program, database, _quick):
    for npu in ("zu7ev_large", "zu7ev_buffered"):
        table = collect.run(
            program,
            "npu",
            "table",
            "--network",
            "ee_resnet50",
            "--npu",
            npu,
            "--mode",
            "fluid_stacked",
            "--max-batch",
            16,
            "--csv",
        )
        collect.add_csv(database, "layers", table, npu=npu)


def main():
    collect.main("The control block", fill)
