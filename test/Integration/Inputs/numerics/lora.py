# Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
"""Linear layers with low-rank adapters: results, merges and gradients against the float64 oracle; the oracle's gradients
against differences and PyTorch in double precision."""

import dataclasses
from typing import Optional, Tuple

import numpy as np
import oracle
import polyattn
from harness import U32, Family, compile_for_tests, literal, main, output_rounding, round_to, widen


@dataclasses.dataclass(frozen=True)
class Case:
    batch: Tuple[Optional[int], ...] = (None,)  # before the inputs' columns; None is not in the types
    sizes: Tuple[int, int, int] = (24, 8, 40)  # in, r, out
    transposed: bool = False
    dtype: str = "f32"
    thin: str = ""  # element type of adapters and bias, if another
    scale: float = 2.0
    adapters: Optional[int] = None  # how many
    index: str = "i32"
    bias: bool = False
    dynamic: bool = False  # all sizes
    constant: bool = False  # the weight, A and B are in the program

    def matrices(self):
        """Shapes of W, A, B, bias, in the program's layout."""
        m, r, k = self.sizes
        shapes = [(m, k), (m, r), (r, k)]
        if self.transposed:
            shapes = [shape[::-1] for shape in shapes]
        if self.adapters is not None:
            shapes[1:] = [(self.adapters, *shape) for shape in shapes[1:]]
        return [*shapes, (k,)]

    def kinds(self):
        thin = self.thin or self.dtype
        return [self.dtype, thin, thin, thin]

    def text(self, constants=None):
        def tensor(shape, dtype, dynamic=self.dynamic):
            return f"tensor<{''.join('?x' if s is None or dynamic else f'{s}x' for s in shape)}{dtype}>"
        m, _, k = self.sizes
        x, y = tensor((*self.batch, m), self.dtype), tensor((*self.batch, k), self.dtype)
        w, a, b, bias = (tensor(shape, kind) for shape, kind in zip(self.matrices(), self.kinds()))
        index = tensor(self.batch, self.index)
        which = f"adapters(%i : {index}) " if self.adapters is not None else ""
        how = f"{which}scale {literal(self.scale)} {'transposed ' if self.transposed else ''}"
        arguments, given = f"%x: {x}, %dy: {y}, %i: {index}", f"%w: {w}, %a: {a}, %b: {b}, %bias: {bias}"
        lines = []
        if constants is None:
            arguments += f", {given}"
        else:
            lines = [f"  %{name} = arith.constant dense<{np.float64(value).tolist()}> : {type_}\n"
                     for name, value, type_ in zip(("w", "a", "b", "bias"), constants, (w, a, b, bias))]
        results = [y, x, a, b] + ([w] if self.adapters is None else [])
        merge = f"  %m = attn.lora_merge %w, %a, %b {how}: {w}, {a}, {b}\n" if self.adapters is None else ""
        return (f"func.func @main({arguments}) -> ({', '.join(results)}) {{\n{''.join(lines)}"
                f"  %y = attn.lora_linear %x, %w, %a, %b {f'bias(%bias : {bias}) ' if self.bias else ''}{how}: {x}, {w}, {a}, {b}\n"
                f"  %g:3 = attn.lora_linear_grad %dy, %x, %w, %a, %b {how}: {y}, {x}, {w}, {a}, {b}"
                f" -> x({x}) a({a}) b({b})\n{merge}"
                f"  return %y, %g#0, %g#1, %g#2{', %m' if merge else ''} : {', '.join(results)}\n}}\n")


def draw(rng, case, batch, which=None):
    """x, dy, indices, and the matrices, in the program's types."""
    m, _, k = case.sizes
    def normal(*shape, dtype=case.dtype):
        return np.ascontiguousarray(rng.standard_normal(shape)) if dtype == "f64" else round_to(rng.standard_normal(shape), dtype)
    count = case.adapters or 1
    index = rng.integers(-1, count, batch) if which is None else np.broadcast_to(which, batch)
    index = np.ascontiguousarray(index, np.int64 if case.index == "i64" else np.int32)
    matrices = [normal(*shape, dtype=kind) for shape, kind in zip(case.matrices(), case.kinds())]
    return [normal(*batch, m), normal(*batch, k), index], matrices


def wide(x, dtype):
    return np.asarray(x, np.float64) if dtype == "f64" else widen(x, dtype)


def unit(case):
    return 2.0**-53 if case.dtype == "f64" else U32


def rounded(expected, dtype):
    return 0 if dtype == "f64" else output_rounding(expected, dtype)


def expected(case, rows, matrices, size=lambda x: x):
    """All results, or with absolute values for `size` what their rounding is proportional to."""
    x, dy = (size(wide(v, case.dtype)) for v in rows[:2])
    w, a, b, bias = (size(wide(v, kind)) for v, kind in zip(matrices, case.kinds()))
    index = rows[2] if case.adapters is not None else None
    scale = size(np.float64(case.scale))
    how = dict(adapters=index, transposed=case.transposed)
    y = oracle.lora_linear(x, w, a, b, scale, bias if case.bias else None, **how)
    grads = oracle.lora_linear_grad(dy, x, w, a, b, scale, **how)
    merged = [w + scale * (b @ a if case.transposed else a @ b)] if index is None else []
    return [y, *grads, *merged]


