#!/usr/bin/python3
"""python_reference.py SUBJECT: the reference of a subject of the Python module in Markdown, from its docstrings.

`contents` instead of a subject lists all names. The module must be on PYTHONPATH. docs/python.md is made of this
by docs/update.py.
"""

import ast
import inspect
import re
import sys
import textwrap
from pathlib import Path

import fluidbatch as fb

SUBJECTS = {
    "runs": ("Running", ["run", "Scenario", "load"]),
    "results": ("What a run gave", ["Results", "Records", "interval", "Interval"]),
    "sweeps": ("Sweeps", ["Sweep", "SweepPlan", "SweepOutcome", "results", "compare", "Comparison"]),
    "analyses": ("Analyses", ["capacity", "Capacities", "tail", "Tails", "optimum", "Optima"]),
    "models": ("Networks and NPUs", ["Network", "networks", "Npu", "npus", "boards", "modes", "latency_table", "search",
                                     "Search", "fit", "Fit", "import_onnx"]),
    "policies": ("Policies, routers, arbiters and exit controls",
                 ["register", "Parameter", "Parameters", "Policy", "PolicyContext", "ServerView", "Batch", "Table",
                  "Decision", "start", "preempt", "drop", "go_on", "wait_until", "wait_for_arrival", "Router",
                  "FleetView", "Arbiter", "ArbiterView", "ServiceView", "Contender", "ExitControl",
                  "ExitControlContext", "ExitView", "ExitRule", "leave"]),
    "traffic": ("Arrivals and exits", ["ArrivalDates", "Arrivals", "RecordedExits", "ExitList", "Exits"]),
    "plots": ("Plots", [f"plot.{name}" for name in fb.plot.__all__]),
    "errors": ("Errors", ["InputError", "PolicyError"]),
}
WIDTH = 110


def find(name):
    value = fb
    for part in name.split("."):
        value = getattr(value, part)
    return value


def is_ours(kind):
    """Of this package, so that what it inherits from NumPy or Python is left out."""
    return kind.__module__.partition(".")[0] == "fluidbatch"


def members(kind):
    """By name the public methods, properties and other attributes with a docstring of their own, those of base classes
    last."""
    found = {}
    for base in filter(is_ours, kind.__mro__):
        for name, member in vars(base).items():
            is_member = callable(member) or isinstance(member, (property, staticmethod, classmethod))
            if not name.startswith("_") and is_member:
                found.setdefault(name, member)
    return found


def attributes(kind):
    """By name the declaration and the comment of the attributes that have one that begins with `#:`."""
    found = {}
    for base in filter(is_ours, kind.__mro__):
        try:
            source = inspect.getsource(base)
        except (OSError, TypeError):  # compiled
            continue
        for comment, own, declaration in re.findall(r"((?:^ +#:.*\n)+) +(self\.)?(\w+(?::| =).*)$", source, re.M):
            words = " ".join(line.strip().removeprefix("#:").strip() for line in comment.splitlines())
            shown = declaration.split(" = " if own else "  #")[0]
            found.setdefault(re.match(r"\w+", declaration)[0], (shown, words))
    return found


def argument(parameter):
    text = {parameter.VAR_POSITIONAL: "*", parameter.VAR_KEYWORD: "**"}.get(parameter.kind, "") + parameter.name
    if parameter.annotation is not parameter.empty:
        text += f": {shown_type(parameter.annotation)}"
    if parameter.default is not parameter.empty:
        typed = parameter.annotation is not parameter.empty
        text += f"{' = ' if typed else '='}{parameter.default!r}"
    return text


def shown_type(annotation):
    annotation = getattr(annotation, "__forward_arg__", annotation)
    text = annotation if isinstance(annotation, str) else getattr(annotation, "__name__", str(annotation))
    return text.replace("_core.", "")


def arguments(parameters):
    texts, keywords_only = [], False
    for parameter in parameters:
        if parameter.name in ("self", "cls", "_cls"):
            continue
        if parameter.kind is parameter.VAR_POSITIONAL:
            keywords_only = True
        if parameter.kind is parameter.KEYWORD_ONLY and not keywords_only:
            texts.append("*")
            keywords_only = True
        texts.append(argument(parameter))
    return texts


def compiled():
    """{name or Class.member: its declaration in the stub of the compiled half, without `self`}."""
    stub = ast.parse((Path(fb.__file__).parent / "_core.pyi").read_text())
    found = {}
    for node in ast.walk(stub):
        for member in getattr(node, "body", []) if isinstance(node, (ast.Module, ast.ClassDef)) else []:
            if isinstance(member, ast.FunctionDef):
                given = ast.unparse(member.args).removeprefix("self").removeprefix(", ")
                given = re.sub(r"(: [^,=]+)=", r"\1 = ", given)
                call = "" if member.decorator_list else f"({given})"
                arrow = ": " if member.decorator_list else " -> "
                prefix = f"{node.name}." if isinstance(node, ast.ClassDef) else ""
                returned = ast.unparse(member.returns).replace("_Array", "NumPy array")
                found[prefix + member.name] = call + arrow + returned
    return found


