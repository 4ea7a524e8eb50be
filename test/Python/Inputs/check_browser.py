# Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
"""How a page looks in a real browser, on a phone and on a desk. Usage: check_browser.py CHROMIUM PAGE FOLDER

Writes a screenshot for each width, and fails where something is wider than the window, is drawn too small to read, or
the table does not fold.
"""

import html
import json
import pathlib
import re
import struct
import subprocess
import sys
import tempfile

#: Put into a copy of the page: measures itself once it is laid out.
PROBE = """<script>
addEventListener("load", () => {
  const isInside = box => box.right <= innerWidth + 0.5 && box.left >= -0.5;
  const elements = [...document.body.querySelectorAll("*")].filter(e => !e.closest("svg"));
  const outside = elements.filter(e => !isInside(e.getBoundingClientRect()));
  const labels = [...document.querySelectorAll("svg text")].map(e => e.getBoundingClientRect().height);
  const style = getComputedStyle(document.body);
  parent.postMessage(JSON.stringify({
    width: innerWidth, scroll: document.documentElement.scrollWidth,
    outside: outside.slice(0, 3).map(e => e.outerHTML.slice(0, 80)),
    smallest: Math.min(...labels.filter(height => height > 0)), labels: labels.length,
    folds: getComputedStyle(document.querySelector("thead")).display === "none",
    background: style.backgroundColor, ink: style.color}), "*");
});
</script></body>"""

#: A window cannot be as narrow as a phone, a frame can.
FRAME = """<!DOCTYPE html><body style="margin: 0">
<iframe src="{page}" style="border: 0; width: {width}px; height: 3000px"></iframe>
<script>addEventListener("message", m => document.body.dataset.probe = m.data);</script></body>"""


def browse(chromium, page, width, *more):
    with tempfile.TemporaryDirectory() as home:
        command = [chromium, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
                   f"--user-data-dir={home}", f"--window-size={width},3000", *more, page.resolve().as_uri()]
        return subprocess.run(command, check=True, text=True, capture_output=True, timeout=120).stdout


def measure(chromium, page, width, folder, *more):
    probe = folder / "probe.html"
    text = page.read_text(encoding="utf-8")
    assert text.count("</body>") == 1
    probe.write_text(text.replace("</body>", PROBE), encoding="utf-8")
    frame = folder / "frame.html"
    frame.write_text(FRAME.format(page=probe.name, width=width), encoding="utf-8")
    dom = browse(chromium, frame, 1400, "--dump-dom", "--virtual-time-budget=5000", *more)
    found = re.search(r'data-probe="([^"]*)"', dom)
    return json.loads(html.unescape(found[1]))


def png_size(path):
    data = path.read_bytes()
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    return struct.unpack(">II", data[16:24]), len(data)


def luminance(color):
    return sum(map(int, re.findall(r"\d+", color)[:3]))


def main():
    chromium, page, folder = sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])
    for width in (390, 1280):
        picture = folder / f"{width}.png"
        browse(chromium, page, width, f"--screenshot={picture}")
        (wide, _), size = png_size(picture)
        assert wide == width and size > 50_000, (wide, size)
        seen = measure(chromium, page, width, folder)
        print(width, seen)
        assert seen["width"] == width and seen["scroll"] <= width and not seen["outside"], seen
        assert seen["labels"] > 10 and seen["smallest"] >= 8, seen
        assert seen["folds"] == (width == 390), seen
        assert luminance(seen["background"]) > luminance(seen["ink"]), seen
    dark = measure(chromium, page, 390, folder, "--blink-settings=preferredColorScheme=0")
    assert luminance(dark["background"]) < luminance(dark["ink"]), dark


main()
