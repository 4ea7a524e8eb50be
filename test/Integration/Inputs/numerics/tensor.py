# Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
"""Tensor attention, directly and through states, with certificates and guards, against the float64 oracle."""

import dataclasses
import math
import re
from typing import Optional, Tuple

import numpy as np
import oracle
import polyattn
from harness import EXACT, U32, Family, compile_for_tests, literal, main, output_rounding, round_to, score_rounding, widen

CAUSAL, END = ("causal", {}), ("causal", {"align": "end"})
WINDOW, PREFIX = ("sliding_window", {"left": 9, "right": 0}), ("prefix", {"length": 5})
FULL = ("full", {})
# As in polynomial.py, for each set of keys.
ROUNDINGS = 20


@dataclasses.dataclass(frozen=True)
class Case:
    sets: int = 2
    d: int = 8
    e: int = 8
    batch: Tuple[int, ...] = (2,)
    kv_heads: int = 2
    dtype: str = "f32"
    scale: float = 0.35
    kernel: Optional[Tuple[float, ...]] = None
    masks: Tuple = ()
    evaluate: Optional[str] = None
    bound: Optional[Tuple[float, str]] = None
    weighted: bool = False
    any_kv_heads: bool = False  # their number is not in the types
    nan_rows: bool = False

    def text(self):
        kv = (*self.batch[:-1], None if self.any_kv_heads else self.kv_heads) if self.batch else ()

        def tensor(*shape):
            return f"tensor<{''.join('?x' if s is None else f'{s}x' for s in shape)}{self.dtype}>"
        q, k, v = tensor(*self.batch, None, self.d), tensor(*kv, None, self.d), tensor(*kv, None, self.e)
        w = tensor(*kv, None).replace(self.dtype, "f32")
        names = [f"{name}{t}" for name in "kvw" for t in range(self.sets)]
        types = [k] * self.sets + [v] * self.sets + [w] * self.sets
        arguments = ", ".join(f"%{name}: {kind}" for name, kind in zip(["q", *names], [q, *types]))

        def operands(letter, kind):
            return f"({', '.join(f'%{letter}{t}' for t in range(self.sets))} : {', '.join([kind] * self.sets)})"
        masks = [f"{name}<{', '.join(f'{key} = {value}' for key, value in options.items())}>" if options else name
                 for name, options in self.masks]
        out = tensor(*self.batch, None, self.e)
        return (f"func.func @main({arguments}) -> {out} {{\n  %o = attn.tensor_attention %q keys{operands('k', k)} "
                f"values{operands('v', v)} {'key_weights' + operands('w', w) if self.weighted else ''} "
                f"scale {literal(self.scale)} "
                f"{f'kernel poly<[{chr(44).join(map(literal, self.kernel))}]> ' if self.kernel else ''}"
                f"{f'mask [{chr(44).join(masks)}] ' if masks else ''}"
                f"{f'bound <{literal(self.bound[0])}, {self.bound[1]}> ' if self.bound else ''}"
                f"{f'evaluate {self.evaluate} ' if self.evaluate else ''}{'nan_rows ' if self.nan_rows else ''}: {q} -> {out}\n  return %o : {out}\n}}\n")


