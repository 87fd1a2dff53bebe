"""Searches and fits from Python: the numbers of the program's commands, what is refused, and how they are ended."""

import os
import re
import signal
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from printed import program, same_as_csv

import fluidbatch as fb

ROOT = Path(__file__).resolve().parents[2]
RELEASE = os.environ["FLUIDBATCH_BUILD"].endswith("release")
GEMMINI = ROOT / "experiments/npu_fit/gemmini.yaml"
LAYERS = ROOT / "experiments/data/gemmini_layers.csv"
FREE = ["bandwidth_bytes_per_s", "layer_overhead_cycles"]
ENGINE = {"t_r": 128, "t_p": 16, "t_c": 32, "k_max": 2, "clock_hz": 200e6, "bandwidth_bytes_per_s": 2e9}


def test_a_search_is_that_of_the_program(tmp_path):
    options = ["--t_p", "13,24", "--t_c", "64,132", "--residency", "auto", "--input_path", "line_buffer", "--batches",
               "1,4", "--top", 5]
    text = program("npu", "search", "--network", "ee_resnet18", "--board", "zu7ev", *options, "--csv", "--save",
                   tmp_path / "one.yaml")
    found = fb.search("ee_resnet18", "zu7ev", batches=[4, 1], t_p=(13, 24), t_c=np.array([64, 132]), top=5,
                      residency="auto", input_path="line_buffer")
    rows = same_as_csv(found.table, text)
    assert found.table.dtype["pareto"] == bool
    best = dict(zip(rows[0], rows[1]))
    assert [found.best.t_r, found.best.t_p, found.best.t_c] == [int(best[key]) for key in ("t_r", "t_p", "t_c")]
    assert found.best.residency == "auto" and found.best.board == "zu7ev"
    found.save(tmp_path / "two.yaml")
    head, *one = (tmp_path / "one.yaml").read_text().splitlines()
    mine, *two = (tmp_path / "two.yaml").read_text().splitlines()
    assert one == two and head.startswith("# found by: ")
    assert mine.startswith("# found by: fluidbatch.search('ee_resnet18', 'zu7ev', batches=[4, 1], t_p=(13, 24)")
    assert fb.Npu(tmp_path / "two.yaml").keys == found.best.keys
    latency_s = fb.latency_table("ee_resnet18", found.best, "fluid_stacked", 4).sum(axis=0)
    assert float(best["latency_b1_s"]) == pytest.approx(latency_s[0]) and "engines fit" in repr(found)
    assert float(best["latency_b4_s"]) == pytest.approx(latency_s[3])


@pytest.mark.parametrize("objective", ["energy", "edp"])
def test_a_search_by_energy_is_that_of_the_program(objective, tmp_path):
    energy = fb.Npu("zu7ev_large").energy
    options = ["--t_p", "13,24", "--t_c", "64,132", "--batches", "1,4", "--objective", objective, "--csv"]
    common = ("npu", "search", "--network", "resnet18", "--board", "zu7ev", *options)
    text = program(*common, "--energy", "zu7ev_large", "--save", tmp_path / "one.yaml")
    assert text == program(*common, "--energy", repr(energy).replace("'", ""))
    sizes = {"batches": (1, 4), "t_p": (13, 24), "t_c": (64, 132), "objective": objective}
    for given in (energy, "zu7ev_large", fb.Npu("zu7ev_large")):
        found = fb.search("resnet18", "zu7ev", **sizes, energy=given)
        same_as_csv(found.table, text)
        assert found.best.energy == energy
    found.save(tmp_path / "two.yaml")
    one, two = ((tmp_path / name).read_text().splitlines() for name in ("one.yaml", "two.yaml"))
    assert one[1:] == two[1:] and one[1].endswith(f", by {objective}")
    assert fb.Npu(tmp_path / "one.yaml").energy == energy
    best = found.best.table("resnet18", "fluid_stacked", 4)
    energies_j = best["energy_j"].reshape(-1, 4).sum(axis=0)
    assert found.table["energy_b4_j"][0] == pytest.approx(energies_j[3], rel=1e-12)
    assert found.table["energy_per_sample_j"][0] == pytest.approx((energies_j[0] + energies_j[3] / 4) / 2, rel=1e-12)


def test_a_search_with_the_programs_defaults():
    text = program("npu", "search", "--network", "resnet18", "--board", "z7045", "--csv")
    found = fb.search(fb.Network("resnet18"), "z7045")
    same_as_csv(found.table, text)
    said = program("npu", "search", "--network", "resnet18", "--board", "z7045")
    assert f"{found.designs} engines fit, {found.evaluations} candidates evaluated" in said


