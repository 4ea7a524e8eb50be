# Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
"""What looks like softmax attention and is not, or is where raising would change what the program computes."""

import math

import torch
import torch.nn.functional as F

from spec import T, qkv, reject
from torch_accept import inf, scores, softmax_av

SQUARE, CROSS = dict(n=6), dict(n=5, m=7)
SMALL, SQUARE_SMALL, TINY = qkv(layout="sd", **CROSS), qkv(layout="sd", **SQUARE), qkv(layout="sd", n=3, m=4)

# ===-- normalised along something else ----------------------------------------===#


@reject("Softmax over queries.", SQUARE_SMALL)
def softmax_over_queries(q, k, v):
    return torch.softmax(scores(q, k), -2) @ v


@reject("Softmax over heads.", qkv(**CROSS))
def softmax_over_heads(q, k, v):
    return torch.softmax(scores(q, k), 1) @ v


@reject("Softmax over the batch.", qkv(b=3, **CROSS))
def softmax_over_batch(q, k, v):
    return torch.softmax(scores(q, k), 0) @ v


@reject("Softmax over queries and keys together.", qkv(**CROSS))
def softmax_over_both(q, k, v):
    return torch.softmax(scores(q, k).flatten(-2), -1).view(1, 2, 5, 7) @ v


@reject("Slot attention: softmax over slots, then normalised over keys.", SMALL)
def slot_attention(q, k, v):
    p = torch.softmax(scores(q, k), -2) + 1e-8
    return (p / p.sum(-1, keepdim=True)) @ v


@reject("Sum over queries, exp of what belongs to keys.", SQUARE_SMALL)
def sum_over_queries(q, k, v):
    e = torch.exp(scores(q, k))
    return (e / e.sum(-2, keepdim=True)) @ v


@reject("Sum over heads.", qkv(**CROSS))
def sum_over_heads(q, k, v):
    e = torch.exp(scores(q, k))
    return (e / e.sum(1, keepdim=True)) @ v


@reject("Sum over half of the keys.", qkv(layout="sd", n=5, m=8))
def sum_over_half(q, k, v):
    e = torch.exp(scores(q, k))
    return (e / e[..., :4].sum(-1, keepdim=True)) @ v


@reject("The sum of row i divides row n - 1 - i.", qkv(**CROSS))
def sum_flipped(q, k, v):
    e = torch.exp(scores(q, k))
    return (e / e.sum(-1, keepdim=True).flip(2)) @ v


@reject("The sum of a transposed square divides along the wrong side.", SQUARE_SMALL)
def sum_broadcast_wrong(q, k, v):
    e = torch.exp(scores(q, k))
    return (e / e.sum(-1).unsqueeze(-2)) @ v


@reject("Running sums.", SQUARE_SMALL)
def cumulative_softmax(q, k, v):
    e = torch.exp(scores(q, k))
    return (e / (e @ torch.ones(6, 6).triu())) @ v


@reject("Sum and mean in the denominator.", SMALL)
def mean_in_sum(q, k, v):
    e = torch.exp(scores(q, k))
    return (e / (e.sum(-1, keepdim=True) + e.mean(-1, keepdim=True))) @ v


@reject("Divided by the largest weight.", SMALL)
def max_normalised(q, k, v):
    e = torch.exp(scores(q, k))
    return (e / e.amax(-1, keepdim=True)) @ v


@reject("Divided by the root of the sum of squares.", SMALL)
def l2_normalised(q, k, v):
    e = torch.exp(scores(q, k))
    return (e / (e * e).sum(-1, keepdim=True).sqrt()) @ v


@reject("Product instead of sum over keys.", SMALL)
def product_normalised(q, k, v):
    e = torch.exp(scores(q, k))
    return (e / e.prod(-1, keepdim=True)) @ v


@reject("Not normalised.", SMALL)
def unnormalised(q, k, v):
    return torch.exp(scores(q, k)) @ v


@reject("One more in the denominator: softmax1.", SMALL)
def softmax_plus_one(q, k, v):
    s = scores(q, k)
    top = s.amax(-1, keepdim=True)
    e = torch.exp(s - top)
    return (e / (e.sum(-1, keepdim=True) + torch.exp(-top))) @ v


@reject("One more in the denominator, no maximum.", SMALL)
def softmax_plus_one_plain(q, k, v):
    e = torch.exp(scores(q, k))
    return (e / (1 + e.sum(-1, keepdim=True))) @ v


