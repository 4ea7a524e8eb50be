# Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
"""Products of tensors, written as einsum says, through the whole pipeline and against float64.

Several products that share a compilation are one function; each must have become register blocks, and by the route
that it was made for.
"""

import argparse
import collections
import itertools
import os

import numpy as np

import polyattn

U32 = 2.0**-24
CPU = os.environ.get("POLYATTN_TEST_CPU", "host")
NARROW = {"f32": 0.0, "f16": 2.0**-11, "bf16": 2.0**-8}

#: One product: `spec` as numpy.einsum takes it; sizes of its letters, those in `dynamic` unknown to the compiler.
Product = collections.namedtuple("Product", "spec sizes dynamic dtype result init after constant",
                                 defaults=("", "f32", None, False, None, False))


def to_dtype(x, dtype):
    if dtype == "f16":
        return x.astype(np.float16)
    x = np.ascontiguousarray(x, np.float32)
    if dtype == "f32":
        return x
    bits = x.view(np.uint32).astype(np.uint64)
    return ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype(np.uint16)


def widen(x, dtype):
    if dtype == "bf16":
        x = (np.asarray(x).view(np.uint16).astype(np.uint32) << 16).view(np.float32)
    return np.asarray(x).astype(np.float64)


class Writer:
    """The text of one function with all products."""

    def __init__(self):
        self.arguments, self.lines, self.results, self.types = [], [], [], []

    def fresh(self):
        return f"%v{len(self.lines)}_{len(self.arguments)}"

    def tensor(self, product, letters, dtype):
        sizes = "".join(f"{'?' if c in product.dynamic else product.sizes[c]}x" for c in letters)
        return f"tensor<{sizes}{dtype}>"

    def argument(self, type_):
        name = f"%a{len(self.arguments)}"
        self.arguments.append(f"{name}: {type_}")
        return name

    def line(self, text):
        name = f"%v{len(self.lines)}"
        self.lines.append(f"{name} = {text}")
        return name

    def product(self, p, constant):
        inputs, out = p.spec.split("->")
        inputs = inputs.split(",")
        result = p.result or p.dtype
        loops = out + "".join(sorted(set("".join(inputs)) - set(out)))
        types = [self.tensor(p, letters, p.dtype) for letters in inputs] + [self.tensor(p, out, result)]
        names = [self.argument(types[0])]
        if constant is None:
            names.append(self.argument(types[1]))
        else:
            names.append(self.line(f"arith.constant dense<{constant.tolist()}> : {types[1]}"))
        start = self.start(p, inputs, names, types, result)
        maps = ", ".join(f"affine_map<({', '.join(loops)}) -> ({', '.join(letters)})>" for letters in (*inputs, out))
        kinds = ", ".join('"parallel"' if c in out else '"reduction"' for c in loops)
        body = self.body(p.dtype, result)
        name = self.line(f"linalg.generic {{indexing_maps = [{maps}], iterator_types = [{kinds}]}} "
                         f"ins({names[0]}, {names[1]} : {types[0]}, {types[1]}) outs({start} : {types[2]}) {{{body}}} "
                         f"-> {types[2]}")
        if p.after:
            name = self.after(p, out, name, types[2], result, start)
        self.results.append(name)
        self.types.append(types[2])

    def start(self, p, inputs, names, types, result):
        """What the sum starts from: an argument, or 0."""
        if p.init:
            return self.argument(types[2])
        out = p.spec.split("->")[1]
        sizes = []
        for c in out:
            if c in p.dynamic:
                which = 0 if c in inputs[0] else 1
                at = self.line(f"arith.constant {inputs[which].index(c)} : index")
                sizes.append(self.line(f"tensor.dim {names[which]}, {at} : {types[which]}"))
        empty = self.line(f"tensor.empty({', '.join(sizes)}) : {types[2]}")
        zero = self.line(f"arith.constant 0.0 : {result}")
        return self.line(f"linalg.fill ins({zero} : {result}) outs({empty} : {types[2]}) -> {types[2]}")

    @staticmethod
    def body(dtype, result):
        wide = "" if dtype == result else f"%x = arith.extf %p : {dtype} to {result} %y = arith.extf %q : {dtype} to {result} "
        x, y = ("%p", "%q") if dtype == result else ("%x", "%y")
        return (f"^bb0(%p: {dtype}, %q: {dtype}, %o: {result}): {wide}%m = arith.mulf {x}, {y} : {result} "
                f"%s = arith.addf %o, %m : {result} linalg.yield %s : {result}")

    def after(self, p, out, name, type_, result, start):
        """relu(x + bias) * residual, the residual transposed where `after` says so."""
        bias_type, rest_type = self.tensor(p, out[-1:], "f32"), self.tensor(p, out, "f32")
        bias, rest = self.argument(bias_type), self.argument(rest_type)
        dims = ", ".join(out)
        maps = ", ".join(f"affine_map<({dims}) -> ({', '.join(letters)})>" for letters in (out, out[-1:], out, out))
        kinds = ", ".join(['"parallel"'] * len(out))
        return self.line(
            f"linalg.generic {{indexing_maps = [{maps}], iterator_types = [{kinds}]}} "
            f"ins({name}, {bias}, {rest} : {type_}, {bias_type}, {rest_type}) outs({start} : {type_}) {{"
            f"^bb0(%x: f32, %b: f32, %r: f32, %o: f32): %z = arith.constant 0.0 : f32 %s = arith.addf %x, %b : f32 "
            f"%m = arith.maximumf %s, %z : f32 %t = arith.mulf %m, %r : f32 linalg.yield %t : f32}} -> {type_}")

    def text(self):
        body = "\n  ".join(self.lines)
        return (f"func.func @main({', '.join(self.arguments)}) -> ({', '.join(self.types)}) {{\n  {body}\n"
                f"  return {', '.join(self.results)} : {', '.join(self.types)}\n}}")


