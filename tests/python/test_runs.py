"""Runs from Python: the same bytes as the program's."""

import fluidbatch as fb


def test_a_run_has_a_row_for_each_request():
    results = fb.run("experiments/quickstart.yaml", requests=1000)
    assert len(results.requests("serial")) == 1000
