#!/usr/bin/python3
"""`schema`: what is shipped is valid, and of files with one thing changed schema and reader say the same; `init`: what it writes
runs."""

import copy
import json
import os
import random
import re
import subprocess
import sys
import unittest
from pathlib import Path

import jsonschema
import yaml

sys.path.insert(0, str(Path(__file__).parent))
from harness import PROGRAM, RELEASE, ROOT, CommandLineTest  # noqa: E402

KINDS = ("run", "sweep", "network", "npu", "board")


class Loader(yaml.SafeLoader):
    """Takes for numbers what the reader takes for numbers; YAML 1.1 has fewer (1e6), and more booleans."""

    yaml_implicit_resolvers = {}


Loader.add_implicit_resolver("tag:yaml.org,2002:null", re.compile(r"^(~|null|)$"), ["~", "n", ""])
Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"^(true|false)$"), ["t", "f"])
Loader.add_implicit_resolver("tag:yaml.org,2002:int", re.compile(r"^[-+]?\d+$"), list("-+0123456789"))
Loader.add_implicit_resolver("tag:yaml.org,2002:float", re.compile(r"^[-+]?((\d+\.?\d*|\.\d+)([eE][-+]?\d+)?|\.inf)$"),
                             list("-+.0123456789"))
Loader.add_constructor("tag:yaml.org,2002:int", lambda loader, node: int(loader.construct_scalar(node)))
Loader.add_constructor("tag:yaml.org,2002:float", lambda loader, node: float(loader.construct_scalar(node).replace(".inf", "inf")))


class Dumper(yaml.SafeDumper):
    """Writes what the reader reads back."""

    yaml_implicit_resolvers = Loader.yaml_implicit_resolvers


Dumper.add_representer(float, lambda dumper, value: dumper.represent_scalar(
    "tag:yaml.org,2002:float", ".inf" if value == float("inf") else repr(value)))


def load(path):
    return yaml.load(Path(path).read_text(), Loader)


def kind_of(document):
    """By the keys that tell."""
    for kind, keys in (("run", "workload systems"), ("sweep", "axes replications until"), ("npu", "t_r t_p"), ("board", "dsps"),
                       ("network", "layers exits base")):
        if set(keys.split()) & set(document):
            return kind
    raise AssertionError(sorted(document))


def shipped():
    """Path and kind of each file of the repository that the program reads."""
    paths = [p for folder in ("npu_model", "workloads", "experiments") for p in sorted((ROOT / folder).rglob("*.yaml"))]
    return [(p, kind_of(load(p))) for p in paths]


def places(node, path=()):
    """Paths of all values of a document."""
    items = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in items:
        yield (*path, key)
        yield from places(value, (*path, key))


def at(document, path):
    for key in path:
        document = document[key]
    return document


def misspelt(parent, key):
    if isinstance(parent, list):
        return False
    parent[key + "x"] = parent.pop(key)
    return True


def missing(parent, key):
    if isinstance(parent, list):
        return False
    del parent[key]
    return True


def of_another_type(parent, key):
    parent[key] = {"oops": 1} if not isinstance(parent[key], dict) else "oops"
    return True


def out_of_range(parent, key):
    if isinstance(parent[key], bool) or not isinstance(parent[key], (int, float)):
        return False
    parent[key] = -10.0 ** 300
    return True


def no_such_word(parent, key):
    if key not in ("kind", "name", "npu_mode", "measured", "drop", "channel", "residency", "input_path", "of", "think", "weight_reuse"):
        return False
    parent[key] = "nonsense"
    return True


CHANGES = (misspelt, missing, of_another_type, out_of_range, no_such_word)


def says_more(kind, path, change):
    """Where the reader says what a schema can't: docs/schemas.md lists the same."""
    names = [p for p in path if isinstance(p, str)]
    if kind == "sweep":  # the base is a part of a run's configuration, and axes have values of any type
        return names[0] in ("base", "axes") and (len(path) > 1 or change in (missing, of_another_type))
    if kind == "run":  # names of services, by which devices refer to them
        return path[0] == "services" and names[-1] == "name"
    if kind == "network":  # names by which layers and exits refer to others, sizes that must fit, work that must be left
        return names[-1] in ("name", "after", "from", "input", "layers", "kernel", "padding", "stride", "exits") or change is missing
    return False


