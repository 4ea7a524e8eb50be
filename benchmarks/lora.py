# Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
"""Linear layers with low-rank adapters beside PyTorch: peft's formula, eager and compiled, and, where rows of a batch have
adapters of their own, groups of rows or gathered adapters, whichever is faster."""

import os

os.environ.setdefault("KMP_BLOCKTIME", "0")

import numpy as np  # noqa: E402
import polyattn  # noqa: E402

import timing  # noqa: E402

TOKENS, SIZE, SCALE, ADAPTERS = 4096, 4096, 2.0, 16
RANKS = (8, 16, 64)
LINE = "| {:<44} | {:>8} | {:>10} | {:>16} | {:>10} | {:>14} |"


def program(rank, gradient, adapters):
    x, w = f"tensor<{TOKENS}x{SIZE}xf32>", f"tensor<{SIZE}x{SIZE}xf32>"
    several = f"{adapters}x" if adapters else ""
    a, b = f"tensor<{several}{rank}x{SIZE}xf32>", f"tensor<{several}{SIZE}x{rank}xf32>"
    index = f"tensor<{TOKENS}xi32>"
    how = f"{f'adapters(%i : {index}) ' if adapters else ''}scale {SCALE} transposed"
    if gradient:
        return (f"func.func @main(%dy: {x}, %w: {w}, %x: {x}, %a: {a}, %b: {b}, %i: {index}) -> ({x}, {a}, {b}) {{\n"
                f"  %r:3 = attn.lora_linear_grad %dy, %x, %w, %a, %b {how} : {x}, {x}, {w}, {a}, {b} -> x({x}) a({a}) b({b})\n"
                f"  return %r#0, %r#1, %r#2 : {x}, {a}, {b}\n}}\n")
    return (f"func.func @main(%x: {x}, %w: {w}, %a: {a}, %b: {b}, %i: {index}) -> {x} {{\n"
            f"  %y = attn.lora_linear %x, %w, %a, %b {how} : {x}, {w}, {a}, {b}\n  return %y : {x}\n}}\n")


def compiled(text, weight):
    """The frozen weight is part of the program."""
    module = polyattn.parse(text)
    module._freeze("main", {1: weight})
    return polyattn.compile(module)


def forward_by_groups(x, w, a, b, index):
    import torch
    y = torch.nn.functional.linear(x, w)
    for adapter in range(len(a)):
        rows = (index == adapter).nonzero()[:, 0]
        if len(rows):
            y.index_add_(0, rows, (x[rows] @ a[adapter].T) @ b[adapter].T, alpha=SCALE)
    return y


def forward_gathered(x, w, a, b, index):
    """For so many rows the gathered matrices would take gigabytes: 512 rows at a time."""
    import torch
    y = torch.nn.functional.linear(x, w)
    for at in range(0, len(x), 512):
        rows = slice(at, at + 512)
        middle = torch.bmm(a[index[rows]], x[rows, :, None])
        y[rows] += SCALE * torch.bmm(b[index[rows]], middle)[..., 0]
    return y


def forward_padded(x, w, a, b, index):
    """Rows sorted by adapter, each group filled up to the largest: one batched product."""
    import torch
    order = torch.argsort(index)
    counts = torch.bincount(index, minlength=len(a))
    most = int(counts.max())
    places = torch.arange(len(x)) - torch.repeat_interleave(torch.cumsum(counts, 0) - counts, counts)
    at = index[order] * most + places
    padded = torch.zeros(len(a) * most, x.shape[1])
    padded[at] = x[order]
    added = torch.bmm(torch.bmm(padded.view(len(a), most, -1), a.mT), b.mT).view(len(a) * most, -1)
    y = torch.nn.functional.linear(x, w)
    return y.index_add_(0, order, added[at], alpha=SCALE)


