#!/usr/bin/python3
"""`npu fit`: what it finds, what is held out, the file that it writes, and wrong input."""

import csv
import io
import re
import statistics
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from harness import ROOT, CommandLineTest  # noqa: E402

NPU = """\
t_r: 64
t_p: 16
t_c: 32
k_max: 2
clock_hz: 200.0e+6
bandwidth_bytes_per_s: 2.0e+9
fill_cycles: 3
layer_overhead_cycles: 700
"""
START = NPU.replace("2.0e+9", "9.0e+9").replace("700", "0")
FREE = "bandwidth_bytes_per_s,layer_overhead_cycles"

MEASURED = """\
net,in_channels,out_channels,kernel_height,kernel_width,output_height,output_width,stride_height,stride_width,groups,batch,cycles
a,64,64,3,3,28,28,1,1,1,1,100000
a,64,128,1,1,28,28,2,2,1,2,50000
b,128,128,3,3,14,14,1,1,128,1,60000
b,256,100,1,1,1,1,1,1,1,4,20000
c,3,32,7,7,56,56,2,2,1,1,90000
"""

# name, text of the measured file to replace, its replacement, what the message must match
FILES = [
    ("neither unit", "batch,cycles", "batch,cycle", r"^m\.csv:1:1: no column 'cycles' or 'latency_s'; the header has 'net'"),
    ("both units", "net,", "latency_s,", r"^m\.csv:1:1: both 'cycles' and 'latency_s'"),
    ("no channels", "in_channels", "in_chanels", r"^m\.csv:1:1: no column 'in_channels' \(did you mean|^m\.csv:1:1: no column 'in_channels'; the header"),
    ("layers without a network", "net,in_channels", "layer,channels", r"^m\.csv:1:1: no column 'in_channels': rows that name their layer need --network"),
    ("a column twice", "net,", "batch,", r"^m\.csv:1:\d+: column 'batch' appears twice"),
    ("zero cycles", "1,1,100000", "1,1,0", r"^m\.csv:2:27: cycles must be above 0, from 1e-30 to 1e\+30, found '0'"),
    ("negative cycles", "1,1,100000", "1,1,-3", r"^m\.csv:2:27: cycles must be above 0, from 1e-30 to 1e\+30, found '-3'"),
    ("no number", "1,1,100000", "1,1,fast", r"^m\.csv:2:27: cycles must be a finite number, found 'fast'"),
    ("NaN", "1,1,100000", "1,1,nan", r"^m\.csv:2:27: cycles must be a finite number"),
    ("infinite", "1,1,100000", "1,1,.inf", r"^m\.csv:2:27: cycles must be a finite number"),
    ("beyond all measures", "1,1,100000", "1,1,1e300", r"^m\.csv:2:27: cycles must be above 0, from 1e-30 to 1e\+30, found '1e300'"),
    ("a gap", "1,1,100000", "1,1,", r"^m\.csv:2:27: column 'cycles' has a gap"),
    ("zero channels", "a,64,64", "a,0,64", r"^m\.csv:2:3: in_channels must be a whole number from 1 to 1048576, found '0'"),
    ("a fraction", "a,64,64", "a,64,6.5", r"^m\.csv:2:6: out_channels must be a whole number"),
    ("too many channels", "a,64,64", "a,9999999,64", r"^m\.csv:2:3: in_channels must be a whole number from 1 to 1048576"),
    ("zero batch", "1,1,1,1,100000", "1,1,1,0,100000", r"^m\.csv:2:25: batch must be a whole number from 1 to 1024, found '0'"),
    ("too large a batch", "1,1,1,1,100000", "1,1,1,1025,100000", r"^m\.csv:2:25: batch must be a whole number from 1 to 1024"),
    ("zero stride", "28,28,1,1,1,1", "28,28,0,1,1,1", r"^m\.csv:2:19: stride_height must be a whole number from 1"),
    ("groups that do not divide", "a,64,64,3,3,28,28,1,1,1", "a,64,64,3,3,28,28,1,1,3", r"^m\.csv:2:23: groups \(3\) must divide"),
    ("a layer beyond all counts", "a,64,64,3,3,28,28", "a,64,64,3,3,9999999,9999999", r"^m\.csv:2:3: the layer is too large"),
    ("strides beyond all counts", "28,28,1,1,1,1", "28,28,9999999,9999999,1,1", r"^m\.csv:2:3: the layer is too large"),
    ("a short row", "a,64,64,3,3,28,28,1,1,1,1,100000", "a,64", r"^m\.csv:2:1: the row has 2 cells, the header has 12"),
    ("no rows", re.compile(r"\na.*", re.S), "\n", r"m\.csv: 0 rows to fit to, and 2 free parameters"),
    ("fewer rows than parameters", re.compile(r"\na,64,128.*", re.S), "\n", r"m\.csv: 1 rows to fit to, and 2 free parameters"),
    ("empty file", re.compile(r".*", re.S), "", r"^m\.csv:1:1: the file is empty"),
    ("a free key as a column", "net,", "bandwidth_bytes_per_s,", r"^m\.csv:1:1: column 'bandwidth_bytes_per_s' sets this key row by row, so it can't be free"),
    ("a bandwidth of another channel", "net,", "input_bandwidth_bytes_per_s,", r"^m\.csv:1:1: column 'input_bandwidth_bytes_per_s' does not go with the NPU's channel"),
    ("a tile that is a word", "net,", "t_r,", r"^m\.csv:2:1: t_r must be a whole number from 1 to 1048576, found 'a'"),
    ("a chip that is too small", re.compile(r"net,(.*)\na,"), r"on_chip_bytes,\1\n100,", r"^m\.csv:2:1: on_chip_bytes must hold the buffers for tiles"),
    ("a stacking factor that does not divide", re.compile(r"net,(.*)\na,"), r"k_max,\1\n3,", r"^m\.csv:2:1: k_max must be a power of two"),
    ("a clock of nothing", re.compile(r"net,(.*)\na,"), r"clock_hz,\1\n0,", r"^m\.csv:2:1: clock_hz must be above 0, found '0'"),
]

