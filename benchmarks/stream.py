# Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
"""Streams: one decoded token beside the same state in PyTorch, attention over a cache of keys, and what moving the state
alone takes; and long steps, per token."""

import os

os.environ.setdefault("KMP_BLOCKTIME", "0")

import math  # noqa: E402

import numpy as np  # noqa: E402
import polyattn  # noqa: E402

import timing  # noqa: E402

KERNEL = (1.0, 1.0, 0.5)
#: Query heads, key heads, dimension of heads and values.
SHAPES = [(8, 8, 32), (32, 32, 32), (8, 8, 64), (32, 8, 64)]
CACHES = (4096, 65536)
PROMPT = 4096
LINE = "| {:<36} | {:>8} | {:>11} | {:>11} | {:>11} | {:>13} | {:>13} |"


def arrays_of(heads, key_heads, d, n):
    rng = np.random.default_rng(0)
    return [0.3 * rng.standard_normal((h, n, d), dtype=np.float32) for h in (heads, key_heads, key_heads)]


def torch_states(q, k, v):
    """Update and read, features by gathering factors: eager, and compiled."""
    import torch
    from contenders.torch_low_rank import feature_weights
    d, group = q.shape[-1], q.shape[0] // k.shape[0]
    first, second = torch.triu_indices(d + 1, d + 1)
    q, k = (torch.from_numpy(np.concatenate([np.ones_like(x[..., :1]), x], -1)) for x in (np.float32(d**-0.5) * q, k))
    v = torch.cat([torch.from_numpy(v), torch.ones(len(v), 1, 1)], -1)
    weights = feature_weights(d, KERNEL)[:, 0]
    state = torch.zeros(len(k), len(weights), d + 1)

    def token(state, q, k, v):
        state.baddbmm_((k[..., first] * k[..., second]).mT, v)
        out = (weights * q[..., first] * q[..., second]).reshape(len(k), group, -1) @ state
        return out[..., :-1] / out[..., -1:]

    def runner(function):
        def run():
            with torch.inference_mode():
                return function(state, q, k, v)
        return run
    return {"PyTorch": runner(token), "compiled": runner(torch.compile(token, dynamic=False))}


def torch_cache(q, k, v, length):
    """One query of each head over `length` keys."""
    import torch
    shape = (1, k.shape[0], length, k.shape[-1])
    query = torch.from_numpy(q)[None]
    keys, values = torch.randn(shape), torch.randn(shape)

    def run():
        with torch.inference_mode():
            return torch.nn.functional.scaled_dot_product_attention(query, keys, values, enable_gqa=len(q) != len(k))
    return run


def moving(bytes_of_state):
    """Reads as much and writes as much."""
    import torch
    source = torch.zeros(bytes_of_state // 4)
    target = torch.empty_like(source)
    return lambda: torch.add(source, 1, out=target)


def step(heads, key_heads, d, threads):
    stream = polyattn.Stream(heads, d, KERNEL, key_heads=key_heads, threads=threads)
    stream(*arrays_of(heads, key_heads, d, 100))
    return stream


def measure_decode(heads, key_heads, d, threads, rounds):
    import torch
    torch.set_num_threads(threads)
    q, k, v = arrays_of(heads, key_heads, d, 1)
    stream = step(heads, key_heads, d, threads)
    runs = {"ours": lambda: stream(q, k, v), **torch_states(q, k, v), "moving": moving(stream.states[0].nbytes)}
    runs.update({f"cache {n}": torch_cache(q, k, v, n) for n in CACHES})
    times = timing.interleaved(runs, rounds)
    name = f"{heads} heads, {key_heads} of keys, d = {d}"
    medians = {key: 1e6 * sorted(t)[len(t) // 2] for key, t in times.items()}
    print(LINE.format(name, *(f"{medians[key]:.0f}" for key in runs)), flush=True)
    ratios = {key: timing.median_ratio(times[key], times["ours"]) for key in runs if key != "ours"}
    return {"case": name, "seconds": times, "ratios": ratios}


def measure_prompt(heads, key_heads, d, threads, rounds):
    """Arithmetic: a multiply-add of every feature with every column, for each key and for each query."""
    arrays = arrays_of(heads, key_heads, d, PROMPT)
    stream = step(heads, key_heads, d, threads)
    times = timing.interleaved({"ours": lambda: stream(*arrays)}, rounds)["ours"]
    seconds = sorted(times)[len(times) // 2]
    flops = 2 * PROMPT * (d + 1) * math.comb(d + 2, 2) * (heads + key_heads)
    name = f"{heads} heads, {key_heads} of keys, d = {d}, {PROMPT} tokens"
    print(f"{name}: {1e6 * seconds / PROMPT:.1f} us per token, {flops / seconds / 1e9:.0f} GFlop/s", flush=True)
    return {"case": name, "seconds": times, "flops": flops}


def run(threads, only="", rounds=7):
    shapes = [shape for shape in SHAPES if only in f"{shape[0]} heads, {shape[1]} of keys, d = {shape[2]}"]
    if not shapes:
        raise SystemExit(f"bench: no case contains '{only}'; one is '8 heads, 8 of keys, d = 32'")
    print("One token through polyattn.Stream, degree 2, f32; microseconds, the call from Python included. Beside it the same state in\n"
          "PyTorch, eager and compiled, reading and writing as many bytes, and PyTorch's attention of one token over a cache of keys.")
    print(LINE.format("case", "ours", "PyTorch", "compiled", "moving it", *(f"cache {n:,}" for n in CACHES)))
    return [measure(*shape, threads, rounds) for measure in (measure_decode, measure_prompt) for shape in shapes]
