# Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
"""Softmax attention as PyTorch programs spell it."""

import math

import torch
import torch.nn.functional as F

from spec import T, accept, qkv

SDPA = F.scaled_dot_product_attention
BOTH = ("linalg", "tosa")
inf = float("inf")

# ===-- scaled_dot_product_attention ----------------------------------------===#


@accept("scaled_dot_product_attention.", qkv(), scale=0.5, routes=BOTH)
def sdpa(q, k, v):
    return SDPA(q, k, v)


@accept("is_causal.", qkv(), scale=0.5, mask="causal", routes=BOTH)
def sdpa_causal(q, k, v):
    return SDPA(q, k, v, is_causal=True)


@accept("is_causal with fewer queries than keys: aligned at the start.", qkv(n=5, m=9), scale=0.5, mask="causal :")
def sdpa_causal_cross(q, k, v):
    return SDPA(q, k, v, is_causal=True)


@accept("Boolean mask as an argument; rows without a key give 0.", qkv(n=5, m=7) + [T(1, 1, 5, 7, dtype="i1", kind="mask")],
        scale=0.5)
def sdpa_bool_mask(q, k, v, mask):
    return SDPA(q, k, v, attn_mask=mask)


@accept("Padding of keys by a boolean mask over all heads and queries.", qkv(b=2, n=5, m=7) + [T(2, 1, 1, 7, dtype="i1", kind="keep")],
        scale=0.5)
def sdpa_padding(q, k, v, mask):
    return SDPA(q, k, v, attn_mask=mask)


@accept("A float mask is a bias.", qkv(n=5, m=7) + [T(1, 2, 5, 7)], scale=0.5, bias=True)
def sdpa_float_mask(q, k, v, bias):
    return SDPA(q, k, v, attn_mask=bias)


@accept("A scale of its own.", qkv(), scale=0.3)
def sdpa_scale(q, k, v):
    return SDPA(q, k, v, scale=0.3)


@accept("enable_gqa.", qkv(h=4, hk=2, n=5, m=7), scale=0.5, types="4x5x4xf32>, tensor<{{(1x)?}}2x7x4xf32>")
def sdpa_gqa(q, k, v):
    return SDPA(q, k, v, enable_gqa=True)


@accept("Cross attention with values wider than keys.", qkv(b=2, n=5, m=8, e=6), scale=0.5, routes=BOTH)
def sdpa_cross(q, k, v):
    return SDPA(q, k, v)


@accept("Decoding: one query, a cache of keys.", qkv(n=1, m=9), scale=0.5)
def sdpa_decode(q, k, v):
    return SDPA(q, k, v)


@accept("f16, summed in f32.", qkv(dtype="f16"), scale=0.5)
def sdpa_f16(q, k, v):
    return SDPA(q, k, v)


@accept("bf16, causal.", qkv(dtype="bf16"), scale=0.5, mask="causal")
def sdpa_bf16(q, k, v):
    return SDPA(q, k, v, is_causal=True)


@accept("Heads in front, no batch.", qkv(layout="bsd"), scale=0.5)
def sdpa_3d(q, k, v):
    return SDPA(q, k, v)


@accept("Layout [batch, length, heads, dim], as packed kernels have it.", qkv(b=2, n=5, m=7, layout="bshd"), scale=0.5)
def sdpa_bshd(q, k, v):
    return SDPA(q.transpose(1, 2), k.transpose(1, 2), v.transpose(1, 2)).transpose(1, 2)


@accept("A constant tril(diagonal=m-n): queries are the last positions.", qkv(n=3, m=8), scale=0.5, mask="causal at the end")
def sdpa_cache_causal(q, k, v):
    return SDPA(q, k, v, attn_mask=torch.ones(3, 8, dtype=torch.bool).tril(5))


@accept("Several tokens of unknown number.", qkv(dynamic=(2,)), scale=0.5)
def sdpa_dynamic(q, k, v):
    return SDPA(q, k, v)


@accept("A batch of unknown size, causal.", qkv(b=3, dynamic=(0,)), mask="causal")
def sdpa_dynamic_batch(q, k, v):
    return SDPA(q, k, v, is_causal=True)


# ===-- the products -----------------------------------------------------------===#


@accept("matmul, softmax, matmul.", qkv(n=5, m=7, e=6), scale=0.5, routes=BOTH)
def manual(q, k, v):
    return torch.softmax(q @ k.transpose(-1, -2) / 2.0, -1) @ v


