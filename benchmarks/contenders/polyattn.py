# Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
"""This project."""

import polyattn

import inputs
from check import oracle
from contenders import base

#: f32 arithmetic; of bf16 one rounding of the result and, on matrix units, one
#: of the weights, each of half a unit in the last place of max|value| at most.
TOLERANCE = {"f32": 1e-5, "bf16": 2 * 2.0**-8}


def attention_text(case):
    """The case as a module. A low-rank kind declares its bound, and that second moments are as large as it lets them be,
    or nothing of them where they are small."""
    query = f"tensor<{case.heads}x{case.n}x{case.d}x{case.dtype}>"
    key = f"tensor<{case.heads}x{case.keys}x{case.d}x{case.dtype}>"
    source = {"exact": None, "bounded": "proved"}.get(case.kind, "declared")
    known = ""
    if source == "declared" and not case.is_isotropic:
        known = f", moments = <centred_bound = {2 * case.bound}, second_moment = {case.bound**2}>"
    bound = f" bound <{case.bound}, {source}{known}>" if source else ""
    return (f"func.func @main(%q: {query}, %k: {key}, %v: {key}) -> {query} {{\n"
            f"  %o = attn.attention %q, %k, %v scale {case.scale!r} {oracle.mask_text(case.mask)}{bound}\n"
            f"     : {query}, {key}, {key} -> {query}\n  return %o : {query}\n}}\n")


def compile_case(case, threads):
    pipeline = "attn-compile" if case.is_low_rank else "attn-schedule,attn-to-llvm"
    return polyattn.compile(attention_text(case), pipeline=pipeline, threads=threads)


def decision(executable):
    """The rewrite's remark, passed or missed; None where no rewrite was asked for."""
    return next((r for r in executable.remarks if r.category.endswith("attn-approximate") and r.kind in ("passed", "missed")), None)


class Contender(base.Contender):
    label = "polyattn"
    version = ""

    def __init__(self, threads):
        self.threads = threads

    def variants(self, case, q, k, v):
        def build():
            executable = compile_case(case, self.threads)
            arrays = [inputs.to_bf16_bits(x) for x in (q, k, v)] if case.dtype == "bf16" else [q, k, v]
            tolerance, note = TOLERANCE[case.dtype], ""
            if case.is_low_rank:
                remark = decision(executable)
                if remark.kind == "passed":
                    tolerance += float(remark.args["OutputError"])
                    note = f"degree {remark.args['Degree']}, rank {remark.args['Rank']}"
                else:
                    note = f"stayed exact: {remark.message}"
            fetch = as_f32 if case.dtype == "bf16" else lambda result: result
            return base.Runner(lambda: executable(*arrays), fetch, note, tolerance)

        return {"compiled": build}


def as_f32(result):
    """Of a bf16 result, which is ml_dtypes.bfloat16 where that is installed, else uint16."""
    return inputs.from_bf16_bits(result.view("uint16"))
