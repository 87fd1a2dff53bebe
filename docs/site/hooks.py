"""What mkdocs does otherwise here: headings' links as repositories' web pages have them, a search without a server.

A page that was opened from a disk may neither fetch a file nor start a worker from one. So index and worker come as a
script, which the theme takes in the place of both (`__search`).
"""

import json
import re
from pathlib import Path

INDEX = "search/search_index.js"


def slug(heading, separator):
    """A heading's link as GitHub makes it, which the pages' links to each other are written for."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", separator)


def on_config(config):
    config["mdx_configs"].setdefault("toc", {})["slugify"] = slug
    return config


def on_post_build(config):
    site = Path(config["site_dir"])
    index = site / "search/search_index.json"
    (worker,) = site.glob("assets/javascripts/workers/search.*.js")
    source = re.sub(r"^//# sourceMappingURL=.*$", "", worker.read_text(), flags=re.M)
    (site / INDEX).write_text(
        f"var __search = {{index: Promise.resolve({index.read_text()})}};\n"
        "if (location.protocol === \"file:\")\n"
        f"  __search.worker = URL.createObjectURL(new Blob([{json.dumps(source)}], {{type: \"text/javascript\"}}));\n")
    # The rest is for servers and debuggers.
    for file in [index, site / "404.html", site / "sitemap.xml", site / "sitemap.xml.gz", *site.rglob("*.map")]:
        file.unlink(missing_ok=True)
