#!/usr/bin/python3
"""`make install`: the installed program works away from the build tree, others link the library, and policies of others
are linked or loaded. The example is docs/example_policy."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from onnx_file import two_convolutions  # noqa: E402
from harness import CONFIG, RELEASE, ROOT, CommandLineTest  # noqa: E402

EXAMPLE = ROOT / "docs/example_policy"


def made(*command, cwd=None, **environment):
    result = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=300, check=False,
                            cwd=cwd, env={**os.environ, **environment})
    if result.returncode != 0:
        raise AssertionError(f"{command}\n{result.stdout}{result.stderr}")
    return result.stdout


class InstallTest(CommandLineTest):
    def setUp(self):
        super().setUp()
        self.prefix = self.folder / "prefix"
        made("cmake", "--install", os.environ["FLUIDBATCH_BUILD"], "--prefix", self.prefix)
        self.program = str(self.prefix / "bin/fluidbatch")


class Program(InstallTest):
    def test_installed_program(self):
        self.assertIn("ee_resnet50", self.succeed("network", "list", program=self.program).stdout)
        (self.folder / "m.onnx").write_bytes(two_convolutions())
        self.succeed("network", "import", "m.onnx", "--out", "n.yaml", program=self.program)
        self.write("c.yaml", CONFIG)
        self.succeed("run", "c.yaml", "--out", "out", program=self.program)
        for name in ("share/fluidbatch/npus/zu7ev_large.yaml", "share/doc/fluidbatch/README.md",
                     "share/doc/fluidbatch/docs/model.md"):
            self.assertTrue((self.prefix / name).is_file(), name)
        for name, words in (("share/bash-completion/completions/fluidbatch", ("completion", "bash")),
                            ("share/zsh/site-functions/_fluidbatch", ("completion", "zsh")),
                            ("share/fish/vendor_completions.d/fluidbatch.fish", ("completion", "fish")),
                            ("share/man/man1/fluidbatch.1", ("manual",))):
            self.assertEqual((self.prefix / name).read_text(), self.succeed(*words, program=self.program).stdout)

    def test_installed_python_module(self):
        packages = list(self.prefix.glob("lib/python3*/dist-packages"))
        if not packages:
            self.skipTest("this build is without the Python module")
        self.write("c.yaml", CONFIG)
        self.succeed("run", "c.yaml", "--out", "program", program=self.program)
        made("/usr/bin/python3", "-B", "-c", "import fluidbatch as fb; fb.run('c.yaml', out='module')",
             PYTHONPATH=str(packages[0]), cwd=self.folder)
        for file in (self.folder / "program").rglob("*.*"):
            self.assertEqual((self.folder / "module" / file.relative_to(self.folder / "program")).read_bytes(), file.read_bytes())

    def test_the_shipped_files_are_where_the_environment_says(self):
        elsewhere = self.folder / "elsewhere"
        (self.prefix / "share/fluidbatch").rename(elsewhere)
        self.assertEqual(self.call("network", "list", program=self.program).returncode, 2)
        for value, code, text in ((elsewhere, 0, "ee_resnet50"),
                                  ("/nowhere", 2, "^FLUIDBATCH_SHARE: no folder '/nowhere'; it must hold")):
            result = subprocess.run([self.program, "network", "list"], capture_output=True, text=True, check=False,
                                    env={**os.environ, "FLUIDBATCH_SHARE": str(value)})
            self.assertEqual(result.returncode, code, result.stderr)
            self.assertRegex(result.stdout + result.stderr, text)

    def test_installed_headers_include_installed_headers(self):
        folder = self.prefix / "include/fluidbatch"
        headers = sorted(folder.rglob("*.h"))
        self.assertGreater(len(headers), 50)
        for header in headers:
            for kind, name in re.findall(r'^#include ([<"])([^>"]+)[>"]', header.read_text(), re.M):
                if kind == '"':
                    self.assertTrue((folder / name).is_file(), f"{header} includes {name}")
                elif "/" in name:
                    self.assertTrue(name.startswith("Eigen/"), f"{header} needs {name}, which users then need too")


class Pages(InstallTest):
    """What the installed pages say to type, in a folder of the user's."""

    def setUp(self):
        super().setUp()
        self.pages = self.prefix / "share/doc/fluidbatch"
        # The program's folder and Debian's own: /usr/bin/python3 is the one that the module is built for.
        self.environment = {"PATH": f"{self.prefix}/bin:/usr/bin:/bin", "CMAKE_PREFIX_PATH": str(self.prefix),
                            "PYTHONPATH": ":".join(map(str, self.prefix.glob("lib/python3*/dist-packages"))), "PYTHONDONTWRITEBYTECODE": "1"}

    def type(self, script, folder=None):
        return made("bash", "-e", "-c", script, cwd=folder or self.folder, **self.environment)

    def blocks(self, page):
        return re.findall(r"^```(?:sh)?\n(.*?)^```$", page.read_text(), re.M | re.S)

    def commands(self, page):
        """Those of the program, in ```sh blocks and in indented ones."""
        text = page.read_text().replace("\\\n", " ")
        return [line.split("  #")[0].strip() for line in re.findall(r"^(?:    )?(fluidbatch .*)$", text, re.M)]

    def test_the_quickstart(self):
        begin, shown = self.blocks(self.pages / "README.md")[:2]
        self.assertIn("cp -r", begin)
        self.assertIn("results in runs/quickstart/", shown)
        self.assertEqual(self.type(begin), shown)
        self.assertTrue((self.folder / "fluidbatch-examples/runs/quickstart/serial/summary.json").is_file())

    def test_what_commands_name_is_among_the_examples(self):
        examples = self.prefix / "share/fluidbatch/examples"
        named = set()
        for page in [self.pages / "README.md", *(self.pages / "docs").glob("*.md")]:
            self.assertNotRegex(page.read_text(), r"(?m)^ *build/release/bin/fluidbatch ")
            named |= set(re.findall(r" (experiments/\S+)", "\n".join(self.commands(page))))
        self.assertGreater(len(named), 12)
        self.assertEqual([name for name in sorted(named) if not (examples / name).is_file()], [])
        self.assertEqual([p for p in examples.rglob("*") if p.is_file() and p.suffix not in (".yaml", ".csv") and p.parent.name != "data"], [])

    @unittest.skipUnless(RELEASE, "takes long with sanitizers")
    def test_every_command_of_the_readme(self):
        shutil.copytree(self.prefix / "share/fluidbatch/examples", self.folder / "examples")
        commands = [c for c in self.commands(self.pages / "README.md") if "AzureLLM" not in c]  # a file that is downloaded
        self.assertGreater(len(commands), 30)
        for command in commands:
            self.type(command, self.folder / "examples")

    def starter_commands(self, words):
        """Those of the README of what `init` writes, which begin with one of these words."""
        self.succeed("init", "start", program=self.program)
        lines = re.findall(r"^    (.+)$", (self.folder / "start/README.md").read_text(), re.M)
        return [line.split("  #")[0].strip() for line in lines if line.split()[0] in words]

    @unittest.skipUnless(RELEASE, "a plug-in for one build is enough")
    def test_the_start(self):
        commands = self.starter_commands(("fluidbatch", "cmake"))
        self.assertGreaterEqual(len(commands), 7)
        self.assertTrue(any("--plugin" in command for command in commands))
        for command in commands:
            self.type(command, self.folder / "start")
        own = json.loads((self.folder / "start/own/dynamic/summary.json").read_text())
        self.assertEqual(own["policy"], "my_policy")
        schema = self.type("fluidbatch schema run --plugin build/libmy_policy.so", self.folder / "start")
        self.assertIn('"my_policy"', schema)

    def test_the_start_in_python(self):
        if not self.environment["PYTHONPATH"]:
            self.skipTest("this build is without the Python module")
        commands = self.starter_commands(("python3",))
        self.assertEqual(commands, ["python3 my_policy.py"])
        self.assertIn("my_policy", self.type(commands[0], self.folder / "start"))


