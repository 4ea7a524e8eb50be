# Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
"""Profiles against statistics in float64 numpy, which follow docs/profiles.md and share no code with the project.

Usage: check_profile.py TOOL FOLDER [DATA.npz]
"""

import json
import os
import subprocess
import sys

import numpy as np
import oracle

LONG = 512
tool, folder = sys.argv[1:3]


def head_statistics(q, k, v, w, scale, mask, starts_at_zero):
    """Of one head of one batch entry: q [n, d], k [m, d], v [m, e], w [m]."""
    n, m = len(q), len(k)
    centre = (w[:, None] * k).sum(axis=0) / w.sum() if w.sum() > 0 else np.zeros(k.shape[1])
    largest = lambda x: float(np.sqrt((x * x).sum(axis=1)).max(initial=0.0))
    result = {"max_query": largest(q), "max_key": largest(k), "max_centred_key": largest(k - centre),
              "max_value": float(np.abs(v).max(initial=0.0))}
    result["bound"] = abs(scale) * result["max_query"] * result["max_key"]
    result["centred_bound"] = abs(scale) * result["max_query"] * result["max_centred_key"]
    admitted = oracle.mask_matrix(mask, n, m)
    scores, centred = scale * q @ k.T, scale * q @ (k - centre).T
    for i in range(n):
        seen = np.flatnonzero(admitted[i] & (w > 0))
        if not len(seen):
            continue
        x, weight = centred[i, seen], w[seen] / w[seen].sum()
        group = "short_rows" if starts_at_zero and admitted[i].sum() < LONG else "long_rows"
        rows = result.setdefault(group, {"rows": 0, "second_moment": 0.0, "least_mean": np.inf, "score_range": 0.0})
        rows["rows"] += 1
        rows["second_moment"] = max(rows["second_moment"], float(weight @ x**2))
        rows["least_mean"] = min(rows["least_mean"], float(weight @ x))
        rows["score_range"] = max(rows["score_range"], float(np.ptp(scores[i, seen])))
        result["least_score"] = min(result.get("least_score", np.inf), float(scores[i, seen].min()))
        result["largest_score"] = max(result.get("largest_score", -np.inf), float(scores[i, seen].max()))
    return result


def merge(into, new):
    """Maxima of most things, minima of what is called least, sums of counts."""
    for name, value in new.items():
        if name not in into:
            into[name] = value
        elif isinstance(value, dict):
            merge(into[name], value)
        elif name in ("rows", "calls", "keys"):
            into[name] += value
        elif isinstance(value, list):
            for old, other in zip(into[name], value):
                merge(old, other)
        else:
            into[name] = min(into[name], value) if name.startswith("least") else max(into[name], value)
    return into


