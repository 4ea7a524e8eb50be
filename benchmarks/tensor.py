# Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
"""Tensor attention of order 3: exact beside the ways to write it in PyTorch and JAX, and through a state, up to a million
tokens."""

import os

os.environ.setdefault("KMP_BLOCKTIME", "0")

import numpy as np  # noqa: E402
import polyattn  # noqa: E402

import timing  # noqa: E402

EXACT = [(512, 32), (1024, 32), (512, 64), (1024, 64)]
#: (n, d, causal) through a state of degree 2.
STATE = [(1024, 32, False), (4096, 32, False), (16384, 32, False), (16384, 32, True), (16384, 64, False), (65536, 32, False),
         (1_000_000, 32, False), (1_000_000, 32, True)]
BOUND = 0.5
SAMPLE = 8  # rows that are compared with float64
LINE = "| {:<40} | {:>10} | {:>22} | {:>12} | {:>10} |"


# ===-- inputs and ours -------------------------------------------------------===#


def inputs(n, d, seed=0):
    """Rows of l3 norm 1, the scale being the bound: scores keep within it."""
    rng = np.random.default_rng(seed)
    rows = [rng.standard_normal((n, d)).astype(np.float32) for _ in range(3)]
    rows = [x / (np.abs(x)**3).sum(-1, keepdims=True)**(1 / 3) * np.float32(0.9999) for x in rows]
    return [np.ascontiguousarray(x, np.float32) for x in rows] + [rng.standard_normal((n, d)).astype(np.float32) for _ in range(2)]


def program(n, d, low_rank, causal=False):
    t = f"tensor<{n}x{d}xf32>"
    text = (f"func.func @main(%q: {t}, %k1: {t}, %k2: {t}, %v1: {t}, %v2: {t}) -> {t} {{\n"
            f"  %o = attn.tensor_attention %q keys(%k1, %k2 : {t}, {t}) values(%v1, %v2 : {t}, {t}) scale {BOUND}\n"
            f"    {'mask causal ' if causal else ''}{f'bound <{BOUND}, declared> ' if low_rank else ''}: {t} -> {t}\n"
            f"  return %o : {t}\n}}\n")
    # Over a million keys rounding alone is certified to 1e-2 only.
    tolerance = 1e-2 if n <= 100_000 else 2e-2
    return polyattn.compile(polyattn.parse(text), "main", f"builtin.module(attn-compile{{rtol={tolerance}}})")


def error(result, arrays, causal=False):
    """Of a few rows, relative to the largest product of values of the column."""
    q, k1, k2, v1, v2 = (np.float64(x) for x in arrays)
    n = len(q)
    if n > 20000:  # n^2 numbers for each row
        return float("nan")
    worst = 0.0
    for i in np.linspace(0, n - 1, SAMPLE).astype(int):
        m = i + 1 if causal else n
        weights = np.exp(BOUND * (k1[:m] * q[i]) @ k2[:m].T)
        want = (v1[:m] * (weights @ v2[:m])).sum(0) / weights.sum()
        most = np.abs(v1[:m]).max(0) * np.abs(v2[:m]).max(0)
        worst = max(worst, float((np.abs(result[i] - want) / most).max()))
    return worst


# ===-- peers ------------------------------------------------------------------===#


def torch_peers(arrays, threads):
    """The ways to write exact order-3 attention in PyTorch, in blocks of queries that fit in cache or memory."""
    import torch
    torch.set_num_threads(threads)
    q, k1, k2, v1, v2 = map(torch.from_numpy, arrays)
    n, d = q.shape

    def products(queries):
        """Queries times first keys as rows of one product with the second keys."""
        rows = (queries[:, None] * k1).reshape(-1, d)
        weights = torch.softmax((BOUND * rows @ k2.mT).reshape(len(queries), -1), -1).reshape(-1, n)
        return ((weights @ v2).reshape(len(queries), n, d) * v1).sum(1)

    def einsum(queries):
        scores = torch.einsum("id,jd,kd->ijk", queries, k1, k2) * BOUND
        weights = torch.softmax(scores.flatten(1), -1).reshape(scores.shape)
        return torch.einsum("ijk,je,ke->ie", weights, v1, v2)

    def flash(queries):
        """One fused attention of all pairs (i, j) over the second keys, and a softmax of its sums over j."""
        rows = (queries[:, None] * k1).reshape(1, 1, -1, d)
        out, sums = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu(rows, k2[None, None], v2[None, None], scale=BOUND)
        weights = torch.softmax(sums.reshape(len(queries), n), -1)
        return torch.einsum("ij,ijd,jd->id", weights, out.reshape(len(queries), n, d), v1)

    def in_blocks(function, block):
        def run():
            with torch.inference_mode():
                return torch.cat([function(part) for part in q.split(block)]).numpy()
        return run

    peers = {}
    for block in (1, 8):
        peers[f"products, {block}"] = in_blocks(products, block)
        peers[f"compiled products, {block}"] = in_blocks(torch.compile(products, dynamic=False), block)
        peers[f"einsum, {block}"] = in_blocks(einsum, block)
    for block in (4, 32):
        peers[f"fused, {block}"] = in_blocks(flash, block)
    return {f"PyTorch {name}": run for name, run in peers.items()}


