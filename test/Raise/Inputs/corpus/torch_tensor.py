# Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
"""Attention over pairs and triples of keys (order 3 and 4), as PyTorch programs spell it, and what only looks like it."""

import functools

import torch

from spec import T, accept, reject
from torch_accept import inf

OP = "attn.tensor_attention"
tensor = functools.partial(accept, op=OP, scale=0.5)


def pairs(b=1, h=2, n=5, m1=6, m2=7, d=4, e=3, hk=None, dtype="f32", layout="bhsd", dynamic=()):
    """Queries, two sets of keys, two of values."""
    hk = hk or h
    order = {"bhsd": lambda h, s, w: (b, h, s, w), "bshd": lambda h, s, w: (b, s, h, w), "sd": lambda h, s, w: (s, w)}[layout]
    return [T(*order(heads, rows, width), dtype=dtype, dynamic=dynamic)
            for heads, rows, width in ((h, n, d), (hk, m1, d), (hk, m2, d), (hk, m1, e), (hk, m2, e))]


SMALL = pairs(layout="sd")
SQUARE = pairs(n=6, m1=6, m2=6, e=4)


def scores(q, k1, k2):
    return torch.einsum("...id,...jd,...kd->...ijk", q, k1, k2) * 0.5


def flat_softmax(s):
    return torch.softmax(s.flatten(-2), -1).view(s.shape)


def output(p, v1, v2):
    return torch.einsum("...ijk,...je,...ke->...ie", p, v1, v2)


# ===-- products, softmax, products --------------------------------------------===#


@tensor("Two einsums of three tensors, softmax over pairs in one dimension.", pairs())
def tensor_einsum(q, k1, k2, v1, v2):
    return output(flat_softmax(scores(q, k1, k2)), v1, v2)


@tensor("In two steps each: queries and first keys first, last values first; maximum and sum over two dimensions.", pairs())
def tensor_two_steps(q, k1, k2, v1, v2):
    s = torch.einsum("bhijd,bhkd->bhijk", torch.einsum("bhid,bhjd->bhijd", q, k1), k2) * 0.5
    e = torch.exp(s - s.amax((-2, -1), keepdim=True))
    p = e / e.sum((-2, -1), keepdim=True)
    return torch.einsum("bhije,bhje->bhie", torch.einsum("bhijk,bhke->bhije", p, v2), v1)


@tensor("Products of keys and of values first.", pairs())
def tensor_pairs_first(q, k1, k2, v1, v2):
    keys, values = torch.einsum("bhjd,bhkd->bhjkd", k1, k2), torch.einsum("bhje,bhke->bhjke", v1, v2)
    return torch.einsum("bhijk,bhjke->bhie", flat_softmax(torch.einsum("bhid,bhjkd->bhijk", q, keys) * 0.5), values)


@tensor("One matrix product each, keys and values of pairs as rows.", pairs(layout="sd"))
def tensor_rows_of_pairs(q, k1, k2, v1, v2):
    keys = (k1[:, None] * k2[None]).flatten(0, 1)
    return torch.softmax(q @ keys.T * 0.5, -1) @ (v1[:, None] * v2[None]).flatten(0, 1)


@tensor("Scores with the last keys first, output with the first values first; the queries are scaled.", pairs())
def tensor_other_steps(q, k1, k2, v1, v2):
    s = torch.einsum("bhikd,bhjd->bhijk", torch.einsum("bhid,bhkd->bhikd", q * 0.5, k2), k1)
    return torch.einsum("bhike,bhke->bhie", torch.einsum("bhijk,bhje->bhike", flat_softmax(s), v1), v2)


@tensor("Elementwise products and sums.", SMALL)
def tensor_by_sums(q, k1, k2, v1, v2):
    p = flat_softmax((q[:, None, None] * k1[None, :, None] * k2[None, None]).sum(-1) * 0.5)
    return (p[..., None] * v1[None, :, None] * v2[None, None]).sum(2).sum(1)


@tensor("Divided at the end.", SMALL)
def tensor_late_division(q, k1, k2, v1, v2):
    s = scores(q, k1, k2)
    e = torch.exp(s - s.amax((-2, -1), keepdim=True))
    return output(e, v1, v2) / e.sum((-2, -1))[..., None]


@tensor("Divided between the two sums.", SMALL)
def tensor_division_between(q, k1, k2, v1, v2):
    s = scores(q, k1, k2)
    e = torch.exp(s - s.amax((-2, -1), keepdim=True))
    inner = torch.einsum("ijk,ke->ije", e, v2) / e.sum((-2, -1))[:, None, None]
    return torch.einsum("ije,je->ie", inner, v1)


@tensor("exp of log_softmax over pairs.", SMALL)
def tensor_log_softmax(q, k1, k2, v1, v2):
    s = scores(q, k1, k2)
    return output(torch.exp(torch.log_softmax(s.flatten(-2), -1)).view(s.shape), v1, v2)


