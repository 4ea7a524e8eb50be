# Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
"""What scripts/fuzz_raise.py says of small programs: check_fuzz.py SCRIPTS BUILD-DIR."""

import sys

scripts, build = sys.argv[1:]
sys.argv[1:] = ["--build-dir", build]
sys.path.insert(0, scripts)

import numpy as np  # noqa: E402

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


#: Reads a weight that nobody wrote, which cancels unless it is 0 or NaN; of static and of unknown size.
CANCELS = """
"func.func"() <{{function_type = (tensor<{size}xf32>) -> tensor<{size}xf32>, sym_name = "main"}}> ({{
^bb0(%x: tensor<{size}xf32>):
  %c = "arith.constant"() <{{value = 0 : index}}> : () -> index
  %n = "tensor.dim"(%x, %c) : (tensor<{size}xf32>, index) -> index
  %0 = "tensor.empty"({empty}) : ({index}) -> tensor<{size}xf32>
  %1 = "arith.divf"(%0, %0) <{{fastmath = #arith.fastmath<none>}}> : (tensor<{size}xf32>, tensor<{size}xf32>) -> tensor<{size}xf32>
  %2 = "arith.mulf"(%{factor}, %x) <{{fastmath = #arith.fastmath<none>}}> : (tensor<{size}xf32>, tensor<{size}xf32>) -> tensor<{size}xf32>
  "func.return"(%2) : (tensor<{size}xf32>) -> ()
}}) : () -> ()
"""
#: Adds ones to rows, which may be longer than there are ones.
BEHIND = """
#all = affine_map<(d0, d1) -> (d0, d1)>
func.func @main(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {{
  %c = arith.constant 0 : index
  %n = tensor.dim %x, %c : tensor<?x4xf32>
  %one = arith.constant 1.0 : f32
  %e = tensor.empty(%n) : tensor<?x{length}xf32>
  %y = linalg.fill ins(%one : f32) outs(%e : tensor<?x{length}xf32>) -> tensor<?x{length}xf32>
  %z = linalg.generic {{indexing_maps = [#all, #all], iterator_types = ["parallel", "parallel"]}}
      ins(%y : tensor<?x{length}xf32>) outs(%x : tensor<?x4xf32>) {{
  ^bb0(%a: f32, %b: f32):
    %s = arith.addf %a, %b : f32
    linalg.yield %s : f32
  }} -> tensor<?x4xf32>
  return %z : tensor<?x4xf32>
}}
"""
#: Adds a large number and takes it off again.
ROUNDS = """
"func.func"() <{{function_type = (tensor<4x{kind}>) -> tensor<4xf32>, sym_name = "main"}}> ({{
^bb0(%x: tensor<4x{kind}>):
  %0 = "arith.constant"() <{{value = dense<{large}> : tensor<4xf32>}}> : () -> tensor<4xf32>
  %f = {widened}
  %1 = "arith.addf"(%f, %0) <{{fastmath = #arith.fastmath<none>}}> : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %2 = "arith.subf"(%1, %0) <{{fastmath = #arith.fastmath<none>}}> : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  "func.return"(%2) : (tensor<4xf32>) -> ()
}}) : () -> ()
"""
SAME = '"arith.mulf"(%x, %x) <{fastmath = #arith.fastmath<none>}> : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>'
NEARLY = SAME.replace("mulf", "addf")
WIDENED = '"arith.extf"(%x) : (tensor<4xf16>) -> tensor<4xf32>'


def compiled(limit):
    return polyattn.compile(GUARDED.format(limit=limit), pipeline="attn-to-llvm", opt_level=0)


def both(plain, raised):
    program = check_raise.Program.of(compiled(plain), compiled(raised), ["normal"], "")
    found = fuzz_raise.run_both(program, lambda stage: None)
    return f"wrong: {found.wrong}" if found.wrong else f"stops: {found.stops}" if found.stops else "same"


