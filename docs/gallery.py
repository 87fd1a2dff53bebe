#!/usr/bin/python3
"""gallery.py: a section for each experiment that has pictures, for docs/gallery.md, from what stands beside them.

A picture docs/pictures/**/NAME.svg or NAME_MORE.svg belongs to experiments/NAME, whose README.md has its title, what
one sees (its first sentence) and the commands; what came out are the first two sentences of the section of
docs/reproduction.md that shows it.
"""

import os
import re
import sys
from pathlib import Path

DOCS = Path(__file__).resolve().parent
EXPERIMENTS = DOCS.parent / "experiments"
# What ends a sentence is followed by a capital, or by nothing; so are colons in front of commands.
SENTENCE = re.compile(r"(.+?[.:])(?=\s+[A-Z`*!]|\s*\Z)", re.S)


def experiment_of(picture, names):
    """The experiment with the longest name that the picture's begins with."""
    fitting = [name for name in names if picture.stem == name or picture.stem.startswith(name + "_")]
    if not fitting:
        sys.exit(f"{picture}: of which experiment? There is no experiments/NAME/README.md that it is named after")
    return max(fitting, key=len)


def sentences(text, folder, count=1):
    """The first sentences of a text in `folder`, on one line, their links as seen from docs/."""
    def from_here(link):
        path, mark, fragment = link[1].partition("#")
        return f"]({os.path.relpath(folder / path, DOCS)}{mark}{fragment})"

    found = [match[1] for match in SENTENCE.finditer(text.strip())][:count] or [text.strip()]
    line = re.sub(r":\Z", ".", re.sub(r"\s+", " ", " ".join(found)))
    return re.sub(r"\]\(([^):]+)\)", from_here, line)


def lead(readme):
    """The first paragraph below a README's title that is neither code nor a list."""
    for paragraph in readme.read_text().split("\n\n")[1:]:
        if not re.match(r"    |```|[-|#]", paragraph):
            return paragraph
    return sys.exit(f"{readme}: no sentence says what one sees")


def commands(readme):
    """The commands that a README shows, continuation lines joined; where it shows none, those of all experiments."""
    name = readme.parent.name
    lines = re.findall(r"^    (\S.*|  +\S.*)$", readme.read_text(), re.M)
    joined = re.sub(r" \\\n\s+", " ", "\n".join(lines)).splitlines()
    shown = [line for line in joined if line.startswith(("experiments/", "build/release/bin/"))]
    if shown:
        return shown
    sweep = (readme.parent / "sweep.yaml").exists()
    collect = (f"build/release/bin/fluidbatch sweep experiments/{name}/sweep.yaml --out runs/{name}.sqlite" if sweep
               else f"experiments/run.py {name} collect runs/{name}.sqlite")
    return [collect, f"experiments/run.py {name} plot runs/{name}.sqlite --out runs/figures"]


def findings():
    """By picture: the heading of the section of reproduction.md that shows it, and what it says first."""
    found = {}
    for section in re.split(r"^## ", (DOCS / "reproduction.md").read_text(), flags=re.M)[1:]:
        heading, _, text = section.partition("\n")
        for picture in re.findall(r"!\[[^\]]*\]\(([^)]+)\)", text):
            found[picture] = (heading, sentences(text, DOCS, 2))
    return found


def anchor(heading):
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def section(name, pictures, found):
    readme = EXPERIMENTS / name / "README.md"
    title = readme.read_text().splitlines()[0].removeprefix("# ")
    links = [os.path.relpath(picture, DOCS) for picture in pictures]
    parts = [f"## {title}"]
    parts += [f"![{title} ({picture.stem})]({link})" for picture, link in zip(pictures, links)]
    parts.append(sentences(lead(readme), readme.parent))
    if links[0] in found:
        heading, said = found[links[0]]
        parts.append(f"What came out: {said} ([more](reproduction.md#{anchor(heading)}))")
    parts.append("\n".join(f"    {command}" for command in commands(readme)))
    parts.append(f"[All of it](../experiments/{name}/README.md)")
    return "\n\n".join(parts)


def main():
    names = [readme.parent.name for readme in EXPERIMENTS.glob("*/README.md")]
    found = findings()
    shown = list(found)
    pictures = {}
    for picture in sorted(DOCS.glob("pictures/**/*.svg")):
        pictures.setdefault(experiment_of(picture, names), []).append(picture)

    def order(name):
        places = [shown.index(link) for link in (os.path.relpath(p, DOCS) for p in pictures[name]) if link in found]
        return (min(places, default=len(shown)), name)

    print("\n\n".join(section(name, pictures[name], found) for name in sorted(pictures, key=order)))


if __name__ == "__main__":
    main()
