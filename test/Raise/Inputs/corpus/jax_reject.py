# Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
"""What looks like softmax attention in JAX programs and is not."""

import jax
import jax.numpy as jnp

from spec import T, qkv, reject

CROSS = dict(n=5, m=7)


def scores(q, k):
    return jnp.einsum("bhqd,bhkd->bhqk", q, k) * 0.5


@reject("Softmax over queries.", qkv(n=6))
def softmax_over_queries(q, k, v):
    return jax.nn.softmax(scores(q, k), axis=-2) @ v


@reject("Softmax over heads.", qkv(**CROSS), routes=("torch-mlir", "iree"))
def softmax_over_heads(q, k, v):
    return jax.nn.softmax(scores(q, k), axis=1) @ v


@reject("Soft-capped by tanh.", qkv(**CROSS), routes=("torch-mlir", "iree"))
def softcap(q, k, v):
    return jax.nn.softmax(30.0 * jnp.tanh(scores(q, k) / 30.0)) @ v


@reject("A learned sink in the denominator.", qkv(**CROSS) + [T(2, 1, 1)])
def sink(q, k, v, s):
    x = scores(q, k)
    top = jnp.maximum(x.max(-1, keepdims=True), s)
    e = jnp.exp(x - top)
    return (e / (e.sum(-1, keepdims=True) + jnp.exp(s - top))) @ v


@reject("Mask multiplied after the softmax.", qkv(n=6), routes=("torch-mlir", "iree"))
def mask_after_softmax(q, k, v):
    return (jax.nn.softmax(scores(q, k)) * jnp.tril(jnp.ones((6, 6)))) @ v


@reject("Weights transposed.", qkv(n=6))
def weights_transposed(q, k, v):
    return jnp.einsum("bhqk,bhqd->bhkd", jax.nn.softmax(scores(q, k)), v)


@reject("One more in the denominator.", qkv(**CROSS))
def softmax_plus_one(q, k, v):
    e = jnp.exp(scores(q, k))
    return (e / (1.0 + e.sum(-1, keepdims=True))) @ v


@reject("Normalised twice.", qkv(**CROSS))
def softmax_twice(q, k, v):
    return jax.nn.softmax(jax.nn.softmax(scores(q, k))) @ v


@reject("Scores multiplied elementwise.", qkv(**CROSS) + [T(5, 7)])
def scores_multiplied(q, k, v, g):
    return jax.nn.softmax(scores(q, k) * g) @ v


@reject("Sigmoid instead of softmax.", qkv(**CROSS))
def sigmoid(q, k, v):
    return jax.nn.sigmoid(scores(q, k)) @ v


@reject("Weights are returned too.", qkv(**CROSS))
def returns_weights(q, k, v):
    p = jax.nn.softmax(scores(q, k))
    return p @ v, p


@reject("Heads mixed between softmax and values.", qkv(**CROSS) + [T(2, 2)])
def talking_heads(q, k, v, w):
    return jnp.einsum("bhqk,hg->bgqk", jax.nn.softmax(scores(q, k)), w) @ v


@reject("Distances instead of products.", qkv(h=1, n=3, m=4))
def distances(q, k, v):
    d = ((q[..., :, None, :] - k[..., None, :, :]) ** 2).sum(-1)
    return jax.nn.softmax(-d) @ v