def arrays(p, rng):
    """Arguments in order, the constant or None, and the expected result with what rounding may change."""
    inputs, out = p.spec.split("->")
    result = p.result or p.dtype
    shaped = [rng.standard_normal([p.sizes[c] for c in letters]) for letters in inputs.split(",")]
    a, b = (to_dtype(x, p.dtype) for x in shaped)
    wide = [widen(a, p.dtype), widen(b, p.dtype)]
    expected = np.einsum(p.spec, *wide)
    size = np.einsum(p.spec, *map(np.abs, wide))
    summed = int(np.prod([p.sizes[c] for c in set("".join(inputs)) - set(out) - {","}]))
    arguments, shape = [a] if p.constant else [a, b], expected.shape
    if p.init:
        arguments.append(to_dtype(rng.standard_normal(shape), result))
        start = widen(arguments[-1], result)
        expected, size = expected + start, size + np.abs(start)
    allowed = (np.sqrt(summed) + 4) * U32 * size + NARROW[result] * np.abs(expected) + (2.0**-24 if result == "f16" else 0)
    if p.after:
        bias = to_dtype(rng.standard_normal(shape[-1:]), "f32")
        rest = to_dtype(rng.standard_normal(shape), "f32")
        arguments += [bias, rest]
        expected = np.maximum(expected + bias, 0) * rest
        allowed = (allowed + 4 * U32 * (np.abs(bias) + size)) * np.abs(rest)
    return arguments, b if p.constant else None, expected, allowed


def check(name, products, route=None, taken=True):
    rng = np.random.default_rng(sum(map(ord, name)))
    writer, arguments, wanted = Writer(), [], []
    for p in products:
        own, constant, expected, allowed = arrays(p, rng)
        writer.product(p, constant)
        arguments += own
        wanted.append((p, expected, allowed))
    executable = polyattn.compile(writer.text(), threads=2, cpu=CPU)
    blocks = [r.args["Remark"] if hasattr(r, "args") else str(r) for r in executable.remarks if "register blocks" in str(r)]
    if taken and len(blocks) != len(products) or taken and any("no register blocks" in b for b in blocks):
        raise SystemExit(f"{name}: not all products became register blocks: {blocks}\n{writer.text()}")
    if route and not all(route in b for b in blocks):
        raise SystemExit(f"{name}: not by way of '{route}': {blocks}")
    results = executable(*arguments)
    again = executable(*arguments)
    results, again = (r if isinstance(r, tuple) else (r,) for r in (results, again))
    worst = 0.0
    for (p, expected, allowed), got, twice in zip(wanted, results, again):
        if np.asarray(got).tobytes() != np.asarray(twice).tobytes():
            raise SystemExit(f"{name}: {p} gives other bits when run again")
        error = np.abs(widen(got, p.result or p.dtype) - expected) / np.maximum(allowed, 1e-300)
        if error.size:
            worst = max(worst, float(error.max()))
        if not np.all(error <= 1):
            raise SystemExit(f"{name}: {p} is off by {error.max():.3g} of what is allowed\n{writer.text()}")
    print(f"{name}: {len(products)} products, at worst {worst:.3f} of what is allowed")


def sizes(**letters):
    return letters