@accept("bmm with heads among the batch.", qkv(b=2, n=5, m=7, layout="bsd"), scale=0.5, routes=BOTH)
def bmm(q, k, v):
    return torch.bmm(torch.softmax(torch.bmm(q * 0.5, k.transpose(1, 2)), -1), v)


@accept("baddbmm: alpha is the scale, its first argument the bias.", qkv(layout="bsd") + [T(2, 6, 6)], scale=0.25, bias=True)
def baddbmm(q, k, v, bias):
    return torch.softmax(torch.baddbmm(bias, q, k.transpose(1, 2), beta=1.0, alpha=0.25), -1) @ v


@accept("baddbmm of an empty tensor with beta = 0.", qkv(layout="bsd"), scale=0.25)
def baddbmm_beta0(q, k, v):
    empty = torch.zeros(2, 6, 6)
    return torch.softmax(torch.baddbmm(empty, q, k.transpose(1, 2), beta=0.0, alpha=0.25), -1) @ v


@accept("One head, no batch.", qkv(n=5, m=7, layout="sd"), scale=0.5)
def single_head(q, k, v):
    return torch.softmax((q @ k.T) * 0.5, dim=1) @ v


@accept("einsum, batch and heads in front.", qkv(n=5, m=7), scale=0.5)
def einsum_bhsd(q, k, v):
    return torch.einsum("bhij,bhjd->bhid", torch.softmax(torch.einsum("bhid,bhjd->bhij", q, k) * 0.5, -1), v)


@accept("einsum on [batch, length, heads, dim].", qkv(b=2, n=5, m=7, layout="bshd"), scale=0.5)
def einsum_bshd(q, k, v):
    return torch.einsum("bhqk,bkhd->bqhd", torch.softmax(torch.einsum("bqhd,bkhd->bhqk", q, k) * 0.5, -1), v)


@accept("einsum with heads after the queries.", qkv(n=5, m=7, layout="bshd"), scale=0.5)
def einsum_bqhk(q, k, v):
    return torch.einsum("bqhk,bkhd->bqhd", torch.softmax(0.5 * torch.einsum("bqhd,bkhd->bqhk", q, k), -1), v)


@accept("einsum of scores with heads last: softmax over the middle.", qkv(n=5, m=7, layout="bshd"), scale=0.5)
def einsum_heads_last(q, k, v):
    return torch.einsum("bqkh,bkhd->bqhd", torch.softmax(0.5 * torch.einsum("bqhd,bkhd->bqkh", q, k), 2), v)


@accept("Scores transposed, [keys, queries]: softmax over rows of keys.", qkv(n=5, m=7), scale=0.5)
def scores_transposed(q, k, v):
    p = torch.softmax(0.5 * (k @ q.transpose(-1, -2)), dim=-2)
    return p.transpose(-1, -2) @ v


@accept("Values first in the second product.", qkv(n=5, m=7), scale=0.5)
def values_first(q, k, v):
    p = torch.softmax(0.5 * (q @ k.transpose(-1, -2)), dim=-1)
    return (v.transpose(-1, -2) @ p.transpose(-1, -2)).transpose(-1, -2)


@accept("Weights of the other head: heads of queries and keys are permuted.", qkv(n=5, m=7), scale=0.5)
def weights_of_other_head(q, k, v):
    return torch.softmax(q @ k.transpose(-1, -2) * 0.5, -1).flip(1) @ v


@accept("Weights in reverse order of keys: values are reversed.", qkv(), scale=0.5)
def weights_flipped(q, k, v):
    return torch.softmax(q @ k.transpose(-1, -2) * 0.5, -1).flip(-1) @ v


@accept("Products as broadcast multiplications and sums.", qkv(h=1, n=3, m=4), scale=0.5)
def products_by_sums(q, k, v):
    s = (q.unsqueeze(-2) * k.unsqueeze(-3)).sum(-1) * 0.5
    return (torch.softmax(s, -1).unsqueeze(-1) * v.unsqueeze(-3)).sum(-2)


@accept("Batch and heads merged by view.", qkv(b=2, n=5, m=7), scale=0.5)
def flattened_batch(q, k, v):
    q, k, v = (t.reshape(4, t.shape[2], 4) for t in (q, k, v))
    return (torch.softmax(torch.bmm(q, k.mT) * 0.5, -1) @ v).view(2, 2, 5, 4)


# ===-- the scale -----------------------------------------------------------===#


@accept("Scale on queries.", qkv(layout="bsd", n=5, m=7), scale=0.4)
def scale_q(q, k, v):
    return torch.softmax((q * 0.4) @ k.transpose(-1, -2), -1) @ v


