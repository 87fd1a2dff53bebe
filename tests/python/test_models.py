"""Networks, NPUs and their latencies from Python: the numbers of the program's commands, and what is refused."""

import copy
import os
import pickle
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from printed import PROGRAM, program, same_as_csv

import fluidbatch as fb

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/cli"))
from onnx_file import two_convolutions  # noqa: E402

NPUS = ("zu7ev_large", "zu7ev_buffered", "edge_8tops")
ENGINE = {"t_r": 128, "t_p": 16, "t_c": 32, "k_max": 2, "clock_hz": 200e6, "bandwidth_bytes_per_s": 2e9}
SMALL = {"input": [3, 8, 8], "layers": [{"name": "c", "kind": "conv", "out_channels": 8, "kernel": 3, "padding": 1},
                                        {"name": "p", "kind": "pool", "kernel": 2, "stride": 2, "fused": False},
                                        {"name": "d", "kind": "dense", "out_channels": 10}]}


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
    words = " ".join(text.split())  # lines are broken where a terminal ends
    assert words.startswith(" ".join(f"{network.name}: {network.description} source: {network.source} ".split()))
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
    assert npu.energy["dram_pj_per_word"] == 325 and all(isinstance(value, float) for value in npu.energy.values())
    silent = fb.Npu("zu7ev_large", energy=None)
    assert silent.energy is None and np.isnan(silent.table("resnet18", max_batch=1)["energy_j"]).all()
    free = fb.Npu("zu7ev_large", energy={**npu.energy, "static_w": 0})
    still, idle = (each.table("resnet18", max_batch=2) for each in (npu, free))
    assert still["energy_j"] - idle["energy_j"] == pytest.approx(npu.energy["static_w"] * still["latency_s"])
    assert fb.Npu(free).energy == free.energy and "static_w: 0\n" in free.to_yaml()
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
    told = [float(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=20).stdout)
            for _ in range(3)]
    assert 0.25 < min(told) < 0.5


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
    (lambda: fb.Npu(ENGINE, energy=1), "energy", "energy must be a map"),
    (lambda: fb.Npu(ENGINE, energy={"mac_pj": 1}), "energy", "energy needs the key 'input_buffer_pj_per_word'"),
    (lambda: fb.Npu(LARGE, energy={**LARGE.energy, "mac": 1}), "energy['mac']", r"unknown key 'mac' \(did you mean 'mac_pj'\?\)"),
    (lambda: fb.Npu(LARGE, energy={**LARGE.energy, "static_w": float("inf")}), "energy['static_w']", "static_w must be a number"),
    (lambda: LARGE.table("resnet18", "fluidstacked"), "mode", r"did you mean 'fluid_stacked'"),
    (lambda: LARGE.table("resnet18", max_batch=0), "max_batch", "from 1 to 1024"),
    (lambda: LARGE.table("resnet18", max_batch=1025), "max_batch", "from 1 to 1024"),
    (lambda: LARGE.explain("resnet18", "conv4_1_aa", 1), "layer", r"resnet18 has no layer 'conv4_1_aa' \(did you mean"),
    (lambda: LARGE.explain("resnet18", fb.Network("resnet18").fused[0], 1), "layer", "is fused with another layer"),
    (lambda: LARGE.explain("resnet18", "conv1", 1.5), "batch", "whole number"),
    (lambda: LARGE.plot_utilisation("resnet18", batches=[0]), "batches[0]", "from 1 to 1024"),
    (lambda: fb.latency_table("resnet18", {**ENGINE, "on_chip_bytes": 60000, "residency": "weights"}), None,
     "NPU 'npu': layer 'conv.* of 60000 bytes"),
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
    labels = [line.get_label().split(" = ") for line in axes.get_lines()]
    assert sorted(mode for same in labels for mode in same) == sorted(fb.modes()) and len(labels) > 1
    for mode in fb.modes():  # those of one line are the same, and those of two are not
        values = LARGE.utilisation("resnet18", mode, 16).tobytes()
        assert {other for other in fb.modes() if LARGE.utilisation("resnet18", other, 16).tobytes() == values} == set(
            next(same for same in labels if mode in same))
    expected = 100 * LARGE.utilisation("resnet18", "fluid", 16)
    line = next(line for line, same in zip(axes.get_lines(), labels) if "fluid" in same)
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
