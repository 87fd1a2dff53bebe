#!/usr/bin/python3
"""build.py [FOLDER]: the docs site in FOLDER (build/site): all Markdown of the repository, and the headers' pages.

Warnings of mkdocs and of doxygen are errors, as are links that lead to nothing, whatever would be fetched from
elsewhere, and pages that say something else than their sources.
"""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import api
import check
import fidelity
from pages import ROOT, BrokenLink, Pages

HERE = Path(__file__).resolve().parent
# The order of what is in docs/; a page that is not named here comes last, under its own title.
SECTIONS = {
    "Start": ("index", "tutorial", "gallery", "not_modelled", "peers"),
    "Use": ("configuration", "workloads", "policies", "metrics", "sweeps", "explorer", "tail", "python", "schemas",
            "cluster"),
    "Model": ("model", "memory", "rtl", "validation", "reproduction", "performance"),
    "Extend": ("add_a_policy", "design", "contributing", "security", "changelog"),
}


def title(page):
    """A page's own heading."""
    for line in page.read_text().splitlines():
        if line.startswith("# "):
            return line.removeprefix("# ").replace("`", "")
    return page.stem


def navigation(folder):
    """What stands in the site's left column."""
    named = {name for names in SECTIONS.values() for name in names}
    sections = {section: [f"{name}.md" for name in names if (folder / f"{name}.md").exists()]
                for section, names in SECTIONS.items()}
    more = sorted(path.name for path in folder.glob("*.md") if path.stem not in named)
    if more:
        sections["More"] = more
    sections["Experiments"] = sorted(f"experiments/{path.name}" for path in (folder / "experiments").glob("*.md"))
    headers = sorted(f"api/{path.name}" for path in (folder / "api").glob("*.md") if path.stem != "index")
    sections["Headers"] = ["api/index.md", *headers]
    return [{section: [{"fluidbatch" if page == "index.md" else title(folder / page): page} for page in pages]}
            for section, pages in sections.items()]


def sources(folder, scratch):
    """All pages as mkdocs takes them; by page the file that it is made from."""
    pages = Pages(folder)
    pages.make()
    for page, text in api.Reference(api.run_doxygen(scratch / "doxygen")).pages().items():
        (folder / page).parent.mkdir(exist_ok=True)
        (folder / page).write_text(text)
    shutil.copyfile(HERE / "site.css", folder / "site.css")
    return pages.sources


def build(site):
    scratch = site.with_name(site.name + "-sources")
    shutil.rmtree(scratch, ignore_errors=True)
    pages = scratch / "pages"
    pages.mkdir(parents=True)
    made_from = sources(pages, scratch)
    # JSON is YAML, too.
    settings = {
        "INHERIT": str(HERE / "mkdocs.yml"),
        "docs_dir": str(pages),
        "site_dir": str(site),
        "nav": navigation(pages),
        "theme": {"custom_dir": str(HERE / "overrides")},
        "hooks": [str(HERE / "hooks.py")],
    }
    (scratch / "mkdocs.yml").write_text(json.dumps(settings, indent=1))
    made = subprocess.run(["mkdocs", "build", "--strict", "--clean", "--config-file", scratch / "mkdocs.yml"],
                          stderr=subprocess.STDOUT, stdout=subprocess.PIPE, text=True)
    if made.returncode:
        return [made.stdout.strip()]
    return check.problems(site) + fidelity.problems(site, made_from)


def main():
    site = Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "build/site").resolve()
    try:
        found = build(site)
    except (BrokenLink, api.Undocumented) as error:
        found = [str(error)]
    print("\n".join(found) or f"open {site}/index.html", file=sys.stderr if found else sys.stdout)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
