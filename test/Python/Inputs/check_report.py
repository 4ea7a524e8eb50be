# Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
"""The facts of a report, and the rows that are made of them. Usage: check_report.py report.mlir"""

import math
import sys

import polyattn
from polyattn import report
from polyattn.report.rows import Row, rows, runs

module = polyattn.parse_file(sys.argv[1])
before = str(module)
facts = report.gather(module, target="avx512")
heads, long, polynomial, dynamic, bias, decode, unknown, empty = facts["attentions"]


def names(attention, kind):
    return [r["name"] for r in attention["remarks"] if r["kind"] == kind]


def test_module_stays():
    assert str(module) == before
    assert facts["rtol"] == 1e-2 and facts["target"]["name"] == "avx512" and facts["remarks"] == []


def test_identity():
    assert heads["location"].endswith("report.mlir:3:8") and heads["name"] == "" and heads["function"] == "heads"
    assert heads["mask"] == "full" and heads["elementType"] == "f32" and heads["kernel"] == "exp"
    assert heads["sizes"] == dict(queryHeads=4, keyHeads=4, numQueries=256, numKeys=256, headDim=32, valueDim=32)
    assert dynamic["sizes"]["numKeys"] is None and dynamic["mask"].startswith("causal"), dynamic["mask"]
    # Two at one place: each has its own remarks all the same.
    for attention in (long, polynomial):
        assert attention["location"] == "model.py:7:1" and attention["name"] == "<i>layer.1</i>", attention["location"]
    assert names(long, "passed") == ["Approximated"] and names(long, "missed") == []
    assert names(polynomial, "passed") == [] and names(polynomial, "missed") == ["PolynomialKernel"]


def test_remarks():
    assert names(heads, "missed") == ["BoundTooLarge", "TooShort"] and names(heads, "passed") == ["Approximated"]
    assert names(bias, "missed") == ["NoState"]
    assert names(decode, "missed") == ["TooShort"] and names(empty, "missed") == ["Empty"]
    assert names(unknown, "missed") == ["NoState"]
    (remark,) = [r for r in long["remarks"] if r["kind"] == "passed"]
    assert remark["metrics"]["Degree"] == "2" and remark["text"].startswith("score bound 0.5"), remark
    assert remark["pass"] == "polyattn:attn-approximate" and "Remark" not in remark["metrics"]


def test_heads():
    found = [(run["first"], run["count"], run["bound"]["value"], run["degree"]) for run in heads["heads"]]
    assert [f[:3] for f in found] == [(0, 1, 18.5), (1, 2, 0.19), (3, 1, 0.6)], found
    assert [f[3] for f in found][1:] == [1, 2] and found[0][3] > 30, found
    assert [run["rank"] for run in heads["heads"]][1:] == [33, 561]
    assert decode["heads"][0]["bound"]["moments"] == dict(centredBound=0.1, secondMoment=0.001)
    assert "degree" not in polynomial["heads"][0] and polynomial["heads"][0]["bound"] is None


def test_costs():
    costs = long["costs"]
    assert costs["varies"] == "queries and keys" and [d["degree"] for d in costs["degrees"]] == [1, 2, 3]
    assert costs["lengths"][0] == 64 and costs["lengths"][-1] == 131072 == costs["lengths"][-3] * 2
    second = costs["degrees"][1]
    (remark,) = [r for r in long["remarks"] if r["kind"] == "passed"]
    # What the report predicts is what the decision was made on.
    assert math.isclose(second["gain"], float(remark["metrics"]["Gain"])), (second, remark)
    assert math.isclose(costs["directNow"] / second["now"], second["gain"])
    at = costs["lengths"].index(16384)
    assert math.isclose(costs["direct"][at], costs["directNow"]) and math.isclose(second["cycles"][at], second["now"])
    assert costs["lengths"][0] < second["breakEven"] < 16384
    # The polynomial is fitted to the bound itself here, to a hair more in the rewrite.
    assert math.isclose(second["certifiedError"], float(remark["metrics"]["OutputError"]), rel_tol=0.01)
    assert costs["degrees"][0]["certifiedError"] > 1e-2 > second["certifiedError"]
    # The model's own polynomial has one degree and nothing to certify.
    assert [(d["degree"], d["certifiedError"]) for d in polynomial["costs"]["degrees"]] == [(2, None)]
    assert dynamic["costs"]["directNow"] is None and dynamic["costs"]["degrees"][0]["now"] is None
    assert bias["costs"]["degrees"] == [] and bias["whyNoState"]
    assert decode["costs"]["varies"] == "keys" and all(d["breakEven"] is None for d in decode["costs"]["degrees"])
    assert unknown["costs"] == {} == empty["costs"]


