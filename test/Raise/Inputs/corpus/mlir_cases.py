# Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
"""One small program in linalg, varied in details that exporters do not vary but that decide what it means: initial values
of sums, comparisons of positions, types of masks, values that stand for minus infinity."""

from spec import CASES, Case, T, expected

TEMPLATE = """\
#ij = affine_map<(d0, d1) -> (d0, d1)>
#i = affine_map<(d0, d1) -> (d0)>
#j = affine_map<(d0, d1) -> (d1)>
#id = affine_map<(d0, d1, d2) -> (d0, d2)>
#jd = affine_map<(d0, d1, d2) -> (d1, d2)>
#ijd = affine_map<(d0, d1, d2) -> (d0, d1)>
#dj = affine_map<(d0, d1, d2) -> (d2, d1)>
!q = tensor<{n}x4xf32>
!k = tensor<{m}x4xf32>
!s = tensor<{n}x{m}xf32>
!r = tensor<{n}xf32>
func.func @main(%q: !q, %k: !k, %v: !k{arguments}) -> !q {{
  %zero = arith.constant 0.0 : f32
  %one = arith.constant 1.0 : f32
  %low = arith.constant {max_init} : f32
  %inf = arith.constant 0xFF800000 : f32
  %min = arith.constant -3.40282347E+38 : f32
  %scale = arith.constant {scale} : f32
  %e0 = tensor.empty() : !s
  %c0 = linalg.fill ins({score_init} : f32) outs(%e0 : !s) -> !s
  %dot = linalg.generic {{indexing_maps = [#id, #jd, #ijd], iterator_types = ["parallel", "parallel", "reduction"]}}
      ins(%q, %k : !q, !k) outs(%c0 : !s) {{
  ^bb0(%a: f32, %b: f32, %o: f32):
    {product}
    linalg.yield %r : f32
  }} -> !s
  %s = linalg.generic {{indexing_maps = [#ij{mask_maps}, #ij], iterator_types = ["parallel", "parallel"]}}
      ins(%dot{mask_operands} : !s{mask_types}) outs(%e0 : !s) {{
  ^bb0(%x: f32{mask_arguments}, %o: f32):
    %y = arith.{scale_op} %x, %scale : f32
    {mask}
    linalg.yield %z : f32
  }} -> !s
  %e1 = tensor.empty() : !r
  %c1 = linalg.fill ins(%low : f32) outs(%e1 : !r) -> !r
  %top = linalg.generic {{indexing_maps = [#ij, #i], iterator_types = ["parallel", "reduction"]}}
      ins(%s : !s) outs(%c1 : !r) {{
  ^bb0(%x: f32, %o: f32):
    %r = arith.{max} %x, %o : f32
    linalg.yield %r : f32
  }} -> !r
  %e = linalg.generic {{indexing_maps = [#ij, #i, #ij], iterator_types = ["parallel", "parallel"]}}
      ins(%s, %top : !s, !r) outs(%e0 : !s) {{
  ^bb0(%x: f32, %t: f32, %o: f32):
    {exp}
    linalg.yield %w : f32
  }} -> !s
  %c2 = linalg.fill ins({sum_init} : f32) outs(%e1 : !r) -> !r
  %sum = linalg.generic {{indexing_maps = [#ij, #i], iterator_types = ["parallel", "reduction"]}}
      ins(%e : !s) outs(%c2 : !r) {{
  ^bb0(%x: f32, %o: f32):
    {add}
    linalg.yield %r : f32
  }} -> !r
  %p = linalg.generic {{indexing_maps = [#ij, {sum_map}, #ij], iterator_types = ["parallel", "parallel"]}}
      ins(%e, %sum : !s, !r) outs(%e0 : !s) {{
  ^bb0(%x: f32, %t: f32, %o: f32):
    {divide}
    linalg.yield %r : f32
  }} -> !s
  %e3 = tensor.empty() : !q
  %c3 = linalg.fill ins({out_init} : f32) outs(%e3 : !q) -> !q
  %out = linalg.generic {{indexing_maps = [{weight_map}, #dj, #ijd], iterator_types = ["parallel", "parallel", "reduction"]}}
      ins(%p, %v : !s, !k) outs(%c3 : !q) {{
  ^bb0(%a: f32, %b: f32, %o: f32):
    {values}
    linalg.yield %r : f32
  }} -> !q
  return %out : !q
}}
"""


