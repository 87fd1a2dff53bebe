#!/usr/bin/python3
"""One rule for all input: however it is mutated, a command ends in 0, 2 or 4 within 20 s and 1 GiB; every file that was
there is as it was, and on 2 there is no new one.

FLUIDBATCH_MUTATIONS says how many mutations are tried (default 300), FLUIDBATCH_FIRST_MUTATION the number of the first:
mutation N is the same wherever it is made.
"""

import os
import random
import re
import resource
import shutil
import subprocess
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from harness import PROGRAM, ROOT, CommandLineTest  # noqa: E402

MUTATIONS = int(os.environ.get("FLUIDBATCH_MUTATIONS", "300"))
FIRST = int(os.environ.get("FLUIDBATCH_FIRST_MUTATION", "0"))
FUZZ = ROOT / "tests/fuzz"
MOST_SECONDS = 20
MOST_BYTES = 1 << 30

EXTREMES = [b"0", b"-1", b"1", b"1e308", b"-1e308", b"1e-308", b"5e-324", b".inf", b"-.inf", b".nan", b"1e-9", b"1e12",
            b"2147483648", b"4294967296", b"9007199254740993", b"9223372036854775807", b"9223372036854775808", b"1e19",
            b"00", b"0x7f", b"''", b"~", b"[]", b"{}", b"[1, 2]", b"true", b"1_000", b"1.5", b"0.1"]
FRAGMENTS = [b",", b"[", b"]", b"{", b"}", b": ", b"- ", b"&a ", b"*a", b"'", b'"', b"\n", b"\r\n", b"\0", b"\xff\xfe", b"#",
             b"|\n", b"---\n", b"%", b"<<: ", b"../", b"/dev/zero", b"=", b"\t", b" "]

# A configuration that names every other file, and stays short whatever is written in it.
RUN = """\
seed: 3
requests: 40
warmup_requests: 1
network: ./network.yaml
slo: {latency_ms: 1}
reference: {npu: ./npu.yaml, npu_mode: r}
workload:
  arrivals: {kind: trace, path: ./trace.csv}
  exits: {kind: confidences, path: ./confidences.csv, threshold: 0.5}
systems:
  - {label: lazy, policy: {name: lazy_batching, max_batch: 2}, npu_mode: fluid, exit_control: {kind: adaptive, accuracy_target: 0.9, window: 2}}
  - {label: measured, policy: {name: dynamic_batching, max_batch: 2, max_queue_delay_ms: 0.1}, npu: {table: ./table.csv}}
"""

