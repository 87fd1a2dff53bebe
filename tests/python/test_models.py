"""Networks, NPUs, searches and fits from Python: the numbers of the program's commands, and what is refused."""

import copy
import csv
import io
import os
import pickle
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

import fluidbatch as fb

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/cli"))
from onnx_file import two_convolutions  # noqa: E402

PROGRAM = os.environ["FLUIDBATCH"]
RELEASE = os.environ["FLUIDBATCH_BUILD"].endswith("release")
NPUS = ("zu7ev_large", "zu7ev_buffered", "edge_8tops")
GEMMINI = ROOT / "experiments/npu_fit/gemmini.yaml"
LAYERS = ROOT / "experiments/data/gemmini_layers.csv"
FREE = ["bandwidth_bytes_per_s", "layer_overhead_cycles"]
ENGINE = {"t_r": 128, "t_p": 16, "t_c": 32, "k_max": 2, "clock_hz": 200e6, "bandwidth_bytes_per_s": 2e9}
SMALL = {"input": [3, 8, 8], "layers": [{"name": "c", "kind": "conv", "out_channels": 8, "kernel": 3, "padding": 1},
                                        {"name": "p", "kind": "pool", "kernel": 2, "stride": 2, "fused": False},
                                        {"name": "d", "kind": "dense", "out_channels": 10}]}


def program(*arguments, folder=None):
    return subprocess.run([PROGRAM, *map(str, arguments)], check=True, capture_output=True, text=True, cwd=folder).stdout


def same_as_csv(records, text):
    """The columns of a CSV, in their order, and every cell; numbers to the last bit."""
    rows = list(csv.reader(io.StringIO(text)))
    assert list(records.columns) == rows[0]
    assert len(records) == len(rows) - 1
    for column, name in enumerate(rows[0]):
        cells = [row[column] for row in rows[1:]]
        values = records[name]
        if values.dtype.kind in "fib":
            assert np.array_equal(values, np.array([float(cell) for cell in cells])), name
            assert values.dtype.kind != "b" or set(cells) <= {"0", "1"}
        else:
            assert list(values) == cells, name
    return rows


def test_lists():
    assert fb.networks() == sorted(path.stem for path in (ROOT / "workloads/networks").glob("*.yaml"))
    assert fb.npus() == sorted(path.stem for path in (ROOT / "npu_model/npus").glob("*.yaml"))
    assert fb.boards() == sorted(path.stem for path in (ROOT / "npu_model/boards").glob("*.yaml"))
    assert fb.modes() == ["r", "p", "fluid", "r_stacked", "fluid_stacked"]


@pytest.mark.parametrize("name", fb.networks())
def test_layers_and_work_of_networks(name):
    network = fb.Network(name)
    layers = network.layers
    extra = ("macs", "weights")
    assert layers.columns[-2:] == extra
    same_as_csv(layers[[column for column in layers.columns if column not in extra]].view(type(layers)),
                program("network", "show", name, "--csv"))
    work = layers["groups"] * layers["r"] * layers["p"] * layers["c"]
    assert np.array_equal(layers["macs"], work) and network.macs == work.sum()
    text = program("network", "show", name)
    assert f"exits:{''.join(f' {i} {each}' for i, each in enumerate(network.exits))}\n" in text
    assert f" layers ({len(network.fused)} more fused)" in text
    assert text.startswith(f"{network.name}: {network.description}\nsource: {network.source}\n")
    segments = network.segments
    assert list(segments["exit"]) == network.exits
    assert segments["layers"].sum() == len(layers) and segments["macs"].sum() == network.macs
    assert segments["weights"].sum() == network.weights == layers["weights"].sum()
    assert list(segments["layers"]) == [int((layers["segment"] == s).sum()) for s in segments["segment"]]


def test_published_work_of_resnet50():
    network = fb.Network("resnet50")
    assert (network.macs / 1e9, network.weights / 1e6) == (pytest.approx(4.089, abs=5e-4), pytest.approx(25.50, abs=5e-3))
    assert "resnet50" in repr(network) and "4089 MMAC" in repr(network)
    assert "<table>" in network._repr_html_()