def body(*lines):
    return "\n    ".join(lines)


#: Softmax attention of six queries and seven keys.
PLAIN = dict(
    n=6, m=7, scale="0.5", scale_op="mulf", max_init="0xFF800000", score_init="%zero", sum_init="%zero", out_init="%zero",
    arguments="", mask_maps="", mask_operands="", mask_types="", mask_arguments="", max="maximumf", sum_map="#i",
    weight_map="#id",
    product=body("%t = arith.mulf %a, %b : f32", "%r = arith.addf %o, %t : f32"),
    mask="%z = arith.addf %y, %zero : f32",
    exp=body("%d = arith.subf %x, %t : f32", "%w = math.exp %d : f32"),
    add="%r = arith.addf %x, %o : f32", divide="%r = arith.divf %x, %t : f32",
    values=body("%t = arith.mulf %a, %b : f32", "%r = arith.addf %o, %t : f32"))


def positions(*condition, fill="%inf"):
    """A mask: keeps the score where %c, of rows %i and keys %j, is true."""
    return dict(mask=body("%i = linalg.index 0 : index", "%j = linalg.index 1 : index", *condition,
                          f"%z = arith.select %c, %y, {fill} : f32"))


def operand(kind, *lines, rank="ij", square=False):
    """A mask or bias as one more argument, %g in the body."""
    shape = {"ij": "6x6x" if square else "6x7x", "i": "6x", "j": "7x"}[rank]
    return dict(arguments=f", %m: tensor<{shape}{kind}>", mask_maps=f", #{rank}", mask_operands=", %m",
                mask_types=f", tensor<{shape}{kind}>", mask_arguments=f", %g: {kind}", mask=body(*lines))


SELECT = "%z = arith.select %g, %y, %inf : f32"
SQUARE = dict(m=6)


def inputs(knobs, kinds):
    n, m = knobs["n"], knobs["m"]
    return [T(n, 4), T(m, 4), T(m, 4)] + kinds


def add(name, comment, checks, knobs, kinds, overflows=False):
    knobs = PLAIN | knobs
    CASES.append(Case(name, comment, lambda: TEMPLATE.format(**knobs), inputs(knobs, kinds), "mlir", ("text",), checks,
                      overflows=overflows))


def good(name, comment, knobs=None, kinds=(), mask=None, scale=0.5, overflows=False, **checks):
    checks = expected(scale, mask, checks.get("bias", False), checks.get("key_weights", False), "", 1)
    add(name, comment, checks, knobs or {}, list(kinds), overflows)


def bad(name, comment, knobs, kinds=(), overflows=False):
    add(name, comment, [], knobs, list(kinds), overflows)


good("plain", "Softmax attention, as the other files of this name vary it.")
good("division", "Scores divided.", dict(scale="2.0", scale_op="divf"))
good("maxnumf", "The maximum of numbers.", dict(max="maxnumf"))
good("max-from-lowest", "The maximum starts at the lowest number.", dict(max_init="-3.40282347E+38"))
good("operands-swapped", "Operands of products and sums in other order.", dict(
    product=body("%t = arith.mulf %b, %a : f32", "%r = arith.addf %t, %o : f32"), add="%r = arith.addf %o, %x : f32"))
good("scale-in-product", "The scale inside the first product.", dict(
    scale="1.0", product=body("%h = arith.constant 0.5 : f32", "%u = arith.mulf %a, %h : f32", "%t = arith.mulf %u, %b : f32",
                              "%r = arith.addf %o, %t : f32")))
good("fma", "Fused multiply-adds.", dict(product="%r = math.fma %a, %b, %o : f32", values="%r = math.fma %a, %b, %o : f32"))
good("negated", "exp of the negated difference, swapped.", dict(
    exp=body("%h = arith.subf %t, %x : f32", "%d = arith.negf %h : f32", "%w = math.exp %d : f32")))
