"""The repository's Markdown as pages of the site: where each goes, and what Python's Markdown needs otherwise.

Files outside docs/ that a page links to become pages too, so that no link of the site leads out of it.
"""

import posixpath
import re
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TOP = {"README.md": "index.md", "CHANGELOG.md": "changelog.md", "CONTRIBUTING.md": "contributing.md",
       "SECURITY.md": "security.md"}
# Text that is shown with its syntax, by the ending of its file.
LANGUAGES = {".cpp": "cpp", ".h": "cpp", ".py": "python", ".yaml": "yaml", ".sh": "bash"}
LARGEST_SHOWN = 64 * 1024  # bytes; what is larger is copied and linked to

# A link, whose words may be code; or code, in which there are no links.
LINK_OR_CODE = re.compile(r"(!?\[(?:[^\]\[]|\[[^\]]*\])*\]\()([^)\s#]*)(#[^)\s]*)?(\))|`+[^`]*`+")
FENCE = re.compile(r" {0,3}(```+|~~~+)")
ITEM = re.compile(r"(?:[-*+]|\d+[.)]) ")


class BrokenLink(Exception):
    """A link that leads to nothing."""


def page_of(path):
    """Where a file or folder of the repository stands in the site's sources."""
    if path in TOP:
        return TOP[path]
    if path.startswith("docs/"):
        inside = path.removeprefix("docs/")
        if inside.endswith(".md") or inside.startswith("pictures/"):
            return inside
    if path.endswith("/README.md"):
        return path.removesuffix("/README.md") + ".md"
    if (ROOT / path).is_dir():
        return f"files/{path}/index.md"
    if (ROOT / path).suffix == ".svg":
        return f"files/{path}"
    return f"files/{path}" if (ROOT / path).stat().st_size > LARGEST_SHOWN else f"files/{path}.md"


def split_code(text):
    """The text as lists of lines, in turn prose and code (fenced, or indented by four columns after an empty line)."""
    parts, fence, code, empty = [(False, [])], None, False, True
    for line in text.splitlines():
        opening = FENCE.match(line)
        if fence:
            inside, fence = True, None if line.strip() == fence else fence
        elif opening:
            inside, fence = True, opening[1]
        else:
            inside = line.startswith("    ") and (empty or code)
        code = inside
        if inside != parts[-1][0]:
            parts.append((inside, []))
        parts[-1][1].append(line)
        empty = not line.strip()
    return parts


def escape_angles(line):
    """Angle brackets that open nothing, as `<T_R, T_P>`, as characters; links in them stay."""
    pieces = re.split(r"(`+[^`]*`+)", line)
    return "".join(p if p.startswith("`") else re.sub(r"\\?<(?!https?:)", "&lt;", p) for p in pieces)


def prose(lines):
    """Prose for Python's Markdown: no comments, lists after an empty line."""
    text = re.sub(r"<!--.*?-->", "", "\n".join(lines), flags=re.S)
    out, in_list = [], False
    for line in text.split("\n"):
        item = bool(ITEM.match(line))
        if item and not in_list and out and out[-1].strip():
            out.append("")
        in_list = item or (in_list and (line.startswith("  ") or not line.strip()))
        out.append(escape_angles(line))
    return "\n".join(out)


def repository_files():
    """The files of the source, also where it was unpacked without its history."""
    if not (ROOT / ".git").exists():
        made = ("build/", "runs/")
        files = sorted(str(path.relative_to(ROOT)) for path in ROOT.rglob("*") if path.is_file())
        return [file for file in files if not file.startswith(made) and "__pycache__" not in file]
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True,
                            check=True).stdout
    return [file for file in listed.splitlines() if (ROOT / file).is_file()]


class Pages:
    """The site's sources in a folder, made from the repository; what they link to is added as it is met."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.sources = {}  # page: the file of the repository that it is made from
        self.waiting = []
        self.files = repository_files()

    def add(self, path):
        """The page of a file or folder, written now or later."""
        page = page_of(path)
        if page not in self.sources:
            self.sources[page] = path
            self.waiting.append(path)
        return page

    def make(self):
        """Writes all Markdown of the repository, and what it links to."""
        for path in self.files:
            if path.endswith(".md") and not path.startswith("docs/site/"):
                self.add(path)
        while self.waiting:
            self.write(self.waiting.pop())

    def write(self, path):
        target = self.folder / page_of(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        source = ROOT / path
        if source.is_dir():
            target.write_text(self.listing(path))
        elif target.suffix != ".md":
            shutil.copyfile(source, target)
        elif path.endswith(".md"):
            target.write_text(self.converted(path, source.read_text()))
        else:
            fence = "````"
            language = LANGUAGES.get(source.suffix, "text")
            target.write_text(f"# {path}\n\n{fence}{language}\n{source.read_text()}{fence}\n")

    def listing(self, path):
        page = page_of(path)
        rows = [f"# {path}", ""]
        for file in sorted(f for f in self.files if f.startswith(path + "/")):
            link = posixpath.relpath(self.add(file), posixpath.dirname(page))
            rows.append(f"- [{file.removeprefix(path + '/')}]({link})")
        return "\n".join(rows) + "\n"

    def converted(self, path, text):
        parts = []
        for is_code, lines in split_code(text):
            parts.append("\n".join(lines) if is_code else self.relinked(path, prose(lines)))
        return "\n".join(parts) + "\n"

    def relinked(self, path, text):
        """Links as they are in the site; in backquotes there are none."""
        def one(match):
            target, fragment = match[2], match[3] or ""
            if target is None or "://" in target or target.startswith("mailto:") or not target:
                return match[0]
            file = posixpath.normpath(posixpath.join(posixpath.dirname(path), target))
            if not (ROOT / file).exists():
                raise BrokenLink(f"{path}: {target} leads to nothing")
            page = posixpath.relpath(self.add(file), posixpath.dirname(page_of(path)))
            return f"{match[1]}{page}{fragment}{match[4]}"

        return LINK_OR_CODE.sub(one, text)