@reject("A learned sink in the denominator.", qkv(**CROSS) + [T(2, 1, 1)])
def sink(q, k, v, s):
    e = torch.exp(scores(q, k))
    return (e / (torch.exp(s) + e.sum(-1, keepdim=True))) @ v


@reject("A learned sink as one more column of scores, dropped after softmax.", qkv(**CROSS) + [T(2)])
def sink_column(q, k, v, s):
    p = torch.softmax(torch.cat([scores(q, k), s.view(1, 2, 1, 1).expand(1, 2, 5, 1)], -1), -1)
    return p[..., :-1] @ v


@reject("An epsilon in the denominator.", SMALL)
def epsilon(q, k, v):
    e = torch.exp(scores(q, k))
    return (e / (e.sum(-1, keepdim=True) + 1e-3)) @ v


@reject("The denominator clamped.", SMALL)
def clamped_sum(q, k, v):
    e = torch.exp(scores(q, k))
    return (e / e.sum(-1, keepdim=True).clamp(min=2.0)) @ v


@reject("Normalised by the sum before the mask.", SQUARE_SMALL)
def sum_before_mask(q, k, v):
    e = torch.exp(scores(q, k))
    return (e * torch.tril(torch.ones(6, 6)) / e.sum(-1, keepdim=True)) @ v


@reject("Mask multiplied after the softmax.", SQUARE_SMALL)
def mask_after_softmax(q, k, v):
    return (torch.softmax(scores(q, k), -1) * torch.tril(torch.ones(6, 6))) @ v


@reject("Weights masked to 0 after the softmax.", SQUARE_SMALL + [T(6, 6, dtype="i1", kind="keep")])
def fill_after_softmax(q, k, v, mask):
    return torch.softmax(scores(q, k), -1).masked_fill(~mask, 0.0) @ v


@reject("A guard that looks at scores before they are masked: rows without keys are NaN.",
        SMALL + [T(5, 7, dtype="i1", kind="mask")])
def guard_of_products(q, k, v, mask):
    s = scores(q, k)
    p = torch.softmax(s + torch.zeros(5, 7).masked_fill(~mask, -inf), -1)
    return p.masked_fill((s == -inf).all(-1, keepdim=True), 0.0) @ v


@reject("A guard that looks at scores less their maximum, which are NaN in rows without keys.",
        SMALL + [T(5, 7, dtype="i1", kind="mask")])
def guard_of_differences(q, k, v, mask):
    s = scores(q, k).masked_fill(~mask, -inf)
    d = s - s.amax(-1, keepdim=True)
    p = d.exp() / d.exp().sum(-1, keepdim=True)
    return p.masked_fill((d == -inf).all(-1, keepdim=True), 0.0) @ v


@reject("A guard that looks at scores, and a mask of weights: rows without keys are NaN.",
        SMALL + [T(5, 7, dtype="i1", kind="mask")])
def guard_beside_weights(q, k, v, mask):
    s = scores(q, k)
    e = (s - s.amax(-1, keepdim=True)).exp() * mask
    p = e / e.sum(-1, keepdim=True)
    return p.masked_fill((s == -inf).all(-1, keepdim=True), 0.0) @ v


@reject("A guard by the mask, beside a bias that may hide keys, too.",
        SMALL + [T(5, 7, dtype="i1", kind="mask"), T(5, 7, dtype="i1", kind="mask")])
def guard_beside_bias(q, k, v, mask, hidden):
    bias = hidden.float().log()
    p = torch.softmax(torch.where(mask, scores(q, k) + bias, -inf), -1)
    return torch.where(mask, p, 0.0) @ v


@reject("The maximum of scores under one of two masks with finite fills: rows without keys are NaN or a mean.",
        SMALL + [T(5, 7, dtype="i1", kind="mask"), T(5, 7, dtype="i1", kind="keep")])
def maximum_between_masks(q, k, v, mask, other):
    low = torch.finfo(torch.float32).min
    s = scores(q, k).masked_fill(~mask, low)
    e = (s.masked_fill(~other, low) - s.amax(-1, keepdim=True)).exp()
    return (e / e.sum(-1, keepdim=True)) @ v


# ===-- scores of another kind -------------------------------------------------===#


@reject("Scores multiplied elementwise.", SMALL + [T(5, 7)])
def scores_multiplied(q, k, v, g):
    return softmax_av(scores(q, k) * g, v)


