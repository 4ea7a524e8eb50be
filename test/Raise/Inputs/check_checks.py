# Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
"""check_raise.py finds what a wrong raising would do: pairs of programs that differ a little take the place of a program
and what it was raised to. Prints a line for each pair."""

import pathlib
import sys

import numpy as np

import polyattn

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE / "corpus")]

import check_raise  # noqa: E402
from mlir_cases import PLAIN, SQUARE, TEMPLATE, positions  # noqa: E402

CAUSAL = SQUARE | positions("%c = arith.cmpi sge, %i, %j : index")
STRICT = SQUARE | positions("%c = arith.cmpi sgt, %i, %j : index")
STRICT_FINITE = SQUARE | positions("%c = arith.cmpi sgt, %i, %j : index", fill="%min")
PAIRS = [
    ("the same", {}, {}, 8.0, "same"),
    ("fused multiply-adds", {}, dict(product="%r = math.fma %a, %b, %o : f32"), 8.0, "same"),
    ("another scale by 1e-4", {}, dict(scale="0.50005"), 1.0, "differs"),
    ("full instead of causal", CAUSAL, SQUARE, 1.0, "differs"),
    ("uniform instead of NaN", STRICT, STRICT_FINITE, 1.0, "entries"),
    ("causal instead of strictly causal", STRICT_FINITE, CAUSAL, 1.0, "differs"),
    ("a transposed sum", SQUARE, SQUARE | dict(sum_map="#j"), 1.0, "differs"),
    ("one more in the sum", {}, dict(sum_init="%one"), 1.0, "differs"),
]


def compiled(knobs):
    return polyattn.compile(TEMPLATE.format(**PLAIN | knobs), pipeline="attn-to-llvm", opt_level=0)


failed = False
for what, one, other, magnitude, wanted in PAIRS:
    program = check_raise.Program.of(compiled(one), compiled(other), ["normal"] * 3, "")
    rng = np.random.default_rng(3)
    with np.errstate(all="ignore"):
        found = program.check(rng, program.arguments(rng, magnitude))
    said = found if isinstance(found, str) else "differs" if found[1] > 1 else "same"
    failed |= wanted not in said
    print(f"{what}: {said}")
sys.exit(failed)