class Program:
    def __init__(self, case, pipeline="attn-schedule,attn-to-llvm", prepare=None):
        self.case = case
        module = polyattn.parse(case.text())
        if prepare:
            module.run(f"builtin.module({prepare})")
        self.ir = str(module)
        self.run = compile_for_tests(module, pipeline)

    def arrays(self, rng, n, lengths, size=1.0, zeros=0.3):
        """Queries, then keys, values and weights of each set; keys of weight 0 hold no numbers."""
        case = self.case
        kv = (*case.batch[:-1], case.kv_heads) if case.batch else ()
        q = size * rng.standard_normal((*case.batch, n, case.d))
        keys = [size * rng.standard_normal((*kv, m, case.d)) for m in lengths]
        values = [rng.standard_normal((*kv, m, case.e)) for m in lengths]
        weights = [rng.uniform(0.5, 2.0, (*kv, m)) * (rng.random((*kv, m)) >= zeros) for m in lengths]
        if case.weighted:
            for x, w in zip(keys, weights):
                x[w == 0] = math.nan
        return [round_to(x, case.dtype) for x in (q, *keys, *values)] + [round_to(w, "f32") for w in weights]

    def parts(self, arrays):
        case = self.case
        q, *rest = (widen(x, case.dtype) for x in arrays[:1 + 2 * case.sets])
        weights = [np.asarray(w, np.float64) for w in arrays[1 + 2 * case.sets:]] if case.weighted else []
        return q, rest[:case.sets], rest[case.sets:], weights

    def oracle(self, arrays, kernel="same", absolute=False):
        q, keys, values, weights = self.parts(arrays)
        if absolute:
            q, keys = np.abs(q), [np.abs(k) for k in keys]
        kernel = self.case.kernel if kernel == "same" else kernel
        scale = abs(self.case.scale) if absolute else self.case.scale
        return oracle.tensor_attention(q, keys, values, scale, kernel, list(self.case.masks), weights)

    def largest(self, arrays):
        """The largest product of values there can be."""
        return float(np.prod([np.nanmax(np.abs(v), initial=0.0) for v in self.parts(arrays)[2]]))

    def largest_score(self, arrays):
        q, keys, _, _ = self.parts(arrays)
        order = len(keys) + 1
        norms = [np.nanmax((np.abs(x)**order).sum(axis=-1)**(1 / order), initial=0.0) for x in (q, *keys)]
        return float(abs(self.case.scale) * np.prod(norms))


def lengths_of(rng, sets, most):
    return [int(rng.integers(1, most)) for _ in range(sets)]


def check_direct(family, program, rng, n, lengths, size, change=None):
    arrays = program.arrays(rng, n, lengths, size)
    if change:
        change(arrays)
    expected, most = program.oracle(arrays), program.largest(arrays)
    allowed = most * min(EXACT + 2 * score_rounding(program.case.d) * program.largest_score(arrays), 2.0)
    error = np.abs(widen(program.run(*arrays), program.case.dtype) - expected)
    family.add(f"n={n} m={lengths} size={size}", error, allowed + output_rounding(expected, program.case.dtype),
               max(most, 1e-300), program.case.text())


def direct(rng):
    family = Family("direct")
    masks = [(), (CAUSAL, CAUSAL), (WINDOW, CAUSAL), (FULL, PREFIX), (("sliding_window", {"left": 3, "right": 2}), WINDOW)]
    cases = [Case(masks=m, d=d, e=e) for m, (d, e) in zip(masks, [(8, 8), (5, 3), (16, 32), (33, 17), (64, 64)])]
    cases += [Case(sets=3, d=6, e=20), Case(sets=3, masks=(CAUSAL, WINDOW, FULL), batch=(4,)), Case(sets=4, d=4, e=5),
              Case(sets=1, masks=(CAUSAL,)), Case(batch=(), kv_heads=1), Case(batch=(2, 6), kv_heads=3, weighted=True),
              Case(sets=3, weighted=True, masks=(END, CAUSAL, PREFIX)), Case(dtype="bf16", d=32), Case(dtype="f16", weighted=True),
              Case(bound=(0.8, "proved"), scale=0.01), Case(bound=(9.0, "proved"), scale=0.05, masks=(CAUSAL, FULL)),
              Case(scale=-0.4), Case(kernel=(1.0, 1.0, 0.5), evaluate="direct")]
    for case in cases:
        program = Program(case)
        for n, most, size in ((1, 4, 1.0), (7, 20, 1.0), (23, 90 if case.sets == 2 else 24, 1.0), (9, 40 if case.sets < 3 else 9, 4.0)):
            if case.bound or case.kernel:
                size = 0.8
            check_direct(family, program, rng, n, lengths_of(rng, case.sets, most), size)
        # Masks often come with as many keys as queries.
        check_direct(family, program, rng, 21, [21] * case.sets, 0.8 if case.bound or case.kernel else 1.0)
    # Tiles of small scores, which take no running maximum, beside others of large ones; the largest first, and last.
    for masks in ((), (sliding(60, 60), FULL)):
        program = Program(Case(d=16, e=9, masks=masks))
        for rows in (slice(0, 70), slice(70, None)):
            def enlarge(arrays, rows=rows):
                arrays[1][..., rows, :] *= 12
            check_direct(family, program, rng, 9, [200, 40], 1.0, enlarge)
            check_direct(family, program, rng, 150, [150, 20], 0.5, enlarge)
    yield family