def shapes():
    """Every remainder of rows, columns and depth, static and not. A length of 1 may leave no product at all."""
    rows, columns, depths = (1, 5, 6, 7, 13, 25, 64), (1, 3, 16, 17, 31, 64, 65, 130), (1, 4, 15, 16, 33)
    every = list(itertools.product(rows, columns, depths))
    picked = [every[i] for i in range(0, len(every), 9)]
    for spec in ("mk,kn->mn", "mk,nk->mn", "km,kn->mn", "km,nk->mn"):
        products = [Product(spec, sizes(m=m, n=n, k=k)) for m, n, k in picked[:12]]
        check(f"static {spec}", products, taken=False)
        products = [Product(spec, sizes(m=m, n=n, k=k), dynamic) for (m, n, k), dynamic in
                    zip(picked[12:], ("m", "n", "k", "mn", "mk", "nk", "mnk"))]
        check(f"dynamic {spec}", products, taken=False)
    check("nothing", [Product("mk,kn->mn", sizes(m=3, n=20, k=0), "k"), Product("mk,kn->mn", sizes(m=0, n=20, k=4), "m"),
                      Product("mk,nk->mn", sizes(m=40, n=0, k=4), "n")])


def layouts():
    """Operands swapped, batches anywhere, several rows, columns and sums."""
    s = sizes(b=3, h=2, m=20, n=37, k=18, l=5, q=4)
    every = ["bmk,bkn->bmn", "bmk,bnk->bmn", "mbk,bnk->mbn", "mbk,nbk->bmn", "mhk,nhk->hmn", "bhmk,bhnk->bhmn",
             "bmhk,bnhk->bhmn", "kn,mk->nm", "nk,mk->nm", "mkl,kln->mn", "mkl,nkl->mn", "mlk,kln->mn", "bqmk,bnk->bqmn",
             "bmk,kn->bmn", "mk,bkn->bmn", "mk,k->m", "k,kn->n", "k,nk->n", "bmk,bk->bm", "hmk,nk->mhn", "mk,hkq->mhq"]
    for i in range(0, len(every), 7):
        check(f"layouts {i}", [Product(spec, s) for spec in every[i:i + 7]])
        check(f"dynamic layouts {i}", [Product(spec, s, "mn") for spec in every[i:i + 7]])


def routes():
    big, few = sizes(m=50, n=70, k=24), sizes(m=3, n=70, k=24)
    check("panels", [Product("mk,kn->mn", big), Product("mk,nk->mn", big)], "panels made first")
    check("rows", [Product("mk,kn->mn", few), Product("k,kn->n", few)], "rows as they are")
    check("dots", [Product("mk,nk->mn", few), Product("k,nk->n", few)], "dot products")
    check("constants", [Product(spec, s, dynamic, constant=True) for spec in ("mk,kn->mn", "mk,nk->mn") for s in (big, few)
                        for dynamic in ("", "m")], "constant panels")
    check("batched constants", [Product("hmk,hnk->hmn", sizes(h=3, m=7, n=20, k=5), constant=True),
                                Product("mkl,nlk->mn", sizes(l=3, m=7, n=20, k=5), constant=True)], "constant panels")


def after():
    s = sizes(b=2, m=29, n=83, k=21)
    check("epilogue", [Product("mk,kn->mn", s, after=True), Product("mk,nk->mn", s, "m", after=True),
                       Product("bmk,bkn->bmn", s, "n", after=True), Product("mk,kn->mn", sizes(m=2, n=83, k=21), after=True),
                       Product("mk,nk->mn", sizes(m=2, n=83, k=21), after=True)], "the op that follows")
    check("start", [Product("mk,kn->mn", s, init=True), Product("mk,nk->mn", s, "mn", init=True),
                    Product("mk,nk->mn", sizes(m=2, n=83, k=21), init=True),
                    Product("mk,kn->mn", s, init=True, after=True)])


def narrow():
    s = sizes(m=29, n=83, k=40)
    for dtype in ("f16", "bf16"):
        check(dtype, [Product(spec, s, dynamic, dtype, result, init) for spec in ("mk,kn->mn", "mk,nk->mn")
                      for dynamic, result, init in (("", None, False), ("mnk", "f32", False), ("", "f32", True), ("m", None, True))])
        check(f"{dtype}, few rows", [Product(spec, sizes(m=2, n=83, k=40), "", dtype, "f32") for spec in ("mk,kn->mn", "mk,nk->mn")])


def threads():
    """Enough work for all threads."""
    s = sizes(b=4, m=400, n=330, k=150)
    check("threads", [Product("mk,kn->mn", s), Product("bmk,bnk->bmn", s), Product("mk,nk->mn", s, "mnk", after=True)])


def main():
    families = {f.__name__: f for f in (shapes, layouts, routes, after, narrow, threads)}
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("families", nargs="*", choices=[[], *families])
    for family in parser.parse_args().families or families:
        families[family]()


if __name__ == "__main__":
    main()