@accept("Scale on keys.", qkv(layout="bsd", n=5, m=7), scale=0.4)
def scale_k(q, k, v):
    return torch.softmax(q @ (k * 0.4).transpose(-1, -2), -1) @ v


@accept("Square root of the scale on both.", qkv(layout="bsd", n=5, m=7, d=8), scale=8 ** -0.5)
def scale_both(q, k, v):
    r = 8 ** -0.25
    return torch.softmax((q * r) @ (k * r).transpose(-1, -2), -1) @ v


@accept("Scores divided.", qkv(layout="bsd", n=5, m=7, d=8), scale=8 ** -0.5)
def scale_div(q, k, v):
    return torch.softmax(torch.div(q @ k.transpose(-1, -2), math.sqrt(8)), -1) @ v


@accept("Scale in three places, one of them a division.", qkv(layout="bsd", n=5, m=7), scale=0.6)
def scale_thrice(q, k, v):
    return torch.softmax(((q * 2.0) @ (k / 5.0).transpose(-1, -2)) * 1.5, -1) @ v


@accept("No scale.", qkv(layout="bsd", n=5, m=7), scale=1.0)
def scale_none(q, k, v):
    return torch.softmax(q @ k.transpose(-1, -2), -1) @ v


@accept("Negative scale.", qkv(layout="bsd", n=5, m=7), scale=-0.5)
def scale_negative(q, k, v):
    return torch.softmax(-(q @ k.transpose(-1, -2)) / 2, -1) @ v


@accept("A temperature per head stays on queries or keys.", qkv(layout="bsd", n=5, m=7) + [T(2, 1, 1, kind="positive")])
def scale_per_head(q, k, v, t):
    return torch.softmax((q @ k.transpose(-1, -2)) * t, -1) @ v


@accept("A temperature per query row.", qkv(layout="bsd", n=5, m=7) + [T(5, 1, kind="positive")])
def scale_per_query(q, k, v, t):
    return torch.softmax((q @ k.transpose(-1, -2)) / t, -1) @ v


@accept("A scale that is an argument.", qkv(layout="bsd", n=5, m=7) + [T(kind="positive")])
def scale_argument(q, k, v, t):
    return torch.softmax((q @ k.transpose(-1, -2)) * t, -1) @ v


# ===-- the softmax ----------------------------------------------------------===#


def softmax_av(s, v):
    return torch.softmax(s, -1) @ v


def scores(q, k):
    return (q @ k.transpose(-1, -2)) * 0.5


@accept("Softmax by hand, maximum subtracted.", qkv(layout="bsd", n=5, m=7), scale=0.5, routes=BOTH)
def softmax_by_hand(q, k, v):
    s = scores(q, k)
    e = torch.exp(s - s.amax(-1, keepdim=True))
    return (e / e.sum(-1, keepdim=True)) @ v


@accept("No maximum subtracted.", qkv(layout="bsd", n=5, m=7), scale=0.5, overflows=True)
def softmax_no_max(q, k, v):
    e = torch.exp(scores(q, k))
    return (e / e.sum(-1, keepdim=True)) @ v


@accept("Maximum by torch.max with its index.", qkv(layout="bsd", n=5, m=7), scale=0.5)
def softmax_max_pair(q, k, v):
    s = scores(q, k)
    top, _ = s.max(dim=-1, keepdim=True)
    e = (s - top).exp()
    return (e / e.sum(dim=-1, keepdim=True)) @ v


@accept("The maximum of all scores, masked by a finite number only then: rows without keys are NaN.",
        [T(5, 4, kind="small"), T(7, 4, kind="small"), T(7, 4), T(5, 7, dtype="i1", kind="mask")], scale=0.5, bias=True)
def maximum_before_mask(q, k, v, mask):
    s = scores(q, k)
    e = (s.masked_fill(~mask, torch.finfo(torch.float32).min) - s.amax(-1, keepdim=True)).exp()
    return (e / e.sum(-1, keepdim=True)) @ v


@accept("A guard against rows of -inf beside a mask that fills with the lowest number: rows without keys are means.",
        qkv(layout="bsd", b=3, n=5, m=7) + [T(6, 1, 7, dtype="i1", kind="mask")], scale=0.5, bias=True)
def guard_of_infinity_only(q, k, v, mask):
    s = scores(q, k) + torch.zeros(6, 1, 7).masked_fill(~mask, torch.finfo(torch.float32).min)
    p = torch.softmax(s, -1)
    return p.masked_fill((s == -inf).all(-1, keepdim=True), 0.0) @ v


