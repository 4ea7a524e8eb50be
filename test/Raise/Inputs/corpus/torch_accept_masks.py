# Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
"""Masks and biases as PyTorch programs spell them."""

import torch

from spec import T, accept, qkv
from torch_accept import BOTH, SDPA, inf, scores, softmax_av

# ===-- masks --------------------------------------------------------------===#


@accept("tril, masked_fill of -inf.", qkv(layout="bsd"), scale=0.5, mask="causal", routes=BOTH)
def causal_tril(q, k, v):
    return softmax_av(scores(q, k).masked_fill(torch.tril(torch.ones(6, 6)) == 0, -inf), v)


@accept("masked_fill of the smallest number.", qkv(layout="bsd"), scale=0.5, mask="causal")
def causal_finfo(q, k, v):
    mask = torch.ones(6, 6, dtype=torch.bool).tril()
    return softmax_av(scores(q, k).masked_fill(~mask, torch.finfo(torch.float32).min), v)


@accept("masked_fill of -1e9.", qkv(layout="bsd"),
        scale=0.5, mask="causal")
def causal_1e9(q, k, v):
    return softmax_av(scores(q, k).masked_fill(torch.triu(torch.ones(6, 6), 1).bool(), -1e9), v)


@accept("torch.where.", qkv(layout="bsd"), scale=0.5, mask="causal")
def causal_where(q, k, v):
    mask = torch.tril(torch.ones(6, 6, dtype=torch.bool))
    return softmax_av(torch.where(mask, scores(q, k), -inf), v)


@accept("triu(diagonal=1) of -inf added.", qkv(layout="bsd"), scale=0.5, mask="causal")
def causal_triu_added(q, k, v):
    return softmax_av(scores(q, k) + torch.triu(torch.full((6, 6), -inf), diagonal=1), v)


@accept("Positions compared.", qkv(layout="bsd"), scale=0.5, mask="causal")
def causal_positions(q, k, v):
    i, j = torch.arange(6)[:, None], torch.arange(6)[None, :]
    return softmax_av(torch.where(i < j, -inf, scores(q, k)), v)


@accept("Differences of positions compared with 0.", qkv(layout="bsd"), scale=0.5, mask="causal")
def causal_difference(q, k, v):
    i = torch.arange(6)
    return softmax_av(scores(q, k).masked_fill((i[None, :] - i[:, None]) > 0, -inf), v)


@accept("A cache: positions of queries start at m - n.", qkv(layout="bsd", n=3, m=8), scale=0.5, mask="causal at the end")
def causal_cache(q, k, v):
    i, j = torch.arange(5, 8)[:, None], torch.arange(8)[None, :]
    return softmax_av(scores(q, k).masked_fill(j > i, -inf), v)


@accept("GPT-2: a slice of a larger triangle.", qkv(n=3, m=8), scale=0.5, mask="causal at the end")
def causal_sliced_buffer(q, k, v):
    mask = torch.tril(torch.ones(16, 16, dtype=torch.bool)).view(1, 1, 16, 16)[:, :, 5:8, :8]
    return softmax_av(torch.where(mask, scores(q, k), torch.finfo(torch.float32).min), v)


@accept("Scores transposed and causal.", qkv(layout="bsd"), scale=0.5, mask="causal")
def causal_transposed(q, k, v):
    s = 0.5 * (k @ q.transpose(-1, -2))
    s = s.masked_fill(torch.tril(torch.ones(6, 6, dtype=torch.bool), -1), -inf)
    return torch.softmax(s, dim=-2).transpose(-1, -2) @ v


@accept("Masked weights instead of masked scores: exp times tril, then divided.", qkv(layout="bsd"), scale=0.5, mask="causal", overflows=True)
def causal_weights(q, k, v):
    e = torch.exp(scores(q, k)) * torch.tril(torch.ones(6, 6))
    return (e / e.sum(-1, keepdim=True)) @ v


@accept("No maximum, and the lowest number is added: NaN in rows without any key.", qkv(layout="sd", n=5, m=7) + [
    T(5, 7, dtype="i1", kind="mask")], scale=0.5, mask="", bias=True, types="nan_rows", overflows=True)
def no_maximum_fill_added(q, k, v, keep):
    e = torch.exp(scores(q, k) + torch.where(keep, 0.0, torch.finfo(torch.float32).min))
    return (e / e.sum(-1, keepdim=True)) @ v