MEASURED = """\
name,in_channels,out_channels,kernel_height,kernel_width,output_height,output_width,stride_height,groups,batch,fill_cycles,latency_s
a,3,16,3,3,16,16,2,1,1,0,0.001
a,16,16,3,3,8,8,1,16,2,3,2.5e-4
b,16,32,1,1,8,8,1,1,4,4,0.0005
b,64,10,1,1,1,1,1,1,1,0,1e-5
"""
FIT = ["npu", "fit", "--npu", "./npu.yaml", "--free", "bandwidth_bytes_per_s,clock_hz", "--out", "fitted.yaml"]
SHORT = ["--set", "requests=40"]
# Of what a run has written, of which `run report` makes a page.
DONE = ["resolved.yaml", "lazy/resolved.yaml", "lazy/summary.json", "lazy/requests.csv"]
# The file that is mutated, and the command that reads it.
READERS = [
    ("run.yaml", ["run", "run.yaml", "--out", "out", *SHORT]),
    ("run.yaml", ["check", "run.yaml"]),
    ("run.yaml", ["workload", "describe", "run.yaml", *SHORT]),
    ("all_files.yaml", ["run", "all_files.yaml", "--out", "out", "--timeline", *SHORT]),
    ("devices_uplink.yaml", ["run", "devices_uplink.yaml", "--out", "out", *SHORT]),
    ("closed_loop.yaml", ["run", "closed_loop.yaml", "--driver", "bare", "--out", "out", *SHORT]),
    ("network.yaml", ["run", "all_files.yaml", "--out", "out"]),
    ("network.yaml", ["network", "show", "./network.yaml"]),
    ("every_kind.yaml", ["network", "show", "./every_kind.yaml", "--csv"]),
    ("npu.yaml", ["run", "all_files.yaml", "--out", "out"]),
    ("npu.yaml", ["npu", "table", "--network", "./network.yaml", "--npu", "./npu.yaml", "--max-batch", "4"]),
    ("board.yaml", ["npu", "search", "--network", "./network.yaml", "--board", "./board.yaml", "--t_r", "16,32"]),
    ("measured.csv", [*FIT, "--measured", "measured.csv", "--hold-out", "name=b"]),
    ("measured.csv", [*FIT, "--measured", "measured.csv", "--hold-out-every", "3", "--csv"]),
    ("table.csv", [*FIT, "--measured", "table.csv", "--network", "./network.yaml"]),
    ("npu.yaml", [*FIT, "--measured", "measured.csv"]),
    ("trace.csv", ["run", "all_files.yaml", "--out", "out"]),
    ("confidences.csv", ["run", "all_files.yaml", "--out", "out"]),
    ("table.csv", ["run", "all_files.yaml", "--out", "out"]),
    ("sweep.yaml", ["sweep", "sweep.yaml", "--out", "new.sqlite", "--limit", "4", *SHORT]),
    ("zip_list.yaml", ["sweep", "zip_list.yaml", "--out", "new.sqlite", "--limit", "4", *SHORT]),
    ("sweep.yaml", ["sweep", "sweep.yaml", "--dry-run", *SHORT]),
    ("results.sqlite", ["compare", "results.sqlite", "--metric", "mean_latency_s"]),
    ("results.sqlite", ["compare", "results.sqlite", "--by", "workload.arrivals.rate_hz", "--metric", "slo_violation_rate", "--csv"]),
    ("results.sqlite", ["sweep", "merge", "results.sqlite", "--out", "merged.sqlite"]),
    ("results.sqlite", ["sweep", "sweep.yaml", "--out", "results.sqlite", "--resume", "--limit", "1"]),
    ("results.sqlite", ["run", "results.sqlite", "--point", "1", "--out", "out", *SHORT]),
    ("results.sqlite", ["sweep", "report", "results.sqlite", "--out", "page.html"]),
    *((f"done/{name}", ["run", "report", "done", "--out", "page.html"]) for name in DONE),
    ("two_convolutions.onnx", ["network", "import", "two_convolutions.onnx", "--out", "imported.yaml"]),
    ("reshape.onnx", ["network", "import", "reshape.onnx", "--out", "imported.yaml", "--input", "16,16"]),
]
# Commands whose arguments are mutated.
CALLS = [
    ["run", "run.yaml", "--out", "out", "--seed", "5", "--series", "0.01", "--driver", "simgrid_window"],
    ["run", "run.yaml", "--out", "out", "--timeline-requests", "0..4", "--set", "systems.serial.npu_mode=fluid"],
    ["check", "run.yaml", "--set", "workload.exits.rates=[0.25]", "--set", "slo.latency_ms=2"],
    ["workload", "describe", "run.yaml", "--set", "workload.arrivals.rate_hz=1000", "--csv"],
    ["sweep", "sweep.yaml", "--out", "new.sqlite", "--jobs", "2", "--limit", "1", "--shard", "1/2"],
    ["compare", "results.sqlite", "--by", "system", "--metric", "mean_latency_s", "p99_latency_s", "--base", "serial"],
    ["npu", "table", "--network", "./network.yaml", "--npu", "./npu.yaml", "--max-batch", "8", "--mode", "fluid"],
    ["npu", "explain", "--network", "./network.yaml", "--npu", "./npu.yaml", "--layer", "conv1", "--batch", "2"],
    ["npu", "search", "--network", "./network.yaml", "--board", "./board.yaml", "--t_r", "16,32", "--top", "3"],
    [*FIT, "--measured", "measured.csv", "--hold-out", "name=a", "--hold-out-every", "2"],
    ["network", "import", "two_convolutions.onnx", "--out", "imported.yaml", "--exits", "after=a"],
    ["metric", "list", "--csv"],
    ["run", "results.sqlite", "--point", "1", "--out", "out"],
    ["run", "report", "done", "--out", "page.html"],
    ["sweep", "report", "results.sqlite", "--out", "page.html"],
    ["schema", "run", "--plugin", "run.yaml"],
    ["init", "start"],
]


def number_exchanged(rng, text):
    numbers = list(re.finditer(rb"\d[\d.e+]*", text))
    if not numbers:
        return text
    found = rng.choice(numbers)
    return text[:found.start()] + rng.choice(EXTREMES) + text[found.end():]


def words_exchanged(rng, text):
    words = list(re.finditer(rb"[A-Za-z_]+", text))
    if len(words) < 2:
        return text
    first, second = sorted(rng.sample(range(len(words)), 2))
    a, b = words[first], words[second]
    return text[:a.start()] + b.group() + text[a.end():b.start()] + a.group() + text[b.end():]


def bits_flipped(rng, text):
    octets = bytearray(text)
    for _ in range(rng.choice([1, 1, 2, 8]) if octets else 0):
        octets[rng.randrange(len(octets))] ^= 1 << rng.randrange(8)
    return bytes(octets)


def part(rng, text):
    begin = rng.randrange(len(text) + 1)
    return begin, min(len(text), begin + rng.choice([1, 4, 20, 200]))


def part_removed(rng, text):
    begin, end = part(rng, text)
    return text[:begin] + text[end:]


def part_repeated(rng, text):
    begin, end = part(rng, text)
    return text[:end] + text[begin:end] * rng.choice([1, 1, 3, 100]) + text[end:]


def end_cut(rng, text):
    return text[:rng.randrange(len(text) + 1)]


