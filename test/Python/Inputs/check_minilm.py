# Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
"""The facts about a model whose bounds are far too large. Usage: check_minilm.py FACTS"""

import json
import pathlib
import sys

from polyattn.report.rows import rows

layers = json.loads(pathlib.Path(sys.argv[1]).read_text())["attentions"]
assert [layer["name"] for layer in layers] == [f"encoder.layer.{i}.attention" for i in range(6)]
for layer in layers:
    heads = rows(layer)
    assert sum(row.count for row in heads) == 12 and [row.kind for row in heads] == ["exact"] * len(heads)
    assert {row.reason for row in heads} == {"score bound too large"}
    for row in heads:
        assert row.bound["source"] == "profiled" and row.bound["value"] > 8
        # A higher bound needs a higher degree, and beyond about 18 none will do.
        assert row.degree is None or row.degree >= 13, row
        assert (row.degree is not None) <= (row.bound["value"] < 19), row
        assert row.costs is None
    assert max(layer["heads"], key=lambda run: run["bound"]["value"])["bound"]["value"] == float(
        next(r for r in layer["remarks"] if r["name"] == "BoundTooLarge")["metrics"]["ScoreBound"])