@accept("Sliding window to the left.", qkv(layout="bsd", n=8), scale=0.5, mask="sliding_window<left = 2, right = 0")
def window_left(q, k, v):
    i, j = torch.arange(8)[:, None], torch.arange(8)[None, :]
    return softmax_av(scores(q, k).masked_fill((j > i) | (i - j >= 3), -inf), v)


@accept("Sliding window on both sides.", qkv(layout="bsd", n=8), scale=0.5, mask="sliding_window<left = 2, right = 2")
def window_both(q, k, v):
    i = torch.arange(8)
    return softmax_av(scores(q, k).masked_fill((i[:, None] - i[None, :]).abs() > 2, -inf), v)


@accept("Sliding window as a band of two triangles.", qkv(layout="bsd", n=8), scale=0.5, mask="sliding_window<left = 3, right = 1")
def window_band(q, k, v):
    band = torch.ones(8, 8, dtype=torch.bool).tril(1).triu(-3)
    return softmax_av(torch.where(band, scores(q, k), -inf), v)


@accept("Prefix of three keys that all see, then causal.", qkv(layout="bsd", n=7), scale=0.5, mask="prefix<length = 3")
def prefix_lm(q, k, v):
    i, j = torch.arange(7)[:, None], torch.arange(7)[None, :]
    return softmax_av(scores(q, k).masked_fill(~((j <= i) | (j < 3)), -inf), v)


def levels(*sides):
    """Next-scale models number tokens by the scale that they belong to."""
    return torch.cat([torch.full((side * side,), level) for level, side in enumerate(sides)])


SCALES = "block_causal<scales = [1, 4, 9]>"


@accept("Next-scale attention: a constant bias of 0 and -inf.", qkv(n=14), scale=0.5, mask=SCALES, routes=BOTH)
def scales_bias(q, k, v):
    d = levels(1, 2, 3).view(1, 14, 1)
    bias = torch.where(d >= d.transpose(1, 2), 0.0, -inf).reshape(1, 1, 14, 14)
    return SDPA(q, k, v, attn_mask=bias)


SEEN = levels(1, 2, 3)[:, None] >= levels(1, 2, 3)[None, :]
ADDED = torch.where(SEEN, 0.0, -inf)[None, None]


@accept("Next-scale attention: a boolean constant, and scores scaled by queries.", qkv(layout="bsd", n=14), scale=0.5, mask=SCALES)
def scales_bool(q, k, v):
    return softmax_av(((0.5 * q) @ k.transpose(-2, -1)).masked_fill(~SEEN, -inf), v)


@accept("Next-scale attention: a constant of 0 and -inf that is a buffer of the model.", qkv(n=14), scale=0.5, mask=SCALES)
def scales_buffer(q, k, v):
    return SDPA(q, k, v, attn_mask=ADDED)


@accept("Next-scale attention: level ids are compared with a finite fill; the last scale's queries against a cache.",
        qkv(layout="bsd", n=11, m=14), scale=0.5, mask="block_causal<scales = [5, 9], align = end>")
def scales_cache(q, k, v):
    d = levels(1, 2, 3)
    return softmax_av(torch.where(d[3:, None] >= d[None, :], scores(q, k), -1e9), v)


@accept("Block-causal in equal blocks by a quotient of indices.", qkv(layout="bsd", n=12), scale=0.5,
        mask="block_causal<scales = [4, 4, 4]>")
def scales_equal(q, k, v):
    c = torch.arange(12) // 4
    return softmax_av(scores(q, k).masked_fill(c[:, None] < c[None, :], -inf), v)


@accept("Scales that see only later ones are no prefix of keys: a bias.", qkv(layout="bsd", n=14), scale=0.5, bias=True)
def scales_reversed(q, k, v):
    d = levels(1, 2, 3)
    return softmax_av(torch.where(d[:, None] <= d[None, :], scores(q, k), -inf), v)


@accept("Blocks on the diagonal: no interval mask with one formula, so a bias.", qkv(layout="bsd", n=8), scale=0.5, bias=True)
def chunked(q, k, v):
    c = torch.arange(8) // 4
    return softmax_av(scores(q, k).masked_fill(c[:, None] != c[None, :], -inf), v)