# name, options beside or instead of the usual ones, what the message must match
OPTIONS = [
    ("an unknown key", ["--free", "bandwith_bytes_per_s"], r"^--free: 'bandwith_bytes_per_s' can't be fitted \(did you mean 'bandwidth_bytes_per_s'\?\); allowed:"),
    ("a tile size", ["--free", "t_r"], r"^--free: 't_r' can't be fitted.*; allowed: 'bandwidth_bytes_per_s'"),
    ("a key twice", ["--free", "fill_cycles,fill_cycles"], r"^--free: 'fill_cycles' appears twice"),
    ("another channel's", ["--free", "input_bandwidth_bytes_per_s"], r"^--free: 'input_bandwidth_bytes_per_s' does not go with the channel of NPU 'n'"),
    ("no start", ["--free", "on_chip_bytes"], r"^--free: 'on_chip_bytes' needs a value above 0, up to 1e100, in NPU 'n'"),
    ("no start of a buffer", ["--free", "weight_buffer_words"], r"^--free: 'weight_buffer_words' needs a value above 0, up to 1e100,"),
    ("a clock from cycles", ["--free", "clock_hz"], r"^--free: clock_hz can't be fitted to cycles; m\.csv|^--free: clock_hz can't be fitted to cycles"),
    ("a hold-out of no value", ["--hold-out", "net"], r"^--hold-out must be COLUMN=VALUE,\.\., found 'net'"),
    ("a hold-out of no column", ["--hold-out", "=a"], r"^--hold-out must be COLUMN=VALUE"),
    ("an unknown column", ["--hold-out", "nets=a"], r"m\.csv:1:1: no column 'nets' \(did you mean 'net'\?\)"),
    ("an unknown value", ["--hold-out", "net=a,d"], r"^--hold-out: no row has 'd' in column 'net'.*; there are 'a', 'b', 'c'"),
    ("an empty value", ["--hold-out", "net="], r"^--hold-out: no row has '' in column 'net'"),
    ("all held out", ["--hold-out", "net=a,b,c"], r"m\.csv: 0 rows to fit to, and 2 free parameters"),
    ("too few left", ["--hold-out", "net=a,b"], r"m\.csv: 1 rows to fit to, and 2 free parameters"),
    ("both ways to hold out", ["--hold-out", "net=a", "--hold-out-every", "2"], r"^only one of --hold-out and --hold-out-every"),
    ("every first", ["--hold-out-every", "1"], r"--hold-out-every"),
    ("every hundredth of five", ["--hold-out-every", "100"], r"^--hold-out-every: .*m\.csv has only 5 rows: none would be held out"),
    ("an unknown mode", ["--mode", "fluidstacked"], r"unknown npu_mode 'fluidstacked' \(did you mean 'fluid_stacked'\?\)"),
    ("an unknown network", ["--network", "resnet"], r"resnet"),
    ("no such NPU", ["--npu", "zu7ev_larg"], r"did you mean 'zu7ev_large'"),
    ("no such file", ["--measured", "none.csv"], r"none\.csv"),
    ("a network without layers in the file", ["--network", "resnet18"], r"m\.csv:1:1: no column 'layer'"),
]