@unittest.skipUnless(RELEASE, "one build of it is enough")
class Library(InstallTest):
    def build_example(self, prefix, folder):
        made("cmake", "-S", EXAMPLE, "-B", folder, f"-DCMAKE_PREFIX_PATH={prefix}", "-DCMAKE_BUILD_TYPE=Release")
        made("cmake", "--build", folder, "--parallel", "2")

    def test_a_policy_linked_and_loaded(self):
        self.build_example(self.prefix, self.folder / "build")
        linked = made(self.folder / "build/mean_latency", EXAMPLE / "patient.yaml")
        self.assertEqual([line.split()[0] for line in linked.splitlines()], ["dynamic", "patient"])
        self.assertEqual(linked, self.means_of_the_program("build/libpatient.so"))

        flags = shlex.split(made("pkg-config", "--cflags", "--libs", "fluidbatch",
                                 PKG_CONFIG_PATH=str(self.prefix / "lib/pkgconfig")))
        made("g++", "-std=c++20", EXAMPLE / "main.cpp", EXAMPLE / "patient.cpp", *flags, "-o", self.folder / "by_pkg_config")
        self.assertEqual(made(self.folder / "by_pkg_config", EXAMPLE / "patient.yaml"), linked)

        moved = self.folder / "moved"
        self.prefix.rename(moved)
        result = self.call(EXAMPLE / "patient.yaml", program=self.folder / "by_pkg_config")
        self.assertRegex(result.stderr, "prefix/share/fluidbatch, .*share/fluidbatch: the folder with the shipped networks")
        self.build_example(moved, self.folder / "again")
        self.assertEqual(made(self.folder / "again/mean_latency", EXAMPLE / "patient.yaml"), linked)

    def means_of_the_program(self, plugin):
        """As mean_latency prints them, of the installed program with a plug-in."""
        self.succeed("run", EXAMPLE / "patient.yaml", "--plugin", plugin, "--out", "out", program=self.program)
        text = ""
        for system in ("dynamic", "patient"):
            summary = (self.folder / "out" / system / "summary.json").read_text()
            text += f"{system} {float(re.search(r'.mean_latency_s.: ([^,]+)', summary)[1]):.17g} s\n"
        return text