COMPILED = compiled()


def signature(name, value):
    """As it is called, or read."""
    short = name.removeprefix("fb.")
    if inspect.isclass(value) and value.__module__ == "fluidbatch._core":
        return name
    try:
        found = inspect.signature(value.fget if isinstance(value, property) else value)
    except ValueError:
        return name + COMPILED[short]
    texts = arguments(found.parameters.values())
    call = "" if isinstance(value, property) else f"({', '.join(texts)})"
    ending = ""
    if found.return_annotation is not found.empty and not inspect.isclass(value):
        ending = (" -> " if call else ": ") + shown_type(found.return_annotation)
    line = name + call + ending
    if len(line) > WIDTH:
        inner = textwrap.wrap(", ".join(text.replace(" ", "\0") for text in texts), WIDTH - 4)
        line = f"{name}(\n" + "".join(f"    {part}\n" for part in inner).replace("\0", " ") + f"){ending}"
    return line


def markdown(docstring):
    """A docstring's paragraphs: lines of `name: meaning` become a list, indented ones stay code."""
    parts = []
    docstring = re.sub(r"\A\w+\(.*\) -> .*\n\n", "", docstring)  # pybind11's line of types
    for paragraph in re.split(r"\n *\n", inspect.cleandoc(docstring)):
        lines = paragraph.splitlines()
        item = re.compile(r"([\w*]+(?:, [\w*]+)*): ")
        if lines[0].startswith("    "):
            parts.append(paragraph)
        elif item.match(lines[0]) and all(item.match(line) or line.startswith("  ") for line in lines):
            rows = []
            for line in lines:
                named = item.match(line)
                if named and not line.startswith(" "):
                    names = ", ".join(f"`{name}`" for name in named[1].split(", "))
                    rows.append(f"- {names}: {plain(line[named.end():])}")
                else:
                    rows.append(f"  {plain(line.strip())}")
            parts.append("\n".join(rows))
        else:
            parts.append("\n".join(plain(line) for line in lines))
    return "\n\n".join(parts)


def plain(text):
    """Text in which Markdown sees nothing but its code in backquotes."""
    pieces = re.split(r"(`[^`]*`)", text)
    return "".join(piece if piece.startswith("`") else re.sub(r"([<*\[])", r"\\\1", piece) for piece in pieces)


def head(text):
    return f"```python\n{text}\n```" if "\n" in text else f"**`{text}`**"


def title(name):
    """Of its section; a class and a function that differ in capitals alone have links of their own."""
    return f"class {name}" if inspect.isclass(find(name)) else f"{name}()"


def is_made_by_others(kind):
    """A class whose constructor is not for callers: it is compiled, or takes something private."""
    if kind.__module__ == "fluidbatch._core":
        return True
    try:
        parameters = list(inspect.signature(kind).parameters.values())[:1]
    except ValueError:  # NumPy's arrays and Python's errors
        return True
    return bool(parameters) and str(parameters[0].annotation).lstrip("'").startswith("_")


def entry(name):
    value = find(name)
    parts = [f"### {title(name)}"]
    if not inspect.isclass(value):
        return "\n\n".join([*parts, head(signature(f"fb.{name}", value)), markdown(value.__doc__)])
    parts += [] if is_made_by_others(value) else [head(signature(f"fb.{name}", value))]
    parts.append(markdown(value.__doc__))
    commented = attributes(value)
    for declaration, words in commented.values():
        parts.append(f"{head(f'{name}.{declaration}')}\n\n{plain(words)}")
    for member, of_class in members(value).items():
        if member not in commented:
            function = getattr(of_class, "__func__", of_class)  # of a class method
            parts.append(f"{head(signature(f'{name}.{member}', function))}\n\n{markdown(of_class.__doc__)}")
    return "\n\n".join(parts)


def anchor(heading):
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")


def contents():
    lines = []
    for heading, names in SUBJECTS.values():
        links = (f"[`{name}`](#{anchor(title(name))})" for name in names)
        lines.append(f"- [{heading}](#{anchor(heading)}): {', '.join(links)}")
    return "\n".join(lines)


def main():
    (wanted,) = sys.argv[1:]
    print(contents() if wanted == "contents" else "\n\n".join(entry(name) for name in SUBJECTS[wanted][1]))


if __name__ == "__main__":
    main()