def check_state(family, program, rng, n, lengths):
    case = program.case
    arrays = program.arrays(rng, n, lengths, 0.7)
    expected, most = program.oracle(arrays), program.largest(arrays)
    # Terms without their signs to their sum, at most; queries and keys are small, so the sum is no small number.
    top = np.polynomial.polynomial.polyval(program.largest_score(arrays), np.abs(case.kernel))
    allowed = 2 * ROUNDINGS * case.sets * U32 * top * (most + np.abs(expected)) / case.kernel[0] * 4
    error = np.abs(widen(program.run(*arrays), case.dtype) - expected)
    family.add(f"n={n} m={lengths} g={len(case.kernel) - 1}", error, allowed + output_rounding(expected, case.dtype),
               max(most, 1e-300), case.text())


def state(rng):
    """Even degrees with positive coefficients: no denominator comes near 0."""
    family = Family("state")
    second, fourth, first = (1.0, 0.3, 0.5), (1.0, 0.2, 0.5, 0.05, 0.04), (1.0, 0.04)
    cases = [Case(kernel=second, scale=0.3, evaluate="state", masks=m, d=d, e=e) for m, (d, e) in zip(
        [(), (CAUSAL, CAUSAL), (CAUSAL, FULL), (PREFIX, CAUSAL), (END, END)], [(8, 8), (8, 8), (5, 3), (16, 32), (12, 17)])]
    cases += [Case(sets=3, kernel=second, scale=0.2, evaluate="state"),
              Case(sets=3, kernel=second, scale=0.2, evaluate="state", masks=(CAUSAL, PREFIX, FULL), batch=(4,)),
              Case(sets=4, d=4, kernel=second, scale=0.2, evaluate="state", masks=(CAUSAL,) * 4),
              Case(sets=1, kernel=second, scale=0.2, evaluate="state", masks=(CAUSAL,)),
              Case(kernel=fourth, d=4, scale=0.3, evaluate="state", masks=(CAUSAL, CAUSAL)),
              Case(kernel=first, d=16, e=16, scale=0.02, evaluate="state"),
              Case(kernel=first, d=16, e=16, scale=0.02, evaluate="state", masks=(CAUSAL, CAUSAL)),
              Case(kernel=first, d=16, e=16, scale=0.02, evaluate="state", masks=(CAUSAL, ("block_causal", {"scales": [3, 20, 9, 30]}))),
              Case(kernel=second, scale=0.3, evaluate="state", batch=(3, 4), weighted=True),
              Case(kernel=second, scale=0.3, evaluate="state", batch=(4,), weighted=True, masks=(CAUSAL, CAUSAL)),
              Case(kernel=second, scale=0.3, evaluate="state", dtype="bf16", masks=(CAUSAL, END), d=16),
              Case(kernel=second, scale=0.3, evaluate="state", dtype="f16"),
              Case(kernel=second, scale=0.3, evaluate="state", batch=(), kv_heads=1, masks=(CAUSAL, CAUSAL))]
    for case in cases:
        program = Program(case)
        for n, most in ((1, 3), (17, 30), (40, 150 if case.sets < 3 else 20)):
            check_state(family, program, rng, n, lengths_of(rng, case.sets, most))
        # Several blocks of keys, several shares of queries.
        n = {1: 300, 2: 150, 3: 30, 4: 14}[case.sets]
        check_state(family, program, rng, n, [n] * case.sets)
    yield family


def sliding(left, right=0, **options):
    return "sliding_window", {"left": left, "right": right, **options}


