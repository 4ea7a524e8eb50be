# Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
"""Softmax attention as JAX programs spell it."""

import jax
import jax.numpy as jnp

from spec import T, accept, qkv

BOTH = ("torch-mlir", "iree")


def bshd(**options):
    return qkv(layout="bshd", **options)


@accept("jax.nn.dot_product_attention.", bshd(n=5, m=7), scale=0.5, routes=BOTH)
def dpa(q, k, v):
    return jax.nn.dot_product_attention(q, k, v)


@accept("is_causal.", bshd(), scale=0.5, mask="causal", routes=BOTH)
def dpa_causal(q, k, v):
    return jax.nn.dot_product_attention(q, k, v, is_causal=True)


@accept("A boolean mask as an argument.", bshd(n=5, m=7) + [T(1, 1, 5, 7, dtype="i1", kind="keep")], scale=0.5, routes=BOTH)
def dpa_mask(q, k, v, mask):
    return jax.nn.dot_product_attention(q, k, v, mask=mask)


@accept("A bias.", bshd(n=5, m=7) + [T(1, 2, 5, 7)], scale=0.5, bias=True)
def dpa_bias(q, k, v, bias):
    return jax.nn.dot_product_attention(q, k, v, bias=bias)


@accept("A local window.", bshd(n=8), scale=0.5, mask="sliding_window<left = 2, right = 1")
def dpa_window(q, k, v):
    return jax.nn.dot_product_attention(q, k, v, local_window_size=(2, 1))


@accept("Groups of heads, causal, a scale of its own.", bshd(h=4, hk=2), scale=0.3, mask="causal", routes=BOTH)
def dpa_gqa(q, k, v):
    return jax.nn.dot_product_attention(q, k, v, is_causal=True, scale=0.3)


@accept("Lengths of keys and values.", bshd(b=2, n=5, m=7) + [T(2, dtype="i32", kind="lengths<7>")], scale=0.5)
def dpa_lengths(q, k, v, lengths):
    return jax.nn.dot_product_attention(q, k, v, key_value_seq_lengths=lengths)


@accept("bf16.", qkv(n=5, m=7, dtype="bf16"), scale=0.5)
def bf16(q, k, v):
    return jax.nn.softmax(q @ k.swapaxes(-1, -2) * 0.5) @ v


@accept("einsum, jax.nn.softmax, einsum.", qkv(n=5, m=7), scale=0.5, routes=BOTH)
def einsum(q, k, v):
    return jnp.einsum("bhqk,bhkd->bhqd", jax.nn.softmax(jnp.einsum("bhqd,bhkd->bhqk", q, k) * 0.5, axis=-1), v)


@accept("As flax has it: queries divided, [batch, length, heads, dim], mask by where.", bshd(), scale=0.5, mask="causal", routes=BOTH)
def flax(q, k, v):
    s = jnp.einsum("...qhd,...khd->...hqk", q / jnp.sqrt(4.0).astype(q.dtype), k)
    mask = jnp.tril(jnp.ones((1, 1, 6, 6), dtype=bool))
    p = jax.nn.softmax(jnp.where(mask, s, jnp.finfo(jnp.float32).min))
    return jnp.einsum("...hqk,...khd->...qhd", p, v)


@accept("vmap over heads of a function of one head.", qkv(n=5, m=7, layout="bsd"), scale=0.5)
def vmapped(q, k, v):
    return jax.vmap(lambda q, k, v: jax.nn.softmax(q @ k.T * 0.5) @ v)(q, k, v)


@accept("One head, maximum and sum by hand, divided late.", qkv(n=5, m=7, layout="sd"), scale=0.5, routes=BOTH)
def by_hand_late(q, k, v):
    s = q @ k.T * 0.5
    e = jnp.exp(s - jax.lax.stop_gradient(s.max(axis=-1, keepdims=True)))
    return (e @ v) / e.sum(axis=-1, keepdims=True)


@accept("Softmax over an axis where a mask says so (where=).", qkv(), scale=0.5)
def softmax_where(q, k, v):
    s = jnp.einsum("bhqd,bhkd->bhqk", q, k) * 0.5
    p = jax.nn.softmax(s, axis=-1, where=jnp.tril(jnp.ones((6, 6), bool)))
    return p @ v


@accept("Values of the other head: a permuted tensor like any other.", qkv(n=5, m=7), scale=0.5)
def other_head(q, k, v):
    return jax.nn.softmax(jnp.einsum("bhqd,bhkd->bhqk", q, k) * 0.5) @ v[:, ::-1]


@accept("exp of scores less logsumexp.", qkv(n=5, m=7), scale=0.5)
def logsumexp(q, k, v):
    s = jnp.einsum("bhqd,bhkd->bhqk", q, k) * 0.5
    return jnp.einsum("bhqk,bhkd->bhqd", jnp.exp(s - jax.nn.logsumexp(s, axis=-1, keepdims=True)), v)


