#!/usr/bin/python3
"""What holds the docs site: that its checks find what they are for, and what becomes of a page on its way into it."""

import re
import sys
import tempfile
import unittest
import xml.etree.ElementTree as ElementTree
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "docs/site"))
import api  # noqa: E402
import check  # noqa: E402
import hooks  # noqa: E402
import pages  # noqa: E402

try:
    import fidelity
except ImportError:  # python3-markdown-it, which `make site` installs
    fidelity = None

GOOD = '<html><body><h1 id="one">One</h1><a href="two.html#two">two</a><a href="https://example.org/">far</a></body></html>'


class Checks(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory(prefix="fluidbatch-site-")
        self.addCleanup(temporary.cleanup)
        self.site = Path(temporary.name)
        self.write("index.html", GOOD)
        self.write("two.html", '<h1 id="two">Two</h1>')
        self.write("search/search_index.js", "")

    def write(self, name, text):
        (self.site / name).parent.mkdir(parents=True, exist_ok=True)
        (self.site / name).write_text(text)

    def test_a_good_site_has_no_problems(self):
        self.assertEqual(check.problems(self.site), [])

    def test_whatever_a_browser_would_fetch_is_found(self):
        for element in ('<script src="https://cdn.example/x.js"></script>', '<img src="//example.org/x.png">', '<img srcset="http://a/b.png">',
                        '<link rel="stylesheet" href="https://fonts.example/f.css">', '<link rel="preconnect" href="https://fonts.example">',
                        '<style>@font-face { src: url("https://fonts.example/f.woff") }</style>', '<p style="background: url(//a/b.png)">'):
            with self.subTest(element=element):
                self.write("two.html", '<h1 id="two">Two</h1>' + element)
                self.assertEqual(len(check.problems(self.site)), 1)
        self.write("two.html", '<h1 id="two">Two</h1><img src="data:image/png;base64,AA">')
        self.assertEqual(check.problems(self.site), [])

    def test_a_style_sheet_that_fetches_is_found(self):
        for sheet in ('@import "https://fonts.example/f.css";', "body { background: url('https://example.org/b.png') }"):
            with self.subTest(sheet=sheet):
                self.write("a.css", sheet)
                self.assertEqual(len(check.problems(self.site)), 1)
        self.write("a.css", "body { background: url(b.png) }")
        self.assertEqual(check.problems(self.site), [])

    def test_dead_links_are_found(self):
        for link in ("three.html", "two.html#three", "#two", "sub/"):
            with self.subTest(link=link):
                self.write("index.html", f'{GOOD}<a href="{link}">x</a>')
                self.assertEqual(len(check.problems(self.site)), 1)

    def test_a_site_without_an_index_or_without_pages_is_not_one(self):
        (self.site / "search/search_index.js").unlink()
        self.assertEqual(check.problems(self.site), ["no search index"])
        for page in self.site.glob("*.html"):
            page.unlink()
        self.assertEqual(len(check.problems(self.site)), 2)


class OnTheWay(unittest.TestCase):
    def converted(self, text, path="docs/x.md"):
        with tempfile.TemporaryDirectory() as folder:
            return pages.Pages(folder).converted(path, text)

    def test_angle_brackets_are_characters(self):
        self.assertEqual(self.converted("the policy <B_R, B_P, k>, and `<this>` \\<that> <https://example.org>\n"),
                         "the policy &lt;B_R, B_P, k>, and `<this>` &lt;that> <https://example.org>\n")

    def test_lists_begin_after_an_empty_line(self):
        self.assertEqual(self.converted("two things:\n- one\n  of them\n- two\n"), "two things:\n\n- one\n  of them\n- two\n")
        self.assertEqual(self.converted("1. one\n2. two\n"), "1. one\n2. two\n")

    def test_code_stays_as_it_is(self):
        code = "```cpp\n#include <vector>\n- no list [x](nothing)\n```"
        self.assertIn(code, self.converted(f"look:\n\n{code}\n\nand\n\n    <B_R> [y](nothing)\n"))
        self.assertIn("    <B_R> [y](nothing)", self.converted("and\n\n    <B_R> [y](nothing)\n"))

    def test_comments_are_left_out(self):
        self.assertNotIn("made by", self.converted("<!-- made by: x -->\n| a |\n|---|\n<!-- end -->\n"))

    def test_links_lead_to_pages(self):
        for link, page in (("model.md#sites", "model.md#sites"), ("../README.md", "index.md"), ("../SECURITY.md", "security.md"),
                           ("../experiments/headline/README.md", "experiments/headline.md"),
                           ("example_policy", "files/docs/example_policy/index.md"),
                           ("example_policy/main.cpp", "files/docs/example_policy/main.cpp.md"),
                           ("pictures/preemption.svg", "pictures/preemption.svg"), ("https://example.org/a", "https://example.org/a"),
                           ("#here", "#here")):
            with self.subTest(link=link):
                self.assertEqual(self.converted(f"see [it]({link}).\n"), f"see [it]({page}).\n")
        self.assertIn("](../validation.md)", self.converted("[v](../../docs/validation.md)\n", "experiments/data/README.md"))
        # Its words may be code, whatever code comes after it; in code there are no links.
        self.assertEqual(self.converted("[`run`](../README.md) and `x`, `[it](nothing)`\n"),
                         "[`run`](index.md) and `x`, `[it](nothing)`\n")
        with self.assertRaises(pages.BrokenLink):
            self.converted("[x](no_such_page.md)\n")

    def test_all_pages_of_the_repository_can_be_made(self):
        with tempfile.TemporaryDirectory() as folder:
            made = pages.Pages(folder)
            made.make()
            for page in sorted((ROOT / "docs").glob("*.md")):
                self.assertTrue((Path(folder) / page.name).is_file(), page.name)
            self.assertTrue((Path(folder) / "index.md").is_file())

    def test_headings_have_the_links_of_repositories(self):
        for heading, slug in (("What stays on the chip", "what-stays-on-the-chip"), ("`optimal` and `table`", "optimal-and-table"),
                              ("When it matters, and when it can't", "when-it-matters-and-when-it-cant"), ("class Npu", "class-npu"),
                              ("The uplink (`workload.uplink`)", "the-uplink-workloaduplink"), ("exit_aware", "exit_aware")):
            self.assertEqual(hooks.slug(heading, "-"), slug)

    @unittest.skipIf(fidelity is None, "no markdown-it")
    def test_a_page_that_says_something_else_is_found(self):
        source = "one <B_R, k>:\n- two\n- `three`\n\n| a | b |\n|---|---|\n| `c` | d |\n"
        page = ("<article><p>one &lt;B_R, k&gt;:</p><ul><li>two</li><li><code>three</code></li></ul>"
                "<table><tr><th>a</th><th>b</th></tr><tr><td><code>c</code></td><td>d</td></tr></table></article>")
        self.assertIsNone(fidelity.difference(source, page))
        for wrong in (page.replace("&lt;B_R, k&gt;", ""), page.replace("<li>two</li>", "two"), page.replace("<td>d</td>", "")):
            self.assertIsNotNone(fidelity.difference(source, wrong))


class Headers(unittest.TestCase):
    def test_the_headers_are_those_that_are_installed(self):
        doxyfile, install = (ROOT / "docs/site/Doxyfile").read_text(), (ROOT / "cmake/install.cmake").read_text()
        folders = re.search(r"^INPUT = (.*)$", doxyfile, re.M)[1].split()
        installed = re.search(r"install\(DIRECTORY ([\w ]+) DESTINATION \$\{headers\} FILES_MATCHING", install)[1].split()
        installed += [f"sim/{name}" for name in re.search(r"foreach\(folder ([\w ]+)\)", install)[1].split()]
        self.assertEqual(folders, installed)
        self.assertEqual(set(re.search(r"^EXCLUDE_PATTERNS = (.*)$", doxyfile, re.M)[1].split()),
                         {"*/onnx/*", "*/policies/*", "*/simgrid_compat.h"})

    MEMBER = """<memberdef kind="function" prot="public" static="no"><type>double</type><name>rank</name>
      <argsstring>(const View &amp;view, int a=1) const</argsstring>
      <param><type>const fluidbatch::scheduler::View &amp;</type><declname>view</declname></param>
      <param><type>int</type><declname>a</declname><defval>1</defval></param>
      <briefdescription>%s</briefdescription><detaileddescription/><location file="a.h" line="3"/></memberdef>"""

    def test_a_declaration_is_written_as_in_the_header(self):
        member = ElementTree.fromstring(self.MEMBER % "")
        self.assertEqual(api.signature(member), "double rank(const View& view, int a = 1) const;")

    def test_a_function_that_says_nothing_is_found(self):
        for words, missing in (("", ["a.h:3: Arbiter::rank"]), ("<para>How <computeroutput>urgent</computeroutput> it is.</para>", [])):
            reference = api.Reference(tempfile.gettempdir() + "/no-such-folder")
            compound = ElementTree.fromstring(f"<compounddef><sectiondef>{self.MEMBER % words}</sectiondef></compounddef>")
            parts = reference.members(compound, "Arbiter")
            self.assertEqual(reference.missing, missing)
            self.assertEqual(parts, ["```cpp\ndouble rank(const View& view, int a = 1) const;\n```", *["How `urgent` it is."] * bool(words)])


if __name__ == "__main__":
    unittest.main()