@accept("Divided after the second product.", qkv(layout="bsd", n=5, m=7), scale=0.5, routes=BOTH)
def division_late(q, k, v):
    s = scores(q, k)
    e = torch.exp(s - s.amax(-1, keepdim=True))
    return (e @ v) / e.sum(-1, keepdim=True)


@accept("Multiplied by the reciprocal of the sum.", qkv(layout="bsd", n=5, m=7), scale=0.5)
def reciprocal(q, k, v):
    s = scores(q, k)
    e = torch.exp(s - s.amax(-1, keepdim=True))
    return (e * e.sum(-1, keepdim=True).reciprocal()) @ v


@accept("Reciprocal after the second product.", qkv(layout="bsd", n=5, m=7), scale=0.5)
def reciprocal_late(q, k, v):
    s = scores(q, k)
    e = torch.exp(s - s.amax(-1, keepdim=True))
    return (e @ v) * (1.0 / e.sum(-1, keepdim=True))


@accept("exp of scores minus logsumexp.", qkv(layout="bsd", n=5, m=7), scale=0.5)
def logsumexp(q, k, v):
    s = scores(q, k)
    return torch.exp(s - torch.logsumexp(s, -1, keepdim=True)) @ v


@accept("exp of log_softmax.", qkv(layout="bsd", n=5, m=7), scale=0.5)
def log_softmax(q, k, v):
    return torch.log_softmax(scores(q, k), -1).exp() @ v


@accept("exp2, log2(e) folded into the scale.", qkv(layout="bsd", n=5, m=7), scale=0.5)
def exp2_folded(q, k, v):
    s = (q @ k.transpose(-1, -2)) * (0.5 * math.log2(math.e))
    e = torch.exp2(s - s.amax(-1, keepdim=True))
    return (e / e.sum(-1, keepdim=True)) @ v


@accept("Sum by a product with ones, as flash kernels have it.", qkv(layout="bsd", n=5, m=7), scale=0.5)
def sum_by_ones(q, k, v):
    s = scores(q, k)
    e = torch.exp(s - s.amax(-1, keepdim=True))
    return (e @ v) / (e @ torch.ones(7, 1))


@accept("f16 with softmax in f32.", qkv(layout="bsd", n=5, m=7, dtype="f16"), scale=0.5)
def upcast_f16(q, k, v):
    s = (q @ k.transpose(-1, -2)) * 0.5
    return torch.softmax(s, -1, dtype=torch.float32).to(torch.float16) @ v


@accept("bf16, everything but the products in f32.", qkv(layout="bsd", n=5, m=7, dtype="bf16"), scale=0.5)
def upcast_bf16(q, k, v):
    s = (q @ k.transpose(-1, -2)).float() * 0.5
    return torch.softmax(s, -1).to(torch.bfloat16) @ v


@accept("bf16 inputs, everything in f32.", qkv(layout="bsd", n=5, m=7, dtype="bf16"), scale=0.5)
def upcast_all(q, k, v):
    q, k, v = q.float(), k.float(), v.float()
    return (torch.softmax(q @ k.transpose(-1, -2) * 0.5, -1) @ v).to(torch.bfloat16)


@accept("Dropout of an evaluated model.", qkv(layout="bsd", n=5, m=7), scale=0.5)
def dropout_eval(q, k, v):
    return F.dropout(torch.softmax(scores(q, k), -1), 0.1, training=False) @ v


@accept("A constant subtracted from all scores changes nothing.", qkv(layout="bsd", n=5, m=7), scale=0.5, overflows=True)
def constant_shift(q, k, v):
    e = torch.exp(scores(q, k) - 3.0)
    return (e / e.sum(-1, keepdim=True)) @ v


# ===-- heads that share keys ------------------------------------------------===#

GQA = "4x{{[0-9]}}x4xf32>, tensor<{{(1x)?}}2x7x4xf32>"


@accept("repeat_interleave of keys and values.", qkv(h=4, hk=2, n=5, m=7), scale=0.5, types=GQA)
def gqa_repeat_interleave(q, k, v):
    return softmax_av(scores(q, k.repeat_interleave(2, 1)), v.repeat_interleave(2, 1))


@accept("expand and reshape.", qkv(h=4, hk=2, n=5, m=7), scale=0.5, types=GQA)
def gqa_expand(q, k, v):
    k, v = (t[:, :, None].expand(1, 2, 2, 7, 4).reshape(1, 4, 7, 4) for t in (k, v))
    return softmax_av(scores(q, k), v)


