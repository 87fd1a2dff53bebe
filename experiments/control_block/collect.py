#!/usr/bin/python3
"""The control block of EE-ResNet-50 on zu7ev_large: <B_R, B_P, k> of each layer and batch size."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import collect  # noqa: E402


def fill(program, database, _quick):
    collect.add_csv(database, "layers", collect.run(program, "npu", "table", "--network", "ee_resnet50", "--npu", "zu7ev_large", "--mode",
                                                    "fluid_stacked", "--max-batch", 16, "--csv"))


collect.main("The control block", fill)
