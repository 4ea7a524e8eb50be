# Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
"""Attention in float64 numpy: the one oracle that executed tests compare with.

It follows the documentation of `attn.attention` and shares no code with the
project. Queries go in blocks, so that long sequences fit in memory.
"""

import numpy as np

BLOCK_ENTRIES = 1 << 21  # scores held at a time


def key_range(mask, i, n, m):
    """The keys [begin, end) that query rows `i` (an array) see."""
    name, options = mask
    align = options.get("align", "start")
    if align not in ("start", "end"):
        raise ValueError(f"unknown align {align!r}")
    position = i if align == "start" else i + m - n
    zero = np.zeros_like(position)
    if name == "full":
        return zero, zero + m
    if name == "causal":
        return zero, position + 1
    if name == "sliding_window":
        return position - options["left"], position + options["right"] + 1
    if name == "prefix":
        return zero, np.maximum(position + 1, options["length"])
    if name == "block_causal":
        ends = np.cumsum(options["scales"])
        level = np.minimum(np.searchsorted(ends, position, side="right"), len(ends) - 1)
        return zero, np.where(position < 0, 0, np.where(level == len(ends) - 1, m, ends[level]))
    raise ValueError(f"unknown mask {name!r}")


def mask_text(mask):
    """The mask as an op has it."""
    name, options = mask
    inside = ", ".join(f"{key} = {list(value) if isinstance(value, tuple) else value}" for key, value in dict(options).items())
    return f"mask {name}{f'<{inside}>' if inside else ''}"


def mask_matrix(mask, n, m, rows=None):
    """admitted[i, j] as booleans, for all query rows or those given."""
    i = np.arange(n) if rows is None else np.asarray(rows)
    begin, end = key_range(mask, i[:, None], n, m)
    j = np.arange(m)[None, :]
    return (begin <= j) & (j < end)


def _weights(scores, admitted, kernel):
    """Unnormalised weights; exactly 0 where a key is not admitted."""
    if isinstance(kernel, str) and kernel != "exp":
        raise ValueError(f"unknown kernel {kernel!r}")
    if kernel is None or isinstance(kernel, str):
        top = np.max(np.where(admitted, scores, -np.inf), axis=-1, keepdims=True, initial=-np.inf)
        top = np.where(np.isneginf(top), 0.0, top)
        return np.where(admitted, np.exp(np.where(admitted, scores, 0.0) - top), 0.0)
    value = np.polynomial.polynomial.polyval(np.where(admitted, scores, 0.0), np.asarray(kernel, np.float64))
    return np.where(admitted, value, 0.0)


def _sum_values(weights, admitted, v):
    """weights @ v, except that keys that are not admitted may hold anything."""
    sane = np.isfinite(v).all(axis=1)
    result = weights @ np.where(sane[:, None], v, 0.0)
    for j in np.flatnonzero(~sane):
        rows = admitted[:, j]
        result[rows] += weights[rows, j, None] * v[j]
    return result