def test_a_fit_is_that_of_the_program(tmp_path):
    options = ["--measured", LAYERS, "--npu", GEMMINI, "--free", ",".join(FREE), "--hold-out", "network=unet"]
    text = program("npu", "fit", *options, "--csv", "--out", tmp_path / "one.yaml")
    fitted = fb.fit(LAYERS, GEMMINI, FREE, hold_out={"network": "unet"})
    same_as_csv(fitted.table, text)
    assert np.array_equal(fb.fit(LAYERS, fb.Npu(GEMMINI), FREE, hold_out="network=unet").table, fitted.table)
    fitted.save(tmp_path / "two.yaml")
    one, two = ((tmp_path / name).read_text().splitlines() for name in ("one.yaml", "two.yaml"))
    assert one[1:] == two[1:] and two[0].startswith("# fitted by: fluidbatch.fit(")
    assert fb.Npu(tmp_path / "two.yaml").keys == fitted.npu.keys

    said = program("npu", "fit", *options)
    held = fitted.table[fitted.table["held_out"]]
    errors = np.abs(held["relative_error"])
    assert fitted.accuracy["rows"] == len(held) and f"on the {len(held)} rows that were held out" in said
    assert fitted.accuracy["median_error"] == pytest.approx(np.median(errors))
    assert fitted.accuracy["largest_error"] == errors.max()
    ranks = [np.argsort(np.argsort(held[side])) for side in ("measured", "modelled")]
    assert fitted.accuracy["rank_correlation"] == pytest.approx(np.corrcoef(ranks)[0, 1], abs=0.01)
    seen = fitted.table[~fitted.table["held_out"]]
    rms = np.sqrt(np.mean(np.log(seen["modelled"] / seen["measured"]) ** 2))
    assert fitted.accuracy["rms_log_error"] == pytest.approx(rms)
    for name, pattern, factor in (("rms_log_error", r"measured\): (\S+),", 1), ("rms_log_error_at_start", r"start (\S+)", 1),
                                  ("median_error", r"median relative error +(\S+)", 100),
                                  ("largest_error", r"largest relative error +(\S+)", 100),
                                  ("rank_correlation", r"rank correlation +(\S+)", 1)):
        assert factor * fitted.accuracy[name] == pytest.approx(float(re.search(pattern, said)[1]), rel=5e-3), name
    for row in fitted.parameters:
        assert re.search(rf"{row['parameter']} +\S+ +{getattr(fitted.npu, row['parameter']):.6g}\b", said) or row["fitted"] > 1e6
        assert row["fitted"] == getattr(fitted.npu, row["parameter"]) and row["matters"] and not row["at_limit"]
        assert row["start"] == getattr(fb.Npu(GEMMINI), row["parameter"])
    assert "71 measured layers" in repr(fitted) and "23 rows held out" in repr(fitted)


def test_a_fit_finds_the_truth_from_a_networks_table(tmp_path):
    truth, start = fb.Npu({**ENGINE, "layer_overhead_cycles": 700}), fb.Npu({**ENGINE, "bandwidth_bytes_per_s": 9e9})
    truth.table("resnet18", "fluid_stacked", 2).to_pandas().to_csv(tmp_path / "m.csv", index=False)
    fitted = fb.fit(tmp_path / "m.csv", start, FREE, network="resnet18")
    assert (fitted.npu.bandwidth_bytes_per_s, fitted.npu.layer_overhead_cycles) == (2e9, 700)
    every = fb.fit(tmp_path / "m.csv", start, "bandwidth_bytes_per_s", network=fb.Network("resnet18"), hold_out_every=3)
    assert list(every.table["held_out"][:6]) == [False, False, True] * 2


