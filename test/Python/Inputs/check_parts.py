# Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
"""Parts of the page that no module of the tests shows."""

import random
import re

from polyattn.report import page, plots


def remark(kind, name, pass_, text="", **metrics):
    return {"kind": kind, "name": name, "pass": f"polyattn:{pass_}", "text": text, "metrics": metrics}


def test_remarks_in_order():
    """Why, then the way of the bound hop by hop, then the evaluation; names that are new are no trouble."""
    html = page.remark_sections([
        remark("analysis", "BoundStep", "attn-infer-bounds", "norm <= 1 & so on"),
        remark("analysis", "BoundStep", "attn-infer-bounds", "times 0.5"),
        remark("analysis", "State", "attn-schedule", "state: why"),
        remark("failed", "Broken", "attn-new", Size="3", Other="x")])
    text = re.sub("<[^>]*>", " ", html)
    places = [text.index(part) for part in ("Why", "Broken", "Size 3, Other x", "Where the bound comes from",
                                            "norm &lt;= 1 &amp; so on", "times 0.5", "Evaluation", "state: why")]
    assert places == sorted(places), text
    assert page.remark_sections([]) == ""


def test_certificates_of_divided_heads():
    words = {"promises": "<p>", "assumes": "a", "keptBy": "k"}
    html = page.certificates([{"first": 0, "certificate": words}, {"first": 2, "certificate": None},
                              {"first": 4, "certificate": words}])
    assert html.count("Promises") == 2 and "Certificate<" in html and "Certificate from head 4" in html
    assert "&lt;p&gt;" in html and "<p>" not in html


def test_errors_are_rounded_up():
    numbers = random.Random(3)
    for _ in range(10000):
        value = numbers.uniform(1, 10) * 10.0 ** numbers.randint(-12, 2)
        shown = float(page.rounded_up(value))
        assert value <= shown <= 1.0101 * value, (value, shown)
    assert page.rounded_up(9.999e-3) == "0.01" and page.rounded_up(0.005) == "0.005" and page.rounded_up(None) == ""


def test_numbers():
    assert [page.number(x) for x in (0.19, 2145, 4.6e21, None)] == ["0.19", "2,145", "4.6e+21", ""]
    assert [page.cycles(x) for x in (None, 5.2e6, 1.1045e10)] == ["", "5.2", "11,045"]
    assert plots.interpolate([1, 2, 4], [10, 20, 60], 3) == 40


for name, test in list(globals().items()):
    if name.startswith("test_"):
        test()
