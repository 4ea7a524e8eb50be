# Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
"""What scripts/fuzz_raise.py says of small programs: check_fuzz.py SCRIPTS BUILD-DIR."""

import sys

scripts, build = sys.argv[1:]
sys.argv[1:] = ["--build-dir", build]
sys.path.insert(0, scripts)

import check_raise  # noqa: E402
import fuzz_raise  # noqa: E402

import polyattn  # noqa: E402

#: Adds one to numbers, if each is less than a limit.
GUARDED = """
func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {{
  %one = arith.constant 1.0 : f32
  %limit = arith.constant {limit} : f32
  %e = tensor.empty() : tensor<4xf32>
  %y = linalg.generic {{indexing_maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>], iterator_types = ["parallel"]}}
      ins(%x : tensor<4xf32>) outs(%e : tensor<4xf32>) {{
  ^bb0(%a: f32, %o: f32):
    %c = arith.cmpf olt, %a, %limit : f32
    cf.assert %c, "too large"
    %r = arith.addf %a, %one : f32
    linalg.yield %r : f32
  }} -> tensor<4xf32>
  return %y : tensor<4xf32>
}}
"""
#: Which entries of a tensor that nobody wrote are less than a limit.
UNWRITTEN = """
"func.func"() <{{function_type = () -> tensor<4xi1>, sym_name = "main"}}> ({{
  %0 = "tensor.empty"() : () -> tensor<4xi64>
  %1 = "arith.constant"() <{{value = dense<{limit}> : tensor<4xi64>}}> : () -> tensor<4xi64>
  %2 = "arith.cmpi"(%0, %1) <{{predicate = {predicate} : i64}}> : (tensor<4xi64>, tensor<4xi64>) -> tensor<4xi1>
  "func.return"(%2) : (tensor<4xi1>) -> ()
}}) : () -> ()
"""


def compiled(limit):
    return polyattn.compile(GUARDED.format(limit=limit), pipeline="attn-to-llvm", opt_level=0)


def both(plain, raised):
    program = check_raise.Program.of(compiled(plain), compiled(raised), ["normal"], "")
    wrong, stops = fuzz_raise.run_both(program, lambda stage: None)
    return f"wrong: {wrong}" if wrong else f"stops: {stops}" if stops else "same"


def defined(limit, predicate):
    return fuzz_raise.is_defined(UNWRITTEN.format(limit=limit, predicate=predicate), [], "attn-to-llvm")


print("neither stops:", both("1.0e9", "1.0e9"))
print("both stop:", both("-1.0e9", "-1.0e9"))
print("stops unraised only:", both("-1.0e9", "1.0e9"))
print("stops raised only:", both("1.0e9", "-1.0e9"))
print("less than 0 without a sign:", defined(0, 9))
print("less than 3:", defined(3, 2))
print("less than 1:", defined(1, 2))
print(fuzz_raise.judge(GUARDED.format(limit="-1.0e9"), ["normal"], "attn-raise", "attn-to-llvm", "", True, lambda stage: None))