def windows(rng):
    """States of sliding windows: several blocks, chunks, turns of the queue and shares; windows of one key, of all keys, of none."""
    family = Family("windows")
    second, third, first = (1.0, 0.3, 0.5), (1.0, 0.3, 0.5, 0.1), (1.0, 0.04)
    short = dict(kernel=second, scale=0.3, evaluate="state")
    cases = [(Case(masks=masks, d=d, e=e, batch=batch, kv_heads=kv, **short), n) for masks, (d, e), (batch, kv), n in (
        ((sliding(9), sliding(9)), (8, 8), ((2,), 2), 150), ((sliding(0), sliding(0)), (5, 3), ((2,), 2), 70),
        ((sliding(31), sliding(300)), (5, 3), ((1,), 1), 700),
        ((sliding(3, 2), sliding(20, 40)), (8, 17), ((4,), 2), 200), ((sliding(0, 150), sliding(0, 9)), (3, 5), ((1,), 1), 300),
        ((CAUSAL, sliding(100)), (4, 4), ((1,), 1), 300), ((sliding(40), FULL), (6, 16), ((2,), 2), 120),
        ((sliding(130, align="end"), ("prefix", {"length": 60})), (4, 8), ((1,), 1), 300),
        ((sliding(17, 5, align="end"), END), (7, 9), ((3,), 1), 130),
        ((sliding(60), ("block_causal", {"scales": [1, 6, 40, 90]})), (4, 4), ((1,), 1), 160))]
    cases += [(Case(sets=3, masks=(sliding(6), sliding(11), CAUSAL), kernel=second, scale=0.2, evaluate="state", d=4), 60),
              (Case(kernel=first, d=16, e=16, scale=0.02, evaluate="state", masks=(sliding(50), sliding(70))), 200),
              (Case(kernel=third, d=4, scale=0.2, evaluate="state", masks=(sliding(33), sliding(12))), 180),
              (Case(batch=(2, 4), kv_heads=2, weighted=True, masks=(sliding(20), sliding(45)), **short), 150),
              (Case(batch=(4,), kv_heads=4, any_kv_heads=True, masks=(sliding(20), sliding(200)), d=4, **short), 300),
              (Case(dtype="f16", masks=(sliding(64), CAUSAL), weighted=True, **short), 100),
              (Case(batch=(), kv_heads=1, masks=(sliding(16), sliding(128)), **short), 300)]
    for case, n in cases:
        program = Program(case)
        check_state(family, program, rng, n, [n] * case.sets)
        for few, most in ((1, 3), (17, 30), (90 if case.sets == 2 else 25, 150 if case.sets == 2 else 20)):
            check_state(family, program, rng, few, lengths_of(rng, case.sets, most))
        # More queries than there are keys, and the other way round.
        check_state(family, program, rng, 70, [20] * case.sets)
        check_state(family, program, rng, 20, [70 if case.sets == 2 else 30] * case.sets)
    yield family


def certificate(rng):
    """What attn-approximate makes of a declared bound: within the certificate inside the bound, exact outside."""
    inside, outside = Family("certificate", "of the certificate"), Family("guard")
    for case in (Case(bound=(0.5, "declared"), d=8, e=16), Case(bound=(0.2, "declared"), d=8, masks=(CAUSAL, CAUSAL)),
                 Case(bound=(0.8, "declared"), d=4, sets=3, scale=1.0), Case(bound=(0.5, "declared"), d=8, dtype="bf16"),
                 Case(bound=(0.6, "declared"), d=6, masks=(PREFIX, CAUSAL), weighted=True),
                 Case(bound=(0.4, "declared"), d=8, masks=(WINDOW, sliding(20)))):
        program, exact, error = certified_programs(case, 2e-2)
        for n, lengths in ((30, lengths_of(rng, case.sets, 40)), (33, [33] * case.sets)):
            for kind in ("random", "corner"):
                arrays = program.arrays(rng, n, lengths)
                scale_to_bound(program, arrays, kind, rng)
                check_inside(inside, outside, program, exact, arrays, error)
    yield inside
    yield outside