@reject("A causal mask multiplied into the scores: masked keys score 0.", SQUARE_SMALL)
def mask_multiplied(q, k, v):
    return softmax_av(scores(q, k) * torch.tril(torch.ones(6, 6)), v)


@reject("Masked keys score 0.", SQUARE_SMALL)
def masked_to_zero(q, k, v):
    return softmax_av(scores(q, k).masked_fill(torch.ones(6, 6).triu(1).bool(), 0.0), v)


@reject("Soft-capped by tanh.", SMALL)
def softcap(q, k, v):
    return softmax_av(torch.tanh(scores(q, k) / 5.0) * 5.0, v)


@reject("Scores clamped.", SMALL)
def clamped(q, k, v):
    return softmax_av(scores(q, k).clamp(-1.0, 1.0), v)


@reject("Scores squared.", SMALL)
def squared(q, k, v):
    return softmax_av(scores(q, k) ** 2, v)


@reject("Absolute scores.", SMALL)
def absolute(q, k, v):
    return softmax_av(scores(q, k).abs(), v)


@reject("Sigmoid instead of softmax.", SMALL)
def sigmoid(q, k, v):
    return torch.sigmoid(scores(q, k)) @ v


@reject("Sigmoids, normalised.", SMALL)
def sigmoid_normalised(q, k, v):
    p = torch.sigmoid(scores(q, k))
    return (p / p.sum(-1, keepdim=True)) @ v


@reject("ReLU instead of softmax.", SMALL)
def relu(q, k, v):
    return (torch.relu(scores(q, k)) / 7) @ v


@reject("Softplus, normalised.", SMALL)
def softplus(q, k, v):
    p = F.softplus(scores(q, k))
    return (p / p.sum(-1, keepdim=True)) @ v


@reject("exp minus 1, normalised.", SMALL)
def expm1(q, k, v):
    p = torch.exp(scores(q, k)) - 1.0
    return (p / p.sum(-1, keepdim=True)) @ v


@reject("exp of negative squared distances.", TINY)
def squared_distances(q, k, v):
    d = ((q.unsqueeze(-2) - k.unsqueeze(-3)) ** 2).sum(-1)
    return softmax_av(-d * 0.5, v)


@reject("exp of negative absolute distances.", TINY)
def absolute_distances(q, k, v):
    return softmax_av(-(q.unsqueeze(-2) - k.unsqueeze(-3)).abs().sum(-1), v)


@reject("Additive attention: tanh of sums.", TINY + [T(4)])
def additive(q, k, v, w):
    return softmax_av(torch.tanh(q.unsqueeze(-2) + k.unsqueeze(-3)) @ w, v)


@reject("Largest product instead of their sum.", TINY)
def max_product(q, k, v):
    return softmax_av((q.unsqueeze(-2) * k.unsqueeze(-3)).amax(-1), v)


@reject("Cosine similarity without exp.", SMALL)
def cosine_weights(q, k, v):
    p = F.normalize(q, dim=-1) @ F.normalize(k, dim=-1).transpose(-1, -2)
    return (p / p.sum(-1, keepdim=True)) @ v


@reject("Linear attention: elu + 1 features.", SMALL)
def linear_attention(q, k, v):
    q, k = F.elu(q) + 1, F.elu(k) + 1
    return (q @ (k.transpose(-1, -2) @ v)) / (q @ k.sum(-2, keepdim=True).transpose(-1, -2))


@reject("Rounded scores.", SMALL)
def rounded(q, k, v):
    return softmax_av(torch.round(scores(q, k)), v)


@reject("Scores quantised to integers.", SMALL)
def quantised(q, k, v):
    return softmax_av((scores(q, k) * 16).to(torch.int32).to(q.dtype) / 16, v)


@reject("Only scores near the largest of each row pass.", SMALL)
def keep_largest(q, k, v):
    s = scores(q, k)
    return softmax_av(s.masked_fill(s < s.amax(-1, keepdim=True) - 1.0, -inf), v)


@reject("The mask depends on the scores.", SMALL)
def mask_from_scores(q, k, v):
    s = scores(q, k)
    return softmax_av(torch.where(s > 0, s, -inf), v)


@reject("The bias depends on the scores.", SMALL)
def bias_from_scores(q, k, v):
    s = scores(q, k)
    return softmax_av(s + 0.1 * torch.sin(s), v)


@reject("Scores minus their mean over heads.", qkv(**CROSS))
def centred_over_heads(q, k, v):
    s = scores(q, k)
    return softmax_av(s - s.mean(1, keepdim=True), v)


