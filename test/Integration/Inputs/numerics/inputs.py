# Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
"""Queries, keys, values and key weights that attention finds hard, for a Shape and lengths n, m."""

import numpy as np


def normal(rng, shape, n, m):
    return (rng.standard_normal((*shape.batch, n, shape.d)), rng.standard_normal((*shape.kv_batch(), m, shape.d)),
            rng.standard_normal((*shape.kv_batch(), m, shape.e)))


def equal(rng, shape, n, m):
    """Every key and every query the same vector: all weights equal, rounding all the same way."""
    q, k, v = normal(rng, shape, n, m)
    return np.broadcast_to(q.flat[0] + 0.1, q.shape), np.broadcast_to(q.flat[0] + 0.1, k.shape), v


def one_hot(rng, shape, n, m):
    q, k, v = normal(rng, shape, n, m)
    eye = 6.0 * np.eye(shape.d)
    return np.broadcast_to(eye[np.arange(n) % shape.d], q.shape), np.broadcast_to(eye[np.arange(m) % shape.d], k.shape), v


def huge(rng, shape, n, m):
    """Scores of many thousands: the softmax is a maximum."""
    q, k, v = normal(rng, shape, n, m)
    return 60 * q, 60 * k, v


def enormous(rng, shape, n, m):
    """Scores of 1e30: whatever wins, the result is an average of values and finite."""
    q, k, v = normal(rng, shape, n, m)
    return 1e15 * q, 1e15 * k, v


def tiny(rng, shape, n, m):
    """Products of entries are below the smallest normal number, or 0; values are tiny too."""
    q, k, v = normal(rng, shape, n, m)
    return 1e-20 * q, 1e-20 * k, 1e-20 * v


def mixed(rng, shape, n, m):
    """Entries of very different magnitude, in values too."""
    def spread(x):
        return x * 10.0 ** rng.uniform(-6, 0.7, x.shape)
    q, k, v = normal(rng, shape, n, m)
    return spread(q), spread(k), spread(v)


def rising(rng, shape, n, m):
    """Every key beats those before it, so that the running maximum rises at each."""
    q, k, v = normal(rng, shape, n, m)
    direction = np.ones(shape.d) / np.sqrt(shape.d)
    return np.broadcast_to(direction, q.shape), np.broadcast_to(np.linspace(-30, 30, m)[:, None] * direction, k.shape), v


def falling(rng, shape, n, m):
    """The first key wins; the others vanish beside it."""
    q, k, v = rising(rng, shape, n, m)
    return q, np.flip(k, -2), v


def cancelling(rng, shape, n, m):
    """Scores are small differences of large products."""
    q, k, v = normal(rng, shape, n, m)
    half = shape.d // 2
    q, k = q.copy(), k.copy()
    q[..., :half] *= 30
    k[..., :half] *= 30
    if half:
        q[..., half:2 * half] = -q[..., :half]
        k[..., half:2 * half] = k[..., :half] + 0.03 * k[..., half:2 * half]
    return q, k, v


def peaked_value(rng, shape, n, m):
    """One value dwarfs the others: max|v| is the yardstick, wherever the weight lies."""
    q, k, v = normal(rng, shape, n, m)
    v = 1e-6 * v
    if m:
        v[..., rng.integers(m), :] = 1e4
    return q, k, v


ADVERSARIAL = [equal, one_hot, huge, enormous, tiny, mixed, rising, falling, cancelling, peaked_value]


def weights(rng, shape, m, zeros=0.3):
    """Positive key weights over six orders of magnitude; a share of them is 0."""
    size = [m if s is None else s for s in shape.weights()]
    return np.where(rng.random(size) < zeros, 0.0, 10.0 ** rng.uniform(-3, 3, size))