def scale_to_bound(program, arrays, kind, rng):
    """Norms l_{p+1} of queries and keys whose product is just within the bound; corners are keys along one axis."""
    case, order = program.case, program.case.sets + 1
    for i in range(order):
        x = widen(arrays[i], case.dtype)
        if kind == "corner":
            x = np.zeros_like(x)
            x[..., 0] = rng.choice([-1.0, 1.0], x.shape[:-1])
        norms = (np.abs(x)**order).sum(axis=-1, keepdims=True)**(1 / order)
        size = (case.bound[0] * (0.9999 if case.dtype == "f32" else 0.98) / abs(case.scale))**(1 / order)
        arrays[i][...] = round_to(np.where(np.isfinite(norms), x / norms * size, 0.0), case.dtype)


def certified_programs(case, tolerance, lowering="attn-schedule,attn-to-llvm"):
    """What attn-approximate makes of the case, with its certified error, and the exact program; nothing if it refuses."""
    program = Program(case, lowering, f"attn-approximate{{rtol={tolerance} force=true max-keys=512}},attn-verify-certificates")
    match = re.search(r"output_error = ([0-9.eE+-]+)", program.ir)
    return (program, Program(case, lowering), float(match.group(1))) if match else None


def check_inside(inside, outside, program, exact, arrays, certified):
    case = program.case
    expected, most = program.oracle(arrays, kernel=None), program.largest(arrays)
    got = widen(program.run(*arrays), case.dtype)
    inside.add(f"p={case.sets} d={case.d} {case.dtype}", np.abs(got - expected), certified * most + output_rounding(expected, case.dtype), most)
    # Norms beyond the certificate's limit take the exact version; types narrower than f32 may round both to the same.
    limit = float(re.search(r"max_norm ([0-9.eE+-]+)", program.ir).group(1))
    size = max(np.nanmax((np.abs(widen(x, case.dtype))**(case.sets + 1)).sum(-1)**(1 / (case.sets + 1))) for x in arrays[:1 + case.sets])
    # Where no row has two keys to weigh, every version gives the same.
    weighs = np.abs(expected - program.oracle(arrays, kernel=(1.0,))).max(initial=0.0) > 1e-4 * most
    if case.dtype == "f32" and size < 0.999 * limit and weighs:
        plain = widen(exact.run(*arrays), case.dtype)
        outside.expect("inside", not np.array_equal(got, plain), "the low-rank version was not taken", case.text())
    # 1% beyond: the very bits of the exact version.
    arrays[0][...] = round_to(1.03 * widen(arrays[0], case.dtype), case.dtype)
    outside.expect("outside", program.run(*arrays).tobytes() == exact.run(*arrays).tobytes(), "not the exact result", case.text())
    arrays[1][..., 0, 0] = round_to(math.nan, case.dtype)
    with np.errstate(invalid="ignore"):
        outside.expect("NaN", program.run(*arrays).tobytes() == exact.run(*arrays).tobytes(), "not the exact result", case.text())


def reference(rng):
    """The same through attn-lower-to-reference, the run-time check of a bound included."""
    family, inside, outside = Family("reference"), Family("reference certificate", "of the certificate"), Family("reference guard")
    lowering = "attn-lower-to-reference,attn-to-llvm"
    for case in (Case(masks=(CAUSAL, WINDOW)), Case(sets=3, d=4, e=3, batch=(4,), weighted=True), Case(sets=1), Case(dtype="f16", e=5)):
        for n, most in ((1, 4), (7, 9)):
            check_direct(family, Program(case, lowering), rng, n, lengths_of(rng, case.sets, most), 1.0)
    yield family
    case = Case(bound=(0.5, "declared"), masks=(CAUSAL, FULL))
    program, exact, certified = certified_programs(case, 2e-2, lowering)
    for kind in ("random", "corner"):
        arrays = program.arrays(rng, 9, [9, 11])
        scale_to_bound(program, arrays, kind, rng)
        check_inside(inside, outside, program, exact, arrays, certified)
    yield inside
    yield outside