def check(family, case, run, rng, batch, which=None, constants=None):
    rows, matrices = draw(rng, case, batch, which)
    arrays = rows if constants else rows + matrices
    matrices = constants or matrices
    kept = [v.copy() for v in arrays]
    got = run(*arrays)
    assert all(v.tobytes() == k.tobytes() for v, k in zip(arrays, kept)), "an input was written to"
    again = run(*arrays)
    assert all(np.asarray(v).tobytes() == np.asarray(k).tobytes() for v, k in zip(got, again)), "two runs differ"
    terms = sum(case.sizes) + int(np.prod(batch, dtype=int))
    names = ("y", "dx", "dA", "dB", "merged")
    kinds = [case.dtype, case.dtype, *case.kinds()[1:3], case.dtype]
    for name, kind, value, want, size in zip(names, kinds, got, expected(case, rows, matrices),
                                             expected(case, rows, matrices, np.abs)):
        value = wide(value, kind)
        assert value.shape == want.shape, (name, value.shape, want.shape)
        allowed = (np.sqrt(terms) + 8) * unit(case) * size + rounded(want, kind)
        family.add(f"{name} {batch} {which}", np.abs(value - want), allowed + 1e-300, np.abs(want).max(initial=1e-300), case.text()[:3000])


CASES = [
    Case(), Case(transposed=True), Case(bias=True), Case(transposed=True, bias=True, batch=(2, None)),
    Case(sizes=(7, 3, 5), batch=(13,)), Case(sizes=(129, 17, 65), transposed=True), Case(sizes=(129, 17, 65)),
    Case(sizes=(64, 16, 64), batch=(4,), transposed=True), Case(sizes=(64, 16, 64), batch=(4,)), Case(sizes=(64, 70, 200), batch=(30,)),
    Case(sizes=(33, 1, 18)), Case(sizes=(1, 4, 6)), Case(sizes=(20, 0, 9)), Case(scale=0.0), Case(scale=-0.5, batch=(3, 2, 7)),
    Case(dynamic=True), Case(dynamic=True, transposed=True, bias=True, batch=(3, 2, None)), Case(dtype="bf16"), Case(dtype="bf16", thin="f32", bias=True),
    Case(dtype="f16", transposed=True), Case(dtype="f64"), Case(dtype="f64", transposed=True, bias=True),
]
SEVERAL = [
    Case(adapters=3), Case(adapters=3, transposed=True), Case(adapters=16, sizes=(70, 16, 130), transposed=True, bias=True),
    Case(adapters=5, batch=(2, None), index="i64"), Case(adapters=4, batch=(40,), sizes=(65, 9, 33)), Case(adapters=4, batch=(9,), transposed=True),
    Case(adapters=2, batch=(30,), sizes=(40, 64, 70), transposed=True), Case(adapters=1), Case(adapters=4, batch=(1,)),
    Case(adapters=3, dynamic=True), Case(adapters=3, dynamic=True, transposed=True), Case(adapters=3, sizes=(20, 1, 18)),
    Case(adapters=3, dtype="bf16", thin="f32"), Case(adapters=3, dtype="f16", transposed=True), Case(adapters=3, dtype="f64"),
]


def batches(case, lengths):
    """Shapes for the dimensions that are not in the types."""
    return [tuple(n if s is None else s for s in case.batch) for n in lengths] if None in case.batch else [case.batch]


def linear(rng):
    family = Family("lora")
    for case in CASES:
        run = compile_for_tests(polyattn.parse(case.text()), "attn-to-llvm")
        for batch in batches(case, (0, 1, 5, 12, 50, 301)):
            check(family, case, run, rng, batch)
    yield family


def several(rng):
    family = Family("adapters")
    for case in SEVERAL:
        run = compile_for_tests(polyattn.parse(case.text()), "attn-to-llvm")
        for batch in batches(case, (0, 1, 5, 12, 50, 301)):
            for which in (None, -1, 0, case.adapters - 1):
                check(family, case, run, rng, batch, which)
    yield family


def constants(rng):
    family = Family("constants")
    for case in (Case(bias=True), Case(transposed=True), Case(adapters=3), Case(adapters=3, transposed=True, sizes=(70, 16, 66))):
        _, matrices = draw(rng, case, (1,))
        run = compile_for_tests(polyattn.parse(case.text(matrices)), "attn-to-llvm")
        for batch in batches(case, (1, 5, 50)):
            check(family, case, run, rng, batch, constants=matrices)
    yield family


def reference(rng):
    """attn-lower-to-reference alone, in f64."""
    family = Family("reference")
    for case in (Case(bias=True), Case(transposed=True, dtype="f16"), Case(adapters=3), Case(adapters=3, transposed=True, dtype="bf16")):
        run = compile_for_tests(polyattn.parse(case.text()), "attn-lower-to-reference{compute-type=f64},attn-to-llvm")
        for batch in batches(case, (1, 9)):
            check(family, case, run, rng, batch)
    yield family