@pytest.mark.parametrize("name", fb.networks())
@pytest.mark.parametrize("npu", NPUS)
def test_tables_are_those_of_the_program(name, npu):
    for mode in ("r", "p", "fluid_stacked"):
        text = program("npu", "table", "--network", name, "--npu", npu, "--max-batch", 4, "--mode", mode, "--csv")
        table = fb.Npu(npu).table(name, mode, 4)
        same_as_csv(table, text)
        latencies = fb.latency_table(name, npu, mode, 4)
        assert latencies.dtype == np.float64
        assert np.array_equal(latencies, table["latency_s"].reshape(-1, 4))


def test_defaults_of_a_table_are_the_programs():
    text = program("npu", "table", "--network", "resnet18", "--npu", "zu7ev_small", "--max-batch", 8, "--csv")
    same_as_csv(fb.Npu("zu7ev_small").table("resnet18"), text)
    assert fb.latency_table("resnet18", "zu7ev_small").shape == (len(fb.Network("resnet18").layers), 8)


def test_explanations_are_those_of_the_program():
    for layer, batch, mode in (("conv4_1_a", 7, "fluid_stacked"), ("conv1", 1, "p")):
        text = program("npu", "explain", "--network", "resnet18", "--npu", "zu7ev_buffered", "--layer", layer, "--batch",
                       batch, "--mode", mode, "--csv")
        explained = fb.Npu("zu7ev_buffered").explain("resnet18", layer, batch, mode)
        same_as_csv(explained, text)
        fastest = explained[explained["feasible"]]["latency_s"].min() if mode != "p" else None
        assert mode == "p" or explained[explained["chosen"]]["latency_s"] == fastest


def test_a_latency_by_hand():
    """One 1 x 1 convolution on an engine that is never short of words: ceil(64/16) x ceil(96/32) tiles of 128 rows."""
    network = {"input": [64, 16, 16], "layers": [{"name": "c", "kind": "conv", "out_channels": 96}]}
    npu = fb.Npu({**ENGINE, "bandwidth_bytes_per_s": float("inf")})
    assert fb.latency_table(network, npu, max_batch=3)[0] == pytest.approx([b * 256 * 4 * 3 / 200e6 for b in (1, 2, 3)])
    assert npu.peak_macs_per_s == 16 * 32 * 200e6
    assert npu.utilisation(network, max_batch=3) == pytest.approx([1, 1, 1])


def test_utilisation_is_that_of_the_layers_weighed_by_their_time():
    npu, network = fb.Npu("zu7ev_large"), fb.Network("ee_mobilenet_v2")
    for mode in fb.modes():
        table = npu.table(network, mode, 5)
        latency_s = table["latency_s"].reshape(-1, 5)
        weighed = (table["mac_utilisation"].reshape(-1, 5) * latency_s).sum(axis=0) / latency_s.sum(axis=0)
        assert npu.utilisation(network, mode, 5) == pytest.approx(weighed, rel=1e-12)


def yaml_of(values):
    """JSON is YAML: what a dict of numbers, texts, lists and dicts prints as."""
    return repr(values).replace("True", "true").replace("False", "false")


def test_dicts_are_as_files(tmp_path):
    (tmp_path / "npu.yaml").write_text(yaml_of(ENGINE))
    (tmp_path / "network.yaml").write_text(yaml_of(SMALL))
    npus = [fb.Npu(ENGINE), fb.Npu(**ENGINE), fb.Npu(tmp_path / "npu.yaml"), fb.Npu(str(tmp_path / "npu.yaml")),
            fb.Npu({**ENGINE, "k_max": 1}, k_max=2), fb.Npu(fb.Npu({**ENGINE, "fill_cycles": 9}), fill_cycles=None)]
    nets = [fb.Network(SMALL), fb.Network(tmp_path / "network.yaml"), fb.Network(fb.Network(SMALL))]
    text = program("npu", "table", "--network", "./network.yaml", "--npu", "./npu.yaml", "--max-batch", 3, "--mode",
                   "fluid_stacked", "--csv", folder=tmp_path)
    for npu in npus:
        assert npu.keys == npus[0].keys
        for network in nets:
            same_as_csv(npu.table(network, "fluid_stacked", 3), text)
    assert (npus[0].name, npus[2].name, nets[0].name, nets[1].name) == ("npu", "npu", "network", "network")
    assert fb.Npu(ENGINE, name="mine").name == "mine"


