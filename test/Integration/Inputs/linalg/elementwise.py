# Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
"""What surrounds products in models: arithmetic on elements, reductions, gathers, against float64."""

import argparse
import math
import os

import numpy as np

import polyattn

U32 = 2.0**-24
CPU = os.environ.get("POLYATTN_TEST_CPU", "host")
TYPES = {"f32": np.float32, "f64": np.float64, "i64": np.int64, "i1": np.bool_, "f16": np.float16}


def tensor(shape, dtype, dynamic):
    return "tensor<" + "".join(f"{'?' if dynamic else n}x" for n in shape) + f"{dtype}>"


def generic(inputs, result, loops, out, body, reduction="", dynamic=False):
    """One linalg.generic as a function. `inputs` are (letters, dtype), `out` letters of the result."""
    sizes = dict(loops)
    types = [tensor([sizes[c] for c in letters], dtype, dynamic) for letters, dtype in inputs]
    type_ = tensor([sizes[c] for c in out], result, dynamic)
    names = [f"%a{i}" for i in range(len(inputs))]
    arguments = "".join(f"{n}: {t}, " for n, t in zip(names, types)) + f"%init: {type_}"
    dims = ", ".join(sizes)
    maps = ", ".join(f"affine_map<({dims}) -> ({', '.join(letters)})>" for letters in [i[0] for i in inputs] + [out])
    kinds = ", ".join('"reduction"' if c in reduction else '"parallel"' for c in sizes)
    values = "".join(f"%x{i}: {dtype}, " for i, (_, dtype) in enumerate(inputs))
    ins = f"ins({', '.join(names)} : {', '.join(types)}) " if inputs else ""
    return f"""func.func @main({arguments}) -> {type_} {{
  %r = linalg.generic {{indexing_maps = [{maps}], iterator_types = [{kinds}]}} {ins}outs(%init : {type_}) {{
  ^bb0({values}%o: {result}):
    {body}
  }} -> {type_}
  return %r : {type_}
}}"""


def run(text, arguments):
    executable = polyattn.compile(text, threads=2, cpu=CPU)
    remarks = [str(r) for r in executable.remarks if "linalg-to-vector" in str(r)]
    if not remarks or any("scalar loops" in r for r in remarks):
        raise SystemExit(f"not all of this became vectors: {remarks}\n{text}")
    return np.asarray(executable(*arguments))


def compare(name, got, expected, allowed):
    got, expected = np.asarray(got), np.asarray(expected)
    if got.shape != expected.shape:
        raise SystemExit(f"{name}: shape {got.shape}, not {expected.shape}")
    if got.dtype.kind in "ib":
        good = got == expected
    else:
        with np.errstate(all="ignore"):
            good = np.abs(got.astype(np.float64) - expected) <= allowed
            good |= (got == expected) | (np.isnan(got) & np.isnan(expected))
    if not np.all(good):
        at = tuple(np.argwhere(~good)[0])
        raise SystemExit(f"{name}: {got[at]!r} at {at}, not {expected[at]!r}")
    print(f"{name}: {got.size} elements")


def functions():
    """Approximated functions in units in the last place, at special values, too."""
    rng = np.random.default_rng(1)
    special = np.array([0.0, -0.0, np.inf, -np.inf, np.nan, 1e-30, -1e-30, -3.4028235e38, 3.4028235e38, 88.0, 89.0, -87.0,
                        -88.0, -104.0, 1.0, -1.0, 9.1, -9.1, 1e-8, -1e-8])
    cases = [("exp", np.exp, 3, 80.0), ("tanh", np.tanh, 6, 5.0), ("erf", np.vectorize(math.erf), 8, 2.0),
             ("log", np.log, 4, 100.0), ("log1p", np.log1p, 4, 100.0), ("expm1", np.expm1, 6, 10.0),
             ("sqrt", np.sqrt, 1, 100.0), ("rsqrt", lambda x: 1 / np.sqrt(x), 3, 100.0)]
    for name, function, ulps, width in cases:
        x = np.concatenate([special, rng.uniform(-width, width, 2003), rng.uniform(-1e-2, 1e-2, 500)]).astype(np.float32)
        with np.errstate(all="ignore"):
            expected = function(x.astype(np.float64)).astype(np.float32)
            # Where no normal f32 is near, the result may be 0.
            allowed = ulps * 2 * U32 * np.abs(expected) + 2.0**-126
        got = run(generic([("i", "f32")], "f32", [("i", len(x))], "i", f"%y = math.{name} %x0 : f32 linalg.yield %y : f32"),
                  [x, np.zeros_like(x)])
        compare(name, got, expected, allowed)
    x = rng.uniform(-3, 3, 99).astype(np.float32)
    power = "%c = arith.constant 3 : i64 %y = math.fpowi %x0, %c : f32, i64 linalg.yield %y : f32"
    compare("fpowi", run(generic([("i", "f32")], "f32", [("i", 99)], "i", power), [x, np.zeros_like(x)]),
            x.astype(np.float64)**3, 8 * U32 * np.abs(x)**3)
    power = "%c = arith.constant 1.3 : f32 %a = math.absf %x0 : f32 %y = math.powf %a, %c : f32 linalg.yield %y : f32"
    compare("powf", run(generic([("i", "f32")], "f32", [("i", 99)], "i", power), [x, np.zeros_like(x)]),
            np.abs(x.astype(np.float64))**np.float64(np.float32(1.3)), 8 * U32 * 9)


