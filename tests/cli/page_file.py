"""Reads the data out of a page of `report`, by a parser that shares nothing with the page's scripts."""

import base64
import json
import math
import struct
from html.parser import HTMLParser


class _Elements(HTMLParser):
    """All elements with their attributes, and the texts of those with an id."""

    def __init__(self):
        super().__init__()
        self.tags, self.texts, self._id = [], {}, None

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self._id = dict(attrs).get("id")

    def handle_data(self, data):
        if self._id is not None:
            self.texts[self._id] = self.texts.get(self._id, "") + data

    def handle_endtag(self, tag):
        self._id = None


class Page:
    def __init__(self, path):
        self.text = path.read_text()
        parser = _Elements()
        parser.feed(self.text)
        self.tags, self.texts = parser.tags, parser.texts
        self.meta = json.loads(self.texts["meta"])

    def column(self, name):
        """The values of a column; None where one is missing."""
        declared = [c for c in self.meta["columns"] if c["name"] == name][-1]  # facts come after axes
        column = json.loads(self.texts[declared["column"]])
        if column["kind"] == "constant":
            return [column["value"]] * self.meta["rows"]
        data = base64.b64decode(column["data"], validate=True)
        if column["kind"] == "numbers":
            values = struct.unpack(f"<{len(data) // 8}d", data)
            return [None if math.isnan(v) else v for v in values]
        codes = struct.unpack(f"<{len(data) // column['bytes']}{ {1: 'B', 2: 'H', 4: 'I'}[column['bytes']] }", data)
        return [column["values"][code] for code in codes]

    def configuration(self, row):
        """The YAML of a row."""
        packed = json.loads(self.texts["configurations"])
        base, *changes = packed["points"][row]
        codes = list(packed["bases"][base])
        for place, code in zip(changes[::2], changes[1::2], strict=True):
            codes[place] = code
        return "".join(packed["lines"][code] + "\n" for code in codes)