def determinant(rng):
    """The score of 2-simplicial attention's determinant form, as a sum of products (docs/tensor-attention.md)."""
    family = Family("determinant")
    n, d = 11, 9
    case = Case(d=2 * d, e=4, batch=(), kv_heads=1, scale=0.3)
    program = Program(case)
    q, k1, k2 = (rng.standard_normal((n, d)) for _ in range(3))
    values = [rng.standard_normal((n, case.e)) for _ in range(2)]
    thirds = [x.reshape(n, d // 3, 3) for x in (q, k1, k2)]
    scores = np.array([[[case.scale * sum(np.linalg.det(np.stack([x[i, c] for x, i in zip(thirds, at)])) for c in range(d // 3))
                         for at in ((a, b, c) for c in range(n))] for b in range(n)] for a in range(n)])
    weights = np.exp(scores)
    expected = np.einsum("ijk,je,ke->ie", weights, *values) / weights.sum(axis=(1, 2))[:, None]
    signs = np.array([1, -1, 1, -1, 1, -1])
    orders = np.array([[0, 1, 2], [0, 2, 1], [1, 2, 0], [1, 0, 2], [2, 0, 1], [2, 1, 0]])
    spread = [x[:, :, orders[:, t]].reshape(n, 2 * d) for t, x in enumerate(thirds)]
    spread[0] = (thirds[0][:, :, orders[:, 0]] * signs).reshape(n, 2 * d)
    arrays = [np.float32(x) for x in (*spread, *values)] + [np.ones(n, np.float32)] * 2
    most = np.abs(values[0]).max() * np.abs(values[1]).max()
    family.add("chunks of 3", np.abs(program.run(*arrays) - expected), 1e-5 * most, most)
    yield family


def unusual(rng):
    """NaN shows in exactly the rows that see it, whichever operand has it; lengths of 0; heads known to the run alone."""
    nan, empty, heads = Family("NaN"), Family("empty"), Family("dynamic key heads")
    polynomial = dict(kernel=(1.0, 0.3, 0.5), evaluate="state")
    for options in ({}, {"masks": (CAUSAL, CAUSAL)}, {"bound": (3.0, "proved")}, polynomial, {"masks": (CAUSAL, FULL), **polynomial},
                    {"masks": (sliding(2), sliding(3, 1)), **polynomial}):
        for sets in (2, 3) if "masks" not in options else (2,):
            program = Program(Case(sets, e=3, scale=0.1, **options))
            for operand in range(1 + sets):
                arrays = program.arrays(rng, 9, [8] * sets, 0.5)
                arrays[operand][0, 4, 2] = math.nan
                got, want = np.isnan(program.run(*arrays)), np.isnan(program.oracle(arrays))
                nan.expect(f"{options} operand {operand}", np.array_equal(got, want),
                           f"{got.sum()} results are NaN, {want.sum()} should be", program.case.text())
            for lengths in [[0] + [3] * (sets - 1), [3] * (sets - 1) + [0], [0] * sets]:
                empty.expect(f"{options} {lengths}", not program.run(*program.arrays(rng, 3, lengths)).any(), "rows without keys are not 0")
            empty.expect(f"{options} no query", program.run(*program.arrays(rng, 0, [3] * sets)).size == 0, "something for no query")
    yield nan
    yield empty
    for options in ({"masks": (CAUSAL, CAUSAL)}, {}):
        program = Program(Case(batch=(4,), kv_heads=4, scale=0.3, any_kv_heads=True, **polynomial, **options))
        check_state(heads, program, rng, 150, [150, 150])
    yield heads


def nan_rows(rng):
    """Rows without any tuple of keys: 0, or NaN with nan_rows; all others alike."""
    family = Family("tensor rows without keys")
    for options in ({}, {"kernel": (1.0, 0.3, 0.5), "evaluate": "direct"}, {"kernel": (1.0, 0.3, 0.5), "evaluate": "state"}):
        for masks in ((), (("causal", {"align": "end"}), FULL)):
            for pipeline in ("attn-to-llvm", "attn-lower-to-reference,attn-to-llvm"):
                case = Case(scale=0.2, weighted=True, masks=masks, **options)
                zero, nan = (Program(dataclasses.replace(case, nan_rows=flag), pipeline) for flag in (False, True))
                arrays = zero.arrays(rng, 9, [6, 7])
                arrays[5][1] = 0  # the second head has no key of the first set
                none = np.zeros((2, 9, 1), bool)
                none[1] = True
                none[0] |= bool(masks) & (np.arange(9) < 3)[:, None] | ~np.cumsum(arrays[5][0] != 0).astype(bool)[
                    np.maximum(np.arange(9) - 3, 0) if masks else np.full(9, -1)][:, None]
                want, got = zero.run(*arrays), nan.run(*arrays)
                family.expect(f"{case}", not want[np.broadcast_to(none, want.shape)].any() and
                              np.array_equal(got, np.where(none, np.nan, want), equal_nan=True), "differs", nan.case.text())
    yield family


def fuzz(rng, families):
    """One random case of each evaluation (scripts/fuzz.py)."""
    def mask(evaluate):
        options = [FULL, CAUSAL, END, ("prefix", {"length": int(rng.integers(1, 40))})]
        window = sliding(int(rng.integers(0, 20)), int(rng.integers(0, 20)), align=str(rng.choice(["start", "end"])))
        options += [window] * (3 if evaluate == "state" else 1)
        return options[rng.integers(len(options))]
    for evaluate, family in zip(("direct", "state"), families):
        sets = int(rng.choice([2, 2, 3]))
        kv_heads = int(rng.integers(1, 4))
        case = Case(sets, int(rng.integers(1, 40)), int(rng.integers(1, 70)), (kv_heads * int(rng.integers(1, 4)),), kv_heads,
                    str(rng.choice(["f32", "f32", "f16", "bf16"])), float(rng.choice([-1, 1]) * rng.uniform(0.05, 0.4)),
                    (1.0, 0.3, 0.5) if evaluate == "state" else None, tuple(mask(evaluate) for _ in range(sets)), evaluate,
                    weighted=bool(rng.random() < 0.5))
        program = Program(case)
        n = int(rng.integers(1, 40))
        lengths = [n] * sets if rng.random() < 0.5 else lengths_of(rng, sets, 60 if sets == 2 else 14)
        if evaluate == "direct":
            check_direct(family, program, rng, n, lengths, 1.0)
        else:
            check_state(family, program, rng, n, lengths)


def fuzz_certificate(rng, inside, outside):
    """A random certificate, against values that are largest everywhere (scripts/fuzz.py)."""
    masks = [FULL, CAUSAL, END, PREFIX, sliding(int(rng.integers(0, 50))), sliding(int(rng.integers(0, 9)), int(rng.integers(0, 9)))]
    sets = int(rng.choice([2, 2, 3]))
    case = Case(sets, int(rng.integers(1, 10)), int(rng.integers(1, 24)), bound=(float(rng.uniform(0.05, 1.0)), "declared"),
                scale=float(rng.choice([-1, 1]) * rng.uniform(0.1, 2.0)), weighted=bool(rng.random() < 0.3),
                masks=tuple(masks[rng.integers(len(masks))] for _ in range(sets)), dtype=str(rng.choice(["f32", "f32", "f16"])))
    programs = certified_programs(case, float(10**rng.uniform(-3, -1.3)))
    if not programs:
        return  # no certificate of that accuracy: refusing is right
    for kind in ("random", "corner", "random", "corner"):
        n = int(rng.integers(2, 40))
        arrays = programs[0].arrays(rng, n, [n] * sets if rng.random() < 0.5 else lengths_of(rng, sets, 60 if sets == 2 else 14))
        for value in arrays[1 + sets:1 + 2 * sets]:
            value[...] = np.sign(value)
        scale_to_bound(programs[0], arrays, kind, rng)
        check_inside(inside, outside, programs[0], programs[1], arrays, programs[2])


if __name__ == "__main__":
    main({f.__name__: f for f in (direct, state, windows, certificate, reference, determinant, unusual, nan_rows)})