def broadcasts():
    """Rows, columns and numbers repeated, transpositions, lengths around the number of lanes."""
    rng = np.random.default_rng(2)
    body = ("%p = arith.mulf %x0, %x1 : f32 %q = arith.addf %p, %x2 : f32 %s = arith.subf %q, %x3 : f32 "
            "%t = arith.addf %s, %x4 : f32 linalg.yield %t : f32")
    inputs = [("ij", "f32"), ("j", "f32"), ("i", "f32"), ("ji", "f32"), ("ij", "f32")]
    for m, n in ((2, 2), (3, 15), (5, 16), (17, 33), (40, 130)):
        for dynamic in (False, True):
            x = [rng.standard_normal(s).astype(np.float32) for s in ((m, n), (n,), (m,), (n, m), (m, n))]
            text = generic(inputs, "f32", [("i", m), ("j", n)], "ij", body, dynamic=dynamic)
            expected = x[0].astype(np.float64) * x[1] + x[2][:, None] - x[3].T + x[4]
            compare(f"broadcast {m} x {n}{' dynamic' if dynamic else ''}", run(text, [*x, np.zeros((m, n), np.float32)]),
                    expected, 8 * U32 * (np.abs(x[0] * x[1]) + 8))
    x = rng.standard_normal((6, 35, 18)).astype(np.float32)
    for out in ("ikj", "kij", "jik", "kji"):
        text = generic([("ijk", "f32")], "f32", list(zip("ijk", x.shape)), out, "linalg.yield %x0 : f32")
        expected = np.einsum(f"ijk->{out}", x)
        compare(f"transposition ijk->{out}", run(text, [x, np.zeros(expected.shape, np.float32)]), expected, 0)


def types():
    """Masks, integers, f64 and f16, indices."""
    rng = np.random.default_rng(3)
    m, n = 9, 37
    mask, x, k = rng.random((m, n)) < 0.5, rng.standard_normal((m, n)).astype(np.float32), rng.integers(0, 99, (m, n))
    loops = [("i", m), ("j", n)]
    select = "%c = arith.constant -3.0 : f32 %y = arith.select %x0, %x1, %c : f32 linalg.yield %y : f32"
    compare("select", run(generic([("ij", "i1"), ("ij", "f32")], "f32", loops, "ij", select),
                          [mask, x, np.zeros((m, n), np.float32)]), np.where(mask, x, np.float32(-3)), 0)
    causal = ("%i = linalg.index 0 : index %j = linalg.index 1 : index %c = arith.cmpi sle, %j, %i : index "
              "linalg.yield %c : i1")
    for dynamic in (False, True):
        compare("causal mask", run(generic([], "i1", loops, "ij", causal, dynamic=dynamic), [np.zeros((m, n), np.bool_)]),
                np.tril(np.ones((m, n), bool)), 0)
    remainder = ("%c = arith.constant 7 : i64 %y = arith.remsi %x0, %c : i64 %z = arith.muli %y, %x0 : i64 "
                 "linalg.yield %z : i64")
    compare("integers", run(generic([("ij", "i64")], "i64", loops, "ij", remainder), [k, np.zeros_like(k)]), k % 7 * k, 0)
    wide = "%y = arith.extf %x0 : f32 to f64 %z = arith.mulf %y, %y : f64 linalg.yield %z : f64"
    compare("f64", run(generic([("ij", "f32")], "f64", loops, "ij", wide), [x, np.zeros((m, n))]), x.astype(np.float64)**2, 0)
    half = rng.standard_normal((m, n)).astype(np.float16)
    twice = "%y = arith.addf %x0, %x0 : f16 linalg.yield %y : f16"
    compare("f16", run(generic([("ij", "f16")], "f16", loops, "ij", twice), [half, np.zeros_like(half)]), half + half, 0)


