"""The design space of two boards, for R-batching and for fluid batching with stackable PEs."""

import collect
from python_module import fb


def fill(_program, database, _quick):
    for board in ("zu7ev", "z7045"):
        for mode in ("r", "p", "fluid", "r_stacked", "fluid_stacked"):
            designs = fb.search("ee_resnet50", board, batches=(1, 2, 4, 8), mode=mode).table
            collect.add_rows(database, "designs", designs, board=board, mode=mode)


def main():
    collect.main("Design spaces", fill)