def test_keys_are_attributes():
    npu = fb.Npu("zu7ev_large")
    assert (npu.t_r, npu.t_p, npu.t_c, npu.k_max, npu.board, npu.word_bytes) == (392, 24, 72, 4, "zu7ev", 2)
    assert isinstance(npu.clock_hz, float) and npu.clock_hz == 200e6
    assert npu.on_chip_bytes == 4980736 and fb.Npu(**ENGINE).on_chip_bytes is None
    assert "t_r" in dir(npu) and "<392, 24, 72>" in repr(npu) and "t_r" in npu._repr_html_()
    with pytest.raises(AttributeError, match="t_x"):
        npu.t_x
    fast = fb.Npu("zu7ev_large", clock_hz=400e6, description=None)
    assert (fast.clock_hz, fast.t_r, fast.name, fast.description) == (400e6, 392, "zu7ev_large", "")
    separate = fb.Npu("zu7ev_large", channel="separate", bandwidth_bytes_per_s=None, input_bandwidth_bytes_per_s=6e9,
                      output_bandwidth_bytes_per_s=6e9)
    assert "6 GB/s in, 6 out" in repr(separate)


def test_saved_models_are_the_same_and_stand_in_configurations(tmp_path, monkeypatch):
    (tmp_path / "there").mkdir()
    shutil.copy(ROOT / "npu_model/boards/zu7ev.yaml", tmp_path / "my_board.yaml")
    monkeypatch.chdir(tmp_path)
    npu = fb.Npu("zu7ev_large", board="./my_board.yaml", clock_hz=300e6)
    network = fb.Network({"base": "resnet18", "exits": [
        {"name": "e", "after": "conv2_2", "head": [{"name": "h", "kind": "dense", "out_channels": 10}]}]})
    for model in (npu, network):
        with pytest.raises(fb.InputError, match="is in no file: .save"):
            os.fspath(model)
    npu.save("there/fast.yaml")
    network.save("there/small.yaml")
    with pytest.raises(fb.InputError, match="already exists|exists"):
        npu.save("there/fast.yaml")
    again = fb.Npu("there/fast.yaml")
    assert {**again.keys} == npu.keys and os.path.isabs(again.board)
    assert np.array_equal(fb.Network("there/small.yaml").layers, network.layers)
    config = {"requests": 300, "network": network, "slo": {"latency_ms": 100}, "reference": {"npu": npu},
              "workload": {"arrivals": {"kind": "poisson", "rho": 0.5}, "exits": {"kind": "rates", "rates": [0.5]}},
              "systems": [{"policy": {"name": "serial"}, "npu": npu}]}
    by_path = {**config, "network": "there/small.yaml", "reference": {"npu": "there/fast.yaml"},
               "systems": [{"policy": {"name": "serial"}, "npu": "there/fast.yaml"}]}
    assert fb.run(config).summary() == fb.run(by_path).summary()
    assert fb.run(config).summary()["statistics"] != fb.run({**by_path, "systems": [
        {"policy": {"name": "serial"}, "npu": "zu7ev_small"}]}).summary()["statistics"]
    shipped = fb.Npu("zu7ev_large")
    assert os.fspath(shipped).endswith("/zu7ev_large.yaml") and os.fspath(fb.Npu(shipped)) == os.fspath(shipped)


def test_models_are_copied_and_pickled():
    for npu in (fb.Npu("edge_8tops"), fb.Npu(**ENGINE, name="mine")):
        for other in (copy.deepcopy(npu), pickle.loads(pickle.dumps(npu))):
            assert (other.name, other.keys) == (npu.name, npu.keys)
    network = pickle.loads(pickle.dumps(fb.Network("ee_vgg16")))
    assert network.name == "ee_vgg16" and np.array_equal(network.layers, fb.Network("ee_vgg16").layers)


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


@pytest.fixture
def onnx(tmp_path):
    (tmp_path / "m.onnx").write_bytes(two_convolutions())
    return tmp_path / "m.onnx"


importer = pytest.mark.skipif(not (Path(os.environ["FLUIDBATCH_BUILD"]) / "libexec/fluidbatch/network-import").exists(),
                              reason="built without the importer of ONNX models")