def reductions():
    """Every kind over every loop: lanes may be what is reduced, or not."""
    rng = np.random.default_rng(4)
    kinds = {"addf": (np.add, "f32"), "maximumf": (np.maximum, "f32"), "minnumf": (np.minimum, "f32"),
             "mulf": (np.multiply, "f32"), "addi": (np.add, "i64"), "andi": (np.logical_and, "i1"),
             "maxsi": (np.maximum, "i64")}
    cases = [(shape, reduced) for shape in ((4, 17, 3), (2, 70, 130), (5, 64, 64)) for reduced in ("k", "j", "ik", "jk")]
    for number, (name, (function, dtype)) in enumerate(kinds.items()):
        for shape, reduced in cases[number % 3::2]:
            draw = {"f32": lambda: rng.standard_normal(shape) / (16 if name == "mulf" else 1) + (name == "mulf"),
                    "i64": lambda: rng.integers(-50, 50, shape), "i1": lambda: rng.random(shape) < 0.98}[dtype]
            x = draw().astype(TYPES[dtype])
            out = "".join(c for c in "ijk" if c not in reduced)
            axes = tuple("ijk".index(c) for c in reduced)
            init = np.ones([shape["ijk".index(c)] for c in out], TYPES[dtype])
            body = f"%y = arith.{name} %o, %x0 : {dtype} linalg.yield %y : {dtype}"
            text = generic([("ijk", dtype)], dtype, list(zip("ijk", shape)), out, body, reduced, dynamic=number % 2 == 0)
            wide = x.astype(np.float64) if dtype == "f32" else x
            expected = function(function.reduce(wide, axis=axes), init)
            count = np.prod([shape[a] for a in axes])
            allowed = {"addf": (count**0.5 + 4) * U32 * (np.abs(x).astype(np.float64).sum(axis=axes) + 1),
                       "mulf": 2 * count * U32 * np.abs(expected)}.get(name, 0)
            compare(f"{name} over {reduced} of {shape}", run(text, [x, init]), expected, allowed)


def op(maps, kinds, ins, types_, out, type_, args, body):
    maps = ", ".join({"full": "affine_map<(i, j) -> (i, j)>", "row": "affine_map<(i, j) -> (i, 0)>"}[m] for m in maps)
    kinds = ", ".join(f'"{k}"' for k in kinds)
    return (f"linalg.generic {{indexing_maps = [{maps}], iterator_types = [{kinds}]}} ins({ins} : {types_}) "
            f"outs({out} : {type_}) {{\n ^bb0({args}):\n {body} }} -> {type_}")