good("exp2", "exp2, its factor behind the difference.", dict(
    exp=body("%h = arith.subf %x, %t : f32", "%l = arith.constant 1.44269504 : f32", "%d = arith.mulf %h, %l : f32",
             "%w = math.exp2 %d : f32")))
good("weights-in-values", "Division in the second product.", dict(divide="%u = arith.divf %one, %t : f32\n    %r = arith.mulf %x, %u : f32"))
good("causal-slt", "Causal by i + 1 > j.", SQUARE | positions(
    "%h = arith.constant 1 : index", "%u = arith.addi %i, %h : index", "%c = arith.cmpi sgt, %u, %j : index"), mask="causal")
good("causal-unsigned", "Causal by an unsigned comparison, which positions allow.", SQUARE | positions(
    "%c = arith.cmpi uge, %i, %j : index"), mask="causal")
good("causal-float", "Causal by positions as floats.", SQUARE | positions(
    "%a = arith.index_cast %i : index to i32", "%b = arith.index_cast %j : index to i32", "%f = arith.sitofp %a : i32 to f32",
    "%g = arith.sitofp %b : i32 to f32", "%c = arith.cmpf oge, %f, %g : f32"), mask="causal")
good("causal-last-rows", "Causal, queries are the last positions.", positions(
    "%h = arith.constant 1 : index", "%u = arith.addi %i, %h : index", "%c = arith.cmpi sge, %u, %j : index"),
    mask="causal at the end")
good("window-and-causal", "A causal window of three keys, by and.", SQUARE | positions(
    "%h = arith.constant 2 : index", "%u = arith.subi %i, %h : index", "%a = arith.cmpi sge, %j, %u : index",
    "%b = arith.cmpi sle, %j, %i : index", "%c = arith.andi %a, %b : i1"), mask="sliding_window<left = 2, right = 0")
good("window-minsi", "Or of two conditions as the least of signed bits, of which true is -1.", SQUARE | positions(
    "%a = arith.cmpi eq, %i, %j : index", "%b = arith.cmpi sgt, %i, %j : index", "%c = arith.minsi %a, %b : i1"), mask="causal")
good("causal-wrapping", "Differences of positions wrap in eight bits: 100 j - 100 i is negative for i - j = 2, not for 3.", SQUARE | positions(
    "%h = arith.constant 100 : i8", "%a = arith.index_cast %i : index to i8", "%b = arith.index_cast %j : index to i8",
    "%s_ = arith.subi %b, %a : i8", "%t = arith.muli %s_, %h : i8", "%u = arith.constant 0 : i8", "%c = arith.cmpi sle, %t, %u : i8"),
    mask="", bias=True)
good("mask-all-true", "A mask that admits all.", positions("%c = arith.cmpi sge, %i, %i : index"))
good("mask-beyond", "A condition that no row meets.", positions(
    "%h = arith.constant 7 : index", "%c = arith.cmpi slt, %j, %h : index"))
good("mask-argument-i8", "A mask of bytes, compared with 0; every row has a key.",
     operand("i8", "%h = arith.constant 0 : i8", "%c = arith.cmpi ne, %g, %h : i8", "%z = arith.select %c, %y, %min : f32"),
     [T(6, 7, dtype="i8", kind="keep")])
good("bias-integer", "A bias of integers.", operand("i32", "%h = arith.sitofp %g : i32 to f32", "%z = arith.addf %y, %h : f32"),
     [T(6, 7, dtype="i32", kind="ids<4>")], bias=True)
good("bias-per-row", "A bias per query changes nothing.", operand("f32", "%z = arith.addf %y, %g : f32", rank="i"), [T(6)])
good("bias-per-key", "A bias per key.", operand("f32", "%z = arith.addf %y, %g : f32", rank="j"), [T(7)], bias=True)
good("bias-subtracted", "A bias subtracted.", operand("f32", "%z = arith.subf %y, %g : f32"), [T(6, 7)], bias=True)
good("mask-argument-nan", "A mask as an argument that may leave a row without keys: NaN then.", operand("i1", SELECT),
     [T(6, 7, dtype="i1", kind="mask")], bias=True)