@importer
def test_import_of_onnx_is_that_of_the_program(onnx, tmp_path):
    program("network", "import", onnx, "--out", tmp_path / "one.yaml", "--exits", "after=a")
    text = program("network", "show", tmp_path / "one.yaml", "--csv")
    (tmp_path / "two").mkdir()
    network = fb.import_onnx(onnx, exits=["a"], out=tmp_path / "two/one.yaml")
    assert (tmp_path / "two/one.yaml").read_text() == (tmp_path / "one.yaml").read_text()
    assert os.fspath(network) == str(tmp_path / "two/one.yaml")
    layers = network.layers
    same_as_csv(layers[list(layers.columns[:7])].view(type(layers)), text)
    kept = fb.import_onnx(str(onnx), exits="after=a")
    assert kept.name == "m" and np.array_equal(kept.layers, layers)
    with pytest.raises(fb.InputError, match="is in no file"):
        os.fspath(kept)
    # 3 x 3 x 3 to 8 channels on 14 x 14 places, 3 x 3 x 8 to 4 on 12 x 12
    assert fb.import_onnx(onnx).macs == 14 * 14 * 27 * 8 + 12 * 12 * 72 * 4


@importer
def test_import_refuses_with_the_programs_words(onnx, tmp_path):
    for options, words in (({"exits": ["a", "a"]}, r"^exits: 'a' appears twice$"), ({"exits": "c"}, "nothing is computed after 'c'"),
                           ({"input": (32, 32)}, r"m\.onnx: .*fixes the size of its input 'x' at 16 x 16"),
                           ({"input": (32,)}, r"^input: must be \(height, width\)"), ({"input": (0, 1)}, r"^input\[0\]: "),
                           ({"out": onnx}, "m.onnx: already exists")):
        with pytest.raises(fb.InputError, match=words):
            fb.import_onnx(onnx, **options)
    (tmp_path / "bad.onnx").write_bytes(two_convolutions()[:30])
    for model in ("bad.onnx", "none.onnx"):
        said = subprocess.run([PROGRAM, "network", "import", tmp_path / model, "--out", tmp_path / "n.yaml"],
                              capture_output=True, text=True, check=False)
        with pytest.raises(fb.InputError) as refused:
            fb.import_onnx(tmp_path / model)
        assert str(refused.value) + "\n" == said.stderr and said.returncode == 2
        assert (refused.value.file, refused.value.line, refused.value.column) == (None, None, None)


def test_an_importer_that_dies(onnx, tmp_path):
    """In a process of its own, whose files are elsewhere."""
    home = tmp_path / "home"
    (home / "libexec/fluidbatch").mkdir(parents=True)
    code = f"import fluidbatch as fb; fb._core.use_prefix({str(home)!r}); fb.import_onnx({str(onnx)!r})"

    def said():
        return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False).stderr

    assert "network-import: the importer of ONNX models can't be run: No such file" in said()
    fake = home / "libexec/fluidbatch/network-import"
    fake.write_text("#!/bin/sh\nkill -SEGV $$\n")
    fake.chmod(0o755)
    assert "m.onnx: not imported: the importer stopped with signal 11" in said()
    fake.write_text("#!/bin/sh\nkill -XCPU $$\n")
    assert "m.onnx: not imported: it takes more than a minute" in said()