class SchemaTest(CommandLineTest):
    @classmethod
    def setUpClass(cls):
        cls.validators = {}
        for kind in KINDS:
            text = subprocess.run([PROGRAM, "schema", kind], capture_output=True, text=True, check=True).stdout
            schema = json.loads(text)
            jsonschema.Draft202012Validator.check_schema(schema)
            cls.validators[kind] = jsonschema.Draft202012Validator(schema)

    def errors(self, kind, document):
        return [f"{list(e.absolute_path)}: {e.message[:200]}" for e in self.validators[kind].iter_errors(document)]

    def read(self, kind, path):
        """What the program says of a file."""
        commands = {"run": ("check", path), "sweep": ("sweep", path, "--dry-run", "--out", "none.sqlite"),
                    "network": ("network", "show", path),
                    "npu": ("npu", "table", "--network", "resnet18", "--npu", path, "--max-batch", 1),
                    "board": ("npu", "search", "--network", "resnet18", "--board", path, "--t_r", 8, "--t_p", 4, "--t_c", 8,
                              "--batches", 1, "--word_bytes", 1)}
        return self.call(*commands[kind])


class Schemas(SchemaTest):
    def test_what_is_shipped_is_valid(self):
        files = shipped()
        self.assertGreater(len(files), 50)
        self.assertEqual({kind for _, kind in files}, set(KINDS))
        for path, kind in files:
            with self.subTest(path=str(path.relative_to(ROOT))):
                self.assertEqual(self.errors(kind, load(path)), [])

    def changed(self, path, kind):
        """All documents that differ from a shipped one in one thing."""
        document = load(path)
        for place in places(document):
            for change in CHANGES:
                other = copy.deepcopy(document)
                if change(at(other, place[:-1]), place[-1]) and not says_more(kind, place, change):
                    yield place, change, other

    def test_schema_and_reader_agree_on_changed_files(self):
        # A file of each kind, with many keys; paths in it are not followed from where the changed one lies.
        sources = {"run": ["experiments/quickstart.yaml", "experiments/home/home.yaml", "experiments/home/site.yaml"],
                   "sweep": ["experiments/sweeps/load.yaml", "experiments/slo/sweep.yaml"],
                   "network": ["workloads/networks/ee_resnet18.yaml", "workloads/networks/resnet18.yaml"],
                   "npu": ["npu_model/npus/zu7ev_buffered.yaml", "npu_model/npus/edge_8tops.yaml"],
                   "board": ["npu_model/boards/zu7ev.yaml"]}
        chance = random.Random(23)
        refused = 0
        for kind, paths in sources.items():
            cases = [case for path in paths for case in self.changed(ROOT / path, kind)]
            by_change = {change: [case for case in cases if case[1] is change] for change in CHANGES}
            chosen = [case for of_one in by_change.values() for case in chance.sample(of_one, min(8, len(of_one)))]
            for place, change, document in chosen:
                self.write("changed.yaml", yaml.dump(document, Dumper=Dumper, sort_keys=False))
                result = self.read(kind, "changed.yaml")
                errors = self.errors(kind, load(self.folder / "changed.yaml"))
                with self.subTest(kind=kind, place=place, change=change.__name__):
                    self.assertIn(result.returncode, (0, 2), result.stderr)
                    self.assertEqual(bool(errors), result.returncode == 2, f"{errors}\n{result.stderr}")
                refused += result.returncode == 2
        self.assertGreaterEqual(refused, 100)

    def test_texts_of_wrong_files(self):
        run = load(ROOT / "experiments/quickstart.yaml")
        for key, value in (("requests", "1000"), ("seed", -1), ("requests", 0.5), ("duration_s", 3), ("warmup_requests", "many"),
                           ("services", []), ("systems", []), ("slo", {"measured": "here"}), ("network", None), ("until", {})):
            with self.subTest(key=key):
                document = {**run, key: value}
                self.write("c.yaml", yaml.dump(document, Dumper=Dumper))
                self.assertEqual(self.call("check", "c.yaml").returncode, 2)
                self.assertNotEqual(self.errors("run", document), [])

    def test_labels_of_systems_and_services(self):
        """Each printable character alone, and texts of several, in schema and reader."""
        run, site = load(ROOT / "experiments/quickstart.yaml"), load(ROOT / "experiments/home/site.yaml")
        refused = 0
        for label in [*map(chr, range(32, 127)), "", "a b", "a\nb", "\u00e9", "Ab-9_", "-", "a.b"]:
            run["systems"][0]["label"] = label
            old = site["services"][0]["name"]
            named = json.loads(json.dumps(site).replace(json.dumps(old), json.dumps(label)))
            for kind, document in (("label", run), ("name", named)):
                self.write("c.yaml", json.dumps(document))
                result = self.call("check", "c.yaml")
                with self.subTest(kind=kind, label=label):
                    self.assertEqual(bool(self.errors("run", document)), result.returncode == 2, result.stderr)
                    self.assertEqual("a label is made of" in result.stderr, result.returncode == 2, result.stderr)
                    refused += result.returncode == 2
        self.assertGreater(refused, 60)

    def test_what_editors_show_is_what_listings_say(self):
        definitions = self.validators["run"].schema["$defs"]
        words = {kind: " ".join(self.succeed(*kind, "list").stdout.split()) for kind in (("policy",), ("arbiter",), ("router",), ("exit-control",))}
        described = 0
        for name, definition in definitions.items():
            kind = next((kind for kind in words if name.startswith(kind[0].replace("-", "_") + "_")), None)
            if kind is None:
                continue
            summary = definition["description"].split(": ", 1)[1]
            for text in [summary, *(key["description"] for key in definition["properties"].values() if "description" in key)]:
                self.assertIn(text, words[kind])
                described += 1
        self.assertGreater(described, 50)
        means = definitions["until"]["properties"]["mean_latency_s"]["description"]
        self.assertIn(means, " ".join(self.succeed("metric", "list").stdout.split()))

    def test_other_kinds(self):
        result = self.call("schema", "runs")
        self.assertEqual(result.returncode, 2)
        self.assertRegex(result.stderr, r"unknown kind of file 'runs' \(did you mean 'run'\?\)")


