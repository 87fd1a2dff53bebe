"""Pages of the installed headers, one for each folder, made from doxygen's XML.

A class, a function that takes something, and an enumeration (or all of its values) must say what they are; where one
does not, there is no page but an error. The names of members and of what takes nothing may speak for themselves.
"""

import re
import subprocess
import xml.etree.ElementTree as ElementTree
from collections import defaultdict
from pathlib import Path

from pages import ROOT

NAMESPACE = re.compile(r"\bfluidbatch::(?:\w+::)?")
KINDS = ("class", "struct")


class Undocumented(Exception):
    """Public classes or functions that say nothing of themselves."""


def run_doxygen(folder):
    """Doxygen's XML below `folder`; its warnings are errors."""
    settings = f"@INCLUDE = docs/site/Doxyfile\nOUTPUT_DIRECTORY = {folder}\n"
    Path(folder).mkdir(parents=True, exist_ok=True)
    result = subprocess.run(["doxygen", "-"], input=settings, cwd=ROOT, capture_output=True, text=True, check=False)
    if result.returncode or result.stderr:
        raise Undocumented(f"doxygen: {result.stderr or result.stdout}")
    return Path(folder) / "xml"


def escaped(text):
    return re.sub(r"([\\`*_\[\]|])", r"\\\1", text or "").replace("<", "&lt;")


def prose(element):
    """The words of a description as Markdown, paragraphs apart."""
    if element is None:
        return ""
    return "\n\n".join(filter(None, (paragraph(p) for p in element.findall("para"))))


def paragraph(element):
    parts = [escaped(element.text)]
    for child in element:
        if child.tag == "computeroutput":
            parts.append(f"`{''.join(child.itertext()).strip()}`")
        elif child.tag in ("verbatim", "programlisting"):
            lines = "".join(child.itertext()).strip("\n").splitlines()
            parts.append("\n\n" + "\n".join(f"    {line}" for line in lines) + "\n\n")
        elif child.tag in ("itemizedlist", "orderedlist"):
            parts.append("\n\n" + "\n".join("- " + prose(item).replace("\n\n", " ") for item in child) + "\n\n")
        elif child.tag == "ndash":
            parts.append("-")
        elif child.tag in ("lsquo", "rsquo"):
            parts.append("'")
        else:
            parts.append(escaped("".join(child.itertext())))
        parts.append(escaped(child.tail))
    return re.sub(r"(?<=\S) {2,}", " ", "".join(parts)).strip()


def words(member):
    """What is said of a member, brief and long."""
    brief, detailed = (prose(member.find(f"{kind}description")) for kind in ("brief", "detailed"))
    return "\n\n".join(filter(None, (brief, detailed)))


def text(element, tag=None):
    found = element if tag is None else element.find(tag)
    return "" if found is None else re.sub(r"\s+", " ", "".join(found.itertext())).strip()


def short(code):
    """Code without the namespace that all of it is in."""
    return NAMESPACE.sub("", code).replace("< ", "<").replace(" >", ">").replace(" &", "&").replace(" *", "*")


def template(member):
    parameters = [f"{text(p, 'type')} {text(p, 'declname')}".strip() for p in member.findall("templateparamlist/param")]
    return f"template <{', '.join(parameters)}>\n" if parameters else ""


def assigned(value):
    return f" = {value}" if value else ""


def signature(member):
    """A function's declaration, on several lines where it is long."""
    head = ("static " if member.get("static") == "yes" else "") + short(text(member, "type"))
    head = (head + " " if head.strip() else "") + text(member, "name")
    arguments = [short(f"{text(p, 'type')} {text(p, 'declname')}".strip() + assigned(text(p, "defval")))
                 for p in member.findall("param")]
    end = re.sub(r".*\)", "", text(member, "argsstring")).strip()
    line = f"{head}({', '.join(arguments)}){' ' + end if end else ''};"
    if len(line) > 100:
        line = f"{head}(\n    " + ",\n    ".join(arguments) + f"){' ' + end if end else ''};"
    return template(member) + line


def is_special(member, owner):
    """Constructors, destructors, operators, and what the compiler makes."""
    name, arguments = text(member, "name"), text(member, "argsstring")
    return (name.startswith(("~", "operator")) or name == owner or arguments.endswith(("=default", "=delete")))


def table(head, rows):
    if not rows:
        return []
    cells = ["| " + " | ".join(cell.replace("\n\n", " ").replace("\n", " ") for cell in row) + " |" for row in rows]
    return ["\n".join([f"| {' | '.join(head)} |", "|" + "---|" * len(head), *cells])]


def code(words_of_code):
    """Code in a table's cell."""
    return f"`{words_of_code}`".replace("|", "\\|")


def name_of(folder):
    """The page of a folder's headers."""
    return folder.replace("/", "_") + ".md"


