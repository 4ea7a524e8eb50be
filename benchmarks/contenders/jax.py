# Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
"""JAX: its attention function, and the formula."""

import os

os.environ["JAX_PLATFORMS"] = "cpu"

import jax  # noqa: E402
import jax.numpy as jnp  # noqa: E402
import numpy as np  # noqa: E402

from contenders import base  # noqa: E402


class Contender(base.Contender):
    label = "JAX"
    version = jax.__version__

    def __init__(self, threads):
        pass  # XLA takes as many threads as the process may use cores

    def variants(self, case, q, k, v):
        base.needs_all_scores(case)

        def formula(q, k, v):
            scores = jnp.einsum("hqd,hkd->hqk", q, k, preferred_element_type=jnp.float32) * case.scale
            if case.causal:
                scores = jnp.where(jnp.tril(jnp.ones((case.n, case.keys), bool)), scores, -jnp.inf)
            return jnp.einsum("hqk,hkd->hqd", jax.nn.softmax(scores, -1).astype(v.dtype), v)

        def attention(q, k, v):
            return jax.nn.dot_product_attention(q, k, v, scale=case.scale, is_causal=case.causal)

        def build(function, arrays, fetch):
            dtype = {"f32": jnp.float32, "bf16": jnp.bfloat16}[case.dtype]
            arguments = [jnp.asarray(x, dtype) for x in arrays]
            compiled = jax.jit(function)
            return base.Runner(lambda: compiled(*arguments).block_until_ready(),
                               lambda result: fetch(np.asarray(result.astype(jnp.float32))))

        by_token = [np.ascontiguousarray(x.swapaxes(0, 1))[None] for x in (q, k, v)]
        return {
            "formula": lambda: build(formula, (q, k, v), lambda x: x),
            "dot_product_attention": lambda: build(attention, by_token, lambda x: x[0].swapaxes(0, 1)),
        }