class NpuFit(CommandLineTest):
    def setUp(self):
        super().setUp()
        self.write("n.yaml", START)
        self.write("truth.yaml", NPU)
        self.write("m.csv", MEASURED)

    def fit(self, *more, measured="m.csv", npu="./n.yaml", free=FREE):
        given = {"--measured": measured, "--npu": npu, "--free": free}
        return ["npu", "fit", *(w for pair in given.items() if pair[0] not in more for w in pair), *more]

    def rows(self, *more, **options):
        return list(csv.DictReader(io.StringIO(self.succeed(*self.fit(*more, "--csv", **options)).stdout)))

    def refuse(self, message, *more):
        before = self.files()
        result = self.call(*self.fit(*more, "--out", "fitted.yaml"))
        self.assertEqual(result.returncode, 2, result.stdout + result.stderr)
        self.assertEqual(result.stdout, "")
        text = result.stderr.removeprefix("fluidbatch: ").replace(str(self.folder.resolve()) + "/", "").replace(str(self.folder) + "/", "")
        self.assertRegex(text, message)
        self.assertEqual(self.files(), before)

    def measure(self, name, latency="latency_s"):
        """What the model says of a network on truth.yaml, as if it had been measured."""
        table = self.succeed("npu", "table", "--network", "resnet18", "--npu", "./truth.yaml", "--max-batch", "2", "--mode",
                             "fluid_stacked", "--csv").stdout
        self.write(name, table.replace("latency_s", latency))

    def test_wrong_files(self):
        for name, old, new, message in FILES:
            with self.subTest(name):
                text = MEASURED.replace(old, new, 1) if isinstance(old, str) else old.sub(new, MEASURED, count=1)
                self.assertNotEqual(text, MEASURED)
                self.write("m.csv", text)
                self.refuse(message)

    def test_wrong_options(self):
        for name, options, message in OPTIONS:
            with self.subTest(name):
                self.refuse(message, *options)

    def test_wrong_npu(self):
        self.write("n.yaml", START.replace("9.0e+9", ".inf"))
        self.refuse(r"^--free: 'bandwidth_bytes_per_s' needs a value above 0, up to 1e100, in NPU 'n'")
        self.write("n.yaml", START.replace("9.0e+9", "1.0e+305"))
        self.refuse(r"'bandwidth_bytes_per_s' needs a value above 0, up to 1e100, in NPU 'n', to start from")
        self.write("n.yaml", START + "residency: weights\non_chip_bytes: 60000\n")
        self.refuse(r"m\.csv:2:1: the chip of NPU 'n' does not hold what its residency")

    def test_wrong_layers_of_a_network(self):
        self.write("m.csv", "layer,batch,latency_s\nconv1,1,0.1\nconv2_1_aa,1,0.1\n")
        self.refuse(r"m\.csv:3:1: resnet18 has no layer 'conv2_1_aa' \(did you mean", "--network", "resnet18")

    def test_a_layer_that_takes_no_time(self):
        self.write("n.yaml", START.replace("9.0e+9", ".inf"))
        self.write("network.yaml", "input: [8, 8, 8]\nlayers:\n  - {name: c, kind: conv, out_channels: 8}\n"
                   "  - {name: p, kind: pool, kernel: 2, stride: 2, fused: false}\n")
        self.write("m.csv", "layer,latency_s\nc,0.1\np,0.1\n")
        self.refuse(r"m\.csv:3:1: this layer takes no time at all", "--network", "./network.yaml", "--free", "fill_cycles")

    def test_too_much_work(self):
        self.write("m.csv", MEASURED.splitlines()[0] + "\n" + "a,64,64,3,3,28,28,1,1,1,1,100000\n" * 20_001)
        self.refuse(r"m\.csv:20002:1: more than 20000 rows")
        self.write("m.csv", MEASURED.splitlines()[0] + "\n" + "a,64,64,3,3,28,28,1,1,1,1024,100000\n" * 10_000)
        self.refuse(r"m\.csv:\d+:1: too much work: the rows up to here have more than 200000 batch policies")

    def test_the_truth_is_found_from_a_latency_table(self):
        self.measure("m.csv")
        self.succeed(*self.fit("--network", "resnet18", "--out", "fitted.yaml"))
        fitted = (self.folder / "fitted.yaml").read_text()
        self.assertIn("bandwidth_bytes_per_s: 2e+09\n", fitted)
        self.assertIn("layer_overhead_cycles: 700\n", fitted)
        self.assertEqual(fitted.splitlines()[0], "# fitted by: fluidbatch npu fit --measured m.csv --npu ./n.yaml --free "
                         f"{FREE} --network resnet18 --out fitted.yaml")
        table = ["npu", "table", "--network", "resnet18", "--max-batch", "2", "--mode", "fluid_stacked", "--csv", "--npu"]
        self.assertEqual(self.succeed(*table, "./fitted.yaml").stdout, self.succeed(*table, "./truth.yaml").stdout)

    def test_a_clock_from_seconds(self):
        self.measure("m.csv")
        self.write("n.yaml", NPU.replace("200.0e+6", "123.0e+6"))
        self.succeed(*self.fit("--network", "resnet18", "--out", "fitted.yaml", free="clock_hz"))
        self.assertIn("clock_hz: 2e+08\n", (self.folder / "fitted.yaml").read_text())

    def test_the_written_file_gives_the_printed_predictions(self):
        rows = self.rows("--hold-out", "net=b", "--out", "fitted.yaml")
        self.write("network.yaml", "input: [64, 30, 30]\nlayers:\n  - {name: l, kind: conv, out_channels: 64, kernel: 3}\n")
        table = self.succeed("npu", "table", "--network", "./network.yaml", "--npu", "./fitted.yaml", "--max-batch", "1", "--mode",
                             "fluid_stacked", "--csv").stdout
        latency_s = float(next(csv.DictReader(io.StringIO(table)))["latency_s"])
        self.assertAlmostEqual(latency_s * 200e6 / float(rows[0]["modelled"]), 1, places=12)

    def test_what_is_held_out_has_no_say(self):
        self.succeed(*self.fit("--hold-out", "net=b", "--out", "one.yaml"))
        self.write("m.csv", MEASURED.replace("60000", "7").replace("20000", "123456789"))
        self.succeed(*self.fit("--hold-out", "net=b", "--out", "two.yaml"))
        one, two = ((self.folder / f).read_text().split("\n", 1)[1] for f in ("one.yaml", "two.yaml"))
        self.assertEqual(one, two)
        self.succeed(*self.fit("--out", "three.yaml"))
        self.assertNotEqual(one, (self.folder / "three.yaml").read_text().split("\n", 1)[1])

    def test_what_is_held_out(self):
        def held_out(*more):
            return [row["held_out"] for row in self.rows(*more)]
        self.assertEqual(held_out(), ["0"] * 5)
        self.assertEqual(held_out("--hold-out", "net=b"), ["0", "0", "1", "1", "0"])
        self.assertEqual(held_out("--hold-out", "net=a,c", "--free", "fill_cycles"), ["1", "1", "0", "0", "1"])
        self.assertEqual(held_out("--hold-out", "batch=1,4", "--free", "fill_cycles"), ["1", "0", "1", "1", "1"])
        self.assertEqual(held_out("--hold-out-every", "2"), ["0", "1", "0", "1", "0"])

    def test_the_report_is_of_the_rows_held_out(self):
        rows = [row for row in self.rows("--hold-out", "net=a") if row["held_out"] == "1"]
        text = self.succeed(*self.fit("--hold-out", "net=a")).stdout
        self.assertLessEqual(max(map(len, text.splitlines())), 80)
        self.assertIn("5 measured layers, 3 to fit to, mode fluid_stacked\n", text)
        self.assertIn("on the 2 rows that were held out\n", text)
        errors = [abs(float(row["relative_error"])) for row in rows]
        self.assertAlmostEqual(float(re.search(r"median relative error +(\S+) %", text)[1]), 100 * statistics.median(errors), delta=0.5)
        self.assertAlmostEqual(float(re.search(r"largest relative error +(\S+) %", text)[1]), 100 * max(errors), delta=0.5)
        worst = text.split("the worst")[1].splitlines()[1:]
        self.assertEqual(len(worst), 2)
        for row in rows:
            self.assertTrue(any(re.search(rf" {row['row']} .* {row['bound']} +{row['residency']}$", line) for line in worst), text)
            self.assertAlmostEqual(float(row["relative_error"]), float(row["modelled"]) / float(row["measured"]) - 1, places=12)
        self.assertIn("nothing is held out: on the 5 rows that were fitted\n", self.succeed(*self.fit()).stdout)

    def test_a_file_that_is_there_stays(self):
        self.write("fitted.yaml", "mine\n")
        result = self.call(*self.fit("--out", "fitted.yaml"))
        self.assertEqual((result.returncode, result.stdout), (2, ""))
        self.assertEqual((self.folder / "fitted.yaml").read_text(), "mine\n")

    def test_a_key_of_each_row(self):
        lines, overheads = MEASURED.splitlines(), (0, 1000, 5000)
        self.write("m.csv", "\n".join([lines[0] + ",layer_overhead_cycles", *(f"{lines[1]},{o}" for o in overheads)]) + "\n")
        modelled = [float(row["modelled"]) for row in self.rows(free="bandwidth_bytes_per_s")]
        self.assertEqual([round(m - modelled[0], 6) for m in modelled], [0, 1000, 5000])
        self.refuse("'layer_overhead_cycles' sets this key row by row, so it can't be free", "--free", "layer_overhead_cycles")

    def test_a_fitted_npu_keeps_its_board(self):
        self.write("board.yaml", "dsps: 2000\non_chip_bytes: 400000\nbandwidth_bytes_per_s: 10.0e+9\nclock_hz: 200.0e+6\n")
        self.write("n.yaml", START + "board: ./board.yaml\nresidency: auto\n")
        (self.folder / "elsewhere").mkdir()
        rows = self.rows("--out", "elsewhere/fitted.yaml")
        text = (self.folder / "elsewhere/fitted.yaml").read_text()
        self.assertLessEqual(float(re.search(r"^bandwidth_bytes_per_s: (.*)$", text, re.M)[1]), 10e9)
        self.assertEqual(len(self.rows(npu="elsewhere/fitted.yaml")), len(rows))
        self.succeed("npu", "table", "--network", "resnet18", "--npu", "elsewhere/fitted.yaml", "--max-batch", "1")

    def test_the_same_bytes_each_time(self):
        first = self.succeed(*self.fit("--hold-out-every", "3")).stdout
        self.assertEqual(first, self.succeed(*self.fit("--hold-out-every", "3")).stdout)

    def test_the_shipped_data(self):
        data = ROOT / "experiments/data"
        for name, rows in (("gemmini_rtl.csv", 222), ("gemmini_layers.csv", 71)):
            result = self.rows(measured=str(data / name), npu=str(ROOT / "experiments/npu_fit/gemmini.yaml"))
            self.assertEqual(len(result), rows)
        text = self.succeed(*self.fit("--hold-out", "network=unet", measured=str(data / "gemmini_layers.csv"),
                                      npu=str(ROOT / "experiments/npu_fit/gemmini.yaml"))).stdout
        self.assertLess(float(re.search(r"median relative error +(\S+) %", text)[1]), 10)


if __name__ == "__main__":
    unittest.main()