class Init(SchemaTest):
    def test_every_file_runs_and_is_valid(self):
        printed = self.succeed("init", "start").stdout
        start = self.folder / "start"
        files = sorted(str(p.relative_to(start)) for p in start.rglob("*") if p.is_file())
        self.assertEqual(files, sorted(line.removeprefix("start/") for line in printed.split("\n\n")[0].splitlines()))
        self.assertEqual({kind_of(load(path)) for path in start.rglob("*.yaml")}, {"run", "sweep", "network", "npu"})
        for path in start.rglob("*.yaml"):
            named = re.match(r"# yaml-language-server: \$schema=(\S+)\n", path.read_text())
            self.assertIsNotNone(named, path)
            schema = json.loads((path.parent / named[1]).read_text())
            self.assertEqual(schema, self.validators[kind_of(load(path))].schema)
            self.assertEqual(self.errors(kind_of(load(path)), load(path)), [])
        self.succeed("check", "start/run.yaml")
        self.succeed("run", "start/run.yaml", "--out", "results")
        self.assertIn("energy", (self.folder / "results/dynamic/summary.json").read_text())
        self.succeed("sweep", "start/sweep.yaml", "--out", "results.sqlite", "--set", "requests=2000")
        self.assertIn("4 ", self.succeed("compare", "results.sqlite", "--metric", "mean_latency_s").stdout)
        self.succeed("network", "show", "start/networks/small.yaml")
        self.succeed("npu", "table", "--network", "start/networks/small.yaml", "--npu", "start/npus/small.yaml", "--max-batch", 4)

    def test_nothing_is_overwritten(self):
        (self.folder / "npus").mkdir()
        self.write("npus/small.yaml", "mine\n")
        result = self.call("init")
        self.assertEqual(result.returncode, 2)
        self.assertRegex(result.stderr, "^init: './npus/small.yaml' is there already; nothing was written")
        self.assertEqual(self.files(), ["npus/small.yaml"])
        self.assertEqual((self.folder / "npus/small.yaml").read_text(), "mine\n")

    @unittest.skipUnless(RELEASE, "the module of the tests is that of the release build")
    def test_the_policy_in_python(self):
        if not list(Path(ROOT / "build/release/python/fluidbatch").glob("_core*.so")):
            self.skipTest("the Python module has not been built")
        module = Path(os.environ.get("FLUIDBATCH_BUILD", ROOT / "build/release")) / "python"
        if not module.is_dir():
            self.skipTest("this build is without the Python module")
        self.succeed("init")
        result = subprocess.run(["/usr/bin/python3", "-B", "my_policy.py"], cwd=self.folder, capture_output=True, text=True, check=False,
                                env={**os.environ, "PYTHONPATH": str(module)})
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("my_policy", result.stdout)


if __name__ == "__main__":
    unittest.main()