def peers(rank, gradient, adapters, arrays):
    import torch
    linear = torch.nn.functional.linear
    x, dy, w, a, b, index = (torch.from_numpy(v) for v in arrays)
    index = index.long()

    def quiet(function, *inputs):
        def run():
            with torch.inference_mode():
                return function(*inputs)
        return run

    def peft(x, w, a, b):
        return linear(x, w) + linear(linear(x, a), b) * SCALE

    def by_hand(dy, x, w, a, b):
        middle = (dy @ b) * SCALE
        return dy @ w + middle @ a, middle.T @ x, dy.T @ (linear(x, a) * SCALE)

    if adapters and not gradient:
        return {name: quiet(function, x, w, a, b, index)
                for name, function in (("groups", forward_by_groups), ("gathered", forward_gathered), ("padded", forward_padded))}
    if not gradient:
        merged = quiet(lambda x, w, a, b: linear(x, torch.addmm(w, b, a, alpha=SCALE)), x, w, a, b)
        return {"eager": quiet(peft, x, w, a, b), "compiled": quiet(torch.compile(peft), x, w, a, b), "merged": merged}
    leaves = [v.detach().requires_grad_() for v in (x, a, b)]
    if adapters:
        y = forward_by_groups(leaves[0], w, leaves[1], leaves[2], index)
        return {"groups": lambda: torch.autograd.grad(y, leaves, dy, retain_graph=True)}
    y = peft(leaves[0], w, *leaves[1:])
    return {"eager": lambda: torch.autograd.grad(y, leaves, dy, retain_graph=True), "by hand": quiet(by_hand, dy, x, w, a, b),
            "compiled": quiet(torch.compile(by_hand), dy, x, w, a, b)}


def arrays_of(rank, adapters):
    rng = np.random.default_rng(0)

    def normal(*shape):
        return rng.standard_normal(shape, dtype=np.float32) / np.float32(shape[-1]) ** np.float32(0.5)
    several = (adapters,) if adapters else ()
    return [normal(TOKENS, SIZE), normal(TOKENS, SIZE), normal(SIZE, SIZE), normal(*several, rank, SIZE), normal(*several, SIZE, rank),
            rng.integers(0, max(adapters, 1), TOKENS).astype(np.int32)]


def agree(ours, peer):
    """The same function: results differ by rounding alone."""
    def as_tuple(value):
        return value if isinstance(value, (tuple, list)) else (value,)
    for got, want in zip(as_tuple(ours()), as_tuple(peer())):
        want = want.detach().numpy()
        error = np.abs(got - want).max() / np.abs(want).max()
        if not error < 1e-4:
            raise SystemExit(f"bench: results differ by {error:.1e} of the largest entry")


def measure(rank, gradient, adapters, threads, rounds):
    import torch
    torch.set_num_threads(threads)
    arrays = arrays_of(rank, adapters)
    x, dy, w, a, b, index = arrays
    run = compiled(program(rank, gradient, adapters), w)
    run = polyattn.Executable(run._executable, run.remarks, threads)
    inputs = (dy, x, a, b, index) if gradient else (x, a, b, index)
    others = peers(rank, gradient, adapters, arrays)
    runs = {"ours": lambda: run(*inputs), "x W alone": lambda: torch.nn.functional.linear(torch.from_numpy(x), torch.from_numpy(w)), **others}
    for other in others.values():
        agree(runs["ours"], other)
    times = timing.interleaved(runs, rounds)
    medians = {name: 1e3 * sorted(t)[len(t) // 2] for name, t in times.items()}
    best = min(others, key=medians.get)
    ratios = {name: timing.median_ratio(times[name], times["ours"]) for name in runs if name != "ours"}
    name = f"{'gradient' if gradient else 'forward'}, r = {rank}" + (f", {adapters} adapters mixed" if adapters else "")
    print(LINE.format(name, f"{medians['ours']:.0f}", f"{medians['x W alone']:.0f}", best, f"{medians[best]:.0f}", f"{ratios[best]:.2f}"), flush=True)
    return {"case": name, "seconds": times, "ratios": ratios}


def run(threads, only="", rounds=7):
    shapes = [(rank, gradient, adapters) for adapters in (0, ADAPTERS) for gradient in (False, True) for rank in RANKS]
    def matches(shape):
        rank, gradient, adapters = shape
        return only in f"{'gradient' if gradient else 'forward'}, r = {rank}{f', {adapters} adapters mixed' if adapters else ''}"
    shapes = [shape for shape in shapes if matches(shape)]
    if not shapes:
        raise SystemExit(f"bench: no case contains '{only}'; one is 'forward, r = 8'")
    print(f"{TOKENS} tokens, {SIZE} x {SIZE}, f32, {threads} threads; ms. The weight is frozen: a constant of our program.")
    print(LINE.format("case", "ours", "x W alone", "best of PyTorch", "its ms", "its / ours"))
    return [measure(*shape, threads, rounds) for shape in shapes]
