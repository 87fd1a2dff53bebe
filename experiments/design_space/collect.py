"""The design space of two boards, for R-batching and for fluid batching with stackable PEs."""

import collect


def fill(program, database, _quick):
    for board in ("zu7ev", "z7045"):
        for mode in ("r", "p", "fluid", "r_stacked", "fluid_stacked"):
            text = collect.run(program, "npu", "search", "--network=ee_resnet50", f"--board={board}",
                               "--batches=1,2,4,8", f"--mode={mode}", "--csv")
            collect.add_csv(database, "designs", text, board=board, mode=mode)


def main():
    collect.main("Design spaces", fill)