good("mask-argument-mean", "A mask as an argument that may leave a row without keys: the mean of all values then.",
     operand("i1", "%z = arith.select %g, %y, %min : f32"), [T(6, 7, dtype="i1", kind="mask")], bias=True)
good("bias-fill-nan", "What is added where a key is hidden is NaN, which hides nothing: rows with such a key are NaN.", SQUARE | dict(
    mask=body("%i = linalg.index 0 : index", "%j = linalg.index 1 : index", "%c = arith.cmpi sge, %i, %j : index",
              "%h = arith.constant 0x7FC00000 : f32", "%g = arith.select %c, %zero, %h : f32", "%z = arith.addf %y, %g : f32")),
    bias=True)
good("mask-argument-fill-nan", "The same with a mask as an argument.", operand(
    "i1", "%h = arith.constant 0x7FC00000 : f32", "%u = arith.select %g, %zero, %h : f32", "%z = arith.addf %y, %u : f32", rank="j"),
    [T(7, dtype="i1", kind="keep")], bias=True)
good("one-key", "A single key: every output is its value.", dict(m=1))

bad("weights-reversed", "Rows of weights reversed: queries would have to be, which no slice does.", SQUARE | dict(
    weight_map="affine_map<(d0, d1, d2) -> (-d0 + 5, d2)>"))
bad("sum-from-one", "The sum starts at 1.", dict(sum_init="%one"))
bad("out-from-one", "The output starts at 1.", dict(out_init="%one"))
bad("sum-of-squares", "The sum of squares.", dict(add="%h = arith.mulf %x, %x : f32\n    %r = arith.addf %h, %o : f32"))
bad("sum-subtracted", "The sum with alternating signs: o = x - o.", dict(add="%r = arith.subf %x, %o : f32"))
bad("product-subtracted", "Scores with alternating signs.", dict(
    product=body("%t = arith.mulf %a, %b : f32", "%r = arith.subf %t, %o : f32")))
bad("product-max", "The largest product.", dict(product=body("%t = arith.mulf %a, %b : f32", "%r = arith.maximumf %o, %t : f32")))
bad("product-squared", "Queries squared twice: q k q.", dict(
    product=body("%u = arith.mulf %a, %b : f32", "%t = arith.mulf %u, %a : f32", "%r = arith.addf %o, %t : f32")))
bad("product-sum", "Sums of queries and keys instead of products.", dict(
    product=body("%t = arith.addf %a, %b : f32", "%r = arith.addf %o, %t : f32")))
bad("product-of-running-sum", "The running sum multiplies.", dict(
    product=body("%t = arith.mulf %a, %b : f32", "%u = arith.mulf %o, %t : f32", "%r = arith.addf %u, %t : f32")))
bad("values-max", "The largest weighted value.", dict(
    values=body("%t = arith.mulf %a, %b : f32", "%r = arith.maximumf %o, %t : f32")))
bad("values-added", "Weights and values added.", dict(
    values=body("%t = arith.addf %a, %b : f32", "%r = arith.addf %o, %t : f32")))
bad("values-squared", "Weights squared in the second product.", dict(
    values=body("%u = arith.mulf %a, %a : f32", "%t = arith.mulf %u, %b : f32", "%r = arith.addf %o, %t : f32")))
bad("sum-of-keys", "The sum of a square's row divides its column.", SQUARE | dict(sum_map="#j"))
bad("weights-transposed", "Weights transposed in the second product.", SQUARE | dict(
    weight_map="affine_map<(d0, d1, d2) -> (d2, d0)>"))
bad("divided-by-half", "Half of the sum divides: weights sum to 2.", dict(
    divide="%h = arith.constant 0.5 : f32\n    %u = arith.mulf %t, %h : f32\n    %v_ = arith.addf %u, %one : f32\n    %r = arith.divf %x, %v_ : f32"))
bad("sum-times", "Multiplied by the sum.", dict(divide="%r = arith.mulf %x, %t : f32"))
bad("sum-divided", "The sum divided by weights.", dict(divide="%r = arith.divf %t, %x : f32"))
bad("maximum-added", "The maximum added above and below: overflows where softmax does not.", dict(
    exp=body("%d = arith.addf %x, %t : f32", "%w = math.exp %d : f32"),
    divide="%h = arith.addf %t, %one : f32\n    %r = arith.divf %x, %h : f32"))