@accept("Five dimensions.", qkv(h=4, hk=2, n=5, m=7), scale=0.5)
def gqa_einsum(q, k, v):
    q = q.view(1, 2, 2, 5, 4)
    s = torch.einsum("bkgid,bkjd->bkgij", q, k) * 0.5
    return torch.einsum("bkgij,bkjd->bkgid", torch.softmax(s, -1), v).reshape(1, 4, 5, 4)


@accept("Heads of a group as more rows of one head.", qkv(h=4, hk=2, n=5, m=7), scale=0.5)
def gqa_rows(q, k, v):
    q = q.reshape(1, 2, 10, 4)
    return softmax_av(scores(q, k), v).reshape(1, 4, 5, 4)


@accept("One head of keys for all: broadcast.", qkv(h=4, hk=1, n=5, m=7), scale=0.5)
def mqa(q, k, v):
    return softmax_av(scores(q, k), v)


@accept("One head of keys without a dimension for it.", [T(2, 4, 5, 4), T(2, 7, 4), T(2, 7, 4)], scale=0.5)
def mqa_einsum(q, k, v):
    p = torch.softmax(torch.einsum("bhid,bjd->bhij", q, k) * 0.5, -1)
    return torch.einsum("bhij,bjd->bhid", p, v)


@accept("Heads repeated with repeat: head h uses keys h mod 2, so keys are permuted or copied.", qkv(h=4, hk=2, n=5, m=7), scale=0.5)
def gqa_tiled(q, k, v):
    return softmax_av(scores(q, k.repeat(1, 2, 1, 1)), v.repeat(1, 2, 1, 1))


@accept("repeat_interleave, causal, decoding against a cache.", qkv(h=4, hk=2, n=2, m=7), scale=0.5, mask="causal at the end", types=GQA)
def gqa_cache(q, k, v):
    s = scores(q, k.repeat_interleave(2, 1))
    mask = torch.ones(2, 7, dtype=torch.bool).tril(5)
    return softmax_av(s.masked_fill(~mask, -inf), v.repeat_interleave(2, 1))


# ===-- what stands around ------------------------------------------------------===#


@accept("Packed projection, split into heads.", [T(2, 6, 8), T(8, 24, kind="small")], scale=0.5, routes=BOTH)
def packed_qkv(x, w):
    q, k, v = (x @ w).view(2, 6, 3, 2, 4).permute(2, 0, 3, 1, 4).unbind(0)
    return softmax_av(scores(q, k), v).transpose(1, 2).reshape(2, 6, 8)


@accept("Packed projection, split and viewed.", [T(2, 6, 8), T(24, 8, kind="small"), T(24, kind="small")], scale=0.5, mask="causal")
def packed_split(x, w, b):
    q, k, v = (t.view(2, 6, 2, 4).transpose(1, 2) for t in F.linear(x, w, b).split(8, dim=-1))
    return SDPA(q, k, v, is_causal=True).transpose(1, 2).contiguous().view(2, 6, 8)


@accept("A key cache: old keys and new ones concatenated.", qkv(n=2) + [T(1, 2, 5, 4), T(1, 2, 5, 4)], scale=0.5)
def cache_concat(q, k, v, old_k, old_v):
    return SDPA(q, torch.cat([old_k, k], 2), torch.cat([old_v, v], 2))


@accept("Rotary embedding.", qkv() + [T(6, 4), T(6, 4)], scale=0.5, mask="causal")
def rotary(q, k, v, cos, sin):
    def turn(x):
        return x * cos + torch.cat([-x[..., 2:], x[..., :2]], -1) * sin
    return SDPA(turn(q), turn(k), v, is_causal=True)


@accept("LoRA on queries and values.", [T(1, 6, 8)] + [T(8, 8, kind="small")] * 3 + [T(8, 2, kind="small"), T(2, 8, kind="small")] * 2, scale=0.5)
def lora(x, wq, wk, wv, aq, bq, av, bv):
    q = x @ wq + 2.0 * ((x @ aq) @ bq)
    v = x @ wv + 2.0 * ((x @ av) @ bv)
    q, k, v = (t.view(1, 6, 2, 4).transpose(1, 2) for t in (q, x @ wk, v))
    return softmax_av(scores(q, k), v).transpose(1, 2).reshape(1, 6, 8)