@accept("Documents of a packed batch, causal inside.", qkv(n=8) + [T(1, 8, dtype="i64", kind="ids<3>")], scale=0.5)
def documents(q, k, v, ids):
    same = ids[:, None, :, None] == ids[:, None, None, :]
    mask = same & torch.ones(8, 8, dtype=torch.bool).tril()
    return softmax_av(scores(q, k).masked_fill(~mask, -inf), v)


@accept("Padding as (1 - m) * -10000.", qkv(b=2, n=5, m=7) + [T(2, 7, kind="zeros_and_ones")], scale=0.5, bias=True)
def padding_bert(q, k, v, m):
    return softmax_av(scores(q, k) + (1.0 - m[:, None, None, :]) * -10000.0, v)


@accept("Padding by lengths; every row has a key.", qkv(b=2, n=5, m=7) + [T(2, dtype="i64", kind="ids<7>")], scale=0.5)
def padding_lengths(q, k, v, n):
    mask = torch.arange(7)[None, :] <= n[:, None]
    return softmax_av(torch.where(mask[:, None, None, :], scores(q, k), -inf), v)


@accept("Padding by masked_fill of -inf: NaN where all keys are padding.", qkv(b=2, n=5, m=7) + [T(2, 7, dtype="i1", kind="keep")],
        scale=0.5)
def padding_bool(q, k, v, pad):
    return softmax_av(scores(q, k).masked_fill(~pad[:, None, None, :], -inf), v)


@accept("Causal and padding.", qkv(b=2) + [T(2, 6, dtype="i1", kind="keep_first")], scale=0.5)
def causal_and_padding(q, k, v, keep):
    mask = torch.ones(6, 6, dtype=torch.bool).tril() & keep[:, None, None, :]
    return softmax_av(torch.where(mask, scores(q, k), torch.finfo(torch.float32).min), v)


@accept("Causal and an additive padding mask.", qkv(b=2) + [T(2, 1, 1, 6, kind="additive")], scale=0.5, mask="causal", bias=True)
def causal_and_additive(q, k, v, pad):
    s = scores(q, k) + pad
    return softmax_av(s.masked_fill(torch.ones(6, 6, dtype=torch.bool).triu(1), -inf), v)


# ===-- biases -----------------------------------------------------------===#


@accept("ALiBi, causal.", qkv(h=2), scale=0.5, mask="causal", bias=True)
def alibi(q, k, v):
    i = torch.arange(6)
    slopes = torch.tensor([0.5, 0.25])[:, None, None]
    bias = -slopes * (i[:, None] - i[None, :]).abs()
    return softmax_av((scores(q, k) + bias).masked_fill(i[None, :] > i[:, None], -inf), v)


@accept("Relative bias from a table, no scale: T5.", qkv(h=2) + [T(11, 2)], scale=1.0, bias=True)
def relative_bias(q, k, v, table):
    i = torch.arange(6)
    bias = table[i[None, :] - i[:, None] + 5].permute(2, 0, 1).unsqueeze(0)
    return softmax_av(q @ k.transpose(-1, -2) + bias, v)


@accept("Windows with relative bias and the mask of shifted windows: Swin.", qkv(b=4, h=2, n=4) + [T(2, 4, 4), T(2, 4, 4, kind="additive")],
        scale=0.5, bias=True)
def swin(q, k, v, bias, mask):
    s = scores(q, k) + bias.unsqueeze(0)
    s = s.view(2, 2, 2, 4, 4) + mask.unsqueeze(1).unsqueeze(0)
    return softmax_av(s.view(4, 2, 4, 4), v)


@accept("A bias that is scaled with the scores.", qkv() + [T(1, 2, 6, 6)], scale=0.5, bias=True)
def bias_scaled(q, k, v, bias):
    return softmax_av((q @ k.transpose(-1, -2) + bias) * 0.5, v)


@accept("A bias per key: log of prior weights.", qkv(n=5, m=7) + [T(7)], scale=0.5, bias=True)
def bias_per_key(q, k, v, bias):
    return softmax_av(scores(q, k) + bias, v)


@accept("Weights of keys: exp times w, normalised together.", qkv(n=5, m=7) + [T(7, kind="positive")], scale=0.5, key_weights=True)
def key_weights(q, k, v, w):
    s = scores(q, k)
    e = torch.exp(s - s.amax(-1, keepdim=True)) * w
    return (e / e.sum(-1, keepdim=True)) @ v