class Reference:
    """The pages of all headers."""

    def __init__(self, xml):
        self.xml = Path(xml)
        self.missing = []
        self.headers = {}
        for path in sorted(self.xml.glob("*.xml")):
            compound = ElementTree.parse(path).getroot().find("compounddef")
            if compound is not None and compound.get("kind") == "file":
                self.headers[compound.find("location").get("file")] = compound

    def pages(self):
        """Markdown by page name; raises Undocumented."""
        folders = defaultdict(list)
        for header in sorted(self.headers):
            folders[header.rpartition("/")[0]].append(header)
        made = {f"api/{name_of(folder)}": self.folder(folder, headers) for folder, headers in folders.items()}
        if self.missing:
            raise Undocumented("these say nothing of themselves:\n" + "\n".join(sorted(self.missing)))
        rows = [[f"[{folder}]({name_of(folder)})", ", ".join(f"`{h.rpartition('/')[2]}`" for h in headers)]
                for folder, headers in folders.items()]
        lead = ("# The headers\n\nWhat `make install` installs: for plug-ins and for programs of one's own "
                "([how](../add_a_policy.md)). Policies begin in `scheduler/policy.h` and `view.h`, programs in "
                "`sim/scenario/builder.h`, `sim/config/run_config.h` and `sim/run/simulation.h`. Namespaces are those "
                "of the top folders, within `fluidbatch`; `npu_model` is `npu`, and `workloads/io` is `io`.")
        made["api/index.md"] = "\n\n".join([lead, *table(["folder", "headers"], rows)]) + "\n"
        return made

    def folder(self, folder, headers):
        parts = [f"# {folder}"]
        for header in headers:
            parts += [f"## {header.rpartition('/')[2]}", self.lead(header), f"```cpp\n#include \"{header}\"\n```"]
            compound = self.headers[header]
            parts += self.members(compound, "")
            for inner in compound.findall("innerclass"):
                parts += self.type(inner.get("refid"))
        return "\n\n".join(filter(None, parts)) + "\n"

    @staticmethod
    def lead(header):
        """The sentence at the header's head."""
        lines = []
        for line in (ROOT / header).read_text().splitlines():
            if not line.startswith("//"):
                break
            lines.append(line.removeprefix("//").strip())
        return escaped(" ".join(lines))

    def type(self, identifier):
        compound = ElementTree.parse(self.xml / f"{identifier}.xml").getroot().find("compounddef")
        name = short(text(compound, "compoundname"))
        said = words(compound)
        if compound.get("prot", "public") != "public" or compound.get("kind") not in KINDS or "@" in name:
            return []
        if not said:
            self.missing.append(f"{compound.find('location').get('file')}: {name}")
        bases = ", ".join(short(text(base)) for base in compound.findall("basecompoundref"))
        declaration = f"{template(compound)}{compound.get('kind')} {name}" + (f" : {bases}" if bases else "")
        return [f"### {name}", f"```cpp\n{declaration}\n```", said, *self.members(compound, name.rpartition("::")[2])]

    def members(self, compound, owner):
        """Enumerations, data and functions of a header or a class, in this order."""
        found = [m for m in compound.findall("sectiondef/memberdef")
                 if m.get("prot") == "public" and "@" not in text(m, "name")]
        parts = []
        for member in (m for m in found if m.get("kind") == "enum"):
            values = [[code(text(v, "name")), words(v)] for v in member.findall("enumvalue")]
            if not all(said for _, said in values):
                self.require(member, owner)
            parts += [f"`enum class {text(member, 'name')}`: {words(member)}", *table(["value", "meaning"], values)]
        data = [[code(short(f"{text(m, 'type')} {text(m, 'name')} {text(m, 'initializer')}".strip())), words(m)]
                for m in found if m.get("kind") == "variable"]
        parts += table(["member", "what it is"], data)
        for member in (m for m in found if m.get("kind") == "typedef"):
            parts += [f"```cpp\n{short(text(member, 'definition'))};\n```", words(member)]
        return parts + self.functions([m for m in found if m.get("kind") == "function"], owner)

    def functions(self, members, owner):
        """Each with what it says; those that let their names speak, together."""
        parts, silent = [], []
        for member in members:
            said = words(member)
            if is_special(member, owner):
                if not said:
                    continue
            elif member.find("reimplements") is None and member.findall("param"):
                self.require(member, owner)
            if not said:
                silent.append(signature(member))
                continue
            parts += [f"```cpp\n{signature(member)}\n```", said]
        return parts + ([f"```cpp\n{chr(10).join(silent)}\n```"] if silent else [])

    def require(self, member, owner):
        if not words(member):
            self.missing.append(f"{member.find('location').get('file')}:{member.find('location').get('line')}: "
                                + "::".join(filter(None, (owner, text(member, "name")))))
