# Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
"""Gradients of attention: the backward pass alone, and with the forward one, beside PyTorch's, eager and compiled."""

import os

os.environ.setdefault("KMP_BLOCKTIME", "0")

import numpy as np  # noqa: E402
import polyattn  # noqa: E402

import timing  # noqa: E402

#: Heads, key heads, dimension, tokens, causal.
SHAPES = [(4, 4, 64, 1024, False), (4, 4, 64, 4096, False), (4, 4, 64, 4096, True), (8, 2, 64, 2048, True), (4, 4, 32, 4096, False),
          (4, 4, 128, 2048, False)]
LINE = "| {:<44} | {:>9} | {:>9} | {:>9} | {:>9} | {:>12} | {:>9} |"


def name_of(heads, key_heads, d, n, causal):
    return f"{heads} heads, {key_heads} of keys, d = {d}, n = {n}{', causal' if causal else ''}"


def forward_text(heads, key_heads, d, n, causal, dtype="f32"):
    q, k, z = f"tensor<{heads}x{n}x{d}x{dtype}>", f"tensor<{key_heads}x{n}x{d}x{dtype}>", f"tensor<{heads}x{n}xf32>"
    how = f"scale {float(d)**-0.5!r} mask {'causal' if causal else 'full'}"
    return (f"func.func @main(%q: {q}, %k: {k}, %v: {k}) -> ({q}, {z}) {{\n"
            f"  %o = attn.attention %q, %k, %v {how} : {q}, {k}, {k} -> {q}\n"
            f"  %z = attn.normalizer %q, %k {how} : {q}, {k} -> {z}\n  return %o, %z : {q}, {z}\n}}\n")


def backward_text(heads, key_heads, d, n, causal, dtype="f32"):
    q, k, z = f"tensor<{heads}x{n}x{d}x{dtype}>", f"tensor<{key_heads}x{n}x{d}x{dtype}>", f"tensor<{heads}x{n}xf32>"
    how = f"scale {float(d)**-0.5!r} mask {'causal' if causal else 'full'}"
    return (f"func.func @main(%q: {q}, %k: {k}, %v: {k}, %o: {q}, %z: {z}, %do: {q}) -> ({q}, {k}, {k}) {{\n"
            f"  %g:3 = attn.attention_grad %q, %k, %v output(%o) normalizer(%z : {z}) grad_output(%do) {how}\n"
            f"     : {q}, {k}, {k}, {q}\n  return %g#0, %g#1, %g#2 : {q}, {k}, {k}\n}}\n")


def flops(heads, key_heads, d, n, causal):
    """Five products of n x n numbers with d columns."""
    return 5 * 2 * heads * d * (n * (n + 1) / 2 if causal else n * n)


def torch_runs(arrays, gradient, causal, gqa):
    import torch

    def attention(q, k, v):
        return torch.nn.functional.scaled_dot_product_attention(q, k, v, is_causal=causal, enable_gqa=gqa)

    def runner(function, forward):
        q, k, v = (torch.from_numpy(x)[None].requires_grad_() for x in arrays)
        do, kept = torch.from_numpy(gradient)[None], function(q, k, v)

        def run():
            out = function(q, k, v) if forward else kept
            return torch.autograd.grad(out, (q, k, v), do, retain_graph=not forward)
        return run
    compiled = torch.compile(attention, dynamic=False)
    return {f"{name} {part}": runner(function, part == "both") for name, function in (("PyTorch", attention), ("compiled", compiled))
            for part in ("backward", "both")}


def measure(heads, key_heads, d, n, causal, threads, rounds):
    import torch
    torch.set_num_threads(threads)
    rng = np.random.default_rng(0)
    arrays = [rng.standard_normal((h, n, d), dtype=np.float32) for h in (heads, key_heads, key_heads)]
    gradient = rng.standard_normal((heads, n, d), dtype=np.float32)
    shape = (heads, key_heads, d, n, causal)
    forward, backward = (polyattn.compile(text(*shape), threads=threads) for text in (forward_text, backward_text))
    kept = forward(*arrays)
    peers = torch_runs(arrays, gradient, causal, heads != key_heads)
    ours, theirs = backward(*arrays, *kept, gradient), peers["PyTorch backward"]()
    for mine, other in zip(ours, theirs):
        other = other[0].numpy()
        worst = np.abs(mine - other).max() / np.abs(other).max()
        assert worst < 1e-4, f"{name_of(*shape)}: gradients differ by {worst:.2g}"
    runs = {"ours backward": lambda: backward(*arrays, *kept, gradient),
            "ours both": lambda: backward(*arrays, *forward(*arrays), gradient), **peers}
    times = timing.interleaved(runs, rounds)
    medians = {key: sorted(t)[len(t) // 2] for key, t in times.items()}
    best = {part: min((f"{peer} {part}" for peer in ("PyTorch", "compiled")), key=medians.get) for part in ("backward", "both")}
    ratios = {part: timing.median_ratio(times[best[part]], times[f"ours {part}"]) for part in best}
    rate = flops(*shape) / medians["ours backward"] / 1e9
    print(LINE.format(name_of(*shape), f"{1e3 * medians['ours backward']:.1f}", f"{rate:.0f}", f"{1e3 * medians[best['backward']]:.1f}",
                      f"{ratios['backward']:.2f}x", f"{1e3 * medians['ours both']:.1f}", f"{ratios['both']:.2f}x"), flush=True)
    return {"case": name_of(*shape), "seconds": times, "ratios": ratios, "flops": flops(*shape)}


def run(threads, only="", rounds=7):
    shapes = [shape for shape in SHAPES if only in name_of(*shape)]
    if not shapes:
        raise SystemExit(f"bench: no case contains '{only}'; one is '{name_of(*SHAPES[0])}'")
    print("Gradients of attention, f32: the backward pass, milliseconds and GFlop/s (five products), and with the forward one; beside the\n"
          "faster of PyTorch's SDPA eager and through torch.compile.")
    print(LINE.format("case", "backward", "GFlop/s", "PyTorch", "ratio", "and forward", "ratio"))
    return [measure(*shape, threads, rounds) for shape in shapes]