@unittest.skipUnless(RELEASE, "a plug-in for one build is enough")
class Plugins(InstallTest):
    """One plug-in is compiled, others are made from it."""

    def setUp(self):
        super().setUp()
        for name in ("patient", "crowded", "longest_queue", "at_home"):
            shutil.copy(EXAMPLE / f"{name}.cpp", self.folder)
        shutil.copy(EXAMPLE / "patient.yaml", self.folder)

    def compile(self, name, source="patient.cpp", headers=None):
        headers = headers or self.prefix / "include/fluidbatch"
        made("g++", "-std=c++20", "-shared", "-fPIC", f"-I{headers}", "-isystem", "/usr/include/eigen3", self.folder / source,
             "-o", self.folder / name)

    def refuse(self, message, *arguments):
        before = self.files()
        result = self.call(*arguments, program=self.program)
        self.assertEqual(result.returncode, 2, result.stderr)
        self.assertRegex(result.stderr, message)
        self.assertEqual(self.files(), before)

    def test_every_command_takes_plug_ins(self):
        self.compile("libpatient.so")
        plugin = ("--plugin", "libpatient.so")
        few = ("--set", "requests=2000", "--set", "warmup_requests=0")
        self.assertIn("\npatient ", self.succeed("policy", "list", *plugin, program=self.program).stdout)
        self.assertNotIn("\npatient ", self.succeed("policy", "list", program=self.program).stdout)
        self.refuse("unknown .*'patient'", "check", "patient.yaml")
        self.succeed("check", "patient.yaml", *plugin, program=self.program)
        self.succeed("workload", "describe", "patient.yaml", *plugin, *few, program=self.program)
        self.succeed("capacity", "patient.yaml", *plugin, *few, "--most-runs", "1", "--tolerance", "0.2", program=self.program)

        self.succeed("run", "patient.yaml", *plugin, *few, "--out", "out", program=self.program)
        resolved = (self.folder / "out/resolved.yaml").read_text()
        self.assertIn(f"plugins: [{self.folder}/libpatient.so]", resolved)
        self.succeed("run", "out/patient/resolved.yaml", "--out", "again", program=self.program)
        self.assertEqual(*((self.folder / out / "patient/requests.csv").read_bytes() for out in ("out", "again")))

        # A path in a file is relative to it.
        (self.folder / "below").mkdir()
        text = (self.folder / "patient.yaml").read_text()
        self.write("below/c.yaml", "plugins: [../libpatient.so]\n" + text)
        self.succeed("run", "below/c.yaml", *few, "--out", "third", program=self.program)
        self.assertEqual((self.folder / "third/resolved.yaml").read_text(), resolved)

    def test_an_exit_control_of_ones_own(self):
        self.compile("libcrowded.so", "crowded.cpp")
        plugin = ("--plugin", "libcrowded.so")
        self.assertIn("\ncrowded ", self.succeed("exit-control", "list", *plugin, program=self.program).stdout)
        self.write("conf.csv", "conf_0,correct_0,conf_1,correct_1,conf_2,correct_2,conf_3,correct_3\n" +
                   "\n".join(f"0.{i},{i % 2},0.{i}5,1,0.9,1,1,1" for i in range(10)) + "\n")
        self.write("c.yaml", "network: ee_resnet18\nrequests: 1000\n"
                   "workload: {arrivals: {kind: poisson, rho: 2}, exits: {kind: confidences, path: conf.csv, threshold: 0.7}}\n"
                   "systems:\n  - {label: own, policy: {name: dynamic_batching}, exit_control: {kind: crowded, per_sample: 0.1}}\n"
                   "  - {label: fixed, policy: {name: dynamic_batching}}\n")
        self.refuse("unknown exit_control kind 'crowded'", "check", "c.yaml")
        self.succeed("run", "c.yaml", *plugin, "--audit", "--out", "out", program=self.program)
        own, fixed = (json.loads((self.folder / f"out/{label}/summary.json").read_text()) for label in ("own", "fixed"))
        self.assertEqual(own["exit_control"], "crowded")
        self.assertLess(own["statistics"]["mean_threshold"], 0.69)
        self.assertEqual(fixed["statistics"]["mean_threshold"], 0.7)

    def test_an_arbiter_and_a_router_of_ones_own(self):
        for kind, name in (("arbiter", "longest_queue"), ("router", "at_home")):
            with self.subTest(kind=kind):
                self.compile(f"lib{name}.so", f"{name}.cpp")
                plugin = ("--plugin", f"lib{name}.so")
                self.assertRegex(self.succeed(kind, "list", *plugin, program=self.program).stdout, rf"(?m)^{name} ")
                self.assertNotRegex(self.succeed(kind, "list", program=self.program).stdout, rf"(?m)^{name} ")
                self.write("taken.cpp", (self.folder / f"{name}.cpp").read_text().replace(f'"{name}"', '"round_robin"'))
                self.compile("taken.so", "taken.cpp")
                self.refuse(f"brings an? {kind} 'round_robin', which already exists", kind, "list", "--plugin", "taken.so")
                self.succeed("policy", "list", *plugin, program=self.program)

    def test_sweeps_take_plug_ins_and_notice_another(self):
        self.compile("libpatient.so")
        self.write("s.yaml", "base: patient.yaml\naxes: {grid: {requests: [1500, 2000], systems.patient.policy.min_batch: [2, 3]}}\n")
        sweep = ("sweep", "s.yaml", "--plugin", "libpatient.so", "--out", "r.sqlite")
        self.assertIn("8 points", self.succeed(*sweep, "--dry-run", program=self.program).stdout)
        self.assertIn("3 points run", self.succeed(*sweep, "--limit", "3", program=self.program).stdout)
        self.assertIn("5 points run", self.succeed(*sweep, "--resume", program=self.program).stdout)
        self.write("other.cpp", (self.folder / "patient.cpp").read_text().replace("10, .min = 0", "11, .min = 0"))
        self.compile("libpatient.so", "other.cpp")
        self.refuse("libpatient.so", *sweep, "--resume")

    def test_what_is_not_a_plug_in(self):
        self.write("text.so", "no shared object\n")
        self.write("empty.cpp", '#include "scheduler/registry.h"\n')
        self.compile("empty.so", "empty.cpp")
        for plugin, message in (("none.so", r"^--plugin: no file '.*/none\.so'$"),
                                (".", "is a folder, not a file"),
                                ("text.so", r"^--plugin: the plug-in '.*/text\.so' can't be loaded: (file too short|invalid ELF header)$"),
                                (self.program, r"can't be loaded: cannot dynamically load position-independent executable"),
                                ("empty.so", "brings no policy, exit control, arbiter or router; it needs a static scheduler::PolicyRegistration, "
                                 "ExitControlRegistration, ArbiterRegistration or RouterRegistration")):
            with self.subTest(plugin=plugin):
                self.refuse(message, "run", "patient.yaml", "--plugin", plugin, "--out", "out")
        self.write("c.yaml", (self.folder / "patient.yaml").read_text() + "plugins: [empty.so]\n")
        self.refuse(r"^c\.yaml:11:11: the plug-in '.*/empty\.so' brings no policy, exit control, arbiter or router; ", "run", "c.yaml")
        self.write("c.yaml", (self.folder / "patient.yaml").read_text() + "plugins: empty.so\n")
        self.refuse(r"^c\.yaml:11:10: plugins must be a list", "run", "c.yaml")
        self.refuse("plugins must be a list", "run", "c.yaml", "--plugin", "empty.so")

    def test_plug_ins_that_do_not_fit(self):
        source = (self.folder / "patient.cpp").read_text()
        self.write("serial.cpp", source.replace('"patient"', '"serial"'))
        self.compile("serial.so", "serial.cpp")
        self.refuse("brings a policy 'serial', which already exists", "policy", "list", "--plugin", "serial.so")
        self.compile("patient.so")
        shutil.copy(self.folder / "patient.so", self.folder / "twin.so")
        self.refuse("twin.so' brings a policy 'patient', which already exists", "policy", "list", "--plugin", "patient.so",
                    "--plugin", "twin.so")
        self.succeed("policy", "list", "--plugin", "patient.so", "--plugin", "./patient.so", program=self.program)

        # Headers of another version: refused by their stamp, before anything of the plug-in is read.
        headers = self.folder / "headers"
        shutil.copytree(self.prefix / "include/fluidbatch", headers)
        stamp = headers / "scheduler/interface_stamp.h"
        stamp.write_text(re.sub(r"/\w+\"", "/other\"", stamp.read_text()))
        registry = headers / "scheduler/registry.h"
        registry.write_text(registry.read_text().replace("struct PolicyInfo {", "struct PolicyInfo {\n  double another[7] = {};"))
        self.compile("old.so", headers=headers)
        self.refuse("old.so' was built for fluidbatch policy interface [0-9.]+/other, and this is fluidbatch policy interface [0-9.]+/[0-9a-f]+; build", "policy", "list",
                    "--plugin", "old.so")
        # One that calls what there is not.
        self.write("gone.cpp", "bool gone();\n" + source.replace("if (view.idle()) {", "if (gone() || view.idle()) {"))
        self.compile("gone.so", "gone.cpp")
        self.refuse("can't be loaded: undefined symbol: .*; was it built for another version", "policy", "list", "--plugin", "gone.so")


if __name__ == "__main__":
    unittest.main()