@tensor("Layout [batch, length, heads, dim].", pairs(layout="bshd", b=2))
def tensor_bshd(q, k1, k2, v1, v2):
    s = torch.einsum("bihd,bjhd,bkhd->bhijk", q, k1, k2) * 0.5
    return torch.einsum("bhijk,bjhe,bkhe->bihe", flat_softmax(s), v1, v2)


@tensor("Two query heads share keys.", pairs(h=4, hk=2))
def tensor_gqa(q, *sets):
    k1, k2, v1, v2 = (x.repeat_interleave(2, 1) for x in sets)
    return output(flat_softmax(scores(q, k1, k2)), v1, v2)


@tensor("bf16.", pairs(dtype="bf16"), types="bf16")
def tensor_bf16(q, k1, k2, v1, v2):
    s = scores(q.float(), k1.float(), k2.float())
    return output(flat_softmax(s), v1.float(), v2.float()).bfloat16()


@tensor("Of order 4: triples of keys.", [T(3, 4), T(4, 4), T(5, 4), T(2, 4), T(4, 3), T(5, 3), T(2, 3)])
def tensor_triples(q, k1, k2, k3, v1, v2, v3):
    s = torch.einsum("id,jd,kd,ld->ijkl", q, k1, k2, k3) * 0.5
    return torch.einsum("ijkl,je,ke,le->ie", torch.softmax(s.flatten(1), -1).view(s.shape), v1, v2, v3)


@tensor("The last keys and values are of one head for all.", pairs()[:2] + [T(1, 1, 7, 4)] + pairs()[3:4] + [T(1, 1, 7, 3)])
def tensor_shared_set(q, k1, k2, v1, v2):
    return output(flat_softmax(scores(q, k1, k2.expand(1, 2, 7, 4))), v1, v2.expand(1, 2, 7, 3))


@tensor("Padding of the last keys as an argument, with a guard: 0 where there is none.", SMALL + [T(7, dtype="i1", kind="mask")], key_weights=True)
def tensor_padding_guarded(q, k1, k2, v1, v2, keep):
    s = scores(q, k1, k2).masked_fill(~keep, -inf)
    p = torch.where((s == -inf).all(-1, keepdim=True).all(-2, keepdim=True), 0.0, flat_softmax(s))
    return output(p, v1, v2)


@tensor("Keys are multiplied by one vector for all.", SMALL + [T(4)])
def tensor_weighted_keys(q, k1, k2, v1, v2, gamma):
    return output(flat_softmax(scores(q, k1 * gamma, k2)), v1, v2)


@tensor("Lengths that are not known.", pairs(layout="sd", dynamic=(0,)))
def tensor_dynamic(q, k1, k2, v1, v2):
    s = (q[:, None, None] * k1[None, :, None] * k2[None, None]).sum(-1) * 0.5
    e = torch.exp(s - s.amax((-2, -1), keepdim=True))
    p = e / e.sum((-2, -1), keepdim=True)
    return (p[..., None] * v1[None, :, None] * v2[None, None]).sum((1, 2))


@accept("Values of their own for every pair: ordinary attention to pairs.", SMALL[:3] + [T(6, 7, 3)], scale=0.5)
def tensor_values_of_pairs(q, k1, k2, v):
    return torch.einsum("ijk,jke->ie", flat_softmax(scores(q, k1, k2)), v)


@accept("Values of both sets added instead of multiplied: ordinary attention to pairs.", SMALL, scale=0.5)
def tensor_values_added(q, k1, k2, v1, v2):
    return (flat_softmax(scores(q, k1, k2))[..., None] * (v1[:, None] + v2[None])).sum((1, 2))


@accept("Keys of their own for every pair, summed up with products of values: ordinary attention to pairs.",
        [T(5, 4), T(6, 7, 4), T(6, 3), T(7, 3)], scale=0.5)
def tensor_keys_of_pairs(q, k, v1, v2):
    return output(flat_softmax(torch.einsum("id,jkd->ijk", q, k) * 0.5), v1, v2)


@accept("Products of keys and of values by the same index: ordinary attention to products.", pairs(layout="sd", m1=6, m2=6), scale=0.5)
def tensor_diagonal(q, k1, k2, v1, v2):
    return torch.softmax(torch.einsum("id,jd,jd->ij", q, k1, k2) * 0.5, -1) @ (v1 * v2)


@accept("Softmax over the last keys: ordinary attention of products of queries and first keys.", SMALL, scale=0.5, overflows=True)
def tensor_divided_each(q, k1, k2, v1, v2):
    e = torch.exp(scores(q, k1, k2))
    inner = torch.einsum("ijk,ke->ije", e, v2) / e.sum(-1)[..., None]
    return torch.einsum("ije,je->ie", inner, v1)