def _one_head(q, k, v, scale, kernel, mask, bias, key_weights):
    n, m = q.shape[0], k.shape[0]
    out = np.zeros((n, v.shape[1]))
    block = max(1, BLOCK_ENTRIES // max(1, m))
    for first in range(0, n, block):
        rows = np.arange(first, min(n, first + block))
        scores = scale * (q[rows] @ k.T)
        if bias is not None:
            scores = scores + bias[rows]
        admitted = mask_matrix(mask, n, m, rows) & (key_weights != 0)[None, :]
        weights = _weights(scores, admitted, kernel) * np.where(key_weights != 0, key_weights, 0.0)
        total = weights.sum(axis=-1, keepdims=True)
        some = total[:, 0] != 0
        out[rows[some]] = _sum_values(weights[some], admitted[some], v) / total[some]
    return out


def attention(q, k, v, scale, kernel=None, mask=("full", {}), bias=None, key_weights=None):
    """sum_j kernel(s_ij) w_j v_j / sum_j kernel(s_ij) w_j in float64.

    q: [B..., Hq, n, d], k: [B..., Hk, m, d], v: [B..., Hk, m, e] or without any batch dimension.
    kernel: None or "exp", or coefficients c_0, c_1, ... of a polynomial.
    mask: (name, options) as in the attributes, such as ("causal", {"align": "end"}).
    bias: broadcasts to [B..., Hq, n, m]. key_weights: broadcasts to [B..., Hk, m].
    """
    q, k, v = (np.asarray(x).astype(np.float64) for x in (q, k, v))
    if isinstance(mask, str):
        mask = (mask, {})
    batch, kv_batch = q.shape[:-2], k.shape[:-2]
    n, m, e = q.shape[-2], k.shape[-2], v.shape[-1]
    if bias is not None:
        bias = np.broadcast_to(np.asarray(bias).astype(np.float64), (*batch, n, m))
    w = np.ones(()) if key_weights is None else np.asarray(key_weights).astype(np.float64)
    w = np.broadcast_to(w, (*kv_batch, m))
    group = batch[-1] // kv_batch[-1] if batch and kv_batch[-1] else 1
    out = np.zeros((*batch, n, e))
    with np.errstate(all="ignore"):
        for index in np.ndindex(*batch):
            kv = (*index[:-1], index[-1] // group) if batch else ()
            head_bias = None if bias is None else bias[index]
            out[index] = _one_head(q[index], k[kv], v[kv], scale, kernel, mask, head_bias, w[kv])
    return out


def _sum_to(x, shape):
    """The sums of all entries that broadcasting repeats an entry of `shape` to."""
    axes = tuple(i for i, (size, wanted) in enumerate(zip(x.shape, shape)) if size != wanted)
    return x.sum(axis=axes, keepdims=True) if axes else x


def attention_grad(q, k, v, do, scale, kernel=None, mask=("full", {}), bias=None, key_weights=None, o=None):
    """Gradients of sum(do * attention(...)) in float64: a dict with dq, dk, dv, db (with a bias), dw (with key weights),
    the normalizer z as `attn.normalizer` has it, and by the same names with a bar, such as |dq|, the sums of the
    magnitudes of what was added up. `o` is the output, if D shall be computed from a rounded one. All scores are held at
    once.
    """
    q, k, v, do = (np.asarray(x).astype(np.float64) for x in (q, k, v, do))
    batch, n, m = q.shape[:-2], q.shape[-2], k.shape[-2]
    group = batch[-1] // k.shape[-3] if batch else 1
    heads = lambda x: np.repeat(x, group, axis=-3) if batch else x  # noqa: E731
    keys, values = heads(k), heads(v)
    w = np.broadcast_to(1.0 if key_weights is None else np.asarray(key_weights).astype(np.float64), k.shape[:-1])
    wide = heads(w[..., None, :])
    admitted = np.broadcast_to(mask_matrix(mask, n, m), (*batch, n, m))
    t = lambda x: np.swapaxes(x, -1, -2)  # noqa: E731
    with np.errstate(all="ignore"):
        s = scale * (q @ t(keys)) + (0.0 if bias is None else np.asarray(bias).astype(np.float64))
        counts = admitted & (wide != 0)
        if kernel is None:
            top = np.max(np.where(counts, s, -np.inf), axis=-1, keepdims=True, initial=-np.inf)
            top = np.where(np.isneginf(top), 0.0, top)
            value = slope = np.exp(np.where(admitted, s - top, -np.inf))
        else:
            value, slope = (np.where(admitted, np.polynomial.polynomial.polyval(s, c), 0.0)
                            for c in (kernel, np.polynomial.polynomial.polyder(kernel)))
            top = 0.0
        total = np.sum(np.where(counts, value * wide, 0.0), axis=-1, keepdims=True)
        inverse = np.where(total == 0, 0.0, 1 / np.where(total == 0, 1.0, total))
        bare = value * inverse
        p, r = np.where(counts, bare * wide, 0.0), np.where(counts, slope * inverse * wide, 0.0)
        o = p @ values if o is None else np.where(total == 0, 0.0, np.asarray(o).astype(np.float64))
        excess = do @ t(values) - (do * o).sum(-1, keepdims=True)
        most = np.abs(do) @ t(np.abs(values)) + (np.abs(do) * (np.abs(p) @ np.abs(values))).sum(-1, keepdims=True)
        per_key = lambda x: x.reshape(*k.shape[:-2], group, *x.shape[-2:]).sum(-3) if batch else x  # noqa: E731
        found = {}
        for bar, p, r, excess, bare, q, keys, do in [("", p, r, excess, bare, q, keys, do),
                                                     ("|", *map(np.abs, (p, r, most, bare, q, keys, do)))]:
            ds, factor = r * excess, abs(scale) if bar else scale
            found.update({f"{bar}dq{bar}": factor * ds @ keys, f"{bar}dk{bar}": per_key(factor * t(ds) @ q),
                          f"{bar}dv{bar}": per_key(t(p) @ do)})
            if bias is not None:
                found[f"{bar}db{bar}"] = _sum_to(ds, np.shape(bias))
            if key_weights is not None:
                terms = per_key((bare * excess).sum(-2, keepdims=True))[..., 0, :]
                found[f"{bar}dw{bar}"] = _sum_to(terms, np.shape(key_weights))
        found["z"] = (np.log(total) + top if kernel is None else total)[..., 0]
    return found


def tensor_attention(q, keys, values, scale, kernel=None, masks=(), key_weights=()):
    """sum kernel(s) w1 ... wp v1 * ... * vp / sum kernel(s) w1 ... wp in float64, s = scale sum_a q_a k1_a ... kp_a.

    q: [B..., Hq, n, d], keys[t]: [B..., Hk, m_t, d], values[t]: [B..., Hk, m_t, e]. masks: none, or one for each set;
    key_weights likewise, each [B..., Hk, m_t] up to broadcasting. Follows the documentation of `attn.tensor_attention`.
    """
    q, *keys = (np.asarray(x).astype(np.float64) for x in (q, *keys))
    values = [np.asarray(x).astype(np.float64) for x in values]
    masks = masks or [("full", {})] * len(keys)
    weights = [np.broadcast_to(np.asarray(w).astype(np.float64), k.shape[:-1]) for w, k in zip(key_weights, keys)]
    weights = weights or [np.ones(k.shape[:-1]) for k in keys]
    group = q.shape[-3] // keys[0].shape[-3] if q.ndim > 2 else 1
    out = np.zeros((*q.shape[:-1], values[0].shape[-1]))
    with np.errstate(all="ignore"):
        for index in np.ndindex(*q.shape[:-2]):
            kv = (*index[:-1], index[-1] // group) if index else ()
            sets = [(k[kv], v[kv], w[kv], mask) for k, v, w, mask in zip(keys, values, weights, masks)]
            for i in range(q.shape[-2]):
                out[index + (i,)] = _one_tensor_row(q[index + (i,)], i, q.shape[-2], sets, scale, kernel)
    return out


def _one_tensor_row(q, i, n, sets, scale, kernel):
    """Only keys that take part are looked at, so that others may hold anything."""
    scores, products, weights = q * scale, np.ones((1,)), np.ones(())
    for k, v, w, mask in sets:
        begin, end = key_range(mask, np.array(i), n, k.shape[0])
        seen = [j for j in range(k.shape[0]) if begin <= j < end and w[j] != 0]
        scores = scores[..., None, :] * k[seen]
        products = products[..., None, :] * v[seen]
        weights = weights[..., None] * w[seen]
    scores = scores.sum(axis=-1)
    if not scores.size:
        return np.zeros(sets[0][1].shape[-1])
    if kernel is None:
        weights = weights * np.exp(scores - scores.max())
    else:
        weights = weights * np.polynomial.polynomial.polyval(scores, np.asarray(kernel, np.float64))
    axes = tuple(range(weights.ndim))
    return (weights[..., None] * products).sum(axis=axes) / weights.sum()


# ===-- linear layers with low-rank adapters ----------------------------------===#


def lora_linear(x, weight, a, b, scale, bias=None, adapters=None, transposed=False):
    """`attn.lora_linear`, row by row where rows choose their adapter."""
    if transposed:
        weight, a, b = (np.swapaxes(matrix, -1, -2) for matrix in (weight, a, b))
    y = x @ weight + (0 if bias is None else bias)
    if adapters is None:
        return y + scale * (x @ a) @ b
    for row in np.ndindex(adapters.shape):
        if adapters[row] >= 0:
            y[row] += scale * (x[row] @ a[adapters[row]]) @ b[adapters[row]]
    return y


def lora_linear_grad(dy, x, weight, a, b, scale, adapters=None, transposed=False):
    """dx, dA, dB: one outer product for each row."""
    if transposed:
        dx, da, db = lora_linear_grad(dy, x, weight.T, np.swapaxes(a, -1, -2), np.swapaxes(b, -1, -2), scale, adapters)
        return dx, np.swapaxes(da, -1, -2), np.swapaxes(db, -1, -2)
    if adapters is None:
        adapters, a, b = np.zeros(x.shape[:-1], int), a[None], b[None]
        dx, da, db = lora_linear_grad(dy, x, weight, a, b, scale, adapters)
        return dx, da[0], db[0]
    dx, da, db = dy @ weight.T, np.zeros(a.shape), np.zeros(b.shape)
    for row in np.ndindex(adapters.shape):
        which = adapters[row]
        if which >= 0:
            middle = scale * b[which] @ dy[row]
            dx[row] += a[which] @ middle
            da[which] += np.outer(x[row], middle)
            db[which] += scale * np.outer(x[row] @ a[which], dy[row])
    return dx, da, db