@accept("Causal by positions from iota.", qkv(), scale=0.5, mask="causal", routes=BOTH)
def iota_causal(q, k, v):
    i = jax.lax.broadcasted_iota(jnp.int32, (6, 6), 0)
    j = jax.lax.broadcasted_iota(jnp.int32, (6, 6), 1)
    s = jnp.einsum("bhqd,bhkd->bhqk", q, k) * 0.5
    return jax.nn.softmax(jnp.where(i >= j, s, -1e30)) @ v


@accept("Causal as an added mask of 0 and -inf.", qkv(), scale=0.5, mask="causal")
def added_causal(q, k, v):
    mask = jnp.where(jnp.arange(6)[:, None] >= jnp.arange(6)[None, :], 0.0, -jnp.inf)
    return jax.nn.softmax(q @ k.swapaxes(-1, -2) * 0.5 + mask) @ v


@accept("Keys repeated for groups of heads.", bshd(h=4, hk=2, n=5, m=7), scale=0.5)
def gqa_repeat(q, k, v):
    k, v = jnp.repeat(k, 2, axis=2), jnp.repeat(v, 2, axis=2)
    p = jax.nn.softmax(jnp.einsum("bqhd,bkhd->bhqk", q, k) * 0.5)
    return jnp.einsum("bhqk,bkhd->bqhd", p, v)


@accept("Groups of heads in five dimensions.", bshd(h=4, hk=2, n=5, m=7), scale=0.5)
def gqa_einsum(q, k, v):
    q = q.reshape(1, 5, 2, 2, 4)
    p = jax.nn.softmax(jnp.einsum("bqhgd,bkhd->bhgqk", q, k) * 0.5)
    return jnp.einsum("bhgqk,bkhd->bqhgd", p, v).reshape(1, 5, 4, 4)


@accept("One head of keys for all.", [T(1, 5, 4, 4), T(1, 7, 4), T(1, 7, 4)], scale=0.5, routes=BOTH)
def mqa(q, k, v):
    p = jax.nn.softmax(jnp.einsum("bqhd,bkd->bhqk", q, k) * 0.5)
    return jnp.einsum("bhqk,bkd->bqhd", p, v)


@accept("A decoding step: the new key is written into a cache, later positions are masked.",
        [T(1, 1, 2, 4), T(1, 1, 2, 4), T(1, 1, 2, 4), T(1, 8, 2, 4), T(1, 8, 2, 4), T(dtype="i32", kind="ids<8>")], scale=0.5)
def decode(q, k, v, old_k, old_v, position):
    k = jax.lax.dynamic_update_slice(old_k, k, (0, position, 0, 0))
    v = jax.lax.dynamic_update_slice(old_v, v, (0, position, 0, 0))
    s = jnp.einsum("bqhd,bkhd->bhqk", q, k) * 0.5
    p = jax.nn.softmax(jnp.where(jnp.arange(8) <= position, s, -1e30))
    return jnp.einsum("bhqk,bkhd->bqhd", p, v)


@accept("Projections, heads, attention, output projection.", [T(2, 6, 8)] + [T(8, 2, 4, kind="small")] * 3 + [T(2, 4, 8, kind="small")],
        scale=0.5, routes=BOTH)
def block(x, wq, wk, wv, wo):
    q, k, v = (jnp.einsum("bsf,fhd->bshd", x, w) for w in (wq, wk, wv))
    p = jax.nn.softmax(jnp.einsum("bqhd,bkhd->bhqk", q, k) / jnp.sqrt(4.0))
    return jnp.einsum("bqhd,hdf->bqf", jnp.einsum("bhqk,bkhd->bqhd", p, v), wo)


@accept("f16 with softmax in f32.", bshd(n=5, m=7, dtype="f16"), scale=0.5)
def upcast(q, k, v):
    s = jnp.einsum("bqhd,bkhd->bhqk", q, k, preferred_element_type=jnp.float32) * 0.5
    return jnp.einsum("bhqk,bkhd->bqhd", jax.nn.softmax(s).astype(jnp.float16), v)


@accept("Lengths of keys by where and -inf, in layout [batch, length, heads, dim], behind a reshape through one dimension.",
        bshd(b=2, n=5, m=7) + [T(2, dtype="i32", kind="lengths<7>")], scale=0.5, bias=True)
def lengths_infinite(q, k, v, lengths):
    s = jnp.einsum("bqhd,bkhd->bhqk", q, k) * 0.5
    mask = jnp.broadcast_to((jnp.arange(7) < lengths[:, None])[:, None, None, :], s.shape)
    s = jax.vmap(lambda mask, s: jnp.where(mask, s, -jnp.inf))(mask[None], s.reshape(-1).reshape(1, *s.shape))[0]
    return jnp.einsum("bhqk,bkhd->bqhd", jax.nn.softmax(s), v)
