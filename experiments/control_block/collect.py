"""The control block of EE-ResNet-50 on two NPUs: <B_R, B_P, k, residency> of each layer and batch size."""

import collect
from python_module import fb


def fill(_program, database, _quick):
    for npu in ("zu7ev_large", "zu7ev_buffered"):
        table = fb.Npu(npu).table("ee_resnet50", "fluid_stacked", max_batch=16)
        collect.add_rows(database, "layers", table, npu=npu)


def main():
    collect.main("The control block", fill)