def jax_peers(arrays):
    try:
        import jax
    except ImportError:
        print("JAX is not installed: skipped")
        return {}
    q, k1, k2, v1, v2 = map(jax.numpy.asarray, arrays)

    def build(block):
        @jax.jit
        def run(q, k1, k2, v1, v2):
            def row(query):
                weights = jax.nn.softmax((BOUND * (k1 * query) @ k2.T).reshape(-1)).reshape(len(k1), -1)
                return ((weights @ v2) * v1).sum(0)
            return jax.lax.map(row, q, batch_size=block)
        return lambda: np.asarray(run(q, k1, k2, v1, v2))
    return {f"JAX, {block}": build(block) for block in (1, 8)}


def torch_low_rank(arrays, threads):
    """The same form that we evaluate, unfused: features, products of matrices."""
    import torch
    from contenders.torch_low_rank import feature_weights, features
    torch.set_num_threads(threads)
    # As columns of one head; the last column of the values sums the weights.
    q, k1, k2 = (torch.from_numpy(x).mT[None].contiguous() for x in arrays[:3])
    n, d = arrays[0].shape
    v1, v2 = (torch.cat([torch.from_numpy(x), torch.ones(n, 1)], 1)[None] for x in arrays[3:])
    weights = feature_weights(d, (1.0, 1.0, 0.5))

    def build(block):
        def state(keys, values):
            return sum(features(k, 2) @ v for k, v in zip(keys.split(block, 2), values.split(block, 1)))

        def run():
            with torch.inference_mode():
                product = weights * state(k1, v1) * state(k2, v2)
                out = torch.cat([features(BOUND * part, 2).mT @ product for part in q.split(block, 2)], 1)
                return (out[0, :, :-1] / out[0, :, -1:]).numpy()
        return run
    return {f"PyTorch low rank, {block}": build(block) for block in (256, 1024, n)}


def working(peers):
    """Those that run, with a line for each that does not."""
    good = {}
    for name, run in peers.items():
        try:
            run()
            good[name] = run
        except Exception as reason:  # whatever a framework throws
            print(f"{name}: skipped: {str(reason).splitlines()[0][:100]}")
    return good


# ===-- measuring --------------------------------------------------------------===#


def fastest(times, names):
    return min(names, key=lambda name: sorted(times[name])[len(times[name]) // 2])


def report(name, times, peers, result, arrays, causal=False):
    ours = sorted(times["ours"])[len(times["ours"]) // 2]
    best = fastest(times, peers) if peers else None
    off = error(result, arrays, causal)
    ratio = timing.median_ratio(times[best], times["ours"]) if best else float("nan")
    peer = f"{best.removeprefix('PyTorch ')} {1e3 * sorted(times[best])[len(times[best]) // 2]:.3g}" if best else "-"
    print(LINE.format(name, f"{1e3 * ours:.4g}", peer, f"{ratio:.2f}" if best else "-", "-" if off != off else f"{off:.1e}"), flush=True)
    return {"case": name, "seconds": times, "best_peer": best, "ratio": ratio, "error": off}


def measure_exact(name, n, d, threads, rounds):
    arrays = inputs(n, d)
    ours = program(n, d, low_rank=False)
    peers = working({**torch_peers(arrays, threads), **jax_peers(arrays)})
    # Only the best few of them are worth waiting for.
    first = timing.interleaved(peers, rounds=1, least_seconds=0)
    peers = dict(sorted(peers.items(), key=lambda item: first[item[0]][0])[:3])
    runs = {"ours": lambda: ours(*arrays), **peers}
    return report(name, timing.interleaved(runs, rounds), list(peers), ours(*arrays), arrays)


def measure_state(name, n, d, causal, threads, rounds):
    arrays = inputs(n, d)
    ours = program(n, d, low_rank=True, causal=causal)
    if not any(r.kind == "passed" and r.name == "Approximated" for r in ours.remarks):
        raise SystemExit(f"bench: tensor attention of n = {n}, d = {d} was not rewritten")
    peers = {} if causal or n > 100_000 else working(torch_low_rank(arrays, threads))
    runs = {"ours": lambda: ours(*arrays), **peers}
    times = timing.interleaved(runs, rounds if n < 100_000 else 3)
    return report(name, times, list(peers), ours(*arrays), arrays, causal)


def run(threads, only="", rounds=5):
    print("Order 3, one head, f32; times in ms, the best peer of its kind, and its time over ours; errors are relative to the\n"
          "largest product of values. Through a state: a bound of 0.5 is declared and checked in every call, tolerance 1e-2,\nof a million tokens 2e-2.")
    print(LINE.format("case", "ours", "best peer", "peer / ours", "error"))
    cases = [(f"exact, n = {n}, d = {d}", measure_exact, (n, d)) for n, d in EXACT]
    cases += [(f"state, n = {n}, d = {d}{', causal' if causal else ''}", measure_state, (n, d, causal)) for n, d, causal in STATE]
    chosen = [case for case in cases if only in case[0]]
    if not chosen:
        raise SystemExit(f"bench: no case contains '{only}'; one is '{cases[0][0]}'")
    return [measure(name, *sizes, threads, rounds) for name, measure, sizes in chosen]