LARGE = fb.Npu("zu7ev_large")
WRONG = [
    (lambda: fb.Network("resnt50"), "network", r"unknown name 'resnt50' \(did you mean 'resnet50'\?\)"),
    (lambda: fb.Network(7), "network", "must be a name or a path, found 7"),
    (lambda: fb.Network({**SMALL, "input": [3, 0, 8]}), "network['input'][1]", "whole number"),
    (lambda: fb.Network({**SMALL, "layer": []}), "network['layer']", r"unknown key 'layer' \(did you mean 'layers'\?\)"),
    (lambda: fb.Npu("zu7ev_larg"), "npu", r"did you mean 'zu7ev_large'"),
    (lambda: fb.Npu(), "npu", "needs the key 't_r'"),
    (lambda: fb.Npu("zu7ev_large", clok_hz=1e9), "clok_hz", r"did you mean 'clock_hz'"),
    (lambda: fb.Npu("zu7ev_large", t_r="tall"), "t_r", "t_r must be a whole number"),
    (lambda: fb.Npu({**ENGINE, "clock_hz": -1}), "npu['clock_hz']", "must be a number, above 0"),
    (lambda: fb.Npu({**ENGINE, "t_p": 1000}, board="zu7ev"), "board", "t_p x t_c needs 32000 DSPs; board 'zu7ev' has 1728"),
    (lambda: LARGE.table("resnet18", "fluidstacked"), "mode", r"did you mean 'fluid_stacked'"),
    (lambda: LARGE.table("resnet18", max_batch=0), "max_batch", "from 1 to 1024"),
    (lambda: LARGE.table("resnet18", max_batch=1025), "max_batch", "from 1 to 1024"),
    (lambda: LARGE.explain("resnet18", "conv4_1_aa", 1), "layer", r"resnet18 has no layer 'conv4_1_aa' \(did you mean"),
    (lambda: LARGE.explain("resnet18", fb.Network("resnet18").fused[0], 1), "layer", "is fused with another layer"),
    (lambda: LARGE.explain("resnet18", "conv1", 1.5), "batch", "whole number"),
    (lambda: LARGE.plot_utilisation("resnet18", batches=[0]), "batches[0]", "from 1 to 1024"),
    (lambda: fb.latency_table("resnet18", {**ENGINE, "on_chip_bytes": 60000, "residency": "weights"}), None,
     "NPU 'npu': layer 'conv.* of 60000 bytes"),
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


def test_a_place_in_a_file(tmp_path):
    (tmp_path / "n.yaml").write_text("t_r: 128\nt_p: 16\nt_c: 32\nclock_mhz: 200\n")
    with pytest.raises(fb.InputError, match=r"n\.yaml:4:1: unknown key 'clock_mhz'") as error:
        fb.Npu(tmp_path / "n.yaml")
    assert (Path(error.value.file).name, error.value.line, error.value.column) == ("n.yaml", 4, 1)


def test_values_that_no_npu_has_are_a_warning():
    with pytest.warns(UserWarning, match="clock_hz"):
        fb.Npu("zu7ev_large", clock_hz=200)


def test_plots():
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    from matplotlib import pyplot

    axes = LARGE.plot_utilisation("resnet18")
    assert [line.get_label() for line in axes.get_lines()] == fb.modes()
    expected = 100 * LARGE.utilisation("resnet18", "fluid", 16)
    line = axes.get_lines()[2]
    assert list(line.get_xdata()) == list(range(1, 17)) and np.array_equal(line.get_ydata(), expected)
    _, mine = pyplot.subplots()
    assert LARGE.plot_utilisation("resnet18", ["r", "p"], [1, 4, 8], ax=mine) is mine
    assert [list(line.get_xdata()) for line in mine.get_lines()] == [[1, 4, 8]] * 2
    assert list(mine.get_lines()[0].get_ydata()) == list(100 * LARGE.utilisation("resnet18", "r", 8)[[0, 3, 7]])
    assert len(LARGE.plot_utilisation("resnet18", "r", 2).get_lines()) == 1
    pyplot.close("all")


def test_a_plot_without_matplotlib_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ImportError, match="python3-matplotlib"):
        LARGE.plot_utilisation("resnet18")


def test_nothing_large_is_imported_before_it_is_needed():
    code = "import sys, fluidbatch as fb; fb.Npu('zu7ev_large'); fb.networks(); print('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"


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
    pressed, turns, done = [], [], threading.Event()

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
            LONG[name](tmp_path)
        ended = time.monotonic()
    finally:
        done.set()
        thread.join()
    assert ended - pressed[0] < 0.2
    assert max(b - a for a, b in zip(turns, turns[1:])) < 0.2


def test_the_importer_ends_with_ctrl_c(onnx, tmp_path):
    home = tmp_path / "home"
    (home / "libexec/fluidbatch").mkdir(parents=True)
    fake = home / "libexec/fluidbatch/network-import"
    fake.write_text("#!/bin/sh\nexec sleep 30\n")
    fake.chmod(0o755)
    code = f"""if True:
        import os, signal, threading, time, fluidbatch as fb
        fb._core.use_prefix({str(home)!r})
        threading.Timer(0.3, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
        begin = time.monotonic()
        try:
            fb.import_onnx({str(onnx)!r})
        except KeyboardInterrupt:
            print(time.monotonic() - begin)
    """
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=20).stdout
    assert 0.25 < float(told) < 0.5