bad("exp-of-product", "Scores times their maximum.", dict(exp=body("%d = arith.mulf %x, %t : f32", "%w = math.exp %d : f32")))
bad("exp-clamped", "Differences clamped.", dict(
    exp=body("%d = arith.subf %x, %t : f32", "%h = arith.constant -2.0 : f32", "%u = arith.maximumf %d, %h : f32",
             "%w = math.exp %u : f32")))
bad("exp-plus", "A little added to every weight.", dict(
    exp=body("%d = arith.subf %x, %t : f32", "%u = math.exp %d : f32", "%h = arith.constant 0.01 : f32",
             "%w = arith.addf %u, %h : f32")))
bad("exp-truncated", "Scores rounded to eight bits.", dict(
    exp=body("%d = arith.subf %x, %t : f32", "%h = arith.truncf %d : f32 to bf16", "%u = arith.extf %h : bf16 to f32",
             "%w = math.exp %u : f32")))
good("causal-strict", "Keys before the query only: the first row has none and is NaN.", SQUARE | positions(
    "%c = arith.cmpi sgt, %i, %j : index"), bias=True)
good("causal-strict-finite", "The same with the lowest number: the first row is the mean of all values.", SQUARE | positions(
    "%c = arith.cmpi sgt, %i, %j : index", fill="%min"), bias=True)
bad("mask-with-five", "Masked scores are -5, which exp does not make 0.", SQUARE | dict(
    mask=body("%i = linalg.index 0 : index", "%j = linalg.index 1 : index", "%h = arith.constant -5.0 : f32",
              "%c = arith.cmpi sge, %i, %j : index", "%z = arith.select %c, %y, %h : f32")))
bad("mask-with-zero", "Masked scores are 0.", SQUARE | positions("%c = arith.cmpi sge, %i, %j : index", fill="%zero"))
bad("mask-inverted", "Masked scores stay, others are minus infinity times their sign.", SQUARE | dict(
    mask=body("%i = linalg.index 0 : index", "%j = linalg.index 1 : index", "%c = arith.cmpi sge, %i, %j : index",
              "%h = arith.mulf %y, %y : f32", "%z = arith.select %c, %y, %h : f32")))
bad("mask-of-scores", "The mask compares scores.", dict(
    mask=body("%c = arith.cmpf ogt, %y, %zero : f32", "%z = arith.select %c, %y, %min : f32")))
bad("mask-times", "A bias times scores.", operand("f32", "%z = arith.mulf %y, %g : f32"), [T(6, 7)])
bad("bias-of-scores", "A bias that multiplies and adds.", operand(
    "f32", "%h = arith.mulf %y, %g : f32", "%z = arith.addf %y, %h : f32"), [T(6, 7)])
bad("scale-infinite", "An infinite scale.", dict(scale="0x7F800000"))
bad("scale-by-position", "A scale that depends on the key.", dict(
    mask=body("%j = linalg.index 1 : index", "%u = arith.index_cast %j : index to i32", "%h = arith.sitofp %u : i32 to f32",
              "%z = arith.mulf %y, %h : f32")))
bad("scores-from-infinity", "The first product starts from minus infinity: NaN.", dict(score_init="%inf"))
bad("scores-from-lowest", "The first product starts from the lowest number, which swallows it: the mean of all values.",
    dict(score_init="%min"))
bad("maximum-from-nan", "The maximum starts from NaN.", dict(max_init="0x7FC00000"))
bad("quotient-for-maximum", "A running quotient in place of the maximum: not a number that scores may be shifted by.",
    dict(max="divf"))
bad("difference-to-itself", "Scores less themselves: the mean of all values.", dict(
    exp=body("%h = arith.subf %x, %t : f32", "%u = arith.addf %h, %t : f32", "%d = arith.subf %x, %u : f32", "%w = math.exp %d : f32")))