def test_versions():
    taken, fallback = sorted(long["versions"], key=lambda v: v["fallback"])
    assert (taken["fallback"], taken["degree"], taken["rank"], taken["evaluation"]) == (False, 2, 2145, "state")
    certificate = taken["certificate"]
    assert certificate["assumption"] == "guarded" and 0.005 < certificate["outputError"] < 0.01
    assert certificate["promises"].startswith("every entry is within 0.00533 * max|value|")
    assert fallback["fallback"] and fallback["degree"] is None and fallback["certificate"] is None
    assert fallback["evaluation"] == "direct"


def test_rows():
    assert [(r.heads, r.kind, r.degree) for r in rows(heads)][1:] == [("1 to 2", "certified", 1), ("3", "exact", 2)]
    assert [r.reason for r in rows(heads)] == ["score bound too large", "", "too short to pay"], [r.reason for r in rows(heads)]
    (row,) = rows(long)
    assert (row.heads, row.kind, row.degree, row.rank) == ("0 to 7", "certified", 2, 2145)
    assert row.costs is long["costs"]["degrees"][1]
    assert [r.kind for r in rows(polynomial)] == ["polynomial"] and [r.kind for r in rows(bias)] == ["exact"]
    assert rows(unknown)[0].costs is None and rows(unknown)[0].bound is None


def test_rows_of_divided_heads():
    """Where versions evaluate some heads only, runs are cut there too."""
    versions = [dict(first=0, count=2, degree=None, rank=None, certificate=None, fallback=False),
                dict(first=2, count=2, degree=1, rank=33, certificate=dict(outputError=1e-3), fallback=False)]
    assert [run[:2] for run in runs(heads["heads"], versions)] == [(0, 1), (1, 1), (2, 1), (3, 1)]
    made = rows({**heads, "versions": versions})
    assert [(r.first, r.kind) for r in made] == [(0, "exact"), (1, "exact"), (2, "certified"), (3, "certified")]
    assert [r.degree for r in made][1:] == [1, 1, 1]
    assert isinstance(made[0], Row) and made[2].certificate["outputError"] == 1e-3
    whole = [dict(versions[1], first=None)]
    assert all(r.kind == "certified" for r in rows({**heads, "versions": whole}))


def test_sliced_query():
    """Heads count from the attention's own first one, whatever tensor they are cut from."""
    sliced = polyattn.parse("""
      func.func @f(%all: tensor<8x4096x64xf32>) -> tensor<4x4096x64xf32> {
        %x = tensor.extract_slice %all[4, 0, 0] [4, 4096, 64] [1, 1, 1] : tensor<8x4096x64xf32> to tensor<4x4096x64xf32>
        %o = attn.attention %x, %x, %x scale 0.125 bound <0.15, declared>
          : tensor<4x4096x64xf32>, tensor<4x4096x64xf32>, tensor<4x4096x64xf32> -> tensor<4x4096x64xf32>
        return %o : tensor<4x4096x64xf32>
      }""")
    (attention,) = report.gather(sliced, target="avx512")["attentions"]
    assert [(v["first"], v["count"]) for v in attention["versions"]] == [(0, 4), (0, 4)], attention["versions"]
    assert [(row.heads, row.kind) for row in rows(attention)] == [("0 to 3", "certified")]


def test_options():
    loose = report.gather(module, target="avx512", rtol=0.2)["attentions"]
    assert loose[1]["versions"][0]["degree"] == 1, loose[1]["versions"]
    # `before` runs first, and what it says is told apart, too.
    chosen = report.gather(module, target="avx512", before="attn-schedule")["attentions"]
    assert names(chosen[1], "missed") == ["EvaluationChosen"] and names(chosen[1], "analysis") == ["Direct"]
    assert names(chosen[2], "analysis") == ["State"] and chosen[2]["versions"][0]["evaluation"] == "state"
    try:
        report.gather(module, before="nope")
        raise AssertionError("'nope' is a pass")
    except polyattn.CompileError as error:
        assert "not a pass pipeline" in str(error)
    assert report.profile_pass("a b.yaml") == 'attn-apply-profile{file="a b.yaml"}'
    try:
        report.profile_pass('"')
        raise AssertionError("no option can hold it")
    except ValueError as error:
        assert "quotation mark" in str(error)


for name, test in list(globals().items()):
    if name.startswith("test_"):
        test()