def line_moved(rng, text):
    lines = text.splitlines(keepends=True)
    if len(lines) < 2:
        return text
    line = lines.pop(rng.randrange(len(lines)))
    lines.insert(rng.randrange(len(lines) + 1), line)
    return b"".join(lines)


def fragment_inserted(rng, text):
    place = rng.randrange(len(text) + 1)
    return text[:place] + rng.choice(FRAGMENTS) + text[place:]


MUTATORS = [number_exchanged, number_exchanged, words_exchanged, bits_flipped, part_removed, part_repeated, end_cut,
            line_moved, fragment_inserted]


def mutated(rng, text):
    for _ in range(rng.choice([1, 1, 1, 2, 4])):
        text = rng.choice(MUTATORS)(rng, text)
    return text


def mutated_call(rng, call):
    call = [word.encode() for word in call]
    for _ in range(rng.choice([1, 1, 2])):
        place = rng.randrange(1, len(call))
        what = rng.randrange(4)
        if what == 0:
            call[place] = mutated(rng, call[place])
        elif what == 1:
            call[place] = number_exchanged(rng, call[place])
        elif what == 2:
            call.insert(place, rng.choice(call))
        else:
            del call[place]
        if len(call) < 2:
            break
    # Nothing outside of the test's folder is to be written.
    return [word.replace(b"\0", b"").replace(b"=/", b"=").lstrip(b"/") for word in call]


def limited():
    resource.setrlimit(resource.RLIMIT_AS, (MOST_BYTES, MOST_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


class MutatedInput(CommandLineTest):
    def setUp(self):
        super().setUp()
        self.all = self.folder
        self.folder = self.all / "a" / "folder" / "within"  # so that ../ leads to what is looked at, too
        self.folder.mkdir(parents=True)
        self.originals = {path.name: path.read_bytes() for path in (FUZZ / "fixtures").iterdir()}
        for name in ("config/devices_uplink.yaml", "config/closed_loop.yaml", "network/every_kind.yaml",
                     "sweep/zip_list.yaml", "onnx/two_convolutions.onnx", "onnx/reshape.onnx"):
            path = FUZZ / "seeds" / name
            self.originals[path.name] = path.read_bytes()
        self.originals["all_files.yaml"] = RUN.encode()
        self.originals["measured.csv"] = MEASURED.encode()
        self.lay_out()
        self.succeed("sweep", "sweep.yaml", "--out", "results.sqlite")
        self.originals["results.sqlite"] = (self.folder / "results.sqlite").read_bytes()
        self.succeed("run", "all_files.yaml", "--out", "done", *SHORT)
        for path in (self.folder / "done").rglob("*.*"):
            self.originals[str(path.relative_to(self.folder))] = path.read_bytes()

    def lay_out(self):
        shutil.rmtree(self.all)
        self.folder.mkdir(parents=True)
        for name, content in self.originals.items():
            (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
            (self.folder / name).write_bytes(content)

    def contents(self):
        return {os.path.relpath(path, self.folder): path.read_bytes() if path.is_file() else None
                for path in self.all.rglob("*")}

    def call_limited(self, arguments):
        return subprocess.run([PROGRAM, *arguments], cwd=self.folder, stdin=subprocess.DEVNULL, capture_output=True,
                              timeout=MOST_SECONDS, preexec_fn=limited, check=False)

    def hold_to_the_rule(self, number, arguments, may_change):
        before = self.contents()
        try:
            result = self.call_limited(arguments)
        except subprocess.TimeoutExpired:
            self.fail(f"mutation {number}: {arguments}: no end within {MOST_SECONDS} s")
        said = f"mutation {number}: {arguments}: exit code {result.returncode}: {result.stderr[-600:].decode(errors='replace')}"
        self.assertIn(result.returncode, (0, 2, 4), said)
        after = self.contents()
        for name, content in before.items():
            if name != may_change or result.returncode == 2:
                self.assertIn(name, after, said + f"\n{name} is gone")
                self.assertEqual(after[name], content, said + f"\n{name} has changed")
        if result.returncode == 2:
            self.assertNotEqual(result.stderr, b"", said)
            self.assertEqual(sorted(after.keys() - before.keys()), [], said + "\nnew files")

    def mutate(self, number):
        rng = random.Random(number)
        self.lay_out()
        if rng.randrange(5) == 0:
            return self.hold_to_the_rule(number, mutated_call(rng, rng.choice(CALLS)), None)
        name, call = rng.choice(READERS)
        (self.folder / name).write_bytes(mutated(rng, self.originals[name]))
        may_change = name if "--resume" in call else None
        return self.hold_to_the_rule(number, [word.encode() for word in call], may_change)

    def test_unmutated_input_is_taken(self):
        for name, call in READERS:
            self.lay_out()
            with self.subTest(name=name, call=call):
                result = self.call_limited(call)
                self.assertEqual(result.returncode, 0, result.stderr)

    def test_any_input(self):
        for number in range(FIRST, FIRST + MUTATIONS):
            with self.subTest(number=number):
                self.mutate(number)


if __name__ == "__main__":
    unittest.main()