@reject("Talking heads: heads mixed before the softmax.", qkv(**CROSS) + [T(2, 2)])
def talking_heads(q, k, v, w):
    return softmax_av(torch.einsum("bhij,hg->bgij", scores(q, k), w), v)


@reject("Talking heads: heads mixed after the softmax.", qkv(**CROSS) + [T(2, 2)])
def talking_heads_after(q, k, v, w):
    return torch.einsum("bhij,hg->bgij", torch.softmax(scores(q, k), -1), w) @ v


@reject("Scores convolved along keys.", SMALL)
def scores_shifted(q, k, v):
    s = scores(q, k)
    return softmax_av(s + 0.5 * torch.cat([s[..., 1:], s[..., :1]], -1), v)


@reject("exp of exp of scores.", SMALL)
def exp_of_exp(q, k, v):
    return softmax_av(torch.exp(scores(q, k)), v)


@reject("f64: vector code has no kernel of that type and nothing would be gained.", [T(1, 2, 5, 4, dtype="f64"), T(1, 2, 7, 4, dtype="f64"), T(1, 2, 7, 4, dtype="f64")])
def double(q, k, v):
    return softmax_av(scores(q, k), v)


# ===-- the maximum -------------------------------------------------------===#


@reject("The maximum of another tensor is subtracted above, the own sum divides below it.", SMALL + [T(5, 7)])
def other_maximum_in_sum(q, k, v, x):
    s = scores(q, k)
    e = torch.exp(s - x.amax(-1, keepdim=True))
    return (e / torch.exp(s - s.amax(-1, keepdim=True)).sum(-1, keepdim=True)) @ v


@reject("A number per key is subtracted above, not in the sum.", SMALL)
def maximum_over_queries(q, k, v):
    s = scores(q, k)
    return (torch.exp(s - s.amax(-2, keepdim=True)) / torch.exp(s).sum(-1, keepdim=True)) @ v


@reject("The maximum is subtracted in the sum only.", SMALL)
def maximum_in_sum_only(q, k, v):
    s = scores(q, k)
    return (torch.exp(s) / torch.exp(s - s.amax(-1, keepdim=True)).sum(-1, keepdim=True)) @ v


@reject("The maximum is taken off twice above.", SMALL)
def maximum_twice(q, k, v):
    s = scores(q, k)
    top = s.amax(-1, keepdim=True)
    return (torch.exp(s - 2 * top) / torch.exp(s - top).sum(-1, keepdim=True)) @ v


@reject("The maximum of scores without their bias, which may be low throughout a row: that is 0 over 0.",
        SMALL + [T(5, 7)])
def maximum_before_bias(q, k, v, b):
    s = scores(q, k)
    e = torch.exp(s + b - s.amax(-1, keepdim=True))
    return (e / e.sum(-1, keepdim=True)) @ v


@reject("The maximum of all scores, a mask only then, and a scale at which what the mask leaves underflows.",
        SMALL + [T(5, 7, dtype="i1", kind="mask")])
def maximum_before_mask_scaled(q, k, v, mask):
    s = 10000 * (q @ k.transpose(-1, -2))
    e = (s.masked_fill(~mask, -torch.inf) - s.amax(-1, keepdim=True)).exp()
    return (e / e.sum(-1, keepdim=True)) @ v


# ===-- the second product ------------------------------------------------------===#


@reject("Weights transposed.", SQUARE_SMALL)
def weights_transposed(q, k, v):
    return torch.softmax(scores(q, k), -1).transpose(-1, -2) @ v


@reject("Weights squared.", SMALL)
def weights_squared(q, k, v):
    return (torch.softmax(scores(q, k), -1) ** 2) @ v


@reject("Dropout left on: weights times a mask over 0.9.", SMALL + [T(5, 7, dtype="i1", kind="keep")])
def dropout(q, k, v, mask):
    return (torch.softmax(scores(q, k), -1) * mask / 0.9) @ v


@reject("Weights gated elementwise.", SMALL + [T(5, 7)])
def weights_gated(q, k, v, g):
    return (torch.softmax(scores(q, k), -1) * g) @ v


@reject("A bias added to the weights.", SMALL + [T(5, 7)])
def weights_biased(q, k, v, b):
    return (torch.softmax(scores(q, k), -1) + b) @ v