def call_statistics(q, k, v, w, scale, mask):
    """Of one call; arrays as the op takes them, without batch dimensions too."""
    q, k, v = (np.asarray(x, np.float64) for x in (q, k, v))
    w = np.broadcast_to(np.asarray(1.0 if w is None else w, np.float64), k.shape[:-1])
    padded = lambda x: (1,) * (4 - x.ndim) + x.shape
    four = lambda x: x.reshape(int(np.prod(padded(x)[:-3])), *padded(x)[-3:])
    q, k, v, w = four(q), four(k), four(v), four(w[..., None])[..., 0]
    batch, heads, group = q.shape[0], q.shape[1], q.shape[1] // k.shape[1]
    starts_at_zero = mask[0] != "sliding_window"
    result = []
    for h in range(heads):
        head = {}
        for b in range(batch):
            merge(head, head_statistics(q[b, h], k[b, h // group], v[b, h // group], w[b, h // group], scale, mask,
                                        starts_at_zero))
        result.append(head)
    return {"calls": 1, "keys": batch * k.shape[2], "longest": k.shape[2], "heads": result}


def compare(got, want, where):
    if isinstance(want, dict):
        assert got.keys() == want.keys(), (where, sorted(got), sorted(want))
        for name in want:
            compare(got[name], want[name], f"{where}.{name}")
    elif isinstance(want, list):
        assert len(got) == len(want), where
        for i, (a, b) in enumerate(zip(got, want)):
            compare(a, b, f"{where}[{i}]")
    elif isinstance(want, int):
        assert got == want, (where, got, want)
    else:
        assert abs(got - want) <= 1e-11 * max(1.0, abs(want)), (where, got, want)


def tensor(shape, dtype):
    return f"tensor<{''.join('?x' if s is None else f'{s}x' for s in shape)}{dtype}>"


class Case:
    def __init__(self, batch, kv_heads, d, e, mask=("full", {}), weights=None, dtype="f32", scale=0.3, lengths=((5, 9),)):
        self.batch, self.mask, self.weights, self.dtype, self.scale = batch, mask, weights, dtype, scale
        self.kv_batch = (*batch[:-1], kv_heads) if batch else ()
        self.d, self.e, self.lengths = d, e, lengths

    def text(self):
        q, k, v = (tensor((*b, None, x), self.dtype)
                   for b, x in ((self.batch, self.d), (self.kv_batch, self.d), (self.kv_batch, self.e)))
        o = tensor((*self.batch, None, self.e), self.dtype)
        w = tensor((*self.weights, None), "f32") if self.weights is not None else ""
        options = ", ".join(f"{key} = {value}" for key, value in self.mask[1].items())
        mask = f"{self.mask[0]}<{options}>" if options else self.mask[0]
        return (f"func.func @main(%q: {q}, %k: {k}, %v: {v}{', %w: ' + w if w else ''}) -> {o} {{\n"
                f"  %o = attn.attention %q, %k, %v {f'key_weights(%w : {w}) ' if w else ''}scale {self.scale} mask {mask}"
                f" : {q}, {k}, {v} -> {o}\n  return %o : {o}\n}}\n")

    def arrays(self, rng, n, m):
        dtype = {"f16": np.float16, "f32": np.float32, "f64": np.float64}[self.dtype]
        spread = rng.uniform(0.2, 2)
        result = [(spread * rng.standard_normal(shape) + rng.standard_normal(shape[-1])).astype(dtype)
                  for shape in ((*self.batch, n, self.d), (*self.kv_batch, m, self.d), (*self.kv_batch, m, self.e))]
        if self.weights is not None:
            w = rng.uniform(0, 2, (*self.weights, m)).astype(np.float32)
            w[rng.random(w.shape) < 0.3] = 0  # padding
            if rng.random() < 0.3:
                w[..., 0, :] = 0
            result.append(w)
        return result


CASES = [
    Case((), 1, 3, 2, lengths=((1, 1), (4, 7), (0, 3))),
    Case((3,), 3, 16, 8, lengths=((5, 9), (40, 300))),
    Case((4,), 2, 8, 8, ("causal", {}), lengths=((600, 600), (20, 30), (513, 700))),
    Case((2, 6), 2, 5, 7, ("causal", {"align": "end"}), (2, 1), lengths=((3, 9), (40, 531))),
    Case((2, 3, 4), 4, 4, 3, ("sliding_window", {"left": 5, "right": 2}), (1, 1, 4), lengths=((9, 9), (30, 20))),
    Case((2,), 1, 9, 4, ("prefix", {"length": 12}), (1,), "f64", -0.7, ((30, 30), (9, 5), (4, 600))),
    Case((2, 2), 1, 12, 6, dtype="f16", weights=(2, 1), lengths=((7, 11), (2, 520), (5, 0))),
]


def run(*arguments):
    done = subprocess.run([tool, *arguments], capture_output=True, text=True)
    assert done.returncode == 0, (arguments, done.stderr)
    return done.stdout


def path(*names):
    return os.path.join(folder, *names)


def read_op(name):
    with open(path(name)) as file:
        content = json.load(file)
    assert content["format"] == "polyattn-profile" and content["version"] == 1
    (op,) = content["ops"].values()
    return op


def check_case(index, case):
    rng = np.random.default_rng(index)
    os.makedirs(path(f"case{index}", "all"), exist_ok=True)
    with open(path("case.mlir"), "w") as file:
        file.write(case.text())
    expected, parts = {}, []
    for i, (n, m) in enumerate(case.lengths):
        arrays = case.arrays(rng, n, m)
        save = np.savez_compressed if i % 2 else np.savez
        file = path(f"case{index}", "all", f"{i}.npz")
        save(file, *arrays)
        parts.append(file)
        weights = arrays[3] if len(arrays) > 3 else None
        merge(expected, call_statistics(*arrays[:3], weights, case.scale, case.mask))
    run(path("case.mlir"), "--opt-level=0", f"--inputs={path(f'case{index}', 'all')}", f"--profile-out={path('all.json')}")
    compare(read_op("all.json"), expected, f"case {index}")
    if index % 3:
        return
    # One run for each file, added up.
    for i, file in enumerate(parts):
        run(path("case.mlir"), "--opt-level=0", f"--inputs={file}", f"--profile-out={path('sum.json')}", *["--profile-merge"] * (i > 0))
    compare(read_op("sum.json"), expected, f"case {index}, added up")


def check_data(file):
    """Heads of a trained model, by name; and what data/README.md says of them."""
    with np.load(file) as arrays:
        q, k, v = (arrays[name] for name in "qkv")
    scale = float(1 / np.sqrt(32))
    case = Case((12,), 12, 32, 32, scale=scale)
    with open(path("data.mlir"), "w") as out:
        out.write(case.text())
    run(path("data.mlir"), "--input=@q", "--input=@k", "--input=@v", f"--inputs={file}", f"--profile-out={path('data.json')}")
    op = read_op("data.json")
    compare(op, call_statistics(q, k, v, None, scale, ("full", {})), "data")
    bounds = [head["bound"] for head in op["heads"]]
    assert (round(min(bounds), 1), round(max(bounds), 1)) == (12.6, 17.2), bounds


def sphere(rng, *shape):
    x = rng.standard_normal(shape)
    return x / np.linalg.norm(x, axis=-1, keepdims=True)


def check_round_trip(name, d, scale, margin, remark, mask=("full", {})):
    """Inputs that were profiled pass the check that their profile leads to; larger ones get the exact version."""
    rng = np.random.default_rng(7)
    text = Case((2,), 1, d, 8, mask, scale=scale).text()
    with open(path(f"{name}.mlir"), "w") as file:
        # Under a mask, moments are for static lengths.
        file.write(text.replace("?", "3000") if name == "causal" else text)
    stretch, length = np.array([1.0, 0.3])[:, None, None], 3000
    q, k, v = stretch * sphere(rng, 2, length, d), sphere(rng, 1, length, d), rng.uniform(-1, 1, (1, length, 8))
    arrays = [x.astype(np.float32) for x in (q, k, v)]
    np.savez(path(f"{name}-in.npz"), *arrays)
    np.savez(path(f"{name}-beyond.npz"), 3 * arrays[0], *arrays[1:])
    run(path(f"{name}.mlir"), f"--inputs={path(f'{name}-in.npz')}", f"--profile-out={path('trip.json')}")

    def results(inputs):
        for passes in (f"attn-apply-profile{{file={path('trip.json')} margin={margin}}},attn-compile", "attn-to-llvm"):
            text = run(path(f"{name}.mlir"), f"--inputs={path(f'{name}-{inputs}.npz')}", f"--pipeline=builtin.module({passes})",
                       f"--output={path('out')}", "--remarks")
            yield np.load(path("out0.npy")), text

    (got, text), (want, _) = results("in")
    assert "Approximated" in text and remark in text, text
    error = np.abs(got - want).max()
    assert 0 < error <= 1.1e-2, (name, error)
    if name != "causal":  # it takes longest to compile
        (got, _), (want, _) = results("beyond")
        assert np.array_equal(got, want), name


os.makedirs(folder, exist_ok=True)
check_round_trip("bound", 8, 0.5, 1.0, "(profiled, checked at run time)")
for trip, shape in ("full", {}), ("causal", {}):
    check_round_trip(trip, 64, 0.5, 1.1, "(profiled, checked at run time: centred scores up to", (trip, shape))
for i, c in enumerate(CASES):
    check_case(i, c)
if len(sys.argv) > 3:
    check_data(sys.argv[3])
print(f"{len(CASES)} cases")