WRONG = [
    (lambda: fb.search("resnet18", "zu7"), "board", r"did you mean 'zu7ev'"),
    (lambda: fb.search("resnet18", "zu7ev", batchs=[1]), None, r"search: unknown argument 'batchs' \(did you mean 'batches'\?\)"),
    (lambda: fb.search("resnet18", "zu7ev", word_byte=1), None, r"unknown argument 'word_byte' \(did you mean 'word_bytes'\?\)"),
    (lambda: fb.search("resnet18", "zu7ev", word_bytes=99), "word_bytes", "from 1 to 16"),
    (lambda: fb.search("resnet18", "zu7ev", batches=[1, 0]), "batches[1]", "from 1 to 1024"),
    (lambda: fb.search("resnet18", "zu7ev", batches=[]), "batches", "at least one"),
    (lambda: fb.search("resnet18", "zu7ev", k_max=3), "k_max", "power of two"),
    (lambda: fb.search("resnet18", "zu7ev", top=0), "top", "from 1 to"),
    (lambda: fb.search("resnet18", "zu7ev", t_c=1000000), "search", "no engine fits the board"),
    (lambda: fb.search("resnet18", "zu7ev", on_chip_bytes=10**9), "on_chip_bytes", "above that of board 'zu7ev'"),
    (lambda: fb.search("resnet18", "zu7ev", objective="power"), "objective", "unknown objective 'power'; allowed: 'latency', 'energy', 'edp'"),
    (lambda: fb.search("resnet18", "zu7ev", objective="edp"), "objective", "edp needs to know .*give energy"),
    (lambda: fb.search("resnet18", "zu7ev", objective="edp", energy=fb.Npu("zu7ev_large").energy | {"mac_pj": -1}),
     "energy['mac_pj']", "mac_pj must be a number, from 0"),
    (lambda: fb.search("resnet18", "zu7ev", energy="zu7ev_larg"), "energy", "did you mean 'zu7ev_large'"),
    (lambda: fb.search("resnet18", "zu7ev", energy=fb.Npu(GEMMINI)), "energy", "NPU 'gemmini' has no 'energy' in its file"),
    (lambda: fb.fit(LAYERS, GEMMINI, "fil_cycles"), "free", r"can't be fitted \(did you mean 'fill_cycles'\?\)"),
    (lambda: fb.fit(LAYERS, GEMMINI, []), "free", "at least one key"),
    (lambda: fb.fit(LAYERS, GEMMINI, "clock_hz"), None, "^free: clock_hz can't be fitted to cycles"),
    (lambda: fb.fit("none.csv", GEMMINI, FREE), "measured", "no file .*none.csv"),
    (lambda: fb.fit(LAYERS, GEMMINI, FREE, hold_out="network"), None, "^hold_out must be COLUMN=VALUE"),
    (lambda: fb.fit(LAYERS, GEMMINI, FREE, hold_out={"network": "unit"}), None, "^hold_out: no row has 'unit'.*did you mean 'unet'"),
    (lambda: fb.fit(LAYERS, GEMMINI, FREE, hold_out=3), "hold_out", "must be 'COLUMN=VALUE,..' or {COLUMN: values}, found 3"),
    (lambda: fb.fit(LAYERS, GEMMINI, FREE, hold_out={"network": "unet"}, hold_out_every=2), None, "only one of hold_out and"),
    (lambda: fb.fit(LAYERS, GEMMINI, FREE, hold_out_every=1), "hold_out_every", "from 2 to"),
    (lambda: fb.fit(LAYERS, GEMMINI, FREE, hold_out_every=1000), None, "^hold_out_every: .*none would be held out"),
    (lambda: fb.fit(LAYERS, GEMMINI, FREE, network="resnet18"), str(LAYERS), "no column 'layer'"),
    (lambda: fb.fit(LAYERS, GEMMINI, FREE, mode="q"), "mode", "unknown npu_mode 'q'"),
]


@pytest.mark.parametrize("number", range(len(WRONG)))
def test_what_is_wrong_is_said_with_its_place(number):
    call, place, message = WRONG[number]
    with pytest.raises(fb.InputError, match=message) as error:
        call()
    assert error.value.file == place, error.value


def many_rows(folder):
    shape = "in_channels,out_channels,kernel_height,kernel_width,output_height,output_width,cycles\n"
    rows = "".join(f"64,{64 + i % 50},3,3,28,28,{100000 + i}\n" for i in range(20_000))
    (folder / "m.csv").write_text(shape + rows)
    return folder / "m.csv"


def many_layers():
    layers = [{"name": f"c{i}", "kind": "conv", "out_channels": 64 + i % 50, "kernel": 3, "padding": 1} for i in range(800)]
    return {"input": [64, 28, 28], "layers": layers}


# Each takes several seconds.
LONG = {
    "search": lambda folder: fb.search("ee_inception_v3", "edge_24tops", residency="auto", input_path="line_buffer"),
    "fit": lambda folder: fb.fit(many_rows(folder), GEMMINI, [*FREE, "fill_cycles"]),
    "table": lambda folder: fb.latency_table(many_layers(), fb.Npu("zu7ev_buffered", residency="auto"), "fluid_stacked",
                                             1024),
}


@pytest.mark.skipif(not RELEASE, reason="sanitizers take longer for everything")
@pytest.mark.parametrize("name", LONG)
def test_ctrl_c_ends_what_is_long(name, tmp_path):
    """Other threads run meanwhile, since the GIL is released."""
    turns = []
    seconds = min(seconds_until_it_ends(lambda: LONG[name](tmp_path), turns) for _ in range(3))  # the machine may be busy
    assert seconds < 0.2
    assert len(turns) > 30


def seconds_until_it_ends(call, turns):
    """From Ctrl-C, 0.4 s after it was called, to the KeyboardInterrupt. Meanwhile a thread takes turns."""
    pressed, done = [], threading.Event()

    def press():
        begin = time.monotonic()
        while time.monotonic() < begin + 0.4:
            turns.append(time.monotonic())
            time.sleep(0.01)
        if not done.is_set():
            pressed.append(time.monotonic())
            os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=press)
    thread.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            call()
        ended = time.monotonic()
    finally:
        done.set()
        thread.join()
    return ended - pressed[0]
