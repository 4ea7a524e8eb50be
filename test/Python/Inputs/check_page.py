# Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
"""Is a report's page well formed and complete in itself? Prints its text. Usage: check_page.py PAGE"""

import html.parser
import pathlib
import sys

VOID = {"meta", "br", "link", "img", "hr", "input"}


class Checker(html.parser.HTMLParser):
    """Elements must nest; nothing may be loaded from elsewhere; ids that links name must exist."""

    def __init__(self):
        super().__init__()
        self.open, self.ids, self.links, self.text, self.drawings = [], set(), set(), [], 0

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        assert tag not in ("script", "link", "img", "iframe", "object"), f"<{tag}> at {self.getpos()}"
        for name in ("href", "src", "xlink:href"):
            value = attributes.get(name)
            assert value is None or value.startswith("#"), f"{name}={value} at {self.getpos()}"
        self.links.update({attributes["href"][1:]} if tag == "a" else ())
        if attributes.get("id") and not self.inside("svg"):
            assert attributes["id"] not in self.ids, attributes["id"]
            self.ids.add(attributes["id"])
        self.drawings += tag == "svg"
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        pass

    def handle_endtag(self, tag):
        assert self.open and self.open[-1] == tag, f"</{tag}> closes {self.open[-1:]} at {self.getpos()}"
        self.open.pop()

    def handle_data(self, data):
        if data.strip() and not self.inside("svg") and not self.inside("style"):
            self.text.append(" ".join(data.split()))
        elif self.inside("style"):
            assert "url(http" not in data and "@import" not in data

    def inside(self, tag):
        return tag in self.open


checker = Checker()
page = pathlib.Path(sys.argv[1]).read_text(encoding="utf-8")
assert page.startswith("<!DOCTYPE html>") and '<meta name="viewport" content="width=device-width' in page
checker.feed(page)
checker.close()
assert not checker.open, checker.open
assert checker.links <= checker.ids, checker.links - checker.ids
print(f"drawings: {checker.drawings}")
print("\n".join(checker.text))