@reject("Weights above a threshold only.", SMALL)
def weights_thresholded(q, k, v):
    p = torch.softmax(scores(q, k), -1)
    return torch.where(p > 0.1, p, 0.0) @ v


@reject("Difference of two maps of weights.", SMALL + [T(5, 4), T(7, 4)])
def difference_of_weights(q, k, v, q2, k2):
    return (torch.softmax(scores(q, k), -1) - 0.3 * torch.softmax(scores(q2, k2), -1)) @ v


@reject("Numerator and denominator of different scores.", SMALL + [T(5, 4)])
def sum_of_other_scores(q, k, v, q2):
    return (torch.exp(scores(q, k)) / torch.exp(scores(q2, k)).sum(-1, keepdim=True)) @ v


@reject("Another scale in the denominator.", SMALL)
def sum_of_other_scale(q, k, v):
    s = scores(q, k)
    return (torch.exp(s) / torch.exp(s * 0.5).sum(-1, keepdim=True)) @ v


@reject("exp above, exp2 below.", SMALL)
def exp_over_exp2(q, k, v):
    s = scores(q, k)
    return (torch.exp(s) / torch.exp2(s).sum(-1, keepdim=True)) @ v


@reject("Divided twice.", SMALL)
def divided_twice(q, k, v):
    e = torch.exp(scores(q, k))
    total = e.sum(-1, keepdim=True)
    return ((e / total) @ v) / total


@reject("Largest weighted value instead of their sum.", TINY)
def values_by_max(q, k, v):
    return (torch.softmax(scores(q, k), -1).unsqueeze(-1) * v.unsqueeze(-3)).amax(-2)


@reject("Values depend on the query as well.", [T(1, 2, 3, 4), T(1, 2, 5, 4), T(1, 2, 3, 5, 4)])
def values_per_query(q, k, v):
    return (torch.softmax(scores(q, k), -1).unsqueeze(-1) * v).sum(-2)


@reject("Keys depend on the query as well.", [T(1, 2, 3, 4), T(1, 2, 3, 5, 4), T(1, 2, 5, 4)])
def keys_per_query(q, k, v):
    return softmax_av((q.unsqueeze(-2) * k).sum(-1) * 0.5, v)


@reject("Weights are returned too.", SMALL)
def returns_weights(q, k, v):
    p = torch.softmax(scores(q, k), -1)
    return p @ v, p


@reject("Scores are returned too.", SMALL)
def returns_scores(q, k, v):
    s = scores(q, k)
    return softmax_av(s, v), s


@reject("Weights, summed over queries, are returned too: heavy hitters.", SMALL)
def returns_weight_sums(q, k, v):
    p = torch.softmax(scores(q, k), -1)
    return p @ v, p.sum(-2)


@reject("Values are keys' scores: no second tensor, the weights pool themselves.", SMALL)
def weights_pool_scores(q, k, v):
    s = scores(q, k)
    return (torch.softmax(s, -1) * s).sum(-1)


@reject("Entropy of the weights.", SMALL)
def entropy(q, k, v):
    p = torch.softmax(scores(q, k), -1)
    return -(p * torch.log(p + 1e-9)).sum(-1)


@reject("A matrix product, softmax, and no second product: a classifier.", SMALL)
def classifier(q, k, v):
    return torch.softmax(q @ k.T, -1)


@reject("log_softmax instead of softmax.", SMALL)
def log_weights(q, k, v):
    return torch.log_softmax(scores(q, k), -1) @ v


@reject("Pooling by scores of a network, not of a product.", [T(2, 7, 8), T(8, 8), T(8)])
def pooling_network(x, w, u):
    p = torch.softmax(torch.tanh(x @ w) @ u, -1)
    return (p.unsqueeze(-1) * torch.sin(x + p.unsqueeze(-1))).sum(1)


@reject("The two largest scores of each row.", SMALL)
def top_k(q, k, v):
    s = scores(q, k)
    second = s.masked_fill(s == s.amax(-1, keepdim=True), -inf).amax(-1, keepdim=True)
    return softmax_av(s.masked_fill(s < second, -inf), v)


@reject("exp of scores less the logarithm of their sum, without a maximum: rows that the lowest number fills are infinite.",
        SMALL + [T(5, 7, dtype="i1", kind="mask")])
def log_sum_without_maximum(q, k, v, keep):
    s = scores(q, k).masked_fill(~keep, torch.finfo(q.dtype).min)
    return torch.exp(s - torch.log(torch.exp(s).sum(-1, keepdim=True))) @ v