@accept("Cosine attention with a temperature.", qkv(n=5, m=7), scale=4.0)
def cosine(q, k, v):
    return softmax_av(4.0 * (F.normalize(q, dim=-1) @ F.normalize(k, dim=-1).transpose(-1, -2)), v)


@accept("RMS norm of queries and keys.", qkv(n=5, m=7), scale=0.5)
def qk_norm(q, k, v):
    return SDPA(F.rms_norm(q, (4,)), F.rms_norm(k, (4,)), v)


@accept("One learned query pools a sequence.", [T(2, 7, 8), T(8)], scale=0.25)
def pooling(x, query):
    p = torch.softmax((x @ query) * 0.25, dim=-1)
    return (p.unsqueeze(-1) * x).sum(1)


@accept("A few learned queries.", [T(2, 7, 8), T(3, 8)], scale=0.25)
def pooling_queries(x, query):
    return torch.softmax(query @ x.transpose(1, 2) * 0.25, dim=-1) @ x


@accept("Queries, keys and values are one tensor.", [T(2, 6, 4)], scale=0.5)
def self_similarity(x):
    return softmax_av((x @ x.transpose(1, 2)) * 0.5, x)


@accept("The output gated by a sigmoid.", qkv(n=5, m=7) + [T(1, 2, 5, 4)], scale=0.5)
def gated_output(q, k, v, gate):
    return softmax_av(scores(q, k), v) * torch.sigmoid(gate)


@accept("Values gated per channel.", qkv(n=5, m=7) + [T(4)], scale=0.5)
def gated_values(q, k, v, gate):
    return softmax_av(scores(q, k), v * gate)


@accept("A head mask on the output: weights of a head all times one number.", qkv(n=5, m=7) + [T(2, 1, 1)], scale=0.5)
def head_mask(q, k, v, mask):
    return (torch.softmax(scores(q, k), -1) * mask) @ v


@accept("Two attentions, one after the other.", qkv(n=6) + [T(1, 2, 9, 4), T(1, 2, 9, 4)], scale=0.5, count=2)
def self_and_cross(q, k, v, mk, mv):
    x = softmax_av(scores(q, k), v)
    return softmax_av(scores(x, mk), mv)


@accept("Difference of the outputs of two attentions.", qkv(n=5, m=7) + [T(1, 2, 5, 4), T(1, 2, 7, 4)], scale=0.5, count=2)
def difference_of_outputs(q, k, v, q2, k2):
    return softmax_av(scores(q, k), v) - 0.3 * softmax_av(scores(q2, k2), v)


@accept("Scores have dead users.", qkv(n=5, m=7), scale=0.5)
def dead_users(q, k, v):
    s = scores(q, k)
    _ = s.argmax(-1), s.mean()
    return softmax_av(s, v)


# ===-- modules ------------------------------------------------------------===#


def run_mha(x, w, b, wo, bo, context=None, **options):
    context = x if context is None else context
    out, _ = F.multi_head_attention_forward(
        x, context, context, 8, 2, w, b, None, None, False, 0.0, wo, bo, training=False,
        need_weights=False, **options)
    return out


MHA = [T(24, 8, kind="small"), T(24, kind="small"), T(8, 8, kind="small"), T(8, kind="small")]


@accept("MultiheadAttention without returned weights.", [T(6, 2, 8)] + MHA, scale=0.5)
def mha(x, w, b, wo, bo):
    return run_mha(x, w, b, wo, bo)


@accept("MultiheadAttention on another sequence.", [T(5, 2, 8), T(7, 2, 8)] + MHA, scale=0.5)
def mha_cross(x, c, w, b, wo, bo):
    return run_mha(x, w, b, wo, bo, context=c)


@accept("MultiheadAttention with a key padding mask.", [T(6, 2, 8)] + MHA + [T(2, 6, dtype="i1", kind="drop")], scale=0.5)
def mha_padding(x, w, b, wo, bo, pad):
    return run_mha(x, w, b, wo, bo, key_padding_mask=pad)


@accept("MultiheadAttention with an additive attention mask.", [T(6, 2, 8)] + MHA + [T(6, 6)], scale=0.5, bias=True)
def mha_attn_mask(x, w, b, wo, bo, mask):
    return run_mha(x, w, b, wo, bo, attn_mask=mask)


@accept("MultiheadAttention that adds a zero key.", [T(6, 2, 8)] + MHA, scale=0.5)
def mha_zero_attn(x, w, b, wo, bo):
    out, _ = F.multi_head_attention_forward(
        x, x, x, 8, 2, w, b, None, None, True, 0.0, wo, bo, training=False, need_weights=False)
    return out