# ===-- masks --------------------------------------------------------------===#


@tensor("Causal along both sets of keys.", SQUARE, mask="[causal, causal]")
def tensor_causal(q, k1, k2, v1, v2):
    seen = torch.ones(6, 6, dtype=torch.bool).tril()
    return output(flat_softmax(scores(q, k1, k2).masked_fill(~(seen[:, :, None] & seen[:, None]), -inf)), v1, v2)


@tensor("Causal along both, two fills of the lowest number.", SQUARE, mask="[causal, causal]")
def tensor_causal_filled(q, k1, k2, v1, v2):
    hidden, least = torch.ones(6, 6, dtype=torch.bool).triu(1), torch.finfo(torch.float32).min
    s = scores(q, k1, k2).masked_fill(hidden[:, :, None], least).masked_fill(hidden[:, None], least)
    return output(flat_softmax(s), v1, v2)


@tensor("Two windows of different length, added.", SQUARE, mask="[sliding_window<left = 1, right = 0>, sliding_window<left = 3, right = 0>]")
def tensor_windows(q, k1, k2, v1, v2):
    i, j = torch.arange(6)[:, None], torch.arange(6)[None]
    one, other = (torch.where((j <= i) & (i - j <= left), 0.0, -inf) for left in (1, 3))
    return output(flat_softmax(scores(q, k1, k2) + one[:, :, None] + other[:, None]), v1, v2)


# ===-- what it is not ----------------------------------------------------------===#


@reject("Softmax over the last keys only.", SMALL)
def tensor_softmax_over_one(q, k1, k2, v1, v2):
    return output(torch.softmax(scores(q, k1, k2), -1), v1, v2)


@reject("Softmax over queries and last keys.", SQUARE)
def tensor_softmax_over_queries(q, k1, k2, v1, v2):
    s = scores(q, k1, k2).transpose(-3, -2)
    return output(flat_softmax(s).transpose(-3, -2), v1, v2)


@reject("Values along queries instead of the first keys.", SQUARE)
def tensor_values_of_queries(q, k1, k2, v1, v2):
    return torch.einsum("bhijk,bhie,bhke->bhje", flat_softmax(scores(q, k1, k2)), v1, v2)


@reject("Scores of both sets added instead of multiplied.", SMALL)
def tensor_scores_added(q, k1, k2, v1, v2):
    s = (q @ k1.T)[:, :, None] + (q @ k2.T)[:, None]
    return output(flat_softmax(s), v1, v2)


@reject("Pairs whose first key is before the second.", SQUARE)
def tensor_ordered_pairs(q, k1, k2, v1, v2):
    ordered = torch.ones(6, 6, dtype=torch.bool).tril(-1)
    return output(flat_softmax(scores(q, k1, k2).masked_fill(ordered, -inf)), v1, v2)


@reject("A bias of pairs.", SMALL + [T(6, 7)])
def tensor_bias(q, k1, k2, v1, v2, bias):
    return output(flat_softmax(scores(q, k1, k2) + bias), v1, v2)


@reject("The sum leaves the last of the first keys out.", SMALL)
def tensor_sum_of_fewer(q, k1, k2, v1, v2):
    e = torch.exp(scores(q, k1, k2))
    return output(e / e[:, :5].sum((-2, -1), keepdim=True), v1, v2)


@tensor("Padding that is an argument, without a guard: NaN where a row is left without any key.",
        SMALL + [T(6, dtype="i1", kind="mask"), T(7, dtype="i1", kind="mask")], key_weights=True)
def tensor_padding(q, k1, k2, v1, v2, keep1, keep2):
    return output(flat_softmax(scores(q, k1, k2).masked_fill(~(keep1[:, None] & keep2[None]), -inf)), v1, v2)


@reject("A causal mask of strictly earlier keys, which no mask attribute is.", SQUARE)
def tensor_causal_strict(q, k1, k2, v1, v2):
    seen = torch.ones(6, 6, dtype=torch.bool).tril(-1)
    return output(flat_softmax(scores(q, k1, k2).masked_fill(~(seen[:, :, None] & seen[:, None]), -inf)), v1, v2)


@reject("Weights multiplied by a gate of pairs.", SMALL + [T(6, 7)])
def tensor_gated(q, k1, k2, v1, v2, gate):
    return output(flat_softmax(scores(q, k1, k2)) * gate, v1, v2)


@reject("Weights are returned, too.", SMALL)
def tensor_returns_weights(q, k1, k2, v1, v2):
    p = flat_softmax(scores(q, k1, k2))
    return output(p, v1, v2), p


@reject("Soft-capped scores.", SMALL)
def tensor_softcap(q, k1, k2, v1, v2):
    return output(flat_softmax(torch.tanh(scores(q, k1, k2))), v1, v2)