def defined(limit, predicate):
    return fuzz_raise.is_defined(UNWRITTEN.format(limit=limit, predicate=predicate), "attn-to-llvm", [])


def cancels(size, factor):
    text = CANCELS.format(size=size, empty="%n" if size == "?" else "", index="index" if size == "?" else "", factor=factor)
    return fuzz_raise.is_defined(text, "attn-to-llvm", [np.ones(4, np.float32)])


def behind(length):
    return fuzz_raise.is_defined(BEHIND.format(length=length), "attn-to-llvm", [np.ones((3, 4), np.float32)])


def rounds(large, other_large, widened=SAME, other=SAME):
    """What is said where another program takes the place of the raised one."""
    texts = [ROUNDS.format(large=x, kind="f32", widened=y) for x, y in ((large, widened), (other_large, other))]
    plain, raised = (polyattn.compile(text, pipeline="attn-to-llvm", opt_level=0) for text in texts)
    program = check_raise.Program.of(plain, raised, ["normal"], "")
    found = fuzz_raise.run_both(program, lambda stage: None, lambda: fuzz_raise.exact(texts[0], "attn-to-llvm"))
    return "wrong" if found.wrong else "rounds" if found.rounds else "same"


def in_double(large):
    """The first result of a program that is rewritten to f64, of 0.1 in f16."""
    executable = fuzz_raise.exact(ROUNDS.format(large=large, kind="f16", widened=WIDENED), "attn-to-llvm")
    return executable(np.full(4, np.float16(0.1), np.float64))[0]


print("neither stops:", both("1.0e9", "1.0e9"))
print("both stop:", both("-1.0e9", "-1.0e9"))
print("stops unraised only:", both("-1.0e9", "1.0e9"))
print("stops raised only:", both("1.0e9", "-1.0e9"))
print("less than 0 without a sign:", defined(0, 9))
print("less than 3:", defined(3, 2))
print("less than 1:", defined(1, 2))
print(fuzz_raise.judge(GUARDED.format(limit="-1.0e9"), ["normal"], "attn-raise", "attn-to-llvm", "", True, lambda stage: None))
for size in ("4", "?"):
    print(f"what nobody wrote cancels, size {size}:", cancels(size, "1"))
    print(f"what nobody wrote is not used, size {size}:", cancels(size, "x"))
print("reads past the end:", not behind(2))
print("reads no further:", not behind(4))
print("lost by rounding:", rounds("3.0e8", "1.0e8"))
print("wrong by more:", rounds("0.0", "1.5e8"), rounds("1.0", "1.0", other=NEARLY))
print("rounds, and wrong all the same:", rounds("1.0e4", "1.0e4", other=NEARLY))
print("hexadecimal numbers:", f'{in_double("0x47C35000"):.7f}', f'{in_double(chr(34) + "0x" + "0050c347" * 4 + chr(34)):.7f}')
print("infinity:", in_double("0x7F800000"))


def agree(plain, raised, truth=(1.0, 2.0), may_overflow=True):
    return fuzz_raise.agree(*(np.array(x) for x in (truth, plain, raised)), 1e-6, may_overflow)


print("overflows:", agree([np.inf, 2.0], [1.0, 2.0]), agree([np.inf, 2.0], [1.0, 2.0], may_overflow=False))
print("overflows, and wrong:", agree([np.inf, 2.0], [1.1, 2.0]), agree([np.nan, 2.0], [1.0, 2.1]))
print("neither is a number:", agree([np.nan, 2.0], [np.nan, 2.0], [np.nan, 2.0]))
print("infinite or NaN:", agree([np.inf, 2.0], [np.nan, 2.0], [np.inf, 2.0]), agree([np.inf, 2.0], [np.nan, 2.0], [np.inf, 2.0], False))
print("no number, and wrong:", agree([np.nan, 2.0], [1.0, 2.0], [np.nan, 2.0]), agree([1.0, 2.0], [np.nan, 2.0]))