def unusual(rng):
    """NaN shows in exactly the rows and adapters that meet it; those of rows without an adapter are not read."""
    family = Family("NaN")
    case = Case(adapters=3, sizes=(20, 5, 33), batch=(40,))
    run = compile_for_tests(polyattn.parse(case.text()), "attn-to-llvm")
    rows, matrices = draw(rng, case, case.batch)
    matrices[1][1, 3, 2], matrices[2][2, 4, 30] = np.nan, np.inf
    rows[0][7, 2] = np.nan
    got = run(*rows, *matrices)
    with np.errstate(invalid="ignore"):
        want = expected(case, rows, matrices)
    for name, value, right in zip(("y", "dx", "dA", "dB"), got, want):
        family.expect(name, np.array_equal(np.isfinite(value), np.isfinite(right)), f"{name}: other entries are not finite")
    for index in (3, 2**31 - 1):
        rows[2][17] = index
        try:
            run(*rows, *matrices)
            message = "nothing"
        except Exception as error:  # whatever the package raises
            message = str(error)
        family.expect(f"index {index}", "adapters" in message, f"an adapter that does not exist: {message}")
    yield family


def differences(rng):
    """The oracle's gradients are those of its results."""
    family = Family("oracle")
    for case in (Case(sizes=(5, 2, 4), batch=(6,), dtype="f64"), Case(sizes=(5, 2, 4), batch=(6,), dtype="f64", transposed=True),
                 Case(sizes=(4, 2, 3), batch=(9,), dtype="f64", adapters=3, transposed=True)):
        rows, (w, a, b, _) = draw(rng, case, case.batch)
        x, dy, index = rows
        how = dict(adapters=index if case.adapters else None, transposed=case.transposed)
        grads = oracle.lora_linear_grad(dy, x, w, a, b, case.scale, **how)
        for name, array, grad in zip(("x", "A", "B"), (x, a, b), grads):
            for at in np.ndindex(array.shape):
                kept, step = array[at], 1e-5
                sides = []
                for sign in (1, -1):
                    array[at] = kept + sign * step
                    sides.append((dy * oracle.lora_linear(x, w, a, b, case.scale, **how)).sum())
                array[at] = kept
                # Linear in each operand: only rounding is left.
                family.add(f"d{name}{at}", abs((sides[0] - sides[1]) / (2 * step) - grad[at]), 1e-7, 1.0, case.text())
    yield family


def autograd(rng):
    """Compiled gradients and PyTorch's, of peft's formula, in double precision."""
    family = Family("PyTorch")
    try:
        import torch
    except ImportError:
        return
    case = Case(sizes=(48, 8, 40), transposed=True, batch=(70,))
    run = compile_for_tests(polyattn.parse(case.text()), "attn-to-llvm")
    (x, dy, index), (w, a, b, bias) = draw(rng, case, case.batch)
    leaves = [torch.tensor(np.float64(v), requires_grad=True) for v in (x, a, b)]
    tx, ta, tb = leaves
    y = torch.nn.functional.linear(tx, torch.tensor(np.float64(w))) + case.scale * (tx @ ta.T) @ tb.T
    y.backward(torch.tensor(np.float64(dy)))
    for name, got, leaf in zip(("dx", "dA", "dB"), run(x, dy, index, w, a, b, bias)[1:4], leaves):
        want = leaf.grad.numpy()
        family.add(name, np.abs(got - want).max(), 1e-5 * np.abs(want).max(), np.abs(want).max(), case.text())
    yield family


def fuzz(rng, family):
    """A layer that nobody chose, with its gradients, on a few batches."""
    def pick(choices):
        return choices[rng.integers(len(choices))]

    def size():
        return int(pick([rng.integers(1, 8), 16 * rng.integers(1, 9) + rng.integers(-1, 2), 200**rng.random()]))
    several = rng.random() < 0.5
    dtype = pick(["f32"] * 3 + ["f16", "bf16", "f64"])
    case = Case(
        batch=pick([(None,), (None,), (2, None), (int(size()),)]), sizes=(size(), pick([0, 1, 2, 8, 16, 17, 64, size()]), size()),
        transposed=bool(rng.integers(2)), dtype=dtype, thin="f32" if dtype in ("f16", "bf16") and rng.random() < 0.5 else "",
        scale=float(pick([1.0, 2.0, -0.25, 0.0])), adapters=int(pick([1, 2, 5, 16, 40])) if several else None, index=pick(["i32", "i64"]),
        bias=bool(rng.integers(2)), dynamic=bool(rng.random() < 0.25))
    run = compile_for_tests(polyattn.parse(case.text()), "attn-to-llvm")
    for batch in batches(case, (size(), int(rng.integers(0, 300)))):
        check(family, case, run, rng, batch)


if __name__ == "__main__":
    main({f.__name__: f for f in (linear, several, constants, reference, unusual, differences, autograd)})
