#!/usr/bin/python3
"""README and docs are true: their commands run, their lists are what the program says."""

import os
import re
import shlex
import subprocess
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from harness import CONFIG, PROGRAM, RELEASE, ROOT, CommandLineTest  # noqa: E402

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def commands(page):
    """The lines of a page's ```sh blocks, continuation lines joined."""
    for block in re.findall(r"^```sh\n(.*?)^```", page.read_text(), re.M | re.S):
        for line in block.replace("\\\n", " ").splitlines():
            line = line.split("  #")[0].strip()
            if line and not line.startswith("#"):
                yield line


class Docs(CommandLineTest):
    def setUp(self):
        super().setUp()
        for entry in ("experiments", "docs", "tests", "Makefile", "npu_model", "workloads"):
            (self.folder / entry).symlink_to(ROOT / entry)

    def test_commands_run(self):
        ran = 0
        for page in PAGES:
            if page.name == "tutorial.md":  # its commands need its files, and are run in the next test
                continue
            for command in commands(page):
                words = shlex.split(command)
                with self.subTest(page=page.name, command=command):
                    if words[0] == "make":  # would build this tree again; the targets must be there
                        result = subprocess.run(["make", "-n", *words[1:]], cwd=ROOT, capture_output=True, text=True,
                                                check=False)
                        self.assertEqual(result.returncode, 0, result.stderr)
                    elif words[0] in ("git", "cd", "sudo", "apt-get"):
                        continue
                    else:
                        self.assertEqual(words[0], "build/release/bin/fluidbatch", "what command is this?")
                        self.assertEqual(self.call(*words[1:]).returncode, 0, command)
                    ran += 1
        self.assertGreater(ran, 8)

    @unittest.skipUnless(RELEASE, "takes long with sanitizers")
    def test_the_tutorial_gives_what_it_shows(self):
        if not (Path(PROGRAM).parents[1] / "python/fluidbatch").exists():
            self.skipTest("built without the Python module")
        result = subprocess.run(["/usr/bin/python3", "-B", str(ROOT / "docs/tutorial.py"), str(Path(PROGRAM).parent), "--check"],
                                capture_output=True, text=True, check=False)
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr + " (run `make docs`)")

    def test_readme_shows_what_the_quickstart_prints(self):
        output = self.succeed("run", "experiments/quickstart.yaml").stdout
        self.assertIn("```\n" + output + "```", (ROOT / "README.md").read_text())

    @unittest.skipUnless(os.environ.get("FLUIDBATCH_BUILD", "").endswith("release"), "takes long with sanitizers")
    def test_made_parts_are_up_to_date(self):
        result = subprocess.run(["/usr/bin/python3", "-B", str(ROOT / "docs/update.py"),
                                 os.environ["FLUIDBATCH_BUILD"] + "/bin", "--check"], capture_output=True, text=True,
                                check=False)
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr + " (run `make docs`)")

    def test_figure_script(self):
        plot = ["/usr/bin/python3", "-B", str(ROOT / "experiments/preemption/plot.py"), "--program", PROGRAM, "--out"]
        subprocess.run([*plot, str(self.folder / "picture")], capture_output=True, check=True)
        self.assertEqual((self.folder / "picture/preemption.svg").read_bytes(),
                         (ROOT / "docs/pictures/preemption.svg").read_bytes(), "docs/pictures is out of date")

    def test_figure_of_the_fit(self):
        script = ["/usr/bin/python3", "-B", str(ROOT / "experiments/run.py"), "npu_fit"]
        results = str(self.folder / "npu_fit.sqlite")
        subprocess.run([*script, "collect", results, "--program", PROGRAM], capture_output=True, check=True)
        subprocess.run([*script, "plot", results, "--out", str(self.folder / "picture")], capture_output=True,
                       check=True)
        self.assertEqual((self.folder / "picture/npu_fit.svg").read_bytes(), (ROOT / "docs/pictures/npu_fit.svg").read_bytes(),
                         "docs/pictures is out of date")

    def test_the_example_policy_is_the_page_s(self):
        """test_install.py builds and runs it."""
        sources = re.findall(r"```cpp\n(.*?)```", (ROOT / "docs/add_a_policy.md").read_text(), re.S)
        for source, name in zip(sources, ("patient", "crowded", "longest_queue", "at_home"), strict=True):
            self.assertEqual(source, (ROOT / f"docs/example_policy/{name}.cpp").read_text())

    def test_every_key_is_documented(self):
        page = (ROOT / "docs/configuration.md").read_text()
        self.write("c.yaml", CONFIG)
        self.succeed("run", "c.yaml", "--out", "out")
        keys = set(re.findall(r"^[ -]*(\w+):", (self.folder / "out/resolved.yaml").read_text(), re.M))
        for source in ("sim/config/run_config.cpp", "workloads/models/npu_file.cpp", "workloads/models/network.cpp", "workloads/uplink/uplink.cpp", "workloads/traffic/devices.cpp", "workloads/traffic/rate_profile.cpp",
                       "workloads/models/network_builder.cpp", *(str(p) for p in sorted((ROOT / "workloads/traffic/arrivals").glob("*.cpp"))),
                       *(str(p) for p in sorted((ROOT / "workloads/exits").glob("*.cpp")))):
            text = (ROOT / source).read_text()
            for group in re.findall(r'(?:MapReader \w+\(|root_\(|\.keys = |keys\{|\{"name", "kind").*?\}', text, re.S):
                keys.update(re.findall(r'"(\w+)"', group))
        for listing in ("policy", "exit-control"):
            for line in self.succeed(listing, "list").stdout.splitlines():
                if not line.startswith(5 * " "):  # which goes on with what something means
                    keys.add(line.split()[0])
        for key in sorted(keys):
            self.assertRegex(page, rf"\b{key}\b", f"docs/configuration.md does not mention '{key}'")

    def test_every_arbiter_and_router_is_documented(self):
        page = (ROOT / "docs/policies.md").read_text()
        for listing in ("arbiter", "router"):
            names = [line.split()[0] for line in self.succeed(listing, "list").stdout.splitlines()
                     if not line.startswith(5 * " ")]
            self.assertGreaterEqual(len(names), 7)
            section = re.search(rf"^## {listing.capitalize()}s$(.*?)(?=^## |\Z)", page, re.M | re.S)[1]
            for name in names:
                self.assertRegex(section, rf"`{name}\b", f"docs/policies.md does not mention the {listing} '{name}'")

    def test_links_lead_somewhere(self):
        for page in PAGES:
            prose = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.M | re.S)
            for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", prose):
                if "://" not in target:
                    self.assertTrue((page.parent / target).exists(), f"{page.name}: {target}")

    def test_make_prints_its_targets(self):
        text = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
        for target in ("run", "test", "bench", "lint", "install"):
            self.assertIn(f"make {target}", text)


if __name__ == "__main__":
    unittest.main()
