# Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
"""Attention over pairs of keys, as JAX programs spell it."""

import jax
import jax.numpy as jnp

from spec import T, reject
from torch_tensor import SQUARE, pairs, tensor


def scores(q, k1, k2):
    return jnp.einsum("bhid,bhjd,bhkd->bhijk", q, k1, k2) * 0.5


def output(p, v1, v2):
    return jnp.einsum("bhijk,bhje,bhke->bhie", p, v1, v2)


@tensor("einsum, softmax over two dimensions, einsum.", pairs(), framework="jax")
def tensor_einsum(q, k1, k2, v1, v2):
    return output(jax.nn.softmax(scores(q, k1, k2), axis=(-2, -1)), v1, v2)


@tensor("Causal along both sets of keys.", SQUARE, mask="[causal, causal]", framework="jax")
def tensor_causal(q, k1, k2, v1, v2):
    seen = jnp.tril(jnp.ones((6, 6), bool))
    s = jnp.where(seen[:, :, None] & seen[:, None], scores(q, k1, k2), -jnp.inf)
    return output(jax.nn.softmax(s, axis=(-2, -1)), v1, v2)


@tensor("A function of one head, mapped; softmax of reshaped scores.", pairs(), framework="jax")
def tensor_vmapped(*arguments):
    def head(q, k1, k2, v1, v2):
        s = jnp.einsum("id,jd,kd->ijk", q * 0.5, k1, k2)
        p = jax.nn.softmax(s.reshape(5, 42), axis=-1).reshape(5, 6, 7)
        return jnp.einsum("ijk,je,ke->ie", p, v1, v2)
    return jax.vmap(jax.vmap(head))(*arguments)


@reject("Softmax over the last keys only.", pairs(), framework="jax")
def tensor_softmax_over_one(q, k1, k2, v1, v2):
    return output(jax.nn.softmax(scores(q, k1, k2), axis=-1), v1, v2)


@reject("A bias of pairs.", pairs() + [T(6, 7)], framework="jax")
def tensor_bias(q, k1, k2, v1, v2, bias):
    return output(jax.nn.softmax(scores(q, k1, k2) + bias, axis=(-2, -1)), v1, v2)