good("mask-none", "A condition that no key meets: NaN.", positions("%c = arith.cmpi slt, %i, %i : index"), bias=True)
FILLED = "%z = arith.select %g, %y, %min : f32"
bad("weights-infinite", "Weights times minus infinity before the sum: NaN.", dict(
    exp=body("%d = arith.subf %x, %t : f32", "%u = math.exp %d : f32", "%w = arith.mulf %u, %inf : f32")))
bad("weights-halved", "Weights times a half before the sum, which changes nothing but is no mask.", dict(
    exp=body("%d = arith.subf %x, %t : f32", "%u = math.exp %d : f32", "%h = arith.constant 0.5 : f32", "%w = arith.mulf %u, %h : f32")))
bad("maximum-from-small", "The maximum starts above the number that hides keys: rows without any key are NaN, not a mean.",
    operand("i1", FILLED) | dict(max_init="1.0e-5"), [T(6, 7, dtype="i1", kind="mask")])
bad("maximum-from-small-bias", "The same, added.", operand(
    "i1", "%u = arith.select %g, %zero, %min : f32", "%z = arith.addf %y, %u : f32") | dict(max_init="1.0e-5"),
    [T(6, 7, dtype="i1", kind="mask")])
bad("maximum-of-half", "Half of the maximum is taken off: rows without any key are NaN, not a mean.", operand("i1", FILLED) | dict(
    exp=body("%h = arith.constant 0.5 : f32", "%u = arith.mulf %t, %h : f32", "%d = arith.subf %x, %u : f32", "%w = math.exp %d : f32")),
    [T(6, 7, dtype="i1", kind="mask")])
bad("maximum-guarded-wrong", "The maximum is taken off where it is infinite only.", operand("i1", FILLED) | dict(
    exp=body("%c = arith.cmpf oeq, %t, %inf : f32", "%u = arith.select %c, %t, %zero : f32", "%d = arith.subf %x, %u : f32",
             "%w = math.exp %d : f32")), [T(6, 7, dtype="i1", kind="mask")])
bad("fill-below-bias", "Masked by the lowest number, and where a bit is set it is added once more: minus infinity.", operand(
    "i8", "%bit = arith.constant 1 : i8", "%off = arith.constant 0 : i8", "%a = arith.andi %g, %bit : i8", "%c = arith.cmpi ne, %a, %off : i8",
    "%e_ = arith.cmpi sgt, %g, %bit : i8", "%u = arith.select %c, %zero, %min : f32", "%x_ = arith.select %e_, %y, %min : f32",
    "%z = arith.addf %x_, %u : f32"), [T(6, 7, dtype="i8", kind="ids<3>")])
good("maximum-guarded", "The maximum is taken off unless it is infinite.", operand("i1", FILLED) | dict(
    exp=body("%c = arith.cmpf oeq, %t, %inf : f32", "%u = arith.select %c, %zero, %t : f32", "%d = arith.subf %x, %u : f32",
             "%w = math.exp %d : f32")), [T(6, 7, dtype="i1", kind="mask")], bias=True)
good("scores-less-five", "Five less than scores, and then their maximum, above a mask as an argument.", operand(
    "i1", "%h = arith.constant -5.0 : f32", "%x_ = arith.select %g, %y, %min : f32", "%z = arith.addf %x_, %h : f32"),
    [T(6, 7, dtype="i1", kind="mask")], bias=True)
good("fills-added", "Two fills that are added, minus infinity together, under a causal mask.", SQUARE | operand(
    "i8", "%bit = arith.constant 1 : i8", "%off = arith.constant 0 : i8", "%a = arith.andi %g, %bit : i8", "%c = arith.cmpi ne, %a, %off : i8",
    "%e_ = arith.cmpi sgt, %g, %bit : i8", "%u = arith.select %c, %zero, %min : f32", "%v_ = arith.select %e_, %zero, %min : f32",
    "%x_ = arith.addf %y, %u : f32", "%y_ = arith.addf %x_, %v_ : f32",
    "%i = linalg.index 0 : index", "%j = linalg.index 1 : index", "%d = arith.cmpi sge, %i, %j : index",
    "%z = arith.select %d, %y_, %inf : f32", square=True), [T(6, 6, dtype="i8", kind="ids<3>")], mask="causal", bias=True)