def rows():
    """Layer norm with the variance in f64, as torch exports it, softmax, and the index of a maximum."""
    rng = np.random.default_rng(5)
    m, n = 21, 100
    x = rng.standard_normal((m, n)).astype(np.float32) * 3 + 1
    par, red = ["parallel", "parallel"], ["parallel", "reduction"]
    full, row, wide = f"tensor<{m}x{n}xf32>", f"tensor<{m}x1xf32>", f"tensor<{m}x1xf64>"
    text = f"""func.func @main(%x: {full}) -> ({full}, {full}) {{
  %zero = arith.constant 0.0 : f32
  %zerod = arith.constant 0.0 : f64
  %low = arith.constant 0xFF800000 : f32
  %n = arith.constant {n}.0 : f64
  %e = tensor.empty() : {full}
  %er = tensor.empty() : {row}
  %ew = tensor.empty() : {wide}
  %fw = linalg.fill ins(%zerod : f64) outs(%ew : {wide}) -> {wide}
  %fr = linalg.fill ins(%zero : f32) outs(%er : {row}) -> {row}
  %fl = linalg.fill ins(%low : f32) outs(%er : {row}) -> {row}
  %s = {op(["full", "row"], red, "%x", full, "%fw", wide, "%a: f32, %o: f64",
           "%b = arith.extf %a : f32 to f64 %c = arith.addf %o, %b : f64 linalg.yield %c : f64")}
  %v = {op(["full", "row", "row"], red, "%x, %s", f"{full}, {wide}", "%fw", wide, "%a: f32, %t: f64, %o: f64",
           "%b = arith.extf %a : f32 to f64 %d = arith.divf %t, %n : f64 %c = arith.subf %b, %d : f64 "
           "%q = arith.mulf %c, %c : f64 %r = arith.addf %o, %q : f64 linalg.yield %r : f64")}
  %y = {op(["full", "row", "row", "full"], par, "%x, %s, %v", f"{full}, {wide}, {wide}", "%e", full,
           "%a: f32, %t: f64, %w: f64, %o: f32",
           "%b = arith.extf %a : f32 to f64 %d = arith.divf %t, %n : f64 %c = arith.subf %b, %d : f64 "
           "%q = arith.divf %w, %n : f64 %r = math.rsqrt %q : f64 %g = arith.mulf %c, %r : f64 "
           "%h = arith.truncf %g : f64 to f32 linalg.yield %h : f32")}
  %m = {op(["full", "row"], red, "%x", full, "%fl", row, "%a: f32, %o: f32",
           "%c = arith.maximumf %a, %o : f32 linalg.yield %c : f32")}
  %p = {op(["full", "row", "full"], par, "%x, %m", f"{full}, {row}", "%e", full, "%a: f32, %t: f32, %o: f32",
           "%c = arith.subf %a, %t : f32 %q = math.exp %c : f32 linalg.yield %q : f32")}
  %l = {op(["full", "row"], red, "%p", full, "%fr", row, "%a: f32, %o: f32",
           "%c = arith.addf %a, %o : f32 linalg.yield %c : f32")}
  %z = {op(["full", "row", "full"], par, "%p, %l", f"{full}, {row}", "%e", full, "%a: f32, %t: f32, %o: f32",
           "%c = arith.divf %a, %t : f32 linalg.yield %c : f32")}
  return %y, %z : {full}, {full}
}}"""
    norm, soft = polyattn.compile(text, threads=2, cpu=CPU)(x)
    x64 = x.astype(np.float64)
    expected = (x64 - x64.mean(1, keepdims=True)) / x64.std(1, keepdims=True)
    compare("layer norm", norm, expected, 2 * U32 * (1 + np.abs(expected)))
    expected = np.exp(x64 - x64.max(1, keepdims=True))
    compare("softmax", soft, expected / expected.sum(1, keepdims=True), 16 * U32)
    argmax = """func.func @main(%x: tensor<21x100xf32>, %v: tensor<21xf32>, %i: tensor<21xi64>) -> tensor<21xi64> {
      %r:2 = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i)>,
          affine_map<(i, j) -> (i)>], iterator_types = ["parallel", "reduction"]}
          ins(%x : tensor<21x100xf32>) outs(%v, %i : tensor<21xf32>, tensor<21xi64>) {
      ^bb0(%a: f32, %b: f32, %c: i64):
        %j = linalg.index 1 : index
        %k = arith.index_cast %j : index to i64
        %g = arith.cmpf ogt, %a, %b : f32
        %s = arith.select %g, %a, %b : f32
        %t = arith.select %g, %k, %c : i64
        linalg.yield %s, %t : f32, i64
      } -> (tensor<21xf32>, tensor<21xi64>)
      return %r#1 : tensor<21xi64>
    }"""
    compare("index of the maximum", run(argmax, [x, np.full(m, -np.inf, np.float32), np.zeros(m, np.int64)]), x.argmax(1), 0)


def gathers():
    """Rows of a table, single elements, and the lanes running over the indices themselves."""
    rng = np.random.default_rng(6)
    table = rng.standard_normal((50, 35)).astype(np.float32)
    body = """%p = arith.index_cast %x0 : i64 to index
    %c = arith.constant 50 : index
    %ok = arith.cmpi slt, %p, %c : index
    cf.assert %ok, "index out of range"
    %three = arith.constant 3 : index
    {index}
    %y = tensor.extract %table[{at}] : tensor<50x35xf32>
    linalg.yield %y : f32"""
    index = "%j = linalg.index 1 : index"
    small, large = rng.integers(0, 35, 23), rng.integers(0, 50, 23)
    for at, ids, out, extra, expected in (("%p, %j", large, "ij", index, table[large]), ("%j, %p", small, "ij", index, table[:35].T[small]),
                                          ("%p, %three", large, "i", "", table[large, 3])):
        loops = [(c, {"i": 23, "j": 35}[c]) for c in out]
        text = generic([("i", "i64")], "f32", loops, out, body.format(at=at, index=extra))
        text = text.replace("%init:", "%table: tensor<50x35xf32>, %init:", 1)
        compare(f"gather [{at}]", run(text, [ids, table, np.zeros(expected.shape, np.float32)]), expected, 0)


def main():
    families = {f.__name__: f for f in (functions, broadcasts, types, reductions, rows, gathers)}
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("families", nargs="*", choices=[[], *families])
    for family in parser.parse_args().families or families:
        families[family]()


if __name__ == "__main__":
    main()
